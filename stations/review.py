"""What of a network's sessions waits for a person, in the scope of the caller; and what may fit together.

Each list is read along an index made for it (`transaction_operator_waiting`, `repairmessage_operator_open`), so its cost does not
grow with the sessions that are fine, or that somebody has looked at.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from stations import problems
from stations.domain.values import DECIDED, Doubt, TransactionStatus
from stations.models import Finding, RepairMessage, Transaction

#: Counted up to this; beyond it there are "more than".
COUNTED = 100
#: How long after a session began a stop may come that is still looked for, and how many are looked at.
FITTING_FOR = timedelta(days=7)
FITTING = 20
CANDIDATES = 5


def waiting() -> QuerySet[Transaction]:
    """Sessions that are doubted and that nobody has decided about."""
    return Transaction.objects.exclude(doubt__in=DECIDED).select_related("station__site", "site", "evse")


def silent(now: datetime) -> QuerySet[Transaction]:
    """Sessions that still run although their plug is free, or of which nothing was heard for hours."""
    return problems.dead(now).select_related("station__site", "site", "evse")


def messages() -> QuerySet[RepairMessage]:
    """Messages about sessions that could not be understood, and were answered all the same."""
    return RepairMessage.objects.filter(resolved_at=None).select_related("station__site")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many wait, up to `COUNTED` of each."""

    sessions: int
    running: int
    messages: int


def counts(now: datetime) -> Counts:
    return Counts(
        waiting().order_by()[:COUNTED].count(), silent(now).order_by()[:COUNTED].count(), messages().order_by()[:COUNTED].count()
    )


def since() -> list[datetime]:
    """Since when sessions and messages have waited, one for each of them up to `COUNTED`; one query."""
    doubted = Transaction.objects.exclude(doubt__in=DECIDED).order_by("-pk").values_list("received_at", flat=True)
    unread = RepairMessage.objects.filter(resolved_at=None).order_by("-pk").values_list("received_at", flat=True)
    return list(doubted[:COUNTED].union(unread[:COUNTED], all=True))


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The sessions before and after one at the same plug."""

    before: Transaction | None
    after: Transaction | None


def neighbours(transaction: Transaction) -> Neighbours:
    # By station and start, which is what there is an index for.
    here = Transaction.objects.filter(station=transaction.station_id).exclude(pk=transaction.pk).select_related("evse")
    if transaction.evse_id is not None:
        here = here.filter(evse=transaction.evse_id)
    return Neighbours(
        here.filter(started_at__lte=transaction.started_at).order_by("-started_at").first(),
        here.filter(started_at__gt=transaction.started_at).order_by("started_at").first(),
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A session without its end and an end without its session. `reasons` say what speaks for it: slugs, the strongest first."""

    session: Transaction
    stop: Transaction
    reasons: tuple[str, ...]
    score: int


#: What speaks for a pair, and how much.
WEIGHTS = {"named": 8, "tag": 4, "plug": 3, "register": 2, "last": 2, "soon": 1}
SOON = timedelta(minutes=30)


def candidates(transaction: Transaction) -> list[Candidate]:
    """What fits: ends for a session that lacks one, or sessions for an end that stands alone; the best first."""
    t = transaction
    at_station = Transaction.objects.filter(station=t.station_id).select_related("station", "evse").exclude(pk=t.pk)
    if t.doubt == Doubt.START_MISSING and t.stopped_at is not None:
        begun = at_station.filter(started_at__lte=t.stopped_at, started_at__gte=t.stopped_at - FITTING_FOR)
        lacking = begun.filter(Q(status=TransactionStatus.ACTIVE) | Q(doubt=Doubt.STOP_MISSING)).order_by("-started_at")
        pairs = [(one, t) for one in lacking[:FITTING]]
    elif t.status == TransactionStatus.ACTIVE or t.doubt == Doubt.STOP_MISSING or t.reconstructed:
        ended = at_station.filter(stopped_at__gte=t.started_at, stopped_at__lte=t.started_at + FITTING_FOR)
        pairs = [(t, one) for one in ended.filter(doubt=Doubt.START_MISSING).order_by("stopped_at")[:FITTING]]
    else:
        return []
    fitting = [one for one in (_fit(session, stop) for session, stop in pairs) if one is not None]
    return sorted(fitting, key=lambda one: -one.score)[:CANDIDATES]


def _fit(session: Transaction, stop: Transaction) -> Candidate | None:
    """None: the registers contradict each other."""
    assert stop.stopped_at is not None
    floor = session.meter_start_wh
    if floor is not None and stop.meter_stop_wh is not None and stop.meter_stop_wh < floor:
        return None
    tag = (stop.stopped_by or stop.id_tag).upper()
    last_wh, last_at = session.meter_last_wh, session.meter_last_at or session.started_at
    holds = {
        "named": stop.ocpp_transaction_id.partition("@")[0] == session.ocpp_transaction_id,
        "tag": bool(tag) and tag == session.id_tag.upper(),
        "plug": stop.evse_id is not None and stop.evse_id == session.evse_id,
        "register": floor is not None and stop.meter_stop_wh is not None,
        "last": last_wh is not None and stop.meter_stop_wh is not None and stop.meter_stop_wh >= last_wh,
        "soon": abs(stop.stopped_at - last_at) <= SOON,
    }
    reasons = tuple(name for name in WEIGHTS if holds[name])
    return Candidate(session, stop, reasons, sum(WEIGHTS[name] for name in reasons))


def for_message(message: RepairMessage) -> list[Transaction]:
    """The sessions that a message which nobody understood may be about: open or without an end at that time, the newest first."""
    begun = Transaction.objects.filter(
        station=message.station_id, started_at__lte=message.received_at, started_at__gte=message.received_at - FITTING_FOR
    )
    lacking = Q(status=TransactionStatus.ACTIVE) | Q(doubt__in=[Doubt.STOP_MISSING, Doubt.EVENTS_MISSING])
    return list(begun.filter(lacking).select_related("station", "evse").order_by("-started_at")[:CANDIDATES])


def findings(transactions: list[Transaction]) -> dict[int, list[Finding]]:
    """What was found about each of these sessions, the newest first; one query."""
    found: dict[int, list[Finding]] = {}
    for finding in Finding.objects.filter(transaction__in=[one.pk for one in transactions]).order_by("-last_at")[: 20 * COUNTED]:
        assert finding.transaction_id is not None
        found.setdefault(finding.transaction_id, []).append(finding)
    return found
