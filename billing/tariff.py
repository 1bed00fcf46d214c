"""The tariff engine: what a session costs under a tariff, and why. Pure: no database, no clock, no settings.

`parse` reads an OCPI 2.2.1 Tariff object, `price` prices a session under it. Arithmetic is exact; each total is rounded half
up once. The semantics are those of OCPI 2.2.1 mod_tariffs for tariffs of one element without restrictions; any other tariff
is refused with `UnsupportedTariff`, because a price that ignores a restriction would be wrong.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction

from billing.money import Money, half_up, minor_units

#: Decimals of a line's volume and cost, which may not end (20 minutes are 0.333... hours). Totals come from the exact values.
LINE_PLACES = 10


class TariffError(ValueError):
    """Base of what `parse` raises: a sentence with cause and remedy."""


class InvalidTariff(TariffError):
    """Not an OCPI 2.2.1 Tariff object."""


class UnsupportedTariff(TariffError):
    """A right tariff, which this engine cannot price yet."""


class InvalidSession(ValueError):
    """A session that cannot have taken place."""


class Dimension(StrEnum):
    """OCPI 2.2.1 TariffDimensionType."""

    ENERGY = "ENERGY"
    FLAT = "FLAT"
    PARKING_TIME = "PARKING_TIME"
    TIME = "TIME"


#: Unit a price is for, and how many of the base unit (Wh, seconds, sessions), in which step_size counts, it has.
UNITS = {
    Dimension.ENERGY: ("kWh", 1000),
    Dimension.FLAT: ("session", 1),
    Dimension.PARKING_TIME: ("h", 3600),
    Dimension.TIME: ("h", 3600),
}


@dataclass(frozen=True, slots=True)
class Component:
    """A price without tax per kWh, hour or session. `vat` in percent, None if not named; `step_size` in Wh or seconds."""

    dimension: Dimension
    price: Decimal
    vat: Decimal | None
    step_size: int


@dataclass(frozen=True, slots=True)
class Limit:
    """The least or most a session costs, without and with tax, each on its own."""

    excl_tax: Decimal
    incl_tax: Decimal | None


@dataclass(frozen=True, slots=True)
class Element:
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class Tariff:
    currency: str
    elements: tuple[Element, ...]
    min_price: Limit | None = None
    max_price: Limit | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """The energy since the start of the session, in Wh."""

    at: datetime
    energy_wh: Decimal


@dataclass(frozen=True, slots=True)
class Session:
    """What happened. `samples` are in the order of time and are read once; energy is linear between them, level after the last.

    Until `charging_end` the vehicle charges (TIME), after it is only parked (PARKING_TIME). `time_zone` is the IANA name of
    the place's.
    """

    start: datetime
    end: datetime
    time_zone: str
    samples: Iterable[Sample]
    charging_end: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A volume after step_size, in `unit`, at a price without tax."""

    dimension: Dimension
    volume: Decimal
    unit: str
    price: Decimal
    cost_excl_tax: Decimal


@dataclass(frozen=True, slots=True)
class Priced:
    """The lines are before minimum and maximum price. `total_incl_tax` is None if no price used names a tax."""

    lines: tuple[Line, ...]
    total_excl_tax: Decimal
    total_incl_tax: Decimal | None
    currency: str


def price(tariff: Tariff, session: Session) -> Priced:
    """What the session costs. A price applies to what was used; a volume of nothing makes no line."""
    components = {component.dimension: component for component in tariff.elements[0].components}
    used = {dimension: volume for dimension, volume in _volumes(session).items() if volume and dimension in components}
    net = gross = Fraction(0)
    lines = []
    for dimension, volume in used.items():
        component = components[dimension]
        # OCPI: of the time-based prices only the last one used is rounded up to its step.
        if not (dimension is Dimension.TIME and Dimension.PARKING_TIME in used):
            volume = _stepped(volume, component)
        unit, size = UNITS[dimension]
        cost = Fraction(component.price) * volume / size
        net += cost
        gross += cost * (1 + Fraction(component.vat or 0) / 100)
        lines.append(Line(dimension, _decimal(volume / size), unit, component.price, _decimal(cost)))
    taxed = any(component.vat is not None for dimension, component in components.items() if dimension in used or not used)
    if tariff.min_price:
        net = max(net, Fraction(tariff.min_price.excl_tax))
        # A minimum that names no price with tax still keeps the total with tax from falling below it.
        gross = max(gross, Fraction(tariff.min_price.excl_tax if tariff.min_price.incl_tax is None else tariff.min_price.incl_tax))
    if tariff.max_price:
        net = min(net, Fraction(tariff.max_price.excl_tax))
        gross = gross if tariff.max_price.incl_tax is None else min(gross, Fraction(tariff.max_price.incl_tax))
    return Priced(
        lines=tuple(lines),
        total_excl_tax=Money.nearest(net, tariff.currency).amount,
        total_incl_tax=Money.nearest(gross, tariff.currency).amount if taxed else None,
        currency=tariff.currency,
    )


