"""The tariff engine: worked examples, and what must hold for every session."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.breakdown import explained
from billing.tariff import (
    InvalidSession,
    InvalidTariff,
    NoCurrent,
    NoPrice,
    Reserved,
    Sample,
    Series,
    Session,
    parse,
    price,
    prices_at_end,
)
from tests.billing import make

CASES = [json.loads(line) for line in (Path(__file__).parent / "cases.jsonl").read_text().splitlines()]
START = datetime(2026, 1, 13, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_worked_example_costs_what_it_must(case):
    priced = price(parse(case["body"]["tariff"]), make.session(case["body"]["session"]))
    expect = case["expect"]
    assert priced.currency == expect["currency"]
    assert f"{priced.total_excl_tax}" == expect["total_excl_tax"]
    assert (None if priced.total_incl_tax is None else f"{priced.total_incl_tax}") == expect.get("total_incl_tax")
    lines = {(line.dimension, line.unit, line.price): line for line in priced.lines}
    expected = {(line["dimension"], line["unit"], Decimal(line["price"])): line for line in expect["lines"]}
    assert lines.keys() == expected.keys()
    for key, line in lines.items():
        assert abs(line.volume - Decimal(expected[key]["volume"])) <= Decimal("1e-6")
        assert abs(line.cost_excl_tax - Decimal(expected[key]["cost_excl_tax"])) <= Decimal("1e-6")


def a_tariff(*components, **fields):
    return {"currency": "EUR", "elements": [{"price_components": list(components)}], **fields}


def a_component(kind="ENERGY", amount=0.25, step=1, **fields):
    return {"type": kind, "price": amount, "step_size": step, **fields}


def restricted(**restrictions):
    return {"currency": "EUR", "elements": [{"price_components": [a_component()], "restrictions": restrictions}]}


def a_session(energy_wh=10_000, minutes=60, parked=0):
    end = START + timedelta(minutes=minutes + parked)
    samples = (Sample(START, Decimal(0)), Sample(end, Decimal(energy_wh)))
    return Session(START, end, "Europe/Amsterdam", samples, START + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("limits", "wh", "net", "gross"),
    [
        ({"min_price": {"excl_vat": 5}}, 1000, "5.00", "5.50"),
        ({"min_price": {"excl_vat": 5}}, 0, "5.00", "5.50"),
        ({"min_price": {"excl_vat": 5}}, 9000, "9.00", "9.90"),
        ({"max_price": {"excl_vat": 5}}, 9000, "5.00", "5.50"),
        ({"max_price": {"excl_vat": 5}}, 1000, "1.00", "1.10"),
        ({"max_price": {"excl_vat": 0}}, 1000, "0.00", "0.00"),
        ({"min_price": {"excl_vat": 2}, "max_price": {"excl_vat": 5, "incl_vat": 5.25}}, 9000, "5.00", "5.25"),
        ({"min_price": {"excl_vat": 2, "incl_vat": 2}, "max_price": {"excl_vat": 5}}, 1000, "2.00", "2.00"),
    ],
)
def test_a_limit_that_names_no_price_with_tax_has_the_tax_of_what_was_used(limits, wh, net, gross):
    priced = price(parse(a_tariff(a_component(amount=1, vat=10), **limits)), a_session(energy_wh=wh))
    assert (priced.total_excl_tax, priced.total_incl_tax) == (Decimal(net), Decimal(gross))


def test_of_several_taxes_a_limit_without_one_has_the_share_that_each_cost():
    parts = (a_component(amount=1, vat=10), a_component("FLAT", 3.0, vat=20))
    priced = price(parse(a_tariff(*parts, min_price={"excl_vat": 8})), a_session(energy_wh=1000))
    # 1.00 at 10 and 3.00 at 20 percent: 4.70, and twice of it.
    assert (priced.total_excl_tax, priced.total_incl_tax) == (Decimal("8.00"), Decimal("9.40"))
    _lines, taxes = explained(priced)
    assert [(one["percent"], one["net"], one["tax"]) for one in taxes] == [("10", "2.00", "0.20"), ("20", "6.00", "1.20")]


def test_a_limit_of_a_tariff_without_tax_has_none():
    priced = price(parse(a_tariff(a_component(amount=1), min_price={"excl_vat": 5})), a_session(energy_wh=1000))
    assert (priced.total_excl_tax, priced.total_incl_tax) == (Decimal("5.00"), None)


def test_a_session_without_use_of_a_taxed_tariff_has_a_total_with_tax():
    priced = price(parse(a_tariff(a_component(vat=10), min_price={"excl_vat": 0.5, "incl_vat": 0.55})), a_session(energy_wh=0))
    assert (priced.lines, priced.total_excl_tax, priced.total_incl_tax) == ((), Decimal("0.50"), Decimal("0.55"))


def test_energy_measured_after_the_end_is_not_charged():
    session = a_session(energy_wh=0)
    samples = (Sample(START, Decimal(0)), Sample(session.end + timedelta(hours=1), Decimal(8000)))
    late = Session(session.start, session.end, session.time_zone, samples, session.end)
    assert price(parse(a_tariff(a_component())), late).total_excl_tax == Decimal("1.00")


def test_parking_without_a_price_leaves_the_time_stepped():
    priced = price(parse(a_tariff(a_component("TIME", 3.0, step=900))), a_session(minutes=21, parked=5))
    assert priced.total_excl_tax == Decimal("1.50")


def test_totals_are_in_the_minor_unit_of_the_currency():
    assert f"{price(parse(a_tariff(a_component(amount=31.05), currency='JPY')), a_session()).total_excl_tax}" == "311"


@pytest.mark.parametrize(
    ("tariff", "says"),
    [
        ([], "the tariff must be an object"),
        ({}, "currency must be"),
        ({"currency": "eur", "elements": [{}]}, "currency: 'eur' is not a currency"),
        ({"currency": "EUR", "elements": []}, "elements must be a list"),
        ({"currency": "EUR", "elements": [{}]}, r"elements\[0\].price_components must be a list"),
        (a_tariff("ENERGY"), r"price_components\[0\] must be an object"),
        (a_tariff(a_component("POWER")), r"type must be one of ENERGY, FLAT"),
        (a_tariff(a_component(), a_component()), "two price components of one type"),
        (a_tariff(a_component(amount=None)), "price must be a number"),
        (a_tariff(a_component(amount=-1)), "price must be a number, not negative"),
        (a_tariff(a_component(amount=float("nan"))), "price must be a number"),
        (a_tariff(a_component(amount="1e-999999999")), "price must be a number"),
        (a_tariff(a_component(amount="1e999999999")), "price must be a number"),
        (a_tariff(a_component(amount="0." + "1" * 100_000)), "price must be a number"),
        (a_tariff(a_component(vat="much")), "vat must be a number"),
        (a_tariff(a_component(step=0.5)), "step_size must be a whole number"),
        (a_tariff(a_component(step=-1)), "step_size must be a whole number"),
        (a_tariff(a_component(), min_price={"incl_vat": 1}), "min_price.excl_vat must be a number"),
        (a_tariff(a_component(), max_price=5), "max_price must be an object"),
        (restricted(start_time="24:00"), r"elements\[0\].restrictions.start_time must be a time such as 17:30"),
        (restricted(end_time="9:00"), "end_time must be a time such as 17:30"),
        (restricted(start_time="12+01"), "start_time must be a time such as 17:30"),
        (restricted(start_time="1230Z"), "start_time must be a time such as 17:30"),
        (restricted(end_date="0001-01-01"), "end_date must be a date such as 2026-12-31"),
        (restricted(end_date="9999-12-31"), "end_date must be a date such as 2026-12-31"),
        (restricted(start_date="2026-W01-1"), "start_date must be a date such as 2026-12-31"),
        (a_tariff(a_component(amount="1_000")), "price must be a number"),
        (a_tariff(a_component(price_series=["market"])), "price_series must be the name of a price series"),
        (restricted(start_date="2026-02-30"), "start_date must be a date such as 2026-12-31"),
        (restricted(day_of_week=["Friday"]), "day_of_week must be a list of MONDAY"),
        (restricted(min_kwh=-1), "min_kwh must be a number, not negative"),
        (restricted(max_duration=1.5), "max_duration must be a whole number of seconds"),
        (restricted(reservation="MAYBE"), "reservation must be one of RESERVATION, RESERVATION_EXPIRES"),
        (a_tariff(a_component(price_series="market")), "price_series must be the name of a price series"),
        ({"currency": "EUR", "elements": [{"price_components": [a_component()]}] * 501}, "500 elements at most"),
    ],
)
def test_what_is_no_tariff_is_refused_with_the_place_and_the_reason(tariff, says):
    with pytest.raises(InvalidTariff, match=says):
        parse(tariff)


def test_a_session_that_ends_before_it_starts_is_refused():
    with pytest.raises(InvalidSession, match="must follow each other"):
        price(parse(a_tariff(a_component())), a_session(minutes=-1))


@pytest.mark.parametrize("year", [1, 1899, 3000, 9999])
def test_a_session_that_no_clock_can_tell_is_refused(year):
    start = datetime(year, 1, 1, 12, tzinfo=UTC)
    with pytest.raises(InvalidSession, match="between the years 1900 and 3000"):
        price(parse(restricted(start_time="22:00")), Session(start, start, "America/New_York", (), start))
    waited = replace(a_session(), reserved=Reserved(start, start))
    with pytest.raises(InvalidSession, match="between the years 1900 and 3000"):
        price(parse(restricted(reservation="RESERVATION")), waited)


def test_a_register_that_falls_is_refused():
    falling = (Sample(START, Decimal(10)), Sample(START + timedelta(minutes=1), Decimal(5)))
    with pytest.raises(InvalidSession, match="less energy"):
        price(parse(a_tariff(a_component())), Session(START, START, "UTC", falling, START))


MARKET = Series(
    starts=tuple(START.replace(minute=0) + timedelta(hours=hour) for hour in range(3)),
    prices=(Decimal("0.10"), Decimal("0.30"), Decimal("-0.50")),
    until=START.replace(minute=0) + timedelta(hours=3),
)


def test_a_series_drives_a_price_from_hour_to_hour():
    tariff = parse(a_tariff(a_component(amount=0.05, price_series="market", series_factor=2)), {"market": MARKET})
    priced = price(tariff, a_session(energy_wh=10_000, minutes=60))
    lines = [(line.volume, line.price) for line in priced.lines]
    assert lines == [(Decimal(5), Decimal("0.25")), (Decimal(5), Decimal("0.65"))]


def test_a_price_that_a_market_drives_never_falls_below_nothing():
    tariff = parse(a_tariff(a_component(amount=0.05, price_series="market")), {"market": MARKET})
    late = a_session(energy_wh=9_000, minutes=120)
    assert [line.price for line in price(tariff, late).lines] == [Decimal("0.15"), Decimal("0.35"), Decimal(0)]


def test_an_hour_whose_price_is_not_known_is_not_priced():
    tariff = parse(a_tariff(a_component(price_series="market")), {"market": MARKET})
    with pytest.raises(NoPrice, match="no price for 2026-01-13T17:00"):
        price(tariff, a_session(minutes=180))


BY_CURRENT = {"currency": "EUR", "elements": [
    {"price_components": [a_component(amount=1)], "restrictions": {"min_current": 16}},
    {"price_components": [a_component(amount=0.5)]},
]}  # fmt: skip


def at_currents(*currents: int | None, levels: tuple[int, ...] = (0, 4000, 6000)) -> Session:
    """An hour; the readings stand in equal parts of it."""
    end = START + timedelta(hours=1)
    part = timedelta(hours=1) / (len(levels) - 1)
    told = [None if one is None else Decimal(one) for one in (*currents, *[None] * (len(levels) - len(currents)))]
    samples = [Sample(START + n * part, Decimal(wh), current_a=told[n]) for n, wh in enumerate(levels)]
    return Session(START, end, "UTC", samples, end)


def test_a_restriction_on_current_holds_by_what_each_reading_says():
    assert price(parse(BY_CURRENT), at_currents(16, 10)).total_excl_tax == Decimal("5.00")


def test_what_goes_by_a_current_that_nobody_said_has_no_price():
    with pytest.raises(NoCurrent, match=r"that of 2026-01-13T15:00:00.* is not known"):
        price(parse(BY_CURRENT), at_currents(16))
    with pytest.raises(NoCurrent):
        prices_at_end(parse(BY_CURRENT), at_currents(16))


def test_where_no_energy_flows_there_is_no_current():
    assert price(parse(BY_CURRENT), at_currents(16, levels=(0, 4000, 4000))).total_excl_tax == Decimal("4.00")


def test_a_current_that_does_not_decide_is_not_asked_for():
    elsewhere = {"min_current": 16, "day_of_week": ["SUNDAY"]}
    tariff = {"currency": "EUR", "elements": [{"price_components": [a_component(amount=1)], "restrictions": elsewhere}]}
    assert price(parse(tariff), at_currents()).total_excl_tax == 0


def test_a_place_without_such_a_time_zone_is_refused():
    with pytest.raises(InvalidSession, match="'Atlantis' is no time zone"):
        price(parse(restricted(start_time="10:00")), replace(a_session(), time_zone="Atlantis"))


@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24", "2026-07-01"])
def test_a_window_over_midnight_is_as_long_as_the_clock_of_the_place_says(day):
    zone = ZoneInfo("Europe/Amsterdam")
    evening = datetime.fromisoformat(f"{day}T20:00").replace(tzinfo=zone)
    start, end = evening.astimezone(UTC), (evening + timedelta(hours=16)).astimezone(UTC)
    tariff = parse({"currency": "EUR", "elements": [{
        "price_components": [a_component("TIME", 1, step=0)], "restrictions": {"start_time": "22:00", "end_time": "06:00"}
    }]})  # fmt: skip
    hours = {"2026-03-28": 7, "2026-10-24": 9, "2026-07-01": 8}[day]
    priced = price(tariff, Session(start, end, "Europe/Amsterdam", (), end))
    assert priced.lines[0].volume == hours


# What must hold for every session.

amounts = st.decimals(0, 100, places=4)
percents = st.none() | st.decimals(0, 30, places=2)
steps = st.sampled_from([0, 1, 7, 60, 500, 900])
energies = st.decimals(0, 200_000, places=3)
durations = st.timedeltas(timedelta(0), timedelta(days=3))


@st.composite
def tariffs(draw, step=steps):
    kinds = draw(st.sets(st.sampled_from(["ENERGY", "TIME", "PARKING_TIME", "FLAT"]), min_size=1))
    return parse(a_tariff(*(a_component(kind, draw(amounts), draw(step), vat=draw(percents)) for kind in sorted(kinds))))


hours = st.none() | st.times().map(lambda one: f"{one.hour:02}:{one.minute:02}")
restrictions = st.fixed_dictionaries(
    {},
    optional={
        "start_time": hours,
        "end_time": hours,
        "min_kwh": st.integers(0, 100),
        "max_kwh": st.integers(0, 100),
        "min_duration": st.integers(0, 200_000),
        "max_duration": st.integers(0, 200_000),
        "day_of_week": st.lists(st.sampled_from(["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY"]), max_size=3),
    },
)


@st.composite
def layered(draw, step=steps):
    """Tariffs of several elements, each with restrictions of its own."""
    elements = []
    for within in draw(st.lists(restrictions, min_size=1, max_size=5)):
        kinds = draw(st.sets(st.sampled_from(["ENERGY", "TIME", "PARKING_TIME", "FLAT"]), min_size=1))
        parts = [a_component(kind, draw(amounts), draw(step), vat=draw(percents)) for kind in sorted(kinds)]
        elements.append({"price_components": parts, "restrictions": within})
    return parse({"currency": "EUR", "elements": elements})


def charged(energy_wh, charging, parking):
    charging_end, end = START + charging, START + charging + parking
    return Session(START, end, "UTC", (Sample(START, Decimal(0)), Sample(end, energy_wh)), charging_end)


@given(tariffs() | layered(), energies, durations, durations)
def test_a_price_is_never_negative_and_tax_never_lowers_it(tariff, energy_wh, charging, parking):
    priced = price(tariff, charged(energy_wh, charging, parking))
    assert priced.total_excl_tax >= 0
    assert priced.total_incl_tax is None or priced.total_incl_tax >= priced.total_excl_tax
    assert all(line.volume > 0 and line.cost_excl_tax >= 0 for line in priced.lines)


@given(tariffs() | layered(), energies, durations, durations)
def test_the_lines_sum_to_the_total(tariff, energy_wh, charging, parking):
    priced = price(tariff, charged(energy_wh, charging, parking))
    exact = sum((Fraction(line.cost_excl_tax) for line in priced.lines), Fraction(0))
    # Each line is rounded in its tenth decimal, so the sum may differ from the exact one by so much.
    assert abs(exact - Fraction(priced.total_excl_tax)) <= Fraction(1, 200) + Fraction(len(priced.lines), 10**10)
    for line in priced.lines:
        assert abs(line.volume * line.price - line.cost_excl_tax) < Decimal("1e-7")


@given(tariffs(), energies, energies, durations, durations)
def test_more_energy_never_costs_less(tariff, energy_wh, more_wh, charging, parking):
    less = price(tariff, charged(energy_wh, charging, parking))
    more = price(tariff, charged(energy_wh + more_wh, charging, parking))
    assert more.total_excl_tax >= less.total_excl_tax


@given(tariffs(), energies, durations, durations, durations)
def test_charging_longer_never_costs_less(tariff, energy_wh, charging, longer, parking):
    less = price(tariff, charged(energy_wh, charging, parking))
    more = price(tariff, charged(energy_wh, charging + longer, parking))
    assert more.total_excl_tax >= less.total_excl_tax


# With larger steps the first second of parking may make the time charged before it cheaper (OCPI: only the last is stepped).
@given(tariffs(step=st.just(0)), energies, durations, durations, durations)
def test_parking_longer_never_costs_less(tariff, energy_wh, charging, parking, longer):
    less = price(tariff, charged(energy_wh, charging, parking))
    more = price(tariff, charged(energy_wh, charging, parking + longer))
    assert more.total_excl_tax >= less.total_excl_tax


# In whole seconds and thousandths, so that what lies between is exactly between.
spans = st.integers(0, 259_200).map(lambda seconds: timedelta(seconds=seconds))


@given(tariffs() | layered(), energies, spans, spans, st.lists(st.integers(0, 1000), max_size=8))
def test_splitting_the_samples_never_changes_the_price(tariff, energy_wh, charging, parking, cuts):
    whole = charged(energy_wh, charging, parking)
    between = [Sample(START + (whole.end - START) * cut / 1000, energy_wh * cut / 1000) for cut in sorted(cuts)]
    first, last = whole.samples
    split = Session(START, whole.end, "UTC", (first, *between, last), whole.charging_end)
    assert price(tariff, split) == price(tariff, whole)


@given(layered(step=st.just(0)), energies, durations, durations)
def test_what_is_priced_is_never_more_than_what_was_used(tariff, energy_wh, charging, parking):
    used = {"ENERGY": Fraction(energy_wh) / 1000, "TIME": hours_of(charging), "PARKING_TIME": hours_of(parking), "FLAT": 1}
    priced = dict.fromkeys(used, Fraction(0))
    for line in price(tariff, charged(energy_wh, charging, parking)).lines:
        priced[line.dimension] += Fraction(line.volume)
    assert all(priced[kind] <= used[kind] + Fraction(1, 10**6) for kind in used)


def hours_of(duration):
    return Fraction(duration // timedelta(microseconds=1), 3_600_000_000)
