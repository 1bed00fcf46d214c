"""OCPP 2.0.1 BootNotification (B01-B03), NotifyReport (B07), Reset (B11-B12), GetVariables (B06), SetVariables (B05) and
GetBaseReport (B07)."""

from typing import cast

from csms.ocpp import times
from csms.ocpp.translator import Incoming, Outgoing, Payload, Unsayable
from csms.ocpp.v201.devicemodel import address, agreed, flat, name_of, parts
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import SECRET, Outcome, VariableReport, Verdict
from stations.domain.events import BootAnswered, Reply, StationBooted, VariablesReported
from stations.domain.values import Note


class BootNotification(Incoming):
    action = "BootNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> StationBooted:
        station = payload["chargingStation"]
        modem = station.get("modem") or {}
        return StationBooted(
            vendor=station["vendorName"],
            model=station["model"],
            serial_number=station.get("serialNumber", ""),
            firmware_version=station.get("firmwareVersion", ""),
            iccid=modem.get("iccid", ""),
            imsi=modem.get("imsi", ""),
            reason=payload["reason"],
            reports=True,
        )

    @staticmethod
    def encode(reply: Reply) -> Payload:
        answer = cast(BootAnswered, reply)
        return {"status": answer.status.value, "currentTime": times.emit(answer.current_time), "interval": answer.interval_s}


class NotifyReport(Incoming):
    action = "NotifyReport"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> VariablesReported:
        reports = []
        for data in payload.get("reportData", []):
            name = name_of(data)
            traits = data.get("variableCharacteristics") or {}
            reports += [
                VariableReport(
                    name,
                    attribute=attribute.get("type", "Actual"),
                    value=None if SECRET.search(name.variable) else attribute.get("value"),
                    mutability=attribute.get("mutability", "ReadWrite"),
                    data_type=traits.get("dataType", ""),
                    unit=traits.get("unit", ""),
                    values=traits.get("valuesList", ""),
                    persistent=attribute.get("persistent", False),
                    constant=attribute.get("constant", False),
                    lowest=traits.get("minLimit"),
                    highest=traits.get("maxLimit"),
                    monitorable=traits.get("supportsMonitoring"),
                )
                for attribute in data["variableAttribute"]
            ]
        return VariablesReported(payload["requestId"], payload["seqNo"], not payload.get("tbc", False), tuple(reports))

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class Reset(Outgoing):
    action = "Reset"
    command = commands.Reset

    @staticmethod
    def encode(command: commands.Reset, number: int, limits: dict[str, int]) -> list[Payload]:
        payload: Payload = {"type": "Immediate" if command.when == "immediate" else "OnIdle"}
        return [payload | ({"evseId": command.evse} if command.evse is not None else {})]

    @staticmethod
    def parse(payload: Payload) -> commands.Reset:
        return commands.Reset("immediate" if payload["type"] == "Immediate" else "idle", payload.get("evseId"))

    @staticmethod
    def decode(command: commands.Reset, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer)


class GetVariables(Outgoing):
    action = "GetVariables"
    command = commands.GetVariables

    @staticmethod
    def encode(command: commands.GetVariables, number: int, limits: dict[str, int]) -> list[Payload]:
        if not command.variables:
            raise Unsayable("OCPP 2.0.1 reads named variables only; ask for a report (get_base_report) to read all.")
        data = [address(one) | ({"attributeType": one["attribute"]} if one.get("attribute") else {}) for one in command.variables]
        return [{"getVariableData": part} for part in parts(data, limits, "GetVariables")]

    @staticmethod
    def parse(payload: Payload) -> commands.GetVariables:
        return commands.GetVariables([flat(one) for one in payload["getVariableData"]])

    @staticmethod
    def decode(command: commands.GetVariables, sent: Payload, answer: Payload) -> Outcome:
        results = answer["getVariableResult"]
        reports = [
            _report(one, one["attributeStatus"], one.get("attributeValue"))
            for one in results
            # A value that was refused is not known to be gone.
            if one["attributeStatus"] == "Accepted" or one["attributeStatus"].startswith("Unknown")
        ]
        refused = [
            f"{one['variable']['name']}: {one['attributeStatus']}" for one in results if one["attributeStatus"] != "Accepted"
        ]
        verdict = Verdict.REJECTED if len(refused) == len(results) else Verdict.ACCEPTED
        return Outcome(verdict, ", ".join(refused), tuple(reports))


class SetVariables(Outgoing):
    action = "SetVariables"
    command = commands.SetVariables

    @staticmethod
    def encode(command: commands.SetVariables, number: int, limits: dict[str, int]) -> list[Payload]:
        data = [
            address(one) | {"attributeValue": one["value"]} | ({"attributeType": one["attribute"]} if one.get("attribute") else {})
            for one in command.variables
        ]
        return [{"setVariableData": part} for part in parts(data, limits, "SetVariables")]

    @staticmethod
    def parse(payload: Payload) -> commands.SetVariables:
        return commands.SetVariables([flat(one) | {"value": one["attributeValue"]} for one in payload["setVariableData"]])

    @staticmethod
    def decode(command: commands.SetVariables, sent: Payload, answer: Payload) -> Outcome:
        values = {(name_of(one), one.get("attributeType", "Actual")): one["attributeValue"] for one in sent["setVariableData"]}
        results = answer["setVariableResult"]
        taken = ("Accepted", "RebootRequired")
        reports = [
            _report(one, one["attributeStatus"], values.get((name_of(one), one.get("attributeType", "Actual"))))
            for one in results
            if one["attributeStatus"] in taken or one["attributeStatus"].startswith("Unknown")
        ]
        odd = [f"{one['variable']['name']}: {one['attributeStatus']}" for one in results if one["attributeStatus"] != "Accepted"]
        refused = [one for one in results if one["attributeStatus"] not in taken]
        return Outcome(Verdict.REJECTED if refused else Verdict.ACCEPTED, ", ".join(odd), tuple(reports))


class GetBaseReport(Outgoing):
    action = "GetBaseReport"
    command = commands.GetBaseReport

    @staticmethod
    def encode(command: commands.GetBaseReport, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"requestId": number, "reportBase": command.report}]

    @staticmethod
    def parse(payload: Payload) -> commands.GetBaseReport:
        return commands.GetBaseReport(payload["reportBase"])

    @staticmethod
    def decode(command: commands.GetBaseReport, sent: Payload, answer: Payload) -> Outcome:
        return agreed(sent, answer)


def _report(one: Payload, status: str | None, value: str | None) -> VariableReport:
    name = name_of(one)
    known = not (status or "").startswith("Unknown")
    return VariableReport(
        name,
        attribute=one.get("attributeType", "Actual"),
        value=value if known and not SECRET.search(name.variable) else None,
        # Neither GetVariables nor SetVariables tells who may change it.
        mutability="",
        known=known,
    )
