"""The device model of a simulated OCPP 2.0.1 station (2.0.1 part 2, appendix 3): a small, real one. No I/O.

What can be changed is kept in the station's one `Configuration`, under the names that 1.6 has for it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from csms.simulator.charging import INSTALLED
from csms.simulator.configuration import MEASURANDS, Configuration
from csms.simulator.connector import Connector
from csms.simulator.display import FORMATS, MOST, PRIORITIES, STATES

#: How many variables one message may name or tell.
ITEMS = 20
#: How many monitors one message may set or clear.
MONITORS = 10
#: What the first event of a transaction measures.
STARTED_MEASURANDS = {"Energy.Active.Import.Register"}
PLUGS = {"Type2": "sType2", "CCS": "cCCS2", "CHAdeMO": "cG105"}


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable with its attribute Actual. With `key`, its value is that setting's."""

    component: str
    name: str
    value: str | Callable[[], str] = ""
    key: str = ""
    instance: str = ""
    evse: int = 0
    connector: int = 0
    data_type: str = "string"
    unit: str = ""
    values: str = ""
    mutability: str = "ReadOnly"
    monitorable: bool = False
    highest: int | None = None

    @property
    def address(self) -> tuple[str, str, str, int, int]:
        return (self.component.lower(), self.name.lower(), self.instance.lower(), self.evse, self.connector)


