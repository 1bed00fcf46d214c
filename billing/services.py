"""Tariffs and charge records: the rules."""

from decimal import Decimal
from functools import partial

import structlog
from django.core.exceptions import ValidationError
from django.db import connection
from django.db import transaction as db
from django.utils import timezone
from django_scopes import scope

from accounts import audit
from accounts.models import Operator
from billing import money, selectors, sessions, tariff
from billing.models import ChargeRecord, Tariff
from stations import outbox, ports
from stations.domain.values import Doubt, TransactionStatus
from stations.models import Transaction

#: What the audit tells of a tariff.
TOLD = ("name", "currency", "price_per_kwh", "price_per_minute", "price_per_session", "tax_percent")
#: Who we are in the outbox.
SUBSCRIBER = "billing"
#: Told when a charge record is made.
RECORD_TOPIC = "charge_record.made"

log = structlog.get_logger(__name__)


class NoTariff(outbox.NotYet):
    """The operator has not said yet what charging costs."""


def add_tariff(
    *,
    operator: Operator,
    name: str,
    currency: str = "EUR",
    price_per_kwh: Decimal = Decimal(0),
    price_per_minute: Decimal = Decimal(0),
    price_per_session: Decimal = Decimal(0),
    tax_percent: Decimal = Decimal(0),
    is_default: bool = False,
) -> Tariff:
    """Add a tariff; with `is_default`, it applies from now on. Prices are without tax. Raises ValidationError."""
    added = Tariff(
        operator=operator,
        name=name,
        currency=currency,
        price_per_kwh=price_per_kwh,
        price_per_minute=price_per_minute,
        price_per_session=price_per_session,
        tax_percent=tax_percent,
    )
    with scope(operator=operator), db.atomic():
        added.full_clean()
        _check_currency(currency)
        added.save()
        audit.record("tariff.added", added, operator=operator, after=audit.fields_of(added, *TOLD))
        if is_default:
            set_default_tariff(tariff=added)
    return added


def _check_currency(currency: str) -> None:
    try:
        decimals = money.minor_units(currency)
    except ValueError as error:
        raise ValidationError({"currency": str(error)}) from error
    if decimals > 2:
        raise ValidationError({"currency": f"Totals are kept with two decimals, and {currency} needs {decimals}: use another."})


def set_default_tariff(*, tariff: Tariff) -> None:
    """Make this the tariff of all the operator's transactions, and bill those that waited for one."""
    with scope(operator=tariff.operator), db.atomic():
        # One change of an operator's default at a time: two at once would both want to be the only one.
        Operator.objects.select_for_update(no_key=True).get(pk=tariff.operator_id)
        others = Tariff.objects.filter(is_default=True).exclude(pk=tariff.pk)
        before = ", ".join(others.values_list("name", flat=True))
        others.update(is_default=False)
        if Tariff.objects.filter(pk=tariff.pk, is_default=False).update(is_default=True):
            was, now = {"default": before or None}, {"default": tariff.name}
            audit.record("tariff.made_default", tariff, operator=tariff.operator_id, before=was, after=now)
        outbox.wake(SUBSCRIBER, operator_id=tariff.operator_id)
        db.on_commit(lambda: ports.bell.work(SUBSCRIBER))
    tariff.is_default = True


def make_charge_record(*, transaction_id: int) -> bool:
    """Make the first charge record of an ended transaction of the operator in scope, unless it exists.

    False if the transaction is not to be billed: it is gone, has not ended, or its energy cannot be trusted (the energy is
    kept; whoever resolves the doubt writes the outbox again). Raises NoTariff.
    """
    ended = Transaction.objects.select_related("station__site").filter(pk=transaction_id).first()
    if ended is None:
        log.warning("no charge record", transaction=transaction_id, reason="the transaction is gone")
        return False
    if ended.status != TransactionStatus.ENDED or ended.stopped_at is None:
        log.warning("no charge record", transaction=transaction_id, reason="the transaction has not ended")
        return False
    if ended.doubt != Doubt.NONE or ended.energy_wh is None or ended.energy_wh < 0:
        reason = ended.doubt or "energy unknown"
        log.info("no charge record", transaction=transaction_id, reason=reason)
        return False
    applied = selectors.default_tariff()
    if applied is None:
        raise NoTariff("No tariff: the operator has no default tariff. Add one, or make one the default.")
    known = ChargeRecord.objects.filter(transaction=ended, revision=1)
    if known.exists():
        return True
    now = timezone.now()
    snapshot = selectors.as_ocpi(applied)
    session = sessions.ended(ended, energy_wh=ended.energy_wh, end=ended.stopped_at)
    priced = tariff.price(tariff.parse(snapshot), session)
    record = ChargeRecord(
        operator_id=ended.operator_id,
        transaction=ended,
        tariff=applied,
        tariff_snapshot=snapshot,
        currency=priced.currency,
        energy_wh=ended.energy_wh,
        duration_s=int((session.end - session.start).total_seconds()),
        lines=[
            {
                "dimension": line.dimension.value,
                "volume": f"{line.volume:f}",
                "unit": line.unit,
                "price": f"{line.price:f}",
                "cost_excl_tax": f"{line.cost_excl_tax:f}",
            }
            for line in priced.lines
        ],
        total_excl_tax=priced.total_excl_tax,
        total_incl_tax=priced.total_excl_tax if priced.total_incl_tax is None else priced.total_incl_tax,
    )
    # Exactly once: the unique key (transaction, revision) decides, however many workers come here with the same transaction.
    ChargeRecord.objects.bulk_create([record], ignore_conflicts=True)
    with connection.cursor() as cursor:
        made = [(ended.operator_id, pk, None) for pk in known.values_list("pk", flat=True)]
        for subscriber in outbox.tell(cursor, RECORD_TOPIC, made, now=now):
            db.on_commit(partial(ports.bell.work, subscriber))
    return True
