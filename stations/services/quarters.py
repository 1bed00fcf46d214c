"""What meter samples say of each quarter of an hour and each day of an EVSE, kept when the samples are gone.

Samples may come days late and in any order, so a quarter is computed whole from its samples, and again when others come. What
came since the last run is found by `received_at`, which the database fills in: the batch does nothing for it.
"""

# ruff: noqa: S608  (names of tables and columns are our own, values are parameters)

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from stations.domain.times import EARLIEST

#: Quarters a transaction, and how much of what was received is looked at in one.
CHUNK, STEP = 2000, timedelta(minutes=10)
#: How much of the time before samples had a `received_at` is looked at in one.
STEP_BACK = timedelta(days=1)
#: A run ends after so long; what is left is for the next one.
BUDGET_S = 240
LOCK = "stations.quarters"

# What is not committed yet was received before its transaction ends and after it began: nothing older can appear later. The
# limit is for readers that take hours (a backup); a batch does not.
SETTLED = """
SELECT GREATEST(now() - interval '1 hour', LEAST(now(), min(xact_start))) - interval '5 seconds'
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
RECEIVED = """
INSERT INTO stations_quarterdue (station_id, evse_number, start)
SELECT DISTINCT station_id, evse_number, date_bin('15 minutes', at, 'epoch'::timestamptz)
FROM stations_metersample WHERE received_at >= %s AND received_at < %s
ON CONFLICT DO NOTHING
"""
OLDER = """
INSERT INTO stations_quarterdue (station_id, evse_number, start)
SELECT DISTINCT station_id, evse_number, date_bin('15 minutes', at, 'epoch'::timestamptz)
FROM stations_metersample WHERE operator_id = %s AND at >= %s AND at < %s AND received_at IS NULL
ON CONFLICT DO NOTHING
"""
DUE = """
SELECT station_id, evse_number, start FROM stations_quarterdue
WHERE (station_id, evse_number, start) > (%s, %s, %s) ORDER BY station_id, evse_number, start LIMIT %s
"""
DONE = """
DELETE FROM stations_quarterdue
WHERE (station_id, evse_number, start) > (%s, %s, %s) AND (station_id, evse_number, start) <= (%s, %s, %s)
"""
CAUGHT_UP = """
SELECT EXISTS (SELECT FROM stations_meterprogress WHERE back_to <= %s AND received_until > now() - interval '1 day')
    AND NOT EXISTS (SELECT FROM stations_quarterdue WHERE start < now() - interval '2 days')
"""
#: Samples only ever go by retention. So a span is renewed if its samples reach as far as those it counted: else some of them
#: are gone, and it already says more than what is left.
GROWN = "EXCLUDED.samples >= old.samples AND EXCLUDED.first_at <= old.first_at AND EXCLUDED.last_at >= old.last_at"
COLUMNS = (
    *("samples", "first_at", "last_at", "power_mean_w", "power_max_w"),
    *("energy_first_wh", "energy_last_wh", "energy_wh", "soc_last_percent"),
)
RENEWED = ", ".join(f"{column} = EXCLUDED.{column}" for column in COLUMNS)
# The quarters of the hour after one are computed with it, since what the register rose by begins with the hour before. The
# highest register counts, not the last one: meters drop out and report 0 in between (lbbrhzn/ocpp#374).
QUARTERS = f"""
WITH due AS (SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::timestamptz[]) AS u(station_id, evse_number, start)),
wanted AS (
    SELECT * FROM due UNION
    SELECT d.station_id, d.evse_number, later.start FROM due d CROSS JOIN LATERAL (
        SELECT q.start FROM stations_meterquarter q
        WHERE q.station_id = d.station_id AND q.evse_number = d.evse_number
            AND q.start > d.start AND q.start <= d.start + interval '1 hour'
        OFFSET 0  -- by the index for each, never by reading the whole table once
    ) later
)
INSERT INTO stations_meterquarter AS old (operator_id, station_id, evse_number, start, {", ".join(COLUMNS)})
SELECT a.operator_id, w.station_id, w.evse_number, w.start, a.samples, a.first_at, a.last_at, a.power_mean_w, a.power_max_w,
    a.registers[1], a.registers[cardinality(a.registers)],
    CASE WHEN a.highest >= COALESCE(a.before, a.registers[1]) AND (a.before IS NOT NULL OR cardinality(a.registers) > 1)
         THEN a.highest - COALESCE(a.before, a.registers[1]) END,
    a.charges[cardinality(a.charges)]
