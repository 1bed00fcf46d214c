"""Availability (OCPP 2.0.1 chapter G): which connectors can be used."""

from datetime import datetime

from stations import topics
from stations.batch import Batch
from stations.domain.events import (
    ComponentEvent,
    ComponentEventsReported,
    ConnectorStatusReported,
    Done,
    HeartbeatReceived,
    TimeTold,
)
from stations.domain.patience import LOOK_SOON
from stations.domain.values import ChargingState, ConnectorStatus, Note, Severity
from stations.models import Connector, Evse, Station, StatusHistory, Transaction
from stations.services import clocks, parking, reservation
from stations.state import ConnectorState, EvseState

#: More EVSEs than any station has; beyond it a number is a mistake.
MAX_EVSES = 64
#: An error of the station as a whole (OCPP 1.6 7.6 ChargePointErrorCode).
LIST_CONFLICT = "LocalListConflict"


def heartbeat(event: HeartbeatReceived, batch: Batch) -> TimeTold:
    """Tell the time (OCPP 2.0.1 G02). That the station is alive is noted with every message, not here."""
    return TimeTold(current_time=batch.now)


def evse(batch: Batch, number: int) -> EvseState | None:
    """The station's EVSE of this number, made if it is new. None, with a finding, if no station has such a number."""
    station = batch.station
    known = station.evses.get(number)
    if known is not None:
        return known
    if not 1 <= number <= 255 or len(station.evses) >= MAX_EVSES:
        batch.note(Note("evse_impossible", str(number), f"There is no EVSE {number}.", Severity.WARNING))
        return None
    known = station.evses[number] = EvseState(batch.next_id("evse"), number)
    batch.add(Evse, id=known.id, station_id=station.id, number=number)
    return known


def connector(batch: Batch, evse_number: int, number: int) -> ConnectorState | None:
    """The connector of this number, made with its EVSE if it is new. None, with a finding, if there can be none."""
    owner = evse(batch, evse_number)
    if owner is None:
        return None
    known = owner.connectors.get(number)
    if known is not None:
        return known
    if not 1 <= number <= 16:
        batch.note(Note("connector_impossible", f"{evse_number}/{number}", f"There is no connector {number}.", Severity.WARNING))
        return None
    known = owner.connectors[number] = ConnectorState(batch.next_id("connector"), number, ConnectorStatus.UNAVAILABLE, None)
    batch.add(Connector, id=known.id, evse_id=owner.id, number=number)
    return known


def status_reported(event: ConnectorStatusReported, batch: Batch) -> Done:
    """Keep the state's history and, unless something newer is known, make it the current one (OCPP 2.0.1 G01, 1.6 4.9)."""
    station = batch.station
    received_at = clocks.received_at(batch)
    if event.error_code == LIST_CONFLICT:
        # What the station's list says of a tag is not what we say (OCPP 1.6 7.6).
        batch.note(Note("local_list_conflict", "", "The station's local list contradicts what we answered.", Severity.WARNING))
        batch.tell(topics.LIST_CONFLICT, station.id)
    notes: list[Note] = []
    clocks.heard(batch, event.at)
    at = clocks.time_of(batch, event.at, notes)
    status = _refined(event.status, event.evse, batch)
    for note in notes:
        batch.note(note)
    if event.evse == 0:
        if _newer(station.status_at, at):
            _tell_fault(event, batch, station.status, status, at)
            station.status, station.status_at = status.value, at
            batch.change(Station, station.id, status=status.value, status_at=at, error_code=event.error_code)
            if station.reservations:
                reservation.status_changed(batch, 0, status, at)
    else:
        known = connector(batch, event.evse, event.connector)
        if known is None:
            return Done()
        if _newer(known.status_at, at):
            _tell_fault(event, batch, known.status.value, status, at)
            known.status, known.status_at = status, at
            parking.status_told(batch, event.evse, event.status, at)
            if status is ConnectorStatus.AVAILABLE:
                _freed(batch, event.evse, at)
            elif station.reservations:
                reservation.status_changed(batch, event.evse, status, at)
            batch.change(
                Connector,
                known.id,
                status=status.value,
                status_at=at,
                error_code=event.error_code,
                info=event.info,
                vendor_id=event.vendor_id,
                vendor_error_code=event.vendor_error_code,
            )
    batch.add(
        StatusHistory,
        operator_id=station.operator_id,
        station_id=station.id,
        evse_number=event.evse,
        connector_number=event.connector if event.evse else 0,
        status=status.value,
        error_code=event.error_code,
        info=event.info,
        vendor_id=event.vendor_id,
        vendor_error_code=event.vendor_error_code,
        at=at,
        received_at=received_at,
    )
    batch.touch()
    return Done()


