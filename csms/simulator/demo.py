"""The demo network of `make run`, as data: `manage.py demo` makes it in the database, `manage.py simulate --demo` plays it."""

import math
import os
from dataclasses import dataclass, replace
from random import Random

from csms.simulator.battery import AC_11KW, AC_22KW, CCS_50KW, CCS_150KW, CHADEMO_50KW, Supply
from csms.simulator.clock import WallClock
from csms.simulator.driver import Roster
from csms.simulator.life import Habits
from csms.simulator.narrator import Narrator
from csms.simulator.signing import Signer
from csms.simulator.station import SimulatedStation

OPERATOR = "Amber Grid"
#: The image in the library: maker, model and version.
FIRMWARE = ("Amber", "AG-50 DC", "1.1.0")
DEFAULT_PASSWORD = "amber-demo-password"  # noqa: S105  (known to everybody by intention: simulated stations only)


@dataclass(frozen=True, slots=True)
class DemoSite:
    name: str
    address: str
    city: str
    latitude: str
    longitude: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class DemoStation:
    identity: str
    name: str
    site: str
    vendor: str
    model: str
    connectors: tuple[Supply, ...]
    habits: Habits
    protocol: str = "ocpp1.6"
    #: Seconds between two samples of a session.
    sample_s: int = 15


@dataclass(frozen=True, slots=True)
class DemoTag:
    """`status` is Accepted or Blocked; `group` joins cards that may stop each other's sessions; an `expired` one is since 2025."""

    value: str
    label: str
    status: str = "Accepted"
    group: str = ""
    expired: bool = False


SITES = (
    DemoSite("Harbour", "De Ruijterkade 105", "Amsterdam", "52.379700", "4.901800", "Europe/Amsterdam"),
    DemoSite("Museum Garage", "Paulus Potterstraat 13", "Amsterdam", "52.358400", "4.881100", "Europe/Amsterdam"),
    DemoSite("Arena Park", "Johan Cruijff Boulevard 1", "Amsterdam", "52.314300", "4.941900", "Europe/Amsterdam"),
    DemoSite("Oriente Station", "Avenida Dom João II", "Lisbon", "38.767800", "-9.099000", "Europe/Lisbon"),
    DemoSite("Belém Riverside", "Avenida Brasília", "Lisbon", "38.696000", "-9.206500", "Europe/Lisbon"),
    DemoSite("Market Square", "Eteläranta 1", "Helsinki", "60.167500", "24.952500", "Europe/Helsinki"),
    DemoSite("Airport P5", "Lentäjäntie 3", "Helsinki", "60.318500", "24.968000", "Europe/Helsinki"),
)

#: An hour of the drivers' life takes three minutes.
SPEED = 20
_OFTEN = Habits(speed=SPEED, fault_rate=0.3, offline_rate=0.1, back_off_cap_s=4)
# Most plugs are free: elsewhere than at the harbour, drivers come now and then.
_CALM = Habits(speed=SPEED, fault_rate=0.02, offline_rate=0.02, back_off_cap_s=4, quiet=5)
_QUIET = replace(_CALM, quiet=9)
_STEADY = replace(_CALM, fault_rate=0, offline_rate=0)

_V201 = "ocpp2.0.1"
_DUO11, _DUO22 = (AC_11KW, AC_11KW), (AC_22KW, AC_22KW)
_DC50, _DC150 = (CCS_50KW, CHADEMO_50KW), (CCS_150KW, CCS_150KW)


def _station(
    identity: str,
    name: str,
    site: str,
    model: str,
    connectors: tuple[Supply, ...],
    habits: Habits,
    protocol: str,
    sample_s: int = 15,
) -> DemoStation:
    vendor = "Amber" if model.startswith("AG-") else "Northlight"
    return DemoStation(identity, name, site, vendor, model, connectors, habits, protocol, sample_s)


