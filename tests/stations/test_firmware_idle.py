"""A station that says that it does nothing about firmware, while it should be at work on an update."""

from datetime import UTC, datetime, timedelta

import pytest
from django_scopes import scopes_disabled

from stations.models import Connection, Firmware, FirmwareUpdate, Station
from tests.engine import Engine
from tests.firmware import made_image, update_of
from tests.network import Network
from tests.stations.asking import connected, sent
from tests.stations.test_firmware_sweep import heard
from tests.stations.test_smartcharging import begin
from tests.stations.updating import boot, ends, engine, image, say, start, station, steps, swept, taken

__all__ = ["engine", "image", "station"]


def passes(station: Station, minutes: int) -> None:
    """So much time, as far as the update knows."""
    spent = timedelta(minutes=minutes)
    with scopes_disabled():
        update = FirmwareUpdate.objects.filter(station=station).latest("pk")
        for name in ("retrieve_at", "install_at"):
            setattr(update, name, getattr(update, name) and getattr(update, name) - spent)
        update.steps = [[str(datetime.fromisoformat(at) - spent), *more] for at, *more in update.steps]
        update.save()
        # Whoever holds the station reads it anew.
        connection = Connection.objects.get(station=station)
        connection.state_version += 1
        connection.save()


@pytest.mark.parametrize("word", ["", "Downloading", "Downloaded", "Installing"])
def test_an_update_of_which_the_station_does_nothing_has_failed(
    engine: Engine, station: Station, image: Firmware, word: str
) -> None:
    update = start(station, image)
    taken(engine, station)
    if word:
        say(engine, station, word)
    # It may be about to begin.
    say(engine, station, "Idle")
    assert update_of(station).finished_at is None
    passes(station, 6)
    say(engine, station, "Idle")
    assert ends(update) == ("failed", "idle")
    now = update_of(station)
    assert now.detail == "The station says that no update is under way."
    with scopes_disabled():
        assert (now.command.status, now.command.detail) == ("no_effect", now.detail)
    # Another one may begin.
    start(station, image)


def test_one_that_was_not_asked_yet_or_is_planned_for_later_waits(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image, retrieve_at=datetime.now(UTC) + timedelta(days=1))
    say(engine, station, "Idle")
    assert ends(update) == ("waiting", "")
    taken(engine, station)
    passes(station, 6)
    say(engine, station, "Idle")
    assert ends(update) == ("sent", "")
    passes(station, 24 * 60)
    say(engine, station, "Idle")
    assert ends(update) == ("failed", "idle")


@pytest.fixture
def newer(network: Network) -> tuple[Engine, Station, Firmware]:
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine, vendor="Acme", model="One", firmware_version="1.0")
    return engine, station, made_image(network.operator)


def test_one_that_is_to_be_installed_later_waits(newer: tuple[Engine, Station, Firmware]) -> None:
    engine, station, image = newer
    update = start(station, image, install_at=datetime.now(UTC) + timedelta(days=1))
    taken(engine, station)
    for word in ("Downloading", "Downloaded", "SignatureVerified"):
        say(engine, station, word)
    passes(station, 60)
    say(engine, station, "Idle")
    assert ends(update) == ("verified", "")
    passes(station, 24 * 60)
    say(engine, station, "Idle")
    assert ends(update) == ("failed", "idle")


@pytest.mark.parametrize("word", ["DownloadScheduled", "InstallScheduled"])
def test_what_the_station_puts_off_by_itself_waits(newer: tuple[Engine, Station, Firmware], word: str) -> None:
    engine, station, image = newer
    update = start(station, image)
    taken(engine, station)
    say(engine, station, word)
    passes(station, 60)
    say(engine, station, "Idle")
    assert ends(update)[1] == ""


def test_after_installed_there_is_nothing_left_to_do_but_to_restart(engine: Engine, station: Station, image: Firmware) -> None:
    """OCPP 2.0.1 L01: from then on it says Idle."""
    update = start(station, image)
    taken(engine, station)
    say(engine, station, "Installed")
    passes(station, 10)
    say(engine, station, "Idle")
    assert ends(update) == ("rebooting", "")
    boot(engine, station, "2.0")
    assert ends(update) == ("done", "")


def test_while_somebody_charges_it_may_wait_for_the_end_of_that(
    network: Network, engine: Engine, station: Station, image: Firmware
) -> None:
    begin(engine, network, station)
    update = start(station, image)
    taken(engine, station)
    passes(station, 10)
    say(engine, station, "Idle")
    assert ends(update) == ("sent", "")
    say(engine, station, "Downloading")
    passes(station, 10)
    say(engine, station, "Idle")
    assert ends(update) == ("failed", "idle")


def test_an_answer_that_was_lost_is_no_excuse(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    engine.reply(station, sent(engine, station), None)
    assert ends(update) == ("sent", "")
    passes(station, 6)
    say(engine, station, "Idle")
    assert ends(update) == ("failed", "idle")


def test_one_that_is_asked_how_far_it_is_and_does_nothing_has_failed(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    taken(engine, station)
    now = update_of(station).due_at + timedelta(seconds=1)
    heard(station, now)
    swept(now)
    assert steps(update)[-1] == "sent Asked how far it is."
    passes(station, 6)
    say(engine, station, "Idle")
    assert ends(update) == ("failed", "idle")
