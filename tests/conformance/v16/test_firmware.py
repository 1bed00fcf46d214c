"""Firmware without signatures."""

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station16
from tests.firmware import made_image
from tests.network import Network


def ask(station: Station16, api: Api, network: Network) -> None:
    station.boot()
    image = made_image(network.operator)
    api.post(f"stations/{station.identity}/firmware/", {"firmware": image.pk})
    station.expect("UpdateFirmware")
    station.answer()


def says(station: Station16, api: Api, *told: str) -> None:
    for status in told:
        station.call("FirmwareStatusNotification", status=status)
        assert api.station(station)["firmware_status"] == status


def steps(station: Station16, api: Api) -> list[str]:
    return [one["status"] for one in api.one(station, "firmware-updates/")["steps"]]


@case("1.6", "TC_044_1_CSMS", requirement="OCPP 1.6 4.5, 5.19")
def test_firmware_is_downloaded_and_installed(station: Station16, api: Api, network: Network) -> None:
    ask(station, api, network)
    says(station, api, "Downloading", "Downloaded", "Installing")
    station.dial().boot(firmwareVersion="2.0")
    says(station, api, "Installed")
    done = api.one(station, "firmware-updates/")
    assert (done["status"], done["version"], done["firmware_before"]) == ("done", "2.0", "1.0")
    api.becomes(done["command"], "confirmed")
    assert [one for one in steps(station, api) if one in ("downloading", "downloaded", "installing")] == [
        "downloading",
        "downloaded",
        "installing",
    ]
    assert api.station(station)["firmware_version"] == "2.0"


@case("1.6", "TC_044_2_CSMS", requirement="OCPP 1.6 4.5")
def test_firmware_that_cannot_be_downloaded(station: Station16, api: Api, network: Network) -> None:
    ask(station, api, network)
    says(station, api, "Downloading", "DownloadFailed")
    done = api.one(station, "firmware-updates/")
    assert (done["status"], done["reason"]) == ("failed", "download")
    assert api.becomes(done["command"], "no_effect")["detail"] == "DownloadFailed"


@case("1.6", "TC_044_3_CSMS", requirement="OCPP 1.6 4.5")
def test_firmware_that_cannot_be_installed(station: Station16, api: Api, network: Network) -> None:
    ask(station, api, network)
    says(station, api, "Downloading", "Downloaded", "Installing", "InstallationFailed")
    done = api.one(station, "firmware-updates/")
    assert (done["status"], done["reason"], done["finished_at"] is not None) == ("failed", "install", True)
