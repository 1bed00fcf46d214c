"""A batch in which something fails: the others are not disturbed, nothing is lost, and nothing is done twice."""

import threading
from typing import Any

import psycopg
import pytest
from django.db import connection
from django_scopes import scopes_disabled
from structlog.testing import capture_logs

from csms.ocpp.lanes import FAILURE
from csms.ocpp.results import Results
from stations import services
from stations.batch import Batch
from stations.domain import events
from stations.models import Station, Transaction
from stations.services import Rule
from tests import v16
from tests.engine import Engine
from tests.network import Network
from tests.stations.batches import answers, breaking, fleet, wait_until_blocked


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True)


# A handler raises


def test_one_that_raises_leaves_the_other_99_stored_and_answered(
    network: Network, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stations = fleet(network, 100)
    broken = stations[41]
    breaking(monkeypatch, events.ConnectorStatusReported, lambda event, batch: batch.station.id == broken.pk)
    inbound = [engine.inbound(s, "StatusNotification", v16.status("Charging")) for s in stations]
    outcome = answers(engine.round(*inbound))
    assert outcome[41] == "InternalError"
    assert outcome[:41] + outcome[42:] == [{}] * 99
    for s in stations:
        assert len(network.log(s)) == 1
        assert len(network.history(s)) == (s != broken)
    finding = network.finding(broken, "handler_failed")
    assert "Traceback" in finding.detail
    assert "ZeroDivisionError: somebody's bug" in finding.detail
    assert (finding.subject, finding.severity) == ("StatusNotification", "error")
    assert [entry.outcome for entry in network.log(broken)] == ["InternalError"]
    assert network.connectors(broken) == {}


def test_the_traceback_is_not_told_to_the_station(
    network: Network, engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking(monkeypatch, events.HeartbeatReceived, lambda event, batch: True)
    assert engine.say(station, "Heartbeat", {})[3] == "The message could not be handled; the operator was told."


def test_after_a_failure_the_states_are_what_the_tables_say(
    network: Network, engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the failed batch did to the memory never happened."""
    breaking(monkeypatch, events.HeartbeatReceived, lambda event, batch: batch.station.id == station.pk)
    other = network.station(accepted=True)
    frames = engine.round(
        engine.inbound(station, "StatusNotification", v16.status("Charging", connector=2)),
        engine.inbound(other, "StartTransaction", v16.start()),
        engine.inbound(station, "Heartbeat", {}),
        engine.inbound(other, "StatusNotification", v16.status("Charging")),
    )
    assert [frame and frame[0] for frame in frames] == [3, 3, 4, 3]
    assert len(network.transactions(other)) == 1
    connectors = {number: c.pk for number, c in network.connectors(station).items()}
    # The next batch works with the rows that exist.
    assert engine.say(station, "StatusNotification", v16.status("Available", connector=2)) == {}
    assert {number: c.pk for number, c in network.connectors(station).items()} == connectors
    assert network.connectors(station)[2].status == "Available"
    assert engine.say(other, "MeterValues", v16.meters(1500)) == {}
    assert network.samples(other)[0].transaction_id == network.transactions(other)[0].pk


@pytest.mark.parametrize(
    ("kind", "action", "payload"),
    [
        (events.TransactionStarted, "StartTransaction", v16.start()),
        (events.TransactionEnded, "StopTransaction", v16.stop(1)),
        (events.MetersSampled, "MeterValues", v16.meters(1)),
    ],
)
def test_a_transaction_message_that_fails_is_stored_raw_and_answered(
    network: Network,
    engine: Engine,
    station: Station,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[events.Event],
    action: str,
    payload: dict[str, Any],
) -> None:
    breaking(monkeypatch, kind, lambda event, batch: True)
    inbound = engine.inbound(station, action, payload)
    (frame,) = engine.round(inbound)
    assert frame is not None
    assert frame[0] == 3
    if action == "StartTransaction":
        assert frame[2]["transactionId"] > 0
    (repair,) = network.repairs(station)
    assert (repair.action, repair.frame) == (action, inbound.text)
    assert "ZeroDivisionError" in repair.reason
    assert (network.transactions(station), network.samples(station)) == ([], [])
    assert [entry.outcome for entry in network.log(station)] == ["result"]


def test_a_row_that_no_table_takes_fails_its_own_message_only(
    network: Network, engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database refuses at the flush, long after the handler."""
    rule = services.RULES[events.ConnectorStatusReported]

    def handle(event: Any, batch: Batch) -> Any:
        batch.add(Transaction, station_id=-1, operator_id=-1, ocpp_transaction_id="x", started_at=batch.now, received_at=batch.now)
        return rule.handle(event, batch)

    monkeypatch.setitem(services.RULES, events.ConnectorStatusReported, Rule(handle, rule.needs))
    frames = engine.round(
        engine.inbound(station, "Heartbeat", {}),
        engine.inbound(station, "StatusNotification", v16.status("Charging")),
        engine.inbound(station, "Authorize", {"idTag": "CARD"}),
    )
    assert [frame and frame[0] for frame in frames] == [3, 4, 3]
    assert network.findings(station) == ["handler_failed"]


class Rounds:
    """Rounds of the batch thread, and what they took."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine = engine
        self.delivered: list[Results] = []
        self.sizes: list[int] = []
        attempt = engine.thread._attempt

        def counted(inbound: Any, **options: Any) -> Any:
            self.sizes.append(len(inbound))
            return attempt(inbound, **options)

        monkeypatch.setattr(engine.thread, "_attempt", counted)
        monkeypatch.setattr(engine.thread, "deliver", self.delivered.append)

    def handle(self, *stations: Station) -> int:
        """One round; how many of its messages were answered."""
        self.sizes.clear()
        self.delivered.clear()
        with scopes_disabled():
            self.engine.thread._messages([self.engine.inbound(s, "Heartbeat", {}) for s in stations])
        return len([text for results in self.delivered for _, text in results.answers if text])


def test_a_station_that_failed_twice_is_handled_apart_until_many_more_went_well(
    network: Network, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, healthy = fleet(network, 2)
    ill = True
    breaking(monkeypatch, events.HeartbeatReceived, lambda event, batch: ill and batch.station.id == broken.pk)
    rounds = Rounds(engine, monkeypatch)
    assert rounds.handle(broken, broken, healthy) == 3
    assert rounds.sizes == [3, 1, 1, 1]
    # Apart now: the others no longer pay for it, nor do their answers wait for its.
    assert rounds.handle(broken, healthy, healthy) == 3
    assert rounds.sizes == [2, 1]
    assert [[one.station_id for one, _ in results.answers] for results in rounds.delivered] == [[healthy.pk] * 2, [broken.pk]]
    ill = False
    # Every message is handled, also those behind the one that makes the station an ordinary one again.
    assert rounds.handle(*[broken] * 3 * FAILURE, healthy) == 3 * FAILURE + 1
    assert set(rounds.sizes) == {1}
    assert broken.pk not in engine.thread.lanes.failures
    assert rounds.handle(broken, healthy) == 2
    assert rounds.sizes == [2]


def test_a_station_of_which_every_second_message_fails_is_handled_apart(
    network: Network, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, *healthy = fleet(network, 4)
    ill = False
    breaking(monkeypatch, events.HeartbeatReceived, lambda event, batch: ill and batch.station.id == broken.pk)
    rounds, took = Rounds(engine, monkeypatch), []
    for number in range(10):
        ill = number % 2 == 0
        assert rounds.handle(broken, *healthy) == 4
        took.append(len(rounds.sizes))
    assert took == [5, 1, 5, *[2] * 7]
    # However long that went on, it is an ordinary one again some time.
    ill = False
    while engine.thread.lanes.failures:
        rounds.handle(*[broken] * FAILURE)
        took.append(0)
    assert len(took) < 16


def test_a_failure_that_cannot_be_kept_either_is_answered(
    network: Network, engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flush(batch: Batch) -> None:
        raise ZeroDivisionError("nothing can be written")

    monkeypatch.setattr(Batch, "flush", flush)
    with capture_logs() as told:
        assert engine.say(station, "StartTransaction", v16.start())[2:4] == ["InternalError", "The message could not be handled."]
    assert network.transactions(station) == []
    (line,) = (line for line in told if line["event"] == "a failed message could not be kept either")
    assert (line["station"], line["message_id"]) == (station.identity, "1")


# Again


def test_a_replay_of_the_same_batch_neither_fails_nor_doubles(network: Network, station: Station) -> None:
    """As after a commit whose answer was lost, in a process that knows nothing of it."""
    first = Engine()
    number = first.say(station, "StartTransaction", v16.start(seconds=900, connector=2))["transactionId"]
    messages = [
        ("BootNotification", v16.BOOT),
        ("StatusNotification", v16.status("Charging")),
        ("StartTransaction", v16.start(tag="CARD")),
        ("MeterValues", v16.meters(1500, SoC="55.555", Temperature="31")),
        ("MeterValues", v16.meters(2500, 200, number, connector=2)),
        ("StopTransaction", v16.stop(number)),
        ("StopTransaction", v16.stop(4711, seconds=100_000)),
        ("MeterValues", v16.meters(99, connector=0)),
    ]
    replies = [
        answers(engine.round(*(engine.inbound(station, a, p) for a, p in messages))) for engine in (first, Engine(), Engine())
    ]
    assert replies[0][2:] == replies[1][2:] == replies[2][2:]
    assert [(t.status, t.doubt, t.energy_wh) for t in network.transactions(station)] == [
        ("ended", "", 4000),
        ("active", "", 500),
        ("ended", "start_missing", None),
    ]
    assert len(network.samples(station)) == 3
    published = [(entry.topic, entry.subscriber, entry.object_id) for entry in network.outbox()]
    assert {object_id for _, _, object_id in published} == {network.transactions(station)[0].pk}
    assert len(published) == len(set(published))


def test_a_deadlock_is_tried_again(network: Network, engine: Engine, station: Station) -> None:
    """Somebody else holds the transaction's row and wants the connection's, which the batch holds the other way round."""
    number = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    inbound = engine.inbound(station, "StopTransaction", v16.stop(number))
    connection.ensure_connection()
    other = psycopg.connect(connection.connection.info.dsn, password=connection.connection.info.password)
    other.execute("SET deadlock_timeout = '1min'")
    other.execute("SELECT FROM stations_transaction WHERE station_id = %s FOR UPDATE", [station.pk])
    told: list[list[Any] | None] = []
    attempts: list[int] = []
    attempt = engine.thread._attempt

    def counted(messages: Any, **options: Any) -> Any:
        attempts.append(len(messages))
        return attempt(messages, **options)

    engine.thread._attempt = counted  # type: ignore[method-assign]

    def handle() -> None:
        connection.ensure_connection()
        connection.connection.execute("SET deadlock_timeout = '1s'")
        told.extend(engine.round(inbound))
        connection.close()

    batch = threading.Thread(target=handle)
    batch.start()
    wait_until_blocked(other)
    other.execute("UPDATE stations_connection SET state_version = state_version + 1 WHERE station_id = %s", [station.pk])
    other.commit()
    other.close()
    batch.join(20)
    assert told == [[3, inbound.call and inbound.call.message_id, {}]]
    assert len(attempts) > 1
    (transaction,) = network.transactions(station)
    assert (transaction.status, transaction.energy_wh) == ("ended", 4000)
    assert network.findings(station) == []
