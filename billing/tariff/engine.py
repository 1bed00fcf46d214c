"""What a session costs under a tariff, and why. Pure: no database, no clock, no settings.

Arithmetic is exact; each total is rounded half up once. The semantics are those of OCPI 2.2.1 mod_tariffs; where its text is open:

- The local clock of the place decides at each instant, also in the hour that comes twice and at the one that is left out.
- Of each dimension the first element that applies and prices it counts. What no element prices costs nothing.
- FLAT is due once, by the first one that applies; a reservation has its own.
- step_size rounds up what was priced of a dimension in all, by the step of the price that was used last, and what it adds is billed
  at that price. Of time and parking time only the one that was priced last is rounded. Reservation time is apart.
- Durations count from the start of the session, energy too; a reservation's from its own start.
- An expired reservation costs what its RESERVATION_EXPIRES prices say, by dimension, else the RESERVATION prices; there is no
  session then, and no minimum. Where a session follows, minimum and maximum are for both together.
- The totals without and with tax have their limits each on its own; one with tax that is left out is the other with the tax of what
  was used.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from billing.money import Money, half_up
from billing.tariff import course
from billing.tariff.course import SECOND, Clock, Piece
from billing.tariff.model import (
    UNITS,
    Component,
    Dimension,
    Element,
    InvalidSession,
    Limit,
    Line,
    Priced,
    Reservation,
    Session,
    Tariff,
)

#: Decimals of a line's volume and cost, which may not end (20 minutes are 0.333... hours). Totals come from the exact values.
LINE_PLACES = 10
#: Between which sessions lie: every place has a clock then.
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Use:
    """What was used at one price. `dimension` is that of the component; `reserved`: it was used before the session."""

    dimension: Dimension
    price: Decimal
    vat: Decimal | None
    reserved: bool
    step_size: int
    volume: Fraction = Fraction(0)


class Meter:
    """Adds up what is used, by dimension, price and tax, in the order in which the prices came."""

    def __init__(self, *, reserved: bool = False) -> None:
        self.uses: dict[tuple[Dimension, Decimal, Decimal | None], Use] = {}
        self.last: dict[Dimension, Use] = {}
        self.reserved = reserved

    def add(self, component: Component, price: Decimal, volume: Fraction) -> None:
        if not volume:
            return
        key = (component.dimension, price, component.vat)
        use = self.uses.setdefault(key, Use(*key, self.reserved, component.step_size))
        use.step_size = component.step_size
        use.volume += volume
        self.last[component.dimension] = use

    def step(self, dimension: Dimension) -> None:
        """Round what was used of a dimension up to the step of its last price; a step of 0 rounds nothing."""
        last = self.last.get(dimension)
        if last is None or not last.step_size:
            return
        total = sum(use.volume for use in self.uses.values() if use.dimension is dimension)
        last.volume += math.ceil(total / last.step_size) * last.step_size - total


def price(tariff: Tariff, session: Session) -> Priced:
    """What the session costs. Raises InvalidSession, NoPrice, NoCurrent."""
    if not session.start <= session.charging_end <= session.end:
        raise InvalidSession("A session's start, charging_end and end must follow each other.")
    if session.start < FIRST or session.end > LAST:
        raise InvalidSession(f"A session lies between the years {FIRST.year} and {LAST.year}.")
    uses = [*_reservation(tariff, session), *_session(tariff, session)]
    expired = session.reserved is not None and session.reserved.expired
    net = gross = Fraction(0)
    lines = []
    for use in uses:
        unit, size = UNITS[use.dimension]
        cost = Fraction(use.price) * use.volume / size
        net += cost
        gross += cost * (1 + Fraction(use.vat or 0) / 100)
        dimension = Dimension.RESERVATION if use.reserved else use.dimension
        lines.append(Line(dimension, _decimal(use.volume / size), unit, use.price, _decimal(cost), use.vat))
    named = [use.vat for use in uses] or [part.vat for element in tariff.elements for part in element.components]
    # The share of tax in what was used; of what cost nothing, that of the first price.
    taxed = gross / net if net else 1 + Fraction(next((vat for vat in named if vat is not None), 0)) / 100
    if tariff.min_price and not expired:
        net, gross = (max(pair) for pair in zip((net, gross), _limits(tariff.min_price, taxed), strict=True))
    if tariff.max_price:
        net, gross = (min(pair) for pair in zip((net, gross), _limits(tariff.max_price, taxed), strict=True))
    return Priced(
        lines=tuple(lines),
        total_excl_tax=Money.nearest(net, tariff.currency).amount,
        total_incl_tax=Money.nearest(gross, tariff.currency).amount if any(vat is not None for vat in named) else None,
        currency=tariff.currency,
    )


def _limits(limit: Limit, taxed: Fraction) -> tuple[Fraction, Fraction]:
    """Without and with tax."""
    net = Fraction(limit.excl_tax)
    return net, net * taxed if limit.incl_tax is None else Fraction(limit.incl_tax)


def prices_at_end(
    tariff: Tariff, session: Session, *, power_w: Decimal | None = None
) -> dict[Dimension, tuple[Decimal, Decimal | None]]:
    """What a kWh, an hour and a session cost at the end of a session, and the tax in percent.

    `power_w`: at which it charges then; else it is the mean. Raises InvalidSession, NoPrice, NoCurrent.
    """
    clock, elements = course.clock_of(session.start, session.time_zone), _of_sessions(tariff)
    last = max(session.samples, key=lambda sample: sample.at)
    end = course.micros(session.end - session.start)
    if power_w is None and end:
        power_w = last.energy_wh * 3600 * SECOND / end
    now = Piece(end, end, Fraction(last.energy_wh), Fraction(last.energy_wh), power_w, last.current_a)
    found = _prices(elements, now, clock)
    return {kind: (component.price_at(clock.moment(end)), component.vat) for kind, component in found.items()}


def _of_sessions(tariff: Tariff) -> list[Element]:
    return [element for element in tariff.elements if element.restrictions.reservation is None]


def _session(tariff: Tariff, session: Session) -> Iterable[Use]:
    """What was used of the session itself, in whole steps."""
    if session.reserved is not None and session.reserved.expired:
        return ()
    elements = _of_sessions(tariff)
    clock = course.clock_of(session.start, session.time_zone)
    charged = course.micros(session.charging_end - session.start)
    meter = Meter()
    flat_due = True
    for piece in _pieces(elements, session, clock, [charged]):
        prices = _prices(elements, piece, clock)
        if flat_due and (flat := prices.get(Dimension.FLAT)):
            meter.add(flat, flat.price_at(clock.moment(piece.begin)), Fraction(1))
            flat_due = False
        dimension = Dimension.TIME if piece.begin < charged else Dimension.PARKING_TIME
        used = {Dimension.ENERGY: piece.end_wh - piece.begin_wh, dimension: Fraction(piece.end - piece.begin) / SECOND}
        for kind, volume in used.items():
            if volume and (component := prices.get(kind)):
                meter.add(component, component.price_at(clock.moment(piece.begin)), volume)
    meter.step(Dimension.ENERGY)
    # The vehicle charges first and is parked then: the time-based price that was used last is the one for parking, if there is one.
    meter.step(Dimension.PARKING_TIME if Dimension.PARKING_TIME in meter.last else Dimension.TIME)
    return meter.uses.values()


def _reservation(tariff: Tariff, session: Session) -> Iterable[Use]:
    """What was used of the reservation before the session, in whole steps."""
    reserved = session.reserved
    if reserved is None:
        return ()
    start, end = reserved.start.astimezone(UTC), reserved.end.astimezone(UTC)
    if not FIRST <= start <= end <= LAST:
        raise InvalidSession(f"A reservation must end after it starts, and lie between the years {FIRST.year} and {LAST.year}.")
    # Of each dimension the prices for what expired come first, wherever they stand in the list.
    kinds = (Reservation.EXPIRED, Reservation.USED) if reserved.expired else (Reservation.USED,)
    elements = [element for kind in kinds for element in tariff.elements if element.restrictions.reservation is kind]
    clock = course.clock_of(start, session.time_zone)
    waited = replace(session, start=start, end=end, charging_end=end, samples=(), reserved=None)
    meter = Meter(reserved=True)
    flat_due = True
    for piece in _pieces(elements, waited, clock, []):
        prices = _prices(elements, piece, clock)
        if flat_due and (flat := prices.get(Dimension.FLAT)):
            meter.add(flat, flat.price_at(clock.moment(piece.begin)), Fraction(1))
            flat_due = False
        if component := prices.get(Dimension.TIME):
            meter.add(component, component.price_at(clock.moment(piece.begin)), Fraction(piece.end - piece.begin) / SECOND)
    meter.step(Dimension.TIME)
    return meter.uses.values()


def _pieces(elements: list[Element], session: Session, clock: Clock, marks: list[int]) -> Iterator[Piece]:
    length = course.micros(session.end - session.start)
    times = sorted({*course.cuts(elements, clock, length), *(mark for mark in marks if 0 < mark < length)})
    by_sample = any(element.restrictions.by_power for element in elements)
    return course.walk(session, times, course.levels(elements), by_sample=by_sample)


def _prices(elements: list[Element], piece: Piece, clock: Clock) -> dict[Dimension, Component]:
    """Of each dimension the first price that applies."""
    found: dict[Dimension, Component] = {}
    for element in elements:
        new = [component for component in element.components if component.dimension not in found]
        if new and course.holds(element.restrictions, piece, clock):
            found |= {component.dimension: component for component in new}
    return found


def _decimal(value: Fraction) -> Decimal:
    """To LINE_PLACES decimals, without zeros at the end and never in exponents."""
    text = f"{half_up(value, LINE_PLACES):f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
