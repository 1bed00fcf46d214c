"""`/metrics`: what all web processes of this service counted (label `process`), and what the tables know."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from csms.metrics import board, meters, tables
from csms.metrics.meters import Histogram, Meter

SILENT = ("csms_process_silent_seconds", "How long ago a web process last said what it counted; it does so once a second.")


class Everything(Collector):
    def collect(self) -> Iterator[Metric]:
        said = list(board.board.read())
        silent = GaugeMetricFamily(*SILENT, labels=("process",))
        for one in said:
            silent.add_metric((str(one.number),), one.ago_s)
        yield silent
        counted = [(str(one.number), orjson.loads(one.text)) for one in said]
        for meter in meters.METERS.values():
            family = _family(meter)
            for number, cells in counted:
                for labels, value in cells.get(meter.name, ()):
                    _add(family, meter, (number, *labels), value)
            yield family
        yield from tables.families()


def _family(meter: Meter) -> Any:
    labels = ("process", *meter.labels)
    if isinstance(meter, Histogram):
        return HistogramMetricFamily(meter.name, meter.about, labels=labels)
    if meter.kind == "counter":
        return CounterMetricFamily(meter.name.removesuffix("_total"), meter.about, labels=labels)
    return GaugeMetricFamily(meter.name, meter.about, labels=labels)


def _add(family: Any, meter: Meter, labels: tuple[str, ...], value: Any) -> None:
    if isinstance(meter, Histogram):
        *counts, total = value
        bounds = (*(floatToGoString(bound) for bound in meter.bounds), "+Inf")
        family.add_metric(labels, buckets=list(zip(bounds, accumulate(counts), strict=True)), sum_value=total)
    else:
        family.add_metric(labels, value)


registry = CollectorRegistry(auto_describe=False)
registry.register(Everything())


def text(accept: str) -> tuple[bytes, str]:
    """The page in the form that the asker prefers, and its content type."""
    encode, kind = choose_encoder(accept)
    return encode(registry), kind


def names() -> set[str]:
    """Every metric there is."""
    return {SILENT[0], *meters.names(), *tables.GAUGES, *tables.COUNTERS}