class DeviceModel:
    """`get` and `set` answer one entry of GetVariables and SetVariables; `report` gives the entries of a base report."""

    def __init__(self, configuration: Configuration, connectors: Sequence[Connector], facts: dict[str, Callable[[], str]]) -> None:
        """`facts`: what the station says of itself (Model, VendorName, SerialNumber, FirmwareVersion, AvailabilityState, DateTime,
        Identity, MonitoringBase, MonitoringLevel); and of its EVSEs, by `AvailabilityState <number>`, `Temperature <number>`,
        `Problem <number>`."""
        self._configuration = configuration
        every = [*_controllers(facts), *_hardware(connectors, facts)]
        self._variables = {variable.address: variable for variable in every}
        self._components = {(v.component.lower(), v.evse, v.connector) for v in every}

    def value(self, variable: Variable) -> str:
        if variable.key:
            return self._configuration[variable.key]
        return variable.value if isinstance(variable.value, str) else variable.value()

    def report(self, base: str) -> list[dict[str, Any]] | None:
        """The `reportData` of FullInventory, ConfigurationInventory (what can be changed) or SummaryInventory (what state it is
        in); None for a report that there is not."""
        chosen: dict[str, Callable[[Variable], bool]] = {
            "FullInventory": lambda variable: True,
            "ConfigurationInventory": lambda variable: variable.mutability != "ReadOnly",
            "SummaryInventory": lambda variable: variable.name == "AvailabilityState",
        }
        wanted = chosen.get(base)
        return None if wanted is None else [self._told(one) for one in self._variables.values() if wanted(one)]

    def chosen(self, criteria: Sequence[str], named: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The `reportData` of GetReport: of components of which a variable with the criterion's name is true (B08), or that are
        named, with a variable or all of theirs."""
        found = {
            (one.component, one.evse, one.connector)
            for one in self._variables.values()
            if one.name in criteria and self.value(one) == "true"
        }

        def wanted(one: Variable) -> bool:
            if criteria and (one.component, one.evse, one.connector) not in found:
                return False
            return not named or any(_is_named(name, one) for name in named)

        return [self._told(one) for one in self._variables.values() if wanted(one)]

    def get(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """One `getVariableResult` for one `getVariableData`, both as the package has them (snake case)."""
        variable, status = self._find(wanted)
        if variable and variable.mutability == "WriteOnly":
            variable, status = None, "Rejected"
        result = {"attribute_status": status} | _echo(wanted)
        return result | ({"attribute_value": self.value(variable)} if variable else {})

    def set(self, wanted: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        """One `setVariableResult` for one `setVariableData`, and the setting that it changed."""
        variable, status = self._find(wanted)
        changed = None
        if variable:
            status = "Rejected"
            if variable.mutability != "ReadOnly":
                status = self._configuration.change(variable.key, wanted["attribute_value"])
                changed = variable.key if status in ("Accepted", "RebootRequired") else None
        return {"attribute_status": status} | _echo(wanted), changed

    def _find(self, wanted: dict[str, Any]) -> tuple[Variable | None, str]:
        component, named = wanted["component"], wanted["variable"]
        evse = component.get("evse") or {}
        place = (component["name"].lower(), evse.get("id", 0), evse.get("connector_id", 0))
        if place not in self._components or component.get("instance"):
            return None, "UnknownComponent"
        variable = self._variables.get((place[0], named["name"].lower(), named.get("instance", "").lower(), *place[1:]))
        if variable is None:
            return None, "UnknownVariable"
        if wanted.get("attribute_type", "Actual") != "Actual":
            return None, "NotSupportedAttributeType"
        return variable, "Accepted"

    def _told(self, variable: Variable) -> dict[str, Any]:
        component: dict[str, Any] = {"name": variable.component}
        if variable.evse:
            component["evse"] = {"id": variable.evse} | ({"connectorId": variable.connector} if variable.connector else {})
        attribute = {"type": "Actual", "mutability": variable.mutability, "persistent": True, "constant": False}
        if variable.mutability != "WriteOnly":
            attribute["value"] = self.value(variable)
        traits: dict[str, Any] = {"dataType": variable.data_type, "supportsMonitoring": variable.monitorable}
        traits |= {name: text for name, text in (("unit", variable.unit), ("valuesList", variable.values)) if text}
        traits |= {"maxLimit": variable.highest} if variable.highest is not None else {}
        return {
            "component": component,
            "variable": {"name": variable.name} | ({"instance": variable.instance} if variable.instance else {}),
            "variableAttribute": [attribute],
            "variableCharacteristics": traits,
        }


def _echo(wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: wanted[name] for name in ("component", "variable", "attribute_type") if name in wanted}


def _is_named(named: dict[str, Any], one: Variable) -> bool:
    component, variable = named["component"], named.get("variable")
    evse = component.get("evse")
    if component["name"].lower() != one.component.lower() or (evse and evse["id"] != one.evse):
        return False
    return variable is None or (variable["name"].lower(), variable.get("instance", one.instance)) == (
        one.name.lower(),
        one.instance,
    )


def _setting(component: str, name: str, key: str, data_type: str = "integer", **more: str) -> Variable:
    return Variable(component, name, key=key, data_type=data_type, **{"mutability": "ReadWrite"} | more)  # type: ignore[arg-type]  # texts only


def _controllers(facts: dict[str, Callable[[], str]]) -> Iterator[Variable]:
    every = ",".join(MEASURANDS)
    yield _setting("OCPPCommCtrlr", "HeartbeatInterval", "HeartbeatInterval", unit="s")
    yield _setting("OCPPCommCtrlr", "WebSocketPingInterval", "WebSocketPingInterval", unit="s")
    if "ActiveNetworkProfile" in facts:
        yield _setting("OCPPCommCtrlr", "NetworkConfigurationPriority", "NetworkConfigurationPriority", "SequenceList")
        yield Variable("OCPPCommCtrlr", "ActiveNetworkProfile", facts["ActiveNetworkProfile"], data_type="integer")
    yield Variable("ReservationCtrlr", "Enabled", "true", data_type="boolean")
    yield Variable("ReservationCtrlr", "NonEvseSpecific", "true", data_type="boolean")
    yield _setting("OCPPCommCtrlr", "MessageAttempts", "TransactionMessageAttempts", instance="TransactionEvent")
    yield _setting(
        "OCPPCommCtrlr", "MessageAttemptInterval", "TransactionMessageRetryInterval", instance="TransactionEvent", unit="s"
    )
    yield _setting("OCPPCommCtrlr", "ResetRetries", "ResetRetries")
    yield Variable("OCPPCommCtrlr", "UnlockOnEVSideDisconnect", "true", data_type="boolean")
    yield _setting("AuthCtrlr", "AuthorizeRemoteStart", "AuthorizeRemoteTxRequests", "boolean")
    yield _setting("AuthCtrlr", "OfflineTxForUnknownIdEnabled", "AllowOfflineTxForUnknownId", "boolean")
    yield Variable("AuthCtrlr", "LocalPreAuthorize", "false", data_type="boolean")
    yield Variable("AuthCtrlr", "LocalAuthorizeOffline", "true", data_type="boolean")
    yield _setting("LocalAuthListCtrlr", "Enabled", "LocalAuthListEnabled", "boolean")
    yield _setting("LocalAuthListCtrlr", "ItemsPerMessage", "SendLocalListMaxLength", mutability="ReadOnly")
    yield Variable("LocalAuthListCtrlr", "BytesPerMessage", "65536", data_type="integer")
    yield Variable("LocalAuthListCtrlr", "Entries", facts.get("Entries", lambda: "0"), data_type="integer")
    yield _setting("TxCtrlr", "EVConnectionTimeOut", "ConnectionTimeOut", unit="s")
    yield _setting("TxCtrlr", "StopTxOnInvalidId", "StopTransactionOnInvalidId", "boolean")
    yield Variable("TxCtrlr", "StopTxOnEVSideDisconnect", "true", data_type="boolean")
    yield Variable("TxCtrlr", "TxStartPoint", "PowerPathClosed", data_type="MemberList", values="PowerPathClosed")
    yield Variable("TxCtrlr", "TxStopPoint", "Authorized,EVConnected", data_type="MemberList", values="Authorized,EVConnected")
    yield _setting("SampledDataCtrlr", "TxUpdatedInterval", "MeterValueSampleInterval", unit="s")
    yield _setting("SampledDataCtrlr", "TxUpdatedMeasurands", "MeterValuesSampledData", "MemberList", values=every)
    yield _setting("SampledDataCtrlr", "TxEndedMeasurands", "StopTxnSampledData", "MemberList", values=every)
    started = ",".join(sorted(STARTED_MEASURANDS))
    yield Variable("SampledDataCtrlr", "TxStartedMeasurands", started, data_type="MemberList", values=started)
    yield Variable("AlignedDataCtrlr", "Enabled", "false", data_type="boolean")
    for message in ("GetReport", "GetVariables", "SetVariables"):
        yield Variable("DeviceDataCtrlr", "ItemsPerMessage", str(ITEMS), instance=message, data_type="integer")
        yield Variable("DeviceDataCtrlr", "BytesPerMessage", "65536", instance=message, data_type="integer")
    yield Variable("MonitoringCtrlr", "Available", "true", data_type="boolean")
    yield Variable("MonitoringCtrlr", "Enabled", "true", data_type="boolean")
    bases = "All,FactoryDefault,HardWiredOnly"
    yield Variable("MonitoringCtrlr", "MonitoringBase", facts["MonitoringBase"], data_type="OptionList", values=bases)
    yield Variable("MonitoringCtrlr", "MonitoringLevel", facts["MonitoringLevel"], data_type="integer")
    for message in ("SetVariableMonitoring", "ClearVariableMonitoring"):
        yield Variable("MonitoringCtrlr", "ItemsPerMessage", str(MONITORS), instance=message, data_type="integer")
    yield Variable("SmartChargingCtrlr", "Enabled", "true", data_type="boolean")
    yield _setting("SmartChargingCtrlr", "ProfileStackLevel", "ChargeProfileMaxStackLevel", mutability="ReadOnly")
    yield _setting("SmartChargingCtrlr", "PeriodsPerSchedule", "ChargingScheduleMaxPeriods", mutability="ReadOnly")
    yield Variable("SmartChargingCtrlr", "RateUnit", "A,W", data_type="MemberList", values="A,W")
    installed = facts.get("Profiles", lambda: "0")
    yield Variable("SmartChargingCtrlr", "Entries", installed, instance="ChargingProfiles", data_type="integer", highest=INSTALLED)
    yield Variable("ClockCtrlr", "DateTime", facts["DateTime"], data_type="dateTime")
    yield Variable("ClockCtrlr", "TimeSource", "Heartbeat", data_type="SequenceList", values="Heartbeat")
    yield _setting("SecurityCtrlr", "BasicAuthPassword", "AuthorizationKey", "string", mutability="WriteOnly")
    yield Variable("SecurityCtrlr", "Identity", facts["Identity"])
    yield from _displays(facts)
    yield Variable("SecurityCtrlr", "SecurityProfile", "1", data_type="integer")


def _displays(facts: dict[str, Callable[[], str]]) -> Iterator[Variable]:
    """It shows messages, prices and costs."""
    shown = facts.get("DisplayMessages", lambda: "0")
    yield Variable("DisplayMessageCtrlr", "Available", "true", data_type="boolean")
    yield Variable("DisplayMessageCtrlr", "DisplayMessages", shown, data_type="integer", highest=MOST)
    for name, kinds in (("SupportedPriorities", PRIORITIES), ("SupportedStates", STATES), ("SupportedFormats", FORMATS)):
        yield Variable("DisplayMessageCtrlr", name, ",".join(kinds), data_type="MemberList", values=",".join(kinds))
    for name in ("Tariff", "Cost"):
        yield Variable("TariffCostCtrlr", "Available", "true", instance=name, data_type="boolean")
        yield Variable("TariffCostCtrlr", "Enabled", "true", instance=name, data_type="boolean")


def _hardware(connectors: Sequence[Connector], facts: dict[str, Callable[[], str]]) -> Iterator[Variable]:
    states = "Available,Occupied,Reserved,Unavailable,Faulted"
    for name in ("Model", "VendorName", "SerialNumber", "FirmwareVersion"):
        yield Variable("ChargingStation", name, facts[name])
    yield Variable("ChargingStation", "AvailabilityState", facts["AvailabilityState"], data_type="OptionList", values=states)
    yield Variable("ChargingStation", "SupplyPhases", "3", data_type="integer")
    for one in connectors:
        state = facts[f"AvailabilityState {one.id}"]
        phases = str(one.supply.phases) if one.supply.kind == "AC" else "0"
        power = int(one.supply.max_power_w)
        yield Variable("EVSE", "Available", "true", evse=one.id, data_type="boolean")
        yield Variable("EVSE", "AvailabilityState", state, evse=one.id, data_type="OptionList", values=states)
        heat, broken = facts[f"Temperature {one.id}"], facts[f"Problem {one.id}"]
        yield Variable("EVSE", "Temperature", heat, evse=one.id, data_type="decimal", unit="Celsius", monitorable=True)
        yield Variable("EVSE", "Problem", broken, evse=one.id, data_type="boolean", monitorable=True)
        yield Variable("EVSE", "Power", str(power), evse=one.id, data_type="decimal", unit="W", highest=power)
        yield Variable("EVSE", "SupplyPhases", phases, evse=one.id, data_type="integer")
        plug = PLUGS.get(one.supply.plug, "Undetermined")
        yield Variable("Connector", "Available", "true", evse=one.id, connector=1, data_type="boolean")
        yield Variable("Connector", "AvailabilityState", state, evse=one.id, connector=1, data_type="OptionList", values=states)
        yield Variable("Connector", "ConnectorType", plug, evse=one.id, connector=1)
        yield Variable("Connector", "SupplyPhases", phases, evse=one.id, connector=1, data_type="integer")
