"""The curves of a session drawn on the server, for browsers without JavaScript: points of SVG polylines, and a table of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from csms.dashboard.points import Panel, Point, Points
from csms.templatetags.units import SPACE

WIDTH, HEIGHT = 720, 160
CAPTIONS: dict[str, str | Promise] = {
    "power": _("Power from %(start)s to %(end)s, at most %(top)s"),
    "energy": _("Energy from %(start)s to %(end)s, up to %(top)s"),
    "battery": _("Battery from %(start)s to %(end)s, at most %(top)s"),
}


@dataclass(frozen=True, slots=True)
class Curve:
    """`lines` and `areas` are the points of SVG polylines and polygons in a box of `width` by `height`: a pair for each stretch
    in which something is known."""

    panel: Panel
    pieces: list[tuple[str, str]]
    top: str
    start: datetime
    end: datetime
    width: int = WIDTH
    height: int = HEIGHT
    middle: int = HEIGHT // 2

    @property
    def caption(self) -> str:
        start, end = (timezone.localtime(one).strftime("%H:%M") for one in (self.start, self.end))
        return str(CAPTIONS[self.panel.slug]) % {"start": start, "end": end, "top": self.top}


def curves(points: Points | None) -> list[Curve]:
    """A curve for each panel that has at least two points."""
    return [curve for panel in points.panels if (curve := _curve(panel, points))] if points else []


def _curve(panel: Panel, points: Points) -> Curve | None:
    (series,) = panel.series
    known = series.points
    if len(known) < 2:
        return None
    start, end = known[0][0], known[-1][0]
    highest = max(value for _at, value in known)
    scale = panel.highest or max(highest, 0.001)

    def place(point: Point) -> str:
        return f"{(point[0] - start) / (end - start) * WIDTH:.1f},{HEIGHT - max(point[1], 0) / scale * HEIGHT:.1f}"

    pieces = []
    for piece in series.pieces(points.window.hold):
        line = [place(point) for point in piece]
        ends = (line[0].split(",")[0], line[-1].split(",")[0])
        pieces.append((" ".join(line), f"{ends[0]},{HEIGHT} {' '.join(line)} {ends[1]},{HEIGHT}"))
    return Curve(panel, pieces, _quantity(highest, panel), datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))


def table(points: Points | None) -> Iterator[tuple[datetime, list[str]]]:
    """Every time with a value of each panel, a dash where there is none."""
    if points is None:
        return
    columns = [dict(panel.series[0].points) for panel in points.panels]
    for at in sorted(set().union(*columns)):
        cells = [
            _quantity(column[at], panel) if at in column else "–" for column, panel in zip(columns, points.panels, strict=True)
        ]
        yield datetime.fromtimestamp(at, UTC), cells


def _quantity(value: float, panel: Panel) -> str:
    rounded = round(Decimal(str(value)), panel.decimals)
    return number_format(rounded, panel.decimals, use_l10n=True, force_grouping=True) + SPACE + panel.unit
