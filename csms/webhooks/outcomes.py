"""What follows from an attempt: done, tried again later, given up; an address that rests, is back, or is switched off."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from accounts import audit
from csms.webhooks.models import DeliveryStatus, Webhook, WebhookDelivery
from csms.webhooks.sending import Answer

#: After each failed attempt the pause until the next, in seconds, for one delivery; after the last it is given up (three days).
PAUSES_S = (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400, 86_400)
#: Failures one after the other from which on an address rests between attempts, and how long at first and at most (seconds).
RESTS_AFTER, REST_S, LONGEST_REST_S = 3, 5, 300
#: How long an address that asks us to wait is listened to.
LONGEST_WAIT_S = 3600
#: An address at which everything fails for so long, and so often, is switched off.
OFF_AFTER, OFF_FAILURES = timedelta(days=3), 20
GONE = 410

#: Webhook, delivery, answer, when it came.
Attempt = tuple[int, int, Answer, datetime]


def note(attempts: Sequence[Attempt]) -> None:
    """Write down how these attempts went, in the order in which they were made."""
    with transaction.atomic():
        # The webhooks before their deliveries, as everywhere.
        wanted = sorted({webhook for webhook, *_ in attempts})
        locked = Webhook.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
        webhooks = {webhook.pk: webhook for webhook in locked}
        deliveries = WebhookDelivery.objects.select_for_update().order_by("pk").in_bulk([pk for _, pk, *_ in attempts])
        for webhook_id, pk, answer, at in attempts:
            # Either may have been removed meanwhile.
            webhook, delivery = webhooks.get(webhook_id), deliveries.get(pk)
            if webhook is None or delivery is None:
                continue
            _of_delivery(delivery, answer, at)
            if answer.taken:
                _works(webhook, at)
            else:
                _fails(webhook, answer, at)
        fields = ["status", "attempts", "due_at", "attempted_at", "delivered_at"]
        WebhookDelivery.objects.bulk_update(
            deliveries.values(), [*fields, "response_code", "response_body", "response_ms", "error"]
        )
        fields = ["active", "disabled_because", "failures", "failing_since", "rests_until", "delivered_at"]
        Webhook.objects.bulk_update(webhooks.values(), fields)


def _of_delivery(delivery: WebhookDelivery, answer: Answer, at: datetime) -> None:
    delivery.attempts += 1
    delivery.attempted_at = at
    delivery.response_code, delivery.response_body = answer.code, answer.body
    delivery.response_ms, delivery.error = answer.ms, answer.error
    if answer.taken:
        delivery.status, delivery.delivered_at = DeliveryStatus.DELIVERED, at
    elif delivery.attempts > len(PAUSES_S):
        delivery.status = DeliveryStatus.GIVEN_UP
    else:
        delivery.status = DeliveryStatus.FAILED
        delivery.due_at = at + _about(PAUSES_S[delivery.attempts - 1])


def _works(webhook: Webhook, at: datetime) -> None:
    if webhook.failures >= RESTS_AFTER:
        # It is back: what failed meanwhile need not wait out its pause.
        webhook.deliveries.filter(status=DeliveryStatus.FAILED).update(due_at=at)
    webhook.failures, webhook.failing_since, webhook.rests_until = 0, None, None
    webhook.delivered_at = at


def _fails(webhook: Webhook, answer: Answer, at: datetime) -> None:
    webhook.failures += 1
    webhook.failing_since = webhook.failing_since or at
    if webhook.failures >= RESTS_AFTER:
        rest_s = min(REST_S * 2 ** min(webhook.failures - RESTS_AFTER, 10), LONGEST_REST_S)
        webhook.rests_until = at + _about(rest_s)
    if answer.retry_after_s:
        asked = at + timedelta(seconds=min(answer.retry_after_s, LONGEST_WAIT_S))
        webhook.rests_until = max(webhook.rests_until or asked, asked)
    if not webhook.active:
        return
    if answer.code == GONE:
        _switch_off(webhook, answer.error)
    elif at - webhook.failing_since >= OFF_AFTER and webhook.failures >= OFF_FAILURES:
        _switch_off(webhook, f"Nothing was delivered for {OFF_AFTER.days} days; the last time: {answer.error}")


def _switch_off(webhook: Webhook, reason: str) -> None:
    webhook.active, webhook.disabled_because = False, reason[:300]
    audit.record("webhook.switched_off", webhook, operator=webhook.operator_id, note=reason)


def _about(seconds: int) -> timedelta:
    """With a fifth more or less, so that what failed together is not tried together."""
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311  (spreads load; no secret)
