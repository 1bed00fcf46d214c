"""M: root certificates, those of vehicles, and which are installed."""

from typing import Any

from tests.certificates import hash_data, root
from tests.conformance.api import Api
from tests.conformance.cases import case, later
from tests.conformance.station import Station201

ROOTS = ("CSMSRootCertificate", "ManufacturerRootCertificate", "V2GRootCertificate", "MORootCertificate")


def install(station: Station201, api: Api, kind: str, status: str = "Accepted") -> str:
    certificate = root(f"Root of {kind}")
    asked = api.command(station, "install_certificate", {"type": kind, "certificate": certificate})
    station.expect("InstallCertificate", certificateType=kind, certificate=certificate)
    station.answer(status=status)
    api.becomes(asked, "confirmed" if status == "Accepted" else "rejected")
    return certificate


def installed(station: Station201, api: Api, kind: str) -> None:
    certificate = install(station, api, kind)
    row = api.one(station, "certificates/")
    said = hash_data(certificate)
    assert (row["type"], row["subject"], row["removed_at"]) == (kind, f"CN=Root of {kind}", None)
    assert (row["issuer_name_hash"], row["issuer_key_hash"]) == (said["issuerNameHash"], said["issuerKeyHash"])
    assert row["installed_at"]


@case("2.0.1", "TC_M_01_CSMS", requirement="OCPP 2.0.1 M05")
def test_the_root_of_the_csms_is_installed(station: Station201, api: Api) -> None:
    installed(station, api, "CSMSRootCertificate")


@case("2.0.1", "TC_M_02_CSMS", requirement="OCPP 2.0.1 M05")
def test_the_root_of_the_manufacturer_is_installed(station: Station201, api: Api) -> None:
    installed(station, api, "ManufacturerRootCertificate")


@case("2.0.1", "TC_M_03_CSMS", requirement="OCPP 2.0.1 M05")
def test_the_root_of_vehicles_and_stations_is_installed(station: Station201, api: Api) -> None:
    installed(station, api, "V2GRootCertificate")


@case("2.0.1", "TC_M_04_CSMS", requirement="OCPP 2.0.1 M05")
def test_the_root_of_a_mobility_operator_is_installed(station: Station201, api: Api) -> None:
    installed(station, api, "MORootCertificate")


@case("2.0.1", "TC_M_05_CSMS", requirement="OCPP 2.0.1 M05")
def test_a_root_that_the_station_cannot_install(station: Station201, api: Api) -> None:
    install(station, api, "CSMSRootCertificate", "Failed")
    assert api.of(station, "certificates/") == []
    row = api.of(station, "commands/")[0]
    assert (row["command"], row["status"], row["detail"]) == ("install_certificate", "rejected", "Failed")


def retrieved(station: Station201, api: Api, *kinds: str, asked_for: list[str] | None = None) -> None:
    """The station lists one of each of these; `asked_for`: if not all of them are named in the question."""
    wanted = list(kinds) if asked_for is None else asked_for
    chains: list[dict[str, Any]] = []
    for kind in kinds:
        chain: dict[str, Any] = {"certificateType": kind, "certificateHashData": hash_data(root(kind), upper=True)}
        if kind == "V2GCertificateChain":
            chain["childCertificateHashData"] = [hash_data(root("Sub 1")), hash_data(root("Sub 2"))]
        chains.append(chain)
    asked = api.command(station, "get_installed_certificates", {"types": wanted})
    call = station.expect("GetInstalledCertificateIds")
    assert call == ({"certificateType": wanted} if wanted else {})
    station.answer(status="Accepted", certificateHashDataChain=chains)
    api.becomes(asked, "confirmed")
    rows = {row["type"]: row for row in api.of(station, "certificates/")}
    assert set(rows) == set(kinds)
    for chain in chains:
        row, said = rows[chain["certificateType"]], chain["certificateHashData"]
        assert (row["issuer_key_hash"], row["serial_number"]) == (said["issuerKeyHash"], said["serialNumber"])
        assert [child["serial_number"] for child in row["children"]] == [
            child["serialNumber"] for child in chain.get("childCertificateHashData", [])
        ]
        assert row["reported_at"]


