"""OCPP 1.6 DataTransfer (4.3)."""

from csms.ocpp.errors import InvalidPayload
from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.v16 import conventions
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome
from stations.domain.events import Event, Reply, VendorAnswered, VendorMessageReceived, VendorStatus
from stations.domain.values import Note, Severity


class DataTransfer(Incoming):
    action = "DataTransfer"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> Event:
        vendor, message, data = payload["vendorId"], payload.get("messageId"), payload.get("data")
        try:
            if (agreed := conventions.read(payload, notes)) is not None:
                return agreed
        except InvalidPayload as error:
            notes.append(Note("vendor_data_unreadable", f"{vendor} {message}"[:200], error.description, Severity.WARNING))
            return VendorMessageReceived(vendor, message, data, VendorStatus.REJECTED)
        known = vendor in conventions.VENDORS
        return VendorMessageReceived(vendor, message, data, VendorStatus.UNKNOWN_MESSAGE if known else VendorStatus.UNKNOWN_VENDOR)

    @staticmethod
    def encode(reply: Reply) -> Payload:
        if not isinstance(reply, VendorAnswered):
            return conventions.answered(reply)
        return {"status": reply.status.value} | ({"data": reply.data} if reply.data is not None else {})


class SendDataTransfer(Outgoing):
    action = "DataTransfer"
    command = commands.SendVendorMessage

    @staticmethod
    def encode(command: commands.SendVendorMessage, number: int, limits: dict[str, int]) -> list[Payload]:
        payload = {"vendorId": command.vendor_id, "messageId": command.message_id, "data": command.data}
        return [{name: value for name, value in payload.items() if value is not None}]

    @staticmethod
    def parse(payload: Payload) -> commands.SendVendorMessage:
        return commands.SendVendorMessage(payload["vendorId"], payload.get("messageId"), payload.get("data"))

    @staticmethod
    def decode(command: commands.SendVendorMessage, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"data": answer["data"]} if "data" in answer else {})
