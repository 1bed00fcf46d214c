"""What the pages of one charger show, as rows for the templates and for the fragments that keep them live."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from csms.dashboard import stationlist, wall
from csms.dashboard.states import State
from stations import selectors
from stations.domain.commands import SECRET
from stations.models import Connection, Finding, Station, Variable

SESSIONS_SHOWN = 10
FINDINGS_SHOWN = 20
VARIABLES_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class Head:
    station: Station
    state: State
    online: bool
    plugs: list[wall.Plug]

    @property
    def connection(self) -> Connection | None:
        return getattr(self.station, "connection", None)

    @property
    def protocol(self) -> str:
        """As a person writes it: OCPP 1.6."""
        protocol = self.connection.protocol if self.connection else ""
        return "OCPP " + protocol.removeprefix("ocpp") if protocol else ""

    @property
    def error(self) -> str:
        """What the charger says is wrong with the whole of it."""
        return "" if self.station.error_code == wall.NO_ERROR else self.station.error_code

    @property
    def since(self) -> datetime | None:
        """When it came online; for one that is not, when it was last heard."""
        if self.connection is None:
            return None
        return self.connection.connected_at if self.online else self.connection.seen_at


def head(pk: int) -> Head | None:
    """A station's head and plugs. None: there is no such station in the caller's network."""
    found = stationlist.with_state().filter(pk=pk).first()
    return None if found is None else of(found)


def of(station: Station) -> Head:
    """The same of a station that was read with its state."""
    shown, online = station.shown, station.is_online  # type: ignore[attr-defined]  # annotated by `with_state`
    return Head(station, stationlist.state_of(shown), online, wall.plugs([station.pk]))


def last_sessions(station: Station) -> list[wall.Session]:
    return wall.sessions(selectors.transactions().filter(station=station).order_by("-id")[:SESSIONS_SHOWN])


def findings(station: Station) -> list[Finding]:
    return list(Finding.objects.filter(station=station).select_related("transaction").order_by("-last_at")[:FINDINGS_SHOWN])


@dataclass(frozen=True, slots=True)
class Setting:
    variable: Variable

    @property
    def secret(self) -> bool:
        return bool(SECRET.search(self.variable.variable))

    @property
    def where(self) -> str:
        """The component, with its instance and plug."""
        variable = self.variable
        number = ".".join(str(n) for n in (variable.evse_number, variable.connector_number) if n)
        return " ".join(part for part in (variable.component, variable.component_instance, number and f"#{number}") if part)

    @property
    def name(self) -> str:
        variable = self.variable
        name = f"{variable.variable}[{variable.variable_instance}]" if variable.variable_instance else variable.variable
        return name if variable.attribute == "Actual" else f"{name} ({variable.attribute})"

    @property
    def drifts(self) -> bool:
        """Whether the charger reports something else than what is wanted."""
        return self.variable.wanted is not None and self.variable.wanted != self.variable.value

    @property
    def editable(self) -> bool:
        return self.variable.known and self.variable.mutability != "ReadOnly" and not self.secret

    @property
    def options(self) -> list[str]:
        """The values to choose from, where they are listed."""
        if self.variable.data_type == "boolean":
            return ["true", "false"]
        if self.variable.data_type != "OptionList":
            return []
        return [one.strip() for one in self.variable.values.split(",") if one.strip()]


def settings(station: Station, text: str = "", *, drifting: bool = False) -> list[Setting]:
    """The settings a station has told of, or some of them: those that drift come first."""
    found = Variable.objects.filter(station=station)
    if drifting:
        found = found.filter(wanted__isnull=False).exclude(wanted=F("value"))
    for word in text.split():
        found = found.filter(variable__icontains=word) | found.filter(component__icontains=word)
    return [Setting(variable) for variable in found[:VARIABLES_SHOWN]]
