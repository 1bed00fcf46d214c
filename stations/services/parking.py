"""Since when a vehicle asks for no energy, and is only parked (OCPI 2.2.1 TariffDimensionType PARKING_TIME).

A pause that the station makes is none: it does not take the vehicle's wish. Should it charge again, it was not parked.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from stations.batch import Batch
from stations.domain.values import ChargingState, ConnectorStatus
from stations.models import Transaction
from stations.state import TransactionState

#: What says that a vehicle is only parked, and what says that it is not; others say neither.
PARKED = (ChargingState.EV_CONNECTED, ChargingState.SUSPENDED_EV, ChargingState.IDLE)
STATUS_PARKED = (ConnectorStatus.SUSPENDED_EV, ConnectorStatus.FINISHING)
STATUS_CHARGES = (ConnectorStatus.CHARGING, ConnectorStatus.SUSPENDED_EVSE)
#: Less is not what one charges with: a vehicle that is asleep or warms itself.
STANDBY_WH, STANDBY_W = 100, 1000


def state_told(batch: Batch, transaction: TransactionState, state: ChargingState, at: datetime) -> None:
    """A transaction says what its vehicle does (2.x)."""
    _keep(batch, transaction, at if state in PARKED else None)


def status_told(batch: Batch, evse: int, status: ConnectorStatus, at: datetime) -> None:
    """A connector does (1.6): of the transactions that are open on it."""
    if status not in STATUS_PARKED and status not in STATUS_CHARGES:
        return
    for transaction in batch.station.open_on(evse):
        if transaction.started_at <= at:
            _keep(batch, transaction, at if status in STATUS_PARKED else None)


def _keep(batch: Batch, transaction: TransactionState, since: datetime | None) -> None:
    if (since is None) == (transaction.charging_ended_at is None):
        return
    transaction.charging_ended_at, transaction.parked_at = since, None
    batch.change(Transaction, transaction.id, charging_ended_at=since)


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
    transaction.charging_ended_at = transaction.parked_at = None
    return {"charging_ended_at": None}
