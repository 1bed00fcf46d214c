"""Times on the wire, and which of them are believed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csms.ocpp import times
from stations.domain.times import believed
from stations.domain.values import Note
from tests.trying import often

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00.000Z",
        "2026-11-21t12:00:00z",
        "2026-11-21 12:00:00Z",
        " 2026-11-21T12:00:00Z ",
        "2026-11-21T12:00Z",
        "2026-11-21T13:00:00+01:00",
        "2026-11-21T13:00:00+0100",
        "2026-11-21T14:00:00+02",
        "2026-11-21T07:00:00-05:00",
        "2026-11-21T12:00:00,0Z",
        "2026-11-21T12:0:0Z",
        "2026-11-22T01:30:00+13:30",
    ],
)
def test_a_time_is_read_however_it_is_written(text: str) -> None:
    notes: list[Note] = []
    assert times.parse(text, "timestamp", notes) == NOON
    assert notes == []


@pytest.mark.parametrize("text", ["2026-11-21T12:00:00", "2026-11-21 12:00", "2026-11-21T12:00:00.0"])
def test_a_time_without_a_zone_is_taken_as_utc_with_a_note(text: str) -> None:
    notes: list[Note] = []
    assert times.parse(text, "timestamp", notes) == NOON
    assert [(note.code, note.subject) for note in notes] == [("time_without_zone", "timestamp")]


@pytest.mark.parametrize(
    "text",
    [
        "1795262400",
        "1795262400.0",
        "1795262400000",
        "2026/11/21 12:00:00Z",
        "21.11.2026 12:00:00Z",
        "20261121T120000+0000",
        "20261121T1400+02",
        "Sat, 21 Nov 2026 12:00:00 GMT",
        "Sat, 21 Nov 2026 13:00:00 +0100",
    ],
)
def test_a_time_of_another_format_is_read_with_a_note(text: str) -> None:
    notes: list[Note] = []
    assert times.parse(text, "timestamp", notes) == NOON
    assert [(note.code, note.subject) for note in notes] == [("time_format", "timestamp")]


def test_the_end_of_a_day_may_be_hour_24_and_a_zone_may_have_a_name() -> None:
    assert times.parse("2026-11-20T24:00:00Z", "", []) == NOON.replace(hour=0)
    notes: list[Note] = []
    assert times.parse("2026-11-21 12:00:00 UTC", "", notes) == NOON
    assert notes == []


def test_a_one_digit_hour_a_leap_second_and_nine_digits_of_a_fraction_are_read() -> None:
    assert times.parse("2026-11-21T3:00:00Z", "", []) == NOON.replace(hour=3)
    assert times.parse("2026-11-21T12:00:60Z", "", []) == NOON.replace(second=59)
    assert times.parse("2026-11-21T12:00:00.123456789Z", "", []) == NOON.replace(microsecond=123456)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Z",
        "now",
        "2026-11-21",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-21T25:00:00Z",
        "0000-00-00T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-11-21T12:00:00+24:00",
        "2026-11-21T12:00:00+99",
        "176372640",
        "2026-11-21T12:00:00Z; DROP TABLE",
    ],
)
def test_what_is_no_time_is_none_with_a_note(text: str) -> None:
    notes: list[Note] = []
    assert times.parse(text, "timestamp", notes) is None
    assert [note.code for note in notes] == ["time_unreadable"]


def test_times_are_written_in_utc_to_the_second() -> None:
    assert times.emit(NOON.replace(microsecond=999_999)) == "2026-11-21T12:00:00Z"
    assert times.emit(NOON.astimezone(timezone(timedelta(hours=-7)))) == "2026-11-21T12:00:00Z"


@settings(max_examples=often(300), deadline=None, derandomize=True, database=None)
@given(st.text(max_size=30) | st.text("0123456789-:TZ+., ", max_size=30) | st.from_regex(times.PATTERN))
def test_any_text_is_a_time_in_utc_or_none(text: str) -> None:
    notes: list[Note] = []
    at = times.parse(text, "timestamp", notes)
    assert (at is None) == any(note.code == "time_unreadable" for note in notes)
    assert at is None or at.utcoffset() == timedelta(0)


@settings(max_examples=often(100), deadline=None, derandomize=True, database=None)
@given(st.datetimes(datetime(2012, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  (given its zone there)
def test_a_time_survives_the_wire_to_the_second(at: datetime) -> None:
    assert times.parse(times.emit(at), "", []) == at.replace(microsecond=0)


@pytest.mark.parametrize(
    ("at", "stored", "code"),
    [
        (None, NOON, None),
        (NOON - timedelta(days=400), NOON - timedelta(days=400), None),
        (NOON + timedelta(minutes=5), NOON + timedelta(minutes=5), None),
        (NOON + timedelta(minutes=6), NOON + timedelta(minutes=6), "clock_ahead"),
        (NOON + timedelta(hours=26), NOON + timedelta(hours=26), "clock_ahead"),
        (NOON + timedelta(hours=27), NOON, "clock_absurd"),
        (datetime(1970, 1, 1, tzinfo=UTC), NOON, "clock_absurd"),
        (datetime(2000, 1, 1, tzinfo=UTC), NOON, "clock_absurd"),
        (datetime(9999, 12, 31, tzinfo=UTC), NOON, "clock_absurd"),
    ],
)
def test_the_past_is_believed_and_an_absurd_clock_is_not(at: datetime | None, stored: datetime, code: str | None) -> None:
    notes: list[Note] = []
    assert believed(at, NOON, notes) == stored
    assert [note.code for note in notes] == ([code] if code else [])
