"""Leniency: what stations of the field send is understood, with a note; what is not understood is not guessed at."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csms.ocpp import frames, mend, registry, schemas
from csms.ocpp.errors import Code, InvalidPayload
from csms.ocpp.session import Oddity, Session
from csms.ocpp.translator import Incoming
from stations.domain.events import Event
from stations.domain.values import Note
from tests.ocpp import wire
from tests.ocpp.strategies import damaged, payloads
from tests.trying import often

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT = "2026-11-21T10:00:00Z"
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
START = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": AT}
STOP = {"transactionId": 1, "meterStop": 10, "timestamp": AT}
SAMPLE = {"value": "1500"}


def meters(*samples: Any, **fields: Any) -> dict[str, Any]:
    return {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": list(samples)}]} | fields


def mended(action: str, payload: Any) -> tuple[Any, list[str]]:
    """The mended payload and the notes as "code subject". What was given is not changed, what comes out is valid."""
    given_payload = copy.deepcopy(payload)
    result, notes = mend.mend("ocpp1.6", action, payload, NOW)
    assert payload == given_payload
    mend.validate("ocpp1.6", action, result)
    return result, [f"{note.code} {note.subject}".strip() for note in notes]


def refused(action: str, payload: Any) -> InvalidPayload:
    with pytest.raises(InvalidPayload) as caught:
        mend.mend("ocpp1.6", action, payload, NOW)
    return caught.value


def test_what_fits_is_left_alone() -> None:
    assert mended("StartTransaction", START) == (START, [])


@pytest.mark.parametrize(
    ("action", "payload", "wanted", "notes"),
    [
        pytest.param(action, payload, wanted, notes, id=name)
        for name, action, payload, wanted, notes in [
            ("null for an optional field is absent", "StatusNotification", STATUS | {"info": None}, STATUS, ["mended_type info"]),
            ("null for the payload", "Heartbeat", None, {}, ["mended_type"]),
            ("an empty list for the payload", "Heartbeat", [], {}, ["mended_type"]),
            (
                "an unknown property is left out",
                "Authorize",
                {"idTag": "T", "x": 1},
                {"idTag": "T"},
                ["mended_additionalProperties"],
            ),
            ("a number as text", "StartTransaction", START | {"connectorId": "1"}, START, ["mended_type connectorId"]),
            ("a number with blanks", "StartTransaction", START | {"meterStart": " +0 "}, START, ["mended_type meterStart"]),
            ("text as a number", "Authorize", {"idTag": 1234}, {"idTag": "1234"}, ["mended_type idTag"]),
            (
                "a fraction is rounded",
                "StopTransaction",
                STOP | {"meterStop": 26008.333},
                STOP | {"meterStop": 26008},
                ["mended_type meterStop"],
            ),
            (
                "a fraction as text",
                "StopTransaction",
                STOP | {"meterStop": "26008,7"},
                STOP | {"meterStop": 26009},
                ["mended_type meterStop"],
            ),
            (
                "an exponent",
                "StopTransaction",
                STOP | {"meterStop": "1.5e3"},
                STOP | {"meterStop": 1500},
                ["mended_type meterStop"],
            ),
            (
                "a value as a number",
                "MeterValues",
                meters({"value": 1500}),
                meters(SAMPLE),
                ["mended_type meterValue.sampledValue.value"],
            ),
            (
                "one where many are due",
                "MeterValues",
                {"connectorId": 1, "meterValue": {"timestamp": AT, "sampledValue": SAMPLE}},
                meters(SAMPLE),
                ["mended_type meterValue", "mended_type meterValue.sampledValue"],
            ),
            (
                "many where one is due",
                "MeterValues",
                {"connectorId": 1, "meterValue": [[{"timestamp": AT, "sampledValue": [SAMPLE]}]]},
                meters(SAMPLE),
                ["mended_type meterValue"],
            ),
            (
                "an enumeration in other letters",
                "StatusNotification",
                STATUS | {"status": "SUSPENDED_EV", "errorCode": "no error"},
                STATUS | {"status": "SuspendedEV"},
                ["mended_enum errorCode", "mended_enum status"],
            ),
            (
                "a synonym",
                "StatusNotification",
                STATUS | {"status": "Occupied"},
                STATUS | {"status": "Preparing"},
                ["mended_enum status"],
            ),
            (
                "an unknown error",
                "StatusNotification",
                STATUS | {"errorCode": "Meltdown"},
                STATUS | {"errorCode": "OtherError"},
                ["mended_enum errorCode"],
            ),
            (
                "an unknown reason",
                "StopTransaction",
                STOP | {"reason": "Boredom"},
                STOP | {"reason": "Other"},
                ["mended_enum reason"],
            ),
            (
                "an unknown unit is left out",
                "MeterValues",
                meters(SAMPLE | {"unit": "calories"}),
                meters(SAMPLE),
                ["mended_enum meterValue.sampledValue.unit"],
            ),
            (
                "an unknown context is left out",
                "MeterValues",
                meters(SAMPLE | {"context": "Whim"}),
                meters(SAMPLE),
                ["mended_enum meterValue.sampledValue.context"],
            ),
            (
                "an unknown measurand makes the value unreadable",
                "MeterValues",
                meters(SAMPLE | {"measurand": "Mood"}, SAMPLE),
                meters({"value": ""}, SAMPLE),
                ["mended_enum meterValue.sampledValue.measurand"],
            ),
            (
                "an unknown measurand of a number",
                "MeterValues",
                meters({"measurand": "Mood", "value": 7}, SAMPLE),
                meters({"value": ""}, SAMPLE),
                None,
            ),
            (
                "a value that is missing or null is skipped",
                "MeterValues",
                meters({"measurand": "SoC"}, {"value": None}, SAMPLE),
                meters({"measurand": "SoC", "value": ""}, {"value": ""}, SAMPLE),
                None,
            ),
            (
                "text that is too long is cut",
                "StatusNotification",
                STATUS | {"info": "x" * 60},
                STATUS | {"info": "x" * 50},
                ["mended_maxLength info"],
            ),
            (
                "a time that is missing",
                "StartTransaction",
                {k: v for k, v in START.items() if k != "timestamp"},
                START | {"timestamp": "2026-11-21T12:00:00Z"},
                ["mended_required"],
            ),
            (
                "a time that is null",
                "StopTransaction",
                STOP | {"timestamp": None},
                STOP | {"timestamp": "2026-11-21T12:00:00Z"},
                ["mended_type timestamp", "mended_required"],
            ),
            (
                "an error code that is missing",
                "StatusNotification",
                {"connectorId": 1, "status": "Available"},
                STATUS,
                ["mended_required"],
            ),
            (
                "a vendor that is missing",
                "BootNotification",
                {"chargePointModel": "M"},
                {"chargePointModel": "M", "chargePointVendor": "unknown"},
                ["mended_required"],
            ),
            (
                "the time of meter values in a stop",
                "StopTransaction",
                STOP | {"transactionData": [{"sampledValue": [SAMPLE]}]},
                STOP | {"transactionData": [{"timestamp": "2026-11-21T12:00:00Z", "sampledValue": [SAMPLE]}]},
                ["mended_required transactionData"],
            ),
        ]
    ],
)
def test_it_is_understood(action: str, payload: Any, wanted: Any, notes: list[str] | None) -> None:
    result, found = mended(action, payload)
    assert result == wanted
    assert found
    if notes is not None:
        assert found == notes


@pytest.mark.parametrize(
    ("action", "payload", "code", "path"),
    [
        ("StartTransaction", START | {"meterStart": "abc"}, Code.TYPE_CONSTRAINT_VIOLATION, "meterStart"),
        ("StartTransaction", START | {"meterStart": True}, Code.TYPE_CONSTRAINT_VIOLATION, "meterStart"),
        ("StartTransaction", START | {"meterStart": "9" * 5000}, Code.TYPE_CONSTRAINT_VIOLATION, "meterStart"),
        ("StartTransaction", START | {"meterStart": "1e30"}, Code.TYPE_CONSTRAINT_VIOLATION, "meterStart"),
        ("StartTransaction", START | {"meterStart": 1e30}, Code.TYPE_CONSTRAINT_VIOLATION, "meterStart"),
        ("StartTransaction", {}, Code.OCCURRENCE_CONSTRAINT_VIOLATION, "meterStart"),
        ("StopTransaction", {"timestamp": AT}, Code.OCCURRENCE_CONSTRAINT_VIOLATION, "lacks the required property"),
        ("StatusNotification", STATUS | {"status": "Hungry"}, Code.PROPERTY_CONSTRAINT_VIOLATION, "status"),
        ("StatusNotification", STATUS | {"status": {"is": "Available"}}, Code.TYPE_CONSTRAINT_VIOLATION, "status"),
        ("Heartbeat", "now", Code.TYPE_CONSTRAINT_VIOLATION, "the payload"),
        ("Heartbeat", [1], Code.TYPE_CONSTRAINT_VIOLATION, "the payload"),
        ("DataTransfer", {"vendorId": "v", "data": {"a": 1}}, Code.TYPE_CONSTRAINT_VIOLATION, "data"),
    ],
)
def test_it_is_not_guessed_at(action: str, payload: Any, code: Code, path: str) -> None:
    error = refused(action, payload)
    assert error.code is code
    assert path in error.description


@pytest.mark.parametrize("action", ["Authorize", "StartTransaction", "StopTransaction"])
def test_a_token_is_never_cut(action: str) -> None:
    """Cut short it would be somebody else's."""
    fitting = {"Authorize": {}, "StartTransaction": START, "StopTransaction": STOP}[action]
    error = refused(action, fitting | {"idTag": "ABCDEFGHIJKLMNOPQRSTU"})
    assert error.code is Code.PROPERTY_CONSTRAINT_VIOLATION
    assert error.description == "idTag is longer than 20 characters."


