"""Updates by an address that is not the library's, also by a raw CALL: followed like those of the library."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_scopes import scopes_disabled

from stations.domain.commands import BadCommand, UpdateFirmware
from stations.models import Firmware, FirmwareUpdate, Station
from stations.services import commandends
from tests.engine import Engine
from tests.firmware import PEM, update_of
from tests.stations.asking import ACCEPTED, issue, now_of, sent
from tests.stations.updating import boot, ends, engine, image, say, start, station, steps, swept, taken

__all__ = ["engine", "image", "station"]

FILE = UpdateFirmware(location="ftp://maker:secret@files.example.com/x.bin")
OTHER = UpdateFirmware(location="https://files.example.com/y.bin")


def updates(station: Station) -> list[FirmwareUpdate]:
    with scopes_disabled():
        return list(FirmwareUpdate.objects.filter(station=station).order_by("id"))


def test_an_address_of_ones_own_is_followed_to_its_failure(engine: Engine, station: Station) -> None:
    row = issue(station, FILE)
    update = update_of(station)
    assert (update.status, update.firmware, update.location) == ("waiting", None, "ftp://***@files.example.com/x.bin")
    taken(engine, station)
    say(engine, station, "Downloading")
    assert (ends(update), now_of(row).status) == (("downloading", ""), "accepted")
    say(engine, station, "DownloadFailed")
    assert ends(update) == ("failed", "download")
    assert (now_of(row).status, now_of(row).detail) == ("no_effect", "DownloadFailed")


def test_a_new_version_is_the_proof_where_nobody_knows_which(engine: Engine, station: Station) -> None:
    row = issue(station, FILE)
    update = update_of(station)
    boot(engine, station, "1.1")
    assert ends(update) == ("waiting", "")  # it was not asked yet
    taken(engine, station)
    boot(engine, station, "1.1")
    assert ends(update) == ("sent", "")  # a cut of the current
    say(engine, station, "Installing")
    boot(engine, station, "1.1")
    assert ends(update) == ("installing", "")
    boot(engine, station, "2.0")
    assert ends(update) == ("done", "")
    assert now_of(row).status == "confirmed"


@pytest.mark.parametrize("version", ["1.0", None])
def test_the_same_version_installed_anew_is_believed_once_it_says_so(engine: Engine, station: Station, version: str | None) -> None:
    issue(station, FILE)
    taken(engine, station)
    say(engine, station, "Installed")
    update = update_of(station)
    assert ends(update) == ("rebooting", "")
    boot(engine, station, version)
    assert ends(update) == ("done", "")


@pytest.mark.parametrize("action", ["UpdateFirmware", "SignedUpdateFirmware"])
def test_a_raw_call_is_followed_by_its_own_number(engine: Engine, station: Station, action: str) -> None:
    firmware = {"location": OTHER.location, "retrieveDateTime": "2026-11-21T10:00:00Z"}
    signed = firmware | {"signingCertificate": PEM, "signature": "c2ln"}
    payload: dict[str, Any] = {"requestId": 4711, "firmware": signed if action == "SignedUpdateFirmware" else firmware}
    if engine.protocol == "ocpp2.0.1":
        action = "UpdateFirmware"
    elif action == "UpdateFirmware":
        payload = {"location": OTHER.location, "retrieveDate": "2026-11-21T10:00:00Z"}
    row = issue(station, OTHER, raw={"action": action, "payload": payload})
    errand = sent(engine, station)
    assert (errand.action, list(errand.calls)) == (action, [payload])
    engine.reply(station, errand, ACCEPTED if "requestId" in payload else {})
    update = update_of(station)
    assert ends(update) == ("sent", "")
    number = payload.get("requestId")
    say(engine, station, "InstallationFailed", number=number)
    assert ends(update) == ("failed", "install")
    assert now_of(row).status == "no_effect"


def test_a_number_that_no_message_can_bear_is_refused(station: Station) -> None:
    raw = {"action": "UpdateFirmware", "payload": {"requestId": 2**31, "firmware": {}}}
    with pytest.raises(BadCommand, match="requestId must be a whole number from 0 to 2147483647"):
        issue(station, OTHER, raw=raw)
    with pytest.raises(BadCommand, match="within the next 90 days"):
        issue(station, UpdateFirmware(location=OTHER.location, retrieve_at="2126-01-01T00:00:00Z"))
    assert updates(station) == []


def test_one_that_was_never_sent_ends_with_its_command(engine: Engine, station: Station) -> None:
    issue(station, FILE, expires_in=60)
    later = datetime.now(UTC) + timedelta(seconds=61)
    commandends.sweep(now=later)
    swept(later)
    assert ends(update_of(station)) == ("failed", "timeout")


def test_a_station_that_takes_another_drops_the_first_and_the_other_is_followed(engine: Engine, station: Station) -> None:
    first = issue(station, FILE)
    taken(engine, station)
    second = issue(station, OTHER)
    assert len(updates(station)) == 1
    taken(engine, station)
    old, new = updates(station)
    assert (old.status, old.reason, now_of(first).status) == ("failed", "cancelled", "cancelled")
    assert (new.status, new.location, new.command_id) == ("sent", OTHER.location, second.pk)
    assert [status for _at, status, _said in new.steps] == ["waiting", "sent"]
    say(engine, station, "Downloading")
    say(engine, station, "DownloadFailed", number=old.request_id if engine.protocol == "ocpp2.0.1" else None)
    if engine.protocol == "ocpp2.0.1":
        assert ends(new) == ("downloading", "")
        say(engine, station, "DownloadFailed")
    assert ends(new) == ("failed", "download")
    assert now_of(second).status == "no_effect"


def test_a_station_that_refuses_another_goes_on_with_the_first(engine: Engine, station: Station, image: Firmware) -> None:
    first = start(station, image)
    taken(engine, station)
    second = issue(station, OTHER)
    engine.reply(station, sent(engine, station), ["InternalError", "Busy"])
    assert now_of(second).status == "failed"
    boot(engine, station, "2.0")
    assert ends(first) == ("done", "")


def test_whichever_ends_first_what_is_asked_meanwhile_is_followed_and_none_comes_between(
    engine: Engine, station: Station, image: Firmware
) -> None:
    start(station, image)
    taken(engine, station)
    issue(station, OTHER)
    say(engine, station, "DownloadFailed")
    with pytest.raises(BadCommand, match=r"is being updated to https://files\.example\.com/y\.bin: wait"):
        start(station, image)
    taken(engine, station)
    assert (update_of(station).location, update_of(station).status) == (OTHER.location, "sent")
    assert steps(update_of(station))[0] == "waiting"
    with pytest.raises(BadCommand, match=r"is being updated to https://files\.example\.com/y\.bin: wait"):
        start(station, image)
