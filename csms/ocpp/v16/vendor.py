"""OCPP 1.6 DataTransfer (4.3). What was agreed on beyond the version is read in `conventions`."""

from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.v16 import conventions
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome
from stations.domain.events import Event, Reply, VendorAnswered
from stations.domain.values import Note


class DataTransfer(Incoming):
    action = "DataTransfer"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> Event:
        return conventions.read(payload, notes)

    @staticmethod
    def encode(reply: Reply) -> Payload:
        if not isinstance(reply, VendorAnswered):
            return conventions.answered(reply)
        return {"status": reply.status.value} | ({"data": reply.data} if reply.data is not None else {})


class SendDataTransfer(Outgoing):
    action = "DataTransfer"
    command = commands.SendVendorMessage

    @classmethod
    def reading(cls, payload: Payload) -> type[Outgoing]:
        return conventions.asked(payload) or cls

    @staticmethod
    def encode(command: commands.SendVendorMessage, number: int, limits: dict[str, int]) -> list[Payload]:
        payload = {"vendorId": command.vendor_id, "messageId": command.message_id, "data": command.data}
        return [{name: value for name, value in payload.items() if value is not None}]

    @staticmethod
    def parse(payload: Payload) -> commands.Command:
        if by_agreement := conventions.asked(payload):
            return by_agreement.parse(payload)
        return commands.SendVendorMessage(payload["vendorId"], payload.get("messageId"), payload.get("data"))

    @staticmethod
    def decode(command: commands.SendVendorMessage, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"data": answer["data"]} if "data" in answer else {})
