"""The monitors of a simulated OCPP 2.0.1 station, and what they notice (2.0.1 chapter N).

An EVSE has a temperature, and a problem or none. What is built in watches each EVSE's problem.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ocpp.v201 import call

from csms.simulator.clock import wire_time
from csms.simulator.connector import Connector
from csms.simulator.errors import SimulatorError

if TYPE_CHECKING:
    from csms.simulator.station import SimulatedStation

#: The numbers of those that are set begin here; what is built in has that of its EVSE, what comes with it that and a hundred.
FIRST_CUSTOM, PRECONFIGURED = 1000, 100
#: A criterion of a report, and what kinds of monitors it means (MonitoringCriterionEnumType).
CRITERIA = {
    "ThresholdMonitoring": ("UpperThreshold", "LowerThreshold"),
    "DeltaMonitoring": ("Delta",),
    "PeriodicMonitoring": ("Periodic", "PeriodicClockAligned"),
}
COOL_C, WARMER_C, HOT_C = 20.0, 45.0, 80.0


@dataclass(slots=True, eq=False)
class Monitor:
    """`seen`: the value of its last event, by which a Delta counts; `alerting`: what it told of is not over."""

    id: int
    evse: int
    variable: str
    type: str
    value: float
    severity: int
    origin: str
    transaction: bool = False
    alerting: bool = False
    seen: float | None = None
    told_at: datetime | None = None


@dataclass(eq=False)
class Monitors:
    station: "SimulatedStation"
    base: str = "All"
    level: int = 9
    every: dict[int, Monitor] = field(default_factory=dict)
    _events: int = 0

    def __post_init__(self) -> None:
        self.restore()

    def restore(self) -> None:
        """What the station came with."""
        for connector in self.station.connectors:
            number = connector.id
            self.every[number] = Monitor(number, number, "Problem", "UpperThreshold", 0.5, 2, "HardWiredMonitor")
            hot = PRECONFIGURED + number
            self.every[hot] = Monitor(hot, number, "Temperature", "UpperThreshold", HOT_C, 3, "PreconfiguredMonitor")

    def set_base(self, base: str) -> None:
        """All keeps what was set, FactoryDefault what the station came with, HardWiredOnly what is built in (N03)."""
        kept = {"All": None, "FactoryDefault": ("HardWiredMonitor", "PreconfiguredMonitor"), "HardWiredOnly": ("HardWiredMonitor",)}
        origins = kept[base]
        self.base = base
        if base != "HardWiredOnly":
            custom = {number: one for number, one in self.every.items() if number >= FIRST_CUSTOM}
            self.restore()
            self.every |= custom
        if origins is not None:
            self.every = {number: one for number, one in self.every.items() if one.origin in origins}

    def set(self, wanted: dict[str, Any]) -> tuple[str, int | None]:
        """The status for one `setMonitoringData`, and the monitor's number (N04)."""
        component, variable = wanted["component"], wanted["variable"]["name"]
        evse = (component.get("evse") or {}).get("id", 0)
        if component["name"] != "EVSE" or self.station.find(evse) is None:
            return "UnknownComponent", None
        if variable not in VALUES:
            return "UnknownVariable", None
        if variable == "Problem" and wanted["type"] == "LowerThreshold":
            return "UnsupportedMonitorType", None
        number = wanted.get("id")
        if number is not None and (number not in self.every or number < FIRST_CUSTOM):
            return "Rejected", None
        for one in self.every.values():
            same = (one.evse, one.variable, one.type, one.severity) == (evse, variable, wanted["type"], wanted["severity"])
            if same and one.id != number:
                return "Duplicate", None
        number = number if number is not None else max([FIRST_CUSTOM - 1, *self.every]) + 1
        about = (variable, wanted["type"], wanted["value"], wanted["severity"], "CustomMonitor", wanted.get("transaction", False))
        self.every[number] = Monitor(number, evse, *about)
        return "Accepted", number

    def clear(self, number: int) -> str:
        one = self.every.get(number)
        if one is None:
            return "NotFound"
        if one.origin == "HardWiredMonitor":
            return "Rejected"
        del self.every[number]
        return "Accepted"

    def report(self, criteria: list[str] | None, named: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
        """The `monitor` entries of a report (N02)."""
        types = [kind for criterion in criteria or CRITERIA for kind in CRITERIA[criterion]]
        told = [one for one in self.every.values() if one.type in types and (not named or any(_names(n, one) for n in named))]
        return [
            {
                **_place(one),
                "variableMonitoring": [
                    {
                        **{"id": one.id, "transaction": one.transaction, "value": one.value, "type": one.type},
                        "severity": one.severity,
                    }
                ],
            }
            for one in told
        ]

    # What they notice

    def look(self, connector: Connector) -> None:
        """Called often; tells when a value has crossed a threshold, differs by enough, or is due."""
        station = self.station
        events = list(self._noticed(connector, station.clock.now()))
        if events and station.connected and station.accepted:
            station.spawn(self._tell(events))

    def _noticed(self, connector: Connector, now: datetime) -> Iterator[dict[str, Any]]:
        for one in self.every.values():
            if one.evse != connector.id or (one.transaction and connector.transaction is None):
                continue
            value = VALUES[one.variable](connector)
            trigger = self._trigger(one, value, now)
            if trigger and one.severity <= self.level:
                self._events += 1
                over = trigger == "Alerting" and not one.alerting
                text = str(value > 0).lower() if one.variable == "Problem" else f"{value:.1f}"
                event = {"eventId": self._events, "timestamp": wire_time(now), "trigger": trigger, "actualValue": text}
                event |= {"eventNotificationType": one.origin, "variableMonitoringId": one.id, **_place(one)}
                if one.variable == "Problem" and connector.faulted:
                    event["techCode"] = connector.error_code
                if connector.transaction is not None:
                    event["transactionId"] = str(connector.transaction.id)
                yield event | ({"cleared": True} if over else {})

    def _trigger(self, one: Monitor, value: float, now: datetime) -> str:
        if one.type in ("UpperThreshold", "LowerThreshold"):
            beyond = value > one.value if one.type == "UpperThreshold" else value < one.value
            changed, one.alerting = beyond != one.alerting, beyond
            return "Alerting" if changed else ""
        if one.type == "Delta":
            if one.seen is None or abs(value - one.seen) < one.value:
                one.seen = value if one.seen is None else one.seen
                return ""
            one.seen = value
            return "Delta"
        if one.told_at is None or now - one.told_at >= timedelta(seconds=one.value):
            one.told_at = now
            return "Periodic"
        return ""

    async def _tell(self, events: list[dict[str, Any]]) -> None:
        try:
            await self.station.call(call.NotifyEvent(wire_time(self.station.clock.now()), 0, events))  # type: ignore[arg-type]  # dicts will do
        except SimulatorError as error:
            self.station.tell(f"NotifyEvent: {error}")


def temperature(connector: Connector) -> float:
    """Warmer the more it gives."""
    return COOL_C + WARMER_C * connector.draw().power_w / connector.supply.max_power_w


#: The variables of an EVSE that can be watched.
VALUES: dict[str, Callable[[Connector], float]] = {
    "Temperature": temperature,
    "Problem": lambda connector: float(connector.faulted),
}


def _place(one: Monitor) -> dict[str, Any]:
    return {"component": {"name": "EVSE", "evse": {"id": one.evse}}, "variable": {"name": one.variable}}


def _names(named: dict[str, Any], one: Monitor) -> bool:
    component, variable = named["component"], named.get("variable")
    evse = (component.get("evse") or {}).get("id", one.evse)
    return component["name"] == "EVSE" and evse == one.evse and variable in (None, {"name": one.variable})
