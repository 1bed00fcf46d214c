"""The unit of work: many messages, one transaction.

A handler reads states and look-ups, records what it adds and changes, and returns its reply; the batch flushes, commits,
and only then are bells rung and replies released. See docs/architecture.md, "The batch".
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.db import models

from stations import flush, lookups, outbox, ports, state
from stations.domain.values import Note
from stations.flush import Cursor, Row, Table
from stations.lookups import Lookups, Need
from stations.models import (
    Finding,
    OutboxEntry,
)
from stations.state import StationState
from stations.tables import BY_MODEL, TABLES

#: Rows, or what is changed of them, by their key.
Rows = dict[Any, Row]

PREAMBLE = """
SELECT station_id, fence, state_version, pg_current_xact_id()::text
FROM stations_connection WHERE station_id = ANY(%s) ORDER BY station_id FOR SHARE
"""
#: The same, leaving out rows that somebody has locked: one who takes his time, or is frozen, would hold up all the others.
IMPATIENT = f"{PREAMBLE.rstrip()} SKIP LOCKED"
THERE = "SELECT station_id FROM stations_connection WHERE station_id = ANY(%s)"
SEQUENCES = {
    "transaction": "stations_transaction_id_seq",
    "evse": "stations_evse_id_seq",
    "connector": "stations_connector_id_seq",
    "sample": "stations_metersample_id_seq",
    "short_transaction_id": "stations_v16_transaction_id_seq",
    "happening": "stations_outboxentry_id_seq",
    "monitor_event": "stations_monitorevent_id_seq",
    "firmware_update": "stations_firmwareupdate_id_seq",
}


class Ids:
    """Primary keys from blocks reserved from sequences: one statement for many."""

    def __init__(self, block: int = 100) -> None:
        self.block = block
        self.free: dict[str, Iterator[int]] = {}

    def take(self, cursor: Cursor, kind: str) -> int:
        """The next id of a kind (a key of SEQUENCES)."""
        number = next(self.free.get(kind, iter(())), None)
        if number is None:
            rows = cursor.execute("SELECT nextval(%s) FROM generate_series(1, %s)", (SEQUENCES[kind], self.block)).fetchall()
            self.free[kind] = iter([row[0] for row in rows])
            number = next(self.free[kind])
        return number


@dataclass(slots=True)
class Frame:
    """Which message is being handled: whose, since when, and what for."""

    station: StationState
    received_at: datetime
    message_id: str = ""
    action: str = ""
    protocol: str = ""


@dataclass(slots=True)
class Touched:
    """What live pages show of one operator and this batch changed."""

    stations: set[int] = field(default_factory=set)
    transactions: set[int] = field(default_factory=set)


class Batch:
    """Collects what handlers add and change. Not for two threads."""

    def __init__(self, cursor: Cursor, states: dict[int, StationState], ids: Ids, now: datetime) -> None:
        self.cursor = cursor
        self.states = states
        self.ids = ids
        self.now = now
        self.lookups = Lookups()
        self.fences: dict[int, int] = {}
        #: Stations whose rows somebody else has locked: their messages wait.
        self.held: set[int] = set()
        self.xid: str | None = None
        self.frame: Frame | None = None
        self.added: dict[type[models.Model], Rows] = defaultdict(dict)
        self.changed: dict[type[models.Model], Rows] = defaultdict(dict)
        self.by_id: dict[tuple[type[models.Model], Any], Row] = {}
        self.touched: dict[int, Touched] = defaultdict(Touched)
        self.woken: set[str] = set()
        #: Stations that may be asked their next command, once this is committed.
        self.errands: set[int] = set()

    # What happens before handling

    def preamble(self, station_ids: Iterable[int], *, begin: bool = False) -> None:
        """Lock the connection rows in id order, read their fences, and reload the states that are old or missing.

        `begin`: with a transaction of the batch's own, in which nobody is waited for: whose rows are locked is `held`.
        """
        wanted = sorted(set(station_ids))
        with self.cursor.connection.pipeline():
            if begin:
                flush.beside(self.cursor).execute("BEGIN")
            self.cursor.execute(IMPATIENT if begin else PREAMBLE, (wanted,))
        rows = self.cursor.fetchall()
        self.fences = {row[0]: row[1] for row in rows}
        self.held = held(self.cursor, wanted, self.fences) if begin else set()
        self.xid = rows[0][3] if rows else None
        stale = [row[0] for row in rows if (one := self.states.get(row[0])) is None or one.version != row[2]]
        if stale:
            known = {station_id: self.states.pop(station_id, None) for station_id in stale}
            for station_id, fresh in state.load(self.cursor, stale).items():
                self.states[station_id] = fresh
                if (old := known[station_id]) is not None:
                    fresh.remember(old)

    def look_up(self, needs: Iterable[Need]) -> None:
        self.lookups = lookups.load(self.cursor, needs)

    # What handlers use

    @property
    def station(self) -> StationState:
        """The station whose message is being handled."""
        assert self.frame is not None, "no message is being handled"
        return self.frame.station

    def next_id(self, kind: str) -> int:
        return self.ids.take(self.cursor, kind)

    def add(self, model: type[models.Model], /, **row: Any) -> None:
        """Add a row. Columns are named as in the table (`station_id`); those left out get the field's default."""
        table = BY_MODEL[model]
        row = table.defaults | row
        rows = self.added[model]
        if "id" in row:
            self.by_id[model, row["id"]] = row
        if not table.key:
            rows[len(rows)] = row
            return
        key = tuple(row[column] for column in table.key)
        known = rows.setdefault(key, row)
        if known is not row:
            self._merge(table, known, row)

    def change(self, model: type[models.Model], pk: Any, /, **values: Any) -> None:
        """Change columns of a row by its primary key; changes of one row are merged, also into a row added by this batch."""
        added = self.by_id.get((model, pk))
        if added is not None:
            added.update(values)
            return
        self.changed[model].setdefault(pk, {}).update(values)

    def note(self, note: Note, transaction_id: int | None = None) -> None:
        """A finding on the station whose message is being handled, or on one of its transactions."""
        assert self.frame is not None, "no message is being handled"
        self.add(
            Finding,
            operator_id=self.station.operator_id,
            station_id=self.station.id,
            transaction_id=transaction_id,
            code=note.code,
            subject=note.subject[:200],
            severity=note.severity.value,
            detail=clean(note.detail)[:2000],
            message_id=clean(self.frame.message_id)[:36],
            count=1,
            first_at=self.frame.received_at,
            last_at=self.frame.received_at,
        )

    def publish(self, topic: str, object_id: int) -> None:
        """Tell the subscribers of a topic about an object, by outbox rows that are in this transaction."""
        for row in outbox.entries(topic, operator_id=self.station.operator_id, object_id=object_id, now=self.now):
            self.add(OutboxEntry, **row)
            self.woken.add(str(row["subscriber"]))

    def tell(self, topic: str, object_id: int | None = None, *, facts: Row | None = None, due_in: timedelta = timedelta(0)) -> None:
        """The same for those who subscribed to it for this operator's network alone; where nobody did it costs nothing.

        What may happen to an object again before it was told has no `object_id` but `facts` (plain values of JSON).
        """
        for subscriber in self.station.subscribers.get(topic, ()):
            self.add(
                OutboxEntry,
                operator_id=self.station.operator_id,
                topic=topic,
                subscriber=subscriber,
                object_id=self.next_id("happening") if object_id is None else object_id,
                facts=facts,
                created_at=self.now,
                due_at=self.now + due_in,
                attempts=0,
                error="",
            )
            if not due_in:
                self.woken.add(subscriber)

    def touch(self, *, transaction_id: int | None = None) -> None:
        """Live pages show something that has changed: the station, and perhaps one of its transactions."""
        touched = self.touched[self.station.operator_id]
        touched.stations.add(self.station.id)
        if transaction_id is not None:
            touched.transactions.add(transaction_id)

    # What happens after handling

    def flush(self) -> None:
        """Write everything, a statement or two a table.

        The statements leave together, without waiting for each other's answers: a round trip each would be half of a round's time.
        Findings come after them, since merged samples may make some, and so does what is copied, which cannot be sent along.
        """
        inserted: list[tuple[Table, Rows, Cursor]] = []
        with self.cursor.connection.pipeline():
            for table in TABLES:
                if changes := self.changed.get(table.model):
                    table.update(self.cursor, changes)
                if table.key and table.model is not Finding and (rows := self.added.get(table.model)):
                    inserted.append((table, rows, flush.beside(self.cursor)))
                    table.insert(inserted[-1][2], list(rows.values()))
        for table, rows, cursor in inserted:
            if table.merge == "fill":
                for stored in table.stored(cursor, list(rows.values())):
                    self._compare(table, rows[tuple(stored[column] for column in table.key)], stored)
        for table in TABLES:
            rows = self.added.get(table.model, {})
            if rows and table.model is Finding:
                table.insert(self.cursor, list(rows.values()))
            elif rows and not table.key:
                table.append(self.cursor, list(rows.values()))

    def ring(self) -> None:
        """After the commit: whoever watches may look."""
        for operator_id, touched in self.touched.items():
            ports.bell.changed(operator_id, stations=touched.stations, transactions=touched.transactions)
        for subscriber in self.woken:
            ports.bell.work(subscriber)

    def _merge(self, table: Table, known: Row, row: Row) -> None:
        """A second row with the same natural key in one batch is treated as the table would treat it."""
        if table.merge in ("count", "renew"):
            if table.merge == "count":
                known["count"] += row["count"]
            known.update({column: row[column] for column in table.renewed})
            known.update({column: row[column] for column in table.refined if row[column] not in (None, "")})
        elif table.merge == "fill":
            self._compare(table, row, known)
            structures = {c: value | known[c] for c, value in row.items() if isinstance(value, dict) and known[c]}
            known.update(structures | {column: row[column] for column in row if known[column] is None})

    def _compare(self, table: Table, ours: Row, stored: Row) -> None:
        """A second message of the same moment that says something else than the first: the first is kept, with a finding."""
        for column in ("energy_wh", "power_w", "current_a", "current_sum_a", "voltage_v", "soc_percent"):
            if ours.get(column) is not None and stored.get(column) is not None and ours[column] != stored[column]:
                said = f"{stored[column]} was reported first and {ours[column]} later; the first is kept."
                self.add(
                    Finding,
                    operator_id=ours["operator_id"],
                    station_id=ours["station_id"],
                    transaction_id=ours["transaction_id"],
                    code="sample_differs",
                    subject=column,
                    severity="warning",
                    detail=f"At {ours['at'].isoformat()} {said}",
                    count=1,
                    first_at=self.now,
                    last_at=self.now,
                )


