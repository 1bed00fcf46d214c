"""What the form of a tariff says, as an OCPI 2.2.1 Tariff object, and back.

The elements are the rows in their order, then what holds always. What the form cannot say (reservations, limits of current, several
taxes) is not for it: `read` returns None, and the tariff is changed as JSON.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from billing import series
from billing.tariff import Component, Dimension, InvalidTariff, Limit, Restrictions, Tariff
from billing.tariff.reading import DAYS

#: Rows beside what holds always.
MOST_ROWS = 20
PER_MINUTE, PER_HOUR = "minute", "hour"
MINUTES = 60
STEPS = (1, 60, 300, 900, 1800, 3600)
#: The dimension of each price of the form.
PRICES = {"energy": Dimension.ENERGY, "time": Dimension.TIME, "parking": Dimension.PARKING_TIME, "flat": Dimension.FLAT}
NAMES = {dimension: name for name, dimension in PRICES.items()}
TIMED = (Dimension.TIME, Dimension.PARKING_TIME)
#: In kWh and kW here and there.
LIMITS = {"after_kwh": "min_kwh", "until_kwh": "max_kwh", "above_kw": "min_power", "below_kw": "max_power"}
#: In minutes here, in seconds there.
DURATIONS = {"after_minutes": "min_duration", "until_minutes": "max_duration"}
#: Those from which on something holds.
LEAST = ("after_kwh", "above_kw", "after_minutes")
PLACES, LIMIT_PLACES = 4, 3

Values = dict[str, Any]


def body(always: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Values:
    """What cleaned forms say, of a tariff whose other fields are left out. Without a price charging is free."""
    elements: list[Values] = [
        {"price_components": list(_components(always, row)), "restrictions": restrictions(row)} for row in rows
    ]
    base = list(_components(always, always))
    if not elements and not base:
        base = [{"type": "FLAT", "price": 0.0, "step_size": 1} | _vat(always)]
    if base:
        elements.append({"price_components": base})
    found: Values = {"elements": elements}
    for name, key in (("least", "min_price"), ("most", "max_price")):
        if always[name] is not None:
            found[key] = {"excl_vat": float(always[name])}
            if always["tax"] is not None:
                found[key]["incl_vat"] = float(_taxed(always[name], always["tax"]))
    return found


def _vat(always: Mapping[str, Any]) -> Values:
    return {} if always["tax"] is None else {"vat": float(always["tax"])}


def _components(always: Mapping[str, Any], prices: Mapping[str, Any]) -> Iterator[Values]:
    for name, dimension in PRICES.items():
        amount, market = prices[name], prices.get("series") if name == "energy" else None
        if amount is None and not market:
            continue
        timed = dimension in TIMED
        amount = (amount or Decimal(0)) * (MINUTES if timed and always["per"] == PER_MINUTE else 1)
        step = always["step"] if timed else 1
        found = {"type": dimension.value, "price": float(amount), "step_size": step} | _vat(always)
        yield found | ({"price_series": market} if market else {})


def restrictions(row: Mapping[str, Any]) -> Values:
    """A row's conditions; empty if it has none."""
    found: Values = {}
    for name, key in (("begin", "start_time"), ("end", "end_time")):
        if row[name] is not None:
            found[key] = row[name].strftime("%H:%M")
    if row["since"] is not None:
        found["start_date"] = row["since"].isoformat()
    if row["until"] is not None:
        # People name the last day, OCPI the one after it.
        found["end_date"] = (row["until"] + timedelta(days=1)).isoformat()
    for name, key in LIMITS.items():
        if _limits(name, row[name]):
            found[key] = float(row[name])
    for name, key in DURATIONS.items():
        if _limits(name, row[name]):
            found[key] = int(row[name]) * MINUTES
    if row["days"]:
        found["day_of_week"] = list(row["days"])
    return found


def _limits(name: str, value: Decimal | None) -> bool:
    """From nothing on is always; up to nothing is never."""
    return value is not None and (bool(value) or name not in LEAST)


