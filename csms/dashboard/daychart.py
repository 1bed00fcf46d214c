"""The power of a charger over the last day, drawn on the server as bars of a quarter of an hour each, beside a table."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import Avg, DateTimeField, F, Func, Max, Value
from django.utils import timezone

from stations.models import MeterSample, Station

SLOT = timedelta(minutes=15)
SLOTS = 96
WIDTH, HEIGHT = 768, 160


@dataclass(frozen=True, slots=True)
class Bar:
    """`mean_w` is the mean over the slot, `top_w` the highest sample; x, y, width and height are those of its rectangle."""

    start: datetime
    mean_w: Decimal
    top_w: Decimal
    x: str
    y: str
    height: str
    width: str = f"{WIDTH / SLOTS - 1:.1f}"


@dataclass(frozen=True, slots=True)
class DayChart:
    """Slots without a sample have no bar: nothing is known of them, which is not zero."""

    bars: list[Bar]
    start: datetime
    end: datetime
    top_w: Decimal
    width: int = WIDTH
    height: int = HEIGHT
    middle: int = HEIGHT // 2


def last_day(station: Station) -> DayChart | None:
    """None when the charger reported no power. The main meter (EVSE 0) would count the plugs twice and is left out."""
    now = timezone.now()
    end = datetime.fromtimestamp((now.timestamp() // SLOT.total_seconds() + 1) * SLOT.total_seconds(), UTC)
    start = end - SLOTS * SLOT
    origin = Value(datetime(2020, 1, 1, tzinfo=UTC), output_field=DateTimeField())
    slot = Func(Value(SLOT), F("at"), origin, function="date_bin", output_field=DateTimeField())
    found = (
        MeterSample.objects.filter(station=station, at__gte=start, at__lt=end, power_w__isnull=False, evse_number__gt=0)
        .order_by()
        .annotate(slot=slot)
        .values("slot", "evse_number")
        .annotate(mean=Avg("power_w"), top=Max("power_w"))
    )
    means: dict[datetime, Decimal] = defaultdict(Decimal)
    tops: dict[datetime, Decimal] = defaultdict(Decimal)
    for row in found:
        means[row["slot"]] += row["mean"]
        tops[row["slot"]] += row["top"]
    if not means:
        return None
    highest = max(max(means.values()), Decimal(1))
    bars = []
    for at in sorted(means):
        share = max(means[at], Decimal(0)) / highest
        # A bar of zero is a line on the ground: it was asked, and drew nothing.
        tall = max(share * HEIGHT, Decimal(1))
        x = (at - start) / SLOT * WIDTH / SLOTS
        bars.append(Bar(at, means[at], tops[at], f"{x:.1f}", f"{HEIGHT - tall:.1f}", f"{tall:.1f}"))
    return DayChart(bars, start, end, highest)
