"""A tariff in one sentence, as drivers read it: tax included; energy first, then time, parking, the session (AFIR article 5)."""

from collections.abc import Iterator
from datetime import date, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format, number_format, time_format
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from billing import money
from billing.tariff import Component, Dimension, Element, Limit, Reservation, Restrictions, Tariff

#: The order in which a sentence names them.
ORDER = (Dimension.ENERGY, Dimension.TIME, Dimension.PARKING_TIME, Dimension.FLAT)
#: Single prices have so many decimals.
PLACES = Decimal("0.0001")
MINUTES = 60
#: Of energy, steps from this on.
WORTH_TELLING_WH = 100


def sentence(tariff: Tariff) -> str:
    """What charging costs under a tariff."""
    used = [element for element in tariff.elements if element.restrictions.reservation is None]
    parts = [part for kind in ORDER for part in _parts(tariff, kind, used)]
    for wait in Reservation:
        reserved = [element for element in tariff.elements if element.restrictions.reservation is wait]
        parts += [part for kind in (Dimension.TIME, Dimension.FLAT) for part in _parts(tariff, kind, reserved, wait)]
    if tariff.min_price and (tariff.min_price.excl_tax or tariff.min_price.incl_tax):
        parts.append(_limit(tariff, tariff.min_price, _("at least %(price)s in all"), _("at least %(price)s before tax in all")))
    if parts and tariff.max_price:
        parts.append(_limit(tariff, tariff.max_price, _("at most %(price)s in all"), _("at most %(price)s before tax in all")))
    if not parts:
        return _("Charging here is free.")
    return _("%(prices)s, tax included.") % {"prices": get_text_list(parts, _("and"))}


def _parts(tariff: Tariff, kind: Dimension, elements: list[Element], reserved: Reservation | None = None) -> Iterator[str]:
    """What one thing costs, in the order in which the elements count; what stands behind one that always applies never does."""
    found = [
        (component, element.restrictions) for element in elements for component in element.components if component.dimension is kind
    ]
    always = next((place for place, (_component, within) in enumerate(found) if not when(within)), len(found))
    found = found[: always + 1]
    if not any(component.price or component.series for component, _within in found):
        return
    for place, (component, within) in enumerate(found):
        told = _price(tariff, component, reserved)
        if step := _step(component):
            told = _("%(price)s (by every %(step)s begun)") % {"price": told, "step": step}
        if words := when(within):
            yield _("%(price)s %(when)s") % {"price": told, "when": words}
        elif place:
            yield _("otherwise %(price)s") % {"price": told}
        else:
            yield told


def _step(component: Component) -> str:
    """What is rounded up to, where that is more than one reads from the price: a minute, a kWh or less of it."""
    if component.dimension is Dimension.ENERGY:
        return f"{_number(Decimal(component.step_size) / 1000)}\u202fkWh" if component.step_size >= WORTH_TELLING_WH else ""
    timed = component.dimension is not Dimension.FLAT and component.step_size > MINUTES
    return _span(component.step_size) if timed and component.price else ""


def _price(tariff: Tariff, component: Component, reserved: Reservation | None) -> str:
    factor = (100 + (component.vat or 0)) / Decimal(100)
    price = component.price * factor
    if component.series is not None:
        if component.factor == 1:
            return _("the market's price plus %(price)s per kWh") % {"price": written(price, tariff.currency)}
        told = {"factor": _number(component.factor), "price": written(price, tariff.currency)}
        return _("%(factor)s times the market's price plus %(price)s per kWh") % told
    if component.dimension is Dimension.ENERGY:
        return _("%(price)s per kWh") % {"price": written(price, tariff.currency)}
    if component.dimension is Dimension.FLAT:
        words = {
            None: _("%(price)s per session"),
            Reservation.USED: _("%(price)s to reserve"),
            Reservation.EXPIRED: _("%(price)s for a reservation that is not used"),
        }[reserved]
        return words % {"price": written(price, tariff.currency)}
    minute = price / MINUTES
    by_minute = abs(minute.quantize(PLACES, ROUND_HALF_UP) - minute) < Decimal("1e-9")
    amount = written(minute if by_minute else price, tariff.currency)
    if reserved is Reservation.EXPIRED:
        words = (
            _("%(price)s per minute of a reservation that is not used")
            if by_minute
            else _("%(price)s per hour of a reservation that is not used")
        )
    elif reserved:
        words = _("%(price)s per minute reserved") if by_minute else _("%(price)s per hour reserved")
    elif component.dimension is Dimension.PARKING_TIME:
        words = _("%(price)s per minute parked after charging") if by_minute else _("%(price)s per hour parked after charging")
    else:
        words = _("%(price)s per minute") if by_minute else _("%(price)s per hour")
    return words % {"price": amount}


