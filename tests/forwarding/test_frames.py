"""What of the message log is told, and in what words."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csms.forwarding.frames import MOST_NUMBERS, VENDOR, Entry, Filter, Numbers, Said, Unsaid, is_stale, say

NOW = datetime(2026, 11, 21, 14, 3, tzinfo=UTC)


def entry(action: str = "Heartbeat", payload: Any = None, answer: Any = None, **fields: Any) -> Entry:
    known: dict[str, Any] = {
        "id": 7,
        "inward": True,
        "protocol": "ocpp1.6",
        "message_id": "a",
        "outcome": "result",
        "received_at": NOW,
    }
    frames = {
        "call": json.dumps([2, "a", action, {} if payload is None else payload]),
        "answer": json.dumps([3, "a", {} if answer is None else answer]),
    }
    return Entry(**{"action": action} | known | frames | fields)


def frame(said: Said | Unsaid) -> Any:
    assert isinstance(said, Said)
    return json.loads(said.text)


def test_a_call_leaves_as_it_came_under_a_name_of_ours() -> None:
    payload = {"connectorId": 1, "vendorStuff": [1.5, "ä"], "status": "Available", "errorCode": "NoError"}
    assert frame(say(entry("StatusNotification", payload), "A", "ocpp", {})) == [2, "m7", "StatusNotification", payload]


@pytest.mark.parametrize(
    ("action", "payload", "told"),
    [
        ("MeterValues", {"connectorId": 1, "transactionId": 5}, {"connectorId": 1, "transactionId": 7001}),
        ("MeterValues", {"connectorId": 1, "transactionId": 6}, {"connectorId": 1}),
        ("MeterValues", {"connectorId": 1, "transactionId": -1}, {"connectorId": 1}),
        ("MeterValues", {"connectorId": 1}, {"connectorId": 1}),
        ("StopTransaction", {"transactionId": 5, "meterStop": 9}, {"transactionId": 7001, "meterStop": 9}),
        ("StopTransaction", {"transactionId": 6, "meterStop": 9}, None),
        ("DataTransfer", {"vendorId": "x", "data": "5"}, {"vendorId": "x", "data": "5"}),
    ],
)
def test_sessions_have_the_numbers_that_they_have_there(action: str, payload: Any, told: Any) -> None:
    said = say(entry(action, payload), "A", "ocpp", {"5": 7001})
    assert (said == Unsaid("unmatched")) if told is None else (frame(said)[3] == told)


def test_a_session_of_2_0_1_keeps_its_own_name() -> None:
    payload = {"eventType": "Ended", "transactionInfo": {"transactionId": "5"}}
    said = say(entry("TransactionEvent", payload, protocol="ocpp2.0.1"), "A", "ocpp", {"5": 7001})
    assert frame(said)[3] == payload


def test_their_number_of_a_session_is_learned_from_the_two_answers() -> None:
    numbers = Numbers()
    start = say(entry("StartTransaction", {"connectorId": 1}, {"transactionId": 5}), "A", "ocpp", {})
    assert isinstance(start, Said)
    for theirs in (None, [], {}, {"transactionId": "x"}, {"transactionId": True}, {"transactionId": None}):
        numbers.learn(start, theirs)
    assert numbers.known == {}
    numbers.learn(start, {"transactionId": 7001})
    assert numbers.known == {"5": 7001}
    for number in range(100, 100 + MOST_NUMBERS):
        said = say(entry("StartTransaction", {}, {"transactionId": number}), "A", "ocpp", {})
        assert isinstance(said, Said)
        numbers.learn(said, {"transactionId": number})
    assert len(numbers.known) == MOST_NUMBERS
    assert "5" not in numbers.known


def test_what_a_charger_was_asked_is_told_in_a_data_transfer() -> None:
    asked = entry("Reset", {"type": "Soft"}, {"status": "Accepted"}, inward=False)
    told = frame(say(asked, "A", "ocpp", {}))
    assert told[:3] == [2, "m7", "DataTransfer"]
    assert (told[3]["vendorId"], told[3]["messageId"]) == (VENDOR, "Reset")
    assert json.loads(told[3]["data"]) == {
        "at": "2026-11-21T14:03:00Z",
        "call": [2, "a", "Reset", {"type": "Soft"}],
        "answer": [3, "a", {"status": "Accepted"}],
    }


def test_an_envelope_holds_the_call_and_its_answer_as_the_log_has_them() -> None:
    told = frame(say(entry("Heartbeat", {}, {"currentTime": "x"}), "AMBER-01", "envelope", {}))
    assert told == {
        "id": 7, "station": "AMBER-01", "protocol": "ocpp1.6", "direction": "from_station", "at": "2026-11-21T14:03:00Z",
        "action": "Heartbeat", "outcome": "result", "call": [2, "a", "Heartbeat", {}], "answer": [3, "a", {"currentTime": "x"}],
    }  # fmt: skip
    broken = frame(say(replace(entry(call='[2,"a","MeterValues",{"transactionId":,}]'), answer=""), "A", "envelope", {}))
    assert (broken["call"], broken["answer"]) == ('[2,"a","MeterValues",{"transactionId":,}]', None)


@pytest.mark.parametrize("call", ["", "hello", "[3,1,{}]", '[2,"a","MeterValues",{"transactionId"', '[2,"a","X",[]]', "[" * 99])
def test_what_cannot_be_read_is_not_told_as_ocpp(call: str) -> None:
    assert say(entry(call=call), "A", "ocpp", {}) == Unsaid("dropped")


def test_filters_go_by_direction_and_message() -> None:
    out = entry("Reset", inward=False)
    assert Filter("ocpp").wants(entry())
    assert not Filter("ocpp").wants(out)
    assert Filter("ocpp", from_station=False, to_station=True).wants(out)
    assert not Filter("ocpp", from_station=False, to_station=True).wants(entry())
    assert not Filter("ocpp", never=frozenset({"Heartbeat"})).wants(entry())
    assert Filter("ocpp", only=frozenset({"Heartbeat"})).wants(entry())
    assert not Filter("ocpp", only=frozenset({"Heartbeat"})).wants(entry("Authorize"))
    # No message, or of a version we do not speak.
    assert not Filter("ocpp").wants(entry(action=""))
    assert Filter("envelope").wants(entry(action=""))
    assert not Filter("envelope").wants(entry(protocol="ocpp9"))


@pytest.mark.parametrize(
    ("minutes", "what", "stale"),
    [
        (14, entry("Heartbeat"), False),
        (16, entry("Heartbeat"), True),
        (16, entry("MeterValues"), True),
        (16, entry("StartTransaction"), False),
        (16, entry("Reset", inward=False), False),
        (16, entry("TransactionEvent", {"eventType": "Updated"}, protocol="ocpp2.0.1"), True),
        (16, entry("TransactionEvent", {"eventType": "Ended"}, protocol="ocpp2.0.1"), False),
        (16, entry(call="hello"), False),
        (7 * 24 * 60 + 1, entry("StopTransaction"), True),
    ],
)
def test_samples_are_let_go_of_first_and_sessions_last(minutes: int, what: Entry, stale: bool) -> None:
    assert is_stale(what, NOW + timedelta(minutes=minutes)) is stale