def _taxed(amount: Decimal, tax: Decimal) -> Decimal:
    return amount * (100 + tax) / 100


class Unsayable(Exception):
    """The form has no words for it."""


def read(ocpi: Mapping[str, Any]) -> tuple[Values, list[Values]] | None:
    """What the form shows of a Tariff object: what holds always, and the rows. None: it cannot show all of it."""
    try:
        tariff = series.parse(ocpi)
        return _read(tariff, ocpi)
    except (InvalidTariff, Unsayable):
        return None


def _read(tariff: Tariff, ocpi: Mapping[str, Any]) -> tuple[Values, list[Values]]:
    nothing = Restrictions()
    elements, base = list(tariff.elements), list[Component]()
    while elements and elements[-1].restrictions == nothing:
        base = [*elements.pop().components, *base]
    if len(elements) > MOST_ROWS or any(element.restrictions == nothing for element in elements):
        raise Unsayable
    parts = [component for element in tariff.elements for component in element.components]
    taxes = {component.vat for component in parts}
    timed = [component for component in parts if component.dimension in TIMED]
    steps = {component.step_size for component in timed} or {1}
    if len(taxes) > 1 or len(steps) > 1 or not steps <= set(STEPS):
        raise Unsayable
    (tax,) = taxes
    if any(component.step_size != 1 for component in parts if component.dimension is Dimension.ENERGY):
        raise Unsayable
    # Not all prices of an hour can be told per minute.
    by_minute = all(_fits(component.price / MINUTES, PLACES) for component in timed)
    units = MINUTES if by_minute else 1
    always: Values = {"currency": tariff.currency, "tax": tax, "per": PER_MINUTE if by_minute else PER_HOUR, "step": min(steps)}
    driven = [component for component in parts if component.series is not None]
    if driven:
        if driven != [one for one in base if one.dimension is Dimension.ENERGY] or driven[0].factor != 1:
            raise Unsayable
        always["series"] = next(iter(series.named(ocpi)))
    always |= _prices(base, units) | {"least": _limit(tariff.min_price, tax), "most": _limit(tariff.max_price, tax)}
    return always, [_conditions(element.restrictions) | _prices(element.components, units) for element in elements]


def _prices(components: Iterable[Component], units: int) -> Values:
    """Of each dimension the first, which counts."""
    found: Values = {}
    for component in components:
        amount = component.price / units if component.dimension in TIMED else component.price
        found.setdefault(NAMES[component.dimension], _plain(amount, PLACES))
    return found


def _conditions(within: Restrictions) -> Values:
    if within.reservation is not None or within.min_a is not None or within.max_a is not None:
        raise Unsayable
    if within.start_time is not None and within.start_time == within.end_time:
        raise Unsayable
    found: Values = {"begin": within.start_time, "end": within.end_time, "since": within.start_date}
    found["until"] = date.fromordinal(within.end_date.toordinal() - 1) if within.end_date else None
    found["days"] = [DAYS[day] for day in sorted(within.days)]
    kilo = {"after_kwh": within.min_wh, "until_kwh": within.max_wh, "above_kw": within.min_w, "below_kw": within.max_w}
    found |= {name: None if value is None else _plain(value / 1000, LIMIT_PLACES) for name, value in kilo.items()}
    for name, seconds in (("after_minutes", within.min_s), ("until_minutes", within.max_s)):
        if seconds is not None and seconds % MINUTES:
            raise Unsayable
        found[name] = None if seconds is None else seconds // MINUTES
    return found


def _limit(limit: Limit | None, tax: Decimal | None) -> Decimal | None:
    if limit is None:
        return None
    if limit.incl_tax is not None and limit.incl_tax != (None if tax is None else _taxed(limit.excl_tax, tax)):
        raise Unsayable
    return _plain(limit.excl_tax, PLACES)


def _fits(value: Decimal, places: int) -> bool:
    return round(value, places) == value


def _plain(value: Decimal, places: int) -> Decimal:
    """As somebody would type it."""
    if not _fits(value, places):
        raise Unsayable
    return Decimal(f"{value.normalize():f}")
