"""Updates whose time is over: what was never sent, what fell silent, and what is only waiting for a car."""

from datetime import UTC, datetime, timedelta

import pytest
from django_scopes import scopes_disabled

from stations.models import Connection, Firmware, Station, Transaction
from stations.services import commandends
from tests.dashboard.rows import plug, session
from tests.engine import Engine
from tests.firmware import update_of
from tests.network import Network
from tests.stations.asking import connected
from tests.stations.updating import ends, engine, image, say, start, station, steps, swept, taken

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
    assert swept_after(7) == ("failed", "timeout")


@pytest.mark.parametrize(("hours", "heard"), [(2, False), (24 * 9, True)], ids=["it is away", "for days"])
def test_a_car_is_no_excuse(network: Network, engine: Engine, station: Station, image: Firmware, hours: int, heard: bool) -> None:
    update = start(station, image)
    taken(engine, station)
    say(engine, station, "Installing")
    session(plug(network, station=station))
    now = datetime.now(UTC) + timedelta(hours=hours)
    with scopes_disabled():
        Connection.objects.filter(station=station).update(seen_at=now if heard else now - timedelta(hours=1))
    swept(now)
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
