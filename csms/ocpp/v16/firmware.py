"""OCPP 1.6 UpdateFirmware (5.19) and FirmwareStatusNotification (4.5), and the security extension's signed ones (5.15, 5.17)."""

from datetime import datetime

from csms.ocpp import times
from csms.ocpp.translator import Incoming, Outgoing, Payload, Unsayable
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome, Verdict
from stations.domain.events import FirmwareStatusReported, Reply
from stations.domain.values import Note


class FirmwareStatusNotification(Incoming):
    action = "FirmwareStatusNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> FirmwareStatusReported:
        return FirmwareStatusReported(payload["status"])

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class SignedFirmwareStatusNotification(FirmwareStatusNotification):
    """The security extension's variant, which names the request (whitepaper 5.17)."""

    action = "SignedFirmwareStatusNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> FirmwareStatusReported:
        return FirmwareStatusReported(payload["status"], payload.get("requestId"))


class UpdateFirmware(Outgoing):
    """Without a signature. Its answer is empty: a station that cannot do it says so with an error, or by its status."""

    action = "UpdateFirmware"
    command = commands.UpdateFirmware

    @classmethod
    def choose(cls, command: commands.UpdateFirmware) -> type[Outgoing]:
        return SignedUpdateFirmware if command.signed == "yes" else cls

    @staticmethod
    def encode(command: commands.UpdateFirmware, number: int, limits: dict[str, int]) -> list[Payload]:
        if command.install_at is not None:
            raise Unsayable("OCPP 1.6 can say when to fetch firmware, but not when to install it, unless it is signed.")
        return [{"location": command.location, "retrieveDate": _time(command.retrieve_at)} | _retries(command)]

    @staticmethod
    def parse(payload: Payload) -> commands.UpdateFirmware:
        return commands.UpdateFirmware(
            location=payload["location"],
            retrieve_at=payload["retrieveDate"],
            retries=payload.get("retries"),
            retry_interval_s=payload.get("retryInterval"),
        )

    @staticmethod
    def decode(command: commands.UpdateFirmware, sent: Payload, answer: Payload) -> Outcome:
        return Outcome(Verdict.ACCEPTED)


class SignedUpdateFirmware(Outgoing):
    action = "SignedUpdateFirmware"
    command = commands.UpdateFirmware
    instead_of = UpdateFirmware

    @staticmethod
    def encode(command: commands.UpdateFirmware, number: int, limits: dict[str, int]) -> list[Payload]:
        firmware: Payload = {
            "location": command.location,
            "retrieveDateTime": _time(command.retrieve_at),
            "signingCertificate": command.signing_certificate,
            "signature": command.signature,
        }
        if command.install_at is not None:
            firmware["installDateTime"] = _time(command.install_at)
        return [{"requestId": number, "firmware": firmware} | _retries(command)]

    @staticmethod
    def parse(payload: Payload) -> commands.UpdateFirmware:
        firmware = payload["firmware"]
        return commands.UpdateFirmware(
            location=firmware["location"],
            retrieve_at=firmware["retrieveDateTime"],
            install_at=firmware.get("installDateTime"),
            retries=payload.get("retries"),
            retry_interval_s=payload.get("retryInterval"),
            signed="yes",
            signature=firmware["signature"],
            signing_certificate=firmware["signingCertificate"],
        )

    @staticmethod
    def decode(command: commands.UpdateFirmware, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"request_id": sent["requestId"], "signed": True})


def _time(text: str | None) -> str:
    if text is None:
        raise Unsayable("OCPP 1.6 needs the time at which firmware is to be fetched.")
    return times.emit(datetime.fromisoformat(text))


def _retries(command: commands.UpdateFirmware) -> Payload:
    said = {"retries": command.retries, "retryInterval": command.retry_interval_s}
    return {name: number for name, number in said.items() if number is not None}
