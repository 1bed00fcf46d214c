"""`/readyz` tells the truth about every part, of real processes that are killed and of a Redis that goes away."""

import http.client
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from csms import health
from csms.jobs import HEARTBEAT
from csms.models import Job
from tests.health.asking import ready, readyz
from tests.network import Network
from tests.peer import station
from tests.relay import Relay
from tests.servers import Beat, Server, Worker, until

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
SHORT = {"CSMS_SILENT_AFTER": "6"}


@pytest.fixture
def relay() -> Iterator[Relay]:
    relay = Relay()
    yield relay
    relay.close()


def cause(server: Server, part: str) -> str:
    """What is wrong with a part; "" while it is well."""
    found: str = readyz(server)[1][part].get("cause", "")
    return found


@pytest.mark.long
def test_it_is_ready_only_while_every_part_is_well(network: Network, relay: Relay, tmp_path: Path) -> None:
    Job.objects.all().delete()
    server = Server("uvicorn", REDIS_URL=relay.url, **SHORT)
    running: list[Any] = [server]
    try:
        status, parts = readyz(server)
        assert status == 503
        assert [name for name, part in parts.items() if not part["well"]] == ["worker", "beat"]
        assert parts["worker"]["cause"] == "The worker was never heard. Is it started?"
        assert ready(server, "?exclude=worker,beat")

        running += [worker := Worker(**SHORT), beat := Beat(tmp_path, **SHORT)]
        until(lambda: ready(server))

        relay.take_away()
        assert "Redis does not answer" in until(lambda: cause(server, "redis"))
        assert not ready(server)
        relay.give_back()
        until(lambda: ready(server))

        worker.kill()
        assert "The worker has been silent since" in until(lambda: cause(server, "worker"))
        status, parts = readyz(server)
        assert (status, parts["beat"]["well"]) == (503, True)
        running.append(Worker(**SHORT))
        until(lambda: ready(server))

        beat.kill()
        assert "The beat has been silent since" in until(lambda: cause(server, "beat"))
        assert not ready(server)
    finally:
        for process in running:
            process.kill()
        # Other tests' pages would tell that these have been silent since.
        Job.objects.all().delete()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_draining_process_says_so_before_it_closes_its_sockets(network: Network, kind: str) -> None:
    known = network.station(accepted=True)
    server = Server(kind)
    probe = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def process_is_well() -> bool:
        probe.request("GET", "/readyz")
        response = probe.getresponse()
        return bool(b'"process": {"well": true}' in response.read())

    try:
        async with station(server.ocpp, known) as peer:
            assert "currentTime" in await peer.call("Heartbeat", {})
            assert process_is_well()
            settings = connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}
            with psycopg.connect(**settings) as other:
                # A call in hand waits for this lock, and the drain for the call.
                other.execute("SELECT 1 FROM stations_connection WHERE station_id = %s FOR UPDATE", [known.pk])
                await peer.send('[2,"m9","Heartbeat",{}]')
                await (await peer.socket.ping())
                server.process.terminate()
                until(lambda: not process_is_well())
            assert (await peer.receive())[1] == "m9"
            assert (await peer.closed())[0] == 1012
    finally:
        probe.close()
        server.kill()


@pytest.mark.parametrize(
    ("sent_s_ago", "done_s_ago", "silent"),
    [
        (60, 60, {}),
        (180, 180, {}),
        (10, 181, {"worker": "The worker has been silent since 2026-11-21 06:56:59 UTC."}),
        (10, None, {"worker": "The worker was never heard. Is it started?"}),
        (200, 100, {"beat": "The beat has been silent since 2026-11-21 06:56:40 UTC."}),
        (
            200,
            199,
            {
                "worker": "The worker did the last heartbeat it was sent; the beat sends none.",
                "beat": "The beat has been silent since 2026-11-21 06:56:40 UTC.",
            },
        ),
    ],
)
def test_three_minutes_of_silence_are_too_long(sent_s_ago: int, done_s_ago: int | None, silent: dict[str, str]) -> None:
    times = [None if ago is None else NOW - timedelta(seconds=ago) for ago in (sent_s_ago, done_s_ago)]
    assert {part.name: part.cause for part in health._signs_of_life(times, NOW) if not part.well} == silent


def test_a_page_asks_with_one_query_who_is_silent(db: None, django_assert_num_queries: Any) -> None:
    now = datetime.now(UTC)
    Job.objects.update_or_create(name=HEARTBEAT, defaults={"sent_at": now, "finished_at": now - timedelta(minutes=10)})
    with django_assert_num_queries(1):
        (part,) = health.silent()
    assert (part.name, part.since) == ("worker", now - timedelta(minutes=10))
    Job.objects.update(finished_at=now)
    assert health.silent() == []


def test_migrations_that_are_missing_are_named(committed: None) -> None:
    settings = connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}
    with psycopg.connect(**settings) as other:
        assert health._migrations(other).well
        other.execute("DELETE FROM django_migrations WHERE app = 'csms'")
        cause = "Not applied: csms.0001_jobs, csms.0002_webhooks, csms.0003_sealed_webhook_secrets, …. Run make migrate."
        assert health._migrations(other).cause == cause
        other.rollback()


def test_a_stranger_hears_which_part_but_not_why(committed: None, client: Client, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    health._known = (-health.HOLDS_S, [])
    parts = client.get("/readyz", REMOTE_ADDR="203.0.113.7").json()["parts"]
    assert parts["redis"] == {"well": False}
    assert "127.0.0.1:1" in client.get("/readyz").json()["parts"]["redis"]["cause"]
    health._known = (-health.HOLDS_S, [])


def test_probes_need_no_name_and_take_no_orders(client: Client) -> None:
    assert client.get("/healthz", headers={"host": "10.0.0.9:8000"}).content == b"ok"
    assert client.post("/healthz").status_code == 405
