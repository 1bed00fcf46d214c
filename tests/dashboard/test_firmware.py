"""The library of firmware, and the updates of one charger, as people see and change them."""

import base64
import hashlib
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.files import storage
from stations.models import Command, Firmware, FirmwareUpdate, Station
from tests.dashboard.conftest import browser_of
from tests.dashboard.rows import seen
from tests.firmware import PEM, made_image, made_update, signature_over, update_of
from tests.network import Network


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.FILES_DIR = str(tmp_path)
    return tmp_path


@pytest.fixture
def station(amber: Network) -> Station:
    station = amber.station(accepted=True, vendor="Acme", model="One", firmware_version="1.0")
    seen(station, protocol="ocpp1.6")
    return station


def upload(client: Client, content: bytes = b"firmware", **fields: Any) -> Any:
    fields = {"vendor": "Acme", "version": "2.0", "file": SimpleUploadedFile("The image (2).bin", content)} | fields
    return client.post("/firmware/add/", fields)


def images() -> list[Firmware]:
    with scopes_disabled():
        return list(Firmware.objects.order_by("id"))


def test_an_image_is_taken_in_with_its_hashes(ada: Client, station: Station, folder: Path) -> None:
    content = b"firmware" * 100_000
    signed = signature_over(content)
    answer = upload(
        ada, content, model="One", notes="Mends the lock.", signature=f"{signed[:4]}\n{signed[4:]}", signing_certificate=PEM
    )
    (image,) = images()
    assert (answer.status_code, answer["Location"]) == (302, f"/firmware/{image.pk}/")
    assert (image.size, image.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert image.md5 == hashlib.md5(content).hexdigest()  # noqa: S324
    assert (image.name, image.signature, image.signed) == ("The-image--2-.bin", signed, True)
    assert storage.place(image.path).read_bytes() == content
    page = ada.get(answer["Location"]).content.decode()
    assert image.sha256 in page
    assert "Mends the lock." in page
    library = ada.get("/firmware/").content.decode()
    assert "Acme One" in library
    assert f'<a href="/stations/?vendor=Acme&amp;model=One&amp;firmware={station.firmware_version}">1</a>' in library


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"file": SimpleUploadedFile("a.bin", b"")}, "The file is empty."),
        ({"version": " "}, "This field is required."),
        ({"signature": "c2ln"}, "only together with the certificate"),
        ({"signature": "no base64!", "signing_certificate": PEM}, "must be written in Base64"),
        ({"signature": "c2ln", "signing_certificate": "MIIB"}, "The certificate must be in PEM"),
        ({"signature": signature_over(b"other firmware"), "signing_certificate": PEM}, "was not made over this file"),
        ({"signature_file": SimpleUploadedFile("a.sig", b"x" * 20_000)}, "too large for what it should be"),
        ({"vendor": "A\x00cme"}, "Null characters are not allowed."),
    ],
)
def test_what_cannot_be_taken_in_is_refused_and_leaves_no_file(
    ada: Client, folder: Path, fields: dict[str, Any], sentence: str
) -> None:
    answer = upload(ada, **fields)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert images() == []
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_file_over_the_limit_is_refused(ada: Client, folder: Path, settings: Any) -> None:
    settings.MAX_FIRMWARE_BYTES = 1000
    answer = upload(ada, b"x" * 1001)
    assert (answer.status_code, "which is the limit here" in answer.content.decode()) == (422, True)
    assert images() == []


def test_a_version_is_there_once_until_it_is_withdrawn(ada: Client, folder: Path) -> None:
    upload(ada)
    again = upload(ada, vendor="ACME")
    assert (again.status_code, "withdraw that image first" in again.content.decode()) == (422, True)
    (image,) = images()
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 1
    assert ada.post(f"/firmware/{image.pk}/withdraw/").status_code == 302
    assert upload(ada).status_code == 302
    assert "withdrawn</strong>" not in ada.get("/firmware/").content.decode()
    assert "withdrawn</strong>" in ada.get("/firmware/?withdrawn=1").content.decode()


def test_signature_and_certificate_come_as_files_too(ada: Client) -> None:
    signed = signature_over(b"firmware")
    upload(
        ada,
        signature_file=SimpleUploadedFile("a.sig", base64.b64decode(signed)),
        certificate_file=SimpleUploadedFile("a.der", ssl.PEM_cert_to_DER_cert(PEM)),
    )
    (image,) = images()
    assert (image.signature, image.signing_certificate) == (signed, PEM)


def test_an_empty_library_says_what_to_do(ada: Client) -> None:
    page = ada.get("/firmware/").content.decode()
    assert "No images yet" in page
    assert "No charger has told yet what it is." in page


