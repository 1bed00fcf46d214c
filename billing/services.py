"""Charge records: the rules."""

from functools import partial

import structlog
from django.db import connection
from django.db import transaction as db
from django.utils import timezone

from billing import choosing, sessions, tariff
from billing.models import ChargeRecord
from stations import outbox, ports
from stations.domain.values import Doubt, TransactionStatus
from stations.models import Transaction

#: Who we are in the outbox.
SUBSCRIBER = "billing"
#: Told when a charge record is made.
RECORD_TOPIC = "charge_record.made"

log = structlog.get_logger(__name__)


class NoTariff(outbox.NotYet):
    """The operator has not said yet what charging costs."""


class NoMarketPrice(outbox.NotYet):
    """The price of an hour that a market drives has not come yet."""


def make_charge_record(*, transaction_id: int) -> bool:
    """Make the first charge record of an ended transaction of the operator in scope, unless it exists.

    False if the transaction is not to be billed: it is gone, has not ended, or its energy cannot be trusted (the energy is
    kept; whoever resolves the doubt writes the outbox again). Raises NoTariff, NoMarketPrice.
    """
    ended = Transaction.objects.select_related("station__site", "id_token").filter(pk=transaction_id).first()
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
    book = choosing.Book([ended.operator_id])
    chosen = book.choose(choosing.case_of(ended))
    if chosen is None:
        raise NoTariff("No tariff: none is assigned to this session, and the operator has no default tariff. Add one.")
    known = ChargeRecord.objects.filter(transaction=ended, revision=1)
    if known.exists():
        return True
    now = timezone.now()
    session = sessions.ended(ended, energy_wh=ended.energy_wh, end=ended.stopped_at)
    try:
        priced = tariff.price(book.joined(chosen, session.start, session.end), session)
    except tariff.NoPrice as error:
        raise NoMarketPrice(f"{error} The session is billed when it has: add the price.") from error
    record = ChargeRecord(
        operator_id=ended.operator_id,
        transaction=ended,
        tariff=chosen.version.tariff,
        tariff_snapshot=chosen.ocpi,
        choice=chosen.why(),
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
