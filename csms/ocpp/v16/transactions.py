"""OCPP 1.6 StartTransaction (4.8) and StopTransaction (4.10)."""

from decimal import Decimal
from typing import cast

from csms.ocpp import times
from csms.ocpp.menders import NO_REGISTER
from csms.ocpp.translator import Incoming, Payload
from csms.ocpp.v16.authorization import id_tag_info
from csms.ocpp.v16.metervalues import read_meter_values
from stations.domain.events import Reply, TransactionEndAnswered, TransactionEnded, TransactionStartAnswered, TransactionStarted
from stations.domain.times import UNSET
from stations.domain.values import Note, Token


def _register(value: int) -> Decimal | None:
    return None if value == NO_REGISTER else Decimal(value)


class StartTransaction(Incoming):
    action = "StartTransaction"
    transactional = True

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> TransactionStarted:
        connector = payload["connectorId"]
        return TransactionStarted(
            evse=connector,
            connector=1,
            at=times.parse(payload["timestamp"], "timestamp", notes) or UNSET,
            token=Token(payload["idTag"]),
            meter_start_wh=_register(payload["meterStart"]),
            # 0 is how some stations say "none" (evcc#10399).
            reservation_id=payload.get("reservationId") or None,
        )

    @staticmethod
    def encode(reply: Reply) -> Payload:
        answer = cast(TransactionStartAnswered, reply)
        return {"transactionId": int(answer.transaction_id), "idTagInfo": id_tag_info(answer.info)}

    @staticmethod
    def salvage(transaction_id: str) -> Payload:
        return {"transactionId": int(transaction_id), "idTagInfo": {"status": "Accepted"}}


class StopTransaction(Incoming):
    action = "StopTransaction"
    transactional = True

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> TransactionEnded:
        tag = payload.get("idTag")
        return TransactionEnded(
            transaction_id=str(payload["transactionId"]),
            at=times.parse(payload["timestamp"], "timestamp", notes) or UNSET,
            meter_stop_wh=_register(payload["meterStop"]),
            reason=payload.get("reason", "Local"),
            token=Token(tag) if tag else None,
            readings=read_meter_values(payload.get("transactionData", []), "transactionData", notes),
        )

    @staticmethod
    def encode(reply: Reply) -> Payload:
        info = cast(TransactionEndAnswered, reply).info
        return {"idTagInfo": id_tag_info(info)} if info is not None else {}
