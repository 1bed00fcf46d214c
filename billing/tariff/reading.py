"""Reads OCPI 2.2.1 Tariff objects, as those of `mod_tariffs`, with a sentence for whatever is wrong."""

import re
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from billing.money import minor_units
from billing.tariff.model import PRICED, Component, Dimension, Element, Limit, Reservation, Restrictions, Series, Tariff

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
MOST_ELEMENTS = 500
#: What a restriction in kWh, kW or A is counted in here.
KILO = Decimal(1000)

#: What the standard library reads is more: times with a zone, weeks of a year, digits in groups.
TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
#: Dates between which people price: a day less or more is one, too.
FIRST, LAST = date(1970, 1, 1), date(2999, 12, 31)

Value = TypeVar("Value")


class InvalidTariff(ValueError):
    """Not an OCPI 2.2.1 Tariff object: a sentence with cause and remedy."""


def parse(data: object, series: Mapping[str, Series] | None = None) -> Tariff:
    """Read a Tariff object. Raises InvalidTariff.

    `series`: by its name, what a component's `price_series` refers to. That is no OCPI: a price that a market drives.
    """
    tariff = _object(data, "the tariff")
    currency = tariff.get("currency")
    if not isinstance(currency, str):
        raise InvalidTariff("currency must be three capital letters of ISO 4217, such as EUR.")
    try:
        minor_units(currency)
    except ValueError as error:
        raise InvalidTariff(f"currency: {error}") from error
    items = _list(tariff.get("elements"), "elements")
    if len(items) > MOST_ELEMENTS:
        raise InvalidTariff(f"elements: a tariff may have {MOST_ELEMENTS} elements at most.")
    elements = tuple(_element(item, f"elements[{i}]", series or {}) for i, item in enumerate(items))
    return Tariff(currency, elements, _limit(tariff, "min_price"), _limit(tariff, "max_price"))


def _element(data: object, where: str, series: Mapping[str, Series]) -> Element:
    element = _object(data, where)
    items = _list(element.get("price_components"), f"{where}.price_components")
    components = tuple(_component(item, f"{where}.price_components[{i}]", series) for i, item in enumerate(items))
    if len({component.dimension for component in components}) < len(components):
        raise InvalidTariff(f"{where} has two price components of one type: keep one.")
    if element.get("restrictions") is None:
        return Element(components)
    return Element(components, _restrictions(_object(element["restrictions"], f"{where}.restrictions"), f"{where}.restrictions"))


def _component(data: object, where: str, series: Mapping[str, Series]) -> Component:
    component = _object(data, where)
    kind = component.get("type")
    if kind not in PRICED:
        raise InvalidTariff(f"{where}.type must be one of {', '.join(PRICED)}.")
    vat = component.get("vat")
    name = component.get("price_series")
    if name is not None and not (isinstance(name, str) and name in series):
        raise InvalidTariff(f"{where}.price_series must be the name of a price series, or be left out.")
    return Component(
        dimension=Dimension(str(kind)),
        price=_number(component.get("price"), f"{where}.price"),
        vat=None if vat is None else _number(vat, f"{where}.vat"),
        step_size=_whole(component.get("step_size"), f"{where}.step_size", "Wh or seconds"),
        series=None if name is None else series[str(name)],
        factor=_number(component.get("series_factor", 1), f"{where}.series_factor"),
    )


def _restrictions(data: Mapping[str, object], where: str) -> Restrictions:
    def given(name: str, read: Callable[[object, str], Value]) -> Value | None:
        value = data.get(name)
        return None if value is None else read(value, f"{where}.{name}")

    def kilo(value: object, at: str) -> Decimal:
        return _number(value, at) * KILO

    def seconds(value: object, at: str) -> int:
        return _whole(value, at, "seconds")

    read = Restrictions(
        start_time=given("start_time", _time),
        end_time=given("end_time", _time),
        start_date=given("start_date", _date),
        end_date=given("end_date", _date),
        min_wh=given("min_kwh", kilo),
        max_wh=given("max_kwh", kilo),
        min_w=given("min_power", kilo),
        max_w=given("max_power", kilo),
        min_a=given("min_current", _number),
        max_a=given("max_current", _number),
        min_s=given("min_duration", seconds),
        max_s=given("max_duration", seconds),
        days=given("day_of_week", _days) or frozenset(),
        reservation=given("reservation", _reservation),
    )
    return read


def _time(value: object, where: str) -> time:
    if not isinstance(value, str) or not TIME.fullmatch(value):
        raise InvalidTariff(f"{where} must be a time such as 17:30.")
    return time.fromisoformat(value)


def _date(value: object, where: str) -> date:
    try:
        if not isinstance(value, str) or not DATE.fullmatch(value) or not FIRST <= (day := date.fromisoformat(value)) <= LAST:
            raise ValueError
        return day
    except ValueError as error:
        raise InvalidTariff(f"{where} must be a date such as 2026-12-31.") from error


def _days(value: object, where: str) -> frozenset[int]:
    if not isinstance(value, list) or not all(day in DAYS for day in value):
        raise InvalidTariff(f"{where} must be a list of {', '.join(DAYS)}.")
    return frozenset(DAYS.index(day) for day in value)


def _reservation(value: object, where: str) -> Reservation:
    try:
        return Reservation(str(value))
    except ValueError as error:
        raise InvalidTariff(f"{where} must be one of {', '.join(Reservation)}.") from error


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


def _whole(value: object, where: str, unit: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**12:
        raise InvalidTariff(f"{where} must be a whole number of {unit}, such as 1.")
    return value


def _number(value: object, where: str) -> Decimal:
    """A JSON number as the decimal that was written, not as the binary fraction it became."""
    try:
        if not isinstance(value, int | float | str | Decimal) or isinstance(value, bool):
            raise InvalidOperation
        if isinstance(value, str) and not NUMBER.fullmatch(value):
            raise InvalidOperation
        number = Decimal(str(value))
        # The bounds keep a hostile "1e-999999999" from becoming a fraction of a billion digits.
        if not (number.is_finite() and 0 <= number < 10**12 and number.adjusted() >= -30 and len(number.as_tuple().digits) <= 40):
            raise InvalidOperation
    except InvalidOperation as error:
        raise InvalidTariff(f"{where} must be a number, not negative, below 10^12, and of at most 40 digits.") from error
    return number
