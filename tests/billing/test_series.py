"""Prices that a market makes: kept, joined into tariffs, waited for, and let go of."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from billing import corrections, pricepoints, rebilling, selectors, sentences, series, tariffs, tasks
from billing import tariff as engine
from billing.models import ChargeRecord, PriceList
from billing.seriesmodels import PricePoint, PriceSeries
from stations.models import OutboxEntry, Transaction
from tests.billing import make

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def then():
    """Shortly after the sessions of the builders."""
    with time_machine.travel(make.START + timedelta(hours=3), tick=False):
        yield


@pytest.fixture
def market(amber):
    return pricepoints.add_series(operator=amber, name="Day-ahead")


def following(plus=0.05, **more):
    one = {"type": "ENERGY", "price": plus, "vat": 25, "step_size": 1, "price_series": "Day-ahead"}
    return {"elements": [{"price_components": [one | more]}]}


@pytest.fixture
def followed(amber, market):
    return tariffs.add_tariff(operator=amber, name="Market", ocpi=following(), is_default=True)


def points(*prices, start=make.START, step=HOUR):
    return [(start + place * step, Decimal(price)) for place, price in enumerate(prices) if price is not None]


def records():
    with scopes_disabled():
        return list(ChargeRecord.objects.order_by("pk"))


def waiting():
    with scopes_disabled():
        return list(OutboxEntry.objects.filter(subscriber="billing"))


def test_each_hour_of_a_session_has_its_price(amber, station, market, followed):
    pricepoints.fill(series=market, points=points(100, 200))
    # 10 kWh in two hours, evenly: 5 at 0.10 + 0.05, 5 at 0.20 + 0.05.
    made = make.transaction(station, stopped_at=make.START + 2 * HOUR)
    make.ended([made])
    tasks.make_charge_records()
    (record,) = records()
    assert {(line["price"], line["volume"]) for line in record.lines} == {("0.15", "5"), ("0.25", "5")}
    assert record.total_excl_tax == Decimal("2.00")
    assert record.total_incl_tax == Decimal("2.50")


@pytest.fixture
def billed(station, market, followed):
    """10 kWh in two hours, evenly: 5 at 0.10 + 0.05, 5 at 0.20 + 0.05. Then the market's prices of these hours are others."""
    pricepoints.fill(series=market, points=points(100, 200))
    made = make.transaction(station, stopped_at=make.START + 2 * HOUR)
    told_again(made)
    pricepoints.fill(series=market, points=points(1000, 2000, 3000))
    return made


def told_again(one, **values):
    with scopes_disabled():
        Transaction.objects.filter(pk=one.pk).update(**values)
    make.ended([one])
    tasks.make_charge_records()


def totals():
    return [record.total_excl_tax for record in records()]


def test_a_session_told_again_as_it_was_keeps_its_price_when_the_market_has_another(billed):
    told_again(billed)
    assert totals() == [Decimal("2.00")]


def test_what_comes_late_is_priced_by_what_the_market_said_then(billed):
    make.sample(billed, 60, 1000 + 8000)
    told_again(billed)
    # 8 at 0.10 + 0.05, 2 at 0.20 + 0.05.
    assert totals() == [Decimal("2.00"), Decimal("-2.00"), Decimal("1.70")]
    first, credit, second = records()
    assert first.market == credit.market == second.market
    assert first.market["Day-ahead"]["prices"] == ["0.1", "0.2"]
    told_again(billed, meter_stop_wh=Decimal(13_000), energy_wh=Decimal(12_000))
    assert totals()[3:] == [Decimal("-1.70"), Decimal("2.20")]


def test_an_hour_that_a_session_is_told_of_late_has_the_price_of_now_and_the_others_theirs(billed, market):
    until = make.START + 3 * HOUR
    make.sample(billed, 120, 1000 + 10_000)
    told_again(billed, stopped_at=until, meter_stop_wh=Decimal(12_000), energy_wh=Decimal(11_000))
    # 1 more, at 3.00 + 0.05.
    assert totals()[1:] == [Decimal("-2.00"), Decimal("5.05")]
    pricepoints.fill(series=market, points=points(1, 2, 3))
    told_again(billed, stopped_at=until)
    assert len(totals()) == 3


