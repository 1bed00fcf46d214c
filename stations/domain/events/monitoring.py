"""The events of chapter N: what parts of a station noticed, which monitors it has, what it keeps of a customer."""

from dataclasses import dataclass
from datetime import datetime

from stations.domain.command import VariableName
from stations.domain.event import Event


@dataclass(frozen=True, slots=True)
class ComponentEvent:
    """One thing a component noticed: a variable of it has this value (OCPP 2.0.1 N07-N08, EventDataType).

    `event_id` is the station's number of it, `cause_id` that of the event that led to it; `trigger` is Alerting, Delta or Periodic;
    `cleared`: what was alerting is over; `monitor_id` is the station's number of the monitor that noticed it; `notification` says
    whose monitor that is: HardWiredNotification, HardWiredMonitor, PreconfiguredMonitor, CustomMonitor.
    """

    component: str
    variable: str
    value: str
    at: datetime | None
    evse: int = 0
    connector: int = 0
    component_instance: str = ""
    variable_instance: str = ""
    event_id: int = 0
    trigger: str = ""
    notification: str = ""
    cleared: bool = False
    monitor_id: int | None = None
    cause_id: int | None = None
    transaction_id: str = ""
    tech_code: str = ""
    tech_info: str = ""

    @property
    def name(self) -> VariableName:
        return VariableName(
            self.component, self.variable, self.component_instance, self.variable_instance, self.evse, self.connector
        )


@dataclass(frozen=True, slots=True)
class ComponentEventsReported(Event):
    """Components noticed something (OCPP 2.0.1 N07-N08); of a Connector's AvailabilityState it is its status (G01).

    What does not fit into one message is told in several, numbered from 0 by `sequence`. `last`: none follows.
    """

    events: tuple[ComponentEvent, ...]
    sequence: int = 0
    last: bool = True


@dataclass(frozen=True, slots=True)
class MonitorReport:
    """A monitor as a station tells of it, or as it took it. `id` is the station's number of it; `value` is a threshold, a
    difference, or an interval in seconds, by its `type`; `severity` 0 is danger, 9 debugging; `transaction`: only while one runs.
    """

    name: VariableName
    id: int
    type: str
    value: float
    severity: int
    transaction: bool = False


@dataclass(frozen=True, slots=True)
class MonitorsReported(Event):
    """A page of a report of monitors (OCPP 2.0.1 N02). `last`: it is the last one by its number."""

    request_id: int
    sequence: int
    last: bool
    monitors: tuple[MonitorReport, ...]


@dataclass(frozen=True, slots=True)
class CustomerInformationTold(Event):
    """A page of what a station keeps of a customer (OCPP 2.0.1 N09-N10): text, to be read in the order of the pages."""

    request_id: int
    sequence: int
    last: bool
    text: str
