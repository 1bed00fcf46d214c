"""What of a session decides which price it has."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stations.models import Transaction
    from stations.state import StationState, TransactionState


@dataclass(frozen=True, slots=True)
class Case:
    """Where, when, and who charges, by primary keys. `group`: the id token's; `driver`: it is one's; `known`: it is enrolled."""

    operator: int
    site: int | None
    station: int
    evse: int | None
    at: datetime
    group: int | None = None
    driver: bool = False
    known: bool = False


def of_row(transaction: "Transaction") -> Case:
    """That of a transaction, whose station and id token are read with it."""
    token = transaction.id_token
    return Case(
        operator=transaction.operator_id,
        site=transaction.station.site_id,
        station=transaction.station_id,
        evse=transaction.evse_id,
        at=transaction.started_at,
        group=token.group_id if token else None,
        driver=token is not None and token.driver_id is not None,
        known=token is not None,
    )


def of_state(station: "StationState", transaction: "TransactionState") -> Case:
    """The same of a transaction in memory."""
    evse = station.evses.get(transaction.evse or 0)
    return Case(
        operator=station.operator_id,
        site=station.site_id,
        station=station.id,
        evse=evse.id if evse else None,
        at=transaction.started_at,
        group=transaction.group_id,
        driver=transaction.of_driver,
        known=transaction.id_token_id is not None,
    )
