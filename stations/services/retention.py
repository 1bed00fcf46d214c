"""Letting go of what is older than its term.

Whole months go by dropping their partition, which costs the same whatever is in it. An operator's shorter terms, and what
waits in the default partition, go in batches. What a transaction needs that is not final stays.
"""

# ruff: noqa: S608  (names of tables and columns are our own, values are parameters)

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django_scopes import scope

from accounts.models import Operator
from stations import partitions
from stations.domain.values import Doubt
from stations.models import Station
from stations.partitions import Partition
from stations.services import quarters
from stations.services.afterwards import ENDED_TOPIC

#: Rows a transaction, and stations a statement where the rows are found by station.
BATCH, STATIONS = 5000, 500
#: A run ends after so long; what is left is for the next one.
BUDGET_S = 240
LOCK = "stations.retention"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Kind:
    """What is kept for a term: `months` by the system, `days` the operator's field; rows are found by `by` and their time."""

    table: str
    months: str
    days: str = ""
    by: str = "operator_id"


KINDS = (
    Kind("stations_messagelogentry", "messages", "keep_messages_days"),
    Kind("stations_metersample", "samples", "keep_samples_days"),
    Kind("stations_statushistory", "status", "keep_status_days", by="station_id"),
    Kind("stations_meterquarter", "quarters"),
)

# A session is final when it has ended, nobody doubts it, and whoever acts on its end has done so (billing reads its samples).
UNFINISHED = f"""(t.status <> 'ended' OR t.doubt NOT IN ('', '{Doubt.SET_ASIDE.value}') OR EXISTS (
    SELECT FROM stations_outboxentry o WHERE o.topic = '{ENDED_TOPIC}' AND o.object_id = t.id))"""
NEEDED = {
    "stations_metersample": f"""
        AND NOT (p.transaction_id IS NOT NULL AND EXISTS (
            SELECT FROM stations_transaction t WHERE t.id = p.transaction_id AND {UNFINISHED}))"""
}
# Station clocks are set while a session runs, so its samples are looked for a day around it.
RESCUED = f"""
CREATE TEMPORARY TABLE rescued ON COMMIT DROP AS
SELECT p.* FROM stations_transaction t JOIN {{partition}} p ON p.station_id = t.station_id AND p.owner = t.id
AND p.at >= t.started_at - interval '1 day' AND (t.stopped_at IS NULL OR p.at <= t.stopped_at + interval '1 day')
WHERE t.started_at - interval '1 day' < %s AND (t.stopped_at IS NULL OR t.stopped_at + interval '1 day' >= %s) AND {UNFINISHED}
"""


@dataclass
class Gone:
    """What a run did: partitions dropped, those put off because somebody read them, rows deleted in batches, time to go on."""

    dropped: list[str] = field(default_factory=list)
    put_off: list[str] = field(default_factory=list)
    deleted: int = 0
    finished: bool = True


def let_go(*, now: datetime, budget_s: float = BUDGET_S) -> Gone:
    """Drop and delete what is older than its term. Every step is a short transaction of its own; two runs do no harm."""
    gone, until = Gone(), time.monotonic() + budget_s
    operators = list(Operator.objects.order_by("pk"))
    for kind in KINDS:
        cutoffs = {operator.pk: cutoff(kind, now=now, operator=operator) for operator in operators}
        # Before this nobody keeps anything.
        nobody = min(cutoffs.values(), default=cutoff(kind, now=now))
        if kind.months == "samples" and not quarters.caught_up():
            log.warning("samples stay until their quarters are counted")
            continue
        with connection.cursor() as cursor:
            found = partitions.of(cursor, kind.table)
        _drop_months(kind, [p for p in found if p.end and p.end <= nobody], gone)
        for partition in found:
            if partition.name not in gone.dropped:
                _delete_from(kind, partition, cutoffs, nobody, gone, until)
        last_month = partitions.midnight(partitions.month_after(now.date(), -1))
        old = [p for p in found if p.end and nobody < p.end <= last_month]
        if not {p.name for p in found} & set(gone.put_off):
            _drop_months(kind, [p for p in old if _is_empty(p)], gone, empty=True)
    return gone


def cutoff(kind: Kind, *, now: datetime, operator: Operator | None = None) -> datetime:
    """What is older may go: whole months by the system's term, or days by the operator's if that is shorter."""
    system = partitions.midnight(partitions.month_after(now.date(), -settings.KEEP_MONTHS[kind.months]))
    days = getattr(operator, kind.days) if operator and kind.days else None
    return system if days is None else max(system, now - timedelta(days=days))