def test_what_would_be_made_of_a_session_is_what_is_made(billed, amber):
    times = {"started_at": make.START, "stopped_at": make.START + 2 * HOUR}
    with scope(operator=amber):
        assert selectors.would_cost(billed, energy_wh=Decimal(20_000), **times) == (Decimal("5.00"), "EUR")
    told_again(billed, meter_stop_wh=Decimal(21_000), energy_wh=Decimal(20_000))
    assert records()[-1].total_incl_tax == Decimal("5.00")


def test_what_applied_stays_when_the_market_s_prices_were_let_go_of(billed, amber):
    with scope(operator=amber):
        PricePoint.objects.all().delete()
    told_again(billed, meter_stop_wh=Decimal(21_000), energy_wh=Decimal(20_000))
    assert totals()[1:] == [Decimal("-2.00"), Decimal("4.00")]


@pytest.mark.parametrize("pricing", [corrections.SAME, corrections.ASSIGNED])
def test_whoever_prices_a_record_anew_has_the_market_s_prices_of_now(billed, amber, pricing):
    (record,) = records()
    with scope(operator=amber):
        corrections.correct(record=record, reason="The market was read wrong", pricing=pricing)
    # 5 at 1.00 + 0.05, 5 at 2.00 + 0.05.
    assert totals()[1:] == [Decimal("-2.00"), Decimal("15.50")]
    told_again(billed)
    assert len(totals()) == 3


def test_many_priced_anew_have_the_market_s_prices_of_now(billed, followed):
    span = {"since": make.START, "until": make.START + HOUR}
    row = rebilling.plan(operator=followed.operator, token="t1", tariff=followed, reason="The market was read wrong", **span)
    tasks.advance_rebillings()
    assert rebilling.start(rebilling=row)
    tasks.advance_rebillings()
    assert totals()[1:] == [Decimal("-2.00"), Decimal("15.50")]


def test_sessions_of_one_time_have_each_the_prices_that_applied_to_it(billed, station):
    other = make.transaction(station, stopped_at=make.START + 2 * HOUR)
    told_again(other)
    assert totals() == [Decimal("2.00"), Decimal("15.50")]
    more = {"meter_stop_wh": Decimal(21_000), "energy_wh": Decimal(20_000)}
    with scopes_disabled():
        Transaction.objects.filter(pk__in=[billed.pk, other.pk]).update(**more)
    make.ended([other, billed])
    tasks.make_charge_records()
    assert sorted(totals()[2:]) == [Decimal("-15.50"), Decimal("-2.00"), Decimal("4.00"), Decimal("31.00")]


def test_a_session_without_length_has_the_price_of_its_moment(station, market, followed):
    pricepoints.fill(series=market, points=points(100, 200))
    told_again(make.transaction(station, 1000, stopped_at=make.START))
    (record,) = records()
    assert (record.total_excl_tax, record.market["Day-ahead"]["prices"]) == (Decimal("0.15"), ["0.1"])


def test_what_no_market_drives_notes_no_prices(station, tariff):
    told_again(make.transaction(station))
    assert [record.market for record in records()] == [{}]


def test_a_price_below_nothing_costs_nothing(amber, station, market):
    tariffs.add_tariff(operator=amber, name="Bare", ocpi=following(0), is_default=True)
    pricepoints.fill(series=market, points=points("-30"))
    make.ended([make.transaction(station)])
    tasks.make_charge_records()
    assert [record.total_incl_tax for record in records()] == [0]


def test_a_session_without_a_price_waits_and_is_billed_when_the_price_comes(amber, station, market, followed):
    pricepoints.fill(series=market, points=points(100))
    make.ended([make.transaction(station, stopped_at=make.START + 2 * HOUR)])
    tasks.make_charge_records()
    assert records() == []
    (entry,) = waiting()
    assert "no price for 2026-11-02T09:00:00" in entry.error
    assert entry.due_at > timezone.now()
    pricepoints.fill(series=market, points=points(100, 200))
    (woken,) = waiting()
    assert woken.due_at <= timezone.now()
    tasks.make_charge_records()
    assert [record.total_excl_tax for record in records()] == [Decimal("2.00")]


def test_what_runs_without_a_price_has_no_cost_yet(amber, station, market, followed, django_assert_num_queries):
    running = make.transactions(station, [4000, 6000], status="active", stopped_at=None)
    with scope(operator=amber):
        assert selectors.running_cost(running) == {}
        pricepoints.fill(series=market, points=points(100, 100, 100, 100))
        with django_assert_num_queries(9):
            costs = selectors.running_cost(running)
        with django_assert_num_queries(3):  # the sessions, the version of the prices, the course of all
            assert selectors.running_cost(running) == costs
    assert costs == {running[0].pk: (Decimal("0.75"), "EUR"), running[1].pk: (Decimal("1.13"), "EUR")}


