"""A webhook of Ada's and the program it leads to."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from csms.webhooks import catalogue, dispatch, services
from csms.webhooks.models import OPEN, Webhook, WebhookDelivery, WebhookEvent
from tests.network import Network
from tests.webhooks.receiver import Receiver, receiver

Tell = Callable[..., list[WebhookDelivery]]


@pytest.fixture
def amber(db: None) -> Network:
    return Network()


@pytest.fixture
def cobalt(db: None) -> Network:
    return Network()


@pytest.fixture
def them() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def webhook(amber: Network, them: Receiver) -> Webhook:
    return services.add(operator=amber.operator, url=them.url, events=list(catalogue.EVENTS))


@pytest.fixture
def tell() -> Tell:
    """Something happened, so many times, and the webhook is to be told."""

    def happen(webhook: Webhook, times: int = 1, **data: Any) -> list[WebhookDelivery]:
        made = []
        with scope(operator=webhook.operator):
            for number in range(times):
                now = timezone.now()
                event = WebhookEvent.objects.create(
                    operator=webhook.operator, type="station.online", data={"n": number} | data, created_at=now
                )
                locked = Webhook.objects.get(pk=webhook.pk)
                made += services.deliver(event, [locked], due_at=now)
        return made

    return happen


def again(webhook: Webhook) -> Webhook:
    with scopes_disabled():
        return Webhook.objects.get(pk=webhook.pk)


def log(webhook: Webhook) -> list[WebhookDelivery]:
    """In the order of their making."""
    with scopes_disabled():
        return list(WebhookDelivery.objects.filter(webhook=webhook).select_related("event").order_by("sequence"))


def later(webhook: Webhook) -> int | None:
    """As if all pauses were over: a run."""
    with scopes_disabled():
        WebhookDelivery.objects.filter(webhook=webhook, status__in=OPEN).update(due_at=timezone.now())
        Webhook.objects.filter(pk=webhook.pk).update(rests_until=None)
    return dispatch.run()
