"""What meters signed (OCPP 2.0.1 J, E; the same in 1.6): kept with the transaction, and told to whoever checks it.

The only statement it costs is in batches that have such readings.
"""

from datetime import timedelta
from hashlib import sha256

from django.db import connection
from django.utils import timezone

from stations.batch import Batch, clean
from stations.domain.values import Reading
from stations.models import SignedReading

#: Told with the transaction when it has a reading that the meter signed.
TOPIC = "signed_reading.kept"
#: Those of no transaction are let go after so long; so many in one run.
KEEP_NOBODYS = timedelta(days=365)
LET_GO = 5000


def keep(batch: Batch, reading: Reading, *, evse: int, transaction_id: int | None) -> None:
    """Keep what of a reading is signed. `reading.at` is corrected for the station's clock."""
    station = batch.station
    for one in reading.signed:
        data = clean(one.data)
        batch.add(
            SignedReading,
            operator_id=station.operator_id,
            station_id=station.id,
            transaction_id=transaction_id,
            evse_number=evse,
            at=reading.at,
            context=reading.context,
            encoding=clean(one.encoding),
            signing_method=clean(one.method),
            data=data,
            public_key=clean(one.public_key),
            digest=sha256(data.encode()).hexdigest(),
            received_at=batch.frame.received_at if batch.frame else batch.now,
            owner=-evse if transaction_id is None else transaction_id,
        )
    if transaction_id is not None:
        batch.publish(TOPIC, transaction_id)


def let_go() -> int:
    """Delete the oldest of those that belong to no transaction, once their time is over. Returns how many. Run without a scope."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM stations_signedreading WHERE id IN (SELECT id FROM stations_signedreading WHERE transaction_id IS NULL"
            " AND received_at < %s ORDER BY received_at LIMIT %s)",
            [timezone.now() - KEEP_NOBODYS, LET_GO],
        )
        return cursor.rowcount
