"""GetLog, which OCPP 2.0.1 (N01) and the security extension of 1.6 have in the same words."""

from datetime import datetime
from typing import Any

from csms.ocpp import times
from csms.ocpp.translator import Outgoing, Payload, Unsayable
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome

TYPES = {"diagnostics": "DiagnosticsLog", "security": "SecurityLog"}


def location(command: commands.GetLog) -> str:
    if not command.location:
        raise Unsayable("It does not say where the log is to be sent.")
    return command.location


def retries(command: commands.GetLog) -> Payload:
    said = {"retries": command.retries, "retryInterval": command.retry_interval_s}
    return {name: number for name, number in said.items() if number is not None}


class GetLog(Outgoing):
    action = "GetLog"
    command = commands.GetLog

    @staticmethod
    def encode(command: commands.GetLog, number: int, limits: dict[str, int]) -> list[Payload]:
        log: dict[str, Any] = {"remoteLocation": location(command)}
        for name, text in (("oldestTimestamp", command.since), ("latestTimestamp", command.until)):
            if text is not None:
                log[name] = times.emit(datetime.fromisoformat(text))
        return [{"logType": TYPES[command.log], "requestId": number, **retries(command), "log": log}]

    @staticmethod
    def parse(payload: Payload) -> commands.GetLog:
        kinds = {said: kind for kind, said in TYPES.items()}
        log = payload["log"]
        return commands.GetLog(
            kinds[payload["logType"]],
            log.get("oldestTimestamp"),
            log.get("latestTimestamp"),
            log["remoteLocation"],
            retries=payload.get("retries"),
            retry_interval_s=payload.get("retryInterval"),
        )

    @staticmethod
    def decode(command: commands.GetLog, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"request_id": sent["requestId"], "filename": answer.get("filename") or ""})
