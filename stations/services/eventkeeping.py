"""Letting go of what stations noticed: events that are over go with the term of states; an alert that is open stays."""

import time
from datetime import datetime

from accounts.models import Operator
from stations.models import MonitorEvent
from stations.services import retention

#: Deleted by one statement, at most.
BATCH = 5000
#: The term of the status history, an operator's shorter one included.
TERM = retention.Kind("stations_monitorevent", "status", "keep_status_days")


def let_go(*, now: datetime, budget_s: float) -> int:
    """Delete in pieces, each a transaction of its own. Idempotent; returns how many. Run without a scope."""
    until, gone = time.monotonic() + budget_s, 0
    for operator in Operator.objects.order_by("pk"):
        before = retention.cutoff(TERM, now=now, operator=operator)
        # Numbered as they were received, so the oldest come first, and with the first that is to stay it is done: a search for old
        # ones among the others would read all that is kept, whenever there are none.
        over = MonitorEvent.objects.filter(operator=operator, open=False).order_by("id").values_list("pk", "received_at")
        while time.monotonic() < until:
            first = list(over[:BATCH])
            pks = [pk for pk, received_at in first if received_at < before]
            MonitorEvent.objects.filter(pk__in=pks).delete()
            gone += len(pks)
            if not pks or len(pks) < len(first):
                break
    return gone
