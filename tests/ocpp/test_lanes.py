"""Somebody has the rows of one station locked (a page, a job, another process), and is slow or frozen: the others go on."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django_scopes import scopes_disabled

from csms.ocpp import faults
from csms.ocpp.batching import BatchThread
from csms.ocpp.doors import Arrival, Departure, SignsOfLife
from csms.ocpp.results import Results
from stations.models import Connection, ConnectionHistory, Station
from stations.services.connections import Admitted
from tests import v16
from tests.database import tables
from tests.engine import Engine
from tests.network import Network
from tests.ocpp.test_batching import knock
from tests.servers import until
from tests.stations.batches import wait_until_blocked

BUMP = "UPDATE stations_connection SET state_version = state_version + 1 WHERE station_id = %s"


class Running:
    """A batch thread at work, and what it delivers."""

    def __init__(self) -> None:
        self.results: list[Results] = []
        self.thread = BatchThread(self.results.append)
        self.thread.start()

    @property
    def answers(self) -> list[tuple[Any, str | None]]:
        return [pair for one in self.results for pair in one.answers]

    @property
    def verdicts(self) -> dict[Any, Any]:
        return {token: verdict for one in self.results for token, verdict in one.verdicts}

    def put(self, *items: Any) -> None:
        for item in items:
            self.thread.items.put(item)


@pytest.fixture
def running(committed: None) -> Iterator[Running]:
    made = Running()
    yield made
    made.thread.stop()
    made.thread.join(30)


@contextmanager
def another(**options: Any) -> Iterator["psycopg.Connection[Any]"]:
    """A session of somebody else, in a transaction."""
    connection.ensure_connection()
    info = connection.connection.info
    other = psycopg.connect(info.dsn, password=info.password, **options)
    try:
        yield other
    finally:
        other.close()


def test_messages_of_a_station_somebody_has_locked_wait_and_all_others_are_answered(
    network: Network, engine: Engine, running: Running
) -> None:
    network.token("CARD")
    locked, *others = (network.station(accepted=True) for _ in range(4))
    start, beats = engine.inbound(locked, "StartTransaction", v16.start()), [engine.inbound(s, "Heartbeat", {}) for s in others]
    later = engine.inbound(locked, "Heartbeat", {})
    with another() as page:
        page.execute(BUMP, [locked.pk])
        running.put(start, *beats, later)
        until(lambda: len(running.answers) == 3)
        again = [engine.inbound(s, "Heartbeat", {}) for s in others]
        running.put(*again)
        until(lambda: len(running.answers) == 6)
        assert {id(one) for one, _ in running.answers} == {id(one) for one in [*beats, *again]}
        assert running.thread.held_since.keys() == {locked.pk}
        page.commit()
    until(lambda: len(running.answers) == 8)
    # In their order, and once.
    assert [one for one, _ in running.answers][-2:] == [start, later]
    assert len(network.transactions(locked)) == 1
    assert [entry.action for entry in network.log(locked)] == ["StartTransaction", "Heartbeat"]
    until(lambda: not running.thread.held_since)


def test_a_row_that_only_its_last_statements_need_holds_up_its_own_station(
    network: Network, engine: Engine, running: Running
) -> None:
    """The connection's row is free, that of the transaction is not."""
    network.token("CARD")
    locked, other = network.station(accepted=True), network.station(accepted=True)
    number = engine.say(locked, "StartTransaction", v16.start())["transactionId"]
    with another() as page:
        page.execute("SELECT FROM stations_transaction WHERE station_id = %s FOR UPDATE", [locked.pk])
        running.put(engine.inbound(locked, "StopTransaction", v16.stop(number)), engine.inbound(other, "Heartbeat", {}))
        until(lambda: running.answers)
        # From then on nobody waits for it.
        for count in range(2, 12):
            running.put(engine.inbound(locked, "Heartbeat", {}), engine.inbound(other, "Heartbeat", {}))
            until(lambda count=count: len(running.answers) == count, patience_s=faults.LOCK_S)
        assert {one.station_id for one, _ in running.answers} == {other.pk}
        page.commit()
    until(lambda: len(running.answers) == 22)
    (transaction,) = network.transactions(locked)
    assert (transaction.status, transaction.energy_wh) == ("ended", 4000)
    assert [entry.action for entry in network.log(locked)] == ["StartTransaction", "StopTransaction", *["Heartbeat"] * 10]


