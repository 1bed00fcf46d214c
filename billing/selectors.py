"""Reads prices."""

from collections.abc import Iterable
from copy import copy
from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, F, OuterRef, Sum
from django.utils import timezone
from django_scopes import scopes_disabled

from billing import choosing, sessions, tariff
from billing.models import ChargeRecord
from stations.domain.values import TransactionStatus
from stations.models import Transaction


def running_cost(transactions: Iterable[Transaction]) -> dict[int, tuple[Decimal, str]]:
    """What each running transaction has cost until now, with tax, and the currency. None for those without a tariff.

    Four queries, however many transactions: the tariffs, and where and who they are; two more for the prices of a market.
    """
    running = [transaction for transaction in transactions if transaction.status == TransactionStatus.ACTIVE]
    if not running:
        return {}
    # The caller was allowed to see the transactions; they may belong to several operators (a superuser's page).
    with scopes_disabled():
        found = Transaction.objects.filter(pk__in=[one.pk for one in running]).select_related("station__site", "id_token")
        known = {one.pk: one for one in found}
    book = choosing.Book({transaction.operator_id for transaction in running})
    now = timezone.now()
    since = min(transaction.started_at for transaction in running)
    costs = {}
    for transaction in running:
        place = known.get(transaction.pk)
        chosen = book.choose(choosing.case_of(place)) if place else None
        if place is None or chosen is None:
            continue
        session = sessions.running(transaction, now=now, time_zone=sessions.time_zone(place))
        try:
            priced = tariff.price(book.joined(chosen, since, now), session)
        except tariff.NoPrice:
            continue  # it has a price once the market's is known
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
    """What a transaction would cost, with tax, if this were its energy and its time; and the currency. None: nobody can say yet."""
    book = choosing.Book([transaction.operator_id])
    chosen = book.choose(choosing.case_of(transaction))
    if chosen is None:
        return None
    changed = copy(transaction)
    changed.started_at = started_at
    session = sessions.ended(changed, energy_wh=energy_wh, end=stopped_at)
    try:
        priced = tariff.price(book.joined(chosen, session.start, session.end), session)
    except tariff.NoPrice:
        return None
    return (priced.total_excl_tax if priced.total_incl_tax is None else priced.total_incl_tax), priced.currency
