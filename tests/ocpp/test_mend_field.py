"""Leniency, from field to field: names, words, empty values and shapes that are not the schema's, and what they mean."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from csms.ocpp import mend
from csms.ocpp.errors import InvalidPayload

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT, RECEIPT = "2026-11-21T10:00:00Z", "2026-11-21T12:00:00Z"
OLD, NEW = "ocpp1.6", "ocpp2.0.1"
START = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": AT}
STOP = {"transactionId": 1, "meterStop": 10, "timestamp": AT}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
STATUS_2 = {"timestamp": AT, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}
EVENT = {"eventType": "Updated", "timestamp": AT, "triggerReason": "Trigger", "seqNo": 3, "transactionInfo": {"transactionId": "t"}}
SKIPPED = {"value": 0, "customData": mend.UNREADABLE}


def without(payload: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key not in names}


def meters(*samples: Any, **more: Any) -> dict[str, Any]:
    return {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": list(samples)}]} | more


UNDERSTOOD: dict[str, tuple[str, str, Any, Any]] = {
    "names in other letters": (
        *(OLD, "StartTransaction"),
        {"ConnectorID": 1, "idtag": "TAG", "meter_start": 0, "TimeStamp": AT},
        START,
    ),
    "names in other letters, deep down": (
        *(OLD, "MeterValues"),
        {"connectorid": 1, "MeterValue": [{"Timestamp": AT, "SampledValue": [{"Value": "5", "Unit": "Wh"}]}]},
        meters({"value": "5", "unit": "Wh"}),
    ),
    "a name twice: the right one counts": (OLD, "StartTransaction", START | {"IDTAG": "OTHER"}, START),
    "the payload in a text": (
        OLD,
        "StopTransaction",
        '{"transactionId":1,"meterStop":10,"timestamp":"2026-11-21T10:00:00Z"}',
        STOP,
    ),
    "the payload in a list": (OLD, "StopTransaction", [STOP], STOP),
    "empty texts for what is optional": (
        *(OLD, "StopTransaction"),
        STOP | {"reason": "", "transactionData": ""},
        STOP,
    ),
    "an empty unit, context, phase and measurand": (
        *(OLD, "MeterValues"),
        meters({"value": "5", "unit": "", "context": "", "phase": "", "measurand": ""}, transactionId=""),
        meters({"value": "5"}),
    ),
    "an empty error code": (OLD, "StatusNotification", STATUS | {"errorCode": ""}, STATUS),
    "null and empty objects in lists": (OLD, "MeterValues", meters(None, {"value": "5"}, None), meters({"value": "5"})),
    "nothing sampled": (OLD, "MeterValues", meters(None), meters({"value": ""})),
    "no meter values": (
        OLD,
        "MeterValues",
        {"connectorId": 1, "meterValue": []},
        {
            "connectorId": 1,
            "meterValue": [{"timestamp": RECEIPT, "sampledValue": [{"value": ""}]}],
        },
    ),
    "a value without its properties": (OLD, "MeterValues", meters("5", 7), meters({"value": "5"}, {"value": "7"})),
    "a list as an object with numbers": (
        *(OLD, "MeterValues"),
        {"connectorId": 1, "meterValue": {"0": {"timestamp": AT, "sampledValue": [{"value": "5"}]}}},
        meters({"value": "5"}),
    ),
    "units by other names": (
        *(OLD, "MeterValues"),
        meters(
            {"value": "50", "measurand": "Frequency", "unit": "Hz"}, {"value": "5", "measurand": "Current.Import", "unit": "Amps"}
        ),
        meters(
            {"value": "50", "measurand": "Frequency", "unit": "Hertz"}, {"value": "5", "measurand": "Current.Import", "unit": "A"}
        ),
    ),
    "a measurand with a line break": (
        *(OLD, "MeterValues"),
        meters({"value": "5", "measurand": "\nPower.Active.Import"}),
        meters({"value": "5", "measurand": "Power.Active.Import"}),
    ),
    "a stop that knows no transaction": (OLD, "StopTransaction", without(STOP, "transactionId"), STOP | {"transactionId": -1}),
    "a stop of what is no number": (OLD, "StopTransaction", STOP | {"transactionId": "a1-b2"}, STOP | {"transactionId": -1}),
    "a start of nobody": (OLD, "StartTransaction", START | {"idTag": None}, START | {"idTag": ""}),
    "a start of no plug": (OLD, "StartTransaction", without(START, "connectorId"), START | {"connectorId": 0}),
    "a tag in a list": (OLD, "StartTransaction", START | {"idTag": ["TAG"]}, START),
    "a time as a number": (OLD, "StartTransaction", START | {"timestamp": 1763719200}, START | {"timestamp": "1763719200"}),
    "a remark that is an object": (OLD, "StatusNotification", STATUS | {"info": {"a": 1}}, STATUS),
    "a fault by another name": (
        OLD,
        "StatusNotification",
        STATUS | {"status": "Error", "errorCode": "Error"},
        STATUS
        | {
            "status": "Faulted",
            "errorCode": "OtherError",
        },
    ),
    "a reason of 2.0.1": (OLD, "StopTransaction", STOP | {"reason": "ImmediateReset"}, STOP | {"reason": "HardReset"}),
    "a reason of 1.6": (
        *(NEW, "TransactionEvent"),
        EVENT | {"transactionInfo": {"transactionId": "t", "stoppedReason": "EVDisconnect"}},
        EVENT | {"transactionInfo": {"transactionId": "t", "stoppedReason": "EVDisconnected"}},
    ),
    "an empty object for what is optional": (NEW, "TransactionEvent", EVENT | {"evse": {}, "idToken": {}}, EVENT),
    "a token as 1.6 has it": (
        *(NEW, "TransactionEvent"),
        EVENT | {"idToken": "04A1"},
        EVENT | {"idToken": {"idToken": "04A1", "type": "ISO14443"}},
    ),
    "a token without a type": (
        *(NEW, "TransactionEvent"),
        EVENT | {"idToken": {"idToken": "04A1"}},
        EVENT | {"idToken": {"idToken": "04A1", "type": "ISO14443"}},
    ),
    "a meter value without samples": (
        *(NEW, "TransactionEvent"),
        EVENT | {"meterValue": [{"timestamp": AT}]},
        EVENT | {"meterValue": [{"timestamp": AT, "sampledValue": [SKIPPED]}]},
    ),
    "a state before it was called so": (
        *(NEW, "TransactionEvent"),
        EVENT | {"transactionInfo": {"transactionId": "t", "chargingState": "EVDetected"}},
        EVENT | {"transactionInfo": {"transactionId": "t", "chargingState": "EVConnected"}},
    ),
    "a status of an EVSE": (NEW, "StatusNotification", without(STATUS_2, "connectorId"), STATUS_2),
    "yes for true": (NEW, "TransactionEvent", EVENT | {"offline": "yes"}, EVENT | {"offline": True}),
}


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_it_is_understood_with_a_note(name: str) -> None:
    protocol, action, payload, wanted = UNDERSTOOD[name]
    given = copy.deepcopy(payload)
    result, notes = mend.mend(protocol, action, payload, NOW)
    assert result == wanted
    assert payload == given
    assert notes
    mend.validate(protocol, action, result)


@pytest.mark.parametrize(
    ("protocol", "action", "payload"),
    [
        (NEW, "Authorize", {"idToken": "04A1"}),
        (NEW, "Authorize", {"idToken": {"idToken": "04A1"}}),
        (OLD, "StatusNotification", without(STATUS, "connectorId")),
        (OLD, "StatusNotification", STATUS | {"status": ""}),
        (OLD, "MeterValues", {"meterValue": [{"timestamp": AT, "sampledValue": [{"value": "5"}]}]}),
        (NEW, "TransactionEvent", without(EVENT, "eventType")),
        (NEW, "StatusNotification", without(STATUS_2, "evseId")),
        (OLD, "Heartbeat", "{broken"),
    ],
)
def test_it_is_not_guessed_at(protocol: str, action: str, payload: Any) -> None:
    with pytest.raises(InvalidPayload):
        mend.mend(protocol, action, payload, NOW)


@pytest.mark.parametrize(
    ("protocol", "said", "meant"),
    [
        (OLD, "heartbeat", "Heartbeat"),
        (OLD, "BOOT_NOTIFICATION", "BootNotification"),
        (OLD, "StatusNotification.req", "StatusNotification"),
        (NEW, "TransactionEventRequest", "TransactionEvent"),
        (OLD, "TransactionEvent", None),
        (OLD, "Coffee", None),
    ],
)
def test_an_action_that_is_only_spelt_otherwise_is_known(protocol: str, said: str, meant: str | None) -> None:
    assert mend.spelled(protocol, said) == meant
