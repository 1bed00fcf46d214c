"""The demo network of `make run`, as data: `manage.py demo` makes it in the database, `manage.py simulate --demo` plays it."""

import os
from dataclasses import dataclass
from random import Random

from csms.simulator.battery import AC_22KW, CCS_50KW, CHADEMO_50KW, Supply
from csms.simulator.clock import WallClock
from csms.simulator.driver import Roster
from csms.simulator.life import Habits
from csms.simulator.narrator import Narrator
from csms.simulator.station import SimulatedStation

OPERATOR = "Amber Grid"
DEFAULT_PASSWORD = "amber-demo-password"  # noqa: S105  (known to everybody by intention: simulated stations only)


@dataclass(frozen=True, slots=True)
class DemoStation:
    identity: str
    vendor: str
    model: str
    connectors: tuple[Supply, ...]
    habits: Habits


@dataclass(frozen=True, slots=True)
class DemoTag:
    """`status` is Accepted or Blocked; `group` joins cards that may stop each other's sessions."""

    value: str
    label: str
    status: str = "Accepted"
    group: str = ""


#: An hour of the drivers' life takes three minutes.
SPEED = 20
_OFTEN = {"speed": SPEED, "fault_rate": 0.3, "offline_rate": 0.1, "back_off_cap_s": 4}

# The first visits are arranged: somebody charges within seconds, and a first session ends within a minute or so.
STATIONS = (
    DemoStation(
        "AMBER-01",
        "Amber",
        "AG-22 Duo",
        (AC_22KW, AC_22KW),
        Habits(**_OFTEN, first_visits={1: (2, 50), 2: (70, 120)}, first_fault_s=150),
    ),
    DemoStation(
        "AMBER-02", "Amber", "AG-22 Duo", (AC_22KW, AC_22KW), Habits(**_OFTEN, first_visits={2: (25, 200)}, first_outage_s=90)
    ),
    DemoStation(
        "AMBER-03", "Amber", "AG-50 DC", (CCS_50KW, CHADEMO_50KW), Habits(**_OFTEN, first_visits={1: (8, 80), 2: (100, 90)})
    ),
)
TAGS = (
    DemoTag("04A1B2C3D4", "Dee"),
    DemoTag("04B2C3D4E5", "Employee card"),
    DemoTag("04C3D4E5F6", "Fleet van", group="FLEET"),
    DemoTag("04DEADBEEF", "Lost card", status="Blocked"),
)
#: Cards that are refused: the blocked one, and one that nobody knows.
STRANGERS = ("04DEADBEEF", "04FFFFFFFF")


def password() -> str:
    """The demo stations' password: CSMS_DEMO_PASSWORD, or the default."""
    return os.environ.get("CSMS_DEMO_PASSWORD") or DEFAULT_PASSWORD


def demo_fleet(url: str, *, seed: int | None, narrator: Narrator) -> tuple[list[tuple[SimulatedStation, Habits]], Roster]:
    """The demo's stations and cards, ready for `run_fleet`."""
    stations = [
        (
            SimulatedStation(
                url,
                demo.identity,
                password=password(),
                connectors=demo.connectors,
                clock=WallClock(),
                rng=Random(f"{seed}:{demo.identity}" if seed is not None else None),  # noqa: S311  (drivers, not secrets)
                configuration={"MeterValueSampleInterval": "5"},
                vendor=demo.vendor,
                model=demo.model,
                keep_ledger=False,
                tell=narrator.tell,
            ),
            demo.habits,
        )
        for demo in STATIONS
    ]
    cards = [tag.value for tag in TAGS if tag.status == "Accepted"]
    return stations, Roster(cards, strangers=STRANGERS, stranger_rate=0.08, shared=False)
