"""A driver's sessions as their pages show them: one, those that run, and a month of them with its totals."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet
from django.utils import timezone

from billing import prices
from billing.models import ChargeRecord
from billing.prices import Cost
from stations import selectors
from stations.cases import time_zone_of
from stations.domain.values import Doubt, TransactionStatus
from stations.models import Transaction

#: The price comes a moment after the end: so long the pages look for it.
PRICING = timedelta(minutes=2)
#: Of a month no more are shown. The file has all.
MOST = 500


@dataclass(frozen=True, slots=True)
class Session:
    """`cost`: what it has cost so far, or once there is a bill, its sum; None: not known."""

    transaction: Transaction
    cost: Cost | None = None

    @property
    def record(self) -> ChargeRecord | None:
        return self.cost.record if self.cost else None

    @property
    def running(self) -> bool:
        return self.transaction.status == TransactionStatus.ACTIVE

    @property
    def fresh(self) -> bool:
        """Whether the last reading says anything about now."""
        read_at = self.transaction.meter_last_at
        return self.running and read_at is not None and read_at > timezone.now() - selectors.READING_HOLDS

    @property
    def power_w(self) -> Decimal | None:
        return self.transaction.power_w if self.fresh else None

    @property
    def plug(self) -> int | None:
        return self.transaction.evse.number if self.transaction.evse else None

    @property
    def zone(self) -> str:
        """Where the charger stands, its time is told."""
        return time_zone_of(self.transaction)

    @property
    def priced_soon(self) -> bool:
        """It has ended just now, so that its price is still to come."""
        ended = self.transaction.stopped_at
        in_doubt = self.transaction.doubt != Doubt.NONE
        return not self.running and not in_doubt and self.record is None and bool(ended and timezone.now() - ended < PRICING)


def priced(transactions: Iterable[Transaction]) -> list[Session]:
    """With what they cost, in the scope of their operator: three queries, however many."""
    found = list(transactions)
    costs = prices.costs(found)
    return [Session(one, costs.get(one.pk)) for one in found]


@dataclass(frozen=True, slots=True)
class Month:
    """`before` and `after` are the nearest months in which there is something. `costs`: by currency, of those that are billed."""

    first: date
    sessions: list[Session]
    before: date | None
    after: date | None
    more: bool

    @property
    def energy_wh(self) -> Decimal | None:
        known = [one.transaction.energy_wh for one in self.sessions if one.transaction.energy_wh is not None]
        return sum(known, Decimal(0)) if known else None

    @property
    def costs(self) -> list[tuple[Decimal, str]]:
        sums: dict[str, Decimal] = {}
        for one in self.sessions:
            if one.record and one.cost:
                sums[one.cost.currency] = sums.get(one.cost.currency, Decimal(0)) + one.cost.amount
        return [(sums[currency], currency) for currency in sorted(sums)]

    @property
    def unbilled(self) -> int:
        return sum(one.record is None for one in self.sessions)


def month_of(history: QuerySet[Transaction], asked: date | None) -> Month | None:
    """The month that was asked for, else the newest in which there is something. None: there is nothing at all."""
    if asked is None:
        newest = history.order_by("-started_at").values_list("started_at", flat=True).first()
        if newest is None:
            return None
        asked = _first_of(newest)
    start, end = _begin(asked), _begin(_next(asked))
    found = history.filter(started_at__gte=start, started_at__lt=end).order_by("-started_at", "-pk")
    shown = list(found[: MOST + 1])
    older = history.filter(started_at__lt=start).order_by("-started_at").values_list("started_at", flat=True).first()
    newer = history.filter(started_at__gte=end).order_by("started_at").values_list("started_at", flat=True).first()
    if not shown and older is None and newer is None:
        return None
    return Month(
        first=asked,
        sessions=priced(shown[:MOST]),
        before=_first_of(older) if older else None,
        after=_first_of(newer) if newer else None,
        more=len(shown) > MOST,
    )


def month_named(text: str) -> date | None:
    """`2026-11` of an address; None if it is no month."""
    try:
        named = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007  (a month of the calendar, of no zone)
    except ValueError:
        return None
    return named if 2000 <= named.year < 2200 else None


def _first_of(moment: datetime) -> date:
    return timezone.localtime(moment).date().replace(day=1)


def _next(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _begin(first: date) -> datetime:
    return timezone.make_aware(datetime(first.year, first.month, 1))  # noqa: DTZ001  (made aware here)
