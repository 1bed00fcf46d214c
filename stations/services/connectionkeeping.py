"""Letting go of connections that are older than their term. The newest of each station stays: it may be open still."""

import time
from datetime import datetime

from accounts.models import Operator
from stations.models import ConnectionHistory
from stations.services import retention

#: Looked at, and so deleted, by one statement at most.
BATCH = 5000
#: Found by no partition of theirs: they are few beside what is said by them.
TERM = retention.Kind("stations_connectionhistory", "connections", "keep_connections_days")


def let_go(*, now: datetime, budget_s: float) -> int:
    """Delete in pieces, each a transaction of its own. Idempotent; returns how many. Run without a scope."""
    until, gone = time.monotonic() + budget_s, 0
    for operator in Operator.objects.order_by("pk"):
        before, at, more = retention.cutoff(TERM, now=now, operator=operator), 0, True
        while more and time.monotonic() < until:
            # Numbered as they were opened: with the first that is to stay for its age it is done, and no others are looked at.
            oldest = ConnectionHistory.objects.filter(operator=operator, pk__gt=at).order_by("pk")
            found = list(oldest.values_list("pk", "opened_at", "fence", "station__connection__fence")[:BATCH])
            old = [(pk, fence == newest) for pk, opened_at, fence, newest in found if opened_at < before]
            deleted, _of_which = ConnectionHistory.objects.filter(pk__in=[pk for pk, stays in old if not stays]).delete()
            gone += deleted
            more = len(old) == BATCH
            at = found[-1][0] if found else at
    return gone
