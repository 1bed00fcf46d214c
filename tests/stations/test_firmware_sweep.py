"""Updates whose time is over: what was never sent, what fell silent, and what is only waiting for a car."""

from datetime import UTC, datetime, timedelta

import pytest
from django_scopes import scopes_disabled

from stations.models import Command, Connection, Firmware, Station, Transaction
from stations.services import commandends, firmware
from tests.dashboard.rows import plug, session
from tests.engine import Engine
from tests.firmware import update_of
from tests.network import Network
from tests.stations.asking import ACCEPTED, connected, sent
from tests.stations.updating import boot, ends, engine, image, say, start, station, steps, swept, taken

__all__ = ["engine", "image", "station"]


def test_the_sweep_ends_what_was_never_sent_and_what_fell_silent(
    network: Network, engine: Engine, station: Station, image: Firmware
) -> None:
    waiting = start(station, image, expires_in=60)
    later = datetime.now(UTC) + timedelta(seconds=61)
    commandends.sweep(now=later)
    swept(later)
    assert ends(waiting) == ("failed", "timeout")
    silent = start(station, image)
    taken(engine, station)
    swept(datetime.now(UTC) + timedelta(minutes=59))
    assert ends(silent) == ("sent", "")
    swept(datetime.now(UTC) + timedelta(minutes=61))
    assert ends(silent) == ("failed", "timeout")
    assert update_of(station).detail == "Nothing was heard after this step: sent."
    # The state of whoever holds the socket has heard of it.
    say(engine, station, "Installing", number=silent.request_id)
    assert ends(silent) == ("failed", "timeout")


def test_while_somebody_charges_a_station_that_is_there_has_more_time(
    network: Network, engine: Engine, station: Station, image: Firmware
) -> None:
    update = start(station, image)
    taken(engine, station)
    say(engine, station, "Downloaded")
    car = session(plug(network, station=station))
    began = datetime.now(UTC)

    def swept_after(hours: int, *, heard: bool = True) -> tuple[str, str]:
        now = began + timedelta(hours=hours, minutes=hours)
        with scopes_disabled():
            Connection.objects.filter(station=station).update(seen_at=now if heard else began)
        swept(now)
        return ends(update)

    for hours in (1, 3, 5):
        assert swept_after(hours) == ("downloaded", "")
    assert steps(update)[-1] == "downloaded Somebody charges: it may wait for the end of that."
    with scopes_disabled():
        Transaction.objects.filter(pk=car.pk).update(status="ended", stopped_at=began)
    assert swept_after(7) == ("downloaded", "")
    assert steps(update)[-1] == "downloaded Asked how far it is."
    assert swept_after(8) == ("failed", "timeout")


@pytest.mark.parametrize(("hours", "heard"), [(2, False), (24 * 9, True)], ids=["it is away", "for days"])
def test_a_car_is_no_excuse(network: Network, engine: Engine, station: Station, image: Firmware, hours: int, heard: bool) -> None:
    update = start(station, image)
    taken(engine, station)
    say(engine, station, "Installing")
    session(plug(network, station=station))
    now = datetime.now(UTC) + timedelta(hours=hours)
    for later in (now, now + firmware.TELLS_WITHIN):
        with scopes_disabled():
            Connection.objects.filter(station=station).update(seen_at=later if heard else now - timedelta(hours=1))
        swept(later)
    assert ends(update) == ("failed", "timeout")


def test_why_it_could_not_be_sent_is_told(network: Network, image: Firmware) -> None:
    engine = Engine("ocpp1.6")
    station = connected(network, engine, vendor="Acme", model="One", firmware_version="1.0")
    update = start(station, image, install_at=datetime.now(UTC) + timedelta(hours=1))
    assert engine.claim(station) == []
    swept(datetime.now(UTC))
    assert ends(update) == ("failed", "rejected")
    assert update_of(station).detail.startswith("OCPP 1.6 can say when to fetch firmware")


