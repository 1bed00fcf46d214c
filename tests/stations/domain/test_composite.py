"""What a station may draw, from all that limits it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stations.domain.chargingprofiles import EXTERNAL, STATION_MAX, TX, TX_DEFAULT, Period, Profile, Schedule
from stations.domain.composite import Held, Limits, Session, Stretch, difference, limit_at
from tests.trying import often

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
HOUR = 3600


def held(purpose: str, *limits: tuple[int, float], evse: int = 1, level: int = 0, unit: str = "A", **fields: Any) -> Held:
    periods = tuple(Period(start, Decimal(str(limit)), fields.get("phases")) for start, limit in limits)
    kind = fields.get("kind", "Absolute")
    start = None if kind == "Relative" else fields.get("start", NOW - timedelta(hours=1))
    schedule = Schedule(unit, periods, start, fields.get("duration_s"))
    profile = Profile(
        purpose,
        kind,
        level,
        (schedule,),
        recurrency=fields.get("recurrency"),
        valid_from=fields.get("valid_from"),
        valid_to=fields.get("valid_to"),
        transaction=fields.get("transaction"),
    )
    return Held(evse, profile, NOW)


def limits(*every: Held, session: datetime | None = None, evses: tuple[int, ...] = (1,)) -> Limits:
    return Limits(every, {1: Session("tx", session)} if session else {}, evses)


def amounts(found: list[Stretch]) -> list[tuple[int, float | None]]:
    return [(one.start_s, None if one.limit is None else float(one.limit)) for one in found]


def day(of: Limits, evse: int = 1, unit: str = "A", hours: int = 24) -> list[tuple[int, float | None]]:
    return amounts(of.composite(evse, NOW, hours * HOUR, unit))


def test_where_nothing_is_set_nothing_limits() -> None:
    assert day(limits()) == [(0, None)]


def test_the_highest_stack_level_counts_while_it_is_valid() -> None:
    low = held(TX_DEFAULT, (0, 16))
    high = held(TX_DEFAULT, (0, 8), level=3, valid_from=NOW + timedelta(hours=1), valid_to=NOW + timedelta(hours=2))
    assert day(limits(low, high)) == [(0, 16), (HOUR, 8), (2 * HOUR, 16)]


def test_a_schedule_that_has_ended_falls_through_to_the_level_below() -> None:
    low = held(TX_DEFAULT, (0, 16))
    high = held(TX_DEFAULT, (0, 8), level=3, start=NOW, duration_s=HOUR)
    assert day(limits(low, high)) == [(0, 8), (HOUR, 16)]


def test_one_without_an_end_never_does() -> None:
    assert day(limits(held(TX_DEFAULT, (0, 16)), held(TX_DEFAULT, (0, 20), level=1))) == [(0, 20)]


def test_a_profile_of_the_session_stands_in_place_of_the_default_and_may_allow_more() -> None:
    default, own = held(TX_DEFAULT, (0, 10)), held(TX, (0, 20), transaction="tx")
    assert day(limits(default, own, session=NOW)) == [(0, 20)]
    assert day(limits(default, own)) == [(0, 10)]
    assert day(limits(default, held(TX, (0, 20), transaction="another"), session=NOW)) == [(0, 10)]


def test_the_lowest_of_session_station_and_others_counts() -> None:
    of = limits(held(TX_DEFAULT, (0, 16)), held(STATION_MAX, (0, 12), evse=0), held(EXTERNAL, (0, 14), evse=0))
    assert day(of) == [(0, 12)]


def test_a_relative_one_begins_with_the_session() -> None:
    one = held(TX_DEFAULT, (0, 16), (HOUR, 6), kind="Relative")
    assert day(limits(one, session=NOW - timedelta(minutes=30))) == [(0, 16), (1800, 6)]
    assert day(limits(one)) == [(0, 16), (HOUR, 6)]


def test_a_daily_one_comes_again_and_what_lies_behind_its_day_is_not_run() -> None:
    one = held(
        TX_DEFAULT, (0, 8), (12 * HOUR, 16), (25 * HOUR, 1), kind="Recurring", recurrency="Daily", start=NOW - timedelta(days=9)
    )
    assert day(limits(one), hours=48) == [(0, 8), (12 * HOUR, 16), (24 * HOUR, 8), (36 * HOUR, 16)]


def test_a_weekly_one_comes_again_after_a_week() -> None:
    one = held(TX_DEFAULT, (0, 8), (6 * 24 * HOUR, 16), kind="Recurring", recurrency="Weekly", start=NOW - timedelta(days=6))
    assert day(limits(one), hours=48) == [(0, 16), (24 * HOUR, 8)]


def test_watts_become_amperes_of_each_phase() -> None:
    assert day(limits(held(TX_DEFAULT, (0, 11_040), unit="W"))) == [(0, 16)]
    assert day(limits(held(TX_DEFAULT, (0, 3680), unit="W", phases=1))) == [(0, 16)]
    assert day(limits(held(TX_DEFAULT, (0, 16))), unit="W") == [(0, 11_040)]


def test_the_whole_station_draws_the_sum_of_its_evses_under_its_own_limit() -> None:
    each = (held(TX_DEFAULT, (0, 16)), held(TX_DEFAULT, (0, 10), evse=2))
    assert day(limits(*each, evses=(1, 2)), evse=0) == [(0, 26)]
    assert day(limits(*each, held(STATION_MAX, (0, 20), evse=0), evses=(1, 2)), evse=0) == [(0, 20)]
    # One that nothing limits may draw what it likes.
    assert day(limits(*each, evses=(1, 2, 3)), evse=0) == [(0, None)]


@st.composite
def any_held(draw: st.DrawFn) -> Held:
    purpose = draw(st.sampled_from([STATION_MAX, TX_DEFAULT, TX, EXTERNAL]))
    starts = [0, *sorted(draw(st.sets(st.integers(1, 7200), max_size=3)))]
    kind = draw(st.sampled_from(["Absolute", "Recurring"] if purpose == STATION_MAX else ["Absolute", "Recurring", "Relative"]))
    after = draw(st.integers(-7200, 7200))
    return held(
        purpose,
        *((start, draw(st.integers(0, 32))) for start in starts),
        evse=0 if purpose == STATION_MAX else 1 if purpose == TX else draw(st.sampled_from([0, 1])),
        level=draw(st.integers(0, 3)),
        kind=kind,
        start=NOW + timedelta(seconds=draw(st.integers(-7200, 7200))),
        duration_s=draw(st.none() | st.integers(1, 9000)),
        recurrency="Daily" if kind == "Recurring" else None,
        valid_from=draw(st.none() | st.just(NOW + timedelta(seconds=after))),
        valid_to=draw(st.none() | st.just(NOW + timedelta(seconds=after + 600))),
        transaction="tx" if purpose == TX else None,
    )


STATIONS = st.builds(
    lambda every, ago: limits(*every, session=None if ago is None else NOW - timedelta(seconds=ago)),
    st.lists(any_held(), max_size=5),
    st.none() | st.integers(0, 7200),
)


@settings(max_examples=often(150), deadline=None)
@given(STATIONS, st.integers(0, 4 * HOUR - 1), st.sampled_from([0, 1]))
def test_every_moment_is_as_it_is_when_asked_alone(of: Limits, second: int, evse: int) -> None:
    whole = of.composite(evse, NOW, 4 * HOUR, "A")
    alone, _phases = of.at(evse, NOW + timedelta(seconds=second), "A", NOW)
    assert limit_at(whole, second) == (None if alone is None else alone.quantize(Decimal("0.1")))
    assert whole[0].start_s == 0
    assert [one.start_s for one in whole] == sorted({one.start_s for one in whole})


@settings(max_examples=often(100), deadline=None)
@given(STATIONS, st.integers(0, 32))
def test_a_limit_of_the_whole_that_stands_above_all_is_never_passed(of: Limits, most: int) -> None:
    cap = held(STATION_MAX, (0, most), evse=0, level=9)
    under = Limits((*of.held, cap), of.sessions, of.evses)
    for one in under.composite(1, NOW, 4 * HOUR, "A"):
        assert one.limit is not None
        assert one.limit <= most


def test_a_station_that_would_draw_more_is_told_before_one_that_would_draw_less() -> None:
    ours = [Stretch(0, Decimal(16)), Stretch(600, Decimal(8))]
    theirs = [Stretch(0, Decimal(10)), Stretch(600, Decimal(32))]
    found = difference(ours, theirs, "A", HOUR)
    assert found is not None
    assert (found.second, found.ours, found.theirs, found.more) == (600, 8, 32, True)


def test_rounding_and_what_nothing_limits_are_no_difference() -> None:
    assert difference([Stretch(0, Decimal(16))], [Stretch(0, Decimal("15.7"))], "A", HOUR) is None
    assert difference([Stretch(0, None)], [Stretch(0, Decimal(32))], "A", HOUR) is None
    assert difference([Stretch(0, Decimal(11_000))], [Stretch(0, Decimal(11_040))], "W", HOUR) is None


def test_what_does_not_say_its_phases_has_those_of_the_evse() -> None:
    of = replace(limits(held(TX_DEFAULT, (0, 3680), unit="W"), held(STATION_MAX, (0, 4600), unit="W", evse=0)), phases={1: 1})
    assert day(of) == [(0, 16)]
    assert day(replace(of, held=(held(TX_DEFAULT, (0, 3680), unit="W", phases=3),))) == [(0, 5.3)]
    assert day(replace(of, held=(held(TX_DEFAULT, (0, 16)),)), unit="W") == [(0, 3680)]


def test_a_station_that_can_do_less_than_it_was_told_says_nothing_else() -> None:
    ours, capped = [Stretch(0, Decimal(32))], [Stretch(0, Decimal(16))]
    for said, differs in ((15, True), (16, False), (20, False), (32, False), (40, True)):
        assert (difference(ours, [Stretch(0, Decimal(said))], "A", HOUR, capped) is not None) == differs
