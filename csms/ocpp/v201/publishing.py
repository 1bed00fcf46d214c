"""OCPP 2.0.1 PublishFirmware, PublishFirmwareStatusNotification (L03) and UnpublishFirmware (L04)."""

from csms.ocpp.translator import Incoming, Outgoing, Payload, Unsayable
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome, Verdict
from stations.domain.events import FirmwarePublicationReported, Reply
from stations.domain.values import Note


class PublishFirmwareStatusNotification(Incoming):
    action = "PublishFirmwareStatusNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> FirmwarePublicationReported:
        return FirmwarePublicationReported(payload["status"], payload.get("requestId"), tuple(payload.get("location") or ()))

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class PublishFirmware(Outgoing):
    action = "PublishFirmware"
    command = commands.PublishFirmware

    @staticmethod
    def encode(command: commands.PublishFirmware, number: int, limits: dict[str, int]) -> list[Payload]:
        if not command.location:
            raise Unsayable("It does not say where the file is.")
        payload: Payload = {"location": command.location, "checksum": command.checksum, "requestId": number}
        said = {"retries": command.retries, "retryInterval": command.retry_interval_s}
        return [payload | {name: value for name, value in said.items() if value is not None}]

    @staticmethod
    def parse(payload: Payload) -> commands.PublishFirmware:
        return commands.PublishFirmware(
            location=payload["location"],
            checksum=payload["checksum"],
            retries=payload.get("retries"),
            retry_interval_s=payload.get("retryInterval"),
        )

    @staticmethod
    def decode(command: commands.PublishFirmware, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"request_id": sent["requestId"]})


class UnpublishFirmware(Outgoing):
    action = "UnpublishFirmware"
    command = commands.UnpublishFirmware

    @staticmethod
    def encode(command: commands.UnpublishFirmware, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"checksum": command.checksum}]

    @staticmethod
    def parse(payload: Payload) -> commands.UnpublishFirmware:
        return commands.UnpublishFirmware(payload["checksum"])

    @staticmethod
    def decode(command: commands.UnpublishFirmware, sent: Payload, answer: Payload) -> Outcome:
        """What was not there is handed on no more either; while somebody fetches it, it stays (L04)."""
        verdict = Verdict.REJECTED if answer["status"] == "DownloadOngoing" else Verdict.ACCEPTED
        return Outcome(verdict, answer["status"], facts={"checksum": command.checksum})
