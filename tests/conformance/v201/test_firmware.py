"""L: firmware, signed by its maker."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201
from tests.firmware import PEM, made_image
from tests.network import Network


def ask(station: Station201, api: Api, network: Network, **times: str) -> int:
    """A signed image is offered: the number of the request."""
    station.boot()
    image = made_image(network.operator, signed=True)
    api.post(f"stations/{station.identity}/firmware/", {"firmware": image.pk} | times)
    payload = station.expect("UpdateFirmware")
    firmware = payload["firmware"]
    assert (firmware["signingCertificate"], firmware["signature"]) == (PEM, image.signature)
    assert {"location", "retrieveDateTime"} <= firmware.keys()
    assert ("installDateTime" in firmware) == ("install_at" in times)
    number: int = payload["requestId"]
    return number


def update(station: Station201, api: Api) -> Any:
    return api.one(station, "firmware-updates/")


def says(station: Station201, api: Api, number: int, *told: str) -> None:
    for status in told:
        assert station.call("FirmwareStatusNotification", status=status, requestId=number) == {}
        assert api.station(station)["firmware_status"] == status


def fails(station: Station201, api: Api, network: Network, reason: str, *told: str) -> None:
    """The last of what the station says is the end of it."""
    number = ask(station, api, network)
    station.answer(status="Accepted")
    says(station, api, number, *told[:-1])
    assert update(station, api)["finished_at"] is None
    says(station, api, number, told[-1])
    ended = update(station, api)
    assert (ended["status"], ended["reason"], ended["finished_at"] is not None) == ("failed", reason, True)
    assert told[-1] in str(ended["steps"])
    command = api.get(f"commands/{ended['command']}/")
    assert (command["status"], command["detail"]) == ("no_effect", told[-1])


def installed(station: Station201, api: Api, number: int, *told: str) -> None:
    """It goes on through these, and comes back with the new version."""
    says(station, api, number, *told, "Installing", "InstallRebooting")
    assert update(station, api)["status"] == "rebooting"
    station.dial().boot("FirmwareUpdate", firmwareVersion="2.0")
    says(station, api, number, "Installed")
    done = update(station, api)
    assert (done["status"], done["signed"], done["version"], done["firmware_before"]) == ("done", True, "2.0", "1.0")
    assert api.get(f"commands/{done['command']}/")["status"] == "confirmed"
    assert api.station(station)["firmware_version"] == "2.0"


def later() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


@case("2.0.1", "TC_L_01_CSMS", requirement="OCPP 2.0.1 L01")
def test_firmware_is_installed(station: Station201, api: Api, network: Network) -> None:
    number = ask(station, api, network)
    station.answer(status="Accepted")
    says(station, api, number, "Downloading", "Downloaded", "SignatureVerified")
    assert update(station, api)["status"] == "verified"
    installed(station, api, number)


@case("2.0.1", "TC_L_02_CSMS", requirement="OCPP 2.0.1 L01")
def test_firmware_is_installed_at_a_time(station: Station201, api: Api, network: Network) -> None:
    number = ask(station, api, network, install_at=later())
    station.answer(status="Accepted")
    says(station, api, number, "Downloading", "Downloaded", "SignatureVerified", "InstallScheduled")
    assert update(station, api)["finished_at"] is None
    installed(station, api, number)


@case("2.0.1", "TC_L_03_CSMS", requirement="OCPP 2.0.1 L01")
def test_firmware_is_downloaded_at_a_time(station: Station201, api: Api, network: Network) -> None:
    number = ask(station, api, network, retrieve_at=later())
    station.answer(status="Accepted")
    says(station, api, number, "DownloadScheduled")
    assert update(station, api)["status"] == "sent"
    installed(station, api, number, "Downloading", "Downloaded", "SignatureVerified")


def answered(station: Station201, api: Api, network: Network, status: str) -> None:
    ask(station, api, network)
    station.answer(status=status)
    ended = api.until(lambda: update(station, api)["finished_at"] and update(station, api))
    assert (ended["status"], ended["reason"]) == ("failed", "signature")
    assert api.get(f"commands/{ended['command']}/")["detail"] == status


@case("2.0.1", "TC_L_04_CSMS", requirement="OCPP 2.0.1 L01")
def test_a_signing_certificate_that_was_revoked(station: Station201, api: Api, network: Network) -> None:
    answered(station, api, network, "RevokedCertificate")


@case("2.0.1", "TC_L_05_CSMS", requirement="OCPP 2.0.1 L01")
def test_a_signing_certificate_that_is_invalid(station: Station201, api: Api, network: Network) -> None:
    answered(station, api, network, "InvalidCertificate")


@case("2.0.1", "TC_L_06_CSMS", requirement="OCPP 2.0.1 L01")
def test_a_signature_that_is_invalid(station: Station201, api: Api, network: Network) -> None:
    fails(station, api, network, "signature", "Downloading", "Downloaded", "InvalidSignature")


@case("2.0.1", "TC_L_07_CSMS", requirement="OCPP 2.0.1 L01")
def test_firmware_that_cannot_be_downloaded(station: Station201, api: Api, network: Network) -> None:
    fails(station, api, network, "download", "Downloading", "DownloadFailed")


VERIFIED = ("Downloading", "Downloaded", "SignatureVerified", "Installing")


@case("2.0.1", "TC_L_08_CSMS", requirement="OCPP 2.0.1 L01")
def test_firmware_that_does_not_verify_once_it_is_installed(station: Station201, api: Api, network: Network) -> None:
    fails(station, api, network, "install", *VERIFIED, "InstallVerificationFailed")


@case("2.0.1", "TC_L_09_CSMS", requirement="OCPP 2.0.1 L01")
def test_firmware_that_cannot_be_installed(station: Station201, api: Api, network: Network) -> None:
    fails(station, api, network, "install", *VERIFIED, "InstallationFailed")


def other_firmware(station: Station201, api: Api, status: str) -> int:
    """Other firmware is asked for while the first is under way; the command."""
    firmware = {"location": "https://files.example.com/other.bin", "retrieveDateTime": "2026-11-21T10:00:00Z"}
    asked = api.raw(station, "UpdateFirmware", {"requestId": 4711, "firmware": firmware})
    station.expect("UpdateFirmware", requestId=4711)
    station.answer(status=status)
    return asked


@case("2.0.1", "TC_L_10_CSMS", requirement="OCPP 2.0.1 L01")
def test_an_update_is_cancelled_by_another(station: Station201, api: Api, network: Network) -> None:
    number = ask(station, api, network)
    station.answer(status="Accepted")
    says(station, api, number, "Downloading")
    assert api.becomes(other_firmware(station, api, "AcceptedCanceled"), "accepted")["detail"] == "AcceptedCanceled"
    other, ended = api.of(station, "firmware-updates/")
    assert (ended["status"], ended["reason"], api.get(f"commands/{ended['command']}/")["status"]) == (
        "failed",
        "cancelled",
        "cancelled",
    )
    assert (other["status"], other["location"]) == ("sent", "https://files.example.com/other.bin")
    says(station, api, 4711, "Downloading")
    other, ended = api.of(station, "firmware-updates/")
    assert (other["status"], ended["status"]) == ("downloading", "failed")


@case("2.0.1", "TC_L_11_CSMS", inferred=True)
def test_an_update_that_cannot_be_cancelled_goes_on(station: Station201, api: Api, network: Network) -> None:
    number = ask(station, api, network)
    station.answer(status="Accepted")
    says(station, api, number, *VERIFIED)
    api.becomes(other_firmware(station, api, "Rejected"), "rejected")
    assert update(station, api)["status"] == "installing"
    installed(station, api, number)


@case("2.0.1", "TC_L_13_CSMS", inferred=True)
def test_firmware_waits_for_whoever_charges(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    charging = station.transaction()
    charging.started("Authorized", token="CARD", wh=1000)
    number = ask(station, api, network)
    station.answer(status="Accepted")
    says(station, api, number, "Downloading", "Downloaded", "SignatureVerified", "InstallScheduled")
    # No new sessions elsewhere meanwhile (AllowNewSessionsPendingFirmwareUpdate false).
    station.status("Unavailable", evse=2)
    assert (api.connector(station, 2)["status"], api.transaction(station)["status"]) == ("Unavailable", "active")
    charging.ended("StopAuthorized", "Local", token="CARD", wh=1800)
    assert (api.transaction(station)["status"], api.transaction(station)["energy_wh"]) == ("ended", 800)
    installed(station, api, number)
