"""What stations show."""

from dataclasses import dataclass
from datetime import datetime

from stations.domain.event import Event


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message for a station's display, as the station has it. `number` is its id there."""

    number: int
    priority: str
    content: str
    format: str
    language: str = ""
    state: str = ""
    start_at: datetime | None = None
    end_at: datetime | None = None
    transaction_id: str = ""
    component: str = ""
    component_instance: str = ""
    evse: int = 0
    connector: int = 0


@dataclass(frozen=True, slots=True)
class DisplayMessagesReported(Event):
    """A page of the messages that a station is to show (OCPP 2.0.1 O03-O04). `last`: no more pages follow."""

    request_id: int
    last: bool
    messages: tuple[ShownMessage, ...]
