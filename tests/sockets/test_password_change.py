"""Another password over a station's own socket, by way of a real server: in both versions, and whatever goes wrong in between."""

import asyncio
from typing import Any

import pytest
from django_scopes import scope, scopes_disabled

from csms.simulator import SimulatedStation
from stations.models import Command, PasswordChange, Station
from stations.services import passwords
from tests.database import tables
from tests.network import PASSWORD, Network
from tests.peer import Peer, basic, refusal, station
from tests.servers import Server, until

NEW = "another-password-20c"
PROTOCOLS = ("ocpp1.6", "ocpp2.0.1")


@tables
def give(who: Station, password: str | None = NEW) -> PasswordChange:
    with scope(operator=who.operator):
        return passwords.start(station=who, password=password)


@tables
def change_of(who: Station) -> PasswordChange:
    with scopes_disabled():
        return PasswordChange.objects.filter(station=who).select_related("command", "station").latest("id")


def becomes(who: Station, status: str) -> PasswordChange:
    until(lambda: change_of(who).status == status)
    return change_of(who)


async def told(peer: Peer, protocol: str) -> tuple[str, str]:
    """The CALL's id, and the password that the station is told, as text."""
    message_id, action, payload = await peer.asked()
    if protocol == "ocpp1.6":
        assert (action, payload["key"]) == ("ChangeConfiguration", "AuthorizationKey")
        return message_id, bytes.fromhex(payload["value"]).decode()
    assert action == "SetVariables"
    (one,) = payload["setVariableData"]
    assert (one["component"], one["variable"]) == ({"name": "SecurityCtrlr"}, {"name": "BasicAuthPassword"})
    return message_id, one["attributeValue"]


def answer(protocol: str, status: str) -> Any:
    if protocol == "ocpp1.6":
        return {"status": status}
    name = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    return {"setVariableResult": [name | {"attributeStatus": status}]}


async def let_in(server: Server, who: Station, protocol: str, password: str) -> None:
    async with station(server.ocpp, who, headers=basic(who.identity, password), subprotocols=[protocol]) as peer:
        assert "currentTime" in await peer.call("Heartbeat", {})


async def turned_away(server: Server, who: Station, password: str) -> None:
    assert (await refusal(server.ocpp, who, headers=basic(who.identity, password))).status_code == 401


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_accepted_password_takes_the_place_of_the_old_one_at_once(
    server: Server, network: Network, bells: None, protocol: str
) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known, subprotocols=[protocol]) as peer:
        give(known)
        message_id, password = await told(peer, protocol)
        assert password == NEW
        await peer.tell(message_id, answer(protocol, "Accepted"))
        becomes(known, "accepted")
        await turned_away(server, known, PASSWORD)
        # The open socket stays.
        assert "currentTime" in await peer.call("Heartbeat", {})
    await let_in(server, known, protocol, NEW)
    becomes(known, "done")
    assert command_of(known).status == "confirmed"
    assert NEW not in everything(network, known)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_station_that_comes_back_before_its_answer_is_here_is_let_in(
    server: Server, network: Network, bells: None, protocol: str
) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known, subprotocols=[protocol]) as peer:
        give(known)
        await told(peer, protocol)
        await let_in(server, known, protocol, NEW)
        assert becomes(known, "done").finished_at is not None
        assert (await peer.closed())[0] == 1012
    assert command_of(known).status == "confirmed"
    await turned_away(server, known, PASSWORD)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_refused_password_leaves_the_old_one(server: Server, network: Network, bells: None, protocol: str) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known, subprotocols=[protocol]) as peer:
        give(known)
        message_id, _ = await told(peer, protocol)
        await peer.tell(message_id, answer(protocol, "Rejected"))
        assert "Rejected" in becomes(known, "refused").detail
    await turned_away(server, known, NEW)
    await let_in(server, known, protocol, PASSWORD)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("took", [True, False], ids=["took it", "did not take it"])
async def test_a_station_that_goes_in_the_middle_shows_which_it_uses_and_the_other_goes(
    server: Server, network: Network, bells: None, protocol: str, took: bool
) -> None:
    known = network.station(accepted=True)
    used, void = (NEW, PASSWORD) if took else (PASSWORD, NEW)
    async with station(server.ocpp, known, subprotocols=[protocol]) as peer:
        give(known)
        await told(peer, protocol)
        peer.socket.transport.abort()
    await let_in(server, known, protocol, used)
    becomes(known, "done" if took else "not_taken")
    await turned_away(server, known, void)
    await let_in(server, known, protocol, used)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_what_takes_effect_at_the_restart_leaves_both_until_then(
    server: Server, network: Network, bells: None, protocol: str
) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known, subprotocols=[protocol]) as peer:
        give(known)
        message_id, _ = await told(peer, protocol)
        await peer.tell(message_id, answer(protocol, "RebootRequired"))
        becomes(known, "at_restart")
    await let_in(server, known, protocol, PASSWORD)
    assert change_of(known).status == "at_restart"
    await let_in(server, known, protocol, NEW)
    becomes(known, "done")
    await turned_away(server, known, PASSWORD)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_simulated_station_comes_back_with_a_password_that_was_made_for_it(
    uvicorn: Server, network: Network, bells: None, protocol: str
) -> None:
    known = network.station()
    async with SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, protocol=protocol) as sim:
        await sim.boot()
        give(known, None)
        async with asyncio.timeout(60):
            while change_of(known).status != "done":
                await asyncio.sleep(0.02)
        assert (sim.password != PASSWORD, len(sim.password or "")) == (True, 40)
        assert sim.password not in everything(network, known)
    await turned_away(uvicorn, known, PASSWORD)


async def test_a_station_without_a_password_has_one_from_the_moment_it_uses_it(
    uvicorn: Server, network: Network, bells: None
) -> None:
    known = network.station(security_profile=0, accepted=True)
    async with station(uvicorn.ocpp, known, headers={}) as peer:
        give(known)
        message_id, _ = await told(peer, "ocpp1.6")
        await peer.tell(message_id, {"status": "Accepted"})
        becomes(known, "accepted")
    async with station(uvicorn.ocpp, known, headers={}):
        assert change_of(known).status == "accepted"
    await let_in(uvicorn, known, "ocpp1.6", NEW)
    assert becomes(known, "done").station.security_profile == 1
    assert (await refusal(uvicorn.ocpp, known, headers={})).status_code == 401


@tables
def command_of(who: Station) -> Command:
    return Command.objects.with_scopes_disabled().filter(station=who, kind="set_variables").latest("id")


@tables
def everything(network: Network, who: Station) -> str:
    """What is kept of commands and messages, in which no password may stand; hex digits of it are one too."""
    with scopes_disabled():
        rows = [*Command.objects.filter(station=who).values(), *(vars(entry) for entry in network.log(who))]
    return str(rows).replace(NEW.encode().hex(), NEW)
