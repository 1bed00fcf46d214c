"""Curves drawn on the server: points of an SVG polyline, each with a table beside it on the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from stations.models import MeterSample

WIDTH, HEIGHT = 720, 160


@dataclass(frozen=True, slots=True)
class Curve:
    """`line` and `area` are the points of an SVG polyline and polygon in a box of `width` by `height`;
    `top` is the highest value."""

    line: str
    area: str
    top: Decimal
    start: datetime
    end: datetime
    width: int = WIDTH
    height: int = HEIGHT
    middle: int = HEIGHT // 2


def power_curve(samples: Sequence[MeterSample]) -> Curve | None:
    """Power in W over time; None when fewer than two samples have a power."""
    return _curve([(sample.at, sample.power_w) for sample in samples if sample.power_w is not None])


def energy_curve(samples: Sequence[MeterSample], start_wh: Decimal | None) -> Curve | None:
    """Energy in Wh over time since the register stood at `start_wh`; unknown: since the first sample."""
    known = [(sample.at, sample.energy_wh) for sample in samples if sample.energy_wh is not None]
    return _curve([(at, wh - (known[0][1] if start_wh is None else start_wh)) for at, wh in known])


def _curve(known: Sequence[tuple[datetime, Decimal]]) -> Curve | None:
    if len(known) < 2 or known[0][0] == known[-1][0]:
        return None
    start, end = known[0][0], known[-1][0]
    top = max(max(value for _, value in known), Decimal(1))
    points = [
        f"{(at - start) / (end - start) * WIDTH:.1f},{HEIGHT - max(value, Decimal(0)) / top * HEIGHT:.1f}" for at, value in known
    ]
    line = " ".join(points)
    return Curve(line, f"0,{HEIGHT} {line} {WIDTH},{HEIGHT}", top, start, end)