def _limit(tariff: Tariff, limit: Limit, in_all: str, before_tax: str) -> str:
    """What is paid at least or at most: of a tariff that knows no tax without it.

    Of one with several taxes a limit that names none says nothing with tax: how much that is depends on what is used.
    """
    rates = {component.vat for element in tariff.elements for component in element.components}
    taxed = limit.incl_tax if rates != {None} else limit.excl_tax
    if taxed is None and len(percents := {rate or Decimal(0) for rate in rates}) == 1:
        taxed = limit.excl_tax * (100 + percents.pop()) / 100
    price = limit.excl_tax if taxed is None else taxed
    return (before_tax if taxed is None else in_all) % {"price": written(price, tariff.currency)}


def written(price: Decimal, currency: str) -> str:
    """An amount with as many decimals as say something, but not fewer than the currency has."""
    price = price.quantize(PLACES, ROUND_HALF_UP)
    decimals = max(money.minor_units(currency), -int(price.normalize().as_tuple().exponent))
    return f"{number_format(price, decimals, use_l10n=True)}\u202f{currency}"


def when(within: Restrictions) -> str:
    """When an element applies, in words; empty: always."""
    found = [*_clock(within), *_calendar(within), *_amounts(within)]
    return " ".join(found)


def _clock(within: Restrictions) -> Iterator[str]:
    begin, end = within.start_time or time(0), within.end_time or time(0)
    if begin != end:
        yield _("from %(begin)s to %(end)s") % {"begin": time_format(begin, "H:i"), "end": time_format(end, "H:i")}


def _calendar(within: Restrictions) -> Iterator[str]:
    if within.days and len(within.days) < len(WEEKDAYS):
        yield _("on %(days)s") % {"days": get_text_list([str(WEEKDAYS[day]) for day in sorted(within.days)], _("and"))}
    if within.start_date:
        yield _("since %(day)s") % {"day": _day(within.start_date)}
    if within.end_date:
        yield _("until %(day)s") % {"day": _day(within.end_date - timedelta(days=1))}


def _amounts(within: Restrictions) -> Iterator[str]:
    """Of each kind what it is from, and what it is up to."""
    # From nothing on is always.
    kwh = [None if wh is None else f"{_number(wh / 1000)}\u202fkWh" for wh in (within.min_wh or None, within.max_wh)]
    kw = [None if w is None else f"{_number(w / 1000)}\u202fkW" for w in (within.min_w or None, within.max_w)]
    ampere = [None if a is None else f"{_number(a)}\u202fA" for a in (within.min_a, within.max_a)]
    spans = [None if s is None else _span(s) for s in (within.min_s or None, within.max_s)]
    for (least, most), after, until in (
        (spans, _("after %(least)s"), _("in the first %(most)s")),
        (kwh, _("after %(least)s"), _("for the first %(most)s")),
        (kw, _("at %(least)s or more"), _("below %(most)s")),
        (ampere, _("at %(least)s or more"), _("below %(most)s")),
    ):
        if least:
            yield after % {"least": least}
        if most:
            yield until % {"most": most}


def _span(seconds: int) -> str:
    counts = {"h": seconds // 3600, "min": seconds // 60 % 60, "s": seconds % 60}
    return "\u00a0".join(f"{count}\u202f{unit}" for unit, count in counts.items() if count) or "0\u202fmin"


def _number(value: Decimal) -> str:
    value = value.normalize()
    return str(number_format(value, max(0, -int(value.as_tuple().exponent)), use_l10n=True))


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")
