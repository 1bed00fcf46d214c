"""What happens to a message, whatever it means: gate, validate, mend, answer, log."""

import base64
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csms.ocpp import frames, schemas, v16
from csms.ocpp.exchange import Inbound
from csms.ocpp.session import Oddity, Session
from stations.models import Connection, Station
from tests import v16 as say
from tests.engine import Engine
from tests.network import Network
from tests.ocpp.strategies import damaged
from tests.trying import often


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True)


def as_sent(station: Station, text: str) -> Inbound:
    """A text frame as the socket would hand it over, read by the session."""
    fence = Connection.objects.with_scopes_disabled().get(station=station).fence
    action = Session("ocpp1.6").receive(text, 0)[-1]
    call = None if isinstance(action, Oddity) else frames.parse(text)
    assert call is None or isinstance(call, frames.Call)
    inbound = Inbound(station.pk, fence, "ocpp1.6", call, text, datetime.now(UTC), time.monotonic())
    if isinstance(action, Oddity):
        inbound.notes.append(action.note)
        inbound.answered = action.answer
    return inbound


def test_a_message_and_its_answer_are_in_the_log(network: Network, engine: Engine, station: Station) -> None:
    received = datetime.now(UTC)
    inbound = engine.inbound(station, "Authorize", {"idTag": "CARD"}, at=received)
    (frame,) = engine.round(inbound)
    (entry,) = network.log(station)
    assert (entry.direction, entry.protocol, entry.action, entry.event, entry.outcome) == (
        "in",
        "ocpp1.6",
        "Authorize",
        "TokenPresented",
        "result",
    )
    assert (entry.call, json.loads(entry.answer), entry.message_id) == (inbound.text, frame, frame[1] if frame else "")
    assert entry.received_at == received
    assert 0 < entry.handling_us < 60_000_000


def test_an_unknown_action_is_not_implemented_and_a_known_one_not_supported(
    network: Network, engine: Engine, station: Station
) -> None:
    assert engine.say(station, "MakeCoffee", {})[2:4] == ["NotImplemented", "1.6 has no action 'MakeCoffee'."]
    assert engine.say(station, "RemoteStartTransaction", {"idTag": "CARD"})[2:4] == [
        "NotSupported",
        "RemoteStartTransaction is not supported here: only the CSMS sends it.",
    ]
    assert network.findings(station) == ["refused_NotImplemented", "refused_NotSupported"]
    assert [entry.outcome for entry in network.log(station)] == ["NotImplemented", "NotSupported"]


@pytest.mark.parametrize("action", ["", "x" * 5000, "Mäke\x00Coffee", "\u202e"])
def test_an_absurd_action_is_answered_and_logged(network: Network, engine: Engine, station: Station, action: str) -> None:
    answer = engine.say(station, action, {})
    assert answer[2] == "NotImplemented"
    assert len(answer[3]) <= 255
    assert len(network.log(station)) == 1


def test_an_unknown_vendors_message_is_told_so_and_its_data_is_in_the_log(
    network: Network, engine: Engine, station: Station
) -> None:
    payload = {"vendorId": "com.example", "messageId": "Hello", "data": '{"my_key": 1, "myKey": 2}'}
    assert engine.say(station, "DataTransfer", payload) == {"status": "UnknownVendorId"}
    assert json.loads(network.log(station)[0].call)[3] == payload


@pytest.mark.parametrize("message_id", ["x" * 37, "x" * 5000, "ü" * 100, "\x00", 'quote"\\'])
def test_any_message_id_is_answered_as_it_came(network: Network, engine: Engine, station: Station, message_id: str) -> None:
    text = json.dumps([2, message_id, "StatusNotification", say.status("Available", connector=999)])
    (frame,) = engine.round(as_sent(station, text))
    assert frame == [3, message_id, {}]
    assert network.log(station)[0].message_id == message_id.replace("\x00", "")[:36]
    assert network.finding(station, "evse_impossible").message_id == message_id.replace("\x00", "")[:36]


def test_a_number_for_a_message_id_is_answered_as_text(network: Network, engine: Engine, station: Station) -> None:
    assert engine.round(as_sent(station, '[2,4711,"Heartbeat",{}]'))[0][:2] == [3, "4711"]  # type: ignore[index]


