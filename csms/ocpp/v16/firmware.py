"""OCPP 1.6 FirmwareStatusNotification (4.5)."""

from csms.ocpp.translator import Incoming, Payload
from stations.domain.events import FirmwareStatusReported, Reply
from stations.domain.values import Note


class FirmwareStatusNotification(Incoming):
    action = "FirmwareStatusNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> FirmwareStatusReported:
        return FirmwareStatusReported(payload["status"])

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class SignedFirmwareStatusNotification(FirmwareStatusNotification):
    """The security extension's variant, which names the request (whitepaper 5.17)."""

    action = "SignedFirmwareStatusNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> FirmwareStatusReported:
        return FirmwareStatusReported(payload["status"], payload.get("requestId"))
