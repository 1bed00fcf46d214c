"""Since when a vehicle asks for no energy, and is only parked (OCPI 2.2.1 TariffDimensionType PARKING_TIME).

A pause that the station makes is none: it does not take the vehicle's wish. Should it charge again, it was not parked.

Of a transaction that is told by numbered events (2.x) it does not matter in which order those come: of the states that were told
the last one in which it charged is kept, and those after it in which it was parked (`Transaction.parked`, each a time, a number
and whether it was parked; the oldest first). The first of these is since when.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from stations.batch import Batch
from stations.domain.values import ChargingState, ConnectorStatus
from stations.models import Transaction
from stations.state import ConnectorState, TransactionState

#: What says that a vehicle is only parked, and what says that it is not; others say neither.
PARKED = (ChargingState.EV_CONNECTED, ChargingState.SUSPENDED_EV, ChargingState.IDLE)
STATUS_PARKED = (ConnectorStatus.SUSPENDED_EV, ConnectorStatus.FINISHING)
STATUS_CHARGES = (ConnectorStatus.CHARGING, ConnectorStatus.SUSPENDED_EVSE)
#: Less is not what one charges with: a vehicle that is asleep or warms itself.
STANDBY_WH, STANDBY_W = 100, 1000


#: Of a state that was measured: what was told of the same moment is older.
MEASURED = 2**31


def state_told(transaction: TransactionState, state: ChargingState, number: int, at: datetime) -> dict[str, Any]:
    """An event says what the vehicle does (2.x). Returns what that changes."""
    return _marked(transaction, [_text(at), number, state in PARKED])


def at_start(connector: ConnectorState | None, at: datetime) -> datetime | None:
    """Since when a vehicle is parked whose transaction begins: with its connector saying so, which says nothing new then (1.6)."""
    if connector is None or connector.status not in STATUS_PARKED:
        return None
    return max(at, connector.status_at or at)


def status_told(batch: Batch, evse: int, status: ConnectorStatus, at: datetime) -> None:
    """A connector does (1.6): of the transactions that are open on it."""
    parked = status in STATUS_PARKED
    if not parked and status not in STATUS_CHARGES:
        return
    for transaction in batch.station.open_on(evse):
        if parked is (transaction.charging_ended_at is None) and (transaction.started_at <= at or not parked):
            transaction.charging_ended_at, transaction.parked_at = at if parked else None, None
            batch.change(Transaction, transaction.id, charging_ended_at=transaction.charging_ended_at)


def _marked(transaction: TransactionState, mark: list[Any]) -> dict[str, Any]:
    """What one more state changes, the same however often and in whichever order they come."""
    known = transaction.parked
    if mark in known or (known and not known[0][2] and mark < known[0]):
        return {}
    marks = sorted([*known, mark])
    if not mark[2]:
        marks = marks[marks.index(mark) :]
    transaction.parked = _needed(marks, transaction.sequences)
    since = next((datetime.fromisoformat(at) for at, _number, parked in transaction.parked if parked), None)
    if since == transaction.charging_ended_at:
        return {"parked": transaction.parked}
    transaction.charging_ended_at, transaction.parked_at = since, None
    return {"parked": transaction.parked, "charging_ended_at": since}


def _needed(marks: list[list[Any]], sequences: list[list[int]]) -> list[list[Any]]:
    """Between two events among which none is missing nothing can come any more: the first says it for both."""
    found: list[list[Any]] = []
    told: set[int | None] = set()
    for mark in marks:
        place = next((n for n, (low, high) in enumerate(sequences) if low <= mark[1] <= high), None)
        if not mark[2] or place not in told:
            found.append(mark)
        if mark[2]:
            told.add(place)
    return found


def _text(at: datetime) -> str:
    """In the order of time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def read(transaction: TransactionState, at: datetime, register_wh: Decimal) -> dict[str, Any]:
    """A reading of what is said to be parked: where energy flows on all the same, nobody shall pay for being parked.

    What comes first after it is measured from there: what flowed before was read late.
    """
    if transaction.charging_ended_at is None or at <= transaction.charging_ended_at:
        return {}
    if transaction.parked_at is None:
        transaction.parked_at = (at, register_wh)
        return {}
    since, parked_wh = transaction.parked_at
    more_wh, hours = register_wh - parked_wh, Decimal((at - since).total_seconds()) / 3600
    if more_wh <= STANDBY_WH or more_wh < STANDBY_W * hours:
        return {}
    if transaction.parked:
        return _marked(transaction, [_text(since), MEASURED, False])
    transaction.charging_ended_at = transaction.parked_at = None
    return {"charging_ended_at": None}
