"""What of a session decides which price it has."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from stations.domain.values import Payer

if TYPE_CHECKING:
    from accounts.models import IdToken
    from stations.models import Transaction
    from stations.state import StationState, TransactionState

#: Those with an id token that is enrolled.
KNOWN = (Payer.TAG, Payer.DRIVER)


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


def of_token(token: "IdToken | None") -> tuple[Payer, int | None]:
    """As whom one charges with an id token now, and its group."""
    if token is None:
        return Payer.AD_HOC, None
    return Payer.TAG if token.driver_id is None else Payer.DRIVER, token.group_id


def of_row(transaction: "Transaction") -> Case:
    """That of a transaction, whose station and id token are read with it: who charges is as it was noted, else as it is now."""
    noted = Payer(transaction.payer), transaction.payer_group
    payer, group = noted if transaction.payer else of_token(transaction.id_token)
    return Case(
        operator=transaction.operator_id,
        site=transaction.station.site_id,
        station=transaction.station_id,
        evse=transaction.evse_id,
        at=transaction.started_at,
        group=group,
        driver=payer is Payer.DRIVER,
        known=payer in KNOWN,
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
        group=transaction.payer_group,
        driver=transaction.payer == Payer.DRIVER,
        known=transaction.payer in KNOWN,
    )