def test_a_gap_is_no_price(market):
    found = series.as_series(market, points(100, None, 300))
    assert found.at(make.START) == Decimal("0.1")
    assert found.at(make.START + 2 * HOUR) == Decimal("0.3")
    for at in (make.START - HOUR, make.START + HOUR, make.START + 3 * HOUR):
        with pytest.raises(engine.NoPrice):
            found.at(at)
    assert series.gaps(market, [at for at, _ in points(1, None, 3)]) == [(make.START + HOUR, make.START + 2 * HOUR)]


def test_only_what_a_session_needs_is_read_and_once(amber, market, django_assert_num_queries):
    pricepoints.fill(series=market, points=points(*range(100, 140), start=make.START - 20 * HOUR))
    known = series.Market()
    body = {"currency": "EUR"} | following()
    with django_assert_num_queries(2):
        wide = known.joined(amber.pk, body, make.START, make.START + 5 * HOUR)
        small = known.joined(amber.pk, body, make.START + HOUR, make.START + 2 * HOUR)
    steps = [component.series for tariff in (wide, small) for component in tariff.elements[0].components]
    assert [len(one.starts) for one in steps] == [5, 1]
    assert steps[1].at(make.START + HOUR) == Decimal("0.121")


def test_what_running_sessions_need_is_read_for_whole_days_and_never_too_much(amber, market, django_assert_num_queries):
    pricepoints.fill(series=market, points=points(*range(100, 148), start=make.START - 8 * HOUR))
    known = series.followed(amber.pk, {"currency": "EUR"} | following())
    with django_assert_num_queries(2):
        known.during(make.START, make.START + HOUR)
    with django_assert_num_queries(0):
        (component,) = known.during(make.START - 7 * HOUR, make.START + 99 * HOUR).elements[0].components
    assert component.series.at(make.START) == Decimal("0.108")
    with django_assert_num_queries(2):
        known.during(make.START - 9 * HOUR, make.START)
    with django_assert_num_queries(0), pytest.raises(engine.NoPrice):
        known.during(make.START - series.LONGEST - 9 * HOUR, make.START)
    with time_machine.travel(make.START + 50 * HOUR, tick=False):
        with django_assert_num_queries(2):
            known.during(make.START - 9 * HOUR, make.START + 50 * HOUR)
        with django_assert_num_queries(0):
            known.during(make.START, make.START + 50 * HOUR)
    assert (
        series.followed(amber.pk, {"currency": "EUR", "elements": [{"price_components": [{"type": "FLAT", "price": 1}]}]}) is None
    )


def test_prices_that_come_are_another_version_of_the_price_list(amber, market):
    def version():
        with scopes_disabled():
            return PriceList.objects.get(operator=amber).version

    pricepoints.fill(series=market, points=points(100, 200))
    first = version()
    pricepoints.fill(series=market, points=points(100, 200))
    assert version() == first, "the same ones again"
    pricepoints.fill(series=market, points=points(100, 250))
    assert version() != first


