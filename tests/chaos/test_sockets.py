"""Sockets that are half open, stations that do not read, and stations that flood: the others do not notice."""

import asyncio
import itertools
import json
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django_scopes import scopes_disabled

from stations.models import ConnectionHistory, Station
from tests.chaos.fleet import Fleet
from tests.database import tables
from tests.network import Network
from tests.peer import Peer, station
from tests.relay import Relay
from tests.servers import Server, until

pytestmark = pytest.mark.long
Serve = Callable[..., Server]


def rss_mb(serving: Server) -> float:
    text = Path(f"/proc/{serving.process.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


@tables
def left_open(who: Station) -> int:
    with scopes_disabled():
        return ConnectionHistory.objects.filter(station=who, closed_at=None).count()


@tables
def ends(who: Station) -> list[tuple[int | None, str]]:
    with scopes_disabled():
        return list(ConnectionHistory.objects.filter(station=who).values_list("close_code", "close_reason"))


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_half_open_socket_gives_way_to_the_next(
    kind: str, network: Network, serve: Serve, relay: Callable[..., Relay]
) -> None:
    """The mobile network forgets a connection without a word to either side; the station dials again."""
    serving = serve(kind)
    between = [relay(serving.ocpp) for _ in range(3)]
    async with Fleet(network, between[0].url, patience_s=2) as fleet:
        for dead, alive in itertools.pairwise(between):
            await fleet.more(200, each=1)
            dead.stall()
            for charger in fleet:
                charger.url = alive.url
            await fleet.more(200, each=3)
        for charger in fleet:
            await asyncio.to_thread(until, lambda who=charger.who: left_open(who) == 1)
        # What the dead connections held back arrives at last, at sockets that no longer speak for the stations.
        for one in between:
            one.flow()
        await fleet.more(200, each=1)
        await fleet.finish()


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_station_that_does_not_read_is_closed_and_costs_no_memory(kind: str, network: Network, serve: Serve) -> None:
    serving = serve(kind)
    slow = network.station(accepted=True)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", urlsplit(serving.ocpp).port))
    async with Fleet(network, serving.ocpp) as fleet:
        await fleet.more(500)
        before = rss_mb(serving)
        async with station(serving.ocpp, slow, sock=narrow, max_queue=1, compression=None, close_timeout=1) as peer:
            sending = asyncio.create_task(heartbeats(peer, 1_000_000))
            await asyncio.to_thread(until, lambda: not left_open(slow))
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        await fleet.more(200, each=1)
        assert rss_mb(serving) - before < 24
        await fleet.finish()
    assert ends(slow) == [(1008, "too slow in reading")]


async def heartbeats(peer: Peer, count: int) -> None:
    for number in range(count):
        await peer.send(json.dumps([2, f"h{number}", "Heartbeat", {}]))
        await asyncio.sleep(0)  # sending alone gives nobody a turn


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_station_that_floods_is_slowed_and_the_others_are_served(kind: str, network: Network, serve: Serve) -> None:
    serving = serve(kind)
    loud, count = network.station(accepted=True), 10_000
    async with Fleet(network, serving.ocpp) as fleet:
        await fleet.more(200)
        before = rss_mb(serving)
        async with station(serving.ocpp, loud) as peer:
            sending = asyncio.create_task(heartbeats(peer, count))
            reading = asyncio.create_task(answers(peer, count))
            await fleet.more(200, each=10, within_s=30)
            assert not reading.done()
            await sending
            assert await reading == [f"h{number}" for number in range(count)]
            for text in ("", "[", json.dumps([9, "y", {}]), "[" * 5000) * 400:
                await peer.send(text)
            assert "currentTime" in await peer.call("Heartbeat", {})
        assert rss_mb(serving) - before < 24
        await fleet.finish()
    assert sum(entry.action == "Heartbeat" for entry in network.log(loud)) == count + 1


async def answers(peer: Peer, count: int) -> list[str]:
    return [(await peer.receive())[1] for _ in range(count)]
