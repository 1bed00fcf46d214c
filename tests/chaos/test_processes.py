"""Web processes are killed, or freeze and wake when their stations have long moved."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from csms.ocpp.faults import APPLICATION
from csms.settings import SILENT_S
from tests.chaos.fleet import Fleet
from tests.chaos.postgres import Postgres
from tests.network import Network
from tests.peer import station
from tests.servers import Process, Server, until

pytestmark = pytest.mark.long
Serve = Callable[..., Server]
IN_THE_MIDDLE = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = %s AND datname = current_database() AND xact_start IS NOT NULL AND wait_event = 'ClientRead'
"""


def children(serving: Server) -> list[int]:
    pid = serving.process.pid
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_of_several_web_processes_one_after_the_other_is_killed(kind: str, network: Network, serve: Serve) -> None:
    serving = serve(kind, "--processes", "3")
    async with Fleet(network, serving.ocpp, 18) as fleet:
        for number in range(4):
            await fleet.more(200)
            victims = await asyncio.to_thread(until, lambda: len(found := children(serving)) >= 2 and found)
            os.kill(victims[number % len(victims)], signal.SIGKILL)
        await fleet.more(200, each=1)
        await fleet.finish()


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_process_frozen_in_the_middle_of_its_work_wakes_when_its_stations_have_moved(
    kind: str, postgres: Postgres, network: Network, serve: Serve
) -> None:
    """It holds the rows of its stations locked, and remembers calls that the stations have long sent again elsewhere."""
    one, other = serve(kind), serve(kind)
    async with Fleet(network, one.ocpp, patience_s=2) as fleet:
        for _ in range(3):
            await fleet.more(100, each=1)
            await asyncio.to_thread(freeze, one, postgres)
            for charger in fleet:
                charger.url = other.ocpp
            async with asyncio.timeout(40):
                await fleet.more(100, each=2)
            one.signal(signal.SIGCONT)
            await fleet.more(100, each=1)
            one, other = other, one
        await fleet.finish()


@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_job_frozen_in_the_middle_of_its_work_with_one_station_stops_no_other(
    kind: str, network: Network, serve: Serve
) -> None:
    """The others charge and come in as ever; PostgreSQL ends it, and its station goes on, too."""
    serving = serve(kind)
    async with Fleet(network, serving.ocpp) as fleet:
        await fleet.more(100, each=2)
        unlucky, *others = fleet.chargers
        job = Process("-m", "tests.chaos.holding", str(unlucky.who.pk), pipe=True, DJANGO_SETTINGS_MODULE="csms.settings")
        try:
            assert job.process.stdout is not None
            assert await asyncio.to_thread(job.process.stdout.readline) == "holding\n"
            job.signal(signal.SIGSTOP)
            before = unlucky.acknowledged
            fleet.chargers = others
            # What the station had in hand when its row was locked may still have been answered.
            await fleet.more(200, each=10, within_s=SILENT_S - 3)
            async with station(serving.ocpp, network.station(accepted=True)) as peer:
                assert "currentTime" in await peer.call("Heartbeat", {})
            assert unlucky.acknowledged <= before + 1
            fleet.chargers = [unlucky, *others]
            await fleet.more(100, each=5)
            job.signal(signal.SIGCONT)
            await fleet.more(100, each=5)
            await fleet.finish()
        finally:
            job.kill()


def freeze(serving: Server, postgres: Postgres) -> None:
    """Stop it with a transaction open: tried until it happens so."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        serving.signal(signal.SIGSTOP)
        # What it had sent arrives and is done.
        until(
            lambda: (
                not postgres.execute(
                    "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND state = 'active'"
                    " AND wait_event IS DISTINCT FROM 'ClientRead'",
                    APPLICATION,
                )
            )
        )
        if postgres.execute(IN_THE_MIDDLE, APPLICATION)[0][0]:
            return
        serving.signal(signal.SIGCONT)
        time.sleep(0.01)
    raise AssertionError("it was never in the middle of anything")
