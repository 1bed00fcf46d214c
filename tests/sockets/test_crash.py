"""The web process is killed in mid-transaction; what it had acknowledged is in the tables, once, and the stations go on."""

import asyncio
import signal
from collections.abc import Iterable

import pytest
from django_scopes import scopes_disabled

from stations.models import Station
from tests.charger import Charger, compare
from tests.database import tables
from tests.network import Network
from tests.servers import Server


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_nothing_acknowledged_is_lost_or_doubled_when_the_web_process_is_killed(kind: str, network: Network) -> None:
    network.token("CARD")
    serving = Server(kind)
    port = serving.port
    chargers = [Charger(serving.ocpp, network.station(accepted=True), "CARD") for _ in range(12)]
    finished = asyncio.Event()
    running = [asyncio.create_task(charger.run(finished)) for charger in chargers]
    try:
        for _ in range(2):
            before = sum(charger.acknowledged for charger in chargers)
            await several(chargers, before + 300)
            serving.kill()
            serving = await asyncio.to_thread(Server, kind, port=port)
        await several(chargers, sum(charger.acknowledged for charger in chargers) + 100)
        finished.set()
        await asyncio.wait_for(asyncio.gather(*running), 60)
        for charger in chargers:
            await charger.close()
    finally:
        for task in running:
            task.cancel()
        serving.kill()
    compare(chargers)


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_draining_process_finishes_what_is_in_hand_and_says_1012(kind: str, network: Network) -> None:
    network.token("CARD")
    serving = Server(kind)
    port = serving.port
    chargers = [Charger(serving.ocpp, network.station(accepted=True), "CARD") for _ in range(6)]
    finished = asyncio.Event()
    running = [asyncio.create_task(charger.run(finished)) for charger in chargers]
    await several(chargers, 60)
    serving.signal(signal.SIGTERM)
    assert await asyncio.to_thread(serving.process.wait, 30) == 0
    serving = await asyncio.to_thread(Server, kind, port=port)
    await several(chargers, sum(charger.acknowledged for charger in chargers) + 60)
    finished.set()
    await asyncio.wait_for(asyncio.gather(*running), 60)
    for charger in chargers:
        await charger.close()
    assert await asyncio.to_thread(serving.stop) == 0
    compare(chargers)
    assert [charger.errors for charger in chargers] == [[]] * len(chargers)
    codes = {code for charger in chargers for code in closings(charger.who)}
    assert 1012 in codes


async def several(chargers: Iterable[Charger], acknowledged: int) -> None:
    """Wait until this many messages have been acknowledged in all."""
    async with asyncio.timeout(60):
        while sum(charger.acknowledged for charger in chargers) < acknowledged:
            await asyncio.sleep(0.01)


@tables
def closings(who: Station) -> list[int | None]:
    with scopes_disabled():
        return list(who.connections.values_list("close_code", flat=True))
