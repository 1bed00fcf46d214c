"""Waves, windows and the stop rule: counts and clocks, without anybody to update."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from stations.domain.commands import BadCommand
from stations.domain.rollouts import USUAL_WAVES, Selection, StopRule, Window, sizes, waves_of

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
ANYWHERE = ZoneInfo("UTC")


def at(text: str, zone: ZoneInfo = AMSTERDAM) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("waves", "total", "expected"),
    [
        (USUAL_WAVES, 200, [1, 19, 80, 100]),
        (USUAL_WAVES, 5, [1, 2, 2]),
        (USUAL_WAVES, 1, [1]),
        (["10%"], 15, [2, 13]),
        (["3", "5"], 4, [3, 1]),
        (["100%"], 7, [7]),
        (["1"], 0, []),
    ],
)
def test_a_wave_goes_up_to_a_number_or_a_share_and_the_last_takes_the_rest(
    waves: list[str], total: int, expected: list[int]
) -> None:
    assert sizes(waves, total) == expected
    assert sum(sizes(waves, total)) == total


@pytest.mark.parametrize("waves", [["0"], ["101%"], ["x"], ["1", "1"], ["50%", "10%"], [], ["1"] * 21, ["-1"], ["1.5"], ["1" * 30]])
def test_waves_that_make_no_sense_are_refused_with_a_sentence(waves: list[str]) -> None:
    with pytest.raises(BadCommand, match="wave"):
        waves_of(waves)


def test_waves_are_kept_in_one_way() -> None:
    assert waves_of([" 1 ", "10 %", "100%"]) == ["1", "10%", "100%"]


def test_a_window_is_by_the_clock_of_the_site() -> None:
    night = Window(time(1), time(5))
    assert night.is_open(at("2026-11-21T01:00:00"), AMSTERDAM)
    assert night.is_open(at("2026-11-21T04:59:59"), AMSTERDAM)
    assert not night.is_open(at("2026-11-21T05:00:00"), AMSTERDAM)
    # Then it is midnight in London.
    assert not night.is_open(at("2026-11-21T01:00:00"), ZoneInfo("Europe/London"))


def test_a_window_that_passes_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    friday = Window(time(22), time(5), (4,))
    assert friday.is_open(at("2026-11-20T23:00:00"), AMSTERDAM)
    assert friday.is_open(at("2026-11-21T04:00:00"), AMSTERDAM)
    assert not friday.is_open(at("2026-11-21T23:00:00"), AMSTERDAM)
    assert not friday.is_open(at("2026-11-20T04:00:00"), AMSTERDAM)


def test_without_times_it_is_open_all_day_on_its_days() -> None:
    assert Window().is_open(at("2026-11-21T12:00:00"), AMSTERDAM)
    monday = Window(days=(0,))
    assert not monday.is_open(at("2026-11-21T12:00:00"), AMSTERDAM)
    assert monday.opens_at(at("2026-11-21T12:00:00"), AMSTERDAM) == at("2026-11-23T00:00:00")


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-21T12:00:00", "2026-11-22T01:00:00"),
        ("2026-11-21T00:30:00", "2026-11-21T01:00:00"),
        ("2026-11-21T02:00:00", "2026-11-21T02:00:00"),
        # The clocks are set: in the night to 29 March there is no half past two; it is opened at what that hour becomes.
        ("2026-03-28T12:00:00", "2026-03-29T01:00:00"),
        ("2026-10-24T12:00:00", "2026-10-25T01:00:00"),
    ],
)
def test_it_says_when_it_opens_next(now: str, opens: str) -> None:
    assert Window(time(1), time(5)).opens_at(at(now), AMSTERDAM) == at(opens)


def test_a_window_of_one_day_a_week_opens_within_eight_days() -> None:
    window = Window(time(3), time(4), (5,))
    assert window.opens_at(at("2026-11-21T05:00:00"), AMSTERDAM) == at("2026-11-28T03:00:00")


RULE = StopRule(failed_percent=20, after=5, lost=1)


@pytest.mark.parametrize(
    ("done", "failed", "lost", "final", "expected"),
    [
        (0, 0, 0, False, None),
        (0, 4, 0, False, None),  # too few have ended to judge
        (4, 1, 0, False, None),  # 20 percent is not more than 20
        (3, 2, 0, False, "failed"),
        (0, 1, 0, True, "failed"),  # the whole wave failed
        (0, 1, 1, False, None),
        (90, 2, 2, False, "lost"),
    ],
)
def test_the_rule_counts_failures_once_enough_have_ended_and_the_lost_at_once(
    done: int, failed: int, lost: int, final: bool, expected: str | None
) -> None:
    broken = RULE.broken(done=done, failed=failed, lost=lost, final=final)
    assert (broken[0] if broken else None) == expected


def test_a_rule_of_no_failures_holds_at_the_first() -> None:
    strict = StopRule(failed_percent=0, after=1, lost=0)
    assert strict.broken(done=99, failed=1, lost=0) == ("failed", {"failed": 1, "ended": 100, "percent": 0})
    assert strict.broken(done=99, failed=0, lost=0) is None


@pytest.mark.parametrize(
    "given",
    [{"model": []}, {"models": "AG"}, {"sites": ["1"]}, {"sites": [True]}, {"offline": "yes"}, {"stations": ["x"] * 1001}],
)
def test_a_selection_that_cannot_be_meant_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(BadCommand):
        Selection.of(given)


def test_a_selection_is_kept_without_what_narrows_nothing() -> None:
    assert Selection.of({"models": ["A", "A"], "sites": [3], "stations": [], "offline": False}).kept() == {
        "models": ["A"],
        "sites": [3],
    }