SECRET = "hunter2-Zq9"


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("Authorize", {"idTag": [SECRET, 5]}),
        ("Authorize", {"idTag": SECRET * 5}),
        ("Authorize", {"idTag": {"idToken": SECRET}}),
        ("StartTransaction", START | {"meterStart": SECRET}),
        ("StatusNotification", STATUS | {"status": SECRET}),
        ("MeterValues", {"connectorId": 1, "meterValue": [SECRET]}),
        ("DataTransfer", {"vendorId": "v", "data": [SECRET, SECRET]}),
        ("DataTransfer", {"data": SECRET}),
        ("Heartbeat", SECRET),
    ],
)
def test_an_error_never_quotes_what_was_sent(action: str, payload: Any) -> None:
    assert SECRET not in refused(action, payload).description
    with pytest.raises(InvalidPayload) as caught:
        mend.validate("ocpp1.6", action, payload)
    assert SECRET not in caught.value.description


def test_strict_validation_says_which_property_is_unknown() -> None:
    with pytest.raises(InvalidPayload, match=r"the payload has unknown properties 'foo'\.") as caught:
        mend.validate("ocpp1.6", "Authorize", {"idTag": "T", "foo": 1})
    assert caught.value.code is Code.FORMAT_VIOLATION


def test_nul_is_left_out_of_names_and_values() -> None:
    notes: list[Note] = []
    assert mend.storable({"a\x00": ["b\x00c", {"d": "\x00"}, 1, None]}, notes) == {"a": ["bc", {"d": ""}, 1, None]}
    assert {note.code for note in notes} == {"mended_nul"}


