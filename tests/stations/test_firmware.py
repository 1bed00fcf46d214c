"""A firmware update, from the asking to the boot that proves it, in both versions; and what goes wrong on the way."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from stations import outbox
from stations.domain.commands import BadCommand, UpdateFirmware
from stations.models import CommandStatus, Firmware, FirmwareUpdate, OutboxEntry, Station, Variable
from stations.services import firmware
from stations.services.firmwareprogress import ENDED, MOST_STEPS
from tests.engine import Engine
from tests.firmware import PEM, made_image, update_of
from tests.network import Network
from tests.stations.asking import ACCEPTED, connected, issue, now_of, sent
from tests.stations.updating import boot, ends, engine, image, say, start, station, steps, taken

__all__ = ["engine", "image", "station"]


def test_an_update_goes_step_by_step_to_the_boot_that_proves_it(
    engine: Engine, station: Station, image: Firmware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(outbox._subscribers, ENDED, ["somebody"])
    update = start(station, image, reason="A lock sticks")
    assert (update.status, update.attempt, update.firmware_before) == ("waiting", 1, "1.0")
    errand = taken(engine, station)
    assert ends(update) == ("sent", "")
    address = errand.calls[0].get("location") or errand.calls[0]["firmware"]["location"]
    assert address.startswith("http://127.0.0.1:8000/files/firmware/")
    assert address.endswith("/image-2.0.bin")
    for word, step in (("Downloading", "downloading"), ("Downloaded", "downloaded"), ("Installing", "installing")):
        say(engine, station, word)
        assert ends(update) == (step, "")
    with scopes_disabled():
        assert not OutboxEntry.objects.filter(topic=ENDED, object_id=update.pk).exists()
    boot(engine, station, "2.0")
    assert ends(update) == ("done", "")
    assert steps(update) == [
        *("waiting", "sent Accepted" if engine.protocol == "ocpp2.0.1" else "sent", "downloading Downloading"),
        *("downloaded Downloaded", "installing Installing", "done Booted with 2.0"),
    ]
    with scopes_disabled():
        assert OutboxEntry.objects.filter(topic=ENDED, object_id=update.pk).count() == 1
        entry = AuditEntry.objects.get(operator=station.operator, action="firmware_update.started")
    assert (entry.object_label, entry.note) == (station.identity, "A lock sticks")


def test_the_address_is_kept_nowhere(network: Network, engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    errand = taken(engine, station)
    address = errand.calls[0].get("location") or errand.calls[0]["firmware"]["location"]
    token = address.split("/")[-2]
    assert len(token) == 40
    command = now_of(update_of(station).command)
    (line,) = [one for one in network.log(station) if one.direction == "out"]
    assert "/files/firmware/***/image-2.0.bin" in line.call
    with scopes_disabled():
        kept = str([command.params, command.facts, line.call, *FirmwareUpdate.objects.filter(pk=update.pk).values()])
    assert token not in kept
    assert command.params["firmware"] == image.pk


@pytest.mark.parametrize(
    ("said", "reason"),
    [("DownloadFailed", "download"), ("InstallationFailed", "install")],
)
def test_what_the_station_says_went_wrong_ends_it(
    engine: Engine, station: Station, image: Firmware, said: str, reason: str
) -> None:
    update = start(station, image)
    taken(engine, station)
    say(engine, station, "Downloading")
    say(engine, station, said)
    assert ends(update) == ("failed", reason)
    boot(engine, station, "2.0")
    say(engine, station, "Installed")
    assert ends(update) == ("failed", reason)


def test_it_ends_only_once_and_another_may_follow(engine: Engine, station: Station, image: Firmware) -> None:
    first = start(station, image)
    with pytest.raises(BadCommand, match=r"is being updated to 2\.0: wait until that has ended, or cancel it first"):
        start(station, image)
    taken(engine, station)
    say(engine, station, "DownloadFailed")
    second = start(station, image)
    assert (second.attempt, second.token_hash != first.token_hash) == (2, True)


def test_a_station_that_says_installed_before_it_boots_is_proven_by_the_boot(
    engine: Engine, station: Station, image: Firmware
) -> None:
    update = start(station, image)
    taken(engine, station)
    say(engine, station, "Installed")
    assert ends(update) == ("rebooting", "")
    boot(engine, station, "2.0")
    assert ends(update) == ("done", "")


def test_a_station_that_says_nothing_and_boots_with_the_version_has_done_it(
    engine: Engine, station: Station, image: Firmware
) -> None:
    update = start(station, image)
    taken(engine, station)
    boot(engine, station, " 2.0 ")
    assert ends(update) == ("done", "")


def test_a_station_that_comes_back_with_the_old_version_has_failed(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    taken(engine, station)
    say(engine, station, "Downloading")
    boot(engine, station, "1.0")  # a cut of the current
    assert ends(update) == ("downloading", "")
    say(engine, station, "Installing")
    boot(engine, station, "1.0")
    assert ends(update) == ("failed", "version")
    assert update_of(station).detail == "Booted with 1.0"


def test_a_station_that_tells_no_version_is_believed_when_it_said_installed(
    engine: Engine, station: Station, image: Firmware
) -> None:
    update = start(station, image)
    taken(engine, station)
    boot(engine, station, None)
    assert ends(update) == ("sent", "")
    say(engine, station, "Installed")
    boot(engine, station, None)
    assert ends(update) == ("done", "")


def test_steps_that_come_late_or_belong_to_another_request_take_nothing_back(
    engine: Engine, station: Station, image: Firmware
) -> None:
    update = start(station, image)
    taken(engine, station)
    say(engine, station, "Installing")
    say(engine, station, "Downloading")
    assert ends(update) == ("installing", "")
    say(engine, station, "InstallationFailed", number=update.request_id + 1)
    say(engine, station, "Idle")
    assert ends(update) == ("installing", "")
    for _again in range(2 * MOST_STEPS):
        say(engine, station, "Downloaded")
        say(engine, station, "Downloading")
    assert len(update_of(station).steps) == MOST_STEPS


@pytest.mark.parametrize(
    ("answer", "reason"),
    [({"status": "Rejected"}, "rejected"), ({"status": "InvalidCertificate"}, "signature"), (["NotSupported", "No"], "rejected")],
)
def test_a_refusal_ends_it(network: Network, engine: Engine, station: Station, answer: Any, reason: str) -> None:
    signed = made_image(network.operator, version="3.0", signed=True)
    update = start(station, signed, signed="yes")
    errand = sent(engine, station)
    assert errand.action == ("UpdateFirmware" if engine.protocol == "ocpp2.0.1" else "SignedUpdateFirmware")
    assert errand.calls[0]["firmware"]["signingCertificate"] == PEM
    engine.reply(station, errand, answer)
    assert ends(update) == ("failed", reason)


def test_a_silent_answer_is_no_refusal(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    engine.reply(station, sent(engine, station), None)
    assert ends(update) == ("sent", "")
    say(engine, station, "Installing")
    boot(engine, station, "2.0")
    assert ends(update) == ("done", "")


def test_a_signature_goes_to_those_that_are_known_to_read_it(network: Network, engine: Engine, station: Station) -> None:
    signed = made_image(network.operator, version="3.0", signed=True)
    update = start(station, signed)
    errand = taken(engine, station)
    new = engine.protocol == "ocpp2.0.1"
    assert (errand.action, update_of(station).signed) == ("UpdateFirmware", new)
    if new:
        return
    say(engine, station, "DownloadFailed")
    with scopes_disabled():
        Variable.objects.create(operator=station.operator, station=station, variable="SecurityProfile", value="2")
    update = start(station, signed)
    assert taken(engine, station).action == "SignedUpdateFirmware"
    say(engine, station, "InvalidSignature", number=update.request_id)
    assert (*ends(update), update_of(station).signed) == ("failed", "signature", True)


def test_what_makes_no_sense_is_refused_with_a_sentence(
    network: Network, engine: Engine, station: Station, image: Firmware
) -> None:
    other, foreign = made_image(network.operator, vendor="Volt"), made_image(Network().operator)
    same, withdrawn = made_image(network.operator, version="1.0"), made_image(network.operator, version="0.9")
    with scope(operator=network.operator):
        firmware.withdraw(firmware=withdrawn)
    strange = connected(network, engine)
    refusals = [
        (station, other, "Volt 2.0 does not fit .*, which is a Acme One"),
        (station, foreign, f"There is no firmware {foreign.pk} in the library"),
        (station, same, "has 1.0 already"),
        (station, withdrawn, "was withdrawn from the library"),
        (strange, image, "never said what it is"),
    ]
    for who, what, sentence in refusals:
        with pytest.raises(BadCommand, match=sentence):
            start(who, what)
    with pytest.raises(BadCommand, match="has no signature to send"):
        start(station, image, signed="yes")
    for name in ("retrieve_at", "install_at"):
        with pytest.raises(BadCommand, match="within the next 90 days"):
            start(station, image, **{name: datetime.max.replace(tzinfo=UTC)})
    with scopes_disabled():
        assert not FirmwareUpdate.objects.filter(operator=network.operator).exists()


def test_one_that_was_not_sent_can_be_taken_back(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    with scopes_disabled():
        assert firmware.cancel(update=update_of(station))
        assert not firmware.cancel(update=update_of(station))
    assert ends(update) == ("failed", "cancelled")
    assert engine.claim(station) == []


def test_one_that_is_being_sent_is_given_up(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    errand = sent(engine, station)
    with scopes_disabled():
        assert firmware.cancel(update=update_of(station))
        assert not firmware.fetched(update=update)
    engine.reply(station, errand, {} if engine.protocol == "ocpp1.6" else ACCEPTED)
    assert ends(update) == ("failed", "cancelled")
    assert update_of(station).detail == "Given up; the address it was sent is good no more."


def test_one_that_installs_cannot_be_taken_back(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    taken(engine, station)
    say(engine, station, "Installing")
    with scopes_disabled():
        assert not firmware.cancel(update=update_of(station))
    assert ends(update) == ("installing", "")


def test_other_firmware_that_is_asked_for_takes_the_place_of_the_first(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    taken(engine, station)
    row = issue(station, UpdateFirmware(location="https://files.example.com/x.bin"))
    errand = taken(engine, station)
    assert "files.example.com" in str(errand.calls)
    assert now_of(row).status == "accepted"
    with scopes_disabled():
        update.refresh_from_db()
    assert (update.status, update.reason) == ("failed", "cancelled")


def test_an_update_that_comes_by_another_way_is_not_asked_for(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    boot(engine, station, "2.0")
    assert ends(update) == ("done", "")
    assert now_of(update_of(station).command).status == CommandStatus.CANCELLED
    assert engine.claim(station) == []


def test_the_same_asked_twice_with_one_key_is_one_update(engine: Engine, station: Station, image: Firmware) -> None:
    first, again = start(station, image, idempotency_key="k"), start(station, image, idempotency_key="k")
    assert first.pk == again.pk