def held(cursor: Cursor, wanted: Iterable[int], locked: Container[int]) -> set[int]:
    """Those of the stations wanted that could not be locked, but are there."""
    missing = [station_id for station_id in wanted if station_id not in locked]
    return {row[0] for row in cursor.execute(THERE, (missing,)).fetchall()} if missing else set()


def clean(text: str) -> str:
    """Text a PostgreSQL column can hold: without NUL and lone surrogates."""
    if text.isascii() and "\x00" not in text:
        return text
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode()
    return text


@contextmanager
def of_one(station_id: int, *, now: datetime) -> Iterator[Batch]:
    """A batch of one for pages and jobs: the same services, on Django's connection, committed with the surrounding block.

    Whatever it changes is unknown to the process that holds the station's socket, so the state's version is bumped first.
    """
    from django.db import connection, transaction

    with transaction.atomic():
        connection.ensure_connection()
        with connection.cursor() as django_cursor:
            django_cursor.execute(
                "UPDATE stations_connection SET state_version = state_version + 1 WHERE station_id = %s", [station_id]
            )
        cursor: Cursor = psycopg.Cursor(connection.connection)
        batch = Batch(cursor, {}, Ids(block=1), now)
        batch.preamble([station_id])
        batch.frame = Frame(batch.states[station_id], now)
        yield batch
        batch.flush()
        transaction.on_commit(batch.ring)


__all__: Sequence[str] = ("BY_MODEL", "TABLES", "Batch", "Frame", "Ids", "clean", "flush", "of_one")
