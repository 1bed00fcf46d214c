"""OCPP 2.0.1 DataTransfer (P01-P02). Its data is any JSON; the domain keeps it as JSON text."""

from typing import Any, cast

import orjson

from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome
from stations.domain.events import Reply, VendorAnswered, VendorMessageReceived
from stations.domain.values import Note


def _text(data: Any) -> str:
    return data if isinstance(data, str) else orjson.dumps(data).decode()


class DataTransfer(Incoming):
    action = "DataTransfer"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> VendorMessageReceived:
        data = payload.get("data")
        return VendorMessageReceived(payload["vendorId"], payload.get("messageId"), None if data is None else _text(data))

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
        data = payload.get("data")
        return commands.SendVendorMessage(payload["vendorId"], payload.get("messageId"), None if data is None else _text(data))

    @staticmethod
    def decode(command: commands.SendVendorMessage, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"data": _text(answer["data"])} if "data" in answer else {})
