"""OCPP 1.6 Heartbeat (4.6) and StatusNotification (4.9). Connector N is EVSE N with connector 1; connector 0 is the station."""

from typing import cast

from csms.ocpp import times
from csms.ocpp.translator import Incoming, Payload
from stations.domain.events import ConnectorStatusReported, HeartbeatReceived, Reply, TimeTold
from stations.domain.values import ConnectorStatus, Note


class Heartbeat(Incoming):
    action = "Heartbeat"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> HeartbeatReceived:
        return HeartbeatReceived()

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {"currentTime": times.emit(cast(TimeTold, reply).current_time)}


class StatusNotification(Incoming):
    action = "StatusNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> ConnectorStatusReported:
        connector = payload["connectorId"]
        sent = payload.get("timestamp")
        error = payload["errorCode"]
        return ConnectorStatusReported(
            evse=connector,
            connector=1 if connector else 0,
            status=ConnectorStatus(payload["status"]),
            at=times.parse(sent, "timestamp", notes) if sent else None,
            error_code="" if error == "NoError" else error,
            info=payload.get("info", ""),
            vendor_id=payload.get("vendorId", ""),
            vendor_error_code=payload.get("vendorErrorCode", ""),
        )

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}
