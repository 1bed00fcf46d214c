"""A second back end that is slow, dead, lying or hostile spoils its own connection, and no more."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from csms.forwarding import dialling, link, services
from csms.forwarding.models import Forward
from stations.models import Station
from tests import v16
from tests.engine import Engine
from tests.forwarding.backend import BackEnd, backend, polite, silent
from tests.forwarding.conftest import only, when
from tests.forwarding.test_mirror import booted
from tests.network import Network
from tests.peer import Peer, station
from tests.servers import Server, until

Forwarded = Callable[..., Forward]


@pytest.fixture
def here(network: Network, engine: Engine) -> Station:
    return booted(network, engine)


def goes_on(engine: Engine, network: Network, forwarded: Forwarded) -> None:
    """Another back end of the same network hears the station all the same."""
    with backend() as good:
        forwarded(good, name="A good one")
        good.wait(1)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "It answered 401: it does not take the password"),
        (404, "It answered 404: it does not know this identity"),
        (302, "redirects are not followed"),
        (503, "it wants fewer connections now"),
        (500, "It answered 500 instead of opening a WebSocket."),
    ],
)
def test_a_refused_handshake_says_why(status: int, words: str, here: Station, mirror: None, forwarded: Forwarded) -> None:
    with backend(status=status) as them:
        forward = forwarded(them)
        assert words in when(forward, lambda link: link.error).error


def test_the_password_is_sent_with_the_name_there(here: Station, mirror: None, forwarded: Forwarded) -> None:
    with backend(password="open-sesame-of-20-ch") as them:
        wrong = forwarded(them, password="wrong", identity="X-{identity}")
        when(wrong, lambda link: "401" in link.error)
        forwarded(them, password="open-sesame-of-20-ch", identity="Y-{identity}")
        them.wait(1)
        assert them.names == [f"Y-{here.identity}"]


def test_one_that_does_not_speak_the_version_is_told_so(here: Station, mirror: None, forwarded: Forwarded) -> None:
    with backend(subprotocols=()) as them:
        forward = forwarded(them)
        assert "does not speak OCPP 1.6" in when(forward, lambda link: link.error).error
        # Envelopes need none.
        forwarded(them, style="envelope", name="Envelopes")
        until(lambda: None in them.protocols[1:] and them.open)


def test_a_boot_that_is_not_accepted_is_told_and_nothing_else_is_said(
    here: Station, engine: Engine, mirror: None, forwarded: Forwarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    with backend(boot="Pending") as them:
        forward = forwarded(them)
        found = when(forward, lambda link: "Pending" in link.error)
        assert "Accept the charger there." in found.error
        assert found.failing_since
        engine.say(here, "Heartbeat", {})
        them.boot = "Accepted"
        until(lambda: services.try_out(forward=forward))  # nobody waits out the pause it asked for
        until(lambda: "Heartbeat" in them.actions())
        assert them.actions().index("Heartbeat") > 1
        assert not when(forward, lambda link: not link.error).failing_since


def test_calls_of_theirs_are_turned_down_and_never_reach_the_station(here: Station, mirror: None, forwarded: Forwarded) -> None:
    answers: list[Any] = []

    async def curious(them: BackEnd, socket: ServerConnection, frame: Any) -> None:
        await polite(them, socket, frame)
        for number, action in enumerate(("Reset", "ChangeConfiguration", "Nonsense")):
            await socket.send(json.dumps([2, f"q{number}", action, {"type": "Hard"}]))

    with backend(curious) as them:
        forward = forwarded(them)
        until(lambda: sum(frame[0] == 4 for _, frame in them.frames) >= 3)
        answers = [frame for _, frame in them.frames if frame[0] == 4]
        assert [one[1:3] for one in answers[:3]] == [["q0", "NotSupported"], ["q1", "NotSupported"], ["q2", "NotSupported"]]
        assert when(forward, lambda link: link.asked >= 3).state == "connected"


async def flood(them: BackEnd, socket: ServerConnection, frame: Any) -> None:
    while True:
        await socket.send('[2,"x","Reset",{"type":"Hard"}]')


async def huge(them: BackEnd, socket: ServerConnection, frame: Any) -> None:
    await socket.send("x" * (dialling.FRAME_BYTES + 1))


async def garbage(them: BackEnd, socket: ServerConnection, frame: Any) -> None:
    for text in ("", "hello", "[", "[9]", '[3,"unasked",{}]', "[" * 500, '{"a": 1}', b"\xff\x00"):
        await socket.send(text)


async def goodbye(them: BackEnd, socket: ServerConnection, frame: Any) -> None:
    await socket.close(1008, "go away\x00")


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        pytest.param(flood, "It floods the connection", marks=pytest.mark.long),
        (huge, "It sent a frame that is too large."),
        (goodbye, "It closed the connection with 1008 (go away)."),
        (silent, "It did not answer within"),
    ],
)
def test_a_hostile_one_ends_its_own_connection_and_is_told_of(
    behaviour: Any, words: str, here: Station, engine: Engine, network: Network, mirror: None, forwarded: Forwarded
) -> None:
    with backend(behaviour) as them:
        forward = forwarded(them)
        assert words in when(forward, lambda link: link.error).error
        goes_on(engine, network, forwarded)


def test_garbage_is_passed_over(here: Station, engine: Engine, mirror: None, forwarded: Forwarded) -> None:
    async def both(them: BackEnd, socket: ServerConnection, frame: Any) -> None:
        await garbage(them, socket, frame)
        await polite(them, socket, frame)

    with backend(both) as them:
        forward = forwarded(them)
        engine.say(here, "Heartbeat", {})
        until(lambda: "Heartbeat" in them.actions())
        assert (only(forward).state, only(forward).error) == ("connected", "")


@pytest.mark.long
def test_a_message_that_is_never_answered_is_let_go_of_so_that_the_others_get_through(
    here: Station, engine: Engine, mirror: None, forwarded: Forwarded
) -> None:
    async def picky(them: BackEnd, socket: ServerConnection, frame: Any) -> None:
        if frame[2] != "DataTransfer":
            await polite(them, socket, frame)

    with backend(picky) as them:
        forward = forwarded(them)
        engine.say(here, "DataTransfer", {"vendorId": "Poison"})
        engine.say(here, "Heartbeat", {})
        until(lambda: "Heartbeat" in them.actions())
        assert them.actions().count("DataTransfer") == link.ATTEMPTS
        assert when(forward, lambda link: not link.error).dropped == 1


def test_errors_that_it_answers_are_counted_and_shown(here: Station, engine: Engine, mirror: None, forwarded: Forwarded) -> None:
    async def refusing(them: BackEnd, socket: ServerConnection, frame: Any) -> None:
        if frame[2] == "Heartbeat":
            await socket.send(json.dumps([4, frame[1], "InternalError", "no \x00 idea", {}]))
        else:
            await polite(them, socket, frame)

    with backend(refusing) as them:
        forward = forwarded(them)
        engine.say(here, "Heartbeat", {})
        found = when(forward, lambda link: link.refused == 1)
        assert (found.state, found.error) == ("connected", "It answered Heartbeat with InternalError: no  idea")
        engine.say(here, "StatusNotification", v16.status("Available"))
        assert when(forward, lambda link: not link.error).sent >= 3


async def test_a_station_notices_nothing(network: Network, uvicorn: Server, forwarded: Any, mirror: None) -> None:
    """A real socket, mirrored to one that floods and one that never answers: the same answers, in order, and nothing else."""
    network.token("CARD")
    here = network.station()
    loop = asyncio.get_running_loop()
    with backend(flood) as bad, backend(silent) as dead:
        for them in (bad, dead):
            forwarded(them, name=f"To {them.port}")
        async with station(uvicorn.ocpp, here) as peer:
            await peer.boot()
            await session(peer)
            await loop.run_in_executor(None, lambda: until(lambda: bad.calls and dead.calls))
            await session(peer)
            # Nothing came that was not asked for.
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(peer.socket.recv(), 0.5)


async def session(peer: Peer) -> None:
    number = await peer.start("CARD")
    for watt in range(10):
        await peer.meter(number, 1000 + watt)
    await peer.stop(number, 2000)
