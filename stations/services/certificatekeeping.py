"""Letting go of certificates that are at no station any more, and of requests for certificates, after their term."""

import time
from datetime import datetime

from django.db import connection

from stations.services import retention

#: Deleted by one statement, at most.
BATCH = 5000
#: Found by no partition of theirs: they are few. Of each kind, its table and the time that counts.
KINDS = (
    (retention.Kind("stations_installedcertificate", "certificates"), "removed_at"),
    (retention.Kind("stations_certificaterequest", "certificates"), "last_at"),
)


def let_go(*, now: datetime, budget_s: float) -> int:
    """Delete in pieces, each a statement of its own. Idempotent; returns how many. A certificate that is there stays."""
    until, gone = time.monotonic() + budget_s, 0
    with connection.cursor() as cursor:
        for kind, column in KINDS:
            before, more = retention.cutoff(kind, now=now), True
            while more and time.monotonic() < until:
                old = f"SELECT id FROM {kind.table} WHERE {column} < %s ORDER BY {column} LIMIT %s"  # noqa: S608  (names are ours)
                cursor.execute(f"DELETE FROM {kind.table} WHERE id = ANY(ARRAY({old}))", [before, BATCH])  # noqa: S608
                gone += cursor.rowcount
                more = cursor.rowcount == BATCH
    return gone
