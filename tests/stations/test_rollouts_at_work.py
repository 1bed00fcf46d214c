"""Roll-outs as they happen: simulated stations of both versions that fetch, install and fail, web processes, and Celery workers
that are killed. Nobody is lost, nobody is asked twice.
"""

import asyncio
import base64
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from csms.files import storage
from csms.simulator import SimulatedStation
from csms.simulator.firmware import Trouble
from stations.domain.rollouts import StopRule
from stations.models import Firmware, FirmwareUpdate, Rollout
from stations.services import firmware, rollouts
from tests.database import tables
from tests.network import PASSWORD, Network
from tests.servers import Beat, Process, Server, Worker
from tests.stations.rollingout import MODEL, NEW, OLD, VENDOR, now_is, plan, states, steps

#: How a step ends for each trouble. Without its signature there is nothing to refuse: then it cannot be installed.
ENDS = {
    Trouble.NONE: ("done", ""),
    Trouble.DOWNLOAD: ("failed", "download"),
    Trouble.SIGNATURE: ("failed", "signature"),
    Trouble.INSTALL: ("failed", "install"),
    Trouble.OLD: ("failed", "version"),
    Trouble.NEVER: ("failed", "lost"),
}


@pytest.fixture
def jobs(uvicorn: Server, tmp_path: Path) -> Iterator[Callable[[], Process]]:
    """Starts workers that give stations the address of the running server; and the beat."""
    made: list[Process] = [Beat(tmp_path)]

    def start() -> Process:
        made.append(Worker(CSMS_STATION_FILES_URL=uvicorn.http))
        return made[-1]

    yield start
    for one in made:
        one.kill()


