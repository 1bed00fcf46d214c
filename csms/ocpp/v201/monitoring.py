"""OCPP 2.0.1 chapter N: NotifyEvent (N07-N08), SetMonitoringBase (N03), SetMonitoringLevel (N05), SetVariableMonitoring (N04),
ClearVariableMonitoring (N06), GetMonitoringReport with NotifyMonitoringReport (N02), and GetReport (B08)."""

from dataclasses import asdict
from typing import Any

from csms.ocpp import times
from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.v201.devicemodel import address, agreed, flat, name_of, one_message, parts
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome, Verdict
from stations.domain.events import ComponentEvent, ComponentEventsReported, MonitorReport, MonitorsReported, Reply
from stations.domain.values import Note

OF_MONITOR = ("type", "value", "severity")


class NotifyEvent(Incoming):
    action = "NotifyEvent"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> ComponentEventsReported:
        events = tuple(_event(data, notes) for data in payload["eventData"])
        return ComponentEventsReported(events, payload["seqNo"], not payload.get("tbc", False))

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


def _event(data: Payload, notes: list[Note]) -> ComponentEvent:
    name = name_of(data)
    return ComponentEvent(
        component=name.component,
        variable=name.variable,
        value=data["actualValue"],
        at=times.parse(data["timestamp"], "eventData.timestamp", notes),
        evse=name.evse,
        connector=name.connector,
        component_instance=name.component_instance,
        variable_instance=name.variable_instance,
        event_id=data["eventId"],
        trigger=data["trigger"],
        notification=data["eventNotificationType"],
        cleared=data.get("cleared", False),
        monitor_id=data.get("variableMonitoringId"),
        cause_id=data.get("cause"),
        transaction_id=data.get("transactionId", ""),
        tech_code=data.get("techCode", ""),
        tech_info=data.get("techInfo", ""),
    )


class NotifyMonitoringReport(Incoming):
    action = "NotifyMonitoringReport"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> MonitorsReported:
        monitors = tuple(
            MonitorReport(name_of(data), one["id"], one["type"], one["value"], one["severity"], one["transaction"])
            for data in payload.get("monitor", [])
            for one in data["variableMonitoring"]
        )
        return MonitorsReported(payload["requestId"], payload["seqNo"], not payload.get("tbc", False), monitors)

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class SetMonitoringBase(Outgoing):
    action = "SetMonitoringBase"
    command = commands.SetMonitoringBase

    @staticmethod
    def encode(command: commands.SetMonitoringBase, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"monitoringBase": command.base}]

    @staticmethod
    def parse(payload: Payload) -> commands.SetMonitoringBase:
        return commands.SetMonitoringBase(payload["monitoringBase"])

    @staticmethod
    def decode(command: commands.SetMonitoringBase, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"base": sent["monitoringBase"]})


class SetMonitoringLevel(Outgoing):
    action = "SetMonitoringLevel"
    command = commands.SetMonitoringLevel

    @staticmethod
    def encode(command: commands.SetMonitoringLevel, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"severity": command.severity}]

    @staticmethod
    def parse(payload: Payload) -> commands.SetMonitoringLevel:
        return commands.SetMonitoringLevel(payload["severity"])

    @staticmethod
    def decode(command: commands.SetMonitoringLevel, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"severity": sent["severity"]})


class SetVariableMonitoring(Outgoing):
    action = "SetVariableMonitoring"
    command = commands.SetVariableMonitoring

    @staticmethod
    def encode(command: commands.SetVariableMonitoring, number: int, limits: dict[str, int]) -> list[Payload]:
        data = []
        for one in command.monitors:
            monitor = address(one) | {name: one[name] for name in OF_MONITOR}
            monitor |= {"id": one["id"]} if one.get("id") is not None else {}
            data.append(monitor | ({"transaction": True} if one.get("transaction") else {}))
        return [{"setMonitoringData": part} for part in parts(data, limits, "SetVariableMonitoring")]

    @staticmethod
    def parse(payload: Payload) -> commands.SetVariableMonitoring:
        return commands.SetVariableMonitoring(
            [
                flat(one)
                | {name: one[name] for name in (*OF_MONITOR, "transaction", "id") if one.get(name) not in (None, False)}
                # 0 equals False, and is a value, a severity and an id all the same.
                | {name: 0 for name in (*OF_MONITOR, "id") if one.get(name) == 0}
                for one in payload["setMonitoringData"]
            ]
        )

    @staticmethod
    def decode(command: commands.SetVariableMonitoring, sent: Payload, answer: Payload) -> Outcome:
        """Results say neither the value nor whether it is for transactions: those are the request's."""
        asked = list(sent["setMonitoringData"])
        taken: list[dict[str, Any]] = []
        refused: list[str] = []
        for one in answer["setMonitoringResult"]:
            mine = next((data for data in asked if _same(data, one)), None)
            if mine is not None:
                asked.remove(mine)
            if one["status"] != "Accepted":
                refused.append(f"{one['variable']['name']}: {_why(one)}")
            elif mine is not None and one.get("id") is not None:
                monitor = [one["id"], one["type"], mine["value"], one["severity"], mine.get("transaction", False)]
                taken.append({"name": asdict(name_of(one)), "as": monitor})
        return Outcome(Verdict.REJECTED if refused else Verdict.ACCEPTED, ", ".join(refused), facts={"monitors": taken})


