"""The security extension: certificates, their requests, security events, and signed firmware.

Nobody signs requests here until a certificate authority is set up: they are kept and refused honestly, and a person answers them
with the certificate that somebody else has made.
"""

from typing import Any

from tests.certificates import csr, hash_data, root, signed
from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station16, ago
from tests.firmware import made_image
from tests.network import Network


def new_certificate(station: Station16, api: Api, status: str) -> Any:
    """A request that the station was asked for, answered by hand; what the station makes of that."""
    station.boot(chargePointSerialNumber="SN-1")
    trigger = api.command(station, "trigger_message", {"message": "SignChargingStationCertificate"})
    station.expect("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate")
    station.answer(status="Accepted")
    wanted = csr("SN-1")
    assert station.call("SignCertificate", csr=wanted) == {"status": "Rejected"}
    api.becomes(trigger, "confirmed")
    request = api.one(station, "certificate-requests/")
    assert (request["common_name"], request["key"], request["problems"], request["csr"]) == ("SN-1", "EC 256", [], wanted)
    chain = signed(wanted)
    sent = api.command(station, "certificate_signed", {"certificate_chain": chain, "request": request["id"]})
    station.expect("CertificateSigned", certificateChain=chain)
    station.answer(status=status)
    api.becomes(sent, "confirmed" if status == "Accepted" else "rejected")
    return api.one(station, "certificate-requests/")


@case("1.6", "TC_074_CSMS", requirement="OCPP 1.6 security whitepaper A02")
def test_a_new_certificate_by_request_of_the_central_system(station: Station16, api: Api) -> None:
    assert new_certificate(station, api, "Accepted")["status"] == "installed"
    own = api.one(station, "certificates/", type="ChargingStationCertificate")
    assert (own["subject"], own["issuer"], own["removed_at"]) == ("CN=SN-1", "CN=Amber CA", None)


def install(station: Station16, api: Api, kind: str, said: str) -> str:
    """Installed, and listed by the station."""
    certificate = root()
    asked = api.command(station, "install_certificate", {"type": kind, "certificate": certificate})
    station.expect("InstallCertificate", certificateType=said, certificate=certificate)
    station.answer(status="Accepted")
    api.becomes(asked, "confirmed")
    listed(station, api, kind, said, hash_data(certificate))
    return certificate


def listed(station: Station16, api: Api, kind: str, said: str, *ones: dict[str, str]) -> None:
    asked = api.command(station, "get_installed_certificates", {"types": [kind]})
    station.expect("GetInstalledCertificateIds", certificateType=said)
    station.answer({"status": "Accepted", "certificateHashData": list(ones)} if ones else {"status": "NotFound"})
    api.becomes(asked, "confirmed")


@case("1.6", "TC_075_1_CSMS", requirement="OCPP 1.6 security whitepaper M05")
def test_a_manufacturers_root_is_installed(station: Station16, api: Api) -> None:
    install(station, api, "ManufacturerRootCertificate", "ManufacturerRootCertificate")
    row = api.one(station, "certificates/")
    assert (row["type"], row["subject"]) == ("ManufacturerRootCertificate", "CN=Amber Root")
    assert row["installed_at"]
    assert row["reported_at"]


@case("1.6", "TC_075_2_CSMS", requirement="OCPP 1.6 security whitepaper M05")
def test_a_central_systems_root_is_installed(station: Station16, api: Api) -> None:
    certificate = install(station, api, "CSMSRootCertificate", "CentralSystemRootCertificate")
    row = api.one(station, "certificates/")
    assert (row["type"], row["issuer_key_hash"]) == ("CSMSRootCertificate", hash_data(certificate)["issuerKeyHash"])
    assert row["reported_at"]


