"""OCPP 1.6 Heartbeat (4.6), StatusNotification (4.9) and ChangeAvailability (5.2).

Connector N is EVSE N with connector 1; connector 0 is the station.
"""

from typing import cast

from csms.ocpp import times
from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome
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


class ChangeAvailability(Outgoing):
    action = "ChangeAvailability"
    command = commands.ChangeAvailability

    @staticmethod
    def encode(command: commands.ChangeAvailability, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"connectorId": command.evse, "type": "Operative" if command.operative else "Inoperative"}]

    @staticmethod
    def parse(payload: Payload) -> commands.ChangeAvailability:
        return commands.ChangeAvailability(payload["type"] == "Operative", payload["connectorId"])

    @staticmethod
    def decode(command: commands.ChangeAvailability, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer)
