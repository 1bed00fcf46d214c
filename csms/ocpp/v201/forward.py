"""What a 2.0.1 station says to a second back end: its transactions have ids of its own, so nothing is translated (E01)."""

from collections.abc import Mapping
from typing import Any

from csms.ocpp import times
from csms.ocpp.translator import Payload
from stations.domain.events import ConnectorStatusReported, StationBooted
from stations.domain.values import ConnectorStatus

#: The states that 2.x has beside Occupied (G01).
STATES = (ConnectorStatus.AVAILABLE, ConnectorStatus.RESERVED, ConnectorStatus.UNAVAILABLE, ConnectorStatus.FAULTED)


def boot(event: StationBooted) -> Payload:
    known = {"serialNumber": event.serial_number[:25], "firmwareVersion": event.firmware_version[:50]}
    modem = {name: text[:20] for name, text in (("iccid", event.iccid), ("imsi", event.imsi)) if text}
    station: Payload = {"vendorName": event.vendor[:50], "model": event.model[:20]}
    station |= {name: text for name, text in known.items() if text} | ({"modem": modem} if modem else {})
    return {"reason": "Triggered", "chargingStation": station}


def status(event: ConnectorStatusReported) -> Payload | None:
    """None: 2.x has no state of the station as a whole, and none without a time."""
    if not event.evse or event.at is None:
        return None
    word = event.status if event.status in STATES else ConnectorStatus.OCCUPIED
    where = {"evseId": event.evse, "connectorId": event.connector}
    return where | {"timestamp": times.emit(event.at), "connectorStatus": word.value}


def translated(action: str, payload: Payload, numbers: Mapping[str, int]) -> Payload | None:
    return payload


def numbered(action: str, ours: Any, theirs: Any) -> tuple[str, int] | None:
    return None


def is_sample(action: str, payload: Payload) -> bool:
    """Whether a later one of the same kind says it better: the first to be let go of."""
    if action == "TransactionEvent":
        return payload.get("eventType") == "Updated"
    return action in ("Heartbeat", "MeterValues", "StatusNotification", "NotifyEvent")
