"""Jobs of the webhooks."""

import time
from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_process_shutdown
from django.conf import settings
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.webhooks import telling
from csms.webhooks.models import WebhookEvent
from stations.services import retention

#: Events deleted in one transaction, and the seconds after which a run leaves the rest to the next: no count, so that whatever
#: comes in an hour goes in one.
BATCH, BUDGET_S = 2000, retention.BUDGET_S


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
    gone, until = 0, time.monotonic() + BUDGET_S
    with scopes_disabled():
        while True:
            old = WebhookEvent.objects.filter(created_at__lt=before).order_by("created_at")
            pks = list(old.values_list("pk", flat=True)[:BATCH])
            WebhookEvent.objects.filter(pk__in=pks).only("pk").delete()
            gone += len(pks)
            if len(pks) < BATCH or time.monotonic() > until:
                return gone
