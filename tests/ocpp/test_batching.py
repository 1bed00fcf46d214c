"""The batch thread when the database fails: nothing is answered that was not kept, and a lost commit's fate is found out."""

import threading
import time
from typing import Any

import psycopg
import pytest
from django.db import connection
from django_scopes import scopes_disabled

from csms.ocpp import batching, faults
from csms.ocpp.batching import BatchThread
from csms.ocpp.doors import Arrival, Departure
from csms.ocpp.exchange import Inbound
from csms.ocpp.results import Results
from stations.batch import Batch
from stations.models import Station
from stations.services.connections import Knock, Refused
from tests.engine import Engine
from tests.network import PASSWORD, Network
from tests.peer import ago
from tests.servers import until


def start(tag: str = "CARD") -> dict[str, Any]:
    return {"connectorId": 1, "idTag": tag, "meterStart": 100, "timestamp": ago(10)}


def kill_own_backend() -> None:
    """The connection of this thread is cut, as by a restart of PostgreSQL."""
    with psycopg.connect(connection.connection.info.dsn, password=connection.connection.info.password, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", (connection.connection.info.backend_pid,))


@pytest.fixture
def engine() -> Engine:
    return Engine()


def test_a_connection_lost_before_the_commit_means_the_batch_is_done_again(
    network: Network, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = network.station(accepted=True)
    network.token("CARD")
    original, cuts = Batch.flush, []

    def flush(batch: Batch) -> None:
        original(batch)
        if not cuts:
            cuts.append(kill_own_backend())

    monkeypatch.setattr(Batch, "flush", flush)
    answer = engine.say(known, "StartTransaction", start())
    (charged,) = network.transactions(known)
    assert charged.ocpp_transaction_id == str(answer["transactionId"])
    assert len(network.log(known)) == 1


@pytest.mark.parametrize("happened", [True, False])
def test_the_fate_of_a_commit_whose_answer_was_lost_is_found_out(
    happened: bool, network: Network, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either it had happened: then its answers leave as they are; or it had not: then the batch is done again."""
    known = network.station(accepted=True)
    network.token("CARD")
    cuts = []

    def commit(thread: BatchThread, cursor: Any, batch: Batch, answers: Any) -> None:
        if cuts:
            cursor.execute("COMMIT")
            return
        cuts.append(batch.xid)
        if happened:
            cursor.execute("COMMIT")
        kill_own_backend()
        raise batching._CommitUnknown(batch, answers)

    monkeypatch.setattr(BatchThread, "_commit", commit)
    answer = engine.say(known, "StartTransaction", start())
    (charged,) = network.transactions(known)
    assert charged.ocpp_transaction_id == str(answer["transactionId"])
    assert len(network.log(known)) == 1
    assert cuts[0] is not None
    # What follows finds the state as it is in the tables.
    stop = {"transactionId": answer["transactionId"], "meterStop": 300, "timestamp": ago(0)}
    assert engine.say(known, "StopTransaction", stop) == {}
    assert network.transactions(known)[0].energy_wh == 200


class Away:
    """A database that is away until it is let back in."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.away = True
        original = BatchThread._cursor

        def cursor(thread: BatchThread) -> Any:
            if self.away:
                raise psycopg.OperationalError("connection refused")
            return original(thread)

        def wait(thread: BatchThread, error: BaseException | None) -> bool:
            thread.degraded_since = thread.degraded_since or time.monotonic()
            until(lambda: not self.away)
            thread.degraded_since = None
            return True

        monkeypatch.setattr(BatchThread, "_cursor", cursor)
        monkeypatch.setattr(BatchThread, "_wait_for_database", wait)


def test_while_the_database_is_away_calls_wait_and_knocks_hear_503(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    known = network.station(accepted=True)
    network.token("CARD")
    landed: list[Results] = []
    inbound: Inbound = Engine().inbound(known, "StartTransaction", start())
    away = Away(monkeypatch)
    thread = BatchThread(landed.append)
    thread.start()
    thread.items.put(Arrival(knock(known), "knock"))
    until(lambda: landed)
    ((_, verdict),) = landed[0].verdicts
    assert isinstance(verdict, Refused)
    assert verdict.status == 503
    thread.items.put(inbound)
    until(lambda: thread.degraded_since)
    assert [pair for results in landed for pair in results.answers] == []
    away.away = False
    until(lambda: [pair for results in landed for pair in results.answers])
    thread.stop()
    thread.join(30)
    assert len(network.transactions(known)) == 1
    assert not thread.is_alive()


def test_a_database_that_refuses_connections_is_waited_for(network: Network) -> None:
    """For real: every connection of the thread is cut while it works, again and again."""
    known = [network.station(accepted=True) for _ in range(5)]
    answered: list[Any] = []
    thread = BatchThread(lambda results: answered.extend(results.answers))
    thread.start()
    engine = Engine()
    for number in range(200):
        thread.items.put(engine.inbound(known[number % 5], "Heartbeat", {}))
        if number % 20 == 0:
            cut_everybody_else()
    until(lambda: len(answered) == 200)
    thread.stop()
    thread.join(30)
    assert all('"currentTime"' in text for _, text in answered)
    assert sum(len(network.log(one)) for one in known) == 200


def test_a_table_altered_while_its_statements_are_prepared_costs_no_message_and_no_knock(network: Network) -> None:
    """As by a migration while the web processes of the version before are still at work."""
    known = network.station(accepted=True)
    results: list[Results] = []
    thread = BatchThread(results.append)
    thread.start()
    engine = Engine()

    def one_by_one(count: int) -> None:
        for _ in range(count):
            seen = len(results)
            thread.items.put(engine.inbound(known, "Heartbeat", {}))
            until(lambda seen=seen: len(results) > seen)

    one_by_one(faults.PREPARED_AFTER + 2)
    try:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE stations_connection ALTER COLUMN fence TYPE numeric")
        one_by_one(3)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE stations_connection ALTER COLUMN fence TYPE bigint")
    one_by_one(3)
    thread.stop()
    thread.join(30)
    told = [text for one in results for _, text in one.answers]
    assert len(told) == faults.PREPARED_AFTER + 8
    assert all('"currentTime"' in (text or "") for text in told)
    assert len(network.log(known)) == len(told)


def test_messages_that_come_one_by_one_do_not_wait_for_company(network: Network) -> None:
    """And those that come in numbers share a round."""
    known = [network.station(accepted=True) for _ in range(20)]
    rounds: list[int] = []
    thread = BatchThread(lambda results: rounds.append(len(results.answers)))
    engine = Engine()
    with scopes_disabled():
        calls = [engine.inbound(one, "Heartbeat", {}) for one in known]
    for call in calls[:2]:
        thread.items.put(call)
    thread.start()
    until(lambda: rounds)
    assert thread.next_round > 0
    thread.items.put(calls[2])
    until(lambda: sum(rounds) == 3)
    assert thread.next_round == 0
    thread.stop()
    thread.join(30)
    assert rounds == [2, 1]


def cut_everybody_else() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%%stations_connection%%'"
        )


def knock(who: Station) -> Knock:
    return Knock(who.identity, (who.identity.encode(), PASSWORD.encode()), "ocpp1.6", ("ocpp1.6",), "127.0.0.1", secure=False)


@pytest.mark.parametrize("many", [batching.MAX_DOORS + 5, batching.MAX_BATCH + 5])
def test_whoever_knocks_when_the_thread_is_to_end_is_answered_and_it_ends(network: Network, many: int) -> None:
    """In a storm more wait than a round takes, and the word to end comes among them."""
    known = network.station(accepted=True)
    verdicts: list[Any] = []
    thread = BatchThread(lambda results: verdicts.extend(results.verdicts))
    thread.stop()
    for number in range(many):
        thread.items.put(Arrival(knock(known), number))
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert sorted(token for token, _ in verdicts) == list(range(many))


def test_messages_have_their_turn_while_a_whole_network_comes_and_goes(network: Network) -> None:
    """A thousand comings and goings are attended to a few at a time; who is in is answered in between."""
    charging, coming = network.station(accepted=True), network.station(accepted=True)
    results: list[Any] = []
    thread = BatchThread(results.append)
    for number in range(10 * batching.MAX_DOORS):
        thread.items.put(Arrival(knock(coming), number) if number % 2 else Departure(coming.pk, 0, 1006, ""))
    with scopes_disabled():
        inbound = Engine().inbound(charging, "Heartbeat", {})
    thread.items.put(inbound)
    thread.stop()
    thread.start()
    thread.join(30)
    answered = next(place for place, one in enumerate(results) if one.answers)
    assert sum(len(one.verdicts) for one in results) == 5 * batching.MAX_DOORS
    assert sum(len(one.verdicts) for one in results[:answered]) <= batching.MAX_BATCH / 2


def test_a_bug_in_a_round_does_not_end_the_thread(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    known = network.station(accepted=True)
    done = threading.Event()
    thread = BatchThread(lambda results: done.set())
    monkeypatch.setattr(thread, "_handle", lambda items: 1 / 0)
    thread.start()
    with scopes_disabled():
        inbound = Engine().inbound(known, "Heartbeat", {})
    thread.items.put(inbound)
    until(lambda: thread.items.empty())
    monkeypatch.undo()
    thread.items.put(inbound)
    assert done.wait(30)
    thread.stop()
    thread.join(30)
