"""The server is killed, the driver stops and leaves, the mains fail; then all of it comes back, and the bill is right."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from billing import tasks
from csms.simulator import SimulatedStation, Unreachable
from stations.models import Station, Transaction
from tests.database import tables
from tests.network import PASSWORD, Network
from tests.servers import Server

pytestmark = pytest.mark.long
Serve = Callable[..., Server]
KINDS, PROTOCOLS = ("daphne", "uvicorn"), ("ocpp1.6", "ocpp2.0.1")
DARK_S = 1800


@pytest.fixture
def known(network: Network) -> Station:
    network.token("CARD")
    network.tariff()
    return network.station()


def simulated(serving: Server, known: Station, protocol: str) -> SimulatedStation:
    return SimulatedStation(serving.ocpp, known.identity, password=PASSWORD, protocol=protocol)


async def charging(sim: SimulatedStation) -> int:
    """It charges since ten minutes. Returns the register at the start."""
    await sim.boot()
    before = sim.connectors[0].register_wh
    await sim.plug_in(1)
    await sim.start(1, "CARD")
    await sim.charge(1, seconds=600)
    return before


@tables
def bill() -> None:
    """The job that prices what has ended, twice: it may run again at any time."""
    tasks.make_charge_records()
    tasks.make_charge_records()


def the_one(network: Network, known: Station, energy: int, stopped_at: datetime, reason: str) -> Transaction:
    """There is one session; it ended then, with this energy, beyond doubt, and is billed once."""
    (charged,) = network.transactions(known)
    assert (charged.status, charged.doubt, charged.stop_reason) == ("ended", "", reason)
    assert (charged.energy_wh, charged.meter_stop_wh) == (energy, (charged.meter_start_wh or 0) + energy)
    assert charged.stopped_at is not None
    assert abs(charged.stopped_at - stopped_at) < timedelta(milliseconds=1)
    bill()
    (record,) = network.charge_records()
    assert (record.transaction_id, record.energy_wh) == (charged.pk, Decimal(energy))
    return charged


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_session_that_ended_in_the_dark_keeps_its_time_and_its_register(
    kind: str, protocol: str, known: Station, network: Network, serve: Serve
) -> None:
    serving = serve(kind)
    async with simulated(serving, known, protocol) as sim:
        before = await charging(sim)
        serving.kill()
        async with asyncio.timeout(30):
            await sim.lost.wait()
        await sim.charge(1, seconds=900)
        await sim.stop(1, tag="CARD")
        stopped_at, energy = sim.clock.now(), sim.connectors[0].register_wh - before
        await sim.unplug(1)
        waiting = sim.queued
        await sim.power_cut()
        await sim.clock.sleep(DARK_S)
        with pytest.raises(Unreachable):
            await sim.power_on()
        assert sim.queued == waiting > 0
        await asyncio.to_thread(serve, kind, port=serving.port)
        await sim.power_on()
        assert (sim.accepted, sim.queued) == (True, 0)
    charged = the_one(network, known, energy, stopped_at, "Local")
    assert charged.energy_wh > 5000
    assert (charged.id_tag, charged.stopped_by) == ("CARD", "CARD")
    assert network.connectors(known)[1].status == "Available"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", KINDS)
async def test_mains_that_fail_while_somebody_charges_end_the_session_then(
    kind: str, protocol: str, known: Station, network: Network, serve: Serve
) -> None:
    """The server dies with the same mains; the driver leaves before they are back."""
    serving = serve(kind)
    async with simulated(serving, known, protocol) as sim:
        before = await charging(sim)
        stopped_at, energy = sim.clock.now(), sim.connectors[0].register_wh - before
        serving.kill()
        await sim.power_cut()
        await sim.unplug(1)
        await sim.clock.sleep(DARK_S)
        await asyncio.to_thread(serve, kind, port=serving.port)
        await sim.power_on()
        assert sim.queued == 0
    the_one(network, known, energy, stopped_at, "PowerLoss")
    assert network.connectors(known)[1].status == "Available"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_station_that_goes_on_where_it_was_has_one_session_and_one_bill(
    kind: str, protocol: str, known: Station, network: Network, serve: Serve
) -> None:
    serving = serve(kind)
    async with simulated(serving, known, protocol) as sim:
        before = await charging(sim)
        await sim.power_cut(resumes=True)
        await sim.clock.sleep(DARK_S)
        await sim.power_on()
        await sim.charge(1, seconds=600)
        await sim.stop(1, tag="CARD")
        stopped_at, energy = sim.clock.now(), sim.connectors[0].register_wh - before
        await sim.unplug(1)
    the_one(network, known, energy, stopped_at, "Local")
