"""Reads charge records as a book: what was made in a time and what it sums to, what waits and why, and what is complete."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Case, CharField, Count, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.utils import timezone

from billing.models import ChargeRecord, RecordKind
from billing.services import SUBSCRIBER
from stations.domain.values import Doubt, TransactionStatus
from stations.models import OutboxEntry, Transaction
from stations.services.afterwards import ENDED_TOPIC

#: No more than so much is looked at at once, so that what it costs does not grow with the years.
LONGEST = timedelta(days=366)
#: No job's transaction is open for longer: what was made before a moment is there to be seen so long after it.
SETTLED = timedelta(minutes=15)
FAILURES = 50
#: Entries that are looked at to tell what waits.
LOOKED_AT = 200
#: A market makes a price known so late at most, and a worker has acted on what is due.
PRICE_MAY_TAKE, BEHIND = timedelta(hours=2), timedelta(minutes=15)
#: What an entry that waits says of itself, by the beginning of its text.
NO_TARIFF, NO_PRICE = "No tariff", "The price series"


def records() -> QuerySet[ChargeRecord]:
    """With what a list shows of them, the newest first."""
    related = ("transaction__station__site", "transaction__site", "transaction__evse", "tariff", "version", "credited_by")
    return ChargeRecord.objects.select_related(*related).order_by("-created_at", "-id")


def lean(found: QuerySet[ChargeRecord]) -> QuerySet[ChargeRecord]:
    """The same for a file of many: without what is long and not told there."""
    related = ("transaction__station__site", "transaction__site", "transaction__evse", "tariff", "version")
    long = ("tariff_snapshot", "choice", "market", "lines", "findings", "version__ocpi")
    return found.select_related(None).select_related(*related).defer(*long)


def after(found: QuerySet[ChargeRecord], created_at: datetime, pk: int) -> QuerySet[ChargeRecord]:
    """Those that stand below this one in the list."""
    # The first condition, which follows from the second, is what the index is searched by.
    return found.filter(Q(created_at__lte=created_at) & (Q(created_at__lt=created_at) | Q(pk__lt=pk)))


@dataclass(frozen=True, slots=True)
class Total:
    """What records sum to in one currency; credits are negative."""

    currency: str
    charges: int
    credits: int
    energy_wh: Decimal
    net: Decimal
    gross: Decimal

    @property
    def tax(self) -> Decimal:
        return self.gross - self.net


def totals(found: QuerySet[ChargeRecord]) -> list[Total]:
    """One query."""
    rows = found.order_by("currency").values("currency")
    rows = rows.annotate(
        charges=Count("pk", filter=Q(kind=RecordKind.CHARGE)),
        taken_back=Count("pk", filter=Q(kind=RecordKind.CREDIT)),
        wh=Sum("energy_wh"),
        net=Sum("total_excl_tax"),
        gross=Sum("total_incl_tax"),
    )
    return [Total(row["currency"], row["charges"], row["taken_back"], row["wh"], row["net"], row["gross"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Failure:
    """A session that could not be priced, and why."""

    transaction: Transaction | None
    pk: int
    error: str
    attempts: int
    due_at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """Sessions that ended and have no record. `next_up`: their turn is to come; `failures`: the first of those that were tried."""

    next_up: int = 0
    no_tariff: int = 0
    no_price: int = 0
    failed: int = 0
    since: datetime | None = None
    failures: list[Failure] = field(default_factory=list)

    @property
    def tried(self) -> int:
        return self.no_tariff + self.no_price + self.failed


def waiting() -> Waiting:
    """What billing has yet to act on: three queries, on a table that is empty when all is well."""
    entries = _ended()
    why = Case(
        When(attempts=0, then=Value("next_up")),
        When(error__startswith=NO_TARIFF, then=Value("no_tariff")),
        When(error__startswith=NO_PRICE, then=Value("no_price")),
        default=Value("failed"),
        output_field=CharField(),
    )
    counted = entries.order_by().values_list(why).annotate(n=Count("pk"), since=Min("created_at"))
    counts = {name: (n, since) for name, n, since in counted}
    tried = list(entries.filter(attempts__gt=0).order_by("created_at", "pk")[:FAILURES]) if counts.keys() - {"next_up"} else []
    known = {one.pk: one for one in Transaction.objects.select_related("station__site").filter(pk__in=[e.object_id for e in tried])}
    return Waiting(
        **{name: n for name, (n, _since) in counts.items()},
        since=min((since for _n, since in counts.values()), default=None),
        failures=_failures(tried, known),
    )


def _failures(entries: list[OutboxEntry], known: dict[int, Transaction]) -> list[Failure]:
    return [Failure(known.get(e.object_id), e.object_id, e.error, e.attempts, e.due_at, e.created_at) for e in entries]


def _ended() -> QuerySet[OutboxEntry]:
    return OutboxEntry.objects.filter(subscriber=SUBSCRIBER, topic=ENDED_TOPIC)


def tried() -> dict[str, list[OutboxEntry]]:
    """Sessions that could not be priced, the newest first as far as looked at: by NO_TARIFF, NO_PRICE, or "" for all else."""
    found: dict[str, list[OutboxEntry]] = {}
    for entry in _ended().filter(attempts__gt=0).order_by("-pk")[:LOOKED_AT]:
        why = next((one for one in (NO_TARIFF, NO_PRICE) if entry.error.startswith(one)), "")
        found.setdefault(why, []).append(entry)
    return found


def failures(entries: list[OutboxEntry]) -> list[Failure]:
    """With their sessions: one query."""
    return _failures(entries, Transaction.objects.select_related("station").in_bulk([one.object_id for one in entries]))


def behind(now: datetime) -> datetime | None:
    """Since when a session waits that nobody has tried to price, if that is long. Any of them will do."""
    found = _ended().filter(attempts=0, due_at__lt=now - BEHIND).order_by().values_list("created_at", flat=True)[:1]
    return next(iter(found), None)


@dataclass(frozen=True, slots=True)
class Missing:
    """Sessions that ended in a time and have no record. `doubt` empty: it is priced in a moment, or its energy is not known."""

    doubt: str
    unknown: bool
    sessions: int


@dataclass(frozen=True, slots=True)
class Closing:
    """Whether a time is closed. `complete_until`: all sessions that ended before it have their records.

    `final`: no record can come into it any more, so that its export is the same whenever it is made.
    """

    since: datetime
    until: datetime
    ended: int
    complete_until: datetime
    missing: list[Missing]
    written_off: int
    final: bool

    @property
    def open(self) -> int:
        return sum(one.sessions for one in self.missing)


def closing(since: datetime, until: datetime) -> Closing:
    """How far the sessions that ended in a time are billed: one query, by the index of their ends."""
    now = timezone.now()
    ended = Transaction.objects.filter(status=TransactionStatus.ENDED, stopped_at__gte=since, stopped_at__lt=until)
    # A value, not EXISTS: that would be looked up in all records that there are, and theirs grow with the years. It stands in the
    # index, and a session's records are of its operator.
    of_it = ChargeRecord._base_manager.order_by().filter(transaction=OuterRef("pk"))
    ended = ended.alias(record=Subquery(of_it.values("revision")[:1]))
    recorded = Case(When(record=None, then=Value(False)), default=Value(True))
    unknown = Case(When(energy_wh=None, then=Value(True)), default=Value(False))
    rows = ended.order_by().values_list("doubt", unknown, recorded).annotate(n=Count("pk"), first=Min("stopped_at"))
    missing, first_open, written_off, count = [], [], 0, 0
    for doubt, is_unknown, is_recorded, n, first in rows:
        count += n
        if doubt == Doubt.SET_ASIDE:
            written_off += n
        elif not is_recorded:
            missing.append(Missing(doubt, is_unknown, n))
            first_open.append(first)
    complete = min([*first_open, until, now])
    missing.sort(key=lambda one: -one.sessions)
    return Closing(since, until, count, complete, missing, written_off, final=until + SETTLED < now)


def chain(record: ChargeRecord) -> Sequence[ChargeRecord]:
    """All records of the same transaction, oldest first."""
    found = ChargeRecord.objects.filter(transaction=record.transaction_id)
    return list(found.select_related("tariff", "version", "credited_by").order_by("revision"))
