"""Sessions that could not be billed, on the wall's work list: why, since when, and what to do."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from billing import services
from csms.dashboard import unbilled
from csms.dashboard.worktask import Task
from stations.models import OutboxEntry
from stations.services.afterwards import ENDED_TOPIC
from tests.dashboard.rows import finished, plug
from tests.dashboard.test_wall import page, part
from tests.network import Network

NO_TARIFF = "No tariff: none is assigned to this session."
NO_PRICE = "The price series Day-ahead has no price for 2026-11-20T10:00:00Z."


def waits(network: Network, error: str, *, ago: timedelta = timedelta(hours=3), of: int = 0, **fields: Any) -> OutboxEntry:
    at = timezone.now() - ago
    given = {"topic": ENDED_TOPIC, "subscriber": services.SUBSCRIBER, "attempts": 3 if error else 0, "created_at": at, "due_at": at}
    with scopes_disabled():
        number = of or (OutboxEntry.objects.order_by("-object_id").values_list("object_id", flat=True).first() or 10**9) + 1
        return OutboxEntry.objects.create(operator=network.operator, object_id=number, error=error, **given | fields)


def tasks(network: Network, *, may: bool = True) -> list[Task]:
    with scope(operator=network.operator):
        return unbilled.tasks(timezone.now(), may_correct=may, may_price=may)[0]


def test_when_all_is_billed_nobody_is_needed(amber: Network) -> None:
    waits(amber, "", ago=timedelta(minutes=5))
    waits(Network(), NO_TARIFF)
    assert tasks(amber) == []


def test_those_without_a_tariff_are_one_row_that_leads_to_the_tariffs(ada: Client, amber: Network) -> None:
    waits(amber, NO_TARIFF)
    waits(amber, NO_TARIFF, ago=timedelta(hours=5))
    said = part(page(ada), "task-unbilled-tariff")
    assert "2 sessions are not billed: no tariff applies to them. 5 h ago Add or assign one" in said
    (task,) = tasks(amber)
    assert (task.to, task.url) == ("/tariffs/", "/billing/#waits-title")
    assert tasks(amber, may=False)[0].step == "Look at it"


def test_a_price_that_is_missing_is_told_once_a_market_should_have_made_it(amber: Network) -> None:
    entry = waits(amber, NO_PRICE, ago=timedelta(hours=1))
    assert tasks(amber) == []
    with scopes_disabled():
        OutboxEntry.objects.filter(pk=entry.pk).update(created_at=timezone.now() - timedelta(hours=3))
    (task,) = tasks(amber)
    assert (task.key, task.to) == ("unbilled-price", "/tariffs/prices/")


def test_what_failed_is_told_session_by_session_with_its_error(amber: Network) -> None:
    t = finished(plug(amber))
    waits(amber, "ZeroDivisionError: division by zero", of=t.pk)
    waits(amber, "ValueError: of a session that is gone")
    gone, one = tasks(amber)
    assert (one.name, one.url, one.to) == (t.station.identity, f"/transactions/{t.pk}/", "/billing/#waits-title")
    assert one.reason == "It could not be billed: ZeroDivisionError: division by zero"
    assert (one.step, gone.url) == ("Put it right, try again", "/billing/#waits-title")


def test_many_that_failed_lead_to_all_of_them(ada: Client, amber: Network) -> None:
    for _ in range(unbilled.EACH + 1):
        waits(amber, "ValueError: no")
    assert len(tasks(amber)) == unbilled.EACH
    assert "All that could not be billed" in page(ada)


def test_sessions_that_nobody_has_tried_say_that_billing_is_behind(amber: Network) -> None:
    waits(amber, "", ago=timedelta(minutes=20))
    (task,) = tasks(amber)
    assert (task.key, "no worker is running" in task.reason) == ("unbilled-behind", True)


@pytest.mark.parametrize("count", [1, 12])
def test_it_takes_three_queries_however_many_failed(amber: Network, count: int, django_assert_num_queries: Any) -> None:
    for _ in range(count):
        waits(amber, "ValueError: no")
        waits(amber, NO_TARIFF)
    with django_assert_num_queries(3):
        tasks(amber)


def test_what_failed_is_found_among_any_number_that_wait(amber: Network) -> None:
    now = timezone.now()
    with scopes_disabled():
        given = {"operator": amber.operator, "topic": ENDED_TOPIC, "subscriber": services.SUBSCRIBER}
        OutboxEntry.objects.bulk_create(
            OutboxEntry(**given, object_id=2 * 10**9 + number, created_at=now, due_at=now) for number in range(5000)
        )
    waits(amber, NO_TARIFF)
    with connection.cursor() as cursor, scope(operator=amber.operator):
        cursor.execute("ANALYZE stations_outboxentry")
        failing = OutboxEntry.objects.filter(subscriber=services.SUBSCRIBER, topic=ENDED_TOPIC, attempts__gt=0)
        assert "outbox_operator_failing" in failing.order_by("-pk")[:200].explain()
