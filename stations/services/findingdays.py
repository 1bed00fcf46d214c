"""Letting go of how often findings were made on days long past."""

import time
from datetime import datetime, timedelta

from django.db import connection

#: A year to compare with, and a month more.
KEPT = timedelta(days=400)
BATCH = 5000

DELETE = """
DELETE FROM stations_findingday WHERE id = ANY(ARRAY(
    SELECT id FROM stations_findingday WHERE operator_id = %s AND day < %s ORDER BY day LIMIT %s))
"""


def let_go(*, now: datetime, budget_s: float = 60) -> int:
    """Delete the counts of days that are over, in short statements, until the time is up. Returns how many."""
    until, deleted = time.monotonic() + budget_s, 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM accounts_operator ORDER BY id")
        for (operator_id,) in cursor.fetchall():
            while time.monotonic() < until:
                cursor.execute(DELETE, [operator_id, (now - KEPT).date(), BATCH])
                deleted += cursor.rowcount
                if cursor.rowcount < BATCH:
                    break
    return deleted
