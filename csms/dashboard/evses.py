"""The plugs of one charger in full: what they are, what flows through each phase now, and the session with its Stop."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from django.utils import timezone

from csms.dashboard import wall
from csms.dashboard.commandrows import CommandRow
from stations import selectors
from stations.domain.metering import CONDUCTORS, factor
from stations.models import MeterSample, Reservation, Station, Variable
from stations.models.command import OPEN
from stations.services import reserving

#: The OCPP names of connectors, as people call them (OCPP 2.0.1 Part 2, ConnectorEnumType).
TYPES = {
    "cCCS1": "CCS 1",
    "cCCS2": "CCS 2",
    "cChaoJi": "ChaoJi",
    "cG105": "CHAdeMO",
    "cGBT": "GB/T",
    "cTesla": "Tesla",
    "cType1": "Type 1",
    "cType2": "Type 2",
    "s309-1P-16A": "CEE 16 A",
    "s309-1P-32A": "CEE 32 A",
    "s309-3P-16A": "CEE 16 A",
    "s309-3P-32A": "CEE 32 A",
    "sBS1361": "BS 1361",
    "sCEE-7-7": "Schuko",
    "sType2": "Type 2",
    "sType3": "Type 3",
}
#: A current that fills the bar, in A, unless more flows.
FULL_A = Decimal(32)
MEASURED = {"current_a": "Current.Import", "voltage_v": "Voltage", "power_w": "Power.Active.Import"}


@dataclass(frozen=True, slots=True)
class Phase:
    """What the charger told of one conductor; None: it did not tell that."""

    name: str
    current_a: Decimal | None
    voltage_v: Decimal | None
    power_w: Decimal | None
    full_a: Decimal = FULL_A


@dataclass(frozen=True, slots=True)
class Card:
    """`sample` is the newest of its session, if it still says something about now. `stopping`: it was asked to stop; `once`
    changes with every command, so that a button pressed twice asks once."""

    plug: wall.Plug
    kind: str
    most_w: Decimal | None
    sample: MeterSample | None
    stopping: bool
    once: str
    reservation: Reservation | None = None
    phases: list[Phase] = field(default_factory=list)


def cards(station: Station, plugs: Sequence[wall.Plug], rows: Sequence[CommandRow]) -> list[Card]:
    """`rows` are the charger's newest commands."""
    told = _hardware(station)
    samples = _samples(station) if any(plug.session for plug in plugs) else {}
    stopped = {
        row.command.params.get("transaction") for row in rows if row.command.kind == "remote_stop" and row.command.status in OPEN
    }
    once = str(rows[0].command.pk) if rows else "0"
    kept = reserving.kept([station.pk])
    found = []
    for plug in plugs:
        evse, number = plug.connector.evse.number, plug.connector.number
        kind = plug.connector.type or told.get(("ConnectorType", evse, number)) or told.get(("ConnectorType", evse, 0), "")
        most = _number(told.get(("Power", evse, 0), ""))
        running = plug.session.transaction if plug.session else None
        sample = samples.get(evse) if plug.fresh and running else None
        if sample is not None and running is not None and sample.transaction_id != running.pk:
            sample = None
        stopping = running is not None and running.ocpp_transaction_id in stopped
        held = kept.get((station.pk, evse))
        found.append(Card(plug, TYPES.get(kind, kind), most, sample, stopping, once, held, _phases(sample)))
    return found


def _hardware(station: Station) -> dict[tuple[str, int, int], str]:
    """What the device model tells: the type of each connector, and the most power an EVSE is set to give, in W."""
    found = Variable.objects.filter(station=station, component="Connector", variable="ConnectorType", attribute="Actual")
    found |= Variable.objects.filter(station=station, component="EVSE", variable="Power", attribute="MaxSet")
    told = {}
    for one in found:
        watts = _number(one.value or "") if one.variable == "Power" else None
        value = str(watts * factor(one.unit or "W")) if watts is not None else one.value or ""
        told[one.variable, one.evse_number, one.connector_number] = value
    return told


def _samples(station: Station) -> dict[int, MeterSample]:
    """The newest sample of each EVSE with something measured, of those that still say something about now."""
    since = timezone.now() - selectors.READING_HOLDS
    found = MeterSample.objects.filter(station=station, at__gt=since, evse_number__gt=0, power_w__isnull=False)
    return {one.evse_number: one for one in found.order_by("evse_number", "-at").distinct("evse_number")}


def _phases(sample: MeterSample | None) -> list[Phase]:
    extra = (sample.extra if sample else None) or {}
    phases = []
    for name in CONDUCTORS:
        told = {key: _quantity(extra.get(f"{measurand}/{name}")) for key, measurand in MEASURED.items()}
        if told["voltage_v"] is None:
            told["voltage_v"] = _quantity(extra.get(f"{MEASURED['voltage_v']}/{name}-N"))
        if any(value is not None for value in told.values()):
            full = max(FULL_A, told["current_a"] or FULL_A)
            phases.append(Phase(name, **told, full_a=full))
    return phases


def _quantity(text: object) -> Decimal | None:
    """`3.7 kW` in the unit without a prefix."""
    value, _space, unit = str(text or "").partition(" ")
    number = _number(value)
    return None if number is None else number * factor(unit)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
