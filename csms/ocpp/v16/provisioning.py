"""OCPP 1.6 BootNotification (4.2), Reset (5.14), GetConfiguration (5.8) and ChangeConfiguration (5.3)."""

from dataclasses import replace
from typing import Any, cast

from csms.ocpp import times
from csms.ocpp.translator import Incoming, Outgoing, Payload, Unsayable
from csms.ocpp.v16.localauthlist import KEYS
from csms.ocpp.verdicts import outcome
from stations.credentials import HEX
from stations.domain import commands
from stations.domain.commands import SECRET, Outcome, VariableName, VariableReport, Verdict
from stations.domain.events import BootAnswered, Reply, StationBooted
from stations.domain.values import Note


class BootNotification(Incoming):
    action = "BootNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> StationBooted:
        return StationBooted(
            vendor=payload["chargePointVendor"],
            model=payload["chargePointModel"],
            # chargeBoxSerialNumber is deprecated, but some stations send it alone.
            serial_number=payload.get("chargePointSerialNumber") or payload.get("chargeBoxSerialNumber") or "",
            firmware_version=payload.get("firmwareVersion", ""),
            iccid=payload.get("iccid", ""),
            imsi=payload.get("imsi", ""),
            meter_type=payload.get("meterType", ""),
            meter_serial_number=payload.get("meterSerialNumber", ""),
            box_serial_number=payload.get("chargeBoxSerialNumber", ""),
        )

    @staticmethod
    def encode(reply: Reply) -> Payload:
        answer = cast(BootAnswered, reply)
        return {"status": answer.status.value, "currentTime": times.emit(answer.current_time), "interval": answer.interval_s}


class Reset(Outgoing):
    """OCPP 1.6 Reset (5.14): Hard restarts at once, Soft after stopping what charges; 2.x's OnIdle is the nearest to Soft."""

    action = "Reset"
    command = commands.Reset

    @staticmethod
    def encode(command: commands.Reset, number: int, limits: dict[str, int]) -> list[Payload]:
        if command.evse is not None:
            raise Unsayable("OCPP 1.6 can restart the whole station only.")
        return [{"type": "Hard" if command.when == "immediate" else "Soft"}]

    @staticmethod
    def parse(payload: Payload) -> commands.Reset:
        return commands.Reset("immediate" if payload["type"] == "Hard" else "idle")

    @staticmethod
    def decode(command: commands.Reset, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer)


class GetConfiguration(Outgoing):
    """OCPP 1.6 GetConfiguration (5.8), in as many calls as GetConfigurationMaxKeys demands."""

    action = "GetConfiguration"
    command = commands.GetVariables

    @staticmethod
    def encode(command: commands.GetVariables, number: int, limits: dict[str, int]) -> list[Payload]:
        keys = [KEYS.get((one.get("component", ""), one["variable"]), one["variable"]) for one in command.variables]
        if not keys:
            return [{}]
        most = max(1, limits.get("GetConfigurationMaxKeys", 50))
        return [{"key": keys[start : start + most]} for start in range(0, len(keys), most)]

    @staticmethod
    def parse(payload: Payload) -> commands.GetVariables:
        return commands.GetVariables([{"component": "", "variable": key} for key in payload.get("key", [])])

    @staticmethod
    def decode(command: commands.GetVariables, sent: Payload, answer: Payload) -> Outcome:
        reports = [
            VariableReport(
                VariableName("", one["key"]),
                value=None if SECRET.search(one["key"]) else one.get("value"),
                mutability="ReadOnly" if one["readonly"] else "ReadWrite",
            )
            for one in answer.get("configurationKey", [])
        ]
        unknown = [VariableReport(VariableName("", key), known=False) for key in answer.get("unknownKey", [])]
        return Outcome(Verdict.ACCEPTED, reports=(*reports, *unknown))


class ChangeConfiguration(Outgoing):
    """OCPP 1.6 ChangeConfiguration (5.3): one key a call."""

    action = "ChangeConfiguration"
    command = commands.SetVariables

    @staticmethod
    def encode(command: commands.SetVariables, number: int, limits: dict[str, int]) -> list[Payload]:
        if long := [one["variable"] for one in command.variables if len(one["value"]) > 500]:
            raise Unsayable(f"OCPP 1.6 has values of at most 500 characters: {', '.join(long)}.")
        return [_password(one["value"]) if _is_password(one) else _setting(one) for one in command.variables]

    @staticmethod
    def parse(payload: Payload) -> commands.SetVariables:
        return commands.SetVariables([{"component": "", "variable": payload["key"], "value": payload["value"]}])

    @staticmethod
    def decode(command: commands.SetVariables, sent: Payload, answer: Payload) -> Outcome:
        found = outcome(answer)
        name = VariableName("", sent["key"])
        if found.verdict is Verdict.REJECTED:
            known = (VariableReport(name, known=False),) if answer["status"] == "NotSupported" else ()
            return replace(found, reason=f"{sent['key']}: {found.reason}", reports=known)
        value = None if SECRET.search(sent["key"]) else sent["value"]
        return replace(found, reports=(VariableReport(name, value=value),))


def _is_password(one: dict[str, Any]) -> bool:
    """Whether it is 2.x's name of the station's password, under which we change it."""
    return (one.get("component"), one["variable"]) == ("SecurityCtrlr", "BasicAuthPassword")


def _setting(one: dict[str, Any]) -> Payload:
    return {"key": one["variable"], "value": one["value"]}


def _password(value: str) -> Payload:
    """The AuthorizationKey is set as the hex digits of its 16 to 20 bytes (1.6 security whitepaper, A01)."""
    if not HEX.match(value) or len(value) % 2:
        if not 16 <= len(value.encode()) <= 20:
            raise Unsayable("OCPP 1.6 takes a password of 16 to 20 characters, or of 32 to 40 hex digits.")
        value = value.encode().hex()
    return {"key": "AuthorizationKey", "value": value}
