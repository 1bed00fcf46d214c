"""OCPP 1.6 BootNotification (4.2)."""

from typing import cast

from csms.ocpp import times
from csms.ocpp.translator import Incoming, Payload
from stations.domain.events import BootAnswered, Reply, StationBooted
from stations.domain.values import Note


class BootNotification(Incoming):
    action = "BootNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> StationBooted:
        return StationBooted(
            vendor=payload["chargePointVendor"],
            model=payload["chargePointModel"],
            # chargeBoxSerialNumber is deprecated, but some stations send it alone.
            serial_number=payload.get("chargePointSerialNumber") or payload.get("chargeBoxSerialNumber") or "",
            firmware_version=payload.get("firmwareVersion", ""),
            iccid=payload.get("iccid", ""),
            imsi=payload.get("imsi", ""),
            meter_type=payload.get("meterType", ""),
            meter_serial_number=payload.get("meterSerialNumber", ""),
        )

    @staticmethod
    def encode(reply: Reply) -> Payload:
        answer = cast(BootAnswered, reply)
        return {"status": answer.status.value, "currentTime": times.emit(answer.current_time), "interval": answer.interval_s}
