"""What a station can tell us, and what it is answered: one frozen dataclass each, in the past tense.

Together with `commands` (what we can ask of a station) this is the product's table of contents. An event never carries
a wire name, an OCPP version or a database key. Every event names its reply type; `stations.services.handle` maps each event
to the one rule that acts on it. `core` has those that every station sends, the other files one chapter each.
"""

from stations.domain.event import Done, Event, Reply
from stations.domain.events.core import (
    BootAnswered,
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
from stations.domain.events.displaymessage import (
    DisplayMessagesReported,
    ShownMessage,
)
from stations.domain.events.monitoring import (
    ComponentEvent,
    ComponentEventsReported,
    CustomerInformationTold,
    MonitorReport,
    MonitorsReported,
)
from stations.domain.events.publishing import (
    FirmwarePublicationReported,
)
from stations.domain.events.reservation import (
    ReservationLapsed,
)
from stations.domain.events.security import (
    CertificateRequestAnswered,
    CertificateRequested,
    CertificateStatusAnswered,
    CertificateStatusRequested,
    ContractCertificateAnswered,
    ContractCertificateRequested,
    SecurityEventReported,
)
from stations.domain.events.smartcharging import (
    ChargingLimitCleared,
    ChargingLimitReported,
    ChargingProfilesReported,
    EvNeedsReported,
    EvScheduleAnswered,
    EvScheduleReported,
    NeedsAnswered,
    NeedsVerdict,
)
from stations.domain.events.tariffcost import (
    VehicleUnplugged,
)

__all__ = [
    "BootAnswered",
    "CertificateRequestAnswered",
    "CertificateRequested",
    "CertificateStatusAnswered",
    "CertificateStatusRequested",
    "ChargingLimitCleared",
    "ChargingLimitReported",
    "ChargingProfilesReported",
    "ComponentEvent",
    "ComponentEventsReported",
    "ConnectorStatusReported",
    "ContractCertificateAnswered",
    "ContractCertificateRequested",
    "CustomerInformationTold",
    "DisplayMessagesReported",
    "Done",
    "EvNeedsReported",
    "EvScheduleAnswered",
    "EvScheduleReported",
    "Event",
    "FirmwarePublicationReported",
    "FirmwareStatusReported",
    "HeartbeatReceived",
    "LogStatusReported",
    "MetersSampled",
    "MonitorReport",
    "MonitorsReported",
    "NeedsAnswered",
    "NeedsVerdict",
    "Progress",
    "Reply",
    "ReservationLapsed",
    "SecurityEventReported",
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
