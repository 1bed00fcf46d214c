"""L: firmware that a local controller hands on."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201
from tests.firmware import made_image
from tests.network import Network

MD5 = "d41d8cd98f00b204e9800998ecf8427e"
FILE = {"location": "https://files.example.com/a.bin", "checksum": MD5}


def publish(station: Station201, api: Api, *statuses: str, **last: Any) -> Any:
    """Asked, accepted, and told of in these statuses, the last with more; the publication."""
    asked = api.command(station, "publish_firmware", FILE)
    number = station.expect("PublishFirmware", **FILE)["requestId"]
    station.answer(status="Accepted")
    api.becomes(asked, "accepted")
    for status in statuses:
        more = last if status == statuses[-1] else {}
        assert station.call("PublishFirmwareStatusNotification", {"status": status, "requestId": number} | more) == {}
    row = api.one(station, "firmware-publications/")
    api.becomes(asked, "confirmed" if row["status"] == "published" else "no_effect")
    return row


def published(station: Station201, api: Api) -> Any:
    return publish(station, api, "Downloading", "Downloaded", "ChecksumVerified", "Published", location=["http://192.0.2.1/a.bin"])


@case("2.0.1", "TC_L_17_CSMS", requirement="OCPP 2.0.1 L03")
def test_firmware_is_published(station: Station201, api: Api, network: Network) -> None:
    row = published(station, api)
    assert (row["status"], row["locations"], row["checksum"]) == ("published", ["http://192.0.2.1/a.bin"], MD5)
    image = made_image(network.operator)
    api.command(station, "publish_firmware", {"firmware": image.pk})
    assert station.expect("PublishFirmware", checksum=image.md5)["location"].endswith(image.name)
    station.answer(status="Rejected")
    api.until(lambda: api.of(station, "firmware-publications/", status="failed"))


def failed(station: Station201, api: Api, *statuses: str) -> None:
    row = publish(station, api, *statuses)
    assert (row["status"], bool(row["detail"]), bool(row["finished_at"]), row["locations"]) == ("failed", True, True, [])


@case("2.0.1", "TC_L_19_CSMS", requirement="OCPP 2.0.1 L03")
def test_firmware_with_another_checksum_is_not_published(station: Station201, api: Api) -> None:
    failed(station, api, "Downloading", "Downloaded", "InvalidChecksum")


@case("2.0.1", "TC_L_20_CSMS", requirement="OCPP 2.0.1 L03")
def test_firmware_that_cannot_be_published(station: Station201, api: Api) -> None:
    failed(station, api, "Downloading", "Downloaded", "ChecksumVerified", "PublishFailed")


@case("2.0.1", "TC_L_24_CSMS", requirement="OCPP 2.0.1 L03")
def test_firmware_that_cannot_be_downloaded_to_be_published(station: Station201, api: Api) -> None:
    failed(station, api, "DownloadScheduled", "Downloading", "DownloadFailed")


def unpublish(station: Station201, api: Api, status: str, outcome: str) -> Any:
    published(station, api)
    asked = api.command(station, "unpublish_firmware", {"checksum": MD5})
    station.expect("UnpublishFirmware", checksum=MD5)
    station.answer(status=status)
    assert api.becomes(asked, outcome)["detail"] == status
    return api.one(station, "firmware-publications/")


@case("2.0.1", "TC_L_21_CSMS", requirement="OCPP 2.0.1 L04")
def test_firmware_is_unpublished(station: Station201, api: Api) -> None:
    assert unpublish(station, api, "Unpublished", "confirmed")["status"] == "unpublished"


@case("2.0.1", "TC_L_22_CSMS", requirement="OCPP 2.0.1 L04")
def test_firmware_that_was_not_there_is_unpublished(station: Station201, api: Api) -> None:
    assert unpublish(station, api, "NoFirmware", "confirmed")["status"] == "unpublished"


@case("2.0.1", "TC_L_23_CSMS", requirement="OCPP 2.0.1 L04")
def test_firmware_that_is_being_fetched_is_not_unpublished(station: Station201, api: Api) -> None:
    assert unpublish(station, api, "DownloadOngoing", "rejected")["status"] == "published"
