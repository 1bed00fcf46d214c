"""The points of the live charts: of one charger's plugs over a day, and of one session.

The database bins them, so their number is bounded; so is the time looked at, and the index leads to it: what it costs depends
on how often one charger samples, never on how much is stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Avg, DateTimeField, F, Func, Max, Min, QuerySet, Value
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from stations import selectors
from stations.models import MeterSample, Station, Transaction

DAY = timedelta(days=1)
#: The longest time of a session that is drawn, its end.
SESSION = timedelta(days=7)
#: Bins, in seconds, of which the smallest is taken that makes at most so many of a window.
STEPS = (10, 30, 60, 300, 900, 3600)
MOST = 300
ORIGIN = datetime(2020, 1, 1, tzinfo=UTC)
#: What a browser may ask about.
EARLIEST, LATEST = ORIGIN, datetime(2100, 1, 1, tzinfo=UTC)

#: Seconds since 1970 and a value.
Point = tuple[int, float]


class BadWindow(ValueError):
    """The times make no sense. The message says which and why."""


@dataclass(frozen=True, slots=True)
class Window:
    """A time in whole bins."""

    start: datetime
    end: datetime
    step: timedelta

    @classmethod
    def of(cls, start: datetime, end: datetime) -> "Window":
        seconds = (end - start).total_seconds()
        step = timedelta(seconds=next((one for one in STEPS if seconds / one <= MOST), STEPS[-1]))
        begin = ORIGIN + (start - ORIGIN) // step * step
        return cls(begin, ORIGIN - (ORIGIN - end) // step * step, step)

    @property
    def hold(self) -> timedelta:
        """Two points further apart than this are not joined: nothing is known of what lies between them."""
        return max(selectors.READING_HOLDS, 2 * self.step)


@dataclass(frozen=True, slots=True)
class Series:
    key: str
    label: str
    points: list[Point]

    def pieces(self, hold: timedelta) -> Iterator[list[Point]]:
        """The points that may be joined to each other."""
        piece: list[Point] = []
        for point in self.points:
            if piece and point[0] - piece[-1][0] > hold.total_seconds():
                yield piece
                piece = []
            piece.append(point)
        if piece:
            yield piece


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart of its own. `slug` names its colour; `highest` is the top of its scale, if that is fixed."""

    slug: str
    title: str | Promise
    unit: str
    decimals: int
    series: list[Series]
    highest: int | None = None


@dataclass(frozen=True, slots=True)
class Points:
    window: Window
    panels: list[Panel]

    @property
    def any(self) -> bool:
        return any(series.points for panel in self.panels for series in panel.series)

    def json(self) -> dict[str, Any]:
        return {
            "from": int(self.window.start.timestamp()),
            "to": int(self.window.end.timestamp()),
            "step": int(self.window.step.total_seconds()),
            "hold": int(self.window.hold.total_seconds()),
            "panels": [
                {
                    "slug": panel.slug,
                    "title": panel.title,
                    "unit": panel.unit,
                    "decimals": panel.decimals,
                    "highest": panel.highest,
                    "series": [{"key": one.key, "label": one.label, "points": one.points} for one in panel.series],
                }
                for panel in self.panels
            ],
        }


def day(start: datetime | None, end: datetime | None) -> Window:
    """The window of a charger: the last day, or what was asked for, of which a day at most."""
    now = timezone.now()
    end = min(end or now, now)
    start = max(start or end - DAY, end - DAY)
    if start >= end:
        raise BadWindow(_("The time must begin before it ends, and must not lie in the future."))
    return Window.of(start, end)


def of_station(station: Station, window: Window, since: datetime | None = None) -> Points:
    """The power of each plug. The main meter (EVSE 0) would count the plugs twice and is left out."""
    found = MeterSample.objects.filter(station=station, at__lt=window.end, power_w__isnull=False, evse_number__gt=0)
    rows = _bins(found, window, since).values("bin", "evse_number").annotate(w=Avg("power_w")).order_by("bin")
    plugs: dict[int, list[Point]] = {}
    for row in rows:
        plugs.setdefault(row["evse_number"], []).append(_point(row["bin"], row["w"] / 1000))
    series = [Series(str(number), _("Plug %(number)s") % {"number": number}, plugs[number]) for number in sorted(plugs)]
    return Points(window, [Panel("power", _("Power"), "kW", 1, series)])


def session(transaction: Transaction, start: datetime | None, end: datetime | None) -> Window | None:
    """The time a session's samples span, or the part of it that was asked for; None: it has none."""
    span = _samples(transaction).aggregate(first=Min("at"), last=Max("at"))
    if span["first"] is None:
        return None
    first, last = span["first"], span["last"] + timedelta(microseconds=1)
    start, end = max(start or first, first), min(end or last, last)
    if start >= end:
        raise BadWindow(_("There is nothing of this session in that time."))
    return Window.of(start, end)


def of_session(transaction: Transaction, window: Window, since: datetime | None = None) -> Points:
    """Power, energy since the start, and the battery, if the charger tells of it."""
    found = _samples(transaction).filter(at__lt=window.end)
    rows = (
        _bins(found, window, since)
        .values("bin")
        .annotate(w=Avg("power_w"), wh=Max("energy_wh"), soc=Avg("soc_percent"))
        .order_by("bin")
    )
    power: list[Point] = []
    energy: list[Point] = []
    battery: list[Point] = []
    begun = transaction.meter_start_wh
    for row in rows:
        if row["w"] is not None:
            power.append(_point(row["bin"], row["w"] / 1000))
        # Meters drop out and report 0 in between: that is no energy.
        if begun is not None and row["wh"] is not None and row["wh"] >= begun:
            energy.append(_point(row["bin"], (row["wh"] - begun) / 1000))
        if row["soc"] is not None:
            battery.append(_point(row["bin"], row["soc"]))
    panels = [
        Panel("power", _("Power"), "kW", 1, [Series("power", _("Power"), power)]),
        Panel("energy", _("Energy"), "kWh", 2, [Series("energy", _("Energy"), energy)]),
        Panel("battery", _("Battery"), "%", 0, [Series("battery", _("Battery"), battery)], highest=100),
    ]
    return Points(window, [panel for panel in panels if panel.series[0].points])


def _samples(transaction: Transaction) -> QuerySet[MeterSample]:
    """By station and time too: the head of the index, and the months to look in. The charger's clock may have been set since."""
    end = (transaction.stopped_at or timezone.now()) + DAY
    start = max(transaction.started_at - DAY, end - SESSION)
    return MeterSample.objects.filter(station=transaction.station_id, at__gte=start, at__lt=end, owner=transaction.pk)


def _bins(found: QuerySet[MeterSample], window: Window, since: datetime | None) -> QuerySet[Any]:
    """The samples of a window with their bin, from that one on in which `since` lies: it may have grown."""
    start = window.start
    if since is not None and since > start:
        start += (since - start) // window.step * window.step
    origin = Value(ORIGIN, output_field=DateTimeField())
    bin_of = Func(Value(window.step), F("at"), origin, function="date_bin", output_field=DateTimeField())
    return found.filter(at__gte=start).order_by().annotate(bin=bin_of)


def _point(at: datetime, value: Decimal) -> Point:
    return int(at.timestamp()), round(float(value), 3)
