"""The list of chargers: what a URL asks for, and the rows for it. No query depends on how much the chargers have said."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet, Sum
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from csms.dashboard import wall
from csms.dashboard.states import STATES, State
from stations import selectors
from stations.domain.values import TransactionStatus
from stations.models import Station, Transaction
from stations.stationlist import SHOWN, TOLD, WAITING, StationFilter
from stations.stationlist import with_state as with_state

PAGE = 50
WAITS = State("waiting", _("Not connected yet"))
SILENT = State("unavailable", _("No plugs reported yet"))
CHIPS = SHOWN
SORTS = {
    "identity": ("identity",),
    "site": ("site__name", "identity"),
    "status": ("shown", "identity"),
    "model": ("vendor", "model", "identity"),
    "firmware": ("firmware_version", "identity"),
    "heard": ("connection__seen_at", "identity"),
    "serial": ("serial_number", "identity"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """`sort`: its name in SORTS, if it has one."""

    name: str
    word: str | Promise
    sort: str = ""
    number: bool = False


#: The charger itself always comes first.
COLUMNS = (
    Column("status", _("Status"), "status"),
    Column("site", _("Site"), "site"),
    Column("address", _("Address")),
    Column("make", _("Make"), "model"),
    Column("firmware", _("Firmware"), "firmware"),
    Column("heard", _("Last heard"), "heard"),
    Column("protocol", _("Speaks")),
    Column("plugs", _("Plugs")),
    Column("power", _("Power"), number=True),
    Column("serial", _("Serial number"), "serial"),
    Column("iccid", _("SIM card (ICCID)")),
    Column("imsi", _("SIM card (IMSI)")),
    Column("meter", _("Meter")),
    Column("profile", _("Security profile")),
)
USUAL = ("status", "site", "make", "firmware", "heard", "protocol", "plugs", "power")


def state_of(shown: str) -> State:
    return WAITS if shown == WAITING else STATES.get(shown, SILENT)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the URL asks for. What it cannot mean is left out."""

    q: str = ""
    status: str = ""
    online: str = ""
    site: str = ""
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    protocol: str = ""
    sort: str = "identity"
    cols: tuple[str, ...] = USUAL

    @classmethod
    def of(cls, query: QueryDict) -> "Asked":
        def one_of(name: str, options: Sequence[str], otherwise: str = "") -> str:
            value = query.get(name, "")
            return value if value in options else otherwise

        def text(name: str) -> str:
            return query.get(name, "").replace("\x00", "").strip()[:100]

        site = query.get("site", "")
        chosen = query.getlist("cols")
        return cls(
            q=text("q"),
            status=one_of("status", CHIPS),
            online=one_of("online", ("yes", "no")),
            site=site if site == "none" or (site.isascii() and site.isdigit() and len(site) < 19) else "",
            vendor=text("vendor"),
            model=text("model"),
            firmware=text("firmware"),
            protocol=text("protocol"),
            sort=one_of("sort", [*SORTS, *(f"-{name}" for name in SORTS)], "identity"),
            cols=tuple(column.name for column in COLUMNS if column.name in chosen) or USUAL,
        )

    @property
    def narrowed(self) -> bool:
        return any((self.q, self.status, self.online, self.site, self.vendor, self.model, self.firmware, self.protocol))

    @property
    def given(self) -> list[tuple[str, str]]:
        """What differs from the usual, as it stands in the URL."""
        usual = Asked()
        names = ("q", "status", "online", "site", *TOLD, "sort")
        given = [(name, value) for name in names if (value := getattr(self, name)) != getattr(usual, name)]
        return given + ([("cols", name) for name in self.cols] if self.cols != USUAL else [])

    @property
    def query(self) -> str:
        return urlencode(self.given)

    @property
    def columns(self) -> list[Column]:
        return [column for column in COLUMNS if column.name in self.cols]

    @property
    def every_column(self) -> list[tuple[Column, bool]]:
        """With whether it is shown."""
        return [(column, column.name in self.cols) for column in COLUMNS]

    @property
    def filter(self) -> StationFilter:
        return StationFilter(**{one.name: getattr(self, one.name) for one in fields(StationFilter)})

    def found(self) -> QuerySet[Any]:
        """What matches, whatever its status."""
        return self.filter.found()

    def matching(self) -> QuerySet[Any]:
        return self.filter.matching()

    def ordered(self) -> QuerySet[Any]:
        found = self.matching()
        names = SORTS[self.sort.removeprefix("-")]
        return found.order_by(*(f"-{name}" for name in names) if self.sort.startswith("-") else names)


@dataclass(frozen=True, slots=True)
class Chip:
    status: str
    state: State
    count: int


@dataclass(slots=True)
class Row:
    """A charger on the list. `power_w` sums what its running sessions draw, None where no reading holds."""

    station: Station
    state: State
    plugs: list[tuple[str, State]] = field(default_factory=list)
    power_w: Any = None


def chips(asked: Asked) -> list[Chip]:
    """How many of what matches are in each state."""
    counts = dict(asked.found().order_by().values_list("shown").annotate(n=Count("pk")))
    shown = [status for status in CHIPS if counts.get(status) or status == asked.status]
    return [Chip(status, state_of(status), counts.get(status, 0)) for status in shown]


def options() -> dict[str, list[str]]:
    """What chargers tell of themselves, to choose from: in one query."""
    told = list(Station.objects.order_by().values_list(*TOLD.values()).distinct())
    return {name: sorted({one[n] for one in told if one[n]}) for n, name in enumerate(TOLD)}


def rows(stations: Sequence[Station], cols: Collection[str] = USUAL) -> list[Row]:
    """Stations with their plugs and power, if these columns are shown: a query for each, however many."""
    found = {station.pk: Row(station, state_of(station.shown)) for station in stations}  # type: ignore[attr-defined]  # annotated above
    if "plugs" in cols:
        for connector in selectors.connectors(stations=found):
            plug = wall.Plug(connector, STATES.get(connector.shown, SILENT), None, fresh=False)  # type: ignore[attr-defined]  # annotated by the selector
            found[connector.evse.station_id].plugs.append((plug.label, plug.state))
    if "power" in cols:
        holds = timezone.now() - selectors.READING_HOLDS
        power = Transaction.objects.filter(station__in=found, status=TransactionStatus.ACTIVE, meter_last_at__gt=holds)
        for pk, watts in power.order_by().values_list("station").annotate(w=Sum("power_w")):
            if found[pk].station.is_online:  # type: ignore[attr-defined]  # annotated above
                found[pk].power_w = watts
    return list(found.values())
