"""Chapter B: settings and restarts."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from stations.domain.command import SECRET, BadCommand, Command, VariableName, need_list, need_number, need_one_of, need_text


@dataclass(frozen=True, slots=True)
class Reset(Command):
    """Restart (OCPP 2.0.1 B11-B12). `when`: "immediate" stops transactions, "idle" waits for them; `evse` for one EVSE only."""

    when: str = "idle"
    evse: int | None = None
    kind: ClassVar[str] = "reset"
    expires_s: ClassVar[int] = 3600

    def check(self) -> None:
        need_one_of("when", self.when, ("immediate", "idle"))
        if self.evse is not None:
            need_number("evse", self.evse, 1, 255)


@dataclass(frozen=True, slots=True)
class GetVariables(Command):
    """Read settings (OCPP 2.0.1 B06, 1.6 GetConfiguration).

    `variables`: [{"component", "variable", "attribute"?, "evse"?, "connector"?, ...}]; of 1.6 {"variable"} alone. Empty: all,
    which only 1.6 can (2.0.1 has get_base_report for it).
    """

    variables: list[dict[str, Any]] = field(default_factory=list)
    kind: ClassVar[str] = "get_variables"

    def check(self) -> None:
        need_list("variables", self.variables)
        for one in self.variables:
            named_variable(one)


@dataclass(frozen=True, slots=True)
class SetVariables(Command):
    """Change settings (OCPP 2.0.1 B05, 1.6 ChangeConfiguration). As GetVariables, each with a "value"."""

    variables: list[dict[str, Any]]
    kind: ClassVar[str] = "set_variables"

    def check(self) -> None:
        need_list("variables", self.variables)
        if not self.variables:
            raise BadCommand("variables must name at least one variable and its value.")
        named = set()
        for one in self.variables:
            # Twice in one message is an error (OCPP 2.0.1 B05).
            name = (named_variable(one), one.get("attribute") or "Actual")
            if name in named:
                raise BadCommand("%(name)s is named twice; each variable has one value.", name=one["variable"])
            named.add(name)
            if not isinstance(one.get("value"), str) or len(one["value"]) > 1000:
                raise BadCommand("%(name)s needs a value: a text of at most 1000 characters.", name=one["variable"])

    def without_secrets(self) -> dict[str, Any]:
        return {"variables": [one | {"value": "***"} if SECRET.search(one["variable"]) else one for one in self.variables]}


@dataclass(frozen=True, slots=True)
class GetBaseReport(Command):
    """Ask for a report of all settings (OCPP 2.0.1 B07)."""

    report: str = "FullInventory"
    kind: ClassVar[str] = "get_base_report"

    def check(self) -> None:
        need_one_of("report", self.report, ("ConfigurationInventory", "FullInventory", "SummaryInventory"))


def named_variable(one: Any) -> VariableName:
    """The variable that an entry of `variables` names. Raises BadCommand."""
    if not isinstance(one, dict):
        raise BadCommand('variables must be a list of objects such as {"component": ..., "variable": ...}.')
    need_text("variable", one.get("variable"), 50)
    texts = {name: one.get(name, "") for name in ("component", "component_instance", "variable_instance", "attribute")}
    for key, text in texts.items():
        if not isinstance(text, str) or len(text) > 50:
            raise BadCommand("%(name)s must be a text of at most 50 characters.", name=key)
    evse, connector = one.get("evse") or 0, one.get("connector") or 0
    need_number("evse", evse, 0, 255)
    need_number("connector", connector, 0, 16)
    return VariableName(
        texts["component"], one["variable"], texts["component_instance"], texts["variable_instance"], evse, connector
    )


def named_component(one: Any) -> VariableName:
    """The variable that an entry names, or the component alone: its variable is then "". Raises BadCommand."""
    if isinstance(one, dict) and not one.get("variable"):
        if not one.get("component"):
            raise BadCommand("Each of variables needs a component.")
        return replace(named_variable(one | {"variable": "-"}), variable="", variable_instance="")
    return named_variable(one)


ALL: tuple[type[Command], ...] = (
    Reset,
    GetVariables,
    SetVariables,
    GetBaseReport,
)
