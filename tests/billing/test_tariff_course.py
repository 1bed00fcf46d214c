"""The course of a session by the clock of its place: days that are longer or shorter, zones, and boundaries met exactly."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.tariff import Reserved, Sample, Session, parse, price

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def hourly(amount: float, kind: str = "TIME", **restrictions: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"price_components": [{"type": kind, "price": amount, "step_size": 0}]}
    return found | ({"restrictions": restrictions} if restrictions else {})


def cost(elements: list[dict[str, Any]], start: datetime, end: datetime, zone: str, **fields: Any) -> Decimal:
    session = Session(**{"start": start, "end": end, "time_zone": zone, "samples": (), "charging_end": end} | fields)
    return price(parse({"currency": "EUR", "elements": elements}), session).total_excl_tax


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 7, 1), 24)])
def test_a_day_told_by_the_clock_of_the_place_is_as_long_as_it_was(day: tuple[int, int, int], hours: int) -> None:
    start = datetime(*day, tzinfo=AMSTERDAM)
    end = start.replace(hour=23, minute=59, second=59, microsecond=999_999)
    assert cost([hourly(1)], start, end, "Europe/Amsterdam") == hours
    energy = (Sample(start, Decimal(0)), Sample(end, Decimal(hours * 1000)))
    # Three hours of ten kWh an hour by the clock: from two to five there are two, four or three.
    night = [hourly(10, "ENERGY", start_time="02:00", end_time="05:00")]
    assert cost(night, start, end, "Europe/Amsterdam", samples=energy) == {23: 20, 25: 40, 24: 30}[hours]


def test_readings_within_the_hour_that_comes_twice_are_in_their_order() -> None:
    first = datetime(2026, 10, 25, 2, 45, tzinfo=AMSTERDAM)
    second = datetime(2026, 10, 25, 2, 15, tzinfo=AMSTERDAM, fold=1)
    samples = (Sample(first, Decimal(1000)), Sample(second, Decimal(2000)))
    start, end = first - timedelta(hours=1), second + timedelta(hours=2)
    assert cost([hourly(1, "ENERGY")], start, end, "Europe/Amsterdam", samples=samples) == 2


def test_a_reservation_through_the_hour_that_comes_twice_is_paid_twice() -> None:
    start, end = datetime(2026, 10, 25, 1, tzinfo=AMSTERDAM), datetime(2026, 10, 25, 4, tzinfo=AMSTERDAM)
    waited = cost([hourly(1, reservation="RESERVATION")], end, end, "Europe/Amsterdam", reserved=Reserved(start, end))
    assert waited == 4


@pytest.mark.parametrize(
    ("zone", "start", "end", "elements", "expected"),
    [
        # Saturday begins at 07:00 UTC in Los Angeles, in summer.
        ("America/Los_Angeles", "2026-07-11T06:00", "2026-07-11T08:00", [hourly(2, day_of_week=["SATURDAY"]), hourly(1)], 3),
        # The eleventh begins at 15:00 UTC of the tenth in Tokyo: an end date is the first day without.
        ("Asia/Tokyo", "2026-07-10T14:00", "2026-07-10T17:00", [hourly(1, end_date="2026-07-11"), hourly(3)], 7),
        ("Asia/Tokyo", "2026-07-10T14:00", "2026-07-10T17:00", [hourly(1, start_date="2026-07-11"), hourly(3)], 5),
        # Cairo goes from 23:59 to 01:00 of Friday, which is at 22:00 UTC: a day without a midnight.
        ("Africa/Cairo", "2026-04-23T21:00", "2026-04-23T23:00", [hourly(2, day_of_week=["FRIDAY"]), hourly(1)], 3),
        ("Africa/Cairo", "2026-04-23T21:00", "2026-04-23T23:00", [hourly(2, start_time="00:30", end_time="06:00"), hourly(1)], 3),
        # Half an hour beside the others.
        ("Asia/Kolkata", "2026-07-10T18:00", "2026-07-10T19:00", [hourly(4, day_of_week=["SATURDAY"]), hourly(2)], 3),
        # A year ends at eleven in the evening, by UTC.
        ("Europe/Amsterdam", "2026-12-31T22:00", "2027-01-01T00:00", [hourly(3, start_date="2027-01-01"), hourly(1)], 4),
    ],
)
def test_days_begin_where_the_clock_of_the_place_says(
    zone: str, start: str, end: str, elements: list[dict[str, Any]], expected: int
) -> None:
    assert cost(elements, utc(start), utc(end), zone) == expected


def test_a_duration_begins_with_its_first_second_and_ends_before_its_last() -> None:
    elements = [hourly(1, max_duration=3600), hourly(2, min_duration=3600, max_duration=7200), hourly(4, min_duration=7200)]
    start = utc("2026-01-13T10:00")
    assert [cost(elements, start, start + timedelta(hours=n), "UTC") for n in range(4)] == [0, 1, 3, 7]
    # One that begins between two readings counts from there, whatever they say.
    energy = [hourly(1, "ENERGY", max_duration=1800), hourly(3, "ENERGY")]
    samples = (Sample(start, Decimal(0)), Sample(start + timedelta(hours=2), Decimal(8000)))
    assert cost(energy, start, start + timedelta(hours=2), "UTC", samples=samples) == 2 + 6 * 3


def test_a_level_of_energy_between_two_readings_is_reached_in_proportion() -> None:
    start, end = utc("2026-01-13T10:00"), utc("2026-01-13T12:00")
    samples = (Sample(start, Decimal(0)), Sample(end, Decimal(8000)))
    # Six kWh are there after an hour and a half: until then the hour costs 1, then 3.
    elements = [hourly(1, max_kwh=6), hourly(3)]
    assert cost(elements, start, end, "UTC", samples=samples) == 3
    assert cost([hourly(1, "ENERGY", max_kwh=6), hourly(2, "ENERGY", min_kwh=6)], start, end, "UTC", samples=samples) == 10
