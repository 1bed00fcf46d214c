"""How forwards do, for pages, the API and the wall: by queries whose cost does not depend on how much is forwarded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from csms.forwarding import feed
from csms.forwarding.feed import Place
from csms.forwarding.models import Forward, ForwardLink, LinkState

#: Without a sign of life for so long, nobody forwards; what fails for so long needs a person.
SILENT, BROKEN = timedelta(seconds=60), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Tally:
    """All links of one forward, counted."""

    links: int = 0
    connected: int = 0
    failing: int = 0
    failing_since: datetime | None = None
    forwarded_at: datetime | None = None
    sent: int = 0
    refused: int = 0
    dropped: int = 0
    unmatched: int = 0
    asked: int = 0


def tallies(forwards: Sequence[Forward]) -> dict[int, Tally]:
    """One query for all."""
    counted: Any = (
        ForwardLink.objects.filter(forward__in=forwards)
        .order_by()
        .values("forward_id")
        .annotate(
            links=Count("pk"),
            connected=Count("pk", filter=Q(state=LinkState.CONNECTED)),
            failing=Count("pk", filter=Q(failing_since__isnull=False)),
            since=Min("failing_since"),
            last=Max("forwarded_at"),
            **{f"all_{name}": Sum(name) for name in ("sent", "refused", "dropped", "unmatched", "asked")},
        )
    )
    return {
        row["forward_id"]: Tally(
            row["links"], row["connected"], row["failing"], row["since"], row["last"],
            *(row[f"all_{name}"] for name in ("sent", "refused", "dropped", "unmatched", "asked")),
        )
        for row in counted
    }  # fmt: skip


def is_served(forward: Forward, now: datetime) -> bool:
    """Whether a process forwards."""
    return forward.served_at is not None and now - forward.served_at < SILENT


def links(forward: Forward, state: str = "") -> QuerySet[ForwardLink]:
    """Its stations, by key; those that fail, or are in a state, alone."""
    found = ForwardLink.objects.filter(forward=forward).select_related("station").order_by("pk")
    if state == LinkState.FAILING:
        return found.filter(failing_since__isnull=False)
    return found.filter(state=state) if state else found


def waiting_since(links: Sequence[ForwardLink]) -> dict[int, datetime]:
    """When the oldest message came that was not looked at yet, by link; one query for all."""
    places = [Place(one.pk, one.station_id, one.read_from, one.position) for one in links]
    return {pk: rows[0].received_at for pk, rows in feed.read(places, rows=1).items()} if places else {}


def broken(now: datetime | None = None) -> QuerySet[Forward]:
    """Those that need a person: on, and for long not mirrored by anybody, or not for one of their stations.

    `failing` is since when the first of these fails.
    """
    now = now or timezone.now()
    failing = ForwardLink.objects.filter(forward=OuterRef("pk"), failing_since__lt=now - BROKEN)
    unserved = Q(served_at__lt=now - BROKEN) | Q(served_at__isnull=True, created_at__lt=now - BROKEN)
    first = failing.order_by("failing_since").values("failing_since")[:1]
    return Forward.objects.filter(active=True).filter(unserved | Exists(failing)).annotate(failing=Subquery(first)).order_by("pk")
