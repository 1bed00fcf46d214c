"""The process itself: a network mirrored into another operator's, killed in the middle, and one that stands by."""

import asyncio
from collections.abc import Callable

import pytest
from django_scopes import scopes_disabled

from csms.forwarding.models import Forward
from stations.models import Station
from tests import v16
from tests.database import tables
from tests.engine import Engine
from tests.forwarding.backend import BackEnd, backend
from tests.forwarding.conftest import only, when
from tests.forwarding.test_mirror import booted
from tests.network import PASSWORD, Network
from tests.peer import station
from tests.servers import Process, Server, until

Forwarded = Callable[..., Forward]


def started() -> Process:
    return Process("manage.py", "forward")


@pytest.fixture
def fleet(network: Network) -> Network:
    return Network()


@pytest.mark.long
async def test_a_session_is_in_both_operators_networks_with_a_number_of_each(
    network: Network, fleet: Network, uvicorn: Server, forwarded: Forwarded
) -> None:
    """The second back end is a charging system: this one, for another operator."""
    for one in (network, fleet):
        one.token("CARD")
    here = network.station()
    there = fleet.station(identity=f"HL-{here.identity}")
    forward = forwarded(uvicorn.ocpp, identity="HL-{identity}", password=PASSWORD)
    loop = asyncio.get_running_loop()

    async def holds(condition: Callable[[], object]) -> None:
        await loop.run_in_executor(None, until, condition)

    process = await loop.run_in_executor(None, started)
    try:
        async with station(uvicorn.ocpp, here) as peer:
            await peer.boot()
            number = await peer.start("CARD", meter=1000)
            await peer.meter(number, 3000)
            await holds(lambda: len(fleet.samples(there)) >= 1)
            # Killed in the middle of a session: the next one knows its number there.
            await loop.run_in_executor(None, process.kill)
            await peer.meter(number, 4000)
            await peer.stop(number, 5000)
            process = await loop.run_in_executor(None, started)
            await holds(lambda: [one for one in fleet.transactions(there) if one.status == "ended"])
    finally:
        await loop.run_in_executor(None, process.stop)
    (ours,), (theirs,) = network.transactions(here), fleet.transactions(there)
    assert (ours.energy_wh, theirs.energy_wh) == (4000, 4000)
    assert ours.ocpp_transaction_id != theirs.ocpp_transaction_id
    assert [(one.at, one.energy_wh) for one in fleet.samples(there)] == [(one.at, one.energy_wh) for one in network.samples(here)]
    assert fleet.findings(there) == []
    # It was told to end: its sockets are closed, and it says so.
    assert tables(only)(forward).state == "idle"


@pytest.mark.long
def test_one_stands_by_and_takes_over(network: Network, engine: Engine, them: BackEnd, forwarded: Forwarded) -> None:
    here = booted(network, engine)
    forward = forwarded(them)
    first = started()
    try:
        them.wait(1)
        second = started()
        try:
            first.kill()
            engine.say(here, "StatusNotification", v16.status("Available"))
            until(lambda: "StatusNotification" in them.actions())
            assert len(them.names) == 2
            assert when(forward, lambda link: link.state == "connected").sent >= 2
            assert second.stop() == 0
        finally:
            second.kill()
    finally:
        first.kill()
    assert only(forward).state == "idle"


def test_a_station_that_is_removed_is_forgotten(network: Network, engine: Engine, mirror: None, forwarded: Forwarded) -> None:
    here = booted(network, engine)
    with backend() as them:
        forward = forwarded(them)
        them.wait(1)
        with scopes_disabled():
            Station.objects.filter(pk=here.pk).delete()
        until(lambda: not them.open)
        assert forward.pk
