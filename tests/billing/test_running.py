"""What a running session costs where it matters when its energy flowed, and where it does not."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django_scopes import scopes_disabled

from accounts.models import Operator
from billing import tariffs, tasks
from billing.models import ChargeRecord
from billing.tariff import Dimension, Sample, Session, parse, price, prices_at_end
from stations import courses, ports
from stations.models import MeterQuarter, Station, Transaction
from tests.billing import make

CASES = [json.loads(line) for line in (Path(__file__).parent / "cases.jsonl").read_text().splitlines()]
#: A night in Amsterdam in which the clock is put back: three o'clock is two again.
EVENING = datetime(2026, 10, 24, 20, tzinfo=UTC)


def energy(amount: float) -> dict[str, Any]:
    return {"price_components": [{"type": "ENERGY", "price": amount, "step_size": 1}]}


def under(amount: float, **restrictions: Any) -> dict[str, Any]:
    return energy(amount) | {"restrictions": restrictions}


def hours(**restrictions: Any) -> dict[str, Any]:
    return {"price_components": [{"type": "TIME", "price": 6, "step_size": 60}], "restrictions": restrictions}


NIGHT = {"elements": [under(0.1, start_time="02:00", end_time="03:00"), energy(0.4)]}


def has_no_course(case: dict[str, Any]) -> bool:
    session, samples = of(case), list(of(case).samples)
    return not parse(case["body"]["tariff"]).needs_course and bool(samples) and samples[-1].at <= session.end


def of(case: dict[str, Any]) -> Session:
    return make.session(case["body"]["session"])


@pytest.mark.parametrize("case", list(filter(has_no_course, CASES)), ids=lambda case: case["id"])
def test_a_price_that_needs_no_course_is_the_same_without_it(case: dict[str, Any]) -> None:
    tariff, session = parse(case["body"]["tariff"]), of(case)
    samples = list(session.samples)
    ends = (Sample(session.start, Decimal(0)), Sample(session.end, samples[-1].energy_wh))
    assert price(tariff, replace(session, samples=ends)) == price(tariff, session)


@pytest.mark.parametrize(
    ("elements", "needs"),
    [
        ([energy(0.4)], False),
        ([under(0.4, max_kwh=10), energy(0.5)], False),
        ([energy(0.4), hours(min_duration=14400)], False),
        ([hours(start_time="22:00")], False),
        ([under(0.1, start_time="22:00", end_time="06:00"), energy(0.4)], True),
        ([under(0.1, day_of_week=["SUNDAY"]), energy(0.4)], True),
        ([under(0.1, max_duration=3600), energy(0.4)], True),
        ([under(0.4, min_power=50), energy(0.3)], True),
        ([hours(min_kwh=20)], True),
        ([hours(max_current=6)], True),
    ],
)  # fmt: skip
def test_a_tariff_knows_whether_it_matters_when_energy_flowed(elements: list[dict[str, Any]], needs: bool) -> None:
    assert parse({"currency": "EUR", "elements": elements}).needs_course is needs


@pytest.mark.parametrize(
    ("elements", "after", "power_w", "told"),
    [
        (NIGHT["elements"], 3, None, Decimal("0.4")),
        (NIGHT["elements"], 4.5, None, Decimal("0.1")),
        (NIGHT["elements"], 5.5, None, Decimal("0.1")),
        (NIGHT["elements"], 6.5, None, Decimal("0.4")),
        ([under(0.9, min_kwh=5), energy(0.4)], 3, None, Decimal("0.9")),
        ([under(0.9, min_power=50), energy(0.4)], 3, Decimal(60_000), Decimal("0.9")),
        ([under(0.9, min_power=50), energy(0.4)], 3, None, Decimal("0.4")),
    ],
)
def test_the_price_of_now_is_that_which_holds_at_the_end(
    elements: list[dict[str, Any]], after: float, power_w: Decimal | None, told: Decimal
) -> None:
    end = EVENING + timedelta(hours=after)
    samples = (Sample(EVENING, Decimal(0)), Sample(end, Decimal(6000)))
    session = Session(EVENING, end, "Europe/Amsterdam", samples, end)
    found = prices_at_end(parse({"currency": "EUR", "elements": elements}), session, power_w=power_w)
    assert found == {Dimension.ENERGY: (told, None)}


def minutes(count: int, *, every: bool, step: int = 1) -> courses.Course:
    """A reading each so many minutes, each a Wh more."""
    course = courses.Course([], every)
    for n in range(count):
        course.go_on((EVENING + timedelta(minutes=n * step), Decimal(n), None))
    return course


def test_a_course_in_memory_keeps_two_points_a_quarter_and_never_too_many() -> None:
    course = minutes(60, every=False)
    course.go_on((EVENING, Decimal(9), None))
    assert [register for _, register, _ in course.points] == [0, 14, 15, 29, 30, 44, 45, 59]
    points = minutes(2000, every=False, step=60).points
    assert len(points) <= courses.MOST
    assert points[0] == (EVENING, 0, None)
    assert points == sorted(points)


def test_a_course_that_counts_every_reading_keeps_them_until_they_are_too_many_and_then_quarters_of_its_past() -> None:
    assert len(minutes(courses.MOST, every=True).points) == courses.MOST
    registers = [register for _, register, _ in minutes(courses.MOST + 1, every=True).points]
    past = courses.MOST + 1 - courses.NEWEST
    assert registers[:4] == [0, 14, 15, 29]
    assert registers[-courses.NEWEST :] == list(range(past, courses.MOST + 1))
    assert len(minutes(2000, every=True, step=60).points) <= courses.MOST


def quarter(of: Transaction, minutes: int, first: int, last: int) -> None:
    """What the job counts of a quarter that begins so many minutes after the session: readings in its first and last minute."""
    begin = of.started_at + timedelta(minutes=minutes)
    with scopes_disabled():
        MeterQuarter.objects.create(
            operator_id=of.operator_id,
            station_id=of.station_id,
            evse_number=1,
            start=begin,
            samples=2,
            first_at=begin + timedelta(minutes=1),
            last_at=begin + timedelta(minutes=14),
            energy_first_wh=Decimal(first),
            energy_last_wh=Decimal(last),
        )


@pytest.mark.django_db
def test_a_night_in_which_the_clock_is_put_back_costs_what_its_hours_cost(
    amber: Operator, station: Station, django_assert_num_queries: Callable[..., Any]
) -> None:
    tariffs.add_tariff(operator=amber, name="Night", ocpi=NIGHT, is_default=True)
    # From 22:00 local; two o'clock comes after four hours and ends after six.
    session = make.transaction(station, 10_000, status="active", started_at=EVENING, stopped_at=None)
    quarter(session, 0, 1000, 5000)  # 4 kWh in the evening
    quarter(session, 3 * 60 + 45, 5000, 5000)
    quarter(session, 4 * 60, 5000, 7000)  # 2 kWh in the first hour from two to three
    quarter(session, 5 * 60 + 45, 7000, 9000)  # 2 kWh in the second
    quarter(session, 6 * 60, 9000, 11_000)  # 2 kWh after that
    with scopes_disabled():
        Transaction.objects.filter(pk=session.pk).update(
            meter_last_wh=11_000, meter_last_at=EVENING + timedelta(hours=6, minutes=14)
        )
    with time_machine.travel(EVENING + timedelta(hours=8), tick=False):
        ports.running_cost([session])
        with django_assert_num_queries(3):  # the sessions, the version of the prices, the course of all
            assert ports.running_cost([session]) == {session.pk: (Decimal("2.80"), "EUR")}


@pytest.mark.django_db
def test_readings_that_no_quarter_counts_yet_count(amber: Operator, station: Station) -> None:
    tariffs.add_tariff(operator=amber, name="Night", ocpi=NIGHT, is_default=True)
    start = EVENING + timedelta(hours=3, minutes=30)
    session = make.transaction(station, 3000, status="active", started_at=start, stopped_at=None)
    make.sample(session, 29, 3000)
    make.sample(session, 31, 3000)
    make.sample(session, 40, 4000)
    with time_machine.travel(start + timedelta(minutes=45), tick=False):
        assert ports.running_cost([session]) == {session.pk: (Decimal("0.90"), "EUR")}


@pytest.mark.django_db
def test_the_cost_so_far_becomes_that_of_the_record(amber: Operator, station: Station) -> None:
    tariffs.add_tariff(operator=amber, name="Night", ocpi=NIGHT, is_default=True)
    start, end = EVENING + timedelta(hours=3, minutes=30), EVENING + timedelta(hours=4, minutes=30)
    session = make.transaction(station, 6000, status="active", started_at=start, stopped_at=None)
    for minute, register in ((10, 2500), (29, 4100), (31, 4400), (45, 6000)):
        make.sample(session, minute, register)
    with scopes_disabled():
        Transaction.objects.filter(pk=session.pk).update(meter_last_wh=7000, meter_last_at=end)
    with time_machine.travel(end, tick=False):
        so_far = ports.running_cost([session])[session.pk][0]
    with scopes_disabled():
        Transaction.objects.filter(pk=session.pk).update(status="ended", stopped_at=end, meter_stop_wh=7000)
    make.ended([session])
    tasks.make_charge_records()
    with scopes_disabled():
        assert ChargeRecord.objects.get(transaction=session).total_incl_tax == so_far
