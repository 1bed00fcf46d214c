"""OCPP 2.0.1 RequestStartTransaction (F01-F02), RequestStopTransaction (F03), UnlockConnector (F05) and TriggerMessage (F06)."""

from csms.ocpp.translator import Outgoing, Payload, Unsayable
from csms.ocpp.v201 import smartcharging
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome

TRIGGERS = (
    "BootNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "LogStatusNotification",
    "MeterValues",
    "PublishFirmwareStatusNotification",
    "SignChargingStationCertificate",
    "SignCombinedCertificate",
    "SignV2GCertificate",
    "StatusNotification",
    "TransactionEvent",
)


class RequestStartTransaction(Outgoing):
    action = "RequestStartTransaction"
    command = commands.RemoteStart

    @staticmethod
    def encode(command: commands.RemoteStart, number: int, limits: dict[str, int]) -> list[Payload]:
        payload: Payload = {"idToken": {"idToken": command.id_token, "type": command.id_token_type}, "remoteStartId": number}
        if command.charging_profile is not None:
            payload["chargingProfile"] = smartcharging.said(command.charging_profile, number)
        if command.group:
            payload["groupIdToken"] = {"idToken": command.group, "type": "Central"}
        return [payload | ({"evseId": command.evse} if command.evse is not None else {})]

    @staticmethod
    def parse(payload: Payload) -> commands.RemoteStart:
        token, profile = payload["idToken"], payload.get("chargingProfile")
        return commands.RemoteStart(
            token["idToken"],
            payload.get("evseId"),
            token["type"],
            profile and smartcharging.meant(profile, []),
            group=(payload.get("groupIdToken") or {}).get("idToken", ""),
        )

    @staticmethod
    def decode(command: commands.RemoteStart, sent: Payload, answer: Payload) -> Outcome:
        facts = {"remote_start_id": sent["remoteStartId"]}
        if profile := sent.get("chargingProfile"):
            facts |= {"profile": smartcharging.meant(profile, []), "evse": sent.get("evseId", 0)}
        return outcome(answer, facts=facts | ({"transaction_id": answer["transactionId"]} if "transactionId" in answer else {}))


class RequestStopTransaction(Outgoing):
    action = "RequestStopTransaction"
    command = commands.RemoteStop

    @staticmethod
    def encode(command: commands.RemoteStop, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"transactionId": command.transaction}]

    @staticmethod
    def parse(payload: Payload) -> commands.RemoteStop:
        return commands.RemoteStop(payload["transactionId"])

    @staticmethod
    def decode(command: commands.RemoteStop, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer)


class UnlockConnector(Outgoing):
    action = "UnlockConnector"
    command = commands.UnlockConnector

    @staticmethod
    def encode(command: commands.UnlockConnector, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"evseId": command.evse, "connectorId": command.connector}]

    @staticmethod
    def parse(payload: Payload) -> commands.UnlockConnector:
        return commands.UnlockConnector(payload["evseId"], payload["connectorId"])

    @staticmethod
    def decode(command: commands.UnlockConnector, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer)


class TriggerMessage(Outgoing):
    action = "TriggerMessage"
    command = commands.TriggerMessage

    @staticmethod
    def encode(command: commands.TriggerMessage, number: int, limits: dict[str, int]) -> list[Payload]:
        # What 1.6 calls diagnostics is 2.x's log.
        message = {"DiagnosticsStatusNotification": "LogStatusNotification"}.get(command.message, command.message)
        if message not in TRIGGERS:
            raise Unsayable(f"{command.message} cannot be asked for yet; {', '.join(TRIGGERS)} can.")
        payload: Payload = {"requestedMessage": message}
        if command.evse is not None:
            # A StatusNotification is asked for with its connector (F06).
            connector = command.connector or (1 if message == "StatusNotification" else None)
            payload["evse"] = {"id": command.evse} | ({"connectorId": connector} if connector else {})
        return [payload]

    @staticmethod
    def parse(payload: Payload) -> commands.TriggerMessage:
        evse = payload.get("evse") or {}
        return commands.TriggerMessage(payload["requestedMessage"], evse.get("id"), evse.get("connectorId"))

    @staticmethod
    def decode(command: commands.TriggerMessage, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer)
