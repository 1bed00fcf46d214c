"""Chapter N: what a station watches."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from stations.domain.command import BadCommand, Command, need_list, need_number, need_one_of
from stations.domain.commands.provisioning import named_component, named_variable

#: What is left of the monitors (OCPP 2.0.1 MonitoringBaseEnumType).
BASES = ("All", "FactoryDefault", "HardWiredOnly")
#: Where stations say which base and level are at work: some by the one name, some by the other (OCPP 2.0.1 MonitoringCtrlr).
MONITORING = "MonitoringCtrlr"
SAYS_BASE, SAYS_LEVEL = ("MonitoringBase", "ActiveMonitoringBase"), ("MonitoringLevel", "ActiveMonitoringLevel")
#: MonitorEnumType.
TYPES = ("UpperThreshold", "LowerThreshold", "Delta", "Periodic", "PeriodicClockAligned")
#: MonitoringCriterionEnumType.
CRITERIA = ("ThresholdMonitoring", "DeltaMonitoring", "PeriodicMonitoring")
#: 0 is danger, 9 debugging (OCPP 2.0.1 N04, SetMonitoringData.severity).
LEAST_SEVERE = 9
#: Monitors of a command.
MOST = 500
INT32 = 2**31 - 1


@dataclass(frozen=True, slots=True)
class SetMonitoringBase(Command):
    """Which monitors are at work (OCPP 2.0.1 N03): "All", "FactoryDefault" (those one made are gone) or "HardWiredOnly"."""

    base: str
    kind: ClassVar[str] = "set_monitoring_base"

    def check(self) -> None:
        need_one_of("base", self.base, BASES)


@dataclass(frozen=True, slots=True)
class SetMonitoringLevel(Command):
    """Up to which severity events are told (OCPP 2.0.1 N05): 0 is danger only, 9 everything."""

    severity: int
    kind: ClassVar[str] = "set_monitoring_level"

    def check(self) -> None:
        need_number("severity", self.severity, 0, LEAST_SEVERE)


@dataclass(frozen=True, slots=True)
class SetVariableMonitoring(Command):
    """Watch variables (OCPP 2.0.1 N04).

    `monitors`: [{"component", "variable", "type", "value", "severity", "transaction"?, "id"?, "evse"?, ...}]. `type`:
    UpperThreshold, LowerThreshold, Delta, Periodic or PeriodicClockAligned (`value` is then the seconds). With the `id` of a
    monitor that one is replaced.
    """

    monitors: list[dict[str, Any]]
    kind: ClassVar[str] = "set_variable_monitoring"

    def check(self) -> None:
        need_list("monitors", self.monitors)
        if not 1 <= len(self.monitors) <= MOST:
            raise BadCommand("monitors must name from 1 to %(most)s monitors.", most=MOST)
        for one in self.monitors:
            named_variable(one)
            need_one_of("type", one.get("type"), TYPES)
            need_number("severity", one.get("severity"), 0, LEAST_SEVERE)
            value = one.get("value")
            if not isinstance(value, int | float) or isinstance(value, bool) or not -1e15 <= value <= 1e15:
                raise BadCommand("%(name)s must be a number.", name="value")
            if one["type"].startswith("Periodic") and value <= 0:
                raise BadCommand("A periodic monitor's value is its interval in seconds: more than 0.")
            if not isinstance(one.get("transaction", False), bool):
                raise BadCommand("%(name)s must be true or false.", name="transaction")
            if one.get("id") is not None:
                need_number("id", one["id"], 0, INT32)


@dataclass(frozen=True, slots=True)
class ClearVariableMonitoring(Command):
    """Watch no more (OCPP 2.0.1 N06). `ids`: those of the monitors, as the station gave them."""

    ids: list[int]
    kind: ClassVar[str] = "clear_variable_monitoring"

    def check(self) -> None:
        need_list("ids", self.ids)
        if not 1 <= len(self.ids) <= MOST:
            raise BadCommand("ids must name from 1 to %(most)s monitors.", most=MOST)
        for one in self.ids:
            need_number("ids", one, 0, INT32)
        if len(set(self.ids)) != len(self.ids):
            raise BadCommand("A monitor is named twice in ids.")


@dataclass(frozen=True, slots=True)
class ReportOfSome(Command):
    """Base of those that ask for a report of some things. `criteria`: by what they are chosen; `variables`: [{"component",
    "variable"?, "evse"?, ...}], those of a component if it names no variable. `parts`: as how many requests it goes out, each with
    its number and how many of the variables; none: as one."""

    criteria: list[str] = field(default_factory=list)
    variables: list[dict[str, Any]] = field(default_factory=list)
    parts: list[list[int]] = field(default_factory=list)
    ours: ClassVar[frozenset[str]] = frozenset({"parts"})
    options: ClassVar[tuple[str, ...]] = ()

    def check(self) -> None:
        need_criteria(self.criteria, self.options)
        need_list("variables", self.variables)
        for one in self.variables:
            named_component(one)

    def params(self) -> dict[str, Any]:
        # How it goes out is nobody's to say, and stands in the row's facts.
        return {"criteria": self.criteria, "variables": self.variables}

    def fixed(self, facts: dict[str, Any]) -> Self:
        return replace(self, parts=facts.get("parts", []))


def need_criteria(criteria: Any, options: tuple[str, ...]) -> None:
    need_list("criteria", criteria)
    for one in criteria:
        need_one_of("criteria", one, options)
    if len(set(criteria)) != len(criteria):
        raise BadCommand("A criterion is named twice.")


@dataclass(frozen=True, slots=True)
class GetMonitoringReport(ReportOfSome):
    """Ask which monitors there are (OCPP 2.0.1 N02). `criteria`: ThresholdMonitoring, DeltaMonitoring, PeriodicMonitoring;
    `variables`: as in get_report. Both empty: all."""

    kind: ClassVar[str] = "get_monitoring_report"
    options: ClassVar[tuple[str, ...]] = CRITERIA


@dataclass(frozen=True, slots=True)
class GetReport(ReportOfSome):
    """Ask for a report of some settings (OCPP 2.0.1 B08). `criteria`: Active, Available, Enabled, Problem, of components;
    `variables`: [{"component", "variable"?, "evse"?, ...}], those of a component if it names no variable."""

    kind: ClassVar[str] = "get_report"
    options: ClassVar[tuple[str, ...]] = ("Active", "Available", "Enabled", "Problem")

    def check(self) -> None:
        ReportOfSome.check(self)
        if not self.criteria and not self.variables:
            raise BadCommand("get_report needs criteria or variables; get_base_report reads all.")


ALL: tuple[type[Command], ...] = (
    SetMonitoringBase,
    SetMonitoringLevel,
    SetVariableMonitoring,
    ClearVariableMonitoring,
    GetMonitoringReport,
    GetReport,
)
