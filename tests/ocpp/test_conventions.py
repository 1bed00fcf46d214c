"""Plug & Charge over OCPP 1.6: in DataTransfer, through the same rules as 2.0.1."""

import json
from typing import Any

import pytest
from django_scopes import scopes_disabled

from csms.ocpp.v16.conventions import PNC_VENDOR
from stations.domain import commands
from stations.domain.commands import Command
from stations.models import CertificateRequest, InstalledCertificate, Station
from tests.certificates import csr, hash_data, root
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import asked, connected, issue, sent


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp1.6")


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def say(engine: Engine, station: Station, message: str, payload: Any) -> Any:
    return engine.say(station, "DataTransfer", {"vendorId": PNC_VENDOR, "messageId": message, "data": json.dumps(payload)})


def told(**payload: Any) -> dict[str, str]:
    return {"status": "Accepted", "data": json.dumps(payload)}


def mirror(station: Station) -> list[InstalledCertificate]:
    with scopes_disabled():
        return list(InstalledCertificate.objects.filter(station=station).order_by("id"))


def test_a_contract_is_looked_up_as_any_token(network: Network, engine: Engine, station: Station) -> None:
    network.token("DE8AC12345", type="eMAID")
    reply = say(engine, station, "Authorize", {"idToken": {"idToken": "DE8AC12345", "type": "eMAID"}})
    assert reply["status"] == "Accepted"
    assert json.loads(reply["data"])["idTokenInfo"]["status"] == "Accepted"


def test_what_is_within_is_mended_as_what_is_said_openly(network: Network, engine: Engine, station: Station) -> None:
    network.token("DE8AC12345", type="eMAID")
    reply = say(engine, station, "Authorize", {"idToken": {"idToken": "DE8AC12345\x00", "type": "eMAID"}})
    assert json.loads(reply["data"])["idTokenInfo"]["status"] == "Accepted"
    assert network.findings(station) == ["mended_nul"]


@pytest.mark.parametrize(
    ("presented", "status", "token"),
    [
        ({"certificate": root("DE8AC12345")}, "CertChainError", "Invalid"),
        ({"certificate": root("DE8AC12345", days=-1)}, "CertificateExpired", "Expired"),
        ({"certificate": "no certificate"}, "CertChainError", "Invalid"),
        (
            {"iso15118CertificateHashData": [hash_data(root()) | {"responderURL": "http://o.example.com"}]},
            "CertChainError",
            "Invalid",
        ),
    ],
)
def test_a_contract_that_nobody_vouches_for_is_refused_in_every_version(
    network: Network, engine: Engine, station: Station, presented: Any, status: str, token: str
) -> None:
    network.token("DE8AC12345", type="eMAID")
    payload = {"idToken": {"idToken": "DE8AC12345", "type": "eMAID"}} | presented
    tunnelled = json.loads(say(engine, station, "Authorize", payload)["data"])
    newer = Engine("ocpp2.0.1")
    other = connected(network, newer)
    answers = [tunnelled, newer.say(other, "Authorize", payload)]
    assert [(one["certificateStatus"], one["idTokenInfo"]["status"]) for one in answers] == [(status, token)] * 2
    assert network.findings(other) == (["contract_unverifiable"] if status == "CertChainError" else [])


def test_a_request_for_a_certificate_is_kept_as_one_for_vehicles(engine: Engine, station: Station) -> None:
    reply = say(engine, station, "SignCertificate", {"csr": csr("SN-1")})
    assert (reply["status"], json.loads(reply["data"])["status"]) == ("Accepted", "Rejected")
    with scopes_disabled():
        assert CertificateRequest.objects.get(station=station).type == "V2GCertificate"


def test_what_is_not_agreed_on_is_answered_so(network: Network, engine: Engine, station: Station) -> None:
    assert say(engine, station, "MakeCoffee", {}) == {"status": "UnknownMessageId"}
    assert say(engine, station, "SignCertificate", {"request": "?"}) == {"status": "Rejected"}
    assert network.findings(station) == ["vendor_data_unreadable"]
    assert engine.say(station, "DataTransfer", {"vendorId": "com.example"}) == {"status": "UnknownVendorId"}


def test_a_root_of_vehicles_goes_in_data_transfer_and_into_the_same_mirror(engine: Engine, station: Station) -> None:
    certificate = root("V2G Root")
    row = issue(station, commands.InstallCertificate("V2GRootCertificate", certificate))
    errand = sent(engine, station)
    (call,) = errand.calls
    assert (errand.action, call["vendorId"], call["messageId"]) == ("DataTransfer", PNC_VENDOR, "InstallCertificate")
    assert json.loads(call["data"]) == {"certificateType": "V2GRootCertificate", "certificate": certificate}
    engine.reply(station, errand, told(status="Accepted"))
    (kept,) = mirror(station)
    assert (kept.type, kept.subject) == ("V2GRootCertificate", "CN=V2G Root")
    chain = {"certificateType": "V2GRootCertificate", "certificateHashData": hash_data(certificate)}
    listing = commands.GetInstalledCertificates(["V2GRootCertificate"])
    assert asked(engine, station, listing, told(status="Accepted", certificateHashDataChain=[chain])).status == "confirmed"
    assert mirror(station)[0].reported_at
    named = (kept.hash_algorithm, kept.issuer_name_hash, kept.issuer_key_hash, kept.serial_number)
    asked(engine, station, commands.DeleteCertificate(*named, type=kept.type), told(status="Accepted"))
    assert mirror(station)[0].removed_at
    assert row.pk


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ({"status": "UnknownVendorId"}, "rejected", ""),
        ({"status": "Accepted"}, "failed", "InvalidAnswer"),
        (told(status="Perhaps"), "failed", "InvalidAnswer"),
        (told(status="Failed"), "rejected", ""),
    ],
)
def test_a_station_that_does_not_know_the_agreement_has_refused(
    engine: Engine, station: Station, answer: Any, status: str, code: str
) -> None:
    row = asked(engine, station, commands.InstallCertificate("MORootCertificate", root()), answer)
    assert (row.status, row.error_code) == (status, code)
    assert mirror(station) == []


def test_a_data_transfer_asked_word_for_word_is_the_same_command(engine: Engine, station: Station) -> None:
    from csms.ocpp.registry import BY_ACTION

    within = {"certificateType": "MORootCertificate", "certificate": root("MO Root")}
    payload = {"vendorId": PNC_VENDOR, "messageId": "InstallCertificate", "data": json.dumps(within)}
    command: Command = BY_ACTION["ocpp1.6"]["DataTransfer"].parse(payload)
    assert command == commands.InstallCertificate("MORootCertificate", within["certificate"])
    issue(station, command, raw={"action": "DataTransfer", "payload": payload})
    errand = sent(engine, station)
    assert (errand.action, errand.calls) == ("DataTransfer", (payload,))
    engine.reply(station, errand, told(status="Accepted"))
    assert [row.type for row in mirror(station)] == ["MORootCertificate"]


def test_a_certificate_for_vehicles_is_triggered_in_data_transfer(engine: Engine, station: Station) -> None:
    issue(station, commands.TriggerMessage("SignV2GCertificate"))
    errand = sent(engine, station)
    assert (errand.action, errand.calls[0]["messageId"]) == ("DataTransfer", "TriggerMessage")
    assert json.loads(errand.calls[0]["data"]) == {"requestedMessage": "SignV2GCertificate"}