def _volumes(session: Session) -> dict[Dimension, Fraction]:
    """What was used, in the base units: Wh, seconds, one session."""
    if not session.start <= session.charging_end <= session.end:
        raise InvalidSession("A session's start, charging_end and end must follow each other.")
    return {
        Dimension.FLAT: Fraction(1),
        Dimension.ENERGY: _energy_wh(session),
        Dimension.TIME: _seconds(session.charging_end - session.start),
        Dimension.PARKING_TIME: _seconds(session.end - session.charging_end),
    }


def _energy_wh(session: Session) -> Fraction:
    """The energy at the end of the session."""
    before = Sample(session.start, Decimal(0))
    for sample in session.samples:
        if sample.at < before.at or sample.energy_wh < before.energy_wh:
            raise InvalidSession(f"The sample of {sample.at.isoformat()} is earlier, or has less energy, than the one before it.")
        if sample.at > session.end:
            part = _seconds(session.end - before.at) / _seconds(sample.at - before.at)
            return Fraction(before.energy_wh) + part * (Fraction(sample.energy_wh) - Fraction(before.energy_wh))
        before = sample
    return Fraction(before.energy_wh)


def _stepped(volume: Fraction, component: Component) -> Fraction:
    """Rounded up to whole steps; a step of 0 rounds nothing."""
    if component.dimension is Dimension.FLAT or not component.step_size:
        return volume
    return Fraction(math.ceil(volume / component.step_size) * component.step_size)


def _seconds(duration: timedelta) -> Fraction:
    return Fraction(duration // timedelta(microseconds=1), 1_000_000)


def _decimal(value: Fraction) -> Decimal:
    """To LINE_PLACES decimals, without zeros at the end and never in exponents."""
    text = f"{half_up(value, LINE_PLACES):f}"
    return Decimal(text.rstrip("0").rstrip("."))


def parse(data: object) -> Tariff:
    """Read an OCPI 2.2.1 Tariff object. Raises InvalidTariff or UnsupportedTariff."""
    tariff = _object(data, "the tariff")
    currency = tariff.get("currency")
    if not isinstance(currency, str):
        raise InvalidTariff("currency must be three capital letters of ISO 4217, such as EUR.")
    try:
        minor_units(currency)
    except ValueError as error:
        raise InvalidTariff(f"currency: {error}") from error
    elements = tuple(_element(item, f"elements[{i}]") for i, item in enumerate(_list(tariff.get("elements"), "elements")))
    if len(elements) > 1:
        raise UnsupportedTariff("Only tariffs of one element can be priced: merge the elements into one.")
    return Tariff(currency, elements, _limit(tariff, "min_price"), _limit(tariff, "max_price"))


def _element(data: object, where: str) -> Element:
    element = _object(data, where)
    if element.get("restrictions"):
        raise UnsupportedTariff(f"{where} has restrictions, which cannot be priced: leave them out.")
    items = _list(element.get("price_components"), f"{where}.price_components")
    components = tuple(_component(item, f"{where}.price_components[{i}]") for i, item in enumerate(items))
    if len({component.dimension for component in components}) < len(components):
        raise InvalidTariff(f"{where} has two price components of one type: keep one.")
    return Element(components)


def _component(data: object, where: str) -> Component:
    component = _object(data, where)
    try:
        dimension = Dimension(str(component.get("type")))
    except ValueError as error:
        raise InvalidTariff(f"{where}.type must be one of {', '.join(Dimension)}.") from error
    step_size = component.get("step_size")
    if not isinstance(step_size, int) or isinstance(step_size, bool) or step_size < 0:
        raise InvalidTariff(f"{where}.step_size must be a whole number of Wh or seconds, such as 1.")
    vat = component.get("vat")
    return Component(
        dimension=dimension,
        price=_number(component.get("price"), f"{where}.price"),
        vat=None if vat is None else _number(vat, f"{where}.vat"),
        step_size=step_size,
    )


def _limit(tariff: Mapping[str, object], name: str) -> Limit | None:
    if tariff.get(name) is None:
        return None
    limit = _object(tariff[name], name)
    incl_tax = limit.get("incl_vat")
    return Limit(
        excl_tax=_number(limit.get("excl_vat"), f"{name}.excl_vat"),
        incl_tax=None if incl_tax is None else _number(incl_tax, f"{name}.incl_vat"),
    )


def _object(data: object, where: str) -> Mapping[str, object]:
    if not isinstance(data, Mapping):
        raise InvalidTariff(f"{where} must be an object.")
    return data


def _list(data: object, where: str) -> list[object]:
    if not isinstance(data, list) or not data:
        raise InvalidTariff(f"{where} must be a list with at least one item.")
    return data


def _number(value: object, where: str) -> Decimal:
    """A JSON number as the decimal that was written, not as the binary fraction it became."""
    try:
        if not isinstance(value, int | float | str | Decimal) or isinstance(value, bool):
            raise InvalidOperation
        number = Decimal(str(value))
        # The bounds keep a hostile "1e-999999999" from becoming a fraction of a billion digits.
        if not (number.is_finite() and 0 <= number < 10**12 and number.adjusted() >= -30 and len(number.as_tuple().digits) <= 40):
            raise InvalidOperation
    except InvalidOperation as error:
        raise InvalidTariff(f"{where} must be a number, not negative, below 10^12, and of at most 40 digits.") from error
    return number
