"""Web processes behind the proxy are replaced one by one, while stations charge and commands are sent."""

import asyncio
import itertools
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from csms.bells import RedisBell
from stations import ports
from stations.domain import commands
from stations.models import Command
from tests.chaos.fleet import Fleet
from tests.deploy.test_nginx import NGINX, Proxy, answers
from tests.network import Network
from tests.peer import station
from tests.servers import Server
from tests.sockets.test_commands import becomes, issue, state_of

pytestmark = pytest.mark.long


@pytest.mark.skipif(NGINX is None, reason="No nginx: install one, on Debian with `apt-get install nginx-light`.")
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_rolling_restart_loses_no_call_and_no_command(
    kind: str, network: Network, serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "bell", RedisBell())
    servers = [serve(kind, CSMS_TRUSTED_PROXIES="127.0.0.1") for _ in range(3)]
    proxy = Proxy(tmp_path, *servers)
    try:
        async with Fleet(network, f"ws://127.0.0.1:{proxy.plain_port}/ocpp", 18) as fleet:
            await fleet.more(200, each=1)
            rolled = asyncio.Event()
            asking = asyncio.create_task(ask(fleet, rolled))
            for number, old in enumerate(servers):
                old.signal(signal.SIGTERM)
                assert await asyncio.to_thread(old.process.wait, 40) == 0
                servers[number] = await asyncio.to_thread(serve, kind, port=old.port, CSMS_TRUSTED_PROXIES="127.0.0.1")
                await fleet.more(100, each=1)
            rolled.set()
            asked = await asking
            for command in asked:
                await asyncio.to_thread(becomes, command, "confirmed")
            await fleet.finish()
    finally:
        proxy.stop()
    assert len(asked) > 50
    heard = [message for charger in fleet for message in charger.asked]
    assert sorted(heard) == sorted(f"csms-{command.pk}-1" for command in asked)


async def ask(fleet: Fleet, enough: asyncio.Event) -> list[Command]:
    """Commands to one station after the other, and to each now and then several at once."""
    asked = []
    for charger in itertools.cycle(fleet):
        if enough.is_set():
            return asked
        asked.append(await asyncio.to_thread(issue, charger.who, commands.ClearCache()))
        await asyncio.sleep(0.02)
    raise AssertionError


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_process_that_ends_hears_the_answers_it_waits_for_and_asks_nothing_more(
    kind: str, network: Network, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "bell", RedisBell())
    serving = serve(kind)
    known = network.station(accepted=True)
    async with station(serving.ocpp, known) as peer:
        first, second = (issue(known, commands.ClearCache()) for _ in range(2))
        message_id, _, _ = await peer.asked()
        serving.signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            # Nobody is let in any more; a moment later the station answers.
            while await asyncio.to_thread(answers, serving.port):
                await asyncio.sleep(0.1)
        await peer.tell(message_id, {"status": "Accepted"})
        assert (await peer.closed())[0] == 1012
    assert await asyncio.to_thread(serving.process.wait, 30) == 0
    assert (state_of(first).status, state_of(second).status) == ("confirmed", "queued")
