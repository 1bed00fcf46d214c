"""The command that asks for an update ends as the update does, and stands on the work list if that came to nothing."""

from datetime import UTC, datetime

import pytest
from django_scopes import scope, scopes_disabled

from stations import outbox, problems, topics
from stations.models import Command, Firmware, FirmwareUpdate, Station
from stations.services import firmware
from tests.engine import Engine
from tests.firmware import made_image, update_of
from tests.network import Network
from tests.stations.asking import ACCEPTED, now_of, sent
from tests.stations.updating import boot, engine, image, say, start, station, swept, taken

__all__ = ["engine", "image", "station"]


def command_of(update: FirmwareUpdate) -> Command:
    with scopes_disabled():
        return Command.objects.get(pk=update.command_id)


def to_do(station: Station) -> list[int]:
    with scope(operator=station.operator):
        return [one.pk for one in problems.fruitless(datetime.now(UTC))]


def accepted(engine: Engine) -> dict[str, str]:
    return {} if engine.protocol == "ocpp1.6" else ACCEPTED


def test_it_is_confirmed_by_the_boot_that_proves_the_update(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    taken(engine, station)
    say(engine, station, "Installing")
    assert command_of(update).status == "accepted"
    boot(engine, station, "2.0")
    ended = command_of(update)
    assert (ended.status, ended.detail, ended.finished_at is not None) == ("confirmed", "Booted with 2.0", True)
    assert to_do(station) == []


@pytest.mark.parametrize("said", ["DownloadFailed", "InvalidSignature", "InstallationFailed"])
def test_what_fails_after_it_was_accepted_stands_where_an_operator_looks_for_work(
    network: Network, engine: Engine, station: Station, said: str
) -> None:
    with scopes_disabled():
        outbox.want("ears", [topics.COMMAND_FINISHED], operator=network.operator)
    signed = made_image(network.operator, version="3.0", signed=True)
    update = start(station, signed, signed="yes")
    engine.reply(station, sent(engine, station), ACCEPTED)
    say(engine, station, "Downloading", number=update.request_id)
    assert [entry for entry in network.outbox() if entry.subscriber == "ears"] == []
    say(engine, station, said, number=update.request_id)
    ended = command_of(update)
    assert (ended.status, ended.detail) == ("no_effect", said)
    assert to_do(station) == [ended.pk]
    heard = [(entry.topic, entry.object_id) for entry in network.outbox() if entry.subscriber == "ears"]
    assert heard == [(topics.COMMAND_FINISHED, ended.pk)]


def test_one_that_falls_silent_does_too(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    taken(engine, station)
    swept(update_of(station).due_at)
    ended = command_of(update)
    assert (ended.status, ended.detail) == ("no_effect", "Nothing was heard after this step: sent.")
    # Whoever holds the socket awaits it no more.
    say(engine, station, "Installed", number=update.request_id)
    assert command_of(update).status == "no_effect"


def test_what_was_given_up_is_no_failure(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    taken(engine, station)
    with scopes_disabled():
        assert firmware.cancel(update=update_of(station))
    assert command_of(update).status == "cancelled"
    assert to_do(station) == []


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(("version", "status"), [("2.0", "confirmed"), ("1.0", "no_effect")])
def test_a_station_that_is_done_before_it_answers_has_answered(
    engine: Engine, station: Station, image: Firmware, version: str, status: str, together: bool
) -> None:
    update = start(station, image)
    errand = sent(engine, station)
    say(engine, station, "Installing")
    payload = {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": version}
    if engine.protocol == "ocpp2.0.1":
        payload = {
            "reason": "FirmwareUpdate",
            "chargingStation": {"vendorName": "Acme", "model": "One", "firmwareVersion": version},
        }
    if together:
        engine.reply(station, errand, accepted(engine), after=[engine.inbound(station, "BootNotification", payload)])
    else:
        engine.say(station, "BootNotification", payload)
        engine.reply(station, errand, accepted(engine))
    ended = command_of(update)
    assert (ended.status, ended.detail) == (status, f"Booted with {version}")


def test_one_that_was_given_up_while_it_was_sent_ends_with_its_answer(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    errand = sent(engine, station)
    with scopes_disabled():
        assert firmware.cancel(update=update_of(station))
    engine.reply(station, errand, accepted(engine))
    assert command_of(update).status == "cancelled"
    # Another may be asked for.
    assert now_of(command_of(start(station, image))).status == "queued"
