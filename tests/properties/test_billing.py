"""What always holds of a charge record, whatever the tariff and the session: found by trying what nobody thought of."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django_scopes import scope
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import IdToken, IdTokenGroup
from billing import breakdown, choosing, drafts, services, tariffs, whatif
from billing import tariff as engine
from billing.models import ChargeRecord, TariffAssignment
from billing.seriesmodels import PricePoint, PriceSeries
from stations.models import Transaction
from tests.billing import make
from tests.trying import often

START = datetime(2026, 3, 28, 6, tzinfo=UTC)
CENT = Decimal("0.01")
COMMON = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck)}

prices = st.decimals(0, 20, places=4)
rates = st.sampled_from([None, 0, 7, 19, 25])


@st.composite
def components(draw):
    kinds = draw(st.lists(st.sampled_from(["ENERGY", "TIME", "FLAT", "PARKING_TIME"]), min_size=1, max_size=3, unique=True))
    found = []
    for kind in kinds:
        part = {"type": kind, "price": float(draw(prices)), "step_size": draw(st.sampled_from([0, 1, 60, 900]))}
        rate = draw(rates)
        found.append(part if rate is None else part | {"vat": float(rate)})
    return found


@st.composite
def restrictions(draw):
    which = draw(st.sampled_from(["", "night", "kwh", "long", "sunday", "power"]))
    return {
        "": {},
        "night": {"start_time": "22:00", "end_time": "06:00"},
        "kwh": {"min_kwh": draw(st.sampled_from([1.0, 5.5, 20.0]))},
        "long": {"min_duration": draw(st.sampled_from([600, 3600, 86_400]))},
        "sunday": {"day_of_week": ["SUNDAY"]},
        "power": {"max_power": 11.0},
    }[which]


@st.composite
def tariff_objects(draw, by_power=True):
    elements = []
    for _ in range(draw(st.integers(1, 3))):
        element = {"price_components": draw(components())}
        limits = draw(restrictions())
        if limits and (by_power or "max_power" not in limits):
            element["restrictions"] = limits
        elements.append(element)
    found = {"id": "T", "currency": draw(st.sampled_from(["EUR", "JPY"])), "elements": elements}
    if draw(st.booleans()):
        least = draw(st.integers(0, 500))
        found["min_price"] = {"excl_vat": least / 100, "incl_vat": round(least * 1.19) / 100}
    if draw(st.booleans()):
        most = draw(st.integers(500, 9000))
        found["max_price"] = {"excl_vat": most / 100, "incl_vat": round(most * 1.19) / 100}
    return found


@st.composite
def courses(draw):
    """The length of a session, and the energy that had flowed at some moments of it."""
    minutes = draw(st.integers(0, 3 * 24 * 60))
    moments = sorted(draw(st.sets(st.integers(0, minutes), max_size=8)) | {minutes})
    rises = draw(st.lists(st.integers(0, 40_000), min_size=len(moments), max_size=len(moments)))
    levels = [sum(rises[: place + 1]) for place in range(len(rises))]
    return minutes, list(zip(moments, levels, strict=True))


def session(course, *, between=()):
    minutes, known = course
    end = START + timedelta(minutes=minutes)
    points = [(0, 0), *known]
    more = sorted([*points, *between])
    samples = [engine.Sample(START + timedelta(minutes=float(at)), Decimal(str(wh))) for at, wh in more]
    return engine.Session(start=START, end=end, time_zone="Europe/Amsterdam", samples=samples, charging_end=end)


def halves(course):
    """Readings in the middle of two others, on the line between them."""
    points = [(0, 0), *course[1]]
    return [((a + b) / 2, (v + w) / 2) for (a, v), (b, w) in itertools.pairwise(points) if b > a]


@settings(max_examples=often(200), **COMMON)
@given(tariff_objects(), courses())
def test_a_price_is_never_negative_and_its_lines_and_taxes_sum_to_it(body, course) -> None:
    priced = engine.price(engine.parse(body), session(course))
    gross = priced.total_excl_tax if priced.total_incl_tax is None else priced.total_incl_tax
    lines, taxes = breakdown.explained(priced)
    assert priced.total_excl_tax >= 0
    assert gross >= 0
    assert all(Decimal(line["volume"]) >= 0 for line in lines)
    costs = sum((Decimal(line["cost_excl_tax"]) for line in lines), Decimal(0))
    unit = Decimal(1) if body["currency"] == "JPY" else CENT
    assert abs(costs - priced.total_excl_tax) <= unit / 2 + len(lines) * Decimal("1e-10")
    assert sum((Decimal(one["net"]) for one in taxes), Decimal(0)) == priced.total_excl_tax or not taxes
    assert sum((Decimal(one["tax"]) for one in taxes), Decimal(0)) == gross - priced.total_excl_tax or not taxes
    assert taxes or not (priced.total_excl_tax or gross)
    assert {
        Decimal(line["vat_percent"] or 0) for line in lines if line["dimension"] not in (breakdown.MINIMUM, breakdown.MAXIMUM)
    } <= {Decimal(one["percent"]) for one in taxes}


@settings(max_examples=often(100), **COMMON)
@given(tariff_objects(by_power=True), courses())
def test_more_readings_on_the_way_change_no_price(body, course) -> None:
    applied = engine.parse(body)
    assert engine.price(applied, session(course)) == engine.price(applied, session(course, between=halves(course)))


@settings(max_examples=often(100), **COMMON)
@given(tariff_objects(), courses())
def test_where_the_course_makes_no_difference_the_readings_in_between_are_not_needed(body, course) -> None:
    applied = engine.parse(body)
    if not applied.needs_course:
        minutes, known = course
        assert engine.price(applied, session(course)) == engine.price(applied, session((minutes, known[-1:])))


@settings(max_examples=often(100), **COMMON)
@given(tariff_objects(), courses())
def test_a_credit_takes_back_exactly_what_its_charge_is(body, course) -> None:
    priced = engine.price(engine.parse(body), session(course))
    lines, taxes = breakdown.explained(priced)
    for rows, names in ((lines, drafts.OF_LINES), (taxes, drafts.OF_TAXES)):
        for row, back in zip(rows, breakdown.negated(rows, *names), strict=True):
            assert all(Decimal(row[name]) + Decimal(back[name]) == 0 for name in names)
            assert {name: row[name] for name in row.keys() - set(names)} == {name: back[name] for name in row.keys() - set(names)}


@settings(max_examples=8, **COMMON)
@given(st.lists(st.integers(-100, 900), min_size=73, max_size=73), courses(), st.sampled_from(["group", "driver", "tag", "ad_hoc"]))
def test_the_what_if_of_a_session_is_what_its_charge_record_says_also_under_a_market(place, prices, course, who) -> None:
    """Of one whose id tag is in another group since: its record goes by what was noted, and is asked under that tariff."""
    minutes, known = course
    operator = place.operator
    with scope(operator=operator):
        series, _new = PriceSeries.objects.get_or_create(operator=operator, name="Day-ahead")
        series.points.all().delete()
        hours = (START + timedelta(hours=hour) for hour in range(73))
        points = (PricePoint(operator=operator, series=series, start=at, price=p) for at, p in zip(hours, prices, strict=True))
        PricePoint.objects.bulk_create(points)
        fleet, other = (IdTokenGroup.objects.get_or_create(operator=operator, name=name)[0] for name in ("Fleet", "Other"))
        card, _new = IdToken.objects.get_or_create(operator=operator, key="CARD", defaults={"value": "CARD", "group": other})
        applied = {}
        for audience in ("group", "drivers", "", "ad_hoc"):
            part = {"type": "ENERGY", "price": len(audience) / 10, "vat": 19.0, "step_size": 1, "price_series": "Day-ahead"}
            ocpi = {"elements": [{"price_components": [part]}]}
            made = applied[audience] = tariffs.add_tariff(operator=operator, name="T", ocpi=ocpi)
            TariffAssignment.objects.filter(operator=operator, audience=audience).delete()
            tariffs.assign(tariff=made, audience=audience, group=fleet if audience == "group" else None)
        noted = {"payer": "tag" if who == "group" else who, "payer_group": fleet.pk if who == "group" else None}
        end = START + timedelta(minutes=minutes)
        t = make.transaction(place, known[-1][1], started_at=START, stopped_at=end, id_token=card, **noted)
        for at, wh in known[:-1]:
            if 0 < at < minutes:
                make.sample(t, at, 1000 + wh)
        assert services.make_charge_record(transaction_id=t.pk)
        record = ChargeRecord.objects.select_related("version").get(transaction=t)
        assert record.tariff == applied[{"driver": "drivers", "tag": ""}.get(who, who)]
        t = Transaction.objects.select_related("station__site").get(pk=t.pk)
        said = whatif.priced(choosing.as_ocpi(record.version), whatif.past(t), operator_id=operator.pk)
        assert (record.total_excl_tax, record.lines, record.taxes) == (said.total_excl_tax, *breakdown.explained(said))


@pytest.fixture
def place(db):
    return make.station(make.operator())


@settings(max_examples=often(25), **COMMON)
@given(tariff_objects(by_power=False), courses())
def test_the_what_if_of_a_session_is_what_its_charge_record_says(place, body, course) -> None:
    """The described session, priced as the API's what-if does, and the stored one, priced by the job with the others."""
    body = {name: value for name, value in body.items() if name != "currency"}
    minutes, known = course
    with scope(operator=place.operator):
        applied = tariffs.add_tariff(operator=place.operator, name="T", ocpi=body, is_default=True)
        rows = make.transactions(
            place,
            [known[-1][1]] * 2,
            started_at=START,
            stopped_at=START + timedelta(minutes=minutes),
            start_key=None,
        )
        for t in rows:
            for at, wh in known[:-1]:
                if 0 < at < minutes:
                    make.sample(t, at, 1000 + wh)
        assert services.make_charge_records(transaction_ids=[t.pk for t in rows]) == {t.pk: True for t in rows}
        first, second = ChargeRecord.objects.order_by("-pk")[:2]
        told = [*(one for one in known[:-1] if one[0] > 0), known[-1]]
        said = engine.price(engine.parse({"currency": "EUR"} | body), session((minutes, told)))
        lines, taxes = breakdown.explained(said)
        for record in (first, second):
            assert (record.total_excl_tax, record.lines, record.taxes) == (said.total_excl_tax, lines, taxes)
            assert record.total_incl_tax == (said.total_excl_tax if said.total_incl_tax is None else said.total_incl_tax)
            assert record.tariff_id == applied.pk