FROM wanted w CROSS JOIN LATERAL (
    SELECT max(operator_id) AS operator_id, count(*) FILTER (WHERE now_) AS samples,
        min(at) FILTER (WHERE now_) AS first_at, max(at) FILTER (WHERE now_) AS last_at,
        avg(power_w) FILTER (WHERE now_) AS power_mean_w, max(power_w) FILTER (WHERE now_) AS power_max_w,
        array_agg(energy_wh ORDER BY at, id) FILTER (WHERE now_ AND energy_wh IS NOT NULL) AS registers,
        max(energy_wh) FILTER (WHERE now_) AS highest, max(energy_wh) FILTER (WHERE NOT now_) AS before,
        array_agg(soc_percent ORDER BY at, id) FILTER (WHERE now_ AND soc_percent IS NOT NULL) AS charges
    FROM (
        SELECT s.*, s.at >= w.start AS now_ FROM stations_metersample s
        WHERE s.station_id = w.station_id AND s.evse_number = w.evse_number
        AND s.at >= w.start - interval '1 hour' AND s.at < w.start + interval '15 minutes'
    ) s
) a
WHERE a.samples > 0
ON CONFLICT (station_id, start, evse_number) DO UPDATE SET {RENEWED} WHERE {GROWN}
RETURNING station_id, evse_number, start
"""
DAYS = f"""
WITH wanted AS (
    SELECT DISTINCT s.operator_id, s.id AS station_id, u.evse_number, z.name AS zone, (u.start AT TIME ZONE z.name)::date AS day
    FROM unnest(%s::bigint[], %s::smallint[], %s::timestamptz[]) AS u(station_id, evse_number, start)
    JOIN stations_station s ON s.id = u.station_id LEFT JOIN stations_site site ON site.id = s.site_id
    CROSS JOIN LATERAL (SELECT CASE WHEN site.time_zone = ANY(%s) THEN site.time_zone ELSE 'UTC' END AS name) z
)
INSERT INTO stations_meterday AS old (operator_id, station_id, evse_number, day, {", ".join(COLUMNS)})
SELECT w.operator_id, w.station_id, w.evse_number, w.day, a.samples, a.first_at, a.last_at, a.power_mean_w, a.power_max_w,
    a.firsts[1], a.lasts[cardinality(a.lasts)], a.energy_wh, a.charges[cardinality(a.charges)]
