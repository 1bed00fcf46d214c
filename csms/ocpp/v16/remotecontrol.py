"""OCPP 1.6 RemoteStartTransaction (5.11), RemoteStopTransaction (5.12), UnlockConnector (5.18) and TriggerMessage (5.17), and the
security extension's ExtendedTriggerMessage."""

from csms.ocpp.translator import Outgoing, Payload, Unsayable
from csms.ocpp.v16 import conventions, smartcharging
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
#: Those of ExtendedTriggerMessage; what is not among the others only it can ask for.
EXTENDED = (
    "BootNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "LogStatusNotification",
    "MeterValues",
    "SignChargePointCertificate",
    "StatusNotification",
)
#: What 2.x calls it, to what the extension does.
EXTENDED_WORDS = {"SignChargingStationCertificate": "SignChargePointCertificate"}
MEANT: dict[str, str] = {said: message for message, said in EXTENDED_WORDS.items()}
#: What is asked for in DataTransfer.
BY_AGREEMENT = ("SignV2GCertificate",)


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
        facts = {"profile": smartcharging.meant(profile), "evse": sent.get("connectorId", 0), "alone": True} if profile else {}
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
    """What the extension's message asks for, or all of a station that has the extension, is asked for by that."""

    action = "TriggerMessage"
    command = commands.TriggerMessage

    @classmethod
    def choose(cls, command: commands.TriggerMessage) -> type[Outgoing]:
        if command.message in BY_AGREEMENT:
            return conventions.PncTriggerMessage
        message = EXTENDED_WORDS.get(command.message, command.message)
        only = message == "SignChargePointCertificate"
        return ExtendedTriggerMessage if only or (command.extended and message in EXTENDED) else cls

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


class ExtendedTriggerMessage(Outgoing):
    action = "ExtendedTriggerMessage"
    command = commands.TriggerMessage
    instead_of = TriggerMessage

    @staticmethod
    def encode(command: commands.TriggerMessage, number: int, limits: dict[str, int]) -> list[Payload]:
        message = EXTENDED_WORDS.get(command.message, command.message)
        if message not in EXTENDED:
            raise Unsayable(f"The security extension cannot be asked for {command.message}; it can for {', '.join(EXTENDED)}.")
        return [{"requestedMessage": message} | ({"connectorId": command.evse} if command.evse is not None else {})]

    @staticmethod
    def parse(payload: Payload) -> commands.TriggerMessage:
        message: str = payload["requestedMessage"]
        return commands.TriggerMessage(MEANT.get(message, message), payload.get("connectorId"), extended=True)

    @staticmethod
    def decode(command: commands.TriggerMessage, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer)
