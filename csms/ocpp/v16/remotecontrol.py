"""OCPP 1.6 RemoteStartTransaction (5.11), RemoteStopTransaction (5.12), UnlockConnector (5.18) and TriggerMessage (5.17)."""

from csms.ocpp.translator import Outgoing, Payload, Unsayable
from csms.ocpp.v16 import smartcharging
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome

TRIGGERS = (
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "MeterValues",
    "StatusNotification",
)


class RemoteStartTransaction(Outgoing):
    action = "RemoteStartTransaction"
    command = commands.RemoteStart

    @staticmethod
    def encode(command: commands.RemoteStart, number: int, limits: dict[str, int]) -> list[Payload]:
        if len(command.id_token) > 20:
            raise Unsayable("OCPP 1.6 has id tags of at most 20 characters.")
        profile = command.charging_profile
        more = {} if profile is None else {"chargingProfile": smartcharging.said(profile, number)}
        return [{"idTag": command.id_token} | ({"connectorId": command.evse} if command.evse is not None else {}) | more]

    @staticmethod
    def parse(payload: Payload) -> commands.RemoteStart:
        profile = payload.get("chargingProfile")
        return commands.RemoteStart(
            payload["idTag"], payload.get("connectorId"), charging_profile=profile and smartcharging.meant(profile)
        )

    @staticmethod
    def decode(command: commands.RemoteStart, sent: Payload, answer: Payload) -> Outcome:
        profile = sent.get("chargingProfile")
        facts = {"profile": smartcharging.meant(profile), "evse": sent.get("connectorId", 0)} if profile else {}
        return outcome(answer, facts=facts)


class RemoteStopTransaction(Outgoing):
    action = "RemoteStopTransaction"
    command = commands.RemoteStop

    @staticmethod
    def encode(command: commands.RemoteStop, number: int, limits: dict[str, int]) -> list[Payload]:
        if not command.transaction.lstrip("-").isdigit():
            raise Unsayable("The transaction has no number that OCPP 1.6 knows it by.")
        return [{"transactionId": int(command.transaction)}]

    @staticmethod
    def parse(payload: Payload) -> commands.RemoteStop:
        return commands.RemoteStop(str(payload["transactionId"]))

    @staticmethod
    def decode(command: commands.RemoteStop, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer)


class UnlockConnector(Outgoing):
    action = "UnlockConnector"
    command = commands.UnlockConnector

    @staticmethod
    def encode(command: commands.UnlockConnector, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"connectorId": command.evse}]

    @staticmethod
    def parse(payload: Payload) -> commands.UnlockConnector:
        return commands.UnlockConnector(payload["connectorId"])

    @staticmethod
    def decode(command: commands.UnlockConnector, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer)


class TriggerMessage(Outgoing):
    action = "TriggerMessage"
    command = commands.TriggerMessage

    @staticmethod
    def encode(command: commands.TriggerMessage, number: int, limits: dict[str, int]) -> list[Payload]:
        # What 2.x calls the log's status are 1.6's diagnostics.
        message = {"LogStatusNotification": "DiagnosticsStatusNotification"}.get(command.message, command.message)
        if message not in TRIGGERS:
            raise Unsayable(f"OCPP 1.6 cannot be asked for {command.message}; it can for {', '.join(TRIGGERS)}.")
        return [{"requestedMessage": message} | ({"connectorId": command.evse} if command.evse is not None else {})]

    @staticmethod
    def parse(payload: Payload) -> commands.TriggerMessage:
        return commands.TriggerMessage(payload["requestedMessage"], payload.get("connectorId"))

    @staticmethod
    def decode(command: commands.TriggerMessage, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer)
