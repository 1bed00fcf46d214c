"""One exchange in full: marks at their place, the event in words, the session it is about, and the test made of it."""

import json
from typing import Any

import pytest
from django.test import Client
from django_scopes import scope

from csms.ocpp import signed
from stations.models import MessageLogEntry
from stations.services import localcontrollers
from tests.dashboard.test_messages import entry
from tests.network import Network
from tests.ocpp import test_golden as golden
from tests.ocpp import test_golden_commands as commands
from tests.ocpp import test_mend as mended
from tests.ocpp import test_signed as signing


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


def signed_entry(network: Network) -> MessageLogEntry:
    message = signing.jws("ES256")
    said = signed.opened(message)
    assert said is not None
    call = f'[2,"m1","StatusNotification",{said.text}]'
    station = network.station()
    return entry(station, action="StatusNotification", call=call, protocol="ocpp2.0.1", signatures=said.kept)


def test_a_signature_is_checked_anew_with_the_key_that_the_charger_has_now(ada: Client, ben: Client, amber: Network) -> None:
    known = signed_entry(amber)
    html = ada.get(address(known)).content.decode()
    assert "A signed message that could not be checked" in html
    assert "Give the charger&#x27;s public key or certificate on its page" in html
    for key, word in ((signing.P256, "Signed with the charger&#x27;s key"), (signing.OTHER, "A signature that is wrong")):
        with scope(operator=amber.operator):
            localcontrollers.set_signing_key(station=known.station, pem=signing.pem(key))
        assert word in ada.get(address(known)).content.decode()
    assert "&quot;protected&quot;" in html
    # By it a tag that is hidden could be guessed.
    looked = ben.get(address(known)).content.decode()
    assert "A signature that is wrong" in looked
    assert "&quot;protected&quot;" not in looked
    assert ">Signature</h2>" not in ada.get(address(entry(amber.station()))).content.decode()


def test_the_signature_of_an_answer_is_that_of_what_the_charger_said(ada: Client, amber: Network) -> None:
    said = signed.opened(signing.jws("ES256", payload={"status": "Accepted"}))
    assert said is not None
    fields = {"direction": "out", "action": "ClearCache", "protocol": "ocpp2.0.1", "signatures": said.kept}
    station = amber.station(signing_key=signing.pem(signing.P256))
    known = entry(station, call='[2,"m1","ClearCache",{}]', answer=f'[3,"m1",{said.text}]', **fields)
    assert "Signed with the charger&#x27;s key" in ada.get(address(known)).content.decode()


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
