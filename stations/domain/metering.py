"""From the single values a station sampled to one `Reading` a moment. Pure."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from stations.domain.values import Note, Reading, Severity, Signed

#: Unit to (canonical unit, factor). What is not here keeps its unit and goes to `Reading.extra`.
UNITS = {
    "Wh": ("Wh", Decimal(1)),
    "kWh": ("Wh", Decimal(1000)),
    "W": ("W", Decimal(1)),
    "kW": ("W", Decimal(1000)),
    "A": ("A", Decimal(1)),
    "V": ("V", Decimal(1)),
    "Percent": ("Percent", Decimal(1)),
}
UNKNOWN_UNIT = ("", Decimal(1))
#: Measurand to (field of Reading, the canonical unit it must have).
FIELDS = {
    "Energy.Active.Import.Register": ("energy_wh", "Wh"),
    "Power.Active.Import": ("power_w", "W"),
    "Current.Import": ("current_a", "A"),
    "Voltage": ("voltage_v", "V"),
    "SoC": ("soc_percent", "Percent"),
}
#: Where a value of a field is measured, if nothing else is said; the same measurand elsewhere goes to `extra`.
LOCATIONS = {"soc_percent": ("EV", "Outlet")}
#: Values beyond this (in the canonical unit) are no measurement, and would not fit the column.
LIMIT = Decimal(10) ** 12
#: Stored resolution, and that of fields which differ.
RESOLUTION = Decimal("0.001")
LARGEST = LIMIT - RESOLUTION
#: A register may be this much below an earlier reading of itself: a stop's is whole Wh, others are rounded to a tenth of a kWh.
SLACK_WH = Decimal(100)
RESOLUTIONS = {"soc_percent": Decimal("0.01")}
#: Conductors. A phase such as L1-L2 is none: its voltage is another one, and N's current comes back from the others.
CONDUCTORS = ("L1", "L2", "L3")


class Sampled(NamedTuple):
    """One sampled value with the protocol's defaults filled in. `value` None: it is no number, `text` has it as sent.

    `signed`: it is what a meter signed, and nothing else.
    """

    value: Decimal | None
    text: str
    measurand: str = "Energy.Active.Import.Register"
    unit: str = "Wh"
    context: str = "Sample.Periodic"
    location: str = "Outlet"
    phase: str = ""
    signed: Signed | None = None


def factor(unit: str) -> Decimal:
    """What a value in this unit is multiplied by to be in its canonical unit."""
    return UNITS.get(unit, UNKNOWN_UNIT)[1]


def readings(at: datetime, values: Iterable[Sampled], notes: list[Note] | None = None) -> list[Reading]:
    """The readings of one moment, one for each context, in the order the contexts first appear.

    Energy and power are the total over the phases if the station gives one, else the sum of the phases; current is that of
    the most loaded phase, with the sum of the phases beside it, voltage the mean of the phases. (OCPP 1.6 7.43, 2.0.1 J02.)
    What has no field stays in `extra`: other measurands, single phases, other places, and values that cannot be. Of two
    totals the first is kept, with a note.
    """
    contexts: dict[str, list[Sampled]] = {}
    for value in values:
        contexts.setdefault(value.context, []).append(value)
    return [_reading(at, context, sampled, notes) for context, sampled in contexts.items()]


def _reading(at: datetime, context: str, sampled: list[Sampled], notes: list[Note] | None) -> Reading:
    totals: dict[str, Decimal] = {}
    phases: dict[str, dict[str, Decimal]] = {}
    extra: dict[str, str] = {}
    signed: tuple[Signed, ...] = ()
    for one in sampled:
        if one.signed is not None:
            signed += (one.signed,)
            continue
        field = _field(one.measurand, one.unit, one.location)
        value = one.value * factor(one.unit) if field and one.value is not None else None
        if value is not None and one.phase in CONDUCTORS:
            phases.setdefault(field, {})[one.phase] = value
        elif value is not None and not one.phase and (total := _stored(field, value)) is not None:
            kept = totals.setdefault(field, total)
            if kept != total and notes is not None:
                detail = f"{one.measurand} at {at.isoformat()} is {kept} and {total} in one message; the first is kept."
                notes.append(Note("sample_differs", field, detail, Severity.WARNING))
            continue
        extra[_name(one)] = f"{one.text} {one.unit}" if one.unit and one.value is not None else one.text
    for field, values in phases.items():
        over_all = _stored(field, _over_phases(field, list(values.values())))
        if field not in totals and over_all is not None:
            totals[field] = over_all
    if (currents := phases.get("current_a")) and (added := _stored("current_a", sum(currents.values(), Decimal(0)))) is not None:
        totals["current_sum_a"] = added
    return Reading(at=at, context=context, extra=extra, signed=signed, **totals)


@lru_cache(maxsize=1024)
def _field(measurand: str, unit: str, location: str) -> str:
    """The field of a reading that such a value belongs into; "" if there is none."""
    field, wanted = FIELDS.get(measurand, ("", ""))
    fits = UNITS.get(unit, (unit,))[0] == wanted and location in LOCATIONS.get(field, ("Outlet",))
    return field if fits else ""


def _stored(field: str, value: Decimal) -> Decimal | None:
    """The value as it is stored, or None if it cannot be."""
    if abs(value) >= LARGEST or (field == "soc_percent" and not 0 <= value <= 100):
        return None
    return value.quantize(RESOLUTIONS.get(field, RESOLUTION))


def _over_phases(field: str, values: list[Decimal]) -> Decimal:
    if field == "current_a":
        return max(values, key=abs)
    if field == "voltage_v":
        return sum(values, Decimal(0)) / len(values)
    return sum(values, Decimal(0))


def _name(one: Sampled) -> str:
    name = one.measurand
    if one.phase:
        name += f"/{one.phase}"
    return name if one.location == "Outlet" else f"{name}@{one.location}"


def risen(registers: Iterable[Decimal]) -> Decimal:
    """By how much a register rose in all, from its readings in the order of their times, though it began anew meanwhile.

    A 0 between two readings that go on is a drop-out of the meter; else it is where it began again.
    """
    values = list(registers)
    total, last = Decimal(0), None
    for number, value in enumerate(values):
        following = next((later for later in values[number + 1 :] if later), None)
        if not value and last and following is not None and following >= last:
            continue
        if last is not None and value > last:
            total += value - last
        last = value
    return total
