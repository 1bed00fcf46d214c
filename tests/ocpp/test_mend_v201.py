"""Leniency in OCPP 2.0.1: what stations send is understood, tokens and transactions are never guessed at."""

import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from csms.ocpp import mend, registry
from csms.ocpp.errors import Code, InvalidPayload
from stations.domain import events
from stations.domain.values import Note

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
EARLIER, RECEIPT = "2026-11-21T10:00:00Z", "2026-11-21T12:00:00Z"
EVENT = {
    "eventType": "Updated",
    "timestamp": EARLIER,
    "triggerReason": "MeterValuePeriodic",
    "seqNo": 3,
    "transactionInfo": {"transactionId": "t25"},
}
SKIPPED = {"value": 0, "customData": mend.UNREADABLE}
STATUS = {"timestamp": EARLIER, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}
BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Two"}}
TOKEN = {"idToken": "04A1B2C3", "type": "ISO14443"}


def without(payload: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key != name}


def metered(*samples: Any, at: Any = EARLIER) -> dict[str, Any]:
    value = {"sampledValue": list(samples)} | ({"timestamp": at} if at else {})
    return EVENT | {"meterValue": [value]}


def mended(action: str, payload: Any) -> tuple[Any, list[str]]:
    given = copy.deepcopy(payload)
    result, notes = mend.mend("ocpp2.0.1", action, payload, NOW)
    assert payload == given
    mend.validate("ocpp2.0.1", action, result)
    return result, [f"{note.code} {note.subject}".strip() for note in notes]


def refused(action: str, payload: Any) -> InvalidPayload:
    with pytest.raises(InvalidPayload) as caught:
        mend.mend("ocpp2.0.1", action, payload, NOW)
    return caught.value


UNDERSTOOD: dict[str, tuple[str, Any, Any]] = {
    "an end without its trigger (matth-x/MicroOcpp#405)": (
        "TransactionEvent",
        without(EVENT, "triggerReason") | {"eventType": "Ended"},
        EVENT | {"eventType": "Ended", "triggerReason": "Trigger"},
    ),
    "an event without a time": ("TransactionEvent", without(EVENT, "timestamp"), EVENT | {"timestamp": RECEIPT}),
    "an event without a number": ("TransactionEvent", without(EVENT, "seqNo"), EVENT | {"seqNo": 0}),
    "a reading without a time has that of its event": ("TransactionEvent", metered({"value": 5}, at=None), metered({"value": 5})),
    "numbers as text": (
        "TransactionEvent",
        metered({"value": "0,5"}) | {"seqNo": "3", "evse": {"id": "1"}},
        metered({"value": 0.5}) | {"evse": {"id": 1}},
    ),
    "a number for a transaction id": (
        "TransactionEvent",
        EVENT | {"transactionInfo": {"transactionId": 25}},
        EVENT | {"transactionInfo": {"transactionId": "25"}},
    ),
    "other letters": (
        "TransactionEvent",
        EVENT | {"eventType": "updated", "triggerReason": "METER_VALUE_PERIODIC"},
        EVENT,
    ),
    "an unknown trigger": ("TransactionEvent", EVENT | {"triggerReason": "Mood"}, EVENT | {"triggerReason": "Trigger"}),
    "an unknown reason of an end": (
        "TransactionEvent",
        EVENT | {"transactionInfo": {"transactionId": "t25", "stoppedReason": "Boredom"}},
        EVENT | {"transactionInfo": {"transactionId": "t25", "stoppedReason": "Other"}},
    ),
    "an unknown charging state": (
        "TransactionEvent",
        EVENT | {"transactionInfo": {"transactionId": "t25", "chargingState": "Dreaming"}},
        EVENT,
    ),
    "null for what is optional": ("TransactionEvent", EVENT | {"idToken": None, "evse": None, "offline": None}, EVENT),
    "an unknown measurand beside a known one": (
        "TransactionEvent",
        metered({"value": 7, "measurand": "Mood"}, {"value": 5}),
        metered(SKIPPED, {"value": 5}),
    ),
    "a value that is no number, is null or is missing": (
        "TransactionEvent",
        metered({"value": "NaN"}, {"value": None}, {"context": "Trigger"}, {"value": 5}),
        metered(SKIPPED, SKIPPED, SKIPPED, {"value": 5}),
    ),
    "an unknown context and phase": (
        "TransactionEvent",
        metered({"value": 5, "context": "Whim", "phase": "L9"}),
        metered({"value": 5}),
    ),
    "a vendor's data without a vendor": ("TransactionEvent", EVENT | {"customData": {"x": 1}}, EVENT),
    "a vendor's data that is none": (
        "TransactionEvent",
        EVENT | {"transactionInfo": {"transactionId": "t25", "customData": "x"}},
        EVENT,
    ),
    "an unknown property": ("TransactionEvent", EVENT | {"mood": "good"}, EVENT),
    "a status without a time": ("StatusNotification", without(STATUS, "timestamp"), STATUS | {"timestamp": RECEIPT}),
    "a status of 1.6": ("StatusNotification", STATUS | {"connectorStatus": "SuspendedEV"}, STATUS),
    "a boot without its reason": ("BootNotification", without(BOOT, "reason"), BOOT | {"reason": "Unknown"}),
    "a boot for an unknown reason": ("BootNotification", BOOT | {"reason": "Boredom"}, BOOT | {"reason": "Unknown"}),
    "a token's type in other letters": (
        "Authorize",
        {"idToken": TOKEN | {"type": "iso14443"}},
        {"idToken": TOKEN},
    ),
}


