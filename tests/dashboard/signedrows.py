"""Rows about what the meter of a session signed."""

from datetime import datetime
from hashlib import sha256

from django.db.transaction import atomic
from django.utils import timezone
from django_scopes import scopes_disabled

from billing.models import MeterKey
from billing.signedchecks import check_transaction
from stations.models import SignedReading, Transaction
from tests.billing.meters import Meter
from tests.database import tables


@tables
def signed(transaction: Transaction, meter: Meter | None = None, *, kwh: tuple[str, str] = ("1.000", "8.500")) -> MeterKey:
    """Begin and end, with the key, and checked; the key that is believed then."""
    meter = meter or Meter()
    end_at = transaction.stopped_at or timezone.now()
    keep(transaction, meter.begin(kwh[0], transaction.started_at, ID=transaction.id_tag), "Transaction.Begin", key=meter.der.hex())
    if transaction.stopped_at:
        keep(transaction, meter.end(kwh[1], end_at, ID=transaction.id_tag), "Transaction.End")
    with scopes_disabled(), atomic():
        check_transaction(transaction_id=transaction.pk)
    return MeterKey._base_manager.filter(station=transaction.station_id).latest("pk")


def keep(
    transaction: Transaction, data: str, context: str = "Transaction.End", *, key: str = "", at: datetime | None = None
) -> None:
    SignedReading._base_manager.create(
        operator_id=transaction.operator_id,
        station_id=transaction.station_id,
        transaction=transaction,
        evse_number=transaction.evse.number if transaction.evse else 0,
        at=at or (transaction.started_at if context == "Transaction.Begin" else transaction.stopped_at) or timezone.now(),
        context=context,
        encoding="OCMF",
        data=data,
        public_key=key,
        digest=sha256(data.encode()).hexdigest(),
        received_at=timezone.now(),
    )
