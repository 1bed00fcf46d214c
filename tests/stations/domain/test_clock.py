"""What a station's clock is off by, from what it says and when that comes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stations.domain.times import Clock, believed
from stations.domain.values import Note

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
ERA = NOON - datetime(1970, 1, 1, tzinfo=UTC)


def told(clock: Clock, *messages: tuple[timedelta, timedelta]) -> list[bool]:
    """Each message comes so long after noon, and says a time so far off."""
    return [clock.heard(NOON + after + off, NOON + after) for after, off in messages]


def test_a_message_that_is_as_good_as_now_shows_a_right_clock() -> None:
    clock = Clock()
    assert told(clock, (0 * SECOND, -2 * SECOND)) == [True]
    assert clock.offset == -2 * SECOND


def test_what_moves_by_less_than_five_seconds_is_not_written_down() -> None:
    clock = Clock()
    assert told(clock, *((n * MINUTE, -4 * SECOND + n * SECOND) for n in range(4))) == [True, False, False, False]
    assert clock.offset == -SECOND
    assert told(clock, (5 * MINUTE, 2 * SECOND)) == [True]


@pytest.mark.parametrize("off", [-HOUR, HOUR, -2 * HOUR, -ERA], ids=str)
def test_a_clock_that_is_off_is_believed_after_three_messages_over_a_minute(off: timedelta) -> None:
    clock = Clock()
    assert told(clock, (0 * SECOND, off - 5 * SECOND), (30 * SECOND, off - SECOND), (50 * SECOND, off)) == [False] * 3
    assert clock.offset is None
    assert told(clock, (70 * SECOND, off - 3 * SECOND)) == [True]
    assert clock.offset == off


def test_a_queue_that_is_emptied_is_no_clock_that_is_behind() -> None:
    """Messages from five minutes apart come within seconds."""
    clock = Clock()
    assert not any(told(clock, *((n * SECOND, -5 * HOUR + n * 5 * MINUTE) for n in range(59))))
    assert clock.offset is None


def test_the_least_delayed_message_counts() -> None:
    clock = Clock()
    told(clock, *((n * MINUTE, -HOUR - delay * SECOND) for n, delay in enumerate((0, 40, 7, 300, 2, 0))))
    assert clock.offset == -HOUR


def test_a_slip_of_the_pen_changes_nothing() -> None:
    clock = Clock()
    told(clock, (0 * SECOND, 0 * SECOND), (MINUTE, 365 * 24 * HOUR), (2 * MINUTE, 0 * SECOND))
    assert clock.offset == timedelta(0)


def test_a_clock_that_was_set_forward_is_right_at_once() -> None:
    clock = Clock(offset=-HOUR, told=-HOUR)
    assert told(clock, (0 * SECOND, -SECOND)) == [True]
    assert clock.offset == -SECOND


def test_a_clock_that_was_ahead_may_have_been_set_with_a_boot() -> None:
    clock = Clock(offset=HOUR, told=HOUR)
    assert told(clock, (0 * SECOND, 0 * SECOND)) == [False]
    clock.booted()
    assert told(clock, (SECOND, 0 * SECOND)) == [True]
    assert clock.offset == timedelta(0)


def test_a_clock_that_counts_from_its_start_begins_anew_with_a_boot() -> None:
    clock = Clock(offset=-ERA, told=-ERA)
    assert clock.booted()
    assert (clock.offset, Clock(offset=HOUR).booted()) == (None, False)


def stored(clock: Clock | None, at: datetime, received_at: datetime) -> tuple[datetime, list[str]]:
    notes: list[Note] = []
    return believed(at, received_at, notes, clock), [note.code for note in notes]


@pytest.mark.parametrize(("off", "code"), [(-HOUR, "clock_behind"), (HOUR, "clock_ahead")], ids=["behind", "ahead"])
def test_a_known_offset_corrects_what_is_said(off: timedelta, code: str) -> None:
    clock = Clock(offset=off, told=off)
    assert stored(clock, NOON + off, NOON) == (NOON, [code])
    assert stored(clock, NOON + off - 2 * HOUR, NOON) == (NOON - 2 * HOUR, [code])
    # What is of now by our own clock is of now.
    assert stored(clock, NOON, NOON) == (NOON, [])


def test_what_is_said_of_the_future_happened_when_it_came() -> None:
    assert stored(Clock(), NOON + HOUR, NOON) == (NOON, ["clock_ahead"])


def test_a_clock_of_1970_that_ticks_counts_on_from_its_first_message() -> None:
    clock = Clock()
    begun = NOON - ERA
    for minutes, late in ((0, 0), (5, 0), (6, 4)):
        at = begun + minutes * MINUTE
        clock.heard(at, NOON + (minutes + late) * MINUTE)
        assert stored(clock, at, NOON + (minutes + late) * MINUTE) == (NOON + minutes * MINUTE, ["clock_absurd"])


def test_a_clock_that_stands_still_says_nothing() -> None:
    clock, stuck = Clock(), datetime(2000, 1, 1, tzinfo=UTC)
    for minutes in (0, 5, 9):
        clock.heard(stuck, NOON + minutes * MINUTE)
        assert stored(clock, stuck, NOON + minutes * MINUTE)[0] == NOON + minutes * MINUTE


@given(
    offset=st.integers(-86_400, 86_400),
    delays=st.lists(st.integers(0, 7), min_size=4, max_size=30),
    pause=st.integers(30, 900),
)
def test_the_estimate_is_never_worse_than_the_quickest_message(offset: int, delays: list[int], pause: int) -> None:
    """Whatever the offset, messages under way for up to seven seconds give it to within these."""
    clock = Clock()
    told(clock, *((n * pause * SECOND, (offset - delay) * SECOND) for n, delay in enumerate(delays)))
    assert clock.offset is not None
    assert 0 <= offset - clock.offset.total_seconds() <= 7
