"""Local lists over real sockets, with a real worker: simulated stations follow the tags, and go by them while offline."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from django.db import connection
from django_scopes import scope

from accounts import services as accounts
from csms.simulator import SimulatedStation
from stations import tasks
from stations.services import localauthlist
from tests.database import tables
from tests.network import PASSWORD, Network
from tests.servers import Server, Worker


@pytest.fixture
def worker(django_db_setup: None) -> Iterator[Worker]:
    started = Worker()
    yield started
    started.kill()


async def until(condition: Callable[[], Any]) -> None:
    """Wait for it while the stations go on and the job is due again and again."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.to_thread(due)
            await asyncio.sleep(0.2)


@tables
def due() -> None:
    tasks.bring_lists_in_step.apply_async(queue=f"csms-{connection.settings_dict['NAME']}")


@tables
def rule(network: Network) -> None:
    with scope(operator=network.operator):
        localauthlist.set_rule(operator=network.operator, mode="valid")


@tables
def block(network: Network, token: Any) -> None:
    with scope(operator=network.operator):
        accounts.change_id_token(token=token, status="Blocked")


@pytest.mark.long
async def test_stations_follow_the_tags_and_go_by_them_while_offline(uvicorn: Server, worker: Worker, network: Network) -> None:
    lost = network.token("LOST-CARD")
    network.token("GOOD-CARD")
    given = {"AllowOfflineTxForUnknownId": "false"}
    async with AsyncExitStack() as stack:
        sims = []
        for protocol in ("ocpp1.6", "ocpp2.0.1"):
            known = network.station()
            sim = SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, protocol=protocol, configuration=given)
            sims.append(await stack.enter_async_context(sim))
            await sim.boot()
        rule(network)
        await until(lambda: all(sorted(sim.local_list.entries) == ["GOOD-CARD", "LOST-CARD"] for sim in sims))
        block(network, lost)
        await until(lambda: all(list(sim.local_list.entries) == ["GOOD-CARD"] for sim in sims))
        assert {sim.local_list.version for sim in sims} == {2}
        for sim in sims:
            await sim.disconnect()
            now = sim.clock.now()
            assert [sim.local_list.lets_charge(tag, now) for tag in ("good-card", "LOST-CARD")] == [True, False]
