"""PostgreSQL restarts, crashes, goes away, and loses the answers of commits."""

import asyncio
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from tests.chaos.fleet import Fleet, turned_away
from tests.chaos.postgres import Postgres
from tests.network import Network
from tests.peer import station
from tests.relay import Relay
from tests.servers import Server

pytestmark = pytest.mark.long
Serve = Callable[..., Server]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restarted", "crashed"])
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_database_that_restarts_costs_no_message_and_no_socket(
    kind: str, how: signal.Signals, postgres: Postgres, network: Network, serve: Serve
) -> None:
    async with Fleet(network, serve(kind).ocpp) as fleet:
        for _ in range(3):
            await fleet.more(200)
            await asyncio.to_thread(postgres.restart, how)
        await fleet.more(200, each=1)
        assert fleet.sockets == len(fleet.chargers)
        await fleet.finish()


async def test_a_database_gone_for_a_minute_is_waited_for_and_then_the_sockets_are_closed_1013(
    postgres: Postgres, network: Network, serve: Serve
) -> None:
    """A real minute: heartbeats go on, calls wait, knocks hear 503; then 1013, in the twenty seconds that spread them."""
    serving = serve("uvicorn")
    idle = [network.station(accepted=True) for _ in range(20)]
    newcomer = network.station(accepted=True)
    async with Fleet(network, serving.ocpp, patience_s=200) as fleet, asyncio.TaskGroup() as group:
        await fleet.more(200)
        contexts = [station(serving.ocpp, known) for known in idle]
        peers = [await context.__aenter__() for context in contexts]
        await asyncio.to_thread(postgres.stop)
        gone = time.monotonic()
        closed = [group.create_task(peer.socket.wait_closed()) for peer in peers[1:]]
        await turned_away(serving.ocpp, newcomer)
        acknowledged = fleet.acknowledged
        async with asyncio.timeout(5):
            assert "currentTime" in await peers[0].call("Heartbeat", {})
        assert await asyncio.to_thread(page, f"{serving.http}/") == (503, "The database does not answer")
        assert await asyncio.to_thread(page, f"{serving.http}/api/v1/stations/") == (503, "Try again in a few seconds")
        while time.monotonic() < gone + 50:
            async with asyncio.timeout(5):
                assert "currentTime" in await peers[0].call("Heartbeat", {})
            await asyncio.sleep(5)
        assert fleet.acknowledged == acknowledged
        assert not any(task.done() for task in closed)
        async with asyncio.timeout(90):
            await asyncio.gather(*closed)
        assert {peer.socket.close_code for peer in peers[1:]} == {1013}
        assert time.monotonic() - gone > 60
        await asyncio.to_thread(postgres.start)
        await fleet.more(200, each=1, within_s=20)
        for context in contexts:
            await context.__aexit__(None, None, None)
        await fleet.finish()


def page(url: str) -> tuple[int, str]:
    """The status of a page for somebody who was logged in, and what of the expected it says."""
    headers = {"Cookie": "sessionid=0123456789abcdef0123456789abcdef"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:  # noqa: S310
            return answer.status, ""
    except urllib.error.HTTPError as error:
        text = error.read().decode()
        return error.code, next(
            (one for one in ("Try again in a few seconds", "The database does not answer") if one in text), text
        )


class Cutter(Relay):
    """Cuts a connection when it commits: every third time before the server hears of it, every third before its answer arrives."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.count = 0
        self.cut = {"before": 0, "after": 0}
        self.doomed: set[socket.socket] = set()
        self.counting = threading.Lock()

    def passes(self, client: socket.socket, data: bytes, outward: bool) -> bool:
        if not outward:
            return client not in self.doomed
        if b"COMMIT\x00" not in data:
            return True
        with self.counting:
            self.count += 1
            moment = {10: "before", 20: "after"}.get(self.count % 30)
            if moment is not None:
                self.cut[moment] += 1
        if moment == "after":
            self.doomed.add(client)
        return moment != "before"


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_commits_whose_answer_is_lost_are_neither_lost_nor_done_twice(
    kind: str, postgres: Postgres, network: Network, serve: Serve, relay: Callable[..., Cutter]
) -> None:
    cutter = relay(postgres.url, Cutter)
    async with Fleet(network, serve(kind, DATABASE_URL=cutter.url).ocpp) as fleet:
        while min(cutter.cut.values()) < 10:
            await fleet.more(100)
            assert cutter.count, "no commit was seen on the wire"
        await fleet.finish()


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_database_that_falls_silent_without_closing_anything_is_noticed(
    kind: str, postgres: Postgres, network: Network, serve: Serve, relay: Callable[..., Relay]
) -> None:
    """The cable is pulled, or the host died: no reset ever comes."""
    between = relay(postgres.url)
    serving = serve(kind, DATABASE_URL=between.url)
    newcomer, idle = network.station(accepted=True), network.station(accepted=True)
    async with Fleet(network, serving.ocpp, patience_s=200) as fleet, station(serving.ocpp, idle) as peer:
        await fleet.more(200)
        between.stall()
        await turned_away(serving.ocpp, newcomer)
        assert "currentTime" in await peer.call("Heartbeat", {})
        # The next server is elsewhere: what was under way with the old one never arrives.
        between.take_away()
        between.flow()
        between.give_back()
        await fleet.more(200, each=1, within_s=60)
        assert fleet.sockets == len(fleet.chargers)
        await fleet.finish()


@pytest.mark.parametrize(
    ("break_it", "mend_it"),
    [
        ("ALTER DATABASE {} SET default_transaction_read_only = on", "ALTER DATABASE {} RESET default_transaction_read_only"),
        ("ALTER DATABASE {} ALLOW_CONNECTIONS false", "ALTER DATABASE {} ALLOW_CONNECTIONS true"),
    ],
    ids=["read-only", "no-connections"],
)
async def test_a_database_that_answers_but_takes_nothing_is_away(
    break_it: str, mend_it: str, postgres: Postgres, network: Network, serve: Serve
) -> None:
    """After a failover to a standby, or with its last connection taken: that is no fault of the stations' messages."""
    serving = serve("uvicorn")
    newcomer = network.station(accepted=True)
    async with Fleet(network, serving.ocpp, patience_s=200) as fleet:
        await fleet.more(200)
        try:
            postgres.execute(break_it.format(postgres.database), database="postgres")
            await asyncio.to_thread(postgres.end_sessions)
            await turned_away(serving.ocpp, newcomer)
        finally:
            postgres.execute(mend_it.format(postgres.database), database="postgres")
        await fleet.more(200, each=1, within_s=20)
        assert fleet.sockets == len(fleet.chargers)
        await fleet.finish()


FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON stations_metersample FOR EACH STATEMENT EXECUTE FUNCTION full_disk();
"""


async def test_a_full_disk_is_waited_out(postgres: Postgres, network: Network, serve: Serve) -> None:
    serving = serve("uvicorn")
    newcomer = network.station(accepted=True)
    async with Fleet(network, serving.ocpp, patience_s=200) as fleet:
        await fleet.more(200)
        try:
            postgres.execute(FULL)
            await turned_away(serving.ocpp, newcomer)
        finally:
            postgres.execute("DROP FUNCTION IF EXISTS full_disk CASCADE")
        await fleet.more(200, each=1, within_s=20)
        await fleet.finish()
