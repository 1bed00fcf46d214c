"""Reads prices."""

from collections.abc import Iterable
from copy import copy
from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, F, OuterRef, Sum
from django.utils import timezone
from django_scopes import scopes_disabled

from billing import sessions, tariff
from billing.models import ChargeRecord, Tariff
from stations.domain.values import TransactionStatus
from stations.models import Station, Transaction


def as_ocpi(price: Tariff) -> dict[str, object]:
    """The tariff as an OCPI 2.2.1 Tariff object, ready for JSON; without country_code and party_id, which a roaming party has.

    Numbers are JSON numbers, as OCPI has them: those of at most 15 digits, as ours are, survive as floats.
    """
    prices = {
        "FLAT": price.price_per_session,
        "ENERGY": price.price_per_kwh,
        "TIME": 60 * price.price_per_minute,
    }
    charged = {kind: amount for kind, amount in prices.items() if amount} or {"FLAT": Decimal(0)}
    components = [
        {"type": kind, "price": float(amount), "vat": float(price.tax_percent), "step_size": 1} for kind, amount in charged.items()
    ]
    return {
        "id": str(price.pk),
        "currency": price.currency,
        "elements": [{"price_components": components}],
        "last_updated": price.created_at.isoformat(),
    }


def default_tariff() -> Tariff | None:
    """The tariff that applies to every transaction of the operator in scope."""
    return Tariff.objects.filter(is_default=True).first()


def running_cost(transactions: Iterable[Transaction]) -> dict[int, tuple[Decimal, str]]:
    """What each running transaction has cost until now, with tax, and the currency. None for operators without a default tariff.

    Two queries, however many transactions: the tariffs, and the sites' time zones.
    """
    running = [transaction for transaction in transactions if transaction.status == TransactionStatus.ACTIVE]
    if not running:
        return {}
    # The caller was allowed to see the transactions; their prices may belong to several operators (a superuser's page).
    with scopes_disabled():
        defaults = Tariff.objects.filter(is_default=True, operator_id__in={transaction.operator_id for transaction in running})
        tariffs = {price.operator_id: tariff.parse(as_ocpi(price)) for price in defaults}
        zones = dict(
            Station.objects.filter(pk__in={transaction.station_id for transaction in running}, site__isnull=False).values_list(
                "pk", "site__time_zone"
            )
        )
    now = timezone.now()
    costs = {}
    for transaction in running:
        if transaction.operator_id in tariffs:
            session = sessions.running(transaction, now=now, time_zone=zones.get(transaction.station_id, "UTC"))
            priced = tariff.price(tariffs[transaction.operator_id], session)
            total = priced.total_excl_tax if priced.total_incl_tax is None else priced.total_incl_tax
            costs[transaction.pk] = (total, priced.currency)
    return costs


def billed_since(start: datetime) -> list[tuple[str, Decimal]]:
    """What the sessions that started since then have been billed, with tax, by currency. Empty: none has its price yet."""
    newer = ChargeRecord.objects.filter(transaction=OuterRef("transaction"), revision__gt=OuterRef("revision"))
    # The transaction's operator too: with it the index tells which started since then.
    found = ChargeRecord.objects.filter(~Exists(newer), transaction__started_at__gte=start, transaction__operator=F("operator"))
    return list(found.order_by("currency").values_list("currency").annotate(total=Sum("total_incl_tax")))


def billed(transaction_id: int) -> bool:
    """Whether a transaction has a charge record."""
    return ChargeRecord.objects.filter(transaction=transaction_id).exists()


def would_cost(
    transaction: Transaction, *, energy_wh: Decimal, started_at: datetime, stopped_at: datetime
) -> tuple[Decimal, str] | None:
    """What a transaction would cost, with tax, if this were its energy and its time; and the currency. None: there is no tariff."""
    applied = default_tariff()
    if applied is None:
        return None
    changed = copy(transaction)
    changed.started_at = started_at
    priced = tariff.price(tariff.parse(as_ocpi(applied)), sessions.ended(changed, energy_wh=energy_wh, end=stopped_at))
    return (priced.total_excl_tax if priced.total_incl_tax is None else priced.total_incl_tax), priced.currency
