"""OCPP 2.0.1 Heartbeat (G02), StatusNotification (G01) and ChangeAvailability (G03-G04). Availability told by events (G01) is
read with them, in `monitoring`."""

from typing import cast

from csms.ocpp import times
from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome
from stations.domain.events import (
    ConnectorStatusReported,
    HeartbeatReceived,
    Reply,
    TimeTold,
)
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
        return ConnectorStatusReported(
            evse=payload["evseId"],
            connector=payload["connectorId"],
            status=ConnectorStatus(payload["connectorStatus"]),
            at=times.parse(payload["timestamp"], "timestamp", notes),
        )

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class ChangeAvailability(Outgoing):
    action = "ChangeAvailability"
    command = commands.ChangeAvailability

    @staticmethod
    def encode(command: commands.ChangeAvailability, number: int, limits: dict[str, int]) -> list[Payload]:
        payload: Payload = {"operationalStatus": "Operative" if command.operative else "Inoperative"}
        if command.evse:
            payload["evse"] = {"id": command.evse}
            if command.connector is not None:
                payload["evse"]["connectorId"] = command.connector
        return [payload]

    @staticmethod
    def parse(payload: Payload) -> commands.ChangeAvailability:
        evse = payload.get("evse") or {}
        return commands.ChangeAvailability(payload["operationalStatus"] == "Operative", evse.get("id", 0), evse.get("connectorId"))

    @staticmethod
    def decode(command: commands.ChangeAvailability, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer)
