"""OCPP 1.6 DataTransfer (4.3)."""

from typing import cast

from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome
from stations.domain.events import Reply, VendorAnswered, VendorMessageReceived
from stations.domain.values import Note


class DataTransfer(Incoming):
    action = "DataTransfer"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> VendorMessageReceived:
        return VendorMessageReceived(vendor_id=payload["vendorId"], message_id=payload.get("messageId"), data=payload.get("data"))

    @staticmethod
    def encode(reply: Reply) -> Payload:
        answer = cast(VendorAnswered, reply)
        return {"status": answer.status.value} | ({"data": answer.data} if answer.data is not None else {})


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
