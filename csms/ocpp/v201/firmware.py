"""OCPP 2.0.1 UpdateFirmware and FirmwareStatusNotification (L01, L02)."""

from datetime import datetime

from csms.ocpp import times
from csms.ocpp.translator import Incoming, Outgoing, Payload, Unsayable
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome
from stations.domain.events import FirmwareStatusReported, Reply
from stations.domain.values import Note


class FirmwareStatusNotification(Incoming):
    action = "FirmwareStatusNotification"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> FirmwareStatusReported:
        return FirmwareStatusReported(payload["status"], payload.get("requestId"))

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class UpdateFirmware(Outgoing):
    """With the vendor's signature wherever there is one (L01)."""

    action = "UpdateFirmware"
    command = commands.UpdateFirmware

    @staticmethod
    def encode(command: commands.UpdateFirmware, number: int, limits: dict[str, int]) -> list[Payload]:
        if command.retrieve_at is None:
            raise Unsayable("OCPP 2.0.1 needs the time at which firmware is to be fetched.")
        firmware: Payload = {"location": command.location, "retrieveDateTime": _time(command.retrieve_at)}
        if command.install_at is not None:
            firmware["installDateTime"] = _time(command.install_at)
        if command.signed != "no" and command.signature and command.signing_certificate:
            firmware |= {"signingCertificate": command.signing_certificate, "signature": command.signature}
        said = {"retries": command.retries, "retryInterval": command.retry_interval_s}
        payload = {"requestId": number, "firmware": firmware}
        return [payload | {name: given for name, given in said.items() if given is not None}]

    @staticmethod
    def parse(payload: Payload) -> commands.UpdateFirmware:
        firmware = payload["firmware"]
        return commands.UpdateFirmware(
            location=firmware["location"],
            retrieve_at=firmware["retrieveDateTime"],
            install_at=firmware.get("installDateTime"),
            retries=payload.get("retries"),
            retry_interval_s=payload.get("retryInterval"),
            signature=firmware.get("signature", ""),
            signing_certificate=firmware.get("signingCertificate", ""),
        )

    @staticmethod
    def decode(command: commands.UpdateFirmware, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"request_id": sent["requestId"], "signed": "signature" in sent["firmware"]})


def _time(text: str) -> str:
    return times.emit(datetime.fromisoformat(text))
