"""OCPP 1.6 DiagnosticsStatusNotification (4.4) and the security extension's LogStatusNotification."""

from csms.ocpp.translator import Incoming, Payload
from stations.domain.events import LogStatusReported, Reply
from stations.domain.values import Note


class DiagnosticsStatusNotification(Incoming):
    action = "DiagnosticsStatusNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> LogStatusReported:
        return LogStatusReported(payload["status"])

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class LogStatusNotification(DiagnosticsStatusNotification):
    action = "LogStatusNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> LogStatusReported:
        return LogStatusReported(payload["status"], payload.get("requestId"))