def test_the_same_prices_again_change_nothing_and_others_take_their_place(amber, market):
    assert pricepoints.fill(series=market, points=points(100, 200)) == pricepoints.Filled(2, 0, 0)
    assert pricepoints.fill(series=market, points=points(100, 200)) == pricepoints.Filled(0, 0, 2)
    assert pricepoints.fill(series=market, points=points(100, 250, 300)) == pricepoints.Filled(1, 1, 1)
    with scope(operator=amber):
        assert [point.price for point in market.points.order_by("start")] == [100, 250, 300]
        assert AuditEntry.objects.filter(action="price_series.filled").count() == 2


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "no price in it"),
        ([(make.START + timedelta(minutes=15), Decimal(1))], "a multiple of 60 minutes"),
        ([(make.START + timedelta(microseconds=1), Decimal(1))], "a multiple of 60 minutes"),
        ([(make.START, Decimal(1)), (make.START, Decimal(2))], "two different prices"),
        ([(make.START + HOUR, Decimal("1.000001"))], "5 decimals"),
        ([(make.START + HOUR, Decimal(1_000_000))], "below a million"),
        ([(datetime(1999, 1, 1, tzinfo=UTC), Decimal(1))], "too long ago"),
        ([(datetime(2099, 1, 1, tzinfo=UTC), Decimal(1))], "too far ahead"),
        ([(make.START, Decimal(1))] * (pricepoints.MOST_POINTS + 1), "prices at most at once"),
    ],
)
def test_what_is_no_price_of_the_series_is_refused_and_nothing_is_kept(amber, market, given, says):
    with pytest.raises(ValidationError, match=says):
        pricepoints.fill(series=market, points=[*points(100), *given] if given else [])
    with scope(operator=amber):
        assert not PricePoint.objects.exists()


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("start,price\n2026-11-02T08:00:00Z,84.20\n", "84.20"),
        ("2026-11-02T08:00:00Z,-0.5\n\n", "-0.5"),
        ("Zeit;Preis\n2026-11-02T09:00:00+01:00;84,2\n", "84.2"),
        ("\ufeff2026-11-02 08:00\t84.2", "84.2"),
    ],
)
def test_a_file_is_read_as_programs_write_it(text, price):
    assert pricepoints.read_csv(text.encode()) == [(make.START, Decimal(price))]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"start,price\n2026-11-02T08:00:00Z,dear\n", "Line 2: “dear” is no price"),
        (b"start,price\nyesterday,1\n", 'Line 2: "yesterday" is not a date'),
        (b"start,price\n2026-11-02T08:00:00Z\n", "Line 2: a time and a price"),
        (b"start,price\n2026-11-02T08:00:00Z,NaN\n", "is no price"),
        (b"\xff\xfe", "not UTF-8"),
        (b'start,price\n"' + b"2026-11-02T08:00:00Z,1\n" * 9_000, "this is no CSV"),
        (b"x" * 1_000_001, "too large"),
    ],
)
def test_a_file_that_is_none_is_refused_line_by_line(content, says):
    with pytest.raises(ValidationError) as refused:
        pricepoints.read_csv(content)
    assert says in " ".join(refused.value.messages)


def test_a_tariff_follows_a_series_of_its_own_network_and_currency_only(amber, market):
    cobalt = make.operator("Cobalt Charge")
    kroner = {"currency": "DKK"}
    for operator, more in ((cobalt, {}), (amber, kroner)):
        with pytest.raises(ValidationError, match="price series"):
            tariffs.add_tariff(operator=operator, name="Market", ocpi=following(), **more)
    for kind in ("TIME", "FLAT"):
        with pytest.raises(ValidationError, match="Only the price of energy"):
            tariffs.add_tariff(operator=amber, name="Market", ocpi=following(type=kind))


def test_its_sentence_says_that_the_market_decides(amber, followed):
    with scopes_disabled():
        read = series.parse({"currency": "EUR"} | followed.versions.get().ocpi)
    assert sentences.sentence(read) == "the market's price plus 0.0625\u202fEUR per kWh, tax included."
    twice = series.parse({"currency": "EUR"} | following(series_factor=1.1))
    assert sentences.sentence(twice).startswith("1.1 times the market's price plus")


def test_a_series_that_a_tariff_follows_stays(amber, market, followed):
    with pytest.raises(ValidationError, match="The tariff Market follows it"):
        pricepoints.remove_series(series=market)
    other = pricepoints.add_series(operator=amber, name="Other", unit="kWh", resolution_minutes=15)
    pricepoints.fill(series=other, points=points("0.1", start=make.START + timedelta(minutes=15)))
    pricepoints.remove_series(series=other)
    with scope(operator=amber):
        assert [one.name for one in PriceSeries.objects.all()] == ["Day-ahead"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "Day-ahead"}, "name"),
        ({"name": " "}, "name"),
        ({"unit": "GWh"}, "unit"),
        ({"resolution_minutes": 7}, "resolution_minutes"),
        ({"currency": "euro"}, "currency"),
    ],
)
def test_a_series_with_bad_values_is_refused_and_names_the_field(amber, market, fields, field):
    with pytest.raises(ValidationError) as refused:
        pricepoints.add_series(**({"operator": amber, "name": "New"} | fields))
    assert list(refused.value.message_dict) == [field]


def test_prices_are_let_go_of_after_their_term(amber, market):
    pricepoints.fill(series=market, points=points(1, 2, 3))
    with time_machine.travel(make.START + pricepoints.KEPT + HOUR + timedelta(minutes=1)):
        assert tasks.let_go_of_prices() == 2
        assert tasks.let_go_of_prices() == 0
    with scope(operator=amber):
        assert [point.price for point in PricePoint.objects.all()] == [3]
