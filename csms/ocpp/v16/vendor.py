"""OCPP 1.6 DataTransfer (4.3)."""

from typing import cast

from csms.ocpp.translator import Incoming, Payload
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
