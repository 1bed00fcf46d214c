"""Monthly partitions of the tables that grow with every message.

Each table also has a default partition, so that a row with an unexpected time is kept and never refused.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from psycopg.errors import DeadlockDetected, LockNotAvailable

#: Table to the column by whose month it is divided.
PARTITIONED = {
    "stations_metersample": "at",
    "stations_statushistory": "at",
    "stations_messagelogentry": "received_at",
    "stations_meterquarter": "start",
}

#: The advisory lock of whoever makes or drops partitions.
LOCK = "stations.partitions"
#: How long making or dropping one may wait for those who use the table, since whoever writes to it waits behind it.
PATIENCE = "200ms"


@dataclass(frozen=True)
class Partition:
    """A month of a table, from `start` to before `end`; the default one has neither."""

    name: str
    table: str
    start: datetime | None = None
    end: datetime | None = None


def month_after(month: date, count: int = 1) -> date:
    """The first day of the month `count` months after this one; `count` may be negative."""
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


def make(cursor: CursorWrapper, today: date, *, behind: int = 1, ahead: int = 3) -> list[str]:
    """Make the partitions from `behind` months ago to `ahead` months from now. Returns the names of those it made.

    Rows of a month that waited in the default partition are moved into the new one.
    """
    made = []
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [LOCK])
    for table, column in PARTITIONED.items():
        cursor.execute("SELECT to_regclass(%s)", [table])
        if cursor.fetchone()[0] is None:
            continue  # An early migration is running, and a later one makes this table.
        listed = columns(cursor, table)
        for offset in range(-behind, ahead + 1):
            start = month_after(today, offset)
            name = f"{table}_{start:%Y_%m}"
            cursor.execute("SELECT to_regclass(%s)", [name])
            if cursor.fetchone()[0]:
                continue
            end = month_after(start)
            bounds = (f"{start} 00:00:00+00", f"{end} 00:00:00+00")
            cursor.execute(f'CREATE TABLE "{name}" (LIKE "{table}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED)')
            cursor.execute(
                f'WITH moved AS (DELETE FROM "{table}_default" WHERE "{column}" >= %s AND "{column}" < %s RETURNING *)'
                f' INSERT INTO "{name}" ({listed}) SELECT {listed} FROM moved',
                bounds,
            )
            cursor.execute(
                f"ALTER TABLE \"{table}\" ATTACH PARTITION \"{name}\" FOR VALUES FROM ('{bounds[0]}') TO ('{bounds[1]}')"
            )
            made.append(name)
    return made


def of(cursor: CursorWrapper, table: str) -> list[Partition]:
    """The partitions of a table that are there, oldest first; the default one comes last."""
    cursor.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass", [table]
    )
    found = []
    for (name,) in sorted(cursor.fetchall()):
        if month := re.fullmatch(rf"{table}_(\d{{4}})_(\d\d)", name):
            start = date(int(month[1]), int(month[2]), 1)
            found.append(Partition(name, table, midnight(start), midnight(month_after(start))))
        elif name == f"{table}_default":
            found.append(Partition(name, table))
    return found


def build_index(cursor: CursorWrapper, table: str, name: str, suffix: str, definition: str) -> None:
    """Build an index of a partitioned table beside its writers, partition by partition; outside of a transaction.

    Building it on the parent would hold up every station until it is done. May be run again after it was broken off.
    """
    # Not valid until every partition has it; a partition made from now on brings it along.
    cursor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON ONLY {table} {definition}")
    for partition in of(cursor, table):
        part = f"{partition.name}_{suffix}"
        # A build that was broken off leaves an index that is not used, and would not be built again.
        cursor.execute("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid", [part])
        if cursor.fetchone():
            cursor.execute(f"DROP INDEX CONCURRENTLY {part}")
        cursor.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {part} ON {partition.name} {definition}")
        cursor.execute(f"ALTER INDEX {name} ATTACH PARTITION {part}")


def is_busy(error: OperationalError) -> bool:
    """Whether somebody used the table for longer than `PATIENCE`."""
    return isinstance(error.__cause__, LockNotAvailable | DeadlockDetected)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def columns(cursor: CursorWrapper, table: str) -> str:
    """The columns that can be written, comma-separated: all but the generated ones."""
    cursor.execute(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = %s AND is_generated = 'NEVER'",
        [table],
    )
    return str(cursor.fetchone()[0])
