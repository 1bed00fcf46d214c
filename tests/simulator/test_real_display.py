"""Simulated stations that show messages, prices and costs, and this project's own server."""

import asyncio
from decimal import Decimal

from csms.simulator import SimulatedStation
from stations.domain import commands
from stations.domain.commands.displaymessage import ClearDisplayMessage, GetDisplayMessages, SetDisplayMessage
from stations.models import DisplayMessage, Station
from tests.database import tables
from tests.network import PASSWORD, Network
from tests.servers import Server
from tests.simulator.test_real_server import becomes
from tests.sockets.test_commands import issue


@tables
def shown(station: Station) -> dict[int, bool]:
    """The messages by number: whether the station has them."""
    rows = DisplayMessage.objects.with_scopes_disabled().filter(station=station)
    return {row.number: row.removed_at is None for row in rows}


async def test_messages_are_set_read_and_cleared(uvicorn: Server, network: Network, bells: None) -> None:
    known = network.station()
    async with SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, protocol="ocpp2.0.1") as sim:
        await sim.boot()
        for number in range(7):
            await becomes(issue(known, SetDisplayMessage(f"Message {number}", number=number)), "confirmed")
        await becomes(issue(known, ClearDisplayMessage(3)), "confirmed")
        del sim.display.messages[4]
        await becomes(issue(known, GetDisplayMessages()), "confirmed")
    assert shown(known) == {number: number not in (3, 4) for number in range(7)}
    assert network.findings(known) == []


async def test_a_session_of_2_0_1_shows_its_price_and_costs(uvicorn: Server, network: Network, bells: None) -> None:
    known = network.station()
    network.token("CARD")
    network.tariff(price_per_kwh=Decimal("0.50"), price_per_minute=0, price_per_session=0, tax_percent=0)
    async with SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, protocol="ocpp2.0.1") as sim:
        await sim.boot()
        await becomes(issue(known, commands.GetBaseReport()), "confirmed")
        await sim.plug_in(1)
        await sim.start(1, "CARD")
        await sim.charge(1, seconds=600)
        await sim.stop(1, tag="CARD")
    assert "per kWh" in sim.display.texts[0]
    (charged,) = network.transactions(known)
    assert charged.energy_wh is not None
    assert abs(sim.display.costs[-1][1] - float(charged.energy_wh) / 2000) < 0.01
    assert network.findings(known) == []


async def test_a_session_of_1_6_shows_them_by_the_cost_messages(uvicorn: Server, network: Network, bells: None) -> None:
    known = network.station()
    network.token("CARD")
    network.tariff(price_per_kwh=Decimal("0.50"), price_per_minute=0, price_per_session=0, tax_percent=0)
    settings = {"CustomDisplayCostAndPrice": "true"}
    async with SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, configuration=settings) as sim:
        await sim.boot()
        await becomes(issue(known, commands.GetVariables()), "confirmed")
        await sim.authorize("CARD")
        await sim.plug_in(1)
        await sim.start(1, "CARD")
        await sim.charge(1, seconds=600)
        await sim.stop(1, tag="CARD")
        for _ in range(500):
            if len(sim.display.costs) >= 2:
                break
            await asyncio.sleep(0.02)
    assert "per kWh" in sim.display.texts[0]
    (charged,) = network.transactions(known)
    assert charged.energy_wh is not None
    assert abs(sim.display.costs[-1][1] - float(charged.energy_wh) / 2000) < 0.01
