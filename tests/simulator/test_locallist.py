"""The list of a simulated station: what it takes, what it refuses, and what it says of a card while nobody can be asked."""

from datetime import UTC, datetime, timedelta

import pytest

from csms.simulator.configuration import Configuration
from csms.simulator.locallist import Entry, LocalList

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def cards() -> LocalList:
    given = {"LocalAuthListMaxLength": "3", "SendLocalListMaxLength": "2", "AllowOfflineTxForUnknownId": "false"}
    return LocalList(Configuration(connectors=1, given=given))


def test_a_list_is_replaced_and_changed(cards: LocalList) -> None:
    assert cards.take(1, "Full", [Entry("A", "Accepted"), Entry("b", "Blocked")]) == "Accepted"
    assert cards.take(2, "Differential", [Entry("B"), Entry("C", "Accepted")]) == "Accepted"
    assert (cards.version, sorted(cards.entries)) == (2, ["A", "C"])
    assert cards.take(3, "Full", []) == "Accepted"
    assert (cards.version, cards.entries) == (3, {})


def test_a_difference_of_an_old_version_is_refused(cards: LocalList) -> None:
    cards.take(5, "Full", [])
    assert cards.take(5, "Differential", [Entry("A", "Accepted")]) == "VersionMismatch"
    assert cards.take(4, "Full", [Entry("A", "Accepted")]) == "Accepted"


def test_what_is_too_much_fails(cards: LocalList) -> None:
    assert cards.take(1, "Full", [Entry(one, "Accepted") for one in "ABC"]) == "Failed"
    cards.take(1, "Full", [Entry(one, "Accepted") for one in "AB"])
    assert cards.take(2, "Differential", [Entry(one, "Accepted") for one in "CD"]) == "Failed"
    assert (cards.version, sorted(cards.entries)) == (1, ["A", "B"])


def test_a_list_that_is_switched_off_takes_nothing(cards: LocalList) -> None:
    cards.configuration.put("LocalAuthListEnabled", "false")
    assert cards.take(1, "Full", []) == "Failed"


def test_while_offline_the_list_says_who_may_charge(cards: LocalList) -> None:
    expired, valid = (NOW - timedelta(hours=1)).isoformat(), (NOW + timedelta(hours=1)).isoformat()
    cards.take(1, "Full", [Entry("A", "Accepted", valid), Entry("B", "Blocked")])
    cards.take(2, "Differential", [Entry("C", "Accepted", expired)])
    assert [cards.lets_charge(one, NOW) for one in ("a", "B", "C", "D")] == [True, False, False, False]
    cards.configuration.put("AllowOfflineTxForUnknownId", "true")
    assert [cards.lets_charge(one, NOW) for one in ("B", "D")] == [False, True]
