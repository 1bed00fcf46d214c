"""Quarters of an hour and days, from samples that come late, in any order, or are gone already."""

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import connection
from django_scopes import scopes_disabled

from stations import tasks
from stations.models import MeterDay, MeterQuarter, MeterSample, QuarterDue, Site, Station
from stations.services import quarters
from tests import v16
from tests.engine import Engine
from tests.network import Network

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


@pytest.fixture
def no_scope() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture(autouse=True)
def looked_at(no_scope: None, committed: None) -> None:
    """There is a row of progress, also after a test that emptied the database."""
    tasks.count_quarters()


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True)


def sample(station: Station, minute: float, register_wh: float | None = None, **fields: Any) -> MeterSample:
    """A sample so many minutes after noon, received long enough ago to be counted."""
    given = {"evse_number": 1, "at": NOON + timedelta(minutes=minute), "context": "Sample.Periodic", "energy_wh": register_wh}
    return MeterSample.objects.create(operator=station.operator, station=station, **(given | fields))


def settle() -> None:
    """What was written until now counts as received a minute ago, and was not looked at yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE stations_metersample SET received_at = received_at - interval '1 minute'"
            " WHERE received_at > now() - interval '50 seconds'"
        )
        cursor.execute("UPDATE stations_meterprogress SET received_until = LEAST(received_until, now() - interval '2 minutes')")


def counted(station: Station, evse: int = 1) -> list[MeterQuarter]:
    settle()
    tasks.count_quarters()
    return list(MeterQuarter.objects.filter(station=station, evse_number=evse).order_by("start"))


def days(station: Station) -> list[MeterDay]:
    return list(MeterDay.objects.filter(station=station).order_by("day"))


def test_a_quarter_says_what_its_samples_said(station: Station) -> None:
    sample(station, 0, 1000, power_w=6000, soc_percent=50)
    sample(station, 5, 1500, power_w=9000, soc_percent=52)
    sample(station, 14.9, 2400, power_w=None, soc_percent=None)
    sample(station, 3, 77, evse_number=2)
    (one,) = counted(station)
    assert (one.start, one.samples, one.first_at, one.last_at) == (NOON, 3, NOON, NOON + timedelta(minutes=14.9))
    assert (one.power_mean_w, one.power_max_w, one.soc_last_percent) == (7500, 9000, 52)
    assert (one.energy_first_wh, one.energy_last_wh, one.energy_wh) == (1000, 2400, 1400)
    assert one.operator_id == station.operator_id
    (other,) = counted(station, evse=2)
    assert (other.samples, other.energy_first_wh, other.energy_wh, other.power_mean_w) == (1, 77, None, None)


def test_energy_between_quarters_is_lost_to_none_of_them(station: Station) -> None:
    """A station that reads its meter every quarter of an hour has one sample in each."""
    for number, register in enumerate((1000, 3500, 6000, 8500)):
        sample(station, 15 * number, register)
    assert [one.energy_wh for one in counted(station)] == [None, 2500, 2500, 2500]
    (day,) = days(station)
    assert (day.energy_first_wh, day.energy_last_wh, day.energy_wh, day.samples) == (1000, 8500, 7500, 4)


def test_a_register_that_drops_out_or_begins_anew_makes_no_energy(station: Station) -> None:
    for minute, register in ((0, 9000), (5, 0), (10, 9100), (20, 0), (31, 9300), (200, 5), (210, 25)):
        sample(station, minute, register)
    assert [one.energy_wh for one in counted(station)] == [100, None, 200, None, 20]


def test_samples_that_come_late_are_counted_in_whatever_their_ids(station: Station) -> None:
    sample(station, 14, 3000, id=9_000_000_000)
    sample(station, 16, 3200)
    first, second = counted(station)
    assert (first.samples, first.energy_wh, second.energy_wh) == (1, None, 200)
    sample(station, 1, 1000, id=1, power_w=5000)  # from a queue, with an id of an old block
    sample(station, 15, 3100)
    first, second = counted(station)
    assert (first.samples, first.energy_wh, first.power_mean_w) == (2, 2000, 5000)
    assert (second.samples, second.energy_first_wh, second.energy_wh) == (2, 3100, 200)
    (day,) = days(station)
    assert (day.samples, day.energy_wh) == (4, 2200)


def test_what_fills_a_sample_is_seen_as_what_makes_one(engine: Engine, network: Network, station: Station) -> None:
    energy, power = v16.meters(1500, 300), v16.meters(None, 300, Power_Active_Import="7000")
    power["meterValue"][0]["timestamp"] = energy["meterValue"][0]["timestamp"]
    engine.say(station, "MeterValues", energy)
    (first,) = network.samples(station)
    assert [one.power_max_w for one in counted(station)] == [None]
    engine.say(station, "MeterValues", power)
    (filled,) = network.samples(station)
    assert first.received_at is not None
    assert filled.received_at > first.received_at
    assert [one.power_max_w for one in counted(station)] == [7000]


def test_counting_twice_changes_nothing(station: Station) -> None:
    sample(station, 0, 1000)
    sample(station, 10, 2000)
    before = [(one.pk, one.samples, one.energy_wh) for one in counted(station)]
    assert [(one.pk, one.samples, one.energy_wh) for one in counted(station)] == before
    assert not QuarterDue.objects.filter(station=station).exists()


def test_what_is_not_committed_yet_is_waited_for(station: Station) -> None:
    """A batch that took its time: rows received after its own were counted long ago."""
    connection.ensure_connection()
    with psycopg.connect(connection.connection.info.dsn, password=connection.connection.info.password) as slow:
        slow.execute(
            "INSERT INTO stations_metersample (operator_id, station_id, evse_number, at, context, energy_wh)"
            " VALUES (%s, %s, 1, %s, 'Sample.Periodic', 5)",
            (station.operator_id, station.pk, NOON),
        )
        began = slow.execute("SELECT now()").fetchone()
        tasks.count_quarters()
        with connection.cursor() as cursor:
            cursor.execute("SELECT received_until FROM stations_meterprogress")
            assert began is not None
            assert cursor.fetchone()[0] < began[0]
        slow.commit()
    (one,) = counted(station)
    assert one.samples == 1


def test_a_quarter_whose_samples_are_gone_stays_as_it_was(station: Station) -> None:
    for minute in range(15):
        sample(station, minute, 1000 + minute)
    counted(station)
    MeterSample.objects.filter(station=station, at__gt=NOON + timedelta(minutes=2)).delete()
    sample(station, 1.5, 1001)
    (one,) = counted(station)
    assert (one.samples, one.energy_wh) == (15, 14)
    MeterSample.objects.filter(station=station).delete()
    sample(station, 7, 5)
    (one,) = counted(station)
    assert (one.samples, one.energy_last_wh) == (15, 1014)
    assert days(station)[0].samples == 15


@pytest.mark.parametrize(
    ("zone", "days_expected"),
    [("UTC", [date(2026, 11, 3)]), ("Asia/Tokyo", [date(2026, 11, 3), date(2026, 11, 4)]), ("Mars/Olympus", [date(2026, 11, 3)])],
)
def test_a_day_is_one_of_the_sites_time_zone(network: Network, station: Station, zone: str, days_expected: list[date]) -> None:
    site = Site.objects.create(operator=network.operator, name=zone, time_zone=zone)
    Station.objects.filter(pk=station.pk).update(site=site)
    for minute, register in ((170, 1000), (179, 1900), (181, 2100), (190, 3000)):
        sample(station, minute, register)
    counted(station)
    assert [one.day for one in days(station)] == days_expected
    assert sum(one.energy_wh or Decimal(0) for one in days(station)) == 2000


def test_a_run_that_is_killed_goes_on_where_it_was(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    for minute in range(0, 150, 15):
        sample(station, minute, minute)
        sample(station, minute + 1, minute + 1)
    monkeypatch.setattr(quarters, "CHUNK", 3)
    runs = itertools.count()
    renew = quarters._renew

    def killed(*args: Any, **kwargs: Any) -> Any:
        if next(runs) == 2:
            raise KeyboardInterrupt
        return renew(*args, **kwargs)

    settle()
    monkeypatch.setattr(quarters, "_renew", killed)
    with pytest.raises(KeyboardInterrupt):
        tasks.count_quarters()
    assert MeterQuarter.objects.filter(station=station).count() < 10
    monkeypatch.setattr(quarters, "_renew", renew)
    tasks.count_quarters()
    found = list(MeterQuarter.objects.filter(station=station).order_by("start"))
    assert [one.samples for one in found] == [2] * 10
    assert sum(one.energy_wh or Decimal(0) for one in found) == 136


def test_two_runs_at_once_do_no_harm(station: Station) -> None:
    sample(station, 0, 1000)
    settle()
    with psycopg.connect(connection.connection.info.dsn, password=connection.connection.info.password) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (quarters.LOCK,))
        assert tasks.count_quarters() == 0
    assert len(counted(station)) == 1


def test_samples_from_before_there_was_a_receipt_are_counted_going_back(station: Station) -> None:
    for back in (0, 3, 40, 200):
        sample(station, -back * 24 * 60, 1000, received_at=None)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE stations_meterprogress SET back_to = now() + interval '2 days'")
    tasks.count_quarters()
    assert len(counted(station)) == 4
