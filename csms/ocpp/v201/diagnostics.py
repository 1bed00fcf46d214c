"""OCPP 2.0.1 GetLog and LogStatusNotification (N01)."""

from csms.ocpp import logrequests
from csms.ocpp.translator import Incoming, Payload
from stations.domain.events import LogStatusReported, Reply
from stations.domain.values import Note


class LogStatusNotification(Incoming):
    action = "LogStatusNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> LogStatusReported:
        return LogStatusReported(payload["status"], payload.get("requestId"))

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class GetLog(logrequests.GetLog):
    """OCPP 2.0.1 GetLog (N01)."""
