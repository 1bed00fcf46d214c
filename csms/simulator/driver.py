"""People with cars and cards: who comes when, for how long, with what car. Pure, from a seeded random source.

**Speed.** At speed X everything that people and cars do takes a Xth of its time, and batteries are X times smaller, so that
they fill X times sooner *at the power a real car draws*. Clocks, timestamps, protocol intervals and power are never changed:
what a CSMS sees is always consistent (energy is power times the time that passed on the wall) and never lies in the future.
A session of an hour at 11 kW is, at speed 20, one of three minutes at 11 kW, with a twentieth of the energy. Counting energy
X times faster instead would show a CSMS eleven kilowatts and meters running at hundreds, which it rightly doubts.
Speed 1 is exact.
"""

from dataclasses import dataclass
from random import Random

from csms.simulator.battery import Battery, Car, Supply

#: AC: phases and amperes of the on-board charger, with how often it is met.
_AC_CARS = (((3, 16.0), 6), ((3, 32.0), 2), ((1, 32.0), 2), ((1, 16.0), 1))
FAULTS = (
    "GroundFailure",
    "HighTemperature",
    "OverCurrentFailure",
    "PowerSwitchFailure",
    "EVCommunicationError",
    "ConnectorLockFailure",
    "PowerMeterFailure",
)


@dataclass(frozen=True, slots=True)
class Visit:
    """One driver at a connector. Times in seconds of real time (already divided by the speed)."""

    after_s: float
    stay_s: float
    #: How long a full car stays plugged in, taking room.
    idle_s: float
    #: How long the car stays after its session has ended.
    linger_s: float
    #: Between two things a driver does: card, cable, card.
    pause_s: float
    plug_first: bool
    #: Ends by pulling the cable from the car instead of showing the card again.
    just_pulls: bool
    car: Car


def plan_visit(rng: Random, supply: Supply, speed: float = 1, quiet: float = 1) -> Visit:
    """A believable next visit at a connector; where it is `quiet`, drivers come so many times more seldom."""
    dc = supply.kind == "DC"
    minutes = _around(rng, 25 if dc else 75, at_least=10, at_most=60 if dc else 360)
    capacity = rng.uniform(38_000, 82_000) / speed
    phases, current = rng.choices([car for car, _ in _AC_CARS], [often for _, often in _AC_CARS])[0]
    battery = Battery(capacity, capacity * rng.uniform(0.1, 0.75), rng.uniform(50_000, 150_000))
    return Visit(
        after_s=rng.expovariate(1 / ((20 if dc else 40) * 60)) / speed * quiet,
        stay_s=minutes * 60 / speed,
        idle_s=rng.uniform(2, 30) * 60 / speed,
        linger_s=rng.choice((0, 0, rng.uniform(2, 15))) * 60 / speed,
        pause_s=rng.uniform(3, 12) / max(1.0, speed / 10),
        plug_first=rng.random() < 0.5,
        just_pulls=rng.random() < 0.15,
        car=Car(battery, ac_phases=phases, ac_current_a=current),
    )


def next_trouble_s(rng: Random, per_hour: float, speed: float = 1) -> float:
    """Until the next fault or outage, in seconds; `per_hour` counts hours of the station's life."""
    return rng.expovariate(per_hour / 3600) / speed


def trouble_lasts_s(rng: Random, speed: float = 1) -> float:
    """Ten minutes to half an hour of the station's life."""
    return max(2.0, rng.uniform(10, 30) * 60 / speed)


def _around(rng: Random, median: float, *, at_least: float, at_most: float) -> float:
    return min(at_most, max(at_least, median * rng.lognormvariate(0, 0.6)))


class Roster:
    """The cards of a fleet's drivers. A card is with one driver at a time; `shared` cards may be lent when all are out."""

    def __init__(self, tags: list[str], *, strangers: tuple[str, ...] = (), stranger_rate: float = 0, shared: bool = True) -> None:
        self._free = list(tags)
        self._all = tuple(tags)
        self._strangers = strangers
        self._stranger_rate = stranger_rate
        self._shared = shared

    def take(self, rng: Random, *, known: bool = False) -> str | None:
        """A card, or None when all are out. Some have one that the CSMS does not know, unless `known`."""
        if self._strangers and not known and rng.random() < self._stranger_rate:
            return rng.choice(self._strangers)
        if self._free:
            return self._free.pop(0 if known else rng.randrange(len(self._free)))
        return rng.choice(self._all) if self._shared and self._all else None

    def give_back(self, tag: str) -> None:
        if tag in self._all and tag not in self._free:
            self._free.append(tag)