def _first(habits: Habits, visits: dict[int, tuple[float, float]], outage_s: float | None = None) -> Habits:
    return replace(habits, first_visits=visits, first_outage_s=outage_s)


# The first visits are arranged: somebody charges within seconds, and a first session ends within a minute or so.
STATIONS = (
    DemoStation(
        "AMBER-01",
        "Ferry landing",
        "Harbour",
        "Amber",
        "AG-22 Duo",
        _DUO22,
        replace(_OFTEN, first_visits={1: (2, 50), 2: (70, 120)}, first_fault_s=150),
        sample_s=5,
    ),
    DemoStation("AMBER-02", "Quay west", "Harbour", "Amber", "AG-22 Duo", _DUO22, _first(_OFTEN, {2: (25, 200)}, 90), sample_s=5),
    DemoStation(
        "AMBER-03", "Quay east", "Harbour", "Amber", "AG-50 DC", _DC50, _first(_OFTEN, {1: (8, 80), 2: (100, 90)}), sample_s=5
    ),
    _station("MUSEUM-01", "Level -1, bay 1", "Museum Garage", "AG-11 Duo", _DUO11, _first(_CALM, {1: (4, 45)}), _V201),
    _station("MUSEUM-02", "Level -1, bay 2", "Museum Garage", "AG-11 Duo", _DUO11, _first(_CALM, {2: (10, 300)}), _V201, 20),
    _station("MUSEUM-03", "Level -1, bay 3", "Museum Garage", "AG-11 Duo", _DUO11, _QUIET, _V201, 20),
    # Closed by its landlord: its second plug is out of service, not broken.
    _station("MUSEUM-04", "Level -2, bay 1", "Museum Garage", "AG-11 Duo", _DUO11, replace(_STEADY, closed=(2,)), _V201, 30),
    _station("MUSEUM-05", "Level -2, bay 2", "Museum Garage", "AG-11 Duo", _DUO11, _QUIET, _V201, 30),
    _station("ARENA-01", "North gate fast 1", "Arena Park", "HPC 150", _DC150, _first(_CALM, {1: (6, 70)}), _V201, 5),
    # Loses its line in the midst of a session, whose events come late.
    _station("ARENA-02", "North gate fast 2", "Arena Park", "HPC 150", _DC150, _first(_CALM, {1: (15, 150)}, 60), _V201, 10),
    _station("ARENA-03", "South car park", "Arena Park", "City 22", _DUO22, _CALM, "ocpp1.6"),
    # Broken for good.
    _station(
        "ARENA-04", "Staff entrance", "Arena Park", "City 22", _DUO22, replace(_STEADY, broken={1: "PowerSwitchFailure"}), "ocpp1.6"
    ),
    _station("ORIENTE-01", "Taxi rank fast", "Oriente Station", "AG-50 DC", _DC50, _first(_CALM, {1: (12, 120)}), "ocpp1.6", 10),
    _station("ORIENTE-02", "Upper deck 1", "Oriente Station", "City 22", _DUO22, _CALM, "ocpp1.6"),
    _station("ORIENTE-03", "Upper deck 2", "Oriente Station", "City 22", _DUO22, _QUIET, "ocpp1.6", 20),
    _station("ORIENTE-04", "Lower deck", "Oriente Station", "City 11", (AC_11KW,), _QUIET, "ocpp1.6", 30),
    _station("BELEM-01", "River walk", "Belém Riverside", "AG-11 Duo", _DUO11, _first(_CALM, {1: (20, 400)}), _V201),
    # Has a first session, and is then never heard of again until the simulator is started anew.
    _station(
        "BELEM-02",
        "Old lighthouse",
        "Belém Riverside",
        "City 11",
        (AC_11KW,),
        replace(_STEADY, first_visits={1: (3, 40)}, first_outage_s=90, lost_for_good=True, quiet=math.inf),
        "ocpp1.6",
    ),
    _station("MARKET-01", "Market hall fast", "Market Square", "HPC 150", _DC150, _first(_CALM, {2: (30, 100)}), _V201, 10),
    _station("MARKET-02", "Ferry queue", "Market Square", "AG-22 Duo", _DUO22, _CALM, _V201),
    _station("MARKET-03", "Kiosk", "Market Square", "City 11", (AC_11KW,), _QUIET, "ocpp1.6", 30),
    _station("AIRPORT-01", "P5 fast", "Airport P5", "HPC 150", _DC150, _first(_CALM, {1: (40, 90)}), _V201, 10),
    _station("AIRPORT-02", "P5 long stay A", "Airport P5", "AG-11 Duo", _DUO11, _first(_QUIET, {1: (5, 900)}), _V201, 30),
    _station("AIRPORT-03", "P5 long stay B", "Airport P5", "City 22", _DUO22, _QUIET, "ocpp1.6", 30),
)
#: Those whose meters sign, and by which curve.
SIGNING = {"AMBER-01": "secp256r1", "ORIENTE-01": "secp192r1", "MUSEUM-01": "brainpoolP256r1", "ARENA-01": "secp384r1"}
#: A roll-out half-way: its image (maker, model, version), and of each station its wave and how it went. Then it held.
ROLLOUT = ("Amber", "AG-11 Duo", "1.2.0")
ROLLED_OUT = {
    "MUSEUM-01": (1, "done"),
    "MUSEUM-02": (2, "done"),
    "MUSEUM-03": (2, "failed"),
    "MUSEUM-05": (2, "waiting"),
    "MUSEUM-04": (3, "waiting"),
    "BELEM-01": (3, "waiting"),
    "AIRPORT-02": (3, "waiting"),
}
_PEOPLE = ("Aino", "Bram", "Clara", "Duarte", "Eero", "Fenna", "Gil", "Hanna", "Inês", "Joris", "Kaisa", "Lotte")
TAGS = (
    DemoTag("04A1B2C3D4", "Dee"),
    DemoTag("04B2C3D4E5", "Employee card", group="STAFF"),
    DemoTag("04B2C3D4E6", "Employee card, spare", group="STAFF"),
    DemoTag("04C3D4E5F6", "Fleet van", group="FLEET"),
    DemoTag("04C3D4E5F7", "Fleet truck", group="FLEET"),
    *(DemoTag(f"04E0{number:02d}A7C1", name) for number, name in enumerate(_PEOPLE, start=1)),
    DemoTag("04DEADBEEF", "Lost card", status="Blocked"),
    DemoTag("0401DCA2D5", "Card of last year", expired=True),
)
#: Cards that are refused: the blocked one, the expired one, and one that nobody knows.
STRANGERS = ("04DEADBEEF", "0401DCA2D5", "04FFFFFFFF")


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
                protocol=demo.protocol,
                clock=WallClock(),
                rng=Random(f"{seed}:{demo.identity}" if seed is not None else None),  # noqa: S311  (drivers, not secrets)
                configuration={"MeterValueSampleInterval": str(demo.sample_s)},
                vendor=demo.vendor,
                model=demo.model,
                firmware_version=ROLLOUT[2] if ROLLED_OUT.get(demo.identity, (0, ""))[1] == "done" else "1.0.0",
                keep_ledger=False,
                tell=narrator.tell,
            ),
            demo.habits,
        )
        for demo in STATIONS
    ]
    for station, _ in stations:
        if station.identity in SIGNING:
            station.dialect.signer = Signer(station.identity, SIGNING[station.identity])
        # Slow enough to be watched.
        station.updater.fetch_s, station.updater.install_s, station.updater.reboot_s = 15, 30, 5
    cards = [tag.value for tag in TAGS if tag.status == "Accepted" and not tag.expired]
    return stations, Roster(cards, strangers=STRANGERS, stranger_rate=0.08, shared=False)
