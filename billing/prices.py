"""Prices as drivers read them: tax included, in one sentence, energy first."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.utils import timezone

from accounts import drivers
from accounts.models import Operator, User
from billing import choosing, sentences, simple, tariff
from billing.models import ChargeRecord, RecordKind
from stations import ports
from stations.models import Transaction


@dataclass(frozen=True, slots=True)
class Price:
    """What charging costs, with tax. The single prices are those that hold where no other does; None: there is none of the kind."""

    currency: str
    per_kwh: Decimal | None
    per_minute: Decimal | None
    per_session: Decimal | None
    tax_percent: Decimal | None
    sentence: str


def price_of(applied: tariff.Tariff) -> Price:
    """A tariff as drivers read it, in their language."""
    found = simple.always(applied)

    def taxed(kind: tariff.Dimension, units: int = 1) -> Decimal | None:
        """Each with its own tax: that of energy may be another than that of time."""
        if (one := found.get(kind)) is None:
            return None
        return (one.price * (100 + (one.vat or 0)) / 100 / units).quantize(sentences.PLACES, ROUND_HALF_UP)

    return Price(
        currency=applied.currency,
        per_kwh=taxed(tariff.Dimension.ENERGY),
        per_minute=taxed(tariff.Dimension.TIME, simple.MINUTES),
        per_session=taxed(tariff.Dimension.FLAT),
        tax_percent=simple.base(applied).tax_percent,
        sentence=sentences.sentence(applied),
    )


class Prices:
    """What charging costs at the places of a network, for one driver, who starts by app or web, or for who has no contract: two
    queries for all of them."""

    def __init__(self, operator: Operator, driver: User | None = None) -> None:
        self.operator, self.driver = operator, driver
        self._book = choosing.Book([operator.pk])
        token = drivers.token_of(driver) if driver is not None else None
        self._group = token.group_id if token else None
        self._known: dict[int, Price] = {}

    def at(self, *, site: int | None = None, station: int = 0, evse: int | None = None) -> Price | None:
        """Now. None: its operator has not said yet."""
        chosen = self._book.choose(
            choosing.Case(
                operator=self.operator.pk,
                site=site,
                station=station,
                evse=evse,
                at=timezone.now(),
                group=self._group,
                driver=self.driver is not None,
                known=self.driver is not None,
            )
        )
        if chosen is None:
            return None
        pk = chosen.version.pk
        if pk not in self._known:
            self._known[pk] = price_of(self._book.read(chosen))
        return self._known[pk]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a session costs, with tax; nothing if it was credited in full.

    `record`: its newest charge record, once it has one; until then it is the cost so far.
    """

    amount: Decimal
    currency: str
    record: ChargeRecord | None = None


def costs(transactions: Iterable[Transaction]) -> dict[int, Cost]:
    """What sessions cost, by their primary key; none where it is not known. Three queries, however many."""
    found = list(transactions)
    prices = {pk: Cost(amount, currency) for pk, (amount, currency) in ports.running_cost(found).items()}
    records = ChargeRecord.objects.filter(transaction__in=[one.pk for one in found]).order_by("revision")
    return prices | {record.transaction_id: _cost(record) for record in records}


def _cost(newest: ChargeRecord) -> Cost:
    amount = newest.total_incl_tax if newest.kind == RecordKind.CHARGE else Decimal(0)
    return Cost(amount, newest.currency, newest)
