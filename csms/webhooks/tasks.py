"""Jobs of the webhooks."""

from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_process_shutdown
from django.conf import settings
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.webhooks import telling
from csms.webhooks.models import WebhookEvent

#: Events deleted in one transaction, and in one run.
BATCH, MOST = 2000, 200_000


@shared_task
def send() -> None:
    """Have what is due told (see `csms.webhooks.telling`). The job is over at once: no address, however slow, holds up another job.

    Raises what ended the telling before.
    """
    telling.wake()


@worker_process_shutdown.connect
def _stop(**_: Any) -> None:
    telling.stop()


@shared_task
def let_go() -> int:
    """Delete events older than their term, with their deliveries, in batches. Returns how many. Idempotent."""
    before = timezone.now() - timedelta(days=settings.KEEP_WEBHOOKS_DAYS)
    gone = 0
    with scopes_disabled():
        while gone < MOST:
            pks = list(
                WebhookEvent.objects.filter(created_at__lt=before).order_by("created_at").values_list("pk", flat=True)[:BATCH]
            )
            WebhookEvent.objects.filter(pk__in=pks).delete()
            gone += len(pks)
            if len(pks) < BATCH:
                break
    return gone