def test_the_library_asks_as_often_for_many_images_as_for_one(
    ada: Client, amber: Network, station: Station, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        made_image(amber.operator, version=f"1.{number}")
    made_update(station, images()[-1])
    with django_assert_max_num_queries(9):
        page = ada.get("/firmware/").content.decode()
    assert page.count("<tr>") == 1 + 50 + 1 + 1
    older = ada.get(f"/firmware/?before={images()[10].pk}").content.decode()
    assert older.count("1.9<") == 1


def test_a_charger_is_asked_to_take_an_image(ada: Client, amber: Network, station: Station) -> None:
    image = made_image(amber.operator)
    made_image(amber.operator, vendor="Volt")
    tab = f"/stations/{station.identity}/?tab=firmware"
    page = ada.get(tab).content.decode()
    assert "This charger runs <strong>1.0</strong>." in page
    assert f'<option value="{image.pk}">Acme 2.0</option>' in page
    assert "Volt" not in page
    answer = ada.post(f"/stations/{station.identity}/firmware/", {"firmware": image.pk, "reason": "A lock sticks"})
    assert (answer.status_code, answer["Location"]) == (302, tab)
    with scopes_disabled():
        command = Command.objects.get(station=station)
    assert (command.kind, command.params["firmware"], command.reason) == ("update_firmware", image.pk, "A lock sticks")
    page = ada.get(tab).content.decode()
    assert "An update is under way." in page
    assert "data-refresh" in page
    again = ada.post(f"/stations/{station.identity}/firmware/", {"firmware": image.pk})
    assert (again.status_code, "is being updated to 2.0" in again.content.decode()) == (422, True)
    update = update_of(station)
    assert ada.post(f"/stations/{station.identity}/firmware/{update.pk}/cancel/").status_code == 302
    page = ada.get(tab).content.decode()
    assert "It was taken back. (Taken back before it was sent.)" in page
    assert "Try again" in page


def test_a_time_that_makes_no_sense_is_refused(ada: Client, amber: Network, station: Station) -> None:
    image = made_image(amber.operator)
    far = f"{timezone.localtime() + timedelta(days=400):%Y-%m-%dT%H:%M}"
    answer = ada.post(f"/stations/{station.identity}/firmware/", {"firmware": image.pk, "retrieve_at": far})
    assert (answer.status_code, "within the next 90 days" in answer.content.decode()) == (422, True)
    with scopes_disabled():
        assert not FirmwareUpdate.objects.exists()


def test_each_end_is_told_with_what_to_do(ada: Client, amber: Network, station: Station) -> None:
    image = made_image(amber.operator)
    now = timezone.now()
    made_update(station, image, attempt=1, status="failed", reason="version", detail="Booted with 1.0", finished_at=now)
    made_update(station, image, attempt=2, status="done", finished_at=now)
    made_update(station, image, attempt=3, status="downloading", bytes_served=160)
    page = ada.get(f"/stations/{station.identity}/?tab=firmware").content.decode().replace("\xa0", " ")
    for sentence in (
        "The charger came back with another version. Look whether the image is the right one. (Booted with 1.0)",
        "The charger runs 2.0.",
        "160 bytes of 320 bytes are fetched.",
    ):
        assert sentence in page


def test_what_is_no_image_of_the_library_is_shown_by_its_address(ada: Client, station: Station) -> None:
    now = timezone.now()
    told = {"token_hash": None, "location": "ftp://***@files.example.com/x.bin"}
    made_update(station, None, **told, status="failed", reason="download", detail="DownloadFailed", finished_at=now)
    made_update(station, None, **told, status="done", detail="Booted with 2.0", finished_at=now)
    made_update(station, None, **told, status="downloading")
    page = ada.get(f"/stations/{station.identity}/?tab=firmware").content.decode()
    assert page.count("<h3>ftp://***@files.example.com/x.bin</h3>") == 3
    assert "then try again. (DownloadFailed)" in page
    assert "Booted with 2.0" in page
    assert "Try again" not in page


def test_what_is_only_said_to_be_installed_is_not_called_proven(ada: Client, amber: Network, station: Station) -> None:
    told = "Said Installed, did not restart"
    made_update(station, made_image(amber.operator), status="done", detail=told, finished_at=timezone.now())
    page = ada.get(f"/stations/{station.identity}/?tab=firmware").content.decode()
    assert "The charger says that it is installed. It did not restart" in page
    assert "The charger runs 2.0." not in page


@pytest.mark.parametrize(("role", "may"), [("technician", True), ("manager", True), ("support", False), ("viewer", False)])
def test_firmware_is_changed_by_those_whose_work_it_is(amber: Network, station: Station, role: str, may: bool) -> None:
    client = browser_of(amber, role, role=role)
    assert upload(client).status_code == (302 if may else 403)
    image = made_image(amber.operator, version="3.0")
    answer = client.post(f"/stations/{station.identity}/firmware/", {"firmware": image.pk})
    assert answer.status_code == (302 if may else 403)
    assert ("Add an image" in client.get("/firmware/").content.decode()) is may
