"""Prices as drivers read them: tax included, in one sentence, energy first."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.formats import number_format
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django_scopes import scope

from accounts.models import Operator, User
from billing import money, selectors
from billing.models import ChargeRecord, Tariff
from stations import charging, ports
from stations.models import Transaction


@dataclass(frozen=True, slots=True)
class Price:
    """What charging costs, with tax."""

    currency: str
    per_kwh: Decimal
    per_minute: Decimal
    per_session: Decimal
    tax_percent: Decimal

    @property
    def sentence(self) -> str:
        """Per kWh first, then per minute, then the rest (AFIR article 5)."""
        parts = [
            words % {"price": self._written(price)}
            for price, words in (
                (self.per_kwh, _("%(price)s per kWh")),
                (self.per_minute, _("%(price)s per minute")),
                (self.per_session, _("%(price)s per session")),
            )
            if price
        ]
        if not parts:
            return _("Charging here is free.")
        return _("%(prices)s, tax included.") % {"prices": get_text_list(parts, _("and"))}

    def _written(self, price: Decimal) -> str:
        """With as many decimals as say something, but not fewer than the currency has."""
        decimals = max(money.minor_units(self.currency), -int(price.normalize().as_tuple().exponent))
        return f"{number_format(price, decimals, use_l10n=True)}\u202f{self.currency}"


def price_at(operator: Operator) -> Price | None:
    """What charging costs in a network. None: its operator has not said yet."""
    with scope(operator=operator):
        tariff = selectors.default_tariff()
    return None if tariff is None else price_of(tariff)


def price_of(tariff: Tariff) -> Price:
    """What charging costs by a tariff."""

    def taxed(price: Decimal) -> Decimal:
        return (price * (100 + tariff.tax_percent) / 100).quantize(Decimal("0.0001"), ROUND_HALF_UP)

    return Price(
        *(tariff.currency, taxed(tariff.price_per_kwh), taxed(tariff.price_per_minute), taxed(tariff.price_per_session)),
        tax_percent=tariff.tax_percent,
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """What a session costs, with tax. `record`: its charge record, once it has one; until then it is the cost so far."""

    amount: Decimal
    currency: str
    record: ChargeRecord | None = None


def costs(transactions: Iterable[Transaction]) -> dict[int, Cost]:
    """What sessions cost, by their primary key; none where it is not known. Three queries, however many."""
    found = list(transactions)
    prices = {pk: Cost(amount, currency) for pk, (amount, currency) in ports.running_cost(found).items()}
    records = ChargeRecord.objects.filter(transaction__in=[one.pk for one in found]).order_by("revision")
    return prices | {record.transaction_id: Cost(record.total_incl_tax, record.currency, record) for record in records}


def receipts(driver: User) -> QuerySet[ChargeRecord]:
    """What the driver's sessions cost: of each the newest record, which takes the place of those before."""
    with scope(operator=driver.operator_id or []):
        newer = ChargeRecord.objects.filter(transaction=OuterRef("transaction"), revision__gt=OuterRef("revision"))
        found = ChargeRecord.objects.filter(~Exists(newer), transaction__in=charging.history(driver).order_by().values("pk"))
        return found.select_related("operator", "transaction__station__site", "transaction__evse").order_by("-id")
