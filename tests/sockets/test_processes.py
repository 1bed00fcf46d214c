"""Commands from processes that hold no socket: a Celery worker, a shell; with Redis, and without."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.db import connection

from csms.celery import app
from stations.domain import commands
from stations.models import Command, Station
from tests.database import tables
from tests.network import Network
from tests.peer import Peer, station
from tests.relay import Relay
from tests.servers import Server, Worker, environment, until
from tests.sockets.test_commands import becomes, issue

V201 = {"subprotocols": ["ocpp2.0.1"]}
ISSUE = """
from django_scopes import scope
from stations.domain import commands
from stations.models import Station
from stations.services import commands as life
station = Station.objects.with_scopes_disabled().select_related("operator").get(pk={pk})
with scope(operator=station.operator):
    life.issue(station=station, command=commands.ClearCache(), reason="from {who}")
"""


@pytest.fixture
def relay() -> Iterator[Relay]:
    relay = Relay()
    yield relay
    relay.close()


def from_a_shell(who: Station) -> None:
    script = ISSUE.format(pk=who.pk, who="a shell")
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", script], cwd=settings.BASE_DIR, env=environment(), check=True, timeout=60
    )


def from_a_worker(who: Station) -> None:
    """A worker process runs the task `tests.celery_tasks.issue`; this process only asks for it."""
    worker = Worker("tests.celery_tasks")
    try:
        app.send_task("tests.celery_tasks.issue", args=[who.pk], queue=f"csms-{connection.settings_dict['NAME']}")
        asked_for(who)
    finally:
        worker.stop()


def asked_for(who: Station) -> Command:
    @tables
    def only() -> Command | None:
        return Command.objects.with_scopes_disabled().filter(station=who).first()

    found: Command = until(only)
    return found


async def answered(peer: Peer, who: Station) -> Command:
    message_id, action, payload = await peer.asked()
    assert (action, payload) == ("ClearCache", {})
    await peer.tell(message_id, {"status": "Accepted"})
    return becomes(asked_for(who), "confirmed")


@pytest.mark.parametrize("from_somewhere", [from_a_shell, pytest.param(from_a_worker, marks=pytest.mark.long)])
async def test_a_command_of_another_process_reaches_the_station(
    uvicorn: Server, network: Network, from_somewhere: Callable[[Station], None]
) -> None:
    known = network.station(accepted=True)
    async with station(uvicorn.ocpp, known, **V201) as peer:
        from_somewhere(known)
        assert (await answered(peer, known)).reason in ("from a shell", "from a worker")


@pytest.mark.long
async def test_with_redis_away_the_sweep_finds_it(network: Network, relay: Relay) -> None:
    """The web process hears no bell; the row is the truth, and it looks for itself."""
    known = network.station(accepted=True)
    server = Server("uvicorn", REDIS_URL=relay.url)
    try:
        async with station(server.ocpp, known, **V201) as peer:
            assert "currentTime" in await peer.call("Heartbeat", {})
            relay.take_away()
            from_a_shell(known)
            await answered(peer, known)
            relay.give_back()
            issue(known, commands.ClearCache())
            message_id, _, _ = await peer.asked()
            await peer.tell(message_id, {"status": "Accepted"})
    finally:
        server.stop()
