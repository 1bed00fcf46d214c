"""What a simulated station shows: its messages, over by their time or with their transaction."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csms.simulator.display import MOST, Display

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def message(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "priority": "NormalCycle", "message": {"format": "UTF8", "content": "Hello"}} | more


def set_on(display: Display, one: dict[str, Any], *running: str) -> str:
    return display.take(one, running=set(running), now=NOW)


def wanted(display: Display, *running: str, minutes: int = 0, **which: Any) -> list[int]:
    criteria = {"numbers": None, "priority": None, "state": None} | which
    return [one["id"] for one in display.wanted(**criteria, running=set(running), now=NOW + timedelta(minutes=minutes))]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, "Accepted"),
        ({"priority": "Higher"}, "NotSupportedPriority"),
        ({"state": "Sleeping"}, "NotSupportedState"),
        ({"message": {"format": "HTML", "content": "<b>"}}, "NotSupportedMessageFormat"),
        ({"transaction_id": "tx-2"}, "UnknownTransaction"),
        ({"transaction_id": "tx-1"}, "Accepted"),
    ],
)
def test_it_takes_what_it_can_show(more: dict[str, Any], status: str) -> None:
    assert set_on(Display(), message(**more), "tx-1") == status


def test_it_keeps_so_many_and_replaces_by_id() -> None:
    display = Display()
    assert [set_on(display, message(number)) for number in range(MOST + 1)] == ["Accepted"] * MOST + ["Rejected"]
    assert set_on(display, message(3, priority="InFront")) == "Accepted"
    assert wanted(display, priority="InFront") == [3]


def test_a_message_goes_at_its_end_with_its_transaction_or_when_it_is_cleared() -> None:
    display = Display()
    set_on(display, message(1, end_date_time="2026-11-21T10:05:00Z"))
    set_on(display, message(2, transaction_id="tx-1"), "tx-1")
    set_on(display, message(3), "tx-1")
    assert wanted(display, "tx-1") == [1, 2, 3]
    assert wanted(display, "tx-1", minutes=5) == [2, 3]
    assert wanted(display) == [3]
    assert [display.clear(3), display.clear(3)] == ["Accepted", "Unknown"]
