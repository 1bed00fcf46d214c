"""Jobs of the system itself, and those that make files."""

import time

from celery import shared_task
from django.utils import timezone

from billing import archives
from csms import receiptfiles
from csms.webhooks import tasks as webhooks  # noqa: F401  (Celery looks for jobs here)

#: A run begins nothing new after so long: other work has its turn, and a bell calls for the next run.
TURN_S = 15.0


@shared_task
def heartbeat() -> None:
    """Do nothing, by way of the beat, the queue and a worker: that it was done says that all three live (see `csms.jobs`)."""


@shared_task
def make_receipt_files() -> int:
    """Bring the files of a month's receipts on. Returns how many pieces were made.

    1. Take one that is due, with a lease; one that another worker has is left to it.
    2. Print some receipts, for ten seconds at most; put a part together when it is complete; write down how far it came.
    3. The next one; after a while call for another run instead.

    Safe when run twice, at once, or killed: see `billing.archives`.
    """
    begun, pieces = time.monotonic(), 0
    for pk in archives.due():
        if time.monotonic() - begun > TURN_S:
            break
        pieces += receiptfiles.advance(pk)
    return pieces


@shared_task
def let_go_of_receipt_files() -> int:
    """Delete files of receipts whose term is over. Safe when run twice, or killed."""
    return archives.let_go(now=timezone.now())
