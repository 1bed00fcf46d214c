"""Prices that a market makes, as the tariff engine takes them: read for the time of a session, with a gap where one is missing."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django_scopes import scopes_disabled

from billing import tariff as engine
from billing.seriesmodels import PricePoint, PriceSeries, Unit

#: What a price of a series is divided by to be one per kWh.
SIZES = {Unit.MWH: Decimal(1000), Unit.KWH: Decimal(1)}
#: A series of which no price was read: a session under it has no price yet.
UNREAD = engine.Series((), (), datetime(1970, 1, 1, tzinfo=UTC))
#: How long ago a running session may have begun to be told what it costs so far: no more prices are kept in memory.
LONGEST = timedelta(days=92)
DAY = timedelta(days=1)


def named(ocpi: Mapping[str, Any]) -> set[str]:
    """The series that a Tariff object refers to. It may be anything that came from outside."""
    elements = ocpi.get("elements")
    found = (one for element in _maps(elements) for one in _maps(element.get("price_components")))
    return {name for one in found if isinstance(name := one.get("price_series"), str)}


def parse(ocpi: Mapping[str, Any], known: Mapping[str, engine.Series] | None = None) -> engine.Tariff:
    """A Tariff object of a version, whose series are ours; of those that are not given no price is known. Raises InvalidTariff."""
    return engine.parse(ocpi, dict.fromkeys(named(ocpi), UNREAD) | dict(known or {}))


def noted(ocpi: Mapping[str, Any], applied: engine.Tariff) -> dict[str, Any]:
    """The prices that the series of a Tariff object had when it was read as `applied`, as a charge record keeps them."""
    found: dict[str, Any] = {}
    for element, read in zip(ocpi["elements"], applied.elements, strict=True):
        for said, component in zip(element["price_components"], read.components, strict=True):
            if (one := component.series) is not None:
                found[said["price_series"]] = {
                    "starts": [at.isoformat() for at in one.starts],
                    "prices": [None if price is None else f"{price:f}" for price in one.prices],
                    "until": one.until.isoformat(),
                }
    return found


def kept(market: Mapping[str, Any]) -> dict[str, engine.Series]:
    """What `noted` told, as the engine has it."""
    at = datetime.fromisoformat
    return {
        name: engine.Series(
            tuple(at(start) for start in one["starts"]),
            tuple(None if price is None else Decimal(price) for price in one["prices"]),
            at(one["until"]),
        )
        for name, one in market.items()
    }


def usable(operator_id: int, currency: str) -> dict[str, engine.Series]:
    """What a new version of an operator's tariff may name."""
    with scopes_disabled():
        names = PriceSeries.objects.filter(operator=operator_id, currency=currency).values_list("name", flat=True)
        return dict.fromkeys(names, UNREAD)


def during(operator_id: int, names: Iterable[str], start: datetime, end: datetime) -> dict[str, engine.Series]:
    """An operator's series, with their prices of a time. One query for the series, one for the prices."""
    # Keyed by the operator: whoever asks was allowed to see the session.
    with scopes_disabled():
        found = list(PriceSeries.objects.filter(operator=operator_id, name__in=list(names)))
        if not found:
            return {}
        longest = timedelta(minutes=max(one.resolution_minutes for one in found))
        points = PricePoint.objects.filter(series__in=found, start__gt=start - longest, start__lte=end).order_by("start")
        by_series: dict[int, list[tuple[datetime, Decimal]]] = {one.pk: [] for one in found}
        for series_id, at, price in points.values_list("series_id", "start", "price"):
            by_series[series_id].append((at, price))
    return {one.name: as_series(one, by_series[one.pk]) for one in found}


def as_series(of: PriceSeries, points: Iterable[tuple[datetime, Decimal]]) -> engine.Series:
    """Points, sorted by their start, as the engine has them: per kWh, and None from where one ends before the next one starts."""
    steps = list(_steps(of, points))
    if not steps:
        return UNREAD
    until = steps[-1][0]
    return engine.Series(tuple(at for at, _price in steps[:-1]), tuple(price for _at, price in steps[:-1]), until)