@pytest.mark.parametrize(("action", "payload", "wanted"), UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_it_is_understood(action: str, payload: Any, wanted: Any) -> None:
    result, notes = mended(action, payload)
    assert result == wanted
    assert notes


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Authorize", {"idToken": TOKEN | {"idToken": "x" * 37}}, Code.PROPERTY_CONSTRAINT_VIOLATION),
        ("Authorize", {"idToken": {"idToken": "04A1"}}, Code.OCCURRENCE_CONSTRAINT_VIOLATION),
        ("Authorize", {"idToken": TOKEN | {"type": "Card"}}, Code.PROPERTY_CONSTRAINT_VIOLATION),
        ("TransactionEvent", EVENT | {"transactionInfo": {"transactionId": "x" * 37}}, Code.PROPERTY_CONSTRAINT_VIOLATION),
        ("TransactionEvent", EVENT | {"transactionInfo": {}}, Code.OCCURRENCE_CONSTRAINT_VIOLATION),
        ("TransactionEvent", EVENT | {"eventType": "Perhaps"}, Code.PROPERTY_CONSTRAINT_VIOLATION),
        ("StatusNotification", STATUS | {"connectorStatus": "Hungry"}, Code.PROPERTY_CONSTRAINT_VIOLATION),
        ("StatusNotification", without(STATUS, "evseId"), Code.OCCURRENCE_CONSTRAINT_VIOLATION),
    ],
)
def test_it_is_not_guessed_at(action: str, payload: Any, code: Code) -> None:
    assert refused(action, payload).code is code


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("BootNotification", {"chargePointVendor": "FoxESS", "chargePointModel": "A022KP1", "firmwareVersion": "1.10"}),
        ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"}),
        ("Authorize", {"idTag": "04A1B2C3"}),
    ],
)
def test_a_message_of_1_6_is_called_what_it_is(action: str, payload: Any) -> None:
    """lbbrhzn/ocpp#2008"""
    error = refused(action, payload)
    assert error.code is Code.FORMAT_VIOLATION
    assert error.description == f"This is a {action} of OCPP 1.6; the connection speaks 2.0.1."


def test_a_value_that_cannot_be_read_is_no_reading() -> None:
    payload, notes = mend.mend("ocpp2.0.1", "TransactionEvent", metered({"value": "?"}, {"value": 0.15012999999999999}), NOW)
    found: list[Note] = []
    event = registry.incoming("ocpp2.0.1", "TransactionEvent").decode(payload, found)
    assert isinstance(event, events.TransactionProgressed)
    (reading,) = event.readings
    assert reading.energy_wh == Decimal("0.150")
    assert [note.code for note in notes + found] == ["mended_type"]


@pytest.mark.parametrize(("number", "plain"), [(1.0, 1), (-0.0, 0), (3e2, 300), (1.5, 1.5), (1e300, 1e300), (True, True)])
def test_whole_numbers_are_integers(number: Any, plain: Any) -> None:
    (found,) = mend.whole({"a": [number]})["a"]
    assert (found, type(found)) == (plain, type(plain))
