"""A: the station's own certificates, and security events.

Nobody signs requests here until a certificate authority is set up: they are kept and refused honestly, and a person answers them
with the certificate that somebody else has made.
"""

from typing import Any

from tests.certificates import csr, signed
from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201, ago


def new_certificate(station: Station201, api: Api, trigger: str, kind: str, status: str) -> Any:
    """A request that the station was asked for, answered by hand; what the station makes of that."""
    station.boot(serialNumber="SN-1")
    asked = api.command(station, "trigger_message", {"message": trigger})
    station.expect("TriggerMessage", requestedMessage=trigger)
    station.answer(status="Accepted")
    wanted = csr("SN-1")
    reply = station.call("SignCertificate", csr=wanted, certificateType=kind)
    assert (reply["status"], reply["statusInfo"]["reasonCode"]) == ("Rejected", "NotEnabled")
    api.becomes(asked, "confirmed")
    request = api.one(station, "certificate-requests/")
    assert (request["type"], request["common_name"], request["problems"]) == (kind, "SN-1", [])
    chain = signed(wanted)
    params = {"certificate_chain": chain, "type": kind, "request": request["id"]}
    sent = api.command(station, "certificate_signed", params)
    station.expect("CertificateSigned", certificateChain=chain, certificateType=kind)
    station.answer(status=status)
    api.becomes(sent, "confirmed" if status == "Accepted" else "rejected")
    return api.one(station, "certificate-requests/")


@case("2.0.1", "TC_A_11_CSMS", requirement="OCPP 2.0.1 A02, F06")
def test_a_new_certificate_of_the_station(station: Station201, api: Api) -> None:
    kind = "ChargingStationCertificate"
    request = new_certificate(station, api, "SignChargingStationCertificate", kind, "Accepted")
    assert request["status"] == "installed"
    own = api.one(station, "certificates/")
    assert (own["type"], own["subject"], own["removed_at"]) == (kind, "CN=SN-1", None)


@case("2.0.1", "TC_A_12_CSMS", requirement="OCPP 2.0.1 A02, F06")
def test_a_new_certificate_for_vehicles(station: Station201, api: Api) -> None:
    assert new_certificate(station, api, "SignV2GCertificate", "V2GCertificate", "Accepted")["status"] == "installed"
    assert api.one(station, "certificates/")["type"] == "V2GCertificateChain"


@case("2.0.1", "TC_A_13_CSMS", requirement="OCPP 2.0.1 A02")
def test_a_new_certificate_for_both(station: Station201, api: Api) -> None:
    kind = "ChargingStationCertificate"
    assert new_certificate(station, api, "SignCombinedCertificate", kind, "Accepted")["status"] == "installed"
    assert api.one(station, "certificates/")["issuer"] == "CN=Amber CA"


@case("2.0.1", "TC_A_14_CSMS", requirement="OCPP 2.0.1 A02")
def test_a_certificate_that_the_station_finds_invalid(station: Station201, api: Api) -> None:
    kind = "ChargingStationCertificate"
    assert new_certificate(station, api, "SignChargingStationCertificate", kind, "Rejected")["status"] == "refused"
    assert api.of(station, "certificates/") == []
    told = {"type": "InvalidChargingStationCertificate", "timestamp": ago(5)}
    assert station.call("SecurityEventNotification", told) == {}
    event = api.one(station, "security-events/")
    assert (event["type"], event["critical"], event["acknowledged_at"]) == ("InvalidChargingStationCertificate", True, None)
