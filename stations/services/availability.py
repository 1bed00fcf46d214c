"""Availability (OCPP 2.0.1 chapter G): which connectors can be used."""

from datetime import datetime

from stations.batch import Batch
from stations.domain.events import ConnectorStatusReported, Done, HeartbeatReceived, TimeTold
from stations.domain.times import believed
from stations.domain.values import ConnectorStatus, Note, Severity
from stations.models import Connector, Evse, Station, StatusHistory
from stations.state import ConnectorState, EvseState

#: More EVSEs than any station has; beyond it a number is a mistake.
MAX_EVSES = 64


def heartbeat(event: HeartbeatReceived, batch: Batch) -> TimeTold:
    """Tell the time (OCPP 2.0.1 G02.FR.02). That the station is alive is noted with every message, not here."""
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
    received_at = batch.frame.received_at if batch.frame else batch.now
    notes: list[Note] = []
    at = believed(event.at, received_at, notes)
    for note in notes:
        batch.note(note)
    if event.evse == 0:
        if _newer(station.status_at, at):
            station.status_at = at
            batch.change(Station, station.id, status=event.status.value, status_at=at, error_code=event.error_code)
    else:
        known = connector(batch, event.evse, event.connector)
        if known is None:
            return Done()
        if _newer(known.status_at, at):
            known.status, known.status_at = event.status, at
            batch.change(
                Connector,
                known.id,
                status=event.status.value,
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
        connector_number=event.connector,
        status=event.status.value,
        error_code=event.error_code,
        info=event.info,
        vendor_id=event.vendor_id,
        vendor_error_code=event.vendor_error_code,
        at=at,
        received_at=received_at,
    )
    batch.touch()
    return Done()


def _newer(known: datetime | None, at: datetime) -> bool:
    """States of the same second keep the order of their arrival."""
    return known is None or at >= known
