"""Reads prices."""

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import F, QuerySet, Sum
from django.utils import timezone
from django_scopes import scopes_disabled

from billing import choosing, drafts
from billing.displayed import Displayed
from billing.models import ChargeRecord, RecordKind
from stations import cases, courses, ports
from stations.domain.values import TransactionStatus
from stations.models import Transaction


def running_cost(transactions: Iterable[Transaction]) -> dict[int, tuple[Decimal, str]]:
    """What each running transaction has cost until now, with tax, and the currency. None for those without a tariff.

    Two queries, however many transactions: where and who they are, and whether prices have changed (then three more). If there
    are some with a price that depends on when energy flowed, one more for the course of all of those, by quarters of an hour (by
    readings, if on how fast it flowed); and two for the prices of a market that drives some, once a day or when they have changed.
    """
    running = {transaction.pk: transaction for transaction in transactions if transaction.status == TransactionStatus.ACTIVE}
    if not running:
        return {}
    # The caller was allowed to see the transactions; they may belong to several operators (a superuser's page).
    with scopes_disabled():
        found = list(Transaction.objects.filter(pk__in=running).select_related("station__site", "site", "evse", "id_token"))
    book = choosing.Book({transaction.operator_id for transaction in found})
    now = timezone.now()
    chosen = {one.pk: version for one in found if (version := book.choose(choosing.case_of(one))) is not None}
    priced = {one: book.made(chosen[one.pk], Displayed) for one in found if one.pk in chosen}
    points = _courses({one: price for one, price in priced.items() if price.needs_course}, now)
    costs = {}
    for one, price in priced.items():
        read, first = running[one.pk], one.meter_start_wh
        course = [(at, register - first, current) for at, register, current in points.get(one.pk, ())] if first is not None else []
        known = ports.SoFar(
            read.started_at,
            now,
            read.energy_wh or Decimal(0),
            cases.time_zone_of(one),
            course,
            charging_ended_at=read.charging_ended_at,
            reserved_at=read.reserved_at,
        )
        if (total := price.cost(known)) is not None:
            costs[one.pk] = (total, price.currency)
    return costs


def _courses(found: Mapping[Transaction, Displayed], now: datetime) -> dict[int, list[courses.Point]]:
    """How the energy of running transactions rose, with the last reading."""
    if not found:
        return {}
    asked = [
        courses.Running(one.pk, one.station_id, one.evse.number if one.evse else None, one.started_at, price.by_power)
        for one, price in found.items()
    ]
    with connection.cursor() as cursor:
        points = courses.running(cursor, asked, now=now)
    for one in found:
        if (last := one.meter_last_at) is not None and one.meter_last_wh is not None:
            current_a = next((point[2] for point in points[one.pk] if point[0] == last and point[2] is not None), None)
            points[one.pk] = [point for point in points[one.pk] if point[0] < last]
            points[one.pk].append((last, one.meter_last_wh, current_a))
    return points


def valid() -> QuerySet[ChargeRecord]:
    """The records that count: charges that no credit takes back."""
    return ChargeRecord.objects.filter(kind=RecordKind.CHARGE, credited_by=None)


def billed_since(start: datetime) -> list[tuple[str, Decimal]]:
    """What the sessions that started since then have been billed, with tax, by currency. Empty: none has its price yet."""
    # The transaction's operator too: with it the index tells which started since then.
    found = valid().filter(transaction__started_at__gte=start, transaction__operator=F("operator"))
    return list(found.order_by("currency").values_list("currency").annotate(total=Sum("total_incl_tax")))


def billed(transaction_id: int) -> bool:
    """Whether a transaction has a charge record that counts."""
    return valid().filter(transaction=transaction_id).exists()


def would_cost(transaction: Transaction, *, energy_wh: Decimal, started_at: datetime, stopped_at: datetime) -> tuple[Decimal, str]:
    """What a transaction would cost, with tax, if this were its energy and its time; and the currency.

    Raises one of drafts.EXPECTED. If it was billed, by the version that it had.
    """
    book = choosing.Book([transaction.operator_id])
    record = valid().filter(transaction=transaction).select_related("version__tariff").first()
    changed = copy(transaction)
    changed.energy_wh, changed.started_at, changed.stopped_at = energy_wh, started_at, stopped_at
    chosen = (drafts.as_before(record) if record else None) or book.choose(choosing.case_of(changed))
    priced = drafts.would_be(changed, chosen, book)
    return (priced.total_excl_tax if priced.total_incl_tax is None else priced.total_incl_tax), priced.currency