@tables
def stored_image(network: Network, size: int = 200_000) -> Firmware:
    """An image of the library with its file, and a signature that only stations look at."""
    content = f"Simulated firmware, version: {NEW}\n".encode().ljust(size, b"\x5a")
    path = storage.new_path("firmware", network.operator.pk)
    with storage.Writer(path, limit=size) as writer:
        writer.write(content)
        writer.finish()
    with scopes_disabled():
        return Firmware.objects.create(
            operator=network.operator, vendor=VENDOR, model=MODEL, version=NEW, name="ag-22.bin", path=path, size=size,
            sha256=writer.sha256, md5=hashlib.md5(content, usedforsecurity=False).hexdigest(), created_at=timezone.now(),
            signature=base64.b64encode(b"signed").decode(),
            signing_certificate="-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        )  # fmt: skip


class Campaign:
    """Stations in the order of their names, as the waves take them."""

    def __init__(self, network: Network, sims: list[SimulatedStation]) -> None:
        self.network, self.sims = network, sims

    def __getitem__(self, identity: str) -> SimulatedStation:
        return next(sim for sim in self.sims if sim.identity == identity)

    @property
    def asked(self) -> Counter[int]:
        """How often stations were asked: how many of them so often."""
        return Counter(len(sim.updater.asked) for sim in self.sims)

    def told(self, step: Any) -> tuple[str, str]:
        sim = self[step.station.identity]
        trouble = sim.updater.trouble
        if trouble is Trouble.SIGNATURE and sim.protocol == "ocpp1.6":
            trouble = Trouble.INSTALL
        return ENDS[trouble]


@asynccontextmanager
async def fleet(network: Network, url: str, troubles: list[Trouble]) -> AsyncIterator[Campaign]:
    """A station for each trouble, every second one of 2.0.1, connected and accepted."""
    sims = []
    for number, trouble in enumerate(troubles):
        known = network.station(identity=f"{network.prefix}-{number:03d}")
        sim = SimulatedStation(
            url,
            known.identity,
            password=PASSWORD,
            connectors=1,
            protocol=("ocpp1.6", "ocpp2.0.1")[number % 2],
            vendor=VENDOR,
            model=MODEL,
            firmware_version=OLD,
        )
        sim.updater.trouble = trouble
        sims.append(sim)
    async with AsyncExitStack() as stack:
        for sim in sims:
            await stack.enter_async_context(sim)
            await sim.boot()
        yield Campaign(network, sims)


async def until(condition: Callable[[], Any], patience_s: float = 90) -> Any:
    """Wait for it while the stations go on."""
    async with asyncio.timeout(patience_s):
        while not (value := condition()):
            await asyncio.sleep(0.05)
    return value


@tables
def lead(what: Callable[..., Any], rollout: Rollout, **options: Any) -> Any:
    with scope(operator=rollout.operator):
        return what(rollout=rollout, **options)


@tables
def give_up_on(gone: list[str]) -> int:
    """Hours pass for those who restarted and were not heard of since."""
    with scopes_disabled():
        silent = FirmwareUpdate.objects.filter(station__identity__in=gone, station__connection__disconnected_at__isnull=False)
        n = silent.filter(finished_at__isnull=True).update(due_at=timezone.now())
        # The beat would do it some seconds later, when the others may have got to the end.
        return n and firmware.sweep(now=timezone.now())


@contextmanager
def obstacle(station_id: int) -> Iterator[None]:
    """Whoever wants to send this station something waits until the end of the block."""
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.execute("SELECT 1 FROM stations_connection WHERE station_id = %s FOR UPDATE", [station_id])
        yield
        other.rollback()


@tables
def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            " AND query ILIKE '%%stations_connection%%'"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.long
async def test_stations_of_both_versions_are_updated_though_a_worker_is_killed_in_the_middle(
    uvicorn: Server, network: Network, bells: None, jobs: Callable[[], Process]
) -> None:
    troubles = [Trouble.NONE, Trouble.NONE, Trouble.DOWNLOAD, Trouble.SIGNATURE, Trouble.OLD, Trouble.INSTALL]
    async with fleet(network, uvicorn.ocpp, troubles) as campaign:
        image = stored_image(network)
        rollout = plan(image, waves=["2", "100%"], rule=StopRule(failed_percent=100, after=100, lost=100))
        # The first worker dies with one station asked and the other about to be, of which nothing remains.
        with obstacle(steps(rollout)[1].station_id):
            worker = jobs()
            await until(somebody_waits)
            worker.kill()
        assert states(rollout) == {"waiting": 6}
        assert campaign.asked == {0: 6}
        jobs()
        await until(lambda: now_is(rollout).state == "done")
        assert {step.station.identity: (step.state, step.reason) for step in steps(rollout)} == {
            step.station.identity: campaign.told(step) for step in steps(rollout)
        }
        assert campaign.asked == {1: 6}
        # Those that failed, once more, and this time they can.
        for sim in campaign.sims:
            sim.updater.trouble = Trouble.NONE
        assert lead(rollouts.retry, rollout) == 4
        await until(lambda: states(rollout) == {"done": 6} and now_is(rollout).state == "done")
        assert campaign.asked == {1: 2, 2: 4}
        assert {sim.firmware_version for sim in campaign.sims} == {NEW}
        # 2.0.1 was sent the signature, 1.6 without the extension was not.
        assert {(sim.protocol, request.signed) for sim in campaign.sims for request in sim.updater.asked} == {
            ("ocpp1.6", False),
            ("ocpp2.0.1", True),
        }


def two_hundred() -> list[Trouble]:
    """Few failures in the first tenth, too many up to the half, few in the rest."""
    troubles = [Trouble.NONE] * 200
    troubles[7], troubles[12] = Trouble.DOWNLOAD, Trouble.OLD
    bad = [Trouble.DOWNLOAD, Trouble.SIGNATURE, Trouble.INSTALL, Trouble.OLD]
    for number, place in enumerate(range(21, 100, 3)):
        troubles[place] = bad[number % 4]
    for place in (30, 72, 104, 105):
        troubles[place] = Trouble.NEVER
    for place in (110, 133, 162, 185):
        troubles[place] = bad[place % 4]
    return troubles


@pytest.mark.long
async def test_two_hundred_stations_with_failures_hold_where_the_rule_says_and_each_is_accounted_for(
    uvicorn: Server, network: Network, bells: None, jobs: Callable[[], Process]
) -> None:
    async with fleet(network, uvicorn.ocpp, two_hundred()) as campaign:
        image = stored_image(network)
        rule = StopRule(failed_percent=20, after=10, lost=1)
        rollout = plan(image, at_once=12, rule=rule)
        worker, kills = jobs(), [15, 130]
        held: list[dict[str, Any]] = []
        async with asyncio.timeout(480):
            while (rollout := now_is(rollout)).state != "done":
                give_up_on([sim.identity for sim in campaign.sims if sim.gone])
                counts = states(rollout)
                if kills and counts.get("done", 0) >= kills[0] and counts.get("updating"):
                    kills.pop(0)
                    worker.kill()
                    worker = jobs()
                if rollout.state == "paused":
                    ended = {step.state for step in steps(rollout, wave__gt=rollout.wave)}
                    # Of the waves after the one that was held nobody has begun.
                    assert ended <= {"waiting"}, ended
                    if not counts.get("updating"):
                        held.append(rollout.held)
                        lead(rollouts.resume, rollout)
                await asyncio.sleep(0.2)
        assert kills == []
        reasons = Counter(one["code"] for one in held)
        assert reasons["failed"] >= 1
        assert reasons["lost"] >= 1
        for one in held:
            assert one["by"] == "rule"
            if one["code"] == "failed":
                assert one["failed"] * 100 > 20 * one["ended"]
            else:
                assert one["lost"] > one["allowed"] == 1
        assert held[0]["wave"] == 3
        # Every station is accounted for, as it really went; and nobody was asked twice.
        found = {step.station.identity: (step.state, step.reason) for step in steps(rollout)}
        assert found == {step.station.identity: campaign.told(step) for step in steps(rollout)}
        assert len(found) == 200
        assert campaign.asked == {1: 200}
        failed = sum(state == "failed" for state, _ in found.values())
        assert failed == sum(sim.updater.trouble is not Trouble.NONE for sim in campaign.sims)
        # Somebody went there; and all of them once more.
        for sim in campaign.sims:
            sim.updater.trouble = Trouble.NONE
            if sim.gone:
                sim.gone, sim.firmware_version = False, OLD
                await sim.reconnect()
                await sim.register()
        assert lead(rollouts.retry, rollout) == failed
        await until(lambda: now_is(rollout).state == "done", 240)
        assert states(rollout) == {"done": 200}
        assert campaign.asked == {1: 200 - failed, 2: failed}