def test_who_comes_and_goes_at_a_locked_station_waits_and_all_others_come_in(network: Network, running: Running) -> None:
    locked, gone, other = (network.station(accepted=True) for _ in range(3))
    running.put(Arrival(knock(gone), "before"))
    until(lambda: running.verdicts)
    with another() as page:
        page.execute(BUMP, [locked.pk])
        page.execute(BUMP, [gone.pk])
        seen = SignsOfLife([(locked.pk, 0, datetime.now(UTC)), (other.pk, 0, datetime.now(UTC))])
        running.put(Arrival(knock(locked), "locked"), Departure(gone.pk, running.verdicts["before"].fence, 1006, ""), seen)
        running.put(Arrival(knock(other), "other"))
        until(lambda: "other" in running.verdicts)
        assert isinstance(running.verdicts["other"], Admitted)
        assert running.verdicts.keys() == {"before", "other"}
        assert row(gone).disconnected_at is None
        page.commit()
    until(lambda: "locked" in running.verdicts)
    assert isinstance(running.verdicts["locked"], Admitted)
    until(lambda: row(gone).disconnected_at)


def test_a_departure_of_a_station_that_is_no_more_waits_for_nobody(network: Network, running: Running) -> None:
    other = network.station(accepted=True)
    running.put(Departure(-1, 1, 1006, ""), Arrival(knock(other), "other"))
    until(lambda: running.verdicts)
    assert running.thread.held_doors == []


def test_a_deadlock_at_the_doors_is_tried_again(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody holds what was told of the socket and wants the connection's row, which the doors hold the other way round."""
    known, other = network.station(accepted=True), network.station(accepted=True)
    verdicts: dict[Any, Any] = {}
    thread = BatchThread(lambda results: verdicts.update(results.verdicts))
    with scopes_disabled():
        thread._doors([Arrival(knock(known), "before")])

    def attend() -> None:
        connection.ensure_connection()
        connection.connection.execute("SET deadlock_timeout = '200ms'")
        with scopes_disabled():
            thread._doors([Departure(known.pk, verdicts["before"].fence, 1000, "bye"), Arrival(knock(other), "other")])
            until(lambda: thread._handle([]) or not thread.held_doors)
        connection.close()

    with another() as holder:
        holder.execute("SET deadlock_timeout = '1min'")
        holder.execute("SELECT FROM stations_connectionhistory WHERE station_id = %s FOR UPDATE", [known.pk])
        doors = threading.Thread(target=attend)
        doors.start()
        wait_until_blocked(holder)
        holder.execute(BUMP, [known.pk])
        holder.commit()
    doors.join(20)
    assert isinstance(verdicts["other"], Admitted)
    assert row(known).disconnected_at is not None
    assert socket_of(known).close_reason == "bye"


def idle(holder: "psycopg.Connection[Any]", station: Station) -> None:
    holder.execute(BUMP, [station.pk])


def in_a_pipeline(holder: "psycopg.Connection[Any]", station: Station) -> None:
    """To PostgreSQL it is not idle: more may come."""
    holder.pipeline().__enter__()
    holder.execute(BUMP, [station.pk])
    holder.pgconn.send_flush_request()
    holder.pgconn.flush()


@pytest.mark.parametrize("freeze", [idle, in_a_pipeline])
@pytest.mark.parametrize("name", ["csms", faults.APPLICATION])
def test_who_has_a_station_locked_for_long_and_says_nothing_is_ended(
    freeze: Callable[..., None], name: str, network: Network, engine: Engine, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "FROZEN_S", 0.5)
    known = network.station(accepted=True)
    with another(application_name=name) as frozen, another(application_name="csms") as reader:
        reader.execute("SELECT 1")  # it thinks for long, and is in nobody's way
        freeze(frozen, known)
        running.put(engine.inbound(known, "Heartbeat", {}))
        until(lambda: running.answers, patience_s=20)
        assert reader.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError):
            frozen.execute("SELECT 1")


def test_no_connection_of_ours_keeps_a_transaction_in_which_it_says_nothing(network: Network) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == (f"{settings.SILENT_S}s",)


@tables
def row(station: Station) -> Connection:
    with scopes_disabled():
        return Connection.objects.get(station=station)


@tables
def socket_of(station: Station) -> ConnectionHistory:
    with scopes_disabled():
        return ConnectionHistory.objects.get(station=station)
