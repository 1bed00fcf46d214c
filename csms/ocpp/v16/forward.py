"""What a 1.6 station says to a second back end, which numbers its transactions itself (StartTransaction.conf, 4.8)."""

from collections.abc import Mapping
from typing import Any

from csms.ocpp import times
from csms.ocpp.translator import Payload
from stations.domain.events import ConnectorStatusReported, StationBooted
from stations.domain.values import ConnectorStatus

#: Of the boot's fields, how much text 1.6 allows (4.2).
LENGTHS = {
    "chargePointSerialNumber": 25,
    "firmwareVersion": 50,
    "iccid": 20,
    "imsi": 20,
    "meterType": 25,
    "meterSerialNumber": 25,
    "chargeBoxSerialNumber": 25,
}


def boot(event: StationBooted) -> Payload:
    texts = (
        *(event.serial_number, event.firmware_version, event.iccid, event.imsi),
        *(event.meter_type, event.meter_serial_number, event.box_serial_number),
    )
    known = {name: text[:most] for (name, most), text in zip(LENGTHS.items(), texts, strict=True) if text}
    return {"chargePointVendor": event.vendor[:20], "chargePointModel": event.model[:20]} | known


def status(event: ConnectorStatusReported) -> Payload | None:
    word = ConnectorStatus.PREPARING if event.status == ConnectorStatus.OCCUPIED else event.status
    payload: Payload = {"connectorId": event.evse, "errorCode": event.error_code or "NoError", "status": word.value}
    known = {"info": event.info[:50], "vendorId": event.vendor_id[:255], "vendorErrorCode": event.vendor_error_code[:50]}
    payload |= {name: text for name, text in known.items() if text}
    return payload | ({"timestamp": times.emit(event.at)} if event.at else {})


def translated(action: str, payload: Payload, numbers: Mapping[str, int]) -> Payload | None:
    """The payload with their transaction id for ours. None: it is about a transaction that they were never told of."""
    number = numbers.get(str(payload.get("transactionId")))
    if action == "StopTransaction":
        return None if number is None else payload | {"transactionId": number}
    if action == "MeterValues" and "transactionId" in payload:
        # The values are of the connector all the same.
        rest = {name: value for name, value in payload.items() if name != "transactionId"}
        return rest if number is None else rest | {"transactionId": number}
    return payload


def numbered(action: str, ours: Any, theirs: Any) -> tuple[str, int] | None:
    """Which id of theirs stands for which of ours, as the two answers to a start say."""
    if action != "StartTransaction" or not isinstance(ours, dict) or not isinstance(theirs, dict):
        return None
    here, there = ours.get("transactionId"), theirs.get("transactionId")
    return (str(here), there) if isinstance(here, int) and isinstance(there, int) and not isinstance(there, bool) else None


def is_sample(action: str, payload: Payload) -> bool:
    """Whether a later one of the same kind says it better: the first to be let go of."""
    return action in ("Heartbeat", "MeterValues", "StatusNotification")