def _same(data: Payload, result: Payload) -> bool:
    return name_of(data) == name_of(result) and (data["type"], data["severity"]) == (result["type"], result["severity"])


def _why(one: Payload) -> str:
    info = one.get("statusInfo") or {}
    return " ".join(part for part in (one["status"], info.get("reasonCode"), info.get("additionalInfo")) if part)


class ClearVariableMonitoring(Outgoing):
    action = "ClearVariableMonitoring"
    command = commands.ClearVariableMonitoring

    @staticmethod
    def encode(command: commands.ClearVariableMonitoring, number: int, limits: dict[str, int]) -> list[Payload]:
        # Never more than the station takes (OCPP 2.0.1 N06, MonitoringCtrlr.ItemsPerMessage[ClearVariableMonitoring]).
        return [{"id": part} for part in parts(command.ids, limits, "ClearVariableMonitoring")]

    @staticmethod
    def parse(payload: Payload) -> commands.ClearVariableMonitoring:
        return commands.ClearVariableMonitoring(payload["id"])

    @staticmethod
    def decode(command: commands.ClearVariableMonitoring, sent: Payload, answer: Payload) -> Outcome:
        results = answer["clearMonitoringResult"]
        # One that is not found is gone, too.
        gone = [one["id"] for one in results if one["status"] in ("Accepted", "NotFound")]
        odd = [f"{one['id']}: {_why(one)}" for one in results if one["status"] != "Accepted"]
        return Outcome(Verdict.REJECTED if odd else Verdict.ACCEPTED, ", ".join(odd), facts={"gone": gone})


class GetMonitoringReport(Outgoing):
    action = "GetMonitoringReport"
    command = commands.GetMonitoringReport

    @staticmethod
    def encode(command: commands.GetMonitoringReport, number: int, limits: dict[str, int]) -> list[Payload]:
        return _requests(command, number, "monitoringCriteria", limits)

    @staticmethod
    def parse(payload: Payload) -> commands.GetMonitoringReport:
        variables = [flat(one) for one in payload.get("componentVariable", [])]
        return commands.GetMonitoringReport(payload.get("monitoringCriteria", []), variables)

    @staticmethod
    def decode(command: commands.GetMonitoringReport, sent: Payload, answer: Payload) -> Outcome:
        return agreed(sent, answer)


class GetReport(Outgoing):
    action = "GetReport"
    command = commands.GetReport

    @staticmethod
    def encode(command: commands.GetReport, number: int, limits: dict[str, int]) -> list[Payload]:
        return _requests(command, number, "componentCriteria", limits)

    @staticmethod
    def parse(payload: Payload) -> commands.GetReport:
        variables = [flat(one) for one in payload.get("componentVariable", [])]
        return commands.GetReport(payload.get("componentCriteria", []), variables)

    @staticmethod
    def decode(command: commands.GetReport, sent: Payload, answer: Payload) -> Outcome:
        return agreed(sent, answer)


def _requests(command: commands.ReportOfSome, number: int, criteria: str, limits: dict[str, int]) -> list[Payload]:
    """One request, or those that its `parts` say."""
    if not command.parts:
        return [_narrowed(command, number, criteria, one_message(command.variables, limits, "GetReport"))]
    calls, start = [], 0
    for request_id, count in command.parts:
        calls.append(_narrowed(command, request_id, criteria, command.variables[start : start + count]))
        start += count
    return calls


def _narrowed(command: commands.ReportOfSome, number: int, criteria: str, variables: list[dict[str, Any]]) -> Payload:
    """A report's number and what it is about; lists that are empty are left out, since the schema has none."""
    payload: Payload = {"requestId": number} | ({criteria: command.criteria} if command.criteria else {})
    named = [address(one, component_alone=True) for one in variables]
    return payload | ({"componentVariable": named} if named else {})
