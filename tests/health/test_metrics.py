"""`/metrics` after real messages, on both servers with several processes."""

import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from csms.metrics import page, tables
from csms.metrics.meters import METERS, Counter, Histogram, Meter
from csms.ocpp.registry import INCOMING
from stations.domain import commands
from tests.health.asking import Metrics
from tests.network import Network
from tests.peer import refusal, station
from tests.servers import Server, until
from tests.sockets.test_commands import issue


def children(server: Server) -> list[int]:
    """The web processes below a supervisor."""
    pid = server.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("kind", ["daphne", pytest.param("uvicorn", marks=pytest.mark.long)])
async def test_what_two_processes_counted_is_shown_together(network: Network, kind: str) -> None:
    server = Server(kind, "--processes", "2")
    try:
        async with AsyncExitStack() as stack:
            peers = []
            # Until the kernel has given each of them at least one.
            while len(Metrics(server).each("csms_sockets")) < 4 or 0 in (
                Metrics(server).sum("csms_sockets", process=process) for process in ("0", "1")
            ):
                known = network.station(accepted=True)
                version = ("ocpp1.6", "ocpp2.0.1")[len(peers) % 2]
                peers.append(await stack.enter_async_context(station(server.ocpp, known, subprotocols=[version])))
                until(lambda: Metrics(server).sum("csms_sockets") == len(peers))
            for peer in peers:
                await peer.call("Heartbeat", {})
                assert (await peer.exchange("MakeCoffee" + "!" * len(peers), {}))[0] == 4
            assert (await refusal(server.ocpp, "NOBODY")).status_code == 404
            n = len(peers)
            until(lambda: Metrics(server).sum("csms_message_seconds_count") == 2 * n)
            seen = Metrics(server)
            assert seen.sum("csms_message_seconds_count", action="Heartbeat") == n
            assert seen.sum("csms_message_seconds_bucket", action="Heartbeat", le="+Inf") == n
            assert 0 < seen.sum("csms_message_seconds_sum") < 60 * n
            assert seen.sum("csms_message_errors_total", action="other", code="NotImplemented") == n
            assert seen.sum("csms_batch_messages_sum") == 2 * n
            assert 0 < seen.sum("csms_batch_seconds_count") <= 2 * n
            assert seen.sum("csms_findings_total", code="refused_NotImplemented", severity="warning") == n
            assert seen.sum("csms_sockets_opened_total") == n
            assert seen.sum("csms_handshakes_refused_total", reason="unknown_station") == 1
            assert seen.labels("csms_process_silent_seconds", "process") == {"0", "1"}
            assert seen.each("csms_database_away_seconds") == [0, 0]
            # Whatever stations call their messages, the labels are ours.
            known_actions = {action for table in INCOMING.values() for action in table} | {"other"}
            assert seen.labels("csms_message_seconds_count", "action") <= known_actions

            one = children(server)[0]
            os.kill(one, signal.SIGKILL)
            # What the dead process held is gone with it, what the other holds stays, and a new one begins anew.
            until(lambda: one not in children(server) and len(children(server)) == 2)
            until(lambda: Metrics(server).labels("csms_process_silent_seconds", "process") == {"0", "1"})
            left = Metrics(server)
            assert 0 in (left.sum("csms_sockets", process=process) for process in ("0", "1"))
            assert 0 < left.sum("csms_sockets") < n
    finally:
        server.kill()


async def test_a_command_is_timed_to_the_wire_and_to_its_answer(uvicorn: Server, network: Network) -> None:
    known = network.station(accepted=True)

    def counted(name: str, **labels: str) -> float:
        return Metrics(uvicorn).sum(name, version="ocpp2.0.1", **labels)

    waited, answered = (f"csms_command_{part}_seconds_count" for part in ("wait", "answer"))
    before = [counted(waited, action="ClearCache"), counted(answered, action="ClearCache"), counted("csms_command_answers_total")]
    issue(known, commands.ClearCache())
    async with station(uvicorn.ocpp, known, subprotocols=["ocpp2.0.1"]) as peer:
        message_id, _, _ = await peer.asked()
        await peer.tell(message_id, {"status": "Accepted"})
        until(lambda: counted(answered, action="ClearCache") == before[1] + 1)
        assert counted(waited, action="ClearCache") == before[0] + 1
        until(lambda: counted("csms_command_answers_total") == before[2] + 1)


