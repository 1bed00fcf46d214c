"""Tariffs that a process keeps for as long as they do not change."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django_scopes import scopes_disabled

from accounts.models import Operator
from billing import choosing, tariffs
from billing.models import FormerAssignment, PriceList, Tariff, TariffAssignment, TariffVersion
from stations.models import Evse, Station
from tests.billing import make

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)


def body(price: float) -> dict[str, Any]:
    return {"elements": [{"price_components": [{"type": "ENERGY", "price": price, "step_size": 1}]}]}


def case(station: Station, at: datetime = NOW, **fields: Any) -> choosing.Case:
    given: dict[str, Any] = {"site": station.site_id, "station": station.pk, "evse": None, "known": True}
    return choosing.Case(operator=station.operator_id, at=at, **(given | fields))


def chosen(station: Station, at: datetime = NOW, **fields: Any) -> tuple[str, int] | None:
    found = choosing.Book([station.operator_id]).choose(case(station, at, **fields))
    return (found.version.tariff.name, found.version.number) if found else None


def version_of(operator: Operator) -> int:
    with scopes_disabled():
        return PriceList.objects.filter(operator=operator).values_list("version", flat=True).first() or 0


def test_three_thousand_assignments_are_read_once(
    amber: Operator, station: Station, tariff: Tariff, django_assert_num_queries: Callable[..., Any]
) -> None:
    dear = tariffs.add_tariff(operator=amber, name="Dear", ocpi=body(0.9))
    with scopes_disabled():
        evses = Evse.objects.bulk_create(Evse(station=station, number=number) for number in range(2, 3002))
        before = version_of(amber)
        TariffAssignment.objects.bulk_create(TariffAssignment(operator=amber, tariff=dear, evse=evse) for evse in evses)
    assert version_of(amber) != before, "one change for all of them"
    with django_assert_num_queries(5):
        assert chosen(station, datetime.now(UTC), evse=evses[7].pk) == ("Dear", 1)
    with django_assert_num_queries(1):
        assert chosen(station, datetime.now(UTC), evse=evses[2999].pk) == ("Dear", 1)
    with django_assert_num_queries(1):
        assert chosen(station, datetime.now(UTC)) == ("Standard", 1)


@pytest.mark.parametrize(
    "change", ["a tariff", "a version", "an assignment", "its end", "a new name", "the default", "past the services"]
)
def test_every_change_is_seen_at_once(amber: Operator, station: Station, tariff: Tariff, change: str) -> None:
    other = tariffs.add_tariff(operator=amber, name="Other", ocpi=body(0.9))
    assigned = tariffs.assign(tariff=other, site=station.site)
    assert chosen(station) == ("Other", 1)
    before = version_of(amber)
    with scopes_disabled():
        match change:
            case "a tariff":
                tariffs.add_tariff(operator=amber, name="Third", ocpi=body(1))
            case "a version":
                tariffs.add_version(tariff=other, ocpi=body(0.8))
                assert chosen(station, datetime.now(UTC)) == ("Other", 2)
            case "an assignment":
                tariffs.assign(tariff=tariff, station=station)
                assert chosen(station) == ("Standard", 1)
            case "its end":
                tariffs.unassign(assignment=assigned)
                assert chosen(station) == ("Standard", 1)
            case "a new name":
                Tariff.objects.filter(pk=other.pk).update(name="Another")
                assert chosen(station) == ("Another", 1)
            case "the default":
                tariffs.unassign(assignment=assigned)
                tariffs.set_default_tariff(tariff=other)
                assert chosen(station) == ("Other", 1)
            case "past the services":
                TariffVersion.objects.filter(tariff=other).delete()
                assert chosen(station) == ("Standard", 1)
    assert version_of(amber) != before


def at_hour(hours: int, do: Callable[[], Any]) -> Any:
    with time_machine.travel(NOW + timedelta(hours=hours), tick=False):
        return do()


def added(operator: Operator, name: str, hours: int = 0, **more: Any) -> Tariff:
    made: Tariff = at_hour(hours, lambda: tariffs.add_tariff(operator=operator, name=name, ocpi=body(1), **more))
    return made


def during(station: Station, *hours: float) -> list[str]:
    """The tariffs of sessions that started so many hours after NOW, asked soon and long after it: the same."""
    found = []
    for asked in (6, 24 * 30):
        choosing._read.clear()
        with time_machine.travel(NOW + timedelta(hours=asked), tick=False):
            found.append([it[0] for hour in hours if (it := chosen(station, NOW + timedelta(hours=hour)))])
    assert found[0] == found[1]
    return found[0]


def test_sessions_keep_what_was_assigned_when_they_started(amber: Operator, station: Station) -> None:
    added(amber, "Usual", is_default=True)
    cheap, dear = added(amber, "Cheap"), added(amber, "Dear")
    at_hour(1, lambda: tariffs.assign(tariff=cheap, site=station.site))
    assert during(station, 0.5, 1, 5) == ["Usual", "Cheap", "Cheap"]
    assigned = at_hour(2, lambda: tariffs.assign(tariff=dear, site=station.site))
    assert during(station, 0.5, 1, 2, 5) == ["Usual", "Cheap", "Dear", "Dear"]
    at_hour(3, lambda: tariffs.unassign(assignment=assigned))
    at_hour(3, lambda: tariffs.unassign(assignment=assigned))
    assert during(station, 0.5, 1.5, 2.5, 3) == ["Usual", "Cheap", "Dear", "Usual"]
    with scopes_disabled():
        assert FormerAssignment.objects.count() == 2


def test_sessions_keep_what_was_the_default_when_they_started(amber: Operator, station: Station) -> None:
    for hours, name in enumerate(("First", "Second", "Third")):
        added(amber, name, hours, is_default=True)
    with scopes_disabled():
        first = Tariff.objects.get(name="First")
    at_hour(3, lambda: tariffs.set_default_tariff(tariff=first))
    assert during(station, 0.5, 1.5, 2.5, 3.5) == ["First", "Second", "Third", "First"]


def test_what_started_before_any_tariff_applied_has_what_applies_now(amber: Operator, station: Station) -> None:
    dear = added(amber, "Dear", 2)
    assert during(station, 1, 3) == []
    assigned = at_hour(2, lambda: tariffs.assign(tariff=dear, station=station))
    assert during(station, 1, 3) == ["Dear", "Dear"]
    at_hour(4, lambda: tariffs.unassign(assignment=assigned))
    assert during(station, 1, 3, 5) == ["Dear"], "the one that started while it applied"


def test_what_is_assigned_now_can_be_asked_for_too(amber: Operator, station: Station) -> None:
    old, new = added(amber, "Old"), added(amber, "New")
    at_hour(0, lambda: tariffs.assign(tariff=old, station=station))
    at_hour(2, lambda: tariffs.assign(tariff=new, station=station))
    found = choosing.Book([amber.pk]).choose(case(station, NOW + timedelta(hours=1)), now=True)
    assert found
    assert found.version.tariff.name == "New"


def test_what_ended_days_ago_is_asked_for_once_by_each_who_needs_it(
    amber: Operator, station: Station, django_assert_num_queries: Callable[..., Any]
) -> None:
    old, new = added(amber, "Old"), added(amber, "New")
    at_hour(0, lambda: tariffs.assign(tariff=old, station=station))
    at_hour(2, lambda: tariffs.assign(tariff=new, station=station))
    assert chosen(station, datetime.now(UTC)) == ("New", 1)
    with django_assert_num_queries(3):  # the version of the prices, what applied then, the versions of that
        assert chosen(station, NOW + timedelta(hours=1)) == ("Old", 1)
    with django_assert_num_queries(1):
        assert chosen(station, NOW + timedelta(hours=1)) == ("Old", 1)


def test_there_is_no_moment_between_two_tariffs(amber: Operator, station: Station) -> None:
    old, new = (tariffs.add_tariff(operator=amber, name=name, ocpi=body(1)) for name in ("Old", "New"))
    tariffs.assign(tariff=old, station=station)
    tariffs.assign(tariff=new, station=station)
    for tariff in (old, new):
        tariffs.set_default_tariff(tariff=tariff)
    with scopes_disabled():
        ended = FormerAssignment.objects.order_by("pk").values_list("was_default", "ended_at")
        assert dict(ended) == {
            False: TariffAssignment.objects.get(tariff=new).created_at,
            True: Tariff.objects.get(pk=new.pk).default_since,
        }


def test_what_applied_more_than_a_year_ago_is_forgotten_with_the_next_change(amber: Operator, station: Station) -> None:
    old, new = added(amber, "Old"), added(amber, "New")
    at_hour(0, lambda: tariffs.assign(tariff=old, station=station))
    at_hour(1, lambda: tariffs.assign(tariff=new, station=station))
    at_hour(500 * 24, lambda: tariffs.assign(tariff=old, station=station))
    with scopes_disabled():
        assert [one.tariff_id for one in FormerAssignment.objects.all()] == [new.pk]


def test_what_was_rolled_back_never_was(amber: Operator, station: Station, tariff: Tariff) -> None:
    assert chosen(station) == ("Standard", 1)
    for name in ("One", "Two"):
        with transaction.atomic():
            tariffs.add_tariff(operator=amber, name=name, ocpi=body(1), is_default=True)
            assert chosen(station) == (name, 1)
            transaction.set_rollback(True)
        assert chosen(station) == ("Standard", 1)


def test_a_change_of_one_network_leaves_what_is_kept_of_another(
    amber: Operator, station: Station, tariff: Tariff, django_assert_num_queries: Callable[..., Any]
) -> None:
    cobalt = make.operator("Cobalt Charge")
    theirs = make.station(cobalt, "COBALT-01")
    tariffs.add_tariff(operator=cobalt, name="Theirs", ocpi=body(1), is_default=True)
    book = choosing.Book([amber.pk, cobalt.pk])
    assert [found.version.tariff.name for one in (station, theirs) if (found := book.choose(case(one)))] == ["Standard", "Theirs"]
    tariffs.add_tariff(operator=cobalt, name="New", ocpi=body(1), is_default=True)
    with django_assert_num_queries(1):
        assert chosen(station) == ("Standard", 1)
    assert chosen(theirs) == ("New", 1)


def test_a_version_becomes_valid_by_itself(
    amber: Operator, station: Station, django_assert_num_queries: Callable[..., Any]
) -> None:
    with time_machine.travel(NOW, tick=False):
        tariff = tariffs.add_tariff(operator=amber, name="Standard", ocpi=body(0.4), is_default=True)
        tariffs.add_version(tariff=tariff, ocpi=body(0.5), valid_from=NOW + timedelta(hours=1))
        assert chosen(station, NOW) == ("Standard", 1)
        with django_assert_num_queries(1):
            assert chosen(station, NOW + timedelta(hours=1)) == ("Standard", 2)
        with django_assert_num_queries(1):
            assert chosen(station, NOW + timedelta(minutes=59)) == ("Standard", 1)


@pytest.mark.django_db(transaction=True)
def test_two_who_change_prices_at_once_wait_for_each_other(amber: Operator, station: Station, tariff: Tariff) -> None:
    others = [tariffs.add_tariff(operator=amber, name=f"Other {number}", ocpi=body(1)) for number in range(4)]
    failed: list[Exception] = []

    def change(other: Tariff) -> None:
        try:
            tariffs.add_version(tariff=other, ocpi=body(2))
            tariffs.set_default_tariff(tariff=other)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=change, args=[other]) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    found = choosing.Book([amber.pk]).choose(case(station))
    assert found
    with scopes_disabled():
        assert found.version.tariff_id == Tariff.objects.get(operator=amber, is_default=True).pk


def test_the_prices_of_an_operator_that_is_gone_are_gone(amber: Operator, station: Station, tariff: Tariff) -> None:
    assert version_of(amber)
    with scopes_disabled():
        pk = amber.pk
        amber.delete()
    assert choosing.Book([pk]).choose(choosing.Case(operator=pk, site=None, station=0, evse=None, at=NOW)) is None
