"""Jobs of the webhooks."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.webhooks import dispatch, services
from csms.webhooks.models import WebhookEvent
from stations import ports

#: Events deleted in one transaction, and in one run.
BATCH, MOST = 2000, 200_000


@shared_task
def send() -> int:
    """Tell what is due (see `csms.webhooks.dispatch`). Returns how many attempts were made.

    1. If another worker is at it, leave it to that one.
    2. Make deliveries of the outbox's entries, and send those that are due, for some seconds.
    3. If anything is left that can be done now, call for another run, behind the jobs that wait meanwhile.
    """
    attempts = dispatch.run()
    if attempts is not None and dispatch.anything_due():
        ports.bell.work(services.SUBSCRIBER)
    return attempts or 0


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
