"""A command for many as it happens: stations of both versions on real sockets, the beat, and a worker that is killed on the way."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from csms.simulator import SimulatedStation
from stations.domain import commands
from stations.domain.commandruns import Pace
from tests.network import PASSWORD, Network
from tests.servers import Beat, Server, Worker
from tests.stations.runs import ask, now_is, states
from tests.stations.test_rollouts_at_work import until

pytestmark = pytest.mark.long


@pytest.fixture
def worker(uvicorn: Server, tmp_path: Path) -> Iterator[list[Worker]]:
    beat, workers = Beat(tmp_path), [Worker()]
    yield workers
    for one in (beat, *workers):
        one.kill()


async def test_all_are_asked_once_whoever_is_killed_on_the_way(
    uvicorn: Server, network: Network, bells: None, worker: list[Worker]
) -> None:
    stations = [network.station() for _ in range(12)]
    async with AsyncExitStack() as online:
        for number, one in enumerate(stations):
            protocol = "ocpp2.0.1" if number % 2 else "ocpp1.6"
            sim = await online.enter_async_context(
                SimulatedStation(uvicorn.ocpp, one.identity, password=PASSWORD, protocol=protocol)
            )
            assert await sim.boot() == "Accepted"
        run = ask(network, stations, command=commands.ClearCache(), pace=Pace(3, 1), expected=12)
        await until(lambda: states(run).count("done") >= 3)
        worker[0].kill()
        worker.append(Worker())
        await until(lambda: now_is(run).state == "done")
        assert states(run) == ["done"] * 12