def test_the_same_message_id_again_is_another_message(network: Network, engine: Engine, station: Station) -> None:
    """Ids count from the beginning again after a boot (MicroOcpp#311); two stations may use the same."""
    other = network.station(accepted=True)
    text = '[2,"1000001","Heartbeat",{}]'
    answered = engine.round(as_sent(station, text), as_sent(station, text), as_sent(other, text))
    assert [frame[:2] for frame in answered if frame] == [[3, "1000001"]] * 3
    assert (len(network.log(station)), len(network.log(other))) == (2, 1)


NUL = "\\u0000"
LONE = "\\ud83d"
BOOT_TEXTS = ("chargePointVendor", "chargePointModel", "chargePointSerialNumber", "firmwareVersion", "iccid", "imsi", "meterType")
#: Messages with text in every field, "@" standing for what is odd.
TEXTS: list[tuple[str, dict[str, Any]]] = [
    ("BootNotification", say.BOOT | dict.fromkeys(BOOT_TEXTS, "a@b")),
    ("StatusNotification", say.status("Available", info="a@b", vendorId="a@b", vendorErrorCode="a@b")),
    ("Authorize", {"idTag": "a@b"}),
    ("StartTransaction", say.start(tag="a@b")),
    ("StopTransaction", say.stop(1, idTag="a@b")),
    ("DataTransfer", {"vendorId": "a@b", "messageId": "a@b", "data": "a@b"}),
    (
        "MeterValues",
        {
            "connectorId": 1,
            "meterValue": [
                {"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [{"value": "1@2"}, {"value": "a@b", "format": "SignedData"}]},
                {"timestamp": "2026-01-01T00:00:00@Z", "sampledValue": [{"value": "1", "unit": "W@h"}]},
            ],
        },
    ),
    ("Heartbeat", {"a@b": "a@b"}),
    ("Make@Coffee", {"a@b": "a@b"}),
]


@pytest.mark.parametrize("odd", [NUL, LONE, f"{LONE}{NUL}"], ids=["nul", "half a character", "both"])
@pytest.mark.parametrize(("action", "payload"), TEXTS, ids=[action for action, _ in TEXTS])
def test_characters_that_no_table_can_hold_never_break_a_batch(
    network: Network, engine: Engine, station: Station, action: str, payload: dict[str, Any], odd: str
) -> None:
    text = json.dumps([2, "m@1", action, payload]).replace("@", odd)
    inbound = [as_sent(station, text), engine.inbound(station, "Heartbeat", {})]
    answer, heartbeat = engine.round(*inbound)
    assert answer is not None
    assert heartbeat is not None
    assert (answer[0], heartbeat[0]) == (4 if action == "Make@Coffee" else 3, 3)
    assert network.repairs(station) == []
    assert "handler_failed" not in network.findings(station)
    assert len(network.log(station)) == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hello", "frame_unreadable"),
        ("\x00\ud800", "frame_unreadable"),
        ("", "frame_empty"),
        ('[1,"a","StartTransaction",{}]', "frame_type_unknown"),
        ('[2,"a"]', "frame_unreadable"),
        ('[3,"nobody",{}]', "answer_unexpected"),
        ("[" * 100_000, "frame_unreadable"),
    ],
)
def test_a_frame_that_is_no_message_is_logged_with_a_finding(
    network: Network, engine: Engine, station: Station, text: str, code: str
) -> None:
    assert engine.round(as_sent(station, text)) == [None]
    assert network.findings(station) == [code]
    (entry,) = network.log(station)
    assert (entry.action, entry.outcome) == ("", "")
    assert entry.call == text.replace("\x00", "").replace("\ud800", "?")


def test_a_frame_that_is_no_message_is_logged_before_the_boot_too(network: Network, engine: Engine) -> None:
    station = network.station()
    engine.round(as_sent(station, "hello"))
    assert network.findings(station) == ["frame_unreadable"]


