"""OCPP 1.6 GetDiagnostics (5.9), DiagnosticsStatusNotification (4.4), and GetLog and LogStatusNotification (security extension)."""

from datetime import datetime

from csms.ocpp import logrequests, times
from csms.ocpp.translator import Incoming, Outgoing, Payload
from stations.domain import commands
from stations.domain.commands import Outcome, Verdict
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


class GetDiagnostics(Outgoing):
    """OCPP 1.6 GetDiagnostics (5.9). What it sends is for the vendor; the security log needs GetLog, of the security extension."""

    action = "GetDiagnostics"
    command = commands.GetLog

    @classmethod
    def choose(cls, command: commands.GetLog) -> type[Outgoing]:
        return GetLog if command.log == "security" else cls

    @staticmethod
    def encode(command: commands.GetLog, number: int, limits: dict[str, int]) -> list[Payload]:
        payload: Payload = {"location": logrequests.location(command)} | logrequests.retries(command)
        for name, text in (("startTime", command.since), ("stopTime", command.until)):
            if text is not None:
                payload[name] = times.emit(datetime.fromisoformat(text))
        return [payload]

    @staticmethod
    def parse(payload: Payload) -> commands.GetLog:
        return commands.GetLog(
            "diagnostics",
            payload.get("startTime"),
            payload.get("stopTime"),
            payload["location"],
            retries=payload.get("retries"),
            retry_interval_s=payload.get("retryInterval"),
        )

    @staticmethod
    def decode(command: commands.GetLog, sent: Payload, answer: Payload) -> Outcome:
        # Without a name there is nothing to send (5.9), say the rules; some stations send a file all the same.
        name = answer.get("fileName") or ""
        return Outcome(Verdict.ACCEPTED, name or "The station names no file.", facts={"filename": name})


class GetLog(logrequests.GetLog):
    """The security extension's GetLog, word for word that of 2.0.1."""

    instead_of = GetDiagnostics
