"""What a station can do at most, at which voltage and in how many phases, by its settings (OCPP 2.0.1 device model). Pure."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from stations.domain.chargingprofiles import EXTERNAL, Period, Profile, Schedule
from stations.domain.composite import Held

#: The settings that say it, by their variable, and of which components.
VOLTAGES = ("Voltage", "ACVoltage")
POWERS, CURRENTS = ("Power",), ("ACCurrent", "MaxCurrent")
SUPPLIES = ("SupplyPhases",)
NAMES = (*VOLTAGES, *POWERS, *CURRENTS, *SUPPLIES)
#: The most exact last.
FED_BY = ("ElectricalFeed", "ChargingStation", "EVSE", "Connector")
#: What lies between a phase and neutral; others are of a whole feed, or of direct current.
LEAST_V, MOST_V = Decimal(90), Decimal(300)
MOST_W, MOST_A = Decimal(10_000_000), Decimal(10_000)

#: Component, EVSE, variable, attribute, value, unit and the highest value it may have.
Setting = tuple[str, int, str, str, str | None, str, float | None]


def volts(settings: Iterable[Setting]) -> Decimal | None:
    """The voltage that the settings say, that of what is nearest to the car."""
    found: tuple[int, Decimal] | None = None
    for component, _evse, variable, attribute, value, _unit, _highest in settings:
        if variable not in VOLTAGES or component not in FED_BY or attribute != "Actual":
            continue
        said = number(value)
        if said is not None and LEAST_V <= said <= MOST_V and (found is None or FED_BY.index(component) >= found[0]):
            found = (FED_BY.index(component), said)
    return found[1] if found else None


def phases(settings: Iterable[Setting]) -> dict[int, int]:
    """In how many phases each EVSE delivers (0: direct current). Of several connectors the one with the fewest counts: by it most
    current makes a power, and what is too much the hardware holds back by itself."""
    found: dict[tuple[int, str], int] = {}
    for component, evse, variable, attribute, value, _unit, _highest in settings:
        if variable not in SUPPLIES or component not in ("EVSE", "Connector") or evse < 1 or attribute != "Actual":
            continue
        said = number(value)
        if said is not None and said in (0, 1, 2, 3):
            found[evse, component] = min(int(said), found.get((evse, component), 3))
    return {evse: found.get((evse, "EVSE"), said) for (evse, _component), said in found.items()}


def caps(settings: Iterable[Setting]) -> tuple[Held, ...]:
    """The power and the current that each EVSE can deliver: what may be set at most, or the highest that its value may be."""
    lowest: dict[tuple[int, str], Decimal] = {}
    for component, evse, variable, attribute, value, unit, highest in settings:
        if component != "EVSE" or evse < 1 or variable not in (*POWERS, *CURRENTS):
            continue
        said = number(value) if attribute == "MaxSet" or variable == "MaxCurrent" else None
        if said is None and attribute in ("Actual", "MaxSet") and highest is not None:
            said = number(str(highest))
        measure = "W" if variable in POWERS else "A"
        if said is not None and unit.lower() == "kw":
            said *= 1000
        if said is None or not 0 < said <= (MOST_W if measure == "W" else MOST_A):
            continue
        lowest[evse, measure] = min(said, lowest.get((evse, measure), said))
    return tuple(
        Held(evse, Profile(EXTERNAL, "Relative", 0, (Schedule(measure, (Period(0, said),)),)))
        for (evse, measure), said in sorted(lowest.items())
    )


def number(text: str | None) -> Decimal | None:
    try:
        found = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