def _steps(of: PriceSeries, points: Iterable[tuple[datetime, Decimal]]) -> Iterator[tuple[datetime, Decimal | None]]:
    """When which price begins to hold; the last one is the end of all."""
    size, length = SIZES[Unit(of.unit)], timedelta(minutes=of.resolution_minutes)
    end: datetime | None = None
    for at, price in points:
        if end is not None and end < at:
            yield end, None
        # Written as it was typed: a charge record's line tells it.
        yield at, Decimal(f"{(price / size).normalize():f}")
        end = at + length
    if end is not None:
        yield end, None


class Market:
    """Tariffs with the prices of their series: those of a time are read once, whichever sessions lie in it."""

    def __init__(self) -> None:
        self._read: dict[tuple[int, frozenset[str]], tuple[datetime, datetime, dict[str, engine.Series]]] = {}

    def joined(
        self,
        operator_id: int,
        ocpi: Mapping[str, Any],
        start: datetime,
        end: datetime,
        *,
        before: Mapping[str, engine.Series] | None = None,
    ) -> engine.Tariff:
        """The tariff, with the prices its series have from `start` to `end`. `before`: those that applied already, which stay."""
        names = named(ocpi)
        if not names:
            return engine.parse(ocpi)
        key = (operator_id, frozenset(names))
        known = self._read.get(key)
        if known is None or start < known[0] or end > known[1]:
            since, until = (start, end) if known is None else (min(start, known[0]), max(end, known[1]))
            known = self._read[key] = (since, until, during(operator_id, names, since, until))
        found = {name: _cut(one, start, end) for name, one in known[2].items()}
        return parse(ocpi, found | {name: one.over(found.get(name, UNREAD)) for name, one in (before or {}).items()})


class Followed:
    """A tariff that a market drives, as running sessions need it: prices of whole days, from that on which the first of them began
    to tomorrow. They are read once a day, and when one comes that began earlier; whoever keeps this forgets it when prices come.
    """

    def __init__(self, operator_id: int, ocpi: Mapping[str, Any]) -> None:
        self._operator_id, self._ocpi = operator_id, ocpi
        self._known: tuple[datetime, datetime, engine.Tariff] | None = None

    def during(self, start: datetime, end: datetime) -> engine.Tariff:
        """With the prices of a time. Raises NoPrice for what began too long ago."""
        today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        if start < today - LONGEST:
            raise engine.NoPrice(f"What costs as a market says is told for {LONGEST.days} days.")
        tomorrow = today + 2 * DAY
        known = self._known
        if known is None or start < known[0] or min(end, tomorrow) > known[1]:
            since = min(start, today if known is None else max(known[0], today - LONGEST))
            since = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            read = parse(self._ocpi, during(self._operator_id, named(self._ocpi), since, tomorrow))
            known = self._known = (since, tomorrow, read)
        return known[2]


def followed(operator_id: int, ocpi: Mapping[str, Any]) -> Followed | None:
    """None: no market drives it."""
    return Followed(operator_id, ocpi) if named(ocpi) else None


def _cut(one: engine.Series, start: datetime, end: datetime) -> engine.Series:
    """Only what a session needs: of its last moment nothing, unless that is its first."""
    first = max(bisect_right(one.starts, start) - 1, 0)
    last = max(bisect_left(one.starts, end), first + 1)
    starts, prices = one.starts[first:last], one.prices[first:last]
    return replace(one, starts=starts, prices=prices, until=one.starts[last] if last < len(one.starts) else one.until)


def _maps(value: object) -> Iterator[Mapping[str, Any]]:
    return (one for one in value if isinstance(one, Mapping)) if isinstance(value, list) else iter(())


def spanned(rows: QuerySet[PriceSeries]) -> QuerySet[PriceSeries]:
    """Series with when their prices begin and what the last one is from: `first_at`, `last_at`."""
    points = PricePoint.objects.filter(series=OuterRef("pk")).values("start")
    return rows.annotate(first_at=Subquery(points.order_by("start")[:1]), last_at=Subquery(points.order_by("-start")[:1]))


def gaps(of: PriceSeries, starts: Iterable[datetime]) -> list[tuple[datetime, datetime]]:
    """From when to when a price is missing between those that begin at these times, which are sorted."""
    length = timedelta(minutes=of.resolution_minutes)
    known = list(starts)
    return [(before + length, after) for before, after in pairwise(known) if before + length < after]
