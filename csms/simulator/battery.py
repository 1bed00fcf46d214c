"""A car's battery and what it draws from a connector. Pure: no clock, no randomness, no I/O.

Losses between the meter and the battery are left out: what the register counts is what the battery gains.
"""

from dataclasses import dataclass

#: Constant power up to here, then falling linearly ...
TAPER_FROM = 0.8
#: ... to this share of the maximum when full.
TAPER_TO = 0.05
#: The part of the capacity taken in one step of the integration.
STEP = 0.0025
AC_VOLTAGE_V = 230.0


@dataclass(slots=True)
class Battery:
    capacity_wh: float
    stored_wh: float
    max_power_w: float

    @property
    def soc(self) -> float:
        """State of charge from 0 to 1."""
        return self.stored_wh / self.capacity_wh

    @property
    def full(self) -> bool:
        return self.stored_wh >= self.capacity_wh

    def power_w(self, offered_w: float) -> float:
        """The power it takes of what is offered, in W."""
        if self.full:
            return 0.0
        fallen = max(0.0, self.soc - TAPER_FROM) / (1 - TAPER_FROM)
        return min(offered_w, self.max_power_w * (1 - (1 - TAPER_TO) * fallen))

    def charge(self, offered_w: float, seconds: float) -> float:
        """Charge for a time and return the energy taken, in Wh. Steps are short enough for the taper to be seen."""
        before = self.stored_wh
        while seconds > 0 and (power := self.power_w(offered_w)) > 0:
            step = min(seconds, STEP * self.capacity_wh * 3600 / power)
            self.stored_wh = min(self.capacity_wh, self.stored_wh + power * step / 3600)
            if self.capacity_wh - self.stored_wh < 1e-6 * self.capacity_wh:
                self.stored_wh = self.capacity_wh
            seconds -= step
        return self.stored_wh - before


@dataclass(slots=True)
class Car:
    """A battery behind an on-board charger of so many phases and amperes (AC); DC goes straight to the battery."""

    battery: Battery
    ac_phases: int = 3
    ac_current_a: float = 16.0


@dataclass(frozen=True, slots=True)
class Supply:
    """What a connector can give. `kind` is AC or DC; `phases` and `current_a` (per phase) matter for AC."""

    kind: str
    max_power_w: float
    plug: str
    phases: int = 3
    current_a: float = 32.0

    def offered_w(self, car: Car) -> float:
        """The power this car could get here, in W."""
        if self.kind == "DC":
            return self.max_power_w
        phases = min(self.phases, car.ac_phases)
        return min(self.max_power_w, phases * AC_VOLTAGE_V * min(self.current_a, car.ac_current_a))


@dataclass(frozen=True, slots=True)
class Draw:
    """What flows at one moment: W, A per phase (one figure for DC), V, and the state of charge in percent where known (DC)."""

    power_w: float
    currents_a: tuple[float, ...]
    voltage_v: float
    soc_percent: float | None


def draw(supply: Supply, car: Car | None, *, flowing: bool, most_w: float | None = None) -> Draw:
    """What a car draws from a connector now. `most_w`: what it is limited to."""
    offered = 0.0 if car is None else supply.offered_w(car)
    power = car.battery.power_w(offered if most_w is None else min(offered, most_w)) if car and flowing else 0.0
    if supply.kind == "DC":
        soc = car.battery.soc if car else None
        voltage = 350.0 + 60.0 * (soc or 0.0)
        return Draw(power, (power / voltage,), voltage, None if soc is None else 100 * soc)
    phases = min(supply.phases, car.ac_phases) if car else supply.phases
    per_phase = power / phases / AC_VOLTAGE_V
    return Draw(power, tuple(per_phase if n < phases else 0.0 for n in range(supply.phases)), AC_VOLTAGE_V, None)


AC_11KW = Supply("AC", 11_040, "Type2", current_a=16)
AC_22KW = Supply("AC", 22_080, "Type2")
CCS_50KW = Supply("DC", 50_000, "CCS")
CCS_150KW = Supply("DC", 150_000, "CCS")
CHADEMO_50KW = Supply("DC", 50_000, "CHAdeMO")
