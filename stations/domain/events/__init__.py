"""What a station can tell us, and what it is answered: one frozen dataclass each, in the past tense.

Together with `commands` (what we can ask of a station) this is the product's table of contents. An event never carries
a wire name, an OCPP version or a database key. Every event names its reply type; `stations.services.handle` maps each event
to the one rule that acts on it. `core` has those that every station sends, the other files one chapter each.
"""

from stations.domain.event import Done, Event, Reply
from stations.domain.events.core import (
    BootAnswered,
    ComponentEvent,
    ComponentEventsReported,
    ConnectorStatusReported,
    FirmwareStatusReported,
    HeartbeatReceived,
    LogStatusReported,
    MetersSampled,
    Progress,
    StationBooted,
    TimeTold,
    TokenAnswered,
    TokenPresented,
    TransactionEndAnswered,
    TransactionEnded,
    TransactionProgressAnswered,
    TransactionProgressed,
    TransactionStartAnswered,
    TransactionStarted,
    VariablesReported,
    VendorAnswered,
    VendorMessageReceived,
    VendorStatus,
)
from stations.domain.events.displaymessage import DisplayMessagesReported, ShownMessage
from stations.domain.events.tariffcost import VehicleUnplugged

__all__ = [
    "BootAnswered",
    "ComponentEvent",
    "ComponentEventsReported",
    "ConnectorStatusReported",
    "DisplayMessagesReported",
    "Done",
    "Event",
    "FirmwareStatusReported",
    "HeartbeatReceived",
    "LogStatusReported",
    "MetersSampled",
    "Progress",
    "Reply",
    "ShownMessage",
    "StationBooted",
    "TimeTold",
    "TokenAnswered",
    "TokenPresented",
    "TransactionEndAnswered",
    "TransactionEnded",
    "TransactionProgressAnswered",
    "TransactionProgressed",
    "TransactionStartAnswered",
    "TransactionStarted",
    "VariablesReported",
    "VehicleUnplugged",
    "VendorAnswered",
    "VendorMessageReceived",
    "VendorStatus",
]
