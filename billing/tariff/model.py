"""What the tariff engine speaks of: tariffs of OCPI 2.2.1 (mod_tariffs), sessions, and what they cost."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum


class InvalidSession(ValueError):
    """A session that cannot have taken place."""


class NoPrice(ValueError):
    """The price of an hour that a series drives is not known."""


class NoCurrent(NoPrice):
    """A price depends on the current, and nobody said that."""


class Dimension(StrEnum):
    """OCPI 2.2.1 TariffDimensionType, and RESERVATION for what was reserved before."""

    ENERGY = "ENERGY"
    FLAT = "FLAT"
    PARKING_TIME = "PARKING_TIME"
    TIME = "TIME"
    RESERVATION = "RESERVATION"


#: What a component may price.
PRICED = (Dimension.ENERGY, Dimension.FLAT, Dimension.PARKING_TIME, Dimension.TIME)
#: Unit a price is for, and how many of the base unit (Wh, seconds, sessions), in which step_size counts, it has.
UNITS = {
    Dimension.ENERGY: ("kWh", 1000),
    Dimension.FLAT: ("session", 1),
    Dimension.PARKING_TIME: ("h", 3600),
    Dimension.TIME: ("h", 3600),
}


@dataclass(frozen=True, slots=True)
class Series:
    """Prices that change with the clock, such as those of a day-ahead market: each holds from its moment to the next one.

    None: from then on none is known. `until`: where the last one ends.
    """

    starts: tuple[datetime, ...]
    prices: tuple[Decimal | None, ...]
    until: datetime

    def at(self, moment: datetime) -> Decimal:
        """The price of a moment. Raises NoPrice."""
        price = self.known(moment)
        if price is None:
            raise NoPrice(f"The price series has no price for {moment.isoformat()}.")
        return price

    def known(self, moment: datetime) -> Decimal | None:
        """The price of a moment. None: it is not known."""
        place = bisect_right(self.starts, moment)
        return self.prices[place - 1] if place and moment < self.until else None

    def over(self, other: "Series") -> "Series":
        """These prices, and those of another one where none of these is known."""
        *starts, until = sorted({*self.starts, self.until, *other.starts, other.until})
        prices = (other.known(at) if (price := self.known(at)) is None else price for at in starts)
        return Series(tuple(starts), tuple(prices), until)

    def steps(self, start: datetime, end: datetime) -> tuple[datetime, ...]:
        """The moments between these two at which the price changes, and where the last one ends."""
        return (*self.starts[bisect_right(self.starts, start) : bisect_left(self.starts, end)], self.until)


@dataclass(frozen=True, slots=True)
class Component:
    """A price without tax per kWh, hour or session. `vat` in percent, None if not named; `step_size` in Wh or seconds.

    With a `series` the price is what it says, times `factor`, plus `price`, but never below nothing.
    """

    dimension: Dimension
    price: Decimal
    vat: Decimal | None
    step_size: int
    series: Series | None = None
    factor: Decimal = Decimal(1)

    def price_at(self, moment: datetime) -> Decimal:
        """What it costs at a moment. Raises NoPrice."""
        return self.price if self.series is None else max(Decimal(0), self.price + self.factor * self.series.at(moment))


@dataclass(frozen=True, slots=True)
class Limit:
    """The least or most a session costs, without and with tax, each on its own. `incl_tax` None: the other with its tax."""

    excl_tax: Decimal
    incl_tax: Decimal | None


class Reservation(StrEnum):
    """OCPI 2.2.1 ReservationRestrictionType: for what is reserved and then used, or never."""

    USED = "RESERVATION"
    EXPIRED = "RESERVATION_EXPIRES"


@dataclass(frozen=True, slots=True)
class Restrictions:
    """When an element applies: all of them must hold (OCPI 2.2.1 TariffRestrictions).

    Times and dates are those of the place; minima belong to it, maxima and `end_date` do not. Energy is in Wh since the start,
    durations in seconds since the start, power in W, current in A.
    """

    start_time: time | None = None
    end_time: time | None = None
    start_date: date | None = None
    end_date: date | None = None
    min_wh: Decimal | None = None
    max_wh: Decimal | None = None
    min_w: Decimal | None = None
    max_w: Decimal | None = None
    min_a: Decimal | None = None
    max_a: Decimal | None = None
    min_s: int | None = None
    max_s: int | None = None
    #: Monday is 0. Empty: every day.
    days: frozenset[int] = frozenset()
    reservation: Reservation | None = None

    @property
    def by_day(self) -> bool:
        """Whether midnight makes a difference."""
        return bool(self.days or self.start_date or self.end_date)

    @property
    def by_power(self) -> bool:
        """Whether it makes a difference how fast the vehicle charges."""
        return any(limit is not None for limit in (self.min_w, self.max_w, self.min_a, self.max_a))

    @property
    def by_time(self) -> bool:
        """Whether it makes a difference when it is, or how long after the start."""
        limits = (self.start_time, self.end_time, self.min_s, self.max_s)
        return self.by_day or any(limit is not None for limit in limits)

    @property
    def by_energy(self) -> bool:
        """Whether it makes a difference how much was charged before."""
        return self.min_wh is not None or self.max_wh is not None


@dataclass(frozen=True, slots=True)
class Element:
    components: tuple[Component, ...]
    restrictions: Restrictions = field(default_factory=Restrictions)


@dataclass(frozen=True, slots=True)
class Tariff:
    currency: str
    elements: tuple[Element, ...]
    min_price: Limit | None = None
    max_price: Limit | None = None

    @property
    def needs_course(self) -> bool:
        """Whether a session's price depends on when its energy flowed: by power, by the price of energy that changes with time, or
        by that of something else which changes with energy."""
        for element in self.elements:
            within = element.restrictions
            kinds = {component.dimension for component in element.components}
            if within.by_power or (within.by_energy and kinds != {Dimension.ENERGY}):
                return True
            driven = any(one.series is not None for one in element.components if one.dimension is Dimension.ENERGY)
            if driven or (within.by_time and Dimension.ENERGY in kinds):
                return True
        return False

    @property
    def by_power(self) -> bool:
        """Whether it depends on how fast it flowed, so that every reading counts."""
        return any(element.restrictions.by_power for element in self.elements)


@dataclass(frozen=True, slots=True)
class Sample:
    """The energy since the start of the session, in Wh. `power_w` and `current_a` hold until the next sample, where they are known;
    else power is the average between the two, and no energy is no current."""

    at: datetime
    energy_wh: Decimal
    power_w: Decimal | None = None
    current_a: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Reserved:
    """What was reserved before the session. `expired`: nobody came, so there is no session."""

    start: datetime
    end: datetime
    expired: bool = False


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
    reserved: Reserved | None = None

    def __post_init__(self) -> None:
        # Between two times of one zone Python counts what the clock shows, which is not how long it is when that is put back.
        for name in ("start", "end", "charging_end"):
            object.__setattr__(self, name, getattr(self, name).astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Line:
    """A volume after step_size, in `unit`, at a price without tax. `vat` in percent, None if the price names none."""

    dimension: Dimension
    volume: Decimal
    unit: str
    price: Decimal
    cost_excl_tax: Decimal
    vat: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """The lines are before minimum and maximum price. `total_incl_tax` is None if no price used names a tax."""

    lines: tuple[Line, ...]
    total_excl_tax: Decimal
    total_incl_tax: Decimal | None
    currency: str
