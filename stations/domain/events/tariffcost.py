"""What stations tell because of the price."""

from dataclasses import dataclass
from datetime import datetime

from stations.domain.event import Event


@dataclass(frozen=True, slots=True)
class VehicleUnplugged(Event):
    """The cable of a transaction that may have ended before came out, so that nothing more is to be paid (1.6 cost messages:
    ConnectorUnplugged)."""

    transaction_id: str
    at: datetime | None = None
