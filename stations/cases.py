"""What of a session decides which price it has."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils.timezone import get_default_timezone_name

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


def place(station: "StationState") -> dict[str, Any]:
    """Where a transaction begins, as its row and its state keep it: a station may be moved while it charges."""
    return {"site_id": station.site_id, "time_zone": station.time_zone}


def time_zone_of(transaction: "Transaction") -> str:
    """By which clock its price goes: that of its site when it began, as it was noted, else of where its station stands now."""
    if transaction.time_zone:
        return transaction.time_zone
    site = transaction.station.site
    return site.time_zone if site else get_default_timezone_name()


def took_place_at(site: int, path: str = "") -> Q:
    """Transactions of a site; `path`: to them. Those of before that was noted were given their station's by a migration."""
    return Q(**{f"{path}site": site})


def of_row(transaction: "Transaction") -> Case:
    """That of a transaction, whose station and id token are read with it: who charges is as it was noted, else as it is now."""
    noted = Payer(transaction.payer), transaction.payer_group
    payer, group = noted if transaction.payer else of_token(transaction.id_token)
    return Case(
        operator=transaction.operator_id,
        site=transaction.site_id if transaction.time_zone else transaction.station.site_id,
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
        site=transaction.site_id if transaction.time_zone else station.site_id,
        station=station.id,
        evse=evse.id if evse else None,
        at=transaction.started_at,
        group=transaction.payer_group,
        driver=transaction.payer == Payer.DRIVER,
        known=transaction.payer in KNOWN,
    )
