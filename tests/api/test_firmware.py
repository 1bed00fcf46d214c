"""Firmware through the API."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django_scopes import scope

from stations.models import Command, FirmwareUpdate, Station
from tests.api.conftest import Network, Person, person
from tests.firmware import PEM, made_image, signature_over

JSON = "application/json"
OF_STATION = "/api/v1/stations/AMBER-01/firmware/"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.FILES_DIR = str(tmp_path)
    return tmp_path


@pytest.fixture
def told(ada: Person, amber: Network) -> Station:
    """A station that has said what it is."""
    with scope(operator=ada.operator):
        Station.objects.filter(pk=amber.station.pk).update(vendor="Acme", model="One", firmware_version="1.0")
        return Station.objects.get(pk=amber.station.pk)


def add(who: Person, **fields: Any) -> Any:
    fields = {"vendor": "Acme", "version": "2.0", "file": SimpleUploadedFile("image.bin", b"firmware")} | fields
    return who.client.post("/api/v1/firmware/", fields)


def test_an_image_is_added_listed_and_withdrawn(ada: Person, folder: Path) -> None:
    added = add(ada, model="One", signature=signature_over(b"firmware"), signing_certificate=PEM)
    assert added.status_code == 201
    image = added.json()
    assert (image["file"], image["size"], image["signed"], image["withdrawn_at"]) == ("image.bin", 8, True, None)
    assert ada.client.rows("firmware/", vendor="acme", version="2.0") == [image]
    assert add(ada, model="one").status_code == 409
    answer = ada.client.post(f"/api/v1/firmware/{image['id']}/withdraw/")
    assert answer.json()["withdrawn_at"] is not None
    assert ada.client.post(f"/api/v1/firmware/{image['id']}/withdraw/").status_code == 409
    assert ada.client.rows("firmware/", withdrawn="false") == []
    assert len(ada.client.rows("firmware/", withdrawn="true")) == 1


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"file": SimpleUploadedFile("a.bin", b"")}, "file"),
        ({"version": ""}, "version"),
        ({"colour": "red"}, ""),
        ({"file": ""}, "file"),
        ({"signature": signature_over(b"other firmware"), "signing_certificate": PEM}, "signature"),
    ],
)
def test_what_cannot_be_taken_in_is_refused_by_its_name(ada: Person, folder: Path, fields: dict[str, Any], name: str) -> None:
    answer = add(ada, **fields)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_body_that_is_no_form_is_told_so(ada: Person) -> None:
    assert ada.client.post("/api/v1/firmware/", {"vendor": "Acme"}, JSON).status_code == 415


def test_a_station_is_asked_to_take_an_image(ada: Person, told: Station) -> None:
    image = made_image(ada.operator)
    at = f"{timezone.now() + timedelta(days=9):%Y-%m-%dT02:00:00Z}"
    body = {"firmware": image.pk, "reason": "A lock sticks", "retrieve_at": at}
    first = ada.client.post(OF_STATION, body, JSON, headers={"Idempotency-Key": "k1"})
    assert first.status_code == 201
    update = first.json()
    assert (update["status"], update["version"], update["firmware_before"]) == ("waiting", "2.0", "1.0")
    assert update["retrieve_at"] == at.replace("Z", ".000000Z")
    again = ada.client.post(OF_STATION, body, JSON, headers={"Idempotency-Key": "k1"})
    assert (again.status_code, again.json()["id"]) == (200, update["id"])
    assert ada.client.rows("firmware-updates/", station="AMBER-01", open="true") == [update]
    assert ada.client.rows("stations/AMBER-01/firmware/") == [update]
    with scope(operator=ada.operator):
        assert Command.objects.get(pk=update["command"]).reason == "A lock sticks"
    cancelled = ada.client.post(f"/api/v1/firmware-updates/{update['id']}/cancel/")
    assert (cancelled.json()["status"], cancelled.json()["reason"]) == ("failed", "cancelled")
    assert ada.client.post(f"/api/v1/firmware-updates/{update['id']}/cancel/").status_code == 409


@pytest.mark.parametrize("door", ["commands/", "ocpp/UpdateFirmware/?wait=0"])
def test_an_address_that_is_not_the_librarys_is_an_update_too(ada: Person, told: Station, door: str) -> None:
    location = "https://maker:secret@files.example.com/a.bin"
    body: dict[str, Any] = {"command": "update_firmware", "params": {"location": location}}
    if door != "commands/":
        body = {"location": location, "retrieveDate": f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}"}
    asked = ada.client.post(f"/api/v1/stations/AMBER-01/{door}", body, JSON)
    assert asked.status_code in (201, 202)
    (update,) = ada.client.rows("firmware-updates/", station="AMBER-01")
    assert (update["firmware"], update["version"], update["status"]) == (None, None, "waiting")
    assert update["location"] == "https://***@files.example.com/a.bin"


def test_what_makes_no_sense_is_told_in_a_sentence(ada: Person, told: Station) -> None:
    other = made_image(ada.operator, vendor="Volt")
    for body, sentence in (
        ({"firmware": other.pk}, "Volt 2.0 does not fit AMBER-01, which is a Acme One."),
        ({"firmware": 999_999}, "There is no firmware 999999 in the library."),
    ):
        answer = ada.client.post(OF_STATION, body, JSON)
        assert (answer.status_code, answer.json()["detail"]) == (400, sentence)


def test_who_sends_commands_but_changes_no_firmware_gets_round_it_by_no_door(ada: Person, told: Station) -> None:
    image = made_image(ada.operator)
    support = person("sue", ada.operator, "support")
    commands = "/api/v1/stations/AMBER-01/commands/"
    asked = {"command": "update_firmware", "params": {"firmware": image.pk}}
    raw = {"location": "https://files.example.com/a.bin", "retrieveDate": "2030-01-01T02:00:00Z"}
    for path, body in (
        (OF_STATION, {"firmware": image.pk}),
        (commands, asked),
        ("/api/v1/stations/AMBER-01/ocpp/UpdateFirmware/", raw),
    ):
        answer = support.client.post(path, body, JSON)
        assert (answer.status_code, answer.json()["detail"]) == (403, "Your role may not do this (firmware.change).")
    limited = person("tom", ada.operator, "owner", scopes=("firmware.change",))
    assert limited.client.post(OF_STATION, {"firmware": image.pk}, JSON).status_code == 201
    with scope(operator=ada.operator):
        assert FirmwareUpdate.objects.count() == 1
