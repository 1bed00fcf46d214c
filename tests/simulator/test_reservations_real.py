"""Simulated stations and this project's own server: a plug is kept, used and given up; a station is led to another address."""

from datetime import UTC, datetime, timedelta

import pytest
from django_scopes import scope, scopes_disabled

from csms.simulator import SimulatedStation
from stations.domain import commands
from stations.models import NetworkMove, Reservation, Station
from stations.services import networkmoves
from tests.database import tables
from tests.network import PASSWORD, Network
from tests.servers import Server
from tests.simulator.test_real_server import becomes
from tests.sockets.test_commands import issue


@tables
def statuses(station: Station) -> list[str]:
    with scopes_disabled():
        return list(Reservation.objects.filter(station=station).order_by("id").values_list("status", flat=True))


@tables
def move_of(station: Station) -> NetworkMove:
    with scopes_disabled():
        return NetworkMove.objects.select_related("command").get(station=station)


@tables
def advance() -> None:
    now = datetime.now(UTC)
    with scopes_disabled():
        NetworkMove.objects.update(due_at=now)
        networkmoves.advance(now=now)


@tables
def lead(station: Station, url: str) -> None:
    with scope(operator=station.operator):
        profile = commands.SetNetworkProfile(slot=2, url=url, security_profile=1)
        networkmoves.start(station=station, profile=profile)


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])
async def test_a_plug_is_kept_used_and_given_up(uvicorn: Server, network: Network, bells: None, protocol: str) -> None:
    known = network.station()
    network.token("CARD", group="FLEET")
    network.token("OTHER", group="FLEET")
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    async with SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, protocol=protocol) as sim:
        await sim.boot()
        await becomes(issue(known, commands.ReserveNow("CARD", until, evse=1)), "confirmed")
        assert network.connectors(known)[1].status == "Reserved"
        assert await sim.authorize("OTHER") == "Accepted"
        await sim.plug_in(1)
        await sim.start(1, "OTHER")
        assert statuses(known) == ["used"]
        second = issue(known, commands.ReserveNow("CARD", until, evse=2, reservation=41))
        await becomes(second, "confirmed")
        await becomes(issue(known, commands.CancelReservation(41)), "confirmed")
    assert statuses(known) == ["used", "cancelled"]
    assert network.findings(known) == []


async def test_a_station_is_led_to_another_profile_and_seen_to_arrive(uvicorn: Server, network: Network, bells: None) -> None:
    known = network.station()
    async with SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, protocol="ocpp2.0.1") as sim:
        await sim.boot()
        await becomes(issue(known, commands.GetBaseReport()), "confirmed")
        lead(known, uvicorn.ocpp)
        for status in ("priority", "restart", "watching"):
            command = move_of(known).command
            assert command is not None
            await becomes(command, "confirmed")
            advance()
            assert move_of(known).status == status
        advance()
        asked = move_of(known).command
        assert asked is not None
        await becomes(asked, "confirmed")
        advance()
        assert sim.network.active == 2
    assert (move_of(known).status, move_of(known).came_by) == ("arrived", 2)