def _freed(batch: Batch, number: int, at: datetime) -> None:
    """Nobody is plugged in where a transaction is open: its stop is on its way, or will not come (see `stale`)."""
    connectors = batch.station.evses[number].connectors.values()
    if all(one.status is ConnectorStatus.AVAILABLE for one in connectors):
        for transaction in batch.station.open_on(number):
            if transaction.started_at <= at:
                batch.change(Transaction, transaction.id, due_at=batch.now + LOOK_SOON)


def _tell_fault(event: ConnectorStatusReported, batch: Batch, before: str, status: ConnectorStatus, at: datetime) -> None:
    if status is not ConnectorStatus.FAULTED or before == status.value:
        return
    facts = {
        "station_id": batch.station.id,
        "evse_number": event.evse,
        "connector_number": event.connector if event.evse else 0,
        "status": status.value,
        "error_code": event.error_code,
        "info": event.info,
        "vendor_id": event.vendor_id,
        "vendor_error_code": event.vendor_error_code,
        "at": at.isoformat(),
        "received_at": (batch.frame.received_at if batch.frame else batch.now).isoformat(),
    }
    batch.tell(topics.STATION_FAULTED, facts=facts)


def _newer(known: datetime | None, at: datetime) -> bool:
    """States of the same second keep the order of their arrival."""
    return known is None or at >= known


#: What a transaction's charging state makes of an occupied connector (OCPP 2.0.1 G01, 1.6 4.9).
REFINED = {
    ChargingState.CHARGING: ConnectorStatus.CHARGING,
    ChargingState.EV_CONNECTED: ConnectorStatus.PREPARING,
    ChargingState.SUSPENDED_EV: ConnectorStatus.SUSPENDED_EV,
    ChargingState.SUSPENDED_EVSE: ConnectorStatus.SUSPENDED_EVSE,
    ChargingState.IDLE: ConnectorStatus.FINISHING,
}


def _refined(status: ConnectorStatus, evse_number: int, batch: Batch) -> ConnectorStatus:
    """An occupied connector does what its transaction does; without one somebody has just plugged in."""
    if status is not ConnectorStatus.OCCUPIED:
        return status
    running = batch.station.open_on(evse_number)
    state = running[-1].charging_state if running else ""
    if state:
        return REFINED[ChargingState(state)]
    owner = batch.station.evses.get(evse_number)
    finishing = owner is not None and any(c.status is ConnectorStatus.FINISHING for c in owner.connectors.values())
    return ConnectorStatus.FINISHING if finishing else ConnectorStatus.PREPARING


def charging_state_changed(batch: Batch, evse_number: int | None, state: ChargingState, at: datetime) -> None:
    """A transaction says what its connector does. One that cannot be used or is free is left as it was reported."""
    _show(batch, evse_number, REFINED[state], at, also_free=state is ChargingState.CHARGING)


def transaction_ended(batch: Batch, evse_number: int | None, at: datetime) -> None:
    """Stations that said Occupied do not say it again when a transaction ends: the cable is still plugged in."""
    _show(batch, evse_number, ConnectorStatus.FINISHING, at, also_free=False)


FREE = (ConnectorStatus.AVAILABLE, ConnectorStatus.UNAVAILABLE, ConnectorStatus.FAULTED)


def _show(batch: Batch, evse_number: int | None, status: ConnectorStatus, at: datetime, *, also_free: bool) -> None:
    """Set the state of an EVSE's only connector, unless it cannot be used or is free."""
    owner = batch.station.evses.get(evse_number or 0)
    if owner is None or len(owner.connectors) != 1:
        return
    for known in owner.connectors.values():
        in_use = known.status_at is None or known.status not in FREE
        if (in_use or also_free) and _newer(known.status_at, at):
            known.status, known.status_at = status, at
            batch.change(Connector, known.id, status=status.value, status_at=at)


STATUSES = frozenset(status.value for status in ConnectorStatus)


def is_status(one: ComponentEvent) -> bool:
    """Whether an event tells a connector's status (OCPP 2.0.1 G01)."""
    return one.component == "Connector" and one.variable == "AvailabilityState" and one.value in STATUSES


def noticed(event: ComponentEventsReported, batch: Batch) -> None:
    """A connector's availability told as an event is its status; what else components noticed is `monitoring`'s."""
    for one in event.events:
        if is_status(one):
            reported = ConnectorStatusReported(one.evse, one.connector or 1, ConnectorStatus(one.value), one.at)
            status_reported(reported, batch)
