"""One exchange in full: marks at their place, the event in words, the session it is about, and the test made of it."""

import json
from typing import Any

import pytest
from django.test import Client

from stations.models import MessageLogEntry
from tests.dashboard.test_messages import entry
from tests.network import Network
from tests.ocpp import test_golden as golden
from tests.ocpp import test_golden_commands as commands
from tests.ocpp import test_mend as mended


def address(known: MessageLogEntry) -> str:
    return f"/stations/{known.station.identity}/messages/{known.pk}/"


def exchanged(amber: Network, action: str, payload: Any, answer: Any, **fields: Any) -> MessageLogEntry:
    call = json.dumps([2, "m1", action, payload])
    return entry(amber.station(), action=action, call=call, answer=json.dumps([3, "m1", answer]), **fields)


START = {"connectorId": 1, "idTag": "04A1B2C3D4", "meterStart": 12000, "timestamp": "2026-11-21T10:00:00Z"}
TOLD = {
    "eventType": "Started",
    "timestamp": "2026-11-21T10:00:00Z",
    "triggerReason": "CablePluggedIn",
    "seqNo": 0,
    "transactionInfo": {"transactionId": "t-1"},
}


def test_what_breaks_the_schema_is_marked_where_it_stands(ada: Client, amber: Network) -> None:
    payload = {"connectorId": "1", "errorCode": "NoError", "status": "charging", "odd": 1}
    known = exchanged(amber, "StatusNotification", payload, {}, event="ConnectorStatusReported")
    html = ada.get(address(known)).content.decode()
    lines = {line.split(":")[0].strip(): line for line in html.splitlines() if "place-note" in line}
    assert set(lines) == {f"<mark>&quot;{name}&quot;" for name in ("connectorId", "status", "odd")}
    assert "was string, read as integer" in lines["<mark>&quot;connectorId&quot;"]
    assert "read as &#x27;Charging&#x27;" in lines["<mark>&quot;status&quot;"]
    assert "A plug, or the charger as a whole, told its state." in html


def test_what_cannot_be_understood_says_why(ada: Client, amber: Network) -> None:
    known = exchanged(amber, "StartTransaction", {"connectorId": {}}, {}, outcome="result", event="")
    html = ada.get(address(known)).content.decode()
    assert "It became no event" in html
    assert "place-note" in html
    assert "has to be written by hand" in html
    assert ada.get(f"{address(known)}test/").status_code == 404


@pytest.mark.parametrize(
    "text", ["[2,", "[]", "[2,1]", '[2,"m1","Nonsense",{}]', '[2,"m1","Heartbeat",[[]]]', "7", '{"a":1}', "[" * 900 + "]" * 900]
)
def test_no_frame_is_too_odd_for_its_page(ada: Client, amber: Network, text: str) -> None:
    known = entry(amber.station(), call=text)
    assert ada.get(address(known)).status_code == 200
    assert ada.get("/messages/").status_code == 200


def test_a_message_leads_to_its_session(ada: Client, amber: Network) -> None:
    from django.utils import timezone
    from django_scopes import scopes_disabled

    from stations.models import Transaction

    known = exchanged(amber, "StartTransaction", START, {"transactionId": 42, "idTagInfo": {"status": "Accepted"}})
    with scopes_disabled():
        made = Transaction.objects.create(
            operator=amber.operator,
            station=known.station,
            ocpp_transaction_id="42",
            started_at=timezone.now(),
            received_at=timezone.now(),
        )
    assert f'href="/transactions/{made.pk}/"' in ada.get(address(known)).content.decode()


@pytest.mark.parametrize(
    ("protocol", "action", "payload", "answer"),
    [
        ("ocpp1.6", "Heartbeat", {}, {"currentTime": "2026-11-21T10:00:00Z"}),
        ("ocpp1.6", "StartTransaction", START, {"transactionId": 42, "idTagInfo": {"status": "Accepted", "parentIdTag": "FLEET"}}),
        ("ocpp1.6", "StopTransaction", {"transactionId": 42, "meterStop": 9, "timestamp": "2026-11-21T10:00:00Z"}, {}),
        (
            "ocpp1.6",
            "BootNotification",
            {"chargePointVendor": "Acme", "chargePointModel": "One"},
            {"status": "Accepted", "currentTime": "2026-11-21T10:00:00Z", "interval": 300},
        ),
        ("ocpp1.6", "DataTransfer", {"vendorId": "acme"}, {"status": "UnknownVendorId"}),
        ("ocpp2.0.1", "TransactionEvent", TOLD, {}),
        ("ocpp2.0.1", "Authorize", {"idToken": {"idToken": "AA", "type": "ISO14443"}}, {"idTokenInfo": {"status": "Blocked"}}),
    ],
)
def test_an_exchange_saved_as_a_test_passes_as_one(
    ada: Client, amber: Network, protocol: str, action: str, payload: Any, answer: Any
) -> None:
    known = exchanged(amber, action, payload, answer, protocol=protocol)
    file = ada.get(f"{address(known)}test/")
    assert file["Content-Disposition"] == f'attachment; filename="{action}.json"'
    (case,) = json.loads(file.content)["cases"]
    golden.test_an_exchange_goes_as_it_is_written_down(protocol, action, case)
    html = ada.get(address(known)).content.decode()
    assert f"tests/wire/{'v16' if protocol == 'ocpp1.6' else 'v201'}/{action}.json" in html
    assert "curl -X" not in html


def test_one_that_had_to_be_mended_is_saved_as_a_quirk(ada: Client, amber: Network) -> None:
    known = exchanged(amber, "StatusNotification", {"connectorId": "1", "errorCode": "NoError", "status": "Available"}, {})
    (quirk,) = json.loads(ada.get(f"{address(known)}test/").content)["understood"]
    assert quirk["notes"] == ["mended_type"]
    mended.test_a_frame_of_the_field_is_understood(quirk)


@pytest.mark.parametrize(
    ("protocol", "action", "payload", "answer"),
    [
        ("ocpp1.6", "Reset", {"type": "Hard"}, {"status": "Accepted"}),
        ("ocpp1.6", "RemoteStartTransaction", {"connectorId": 1, "idTag": "O'NEIL"}, {"status": "Rejected"}),
        (
            "ocpp2.0.1",
            "RequestStartTransaction",
            {"evseId": 1, "remoteStartId": 99, "idToken": {"idToken": "AA", "type": "Central"}},
            {"status": "Accepted"},
        ),
    ],
)
def test_a_command_saved_as_a_test_passes_as_one_and_can_be_asked_again(
    ada: Client, amber: Network, protocol: str, action: str, payload: Any, answer: Any
) -> None:
    known = exchanged(amber, action, payload, answer, protocol=protocol, direction="out", event="Reset")
    (case,) = json.loads(ada.get(f"{address(known)}test/").content)["cases"]
    commands.test_a_command_goes_as_it_is_written_down(protocol, action, case)
    page = ada.get(address(known))
    assert f"/api/v1/stations/{known.station.identity}/ocpp/{action}/" in page.context["exchange"].curl
    assert "/out/" in page.context["exchange"].path


def test_a_secret_is_masked_in_the_test_too(ada: Client, amber: Network) -> None:
    known = exchanged(
        amber,
        "ChangeConfiguration",
        {"key": "AuthorizationKey", "value": "***"},
        {"status": "Accepted"},
        direction="out",
        event="SetVariables",
    )
    html = ada.get(address(known)).content.decode()
    assert "secrets are masked in it" in html
    assert ada.get(f"{address(known)}test/").status_code == 200
