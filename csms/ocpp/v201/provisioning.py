"""OCPP 2.0.1 BootNotification (B01-B03), NotifyReport (B07), Reset (B11-B12), GetVariables (B06), SetVariables (B05) and
GetBaseReport (B07)."""

from typing import Any, cast

from csms.ocpp import times
from csms.ocpp.translator import Incoming, Outgoing, Payload, Unsayable
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import SECRET, Outcome, VariableName, VariableReport, Verdict, named_variable
from stations.domain.events import BootAnswered, Reply, StationBooted, VariablesReported
from stations.domain.values import Note

#: How many variables go into one message where the station does not say (DeviceDataCtrlr.ItemsPerMessage).
ITEMS = 20


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
            name = _name_of(data)
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
        data = [_address(one) | ({"attributeType": one["attribute"]} if one.get("attribute") else {}) for one in command.variables]
        return [{"getVariableData": part} for part in _parts(data, limits.get("ItemsPerMessageGetVariables", ITEMS))]

    @staticmethod
    def parse(payload: Payload) -> commands.GetVariables:
        return commands.GetVariables([_flat(one) for one in payload["getVariableData"]])

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
            _address(one) | {"attributeValue": one["value"]} | ({"attributeType": one["attribute"]} if one.get("attribute") else {})
            for one in command.variables
        ]
        return [{"setVariableData": part} for part in _parts(data, limits.get("ItemsPerMessageSetVariables", ITEMS))]

    @staticmethod
    def parse(payload: Payload) -> commands.SetVariables:
        return commands.SetVariables([_flat(one) | {"value": one["attributeValue"]} for one in payload["setVariableData"]])

    @staticmethod
    def decode(command: commands.SetVariables, sent: Payload, answer: Payload) -> Outcome:
        values = {(_name_of(one), one.get("attributeType", "Actual")): one["attributeValue"] for one in sent["setVariableData"]}
        results = answer["setVariableResult"]
        taken = ("Accepted", "RebootRequired")
        reports = [
            _report(one, one["attributeStatus"], values.get((_name_of(one), one.get("attributeType", "Actual"))))
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
        return outcome(answer, facts={"request_id": sent["requestId"]})


def _parts(data: list[Payload], most: int) -> list[list[Payload]]:
    most = max(1, most)
    return [data[start : start + most] for start in range(0, len(data), most)]


def _name_of(one: Payload) -> VariableName:
    component, variable = one["component"], one["variable"]
    evse = component.get("evse") or {}
    return VariableName(
        component["name"],
        variable["name"],
        component.get("instance", ""),
        variable.get("instance", ""),
        evse.get("id", 0),
        evse.get("connectorId", 0),
    )


def _flat(one: Payload) -> dict[str, Any]:
    name = _name_of(one)
    flat: dict[str, Any] = {"component": name.component, "variable": name.variable}
    optional = {
        "component_instance": name.component_instance,
        "variable_instance": name.variable_instance,
        "evse": name.evse,
        "connector": name.connector,
        "attribute": one.get("attributeType", ""),
    }
    return flat | {key: value for key, value in optional.items() if value}


def _address(one: dict[str, Any]) -> Payload:
    name = named_variable(one)
    if not name.component:
        raise Unsayable(f"OCPP 2.0.1 needs the component of {name.variable}.")
    component: Payload = {"name": name.component}
    if name.component_instance:
        component["instance"] = name.component_instance
    if name.evse:
        component["evse"] = {"id": name.evse} | ({"connectorId": name.connector} if name.connector else {})
    variable: Payload = {"name": name.variable} | ({"instance": name.variable_instance} if name.variable_instance else {})
    return {"component": component, "variable": variable}


def _report(one: Payload, status: str | None, value: str | None) -> VariableReport:
    name = _name_of(one)
    known = not (status or "").startswith("Unknown")
    return VariableReport(
        name,
        attribute=one.get("attributeType", "Actual"),
        value=value if known and not SECRET.search(name.variable) else None,
        known=known,
    )
