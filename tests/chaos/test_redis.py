"""Redis goes away or falls silent, and workers are killed: nothing is lost, it only comes later."""

import asyncio
import urllib.request
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connection

from billing.tasks import make_charge_records
from csms.celery import app
from stations.domain import commands
from tests.chaos.fleet import Fleet
from tests.chaos.postgres import Postgres
from tests.network import Network
from tests.relay import Relay
from tests.servers import Server, Worker, until
from tests.sockets.test_commands import becomes, issue
from tests.test_live import wall

pytestmark = pytest.mark.long
Serve = Callable[..., Server]


@pytest.mark.parametrize("silently", [False, True], ids=["gone", "silent"])
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_without_redis_stations_charge_and_commands_arrive(
    kind: str, silently: bool, network: Network, serve: Serve, relay: Callable[..., Relay]
) -> None:
    between = relay(settings.REDIS_URL)
    serving = serve(kind, REDIS_URL=between.url)
    async with Fleet(network, serving.ocpp) as fleet:
        await fleet.more(100)
        for _ in range(2):
            between.stall() if silently else between.take_away()
            await fleet.more(200, each=1, within_s=30)
            asked = [await asyncio.to_thread(issue, charger.who, commands.ClearCache()) for charger in fleet]
            for command in asked:
                await asyncio.to_thread(becomes, command, "confirmed")
            status = await asyncio.to_thread(lambda: urllib.request.urlopen(f"{serving.http}/login/", timeout=30).status)  # noqa: S310
            assert status == 200
            between.take_away()
            between.flow()
            between.give_back()
        assert fleet.sockets == len(fleet.chargers)
        await fleet.finish()
        for charger in fleet:
            assert len(charger.asked) == len(set(charger.asked)) == 2


async def test_a_web_process_starts_without_redis(network: Network, serve: Serve, relay: Callable[..., Relay]) -> None:
    between = relay(settings.REDIS_URL)
    between.take_away()
    async with Fleet(network, serve("uvicorn", REDIS_URL=between.url).ocpp) as fleet:
        await fleet.more(200, each=1)
        between.give_back()
        await fleet.finish()


async def test_an_open_page_says_that_redis_is_away_and_when_it_is_back(
    network: Network, serve: Serve, relay: Callable[..., Relay]
) -> None:
    between = relay(settings.REDIS_URL)
    async with wall(serve("uvicorn", REDIS_URL=between.url), network.user()) as page:
        await page.until("wall")
        between.take_away()
        await page.until("troubles", "Redis does not answer.")
        between.give_back()
        assert "Redis" not in (await page.until("troubles"))["html"]


async def test_killed_workers_bill_every_session_once(postgres: Postgres, network: Network, serve: Serve) -> None:
    """Killed in the middle, again and again. What the beat does every half minute the test does at the end."""
    network.tariff()
    worker = Worker()
    try:
        async with Fleet(network, serve("uvicorn").ocpp, 20) as fleet:
            for _ in range(4):
                await fleet.more(300)
                worker.kill()
                await fleet.more(100)
                worker = await asyncio.to_thread(Worker)
            await asyncio.to_thread(until, network.charge_records, patience_s=180)
            await fleet.finish()
        await asyncio.to_thread(sweep)
        await asyncio.to_thread(until, lambda: not network.outbox(), patience_s=300)
    finally:
        worker.kill()
    billed = [record.transaction_id for record in network.charge_records()]
    ended = [t.id for charger in fleet for t in network.transactions(charger.who)]
    assert sorted(billed) == sorted(ended)


async def test_a_worker_goes_on_when_redis_comes_back(network: Network, serve: Serve, relay: Callable[..., Relay]) -> None:
    network.tariff()
    between = relay(settings.REDIS_URL)
    worker = Worker(REDIS_URL=between.url)
    try:
        async with Fleet(network, serve("uvicorn").ocpp) as fleet:
            await asyncio.to_thread(until, network.charge_records, patience_s=180)
            for silently in (False, True):
                between.stall() if silently else between.take_away()
                await fleet.more(300)
                between.take_away()
                between.flow()
                between.give_back()
                before = len(network.charge_records())
                await fleet.more(300)
                await asyncio.to_thread(until, lambda before=before: len(network.charge_records()) > before)
            await fleet.finish()
        await asyncio.to_thread(sweep)
        await asyncio.to_thread(until, lambda: not network.outbox())
    finally:
        worker.kill()


def sweep() -> None:
    app.send_task(make_charge_records.name, queue=f"csms-{connection.settings_dict['NAME']}")