@case("1.6", "TC_076_CSMS", requirement="OCPP 1.6 security whitepaper M04")
def test_a_certificate_is_deleted(station: Station16, api: Api) -> None:
    certificate = install(station, api, "CSMSRootCertificate", "CentralSystemRootCertificate")
    row = api.one(station, "certificates/")
    names = ("hash_algorithm", "issuer_name_hash", "issuer_key_hash", "serial_number", "type")
    asked = api.command(station, "delete_certificate", {name: row[name] for name in names})
    station.expect("DeleteCertificate", certificateHashData=hash_data(certificate))
    station.answer(status="Accepted")
    api.becomes(asked, "confirmed")
    assert api.one(station, "certificates/")["removed_at"]
    listed(station, api, "CSMSRootCertificate", "CentralSystemRootCertificate")
    assert api.one(station, "certificates/")["removed_at"]


def told(station: Station16, api: Api, kind: str) -> Any:
    assert station.call("SecurityEventNotification", type=kind, timestamp=ago(30), techInfo="as told") == {}
    return api.one(station, "security-events/", type=kind)


@case("1.6", "TC_077_CSMS", requirement="OCPP 1.6 security whitepaper A02, A04")
def test_an_invalid_certificate_for_the_charge_point(station: Station16, api: Api) -> None:
    assert new_certificate(station, api, "Rejected")["status"] == "refused"
    assert api.of(station, "certificates/") == []
    event = told(station, api, "InvalidChargePointCertificate")
    assert (event["critical"], event["tech_info"], event["acknowledged_at"]) == (True, "as told", None)


@case("1.6", "TC_078_CSMS", requirement="OCPP 1.6 security whitepaper M05, A04")
def test_an_invalid_certificate_of_the_central_system(station: Station16, api: Api) -> None:
    payload = {"certificateType": "CentralSystemRootCertificate", "certificate": "no certificate at all"}
    asked = api.raw(station, "InstallCertificate", payload)
    station.expect("InstallCertificate", **payload)
    station.answer(status="Rejected")
    api.becomes(asked, "rejected")
    assert api.of(station, "certificates/") == []
    event = told(station, api, "InvalidCentralSystemCertificate")
    assert event["critical"]
    seen = api.post(f"security-events/{event['id']}/acknowledge/", status=200)
    assert seen["acknowledged_by"].startswith("ada.")


def update(station: Station16, api: Api, network: Network, *statuses: str) -> Any:
    """A signed update, as far as these statuses tell of it."""
    station.boot()
    image = made_image(network.operator, signed=True)
    asked = api.command(station, "update_firmware", {"firmware": image.pk, "signed": "yes"})
    call = station.expect("SignedUpdateFirmware")
    assert (call["firmware"]["signature"], call["firmware"]["signingCertificate"]) == (image.signature, image.signing_certificate)
    station.answer(status="Accepted")
    api.becomes(asked, "accepted")
    for status in statuses:
        station.call("SignedFirmwareStatusNotification", status=status, requestId=call["requestId"])
    return call["requestId"]


@case("1.6", "TC_080_CSMS", requirement="OCPP 1.6 security whitepaper L01")
def test_a_secure_firmware_update(station: Station16, api: Api, network: Network) -> None:
    steps = ("Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting")
    number = update(station, api, network, *steps)
    station.dial().boot(firmwareVersion="2.0")
    station.call("SignedFirmwareStatusNotification", status="Installed", requestId=number)
    done = api.one(station, "firmware-updates/")
    assert (done["status"], done["signed"]) == ("done", True)
    api.becomes(done["command"], "confirmed")
    assert [one["status"] for one in done["steps"]][-6:-1] == ["downloading", "downloaded", "verified", "installing", "rebooting"]
    assert told(station, api, "FirmwareUpdated")["critical"]


@case("1.6", "TC_081_CSMS", requirement="OCPP 1.6 security whitepaper L01")
def test_a_secure_firmware_update_with_an_invalid_signature(station: Station16, api: Api, network: Network) -> None:
    update(station, api, network, "Downloading", "Downloaded", "InvalidSignature")
    failed = api.one(station, "firmware-updates/")
    assert (failed["status"], failed["reason"]) == ("failed", "signature")
    assert api.becomes(failed["command"], "no_effect")["detail"] == "InvalidSignature"
    assert told(station, api, "InvalidFirmwareSignature")["critical"]