def test_a_later_install_waits_for_its_time(engine: Engine, station: Station, image: Firmware) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    update = start(station, image, retrieve_at=tomorrow)
    taken(engine, station)
    assert update_of(station).due_at > tomorrow
    assert update.expires_at > tomorrow + timedelta(hours=23)


def heard(station: Station, now: datetime) -> None:
    with scopes_disabled():
        Connection.objects.filter(station=station).update(seen_at=now)


def asked_for(station: Station) -> list[str]:
    """What it was triggered to tell."""
    with scopes_disabled():
        found = Command.objects.filter(station=station, kind="trigger_message").order_by("id")
        return [one.params["message"] for one in found]


def overdue(station: Station) -> datetime:
    """Just after its step must have been followed by another; the station is there."""
    now = update_of(station).due_at + timedelta(seconds=1)
    heard(station, now)
    return now


def test_a_silent_station_that_is_there_is_asked_once_before_it_has_failed(
    engine: Engine, station: Station, image: Firmware
) -> None:
    update = start(station, image)
    taken(engine, station)
    swept(overdue(station))
    assert (ends(update), asked_for(station)) == (("sent", ""), ["FirmwareStatusNotification"])
    assert steps(update)[-1] == "sent Asked how far it is."
    with scopes_disabled():
        assert update_of(station).command.facts["asked_then"] == "trigger_message"
    engine.reply(station, sent(engine, station), ACCEPTED)
    # It tells, and falls silent again.
    say(engine, station, "Downloading")
    assert ends(update) == ("downloading", "")
    swept(overdue(station))
    assert ends(update) == ("failed", "timeout")
    assert asked_for(station) == ["FirmwareStatusNotification"]


def test_one_that_does_not_tell_has_failed_and_one_that_is_away_is_not_asked(
    engine: Engine, station: Station, image: Firmware
) -> None:
    update = start(station, image)
    taken(engine, station)
    swept(overdue(station))
    swept(overdue(station))
    assert (ends(update), len(asked_for(station))) == (("failed", "timeout"), 1)
    update = start(station, image)
    taken(engine, station)
    swept(update_of(station).due_at)
    assert (ends(update), len(asked_for(station))) == (("failed", "timeout"), 1)


@pytest.mark.parametrize(
    ("version", "end"),
    [("2.0", ("done", "")), ("1.0", ("failed", "version")), (None, ("done", "")), ("silent", ("done", ""))],
)
def test_a_station_that_says_installed_and_does_not_restart_is_asked_for_its_version_and_believed(
    engine: Engine, station: Station, image: Firmware, version: str | None, end: tuple[str, str]
) -> None:
    update = start(station, image)
    taken(engine, station)
    say(engine, station, "Installing")
    say(engine, station, "Installed")
    swept(overdue(station))
    assert (ends(update), asked_for(station)) == (("rebooting", ""), ["BootNotification"])
    if version == "silent":
        swept(overdue(station))
        assert update_of(station).detail == "Said Installed, did not restart"
        with scopes_disabled():
            assert update_of(station).command.status == "confirmed"
    else:
        boot(engine, station, version)
    assert ends(update) == end


def test_a_station_that_says_installed_and_does_not_come_back_has_failed(engine: Engine, station: Station, image: Firmware) -> None:
    update = start(station, image)
    taken(engine, station)
    say(engine, station, "Installed")
    swept(update_of(station).due_at + timedelta(hours=1))
    assert ends(update) == ("failed", "timeout")


@pytest.mark.parametrize("word", ["DownloadScheduled", "InstallScheduled"])
def test_what_a_station_puts_off_by_itself_has_a_day(network: Network, image: Firmware, word: str) -> None:
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine, vendor="Acme", model="One", firmware_version="1.0")
    update = start(station, image)
    taken(engine, station)
    said_at = datetime.now(UTC)
    say(engine, station, word)
    later = said_at + timedelta(hours=23)
    heard(station, later)
    swept(later)
    assert (update_of(station).finished_at, asked_for(station)) == (None, [])
    swept(overdue(station))
    swept(overdue(station))
    assert (ends(update), asked_for(station)) == (("failed", "timeout"), ["FirmwareStatusNotification"])
