"""Telling that stations come and go: once for each outage that lasts.

Who comes is told by the arrival (`connections.take_over`); that somebody is away nobody says, so a sweep looks. What was told last
stands in the connection's row, whether anybody subscribed or not: a new subscriber is told what happens from then on.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from stations import outbox, selectors, topics

#: An outage shorter than this is not told: sockets are closed and opened anew whenever a server restarts.
GRACE = timedelta(seconds=60)
#: Stations a sweep tells of at most; the next one goes on.
MOST = 5000

LEASE = "GREATEST(s.heartbeat_interval_s * interval '3 seconds', %(shortest)s)"
# The same as `selectors.heard`. A row that a batch has in hand is that of a station which is there, or is looked at next time.
FOUND = """
WITH found AS (
    SELECT c.station_id, c.seen_at FROM stations_connection c JOIN stations_station s ON s.id = c.station_id
    WHERE {which} ORDER BY c.station_id LIMIT %(most)s FOR NO KEY UPDATE OF c SKIP LOCKED
)
UPDATE stations_connection AS c SET told_online = {online} FROM found WHERE found.station_id = c.station_id
RETURNING c.station_id, c.operator_id, found.seen_at
"""
GONE = FOUND.format(
    online="false",
    which=f"""c.told_online IS DISTINCT FROM false AND (
        c.seen_at <= %(now)s - {LEASE} - %(grace)s
        OR (c.disconnected_at >= c.connected_at AND c.disconnected_at <= %(now)s - %(grace)s))""",
)
#: Heard again without a new socket, or let in by a process of an older version.
BACK = FOUND.format(
    online="true",
    which=f"""c.told_online IS DISTINCT FROM true AND c.seen_at > %(now)s - {LEASE}
        AND (c.disconnected_at IS NULL OR c.disconnected_at < c.connected_at)""",
)


def facts(station_id: int, seen_at: datetime) -> dict[str, Any]:
    return {"station_id": station_id, "seen_at": seen_at.isoformat()}


def sweep(*, now: datetime) -> int:
    """Tell which stations went away for longer than the grace, and which are back unseen. Returns how many."""
    told = 0
    given: Any = {"now": now, "grace": GRACE, "shortest": selectors.SHORTEST_LEASE, "most": MOST}
    for topic, statement in ((topics.STATION_OFFLINE, GONE), (topics.STATION_ONLINE, BACK)):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, given)
            found = cursor.fetchall()
            if found:
                outbox.tell(cursor, topic, [(operator_id, None, facts(pk, seen_at)) for pk, operator_id, seen_at in found], now=now)
            told += len(found)
    return told
