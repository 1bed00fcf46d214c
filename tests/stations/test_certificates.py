"""Certificates at stations: installed, listed by their hashes, deleted, and known again by what was brought there."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from django_scopes import scopes_disabled

from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.models import Finding, InstalledCertificate, Station
from stations.services import x509reading
from tests.certificates import csr, hash_data, made, new_key, pem, root
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, PROTOCOLS, asked, connected, issue, sent


@pytest.fixture(params=PROTOCOLS)
def engine(committed: None, request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def mirror(station: Station) -> list[InstalledCertificate]:
    with scopes_disabled():
        return list(InstalledCertificate.objects.filter(station=station).order_by("id"))


def answer(engine: Engine, *certificates: dict[str, str], kind: str = "CSMSRootCertificate", **more: Any) -> dict[str, Any]:
    """What a station answers to the question which certificates of a type it has."""
    if not certificates:
        return {"status": "NotFound"}
    if engine.protocol == "ocpp1.6":
        return {"status": "Accepted", "certificateHashData": list(certificates)}
    chains = [{"certificateType": kind, "certificateHashData": one} | more for one in certificates]
    return {"status": "Accepted", "certificateHashDataChain": chains}


def install(engine: Engine, station: Station, certificate: str, *answers: Any) -> Any:
    return asked(engine, station, commands.InstallCertificate("CSMSRootCertificate", certificate), *answers)


def list_roots(engine: Engine, station: Station, *certificates: dict[str, str]) -> Any:
    wanted = commands.GetInstalledCertificates(["CSMSRootCertificate"])
    return asked(engine, station, wanted, answer(engine, *certificates))


def test_what_a_station_took_is_in_the_mirror_with_its_name_its_end_and_its_hashes(engine: Engine, station: Station) -> None:
    certificate = root("Amber Root", days=100)
    assert install(engine, station, certificate).status == "confirmed"
    (row,) = mirror(station)
    said = hash_data(certificate)
    assert (row.subject, row.issuer, row.type) == ("CN=Amber Root", "CN=Amber Root", "CSMSRootCertificate")
    assert row.not_after is not None
    assert 98 < (row.not_after - datetime.now(UTC)).days < 101
    assert (row.issuer_name_hash, row.issuer_key_hash) == (said["issuerNameHash"], said["issuerKeyHash"])
    assert row.installed_at
    assert not row.reported_at
    assert not row.removed_at


@pytest.mark.parametrize("status", ["Rejected", "Failed"])
def test_what_a_station_refused_is_not_in_the_mirror(engine: Engine, station: Station, status: str) -> None:
    assert install(engine, station, root(), {"status": status}).status == "rejected"
    assert mirror(station) == []


def test_a_list_is_known_again_in_whatever_algorithm_and_case_the_station_tells_it(engine: Engine, station: Station) -> None:
    certificate = root("Amber Root")
    install(engine, station, certificate)
    told = hash_data(certificate, "SHA384", upper=True) | {"serialNumber": "00" + hash_data(certificate)["serialNumber"].upper()}
    assert list_roots(engine, station, told).status == "confirmed"
    (row,) = mirror(station)
    assert (row.hash_algorithm, row.issuer_key_hash) == ("SHA384", told["issuerKeyHash"])
    assert (row.subject, bool(row.reported_at)) == ("CN=Amber Root", True)


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384"])
def test_a_certificate_brought_again_is_the_one_that_the_station_has_named_since(
    engine: Engine, station: Station, algorithm: str
) -> None:
    certificate = root("Amber Root")
    told = hash_data(certificate, algorithm, upper=True)
    install(engine, station, certificate)
    list_roots(engine, station, told)
    (before,) = mirror(station)
    list_roots(engine, station)
    install(engine, station, certificate)
    (row,) = mirror(station)
    assert (row.issuer_key_hash, row.removed_at, row.reported_at) == (told["issuerKeyHash"], None, None)
    assert row.installed_at
    assert before.installed_at
    assert row.installed_at > before.installed_at


def test_a_certificate_that_was_only_listed_is_known_once_it_is_brought(engine: Engine, station: Station) -> None:
    certificate = root("Amber Root")
    list_roots(engine, station, hash_data(certificate, upper=True))
    assert mirror(station)[0].subject == ""
    install(engine, station, certificate)
    (row,) = mirror(station)
    assert (row.subject, row.pem.strip(), bool(row.not_after)) == ("CN=Amber Root", certificate.strip(), True)


def test_a_station_is_asked_to_delete_in_its_own_words(engine: Engine, station: Station) -> None:
    certificate = root()
    told = hash_data(certificate, "SHA512", upper=True)
    list_roots(engine, station, told)
    (row,) = mirror(station)
    named = {name: getattr(row, name) for name in ("hash_algorithm", "issuer_name_hash", "issuer_key_hash", "serial_number")}
    issue(station, commands.DeleteCertificate(**named, type=row.type))
    errand = sent(engine, station)
    assert errand.calls == ({"certificateHashData": told},)
    engine.reply(station, errand, ACCEPTED)
    assert mirror(station)[0].removed_at


@pytest.mark.parametrize(("status", "gone"), [("Accepted", True), ("NotFound", True), ("Failed", False)])
def test_a_deletion_shows_in_the_mirror_if_the_certificate_is_gone(
    engine: Engine, station: Station, status: str, gone: bool
) -> None:
    certificate = root()
    install(engine, station, certificate)
    said = hash_data(certificate, upper=True)
    named = commands.DeleteCertificate("SHA256", said["issuerNameHash"], said["issuerKeyHash"], "0" + said["serialNumber"])
    row = asked(engine, station, named, {"status": status})
    assert row.status == ("confirmed" if status == "Accepted" else "rejected")
    assert bool(mirror(station)[0].removed_at) is gone


def test_what_a_station_lists_no_more_is_gone_and_comes_back_when_it_lists_it_again(engine: Engine, station: Station) -> None:
    kept, gone = hash_data(root("One")), hash_data(root("Two"))
    list_roots(engine, station, kept, gone)
    list_roots(engine, station, kept)
    assert [bool(row.removed_at) for row in mirror(station)] == [False, True]
    list_roots(engine, station)
    assert [bool(row.removed_at) for row in mirror(station)] == [True, True]
    list_roots(engine, station, gone)
    assert [bool(row.removed_at) for row in mirror(station)] == [True, False]


def test_a_root_that_we_brought_elsewhere_is_known_by_name_but_not_by_another_operator(
    network: Network, engine: Engine, station: Station
) -> None:
    certificate = root("Amber Root")
    install(engine, connected(network, engine), certificate)
    list_roots(engine, station, hash_data(certificate))
    assert mirror(station)[0].subject == "CN=Amber Root"
    stranger = connected(Network(), engine)
    list_roots(engine, stranger, hash_data(certificate))
    assert mirror(stranger)[0].subject == ""


def test_the_chain_for_vehicles_is_kept_with_what_is_beneath_it(committed: None, network: Network) -> None:
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine)
    leaf, middle = hash_data(root("Leaf")), hash_data(root("Middle"))
    listed = answer(engine, leaf, kind="V2GCertificateChain", childCertificateHashData=[middle])
    asked(engine, station, commands.GetInstalledCertificates(), listed)
    (row,) = mirror(station)
    assert (row.type, [child["serial_number"] for child in row.children]) == ("V2GCertificateChain", [middle["serialNumber"]])


def unhashable() -> str:
    """A root of a key whose hash OCPP does not tell how to make."""
    key: Any = dsa.generate_private_key(1024)  # noqa: S505  (quickly made)
    return pem(made("Old Root", key, "Old Root", key))


@pytest.mark.parametrize(
    ("certificate", "why"),
    [
        ("nonsense", "must be in PEM"),
        (unhashable, "cannot be read"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "cannot be read"),
        (lambda: root(days=-1), "ended on"),
        (lambda: root() + root(), "2 certificates"),
        (lambda: root() + "-----BEGIN EC PRIVATE KEY-----\nMIIB\n-----END EC PRIVATE KEY-----", "private key"),
        (csr, "must be in PEM"),
    ],
)
def test_what_is_no_root_to_trust_is_not_sent(
    network: Network, engine: Engine, station: Station, certificate: Any, why: str
) -> None:
    text = certificate if isinstance(certificate, str) else certificate()
    with pytest.raises(BadCommand, match=why):
        issue(station, commands.InstallCertificate("CSMSRootCertificate", text))


@pytest.mark.parametrize("made", [lambda: "nonsense", unhashable])
def test_a_raw_call_may_send_nonsense_and_the_mirror_is_spared_it(
    engine: Engine, station: Station, made: Callable[[], str]
) -> None:
    said, nonsense = "CentralSystemRootCertificate" if engine.protocol == "ocpp1.6" else "CSMSRootCertificate", made()
    payload = {"certificateType": said, "certificate": nonsense}
    command = commands.InstallCertificate("CSMSRootCertificate", nonsense)
    row = asked(engine, station, command, raw={"action": "InstallCertificate", "payload": payload})
    assert row.status == "confirmed"
    assert mirror(station) == []


def test_contract_certificates_and_revocations_fail_honestly_and_are_told(committed: None, network: Network) -> None:
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine)
    wanted = {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Install", "exiRequest": "gJgA"}
    reply = engine.say(station, "Get15118EVCertificate", wanted)
    assert (reply["status"], reply["exiResponse"], reply["statusInfo"]["reasonCode"]) == ("Failed", "", "NotEnabled")
    ocsp = {"ocspRequestData": hash_data(root()) | {"responderURL": "http://ocsp.example.com"}}
    assert engine.say(station, "GetCertificateStatus", ocsp)["status"] == "Failed"
    assert network.findings(station) == ["certificate_status_failed", "contract_certificate_failed"]
    with scopes_disabled():
        assert "ocsp.example.com" in Finding.objects.get(station=station, code="certificate_status_failed").detail


def test_hashes_are_those_that_openssl_makes(tmp_path: Path) -> None:
    """Of an issuer's name and key, as OCSP has them (RFC 6960 4.1.1)."""
    key = rsa.generate_private_key(65537, 2048)
    ca = made("RSA Root", key, "RSA Root", key)
    leaf = made("Leaf", new_key(), "RSA Root", key)
    (tmp_path / "ca.pem").write_text(pem(ca))
    (tmp_path / "leaf.pem").write_text(pem(leaf))
    command = ["openssl", "ocsp", "-sha256", "-issuer", "ca.pem", "-cert", "leaf.pem", "-reqout", "r.der", "-req_text"]
    try:
        text = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip("there is no openssl here")
    found = x509reading.hash_of(leaf, "SHA256", ca)
    assert found.issuer_name_hash.upper() in text
    assert found.issuer_key_hash.upper() in text
    assert found.serial_number.upper() in text
    assert x509reading.hash_of(leaf, "SHA256").issuer_key_hash == ""
    assert x509.load_der_x509_certificate(leaf.public_bytes(Encoding.DER)) == leaf
