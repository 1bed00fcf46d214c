"""OCPP 2.0.1 FirmwareStatusNotification (L01)."""

from csms.ocpp.translator import Incoming, Payload
from stations.domain.events import FirmwareStatusReported, Reply
from stations.domain.values import Note


class FirmwareStatusNotification(Incoming):
    action = "FirmwareStatusNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> FirmwareStatusReported:
        return FirmwareStatusReported(payload["status"], payload.get("requestId"))

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}
