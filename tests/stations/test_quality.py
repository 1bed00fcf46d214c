"""Findings counted by day, without a statement more in a batch; and summed up by rule, model, firmware and station."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from stations import quality
from stations.models import Finding, FindingDay, Station
from stations.quality import Asked
from stations.services import findingdays
from tests import v16
from tests.engine import Engine
from tests.network import Network

ODD = {"errorCode": "noerror"}


@pytest.fixture
def station(network: Network) -> Station:
    return network.station(accepted=True, vendor="Alfen", model="Eve", firmware_version="1.0")


def days(station: Station) -> dict[tuple[str, str], int]:
    """By code and firmware, of today."""
    with scopes_disabled():
        found = FindingDay.objects.filter(station=station, day=datetime.now(UTC).date())
        return {(one.code, one.firmware_version): one.count for one in found}


def odd(engine: Engine, *stations: Station, at: datetime | None = None) -> None:
    engine.round(*(engine.inbound(one, "StatusNotification", v16.status("Available") | ODD, at=at) for one in stations))


def counted(station: Station, code: str, ago: int, count: int, **fields: Any) -> None:
    with scopes_disabled():
        day = datetime.now(UTC).date() - timedelta(days=ago)
        given = {"operator": station.operator, "firmware_version": station.firmware_version} | fields
        FindingDay.objects.create(station=station, code=code, day=day, count=count, **given)


def today() -> date:
    return datetime.now(UTC).date()


# Counting


def test_every_finding_of_a_day_is_counted_with_the_firmware_of_then(network: Network, engine: Engine, station: Station) -> None:
    odd(engine, station, station, station)
    odd(engine, station)
    assert days(station) == {("mended_enum", "1.0"): 4}
    engine.say(station, "BootNotification", v16.BOOT | {"firmwareVersion": "2.0"})
    odd(engine, station)
    assert days(station) == {("mended_enum", "1.0"): 4, ("mended_enum", "2.0"): 1, ("firmware_changed", "2.0"): 1}


def test_the_day_is_that_of_the_message(network: Network, engine: Engine, station: Station) -> None:
    odd(engine, station, at=timezone.now() - timedelta(days=1))
    odd(engine, station)
    with scopes_disabled():
        assert [(one.day, one.count) for one in FindingDay.objects.filter(station=station, code="mended_enum")] == [
            (today(), 1),
            (today() - timedelta(days=1), 1),
        ]
        assert Finding.objects.get(station=station, code="mended_enum").count == 2


def test_what_else_is_changed_about_a_finding_counts_nothing(network: Network, engine: Engine, station: Station) -> None:
    odd(engine, station)
    with scopes_disabled():
        Finding.objects.filter(station=station).update(detail="Read")
    assert days(station) == {("mended_enum", "1.0"): 1}


def test_what_is_rolled_back_was_not_counted(network: Network, engine: Engine, station: Station) -> None:
    from django.db import transaction

    with scopes_disabled(), transaction.atomic():
        now = timezone.now()
        Finding.objects.create(
            operator=network.operator, station=station, code="clock_ahead", severity="info", first_at=now, last_at=now
        )
        transaction.set_rollback(True)
    assert days(station) == {}


def test_counts_of_days_long_past_are_let_go(network: Network, station: Station) -> None:
    counted(station, "mended_enum", 401, 5)
    counted(station, "mended_enum", 399, 5)
    assert findingdays.let_go(now=timezone.now()) >= 1
    with scopes_disabled():
        assert [one.day for one in FindingDay.objects.filter(station=station)] == [today() - timedelta(days=399)]


# Summing up


@pytest.fixture
def fleet(network: Network, station: Station) -> list[Station]:
    """Three of Alfen with two firmwares, one of FoxESS."""
    make = {"vendor": "Alfen", "model": "Eve"}
    stations = [
        station,
        network.station(firmware_version="1.0", **make),
        network.station(firmware_version="2.0", **make),
        network.station(vendor="FoxESS", model="A022", firmware_version="1.10"),
    ]
    for one in stations[:3]:
        counted(one, "mended_enum", 0, 10)
        counted(one, "mended_enum", 10, 100)
    counted(stations[3], "mended_enum", 20, 1)
    counted(stations[3], "time_without_zone", 1, 7)
    counted(stations[3], "mended_type", 31, 7)
    counted(stations[3], "token_unknown", 0, 7)
    return stations


def rows(network: Network, **asked: Any) -> list[tuple[Any, ...]]:
    with scope(operator=network.operator):
        return [(one.code, *one.key, one.stations, one.week, one.month) for one in quality.rows(Asked(**asked), today())]


def test_rules_stand_by_how_many_stations_break_them(network: Network, fleet: list[Station]) -> None:
    assert rows(network) == [("mended_enum", 4, 30, 331), ("time_without_zone", 1, 7, 7)]
    assert [one[0] for one in rows(network, sort="code")] == ["mended_enum", "time_without_zone"]
    assert rows(network, code="token_unknown") == [("token_unknown", 1, 7, 7)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"group": "model"}, [("mended_enum", "Alfen", "Eve", 3, 30, 330), ("time_without_zone", "FoxESS", "A022", 1, 7, 7)]),
        ({"group": "firmware", "vendor": "Alfen"}, [("mended_enum", "Alfen", "Eve", "1.0", 2, 20, 220)]),
        ({"group": "code", "firmware": "2.0"}, [("mended_enum", 1, 10, 110)]),
        ({"group": "code", "vendor": "Nobody"}, []),
    ],
)
def test_they_are_told_apart_by_make(
    network: Network, fleet: list[Station], asked: dict[str, Any], found: list[tuple[Any, ...]]
) -> None:
    assert [one for one in rows(network, **asked) if one in found] == found
    assert bool(rows(network, **asked)) == bool(found)


def test_the_trend_is_told_day_by_day(network: Network, fleet: list[Station]) -> None:
    with scope(operator=network.operator):
        row = quality.rows(Asked(code="mended_enum"), today())[0]
        whole = quality.trend(Asked(code="mended_enum"), today())
    assert (row.trend[-1], row.trend[-11], row.trend[-21], sum(row.trend)) == (30, 300, 1, 331)
    assert (row.before, row.last, len(whole), dict(whole)[today()]) == (300, today(), 90, 30)


def test_the_stations_of_a_rule_and_its_newest_frames(network: Network, engine: Engine, station: Station) -> None:
    other = network.station(accepted=True)
    odd(engine, station, other, other)
    with scope(operator=network.operator):
        found = quality.stations_of(Asked(code="mended_enum"), today())
        assert [(one["station"], one["times"]) for one in found] == [(other, 2), (station, 1)]
        examples = quality.examples("mended_enum", [one["station"] for one in found])
        first, last = quality.seen("mended_enum", [station, other])
    assert {one.finding.station_id for one in examples} == {station.pk, other.pk}
    assert all(one.message is not None and "noerror" in one.message.call for one in examples)
    assert first is not None
    assert last is not None


def test_a_finding_whose_frame_is_gone_is_told_all_the_same(network: Network, engine: Engine, station: Station) -> None:
    odd(engine, station)
    with scopes_disabled(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM stations_messagelogentry WHERE station_id = %s", [station.pk])
    with scope(operator=network.operator):
        (one,) = quality.examples("mended_enum", [station])
        assert (one.message, one.finding.code) == (None, "mended_enum")
        assert quality.examples("mended_enum", []) == []


def test_nobody_sees_the_findings_of_another_network(network: Network, fleet: list[Station]) -> None:
    other = Network()
    assert rows(other) == []
    with scope(operator=other.operator):
        assert quality.stations_of(Asked(code="mended_enum"), today()) == []


def test_what_is_no_fault_is_named_once() -> None:
    assert len(quality.NO_FAULT) == len(set(quality.NO_FAULT))