FROM wanted w CROSS JOIN LATERAL (
    SELECT sum(samples) AS samples, min(first_at) AS first_at, max(last_at) AS last_at,
        avg(power_mean_w) AS power_mean_w, max(power_max_w) AS power_max_w, sum(energy_wh) AS energy_wh,
        array_agg(energy_first_wh ORDER BY start) FILTER (WHERE energy_first_wh IS NOT NULL) AS firsts,
        array_agg(energy_last_wh ORDER BY start) FILTER (WHERE energy_last_wh IS NOT NULL) AS lasts,
        array_agg(soc_last_percent ORDER BY start) FILTER (WHERE soc_last_percent IS NOT NULL) AS charges
    FROM stations_meterquarter q
    WHERE q.station_id = w.station_id AND q.evse_number = w.evse_number
    AND q.start >= w.day::timestamp AT TIME ZONE w.zone AND q.start < (w.day + 1)::timestamp AT TIME ZONE w.zone
) a
WHERE a.samples > 0
ON CONFLICT (station_id, day, evse_number) DO UPDATE SET {RENEWED} WHERE {GROWN}
"""
# A name that PostgreSQL does not know would stop the job for everybody.
ZONES = """
SELECT COALESCE(array_agg(name), '{}') FROM pg_timezone_names WHERE name IN (SELECT DISTINCT time_zone FROM stations_site)
"""


def count(*, budget_s: float = BUDGET_S) -> int:
    """Bring quarters and days up to the samples that came. Returns how many quarters were due.

    Every step is a short transaction of its own under one advisory lock, and begins where the last one ended: killed, or run
    twice at once, it counts nothing double and leaves nothing out.
    """
    until = time.monotonic() + budget_s
    with connection.cursor() as cursor:
        cursor.execute(ZONES)
        zones = cursor.fetchone()[0]
    while _collect() and time.monotonic() < until:
        pass
    done, last = 0, (0, 0, EARLIEST)
    while time.monotonic() < until:
        keys = _renew(zones, after=last)
        done += len(keys)
        if len(keys) < CHUNK:
            # Of the past only so much at a time, lest the table of what is due grows with it.
            if not _collect_older():
                break
            last = (0, 0, EARLIEST)
        else:
            last = keys[-1]
    return done


def caught_up() -> bool:
    """Whether old samples may go: all that came until a day ago is counted, and all from before there was a `received_at`."""
    with connection.cursor() as cursor:
        cursor.execute(CAUGHT_UP, [EARLIEST])
        return bool(cursor.fetchone()[0])


def _progress(cursor: CursorWrapper, column: str) -> tuple[int, datetime]:
    """The key of the row of progress and how far it says we are. In tables that were emptied there is none: it is made."""
    cursor.execute(f"SELECT id, {column} FROM stations_meterprogress")
    row = cursor.fetchone()
    if row is None:
        cursor.execute(
            "INSERT INTO stations_meterprogress (received_until, back_to)"
            f" VALUES (now() - interval '1 day', now() + interval '2 days') RETURNING id, {column}"
        )
        row = cursor.fetchone()
    return row[0], row[1]


def _alone(cursor: CursorWrapper) -> bool:
    """Whether nobody else counts; holds until the end of the transaction."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [LOCK])
    return bool(cursor.fetchone()[0])


def _collect() -> bool:
    """Note the quarters of what was received in the next minutes. False: there is no more yet."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not _alone(cursor):
            return False
        cursor.execute(SETTLED)
        settled = cursor.fetchone()[0]
        progress_id, since = _progress(cursor, "received_until")
        upto = min(since + STEP, settled)
        if upto <= since:
            return False
        cursor.execute(RECEIVED, [since, upto])
        cursor.execute("UPDATE stations_meterprogress SET received_until = %s WHERE id = %s", [upto, progress_id])
        return bool(upto < settled)


def _collect_older() -> bool:
    """Note the quarters of samples from before there was a `received_at`, a day further back. False: there are no more."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not _alone(cursor):
            return False
        progress_id, upto = _progress(cursor, "back_to")
        if upto <= EARLIEST:
            return False
        cursor.execute("SELECT id FROM accounts_operator")
        operators = [row[0] for row in cursor.fetchall()]
        newest: datetime | None = None
        for operator_id in operators:
            cursor.execute("SELECT max(at) FROM stations_metersample WHERE operator_id = %s AND at < %s", [operator_id, upto])
            found = cursor.fetchone()[0]
            newest = max(filter(None, (newest, found)), default=None)
        since = EARLIEST
        if newest is not None:
            upto = min(upto, newest + timedelta(microseconds=1))
            since = max(EARLIEST, upto - STEP_BACK)
            for operator_id in operators:
                cursor.execute(OLDER, [operator_id, since, upto])
        cursor.execute("UPDATE stations_meterprogress SET back_to = %s WHERE id = %s", [since, progress_id])
        return newest is not None


def _renew(zones: Sequence[str], *, after: tuple[int, int, datetime]) -> list[tuple[int, int, datetime]]:
    """Compute the next quarters that are due, and their days. Returns their keys."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not _alone(cursor):
            return []
        cursor.execute(DUE, [*after, CHUNK])
        keys = cursor.fetchall()
        if keys:
            cursor.execute("SET LOCAL jit = off")  # which would take longer than the statement
            cursor.execute(QUARTERS, _arrays(keys))
            renewed = cursor.fetchall()
            cursor.execute(DAYS, [*_arrays(renewed), list(zones)])
            cursor.execute(DONE, [*after, *keys[-1]])
        return [(station, evse, start.astimezone(UTC)) for station, evse, start in keys]


def _arrays(keys: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*keys, strict=True)] or [[], [], []]