def test_the_tables_are_read_and_what_is_not_there_is_not_shown_as_nothing(network: Network, uvicorn: Server) -> None:
    known = network.station(accepted=True)
    until(lambda: Metrics(uvicorn).each("csms_ready", part="database") == [1])
    before = {name: value for name, labels, value in tables.readings() if not labels}
    issue(known, commands.ClearCache(), expires_in=600)
    tables._known = (0.0, [])
    after = {name: value for name, labels, value in tables.readings() if not labels}
    assert after["csms_commands_waiting"] == before["csms_commands_waiting"] + 1
    assert after["csms_command_oldest_waiting_seconds"] > 0
    assert {name for name, _, _ in tables.readings()} <= tables.GAUGES.keys() | tables.COUNTERS.keys()


def test_looking_costs_the_same_number_of_queries_whatever_there_is(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(8):  # the transaction's two, the limit's, and five of ours
        tables._tables()


@pytest.mark.parametrize(
    ("asks", "status"),
    [
        ({"REMOTE_ADDR": "10.2.3.4"}, 200),
        ({"REMOTE_ADDR": "::ffff:10.2.3.4"}, 200),
        ({"REMOTE_ADDR": "203.0.113.7"}, 403),
        ({"REMOTE_ADDR": "10.2.3.4", "HTTP_X_FORWARDED_FOR": "10.2.3.4"}, 403),
        ({"REMOTE_ADDR": "10.2.3.4", "HTTP_X_FORWARDED_PROTO": "https"}, 403),
        ({"REMOTE_ADDR": "203.0.113.7", "HTTP_AUTHORIZATION": "Bearer right-token"}, 200),
        ({"REMOTE_ADDR": "203.0.113.7", "HTTP_AUTHORIZATION": "Bearer wrong-token"}, 403),
        ({"REMOTE_ADDR": "203.0.113.7", "HTTP_AUTHORIZATION": "Bearer é"}, 403),
    ],
)
def test_only_those_who_may_read_the_metrics(
    committed: None, client: Client, settings: Any, asks: dict[str, Any], status: int
) -> None:
    settings.METRICS_FROM, settings.METRICS_TOKEN = ["10.0.0.0/8"], "right-token"
    settings.ALLOWED_HOSTS = ["csms.example.com"]
    assert client.get("/metrics", **asks).status_code == status


def test_without_a_token_an_empty_one_opens_nothing(client: Client, settings: Any) -> None:
    settings.METRICS_FROM, settings.METRICS_TOKEN = [], ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 403


def test_names_follow_the_conventions_of_prometheus() -> None:
    kinds = {meter.name: meter.kind for meter in METERS.values()}
    kinds |= dict.fromkeys(tables.GAUGES, "gauge") | dict.fromkeys(tables.COUNTERS, "counter")
    assert all(name.startswith("csms_") for name in page.names())
    assert {name for name, kind in kinds.items() if (kind == "counter") != name.endswith("_total")} == set()
    assert {meter.name for meter in METERS.values() if "station" in meter.labels} == set()


@pytest.fixture
def forgotten() -> Any:
    known = set(METERS)
    yield
    for name in set(METERS) - known:
        del METERS[name]


def test_a_histogram_puts_a_value_on_a_bound_below_it(forgotten: None) -> None:
    meter = Histogram("csms_test_seconds", "", bounds=(1, 2))
    for value in (1, 1.5, 2, 2.5):
        meter.add(value)
    assert meter.read() == [((), [1, 2, 1, 7.0])]


def test_two_meters_of_one_name_are_refused(forgotten: None) -> None:
    Counter("csms_test_total", "")
    with pytest.raises(ValueError, match="Two meters"):
        Meter("csms_test_total", "")


def test_labels_without_end_end(forgotten: None) -> None:
    meter = Counter("csms_test_total", "", ("code",))
    for number in range(1000):
        meter.add(str(number))
    cells = dict(meter.read())
    assert (len(cells), cells["other",]) == (301, 700)