# Frames seen in the field

QUIRKS = json.loads((Path(__file__).parent.parent / "wire" / "quirks-v16.json").read_text())


@pytest.mark.parametrize("quirk", QUIRKS["understood"], ids=lambda quirk: quirk["name"])
def test_a_frame_of_the_field_is_understood(quirk: dict[str, Any]) -> None:
    call = frames.parse(quirk["frame"])
    assert isinstance(call, frames.Call)
    payload, notes = mend.mend("ocpp1.6", call.action, call.payload, NOW)
    event = registry.incoming("ocpp1.6", call.action).decode(payload, notes)
    assert wire.as_json(event) == quirk["event"]
    assert [note.code for note in notes] == quirk.get("notes", [])


@pytest.mark.parametrize("quirk", QUIRKS["no_frames"], ids=lambda quirk: quirk["name"])
def test_a_frame_of_the_field_that_is_none_costs_nobody_the_connection(quirk: dict[str, Any]) -> None:
    *_, oddity = Session("ocpp1.6").receive(quirk["frame"], 0)
    assert isinstance(oddity, Oddity)


# Anything

TRANSLATORS = [
    pytest.param(protocol, translator, id=f"{protocol} {action}")
    for protocol, table in registry.INCOMING.items()
    for action, translator in sorted(table.items())
]
QUICK = settings(
    max_examples=often(20),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize(("protocol", "translator"), TRANSLATORS)
@QUICK
@given(data=st.data())
def test_what_fits_the_schema_is_decoded_without_mending(protocol: str, translator: type[Incoming], data: st.DataObject) -> None:
    payload = data.draw(payloads(schemas.schema(protocol, translator.action)))
    mend.validate(protocol, translator.action, payload)
    assert isinstance(translator.decode(mend.whole(mend.storable(payload, [])), []), Event)


@pytest.mark.parametrize(("protocol", "translator"), TRANSLATORS)
@QUICK
@given(data=st.data())
def test_whatever_comes_is_mended_and_decoded_or_refused(protocol: str, translator: type[Incoming], data: st.DataObject) -> None:
    payload = data.draw(damaged(schemas.schema(protocol, translator.action)))
    try:
        clean, notes = mend.mend(protocol, translator.action, mend.storable(payload, []), NOW)
    except InvalidPayload:
        return
    mend.validate(protocol, translator.action, clean)
    assert isinstance(translator.decode(mend.whole(clean), notes), Event)
    assert all(len(note.code) <= 50 for note in notes)