def _is_empty(partition: Partition) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT NOT EXISTS (SELECT FROM {partition.name})")
        return bool(cursor.fetchone()[0])


def _drop_months(kind: Kind, months: Sequence[Partition], gone: Gone, *, empty: bool = False) -> None:
    for partition in months:
        try:
            if not _drop(kind, partition, empty=empty):
                return
        except OperationalError as error:
            if not partitions.is_busy(error):
                raise
            # Another one would only make the writers wait again.
            log.info("a partition is read; it is dropped another time", partition=partition.name)
            gone.put_off.append(partition.name)
            return
        log.info("a partition was dropped", partition=partition.name)
        gone.dropped.append(partition.name)


def _drop(kind: Kind, partition: Partition, *, empty: bool) -> bool:
    """Drop a month. What sessions need that are not final goes to the default partition. False: somebody else is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s)), to_regclass(%s)", [partitions.LOCK, partition.name])
        alone, there = cursor.fetchone()
        if not alone or there is None:
            return bool(alone)
        cursor.execute(f"SET LOCAL lock_timeout = '{partitions.PATIENCE}'")
        # Nothing more is written to this month, and only to this one, while we look what of it must stay.
        cursor.execute(f"LOCK TABLE {partition.name} IN SHARE MODE")
        if empty:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {partition.name})")
            if cursor.fetchone()[0]:
                return True
        rescue = kind.table in NEEDED and not empty
        if rescue:
            cursor.execute(RESCUED.format(partition=partition.name), [partition.end, partition.start])
        cursor.execute(f"DROP TABLE {partition.name}")
        if rescue:
            columns = partitions.columns(cursor, kind.table)
            cursor.execute(f"INSERT INTO {kind.table} ({columns}) SELECT {columns} FROM rescued")
    return True


def _delete_from(
    kind: Kind, partition: Partition, cutoffs: dict[int, datetime], nobody: datetime, gone: Gone, until: float
) -> None:
    """Delete what is over for its operator. A month that nobody keeps is dropped whole, if not now then another time."""
    if partition.end is not None and partition.end <= nobody:
        return
    if partition.start is None and _is_empty(partition):
        return  # as nearly always: it is not asked for each operator
    for operator_id, before in cutoffs.items():
        if partition.start is not None and partition.start >= before:
            continue
        for whose, whom in _finding(kind, partition, operator_id):
            since: datetime | str | None = "-infinity"
            while since is not None:
                if time.monotonic() >= until:
                    gone.finished = False
                    return
                count, since = _delete_some(kind, partition, whose, whom, since, before)
                gone.deleted += count


def _finding(kind: Kind, partition: Partition, operator_id: int) -> Iterator[tuple[str, int | list[int]]]:
    """By what an index finds the operator's rows. The default partition is small enough to be searched without."""
    if kind.by == "operator_id" or partition.start is None:
        yield "p.operator_id = %s", operator_id
        return
    with scope(operator=operator_id):
        stations = list(Station.objects.order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(stations), STATIONS):
        yield f"p.{kind.by} = ANY(%s)", stations[first : first + STATIONS]


def _delete_some(
    kind: Kind, partition: Partition, whose: str, whom: int | list[int], since: datetime | str, before: datetime
) -> tuple[int, datetime | str | None]:
    """Delete one batch. Returns how many rows, and from when on there may be more (None: there are none)."""
    column = partitions.PARTITIONED[kind.table]
    # From where the last batch ended, lest each walks over the dead rows of those before it.
    order = f"ORDER BY p.{column}" if "ANY" not in whose else ""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s)), to_regclass(%s)", [LOCK, partition.name])
        alone, there = cursor.fetchone()
        if not alone or there is None:
            return 0, None
        cursor.execute(
            f"""
            WITH batch AS MATERIALIZED (
                SELECT p.ctid, p.{column} AS moment FROM {partition.name} p
                WHERE {whose} AND p.{column} >= %s::timestamptz AND p.{column} < %s {NEEDED.get(kind.table, "")}
                {order} LIMIT {BATCH}
            ), gone AS (DELETE FROM {partition.name} WHERE ctid = ANY(ARRAY(SELECT ctid FROM batch)) RETURNING 1)
            SELECT (SELECT count(*) FROM batch), (SELECT max(moment) FROM batch), (SELECT count(*) FROM gone)
            """,
            [whom, since, before],
        )
        found, newest, deleted = cursor.fetchone()
    if found < BATCH:
        return deleted, None
    return deleted, newest if order else since