@case("2.0.1", "TC_M_12_CSMS", requirement="OCPP 2.0.1 M03")
def test_the_roots_of_the_csms_are_listed(station: Station201, api: Api) -> None:
    retrieved(station, api, "CSMSRootCertificate")


@case("2.0.1", "TC_M_13_CSMS", requirement="OCPP 2.0.1 M03")
def test_the_roots_of_the_manufacturer_are_listed(station: Station201, api: Api) -> None:
    retrieved(station, api, "ManufacturerRootCertificate")


@case("2.0.1", "TC_M_14_CSMS", requirement="OCPP 2.0.1 M03")
def test_the_roots_of_vehicles_and_stations_are_listed(station: Station201, api: Api) -> None:
    retrieved(station, api, "V2GRootCertificate")


@case("2.0.1", "TC_M_15_CSMS", requirement="OCPP 2.0.1 M03")
def test_the_stations_chain_for_vehicles_is_listed(station: Station201, api: Api) -> None:
    retrieved(station, api, "V2GCertificateChain")


@case("2.0.1", "TC_M_16_CSMS", requirement="OCPP 2.0.1 M03")
def test_the_roots_of_mobility_operators_are_listed(station: Station201, api: Api) -> None:
    retrieved(station, api, "MORootCertificate")


@case("2.0.1", "TC_M_17_CSMS", requirement="OCPP 2.0.1 M03")
def test_two_types_are_listed_at_once(station: Station201, api: Api) -> None:
    retrieved(station, api, "CSMSRootCertificate", "ManufacturerRootCertificate")


@case("2.0.1", "TC_M_18_CSMS", requirement="OCPP 2.0.1 M03")
def test_all_types_are_listed_at_once(station: Station201, api: Api) -> None:
    retrieved(station, api, *ROOTS, "V2GCertificateChain", asked_for=[])


@case("2.0.1", "TC_M_19_CSMS", requirement="OCPP 2.0.1 M03")
def test_no_certificate_of_a_type_is_found(station: Station201, api: Api) -> None:
    install(station, api, "MORootCertificate")
    asked = api.command(station, "get_installed_certificates", {"types": ["MORootCertificate"]})
    station.expect("GetInstalledCertificateIds", certificateType=["MORootCertificate"])
    station.answer(status="NotFound")
    assert api.becomes(asked, "confirmed")["detail"] == "NotFound"
    assert api.one(station, "certificates/")["removed_at"]


def delete(station: Station201, api: Api, status: str) -> Any:
    """Install, list in the station's own algorithm, and delete as it was listed."""
    told = hash_data(install(station, api, "CSMSRootCertificate"), "SHA384", upper=True)
    asked = api.command(station, "get_installed_certificates", {"types": ["CSMSRootCertificate"]})
    station.expect("GetInstalledCertificateIds")
    chain = {"certificateType": "CSMSRootCertificate", "certificateHashData": told}
    station.answer(status="Accepted", certificateHashDataChain=[chain])
    api.becomes(asked, "confirmed")
    row = api.one(station, "certificates/")
    names = ("hash_algorithm", "issuer_name_hash", "issuer_key_hash", "serial_number")
    asked = api.command(station, "delete_certificate", {name: row[name] for name in names})
    station.expect("DeleteCertificate", certificateHashData=told)
    station.answer(status=status)
    api.becomes(asked, "confirmed" if status == "Accepted" else "rejected")
    return api.one(station, "certificates/")


@case("2.0.1", "TC_M_20_CSMS", requirement="OCPP 2.0.1 M04")
def test_a_certificate_is_deleted(station: Station201, api: Api) -> None:
    assert delete(station, api, "Accepted")["removed_at"]


@case("2.0.1", "TC_M_21_CSMS", requirement="OCPP 2.0.1 M04")
def test_a_certificate_that_the_station_does_not_delete(station: Station201, api: Api) -> None:
    kept = delete(station, api, "Failed")
    assert (kept["removed_at"], kept["subject"]) == (None, "CN=Root of CSMSRootCertificate")


later("2.0.1", "TC_M_24_CSMS", "No OCSP responder is asked yet; until then the answer is Failed.")
later("2.0.1", "TC_M_26_CSMS", "It needs a contract certificate pool (ISO 15118); until then the answer is Failed.")
later("2.0.1", "TC_M_28_CSMS", "It needs a contract certificate pool (ISO 15118); until then the answer is Failed.")
