"""A simulated local controller and this project's own server: stations behind it are stations as any other, and dark with it."""

import pytest

from csms.simulator import HandshakeRefused, LocalController, SimulatedStation
from stations.domain import commands
from tests.network import PASSWORD, Network
from tests.servers import Server
from tests.simulator.test_real_server import becomes
from tests.sockets.test_commands import issue


async def test_stations_behind_it_charge_and_are_asked_as_any_other_and_are_gone_with_it(
    uvicorn: Server, network: Network, bells: None
) -> None:
    itself, first, second = (network.station() for _ in range(3))
    network.token("CARD")
    own = SimulatedStation(uvicorn.ocpp, itself.identity, password=PASSWORD, protocol="ocpp2.0.1")
    async with LocalController(own) as controller:
        await own.reconnect()
        assert await own.boot() == "Accepted"
        one = SimulatedStation(controller.url, first.identity, password=PASSWORD, protocol="ocpp2.0.1")
        other = SimulatedStation(controller.url, second.identity, password=PASSWORD)
        async with one, other:
            assert (await one.boot(), await other.boot()) == ("Accepted", "Accepted")
            assert len(controller.relayed) == 2
            await becomes(issue(first, commands.ClearCache()), "confirmed")
            await becomes(issue(second, commands.TriggerMessage("Heartbeat")), "confirmed")
            await becomes(issue(itself, commands.ClearCache()), "confirmed")
            await controller.go_dark()
            await one.lost.wait()
            await other.lost.wait()
            assert controller.relayed == {}
            assert not own.connected


async def test_who_is_turned_away_by_the_csms_is_turned_away_by_it(uvicorn: Server, network: Network) -> None:
    itself = network.station()
    async with LocalController(SimulatedStation(uvicorn.ocpp, itself.identity, password=PASSWORD)) as controller:
        stranger = SimulatedStation(controller.url, f"{network.prefix}-NOBODY", password=PASSWORD)
        with pytest.raises(HandshakeRefused, match="404"):
            await stranger.reconnect()
