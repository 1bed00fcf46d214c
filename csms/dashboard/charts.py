"""Curves drawn on the server: points of an SVG polyline, each with a table beside it on the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from stations.models import MeterSample

WIDTH, HEIGHT = 720, 160


@dataclass(frozen=True, slots=True)
class Curve:
    """`line` and `area` are the points of an SVG polyline and polygon in a box of `width` by `height`."""

    line: str
    area: str
    top_w: Decimal
    start: datetime
    end: datetime
    width: int = WIDTH
    height: int = HEIGHT
    middle: int = HEIGHT // 2


def power_curve(samples: Sequence[MeterSample]) -> Curve | None:
    """Power over time; None when fewer than two samples have a power."""
    known = [(sample.at, sample.power_w) for sample in samples if sample.power_w is not None]
    if len(known) < 2 or known[0][0] == known[-1][0]:
        return None
    start, end = known[0][0], known[-1][0]
    top = max(max(power for _, power in known), Decimal(1))
    points = [
        f"{(at - start) / (end - start) * WIDTH:.1f},{HEIGHT - max(power, Decimal(0)) / top * HEIGHT:.1f}" for at, power in known
    ]
    line = " ".join(points)
    return Curve(line, f"0,{HEIGHT} {line} {WIDTH},{HEIGHT}", top, start, end)