SECRET = "hunter2-Zq9"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([2, "1", "DataTransfer", {"vendorId": "v", "data": json.dumps({"AuthorizationKey": SECRET})}]),
        json.dumps(
            [2, "1", "StatusNotification", {"password": SECRET, "connectorId": 1, "status": "Available", "errorCode": "NoError"}]
        ),
        json.dumps([2, "1", "StatusNotification", {"password": SECRET}]),
        json.dumps([2, "1", "StopTransaction", {"password": SECRET, "transactionId": {}}]),
        json.dumps([3, "1", {"configurationKey": [{"key": "AuthorizationKey", "value": SECRET}]}]),
        '[2,"1","StopTransaction",{"password":"' + SECRET,
        f"password {SECRET}",
    ],
)
def test_a_secret_is_stored_nowhere(network: Network, engine: Engine, station: Station, text: str) -> None:
    engine.round(as_sent(station, text))
    stored = [f"{entry.call}{entry.answer}" for entry in network.log(station)]
    stored += [f"{repair.frame}{repair.answer}{repair.reason}" for repair in network.repairs(station)]
    stored += [network.finding(station, code).detail for code in set(network.findings(station))]
    assert stored
    assert SECRET not in "".join(stored)


def test_each_mend_is_a_finding_that_counts(network: Network, engine: Engine, station: Station) -> None:
    for _ in range(3):
        engine.say(station, "StatusNotification", say.status("Available") | {"info": None, "shoeSize": 43})
    extra = network.finding(station, "mended_additionalProperties")
    assert (extra.count, extra.severity, extra.detail) == (3, "info", "unknown properties left out: shoeSize")
    assert network.finding(station, "mended_type").subject == "info"
    assert extra.first_at < extra.last_at


def test_what_is_refused_leaves_no_finding_of_the_mends_before(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "StatusNotification", say.status("Hungry") | {"info": None})
    assert network.findings(station) == ["payload_invalid"]


def test_a_strict_station_may_say_all_that_the_schema_allows(network: Network, engine: Engine) -> None:
    station = network.station(accepted=True, strict=True)
    network.token("CARD")
    number = engine.say(station, "StartTransaction", say.start())["transactionId"]
    assert engine.say(station, "MeterValues", say.meters(2000, 300, number)) == {}
    assert engine.say(station, "StopTransaction", say.stop(number)) == {}
    assert network.findings(station) == []
    assert engine.say(station, "MeterValues", {"connectorId": 1})[2] == "OccurenceConstraintViolation"
    assert network.repairs(station) == []


# Anything

MESSAGES = st.one_of(*(st.tuples(st.just(t.action), damaged(schemas.schema("ocpp1.6", t.action))) for t in v16.INCOMING))


@settings(
    max_examples=often(60),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(messages=st.lists(MESSAGES, min_size=4, max_size=8))
def test_whatever_comes_is_answered_and_stored(network: Network, engine: Engine, messages: list[tuple[str, Any]]) -> None:
    station = network.station(accepted=True)
    frames = engine.round(*(engine.inbound(station, action, payload) for action, payload in messages))
    assert all(frame is not None and frame[0] in (3, 4) for frame in frames)
    # A transaction message is never refused.
    assert all(
        frame is not None and frame[0] == 3
        for frame, (action, _) in zip(frames, messages, strict=True)
        if action in ("StartTransaction", "StopTransaction", "MeterValues")
    )
    assert "handler_failed" not in network.findings(station)
    assert len(network.log(station)) == len(messages)


def test_a_signed_message_is_read_as_the_one_in_it(network: Network, engine: Engine, station: Station) -> None:
    """OCPP 2.0.1 Part 4 section 7."""
    inner = json.dumps({"connectorId": 1, "errorCode": "NoError", "status": "Available"})
    signed = {"payload": base64.urlsafe_b64encode(inner.encode()).decode().rstrip("="), "protected": "e30", "signature": "x"}
    assert engine.say(station, "StatusNotification-Signed", signed) == {}
    assert network.connectors(station)[1].status == "Available"
    assert network.findings(station) == ["signature_unchecked"]
    for broken in ({}, {"payload": 7}, {"payload": "é"}, {"payload": "bnVsbA"}, None):
        assert engine.say(station, "StatusNotification-Signed", broken)[2] == "NotImplemented"
