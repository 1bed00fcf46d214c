"""Counters, gauges and histograms of one process, in plain dictionaries: the hot path must not feel them.

No locks: each cell is counted up by one thread. Whoever reads may see a moment's count without its sum, which evens out.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Any

Labels = tuple[str, ...]

#: Upper bounds of the buckets, in seconds: about the figures that the bench must reach.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.04, 0.06, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


#: Labels come from tables of ours; should one not, it stops here.
MOST = 300


class Meter:
    """One metric: `name` as Prometheus shows it, with its unit; `labels` are the names of the labels."""

    kind = ""

    def __init__(self, name: str, about: str, labels: Labels = ()) -> None:
        if name in METERS:
            raise ValueError(f"Two meters are called {name}.")
        self.name, self.about, self.labels = name, about, labels
        METERS[name] = self

    def read(self) -> list[tuple[Labels, Any]]:
        """The cells as they are now: labels and value."""
        raise NotImplementedError


#: All there are, by name.
METERS: dict[str, Meter] = {}


class Counter(Meter):
    kind = "counter"

    def __init__(self, name: str, about: str, labels: Labels = ()) -> None:
        super().__init__(name, about, labels)
        self.cells: dict[Labels, float] = {} if labels else {(): 0}

    def add(self, *labels: str, by: float = 1) -> None:
        if labels not in self.cells and len(self.cells) >= MOST:
            labels = ("other",) * len(labels)
        self.cells[labels] = self.cells.get(labels, 0) + by

    def read(self) -> list[tuple[Labels, float]]:
        return list(self.cells.items())


class Gauge(Meter):
    """Asked when it is shown: `ask` returns a number, or with labels (labels, number) of each."""

    kind = "gauge"

    def __init__(self, name: str, about: str, ask: Callable[[], Any], labels: Labels = (), kind: str = "gauge") -> None:
        super().__init__(name, about, labels)
        self.ask, self.kind = ask, kind

    def read(self) -> list[tuple[Labels, float]]:
        return list(self.ask()) if self.labels else [((), self.ask())]


class Histogram(Meter):
    """A cell is a list: how many fell into each bucket, how many above all, and the sum."""

    kind = "histogram"

    def __init__(self, name: str, about: str, labels: Labels = (), bounds: tuple[float, ...] = SECONDS) -> None:
        super().__init__(name, about, labels)
        self.bounds = bounds
        self.cells: dict[Labels, list[float]] = {}
        if not labels:
            self.cell()

    def cell(self, *labels: str) -> list[float]:
        """The cell of these labels: bind it once where it is hot, `count` into it."""
        return self.cells.setdefault(labels, [0] * (len(self.bounds) + 1) + [0.0])

    def add(self, value: float, *labels: str) -> None:
        count(self.cell(*labels), self.bounds, value)

    def read(self) -> list[tuple[Labels, list[float]]]:
        return [(labels, cell[:]) for labels, cell in list(self.cells.items())]


def count(cell: list[float], bounds: tuple[float, ...], value: float) -> None:
    cell[bisect_left(bounds, value)] += 1
    cell[-1] += value


def snapshot() -> dict[str, list[tuple[Labels, Any]]]:
    """Everything this process has counted."""
    return {name: meter.read() for name, meter in METERS.items()}


def names() -> Iterable[str]:
    return METERS.keys()
