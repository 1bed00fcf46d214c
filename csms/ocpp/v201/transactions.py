"""OCPP 2.0.1 TransactionEvent (E01-E15): the whole billing record, never refused; and GetTransactionStatus (E14)."""

from typing import cast

from csms.ocpp import times
from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.v201 import tariffcost
from csms.ocpp.v201.authorization import id_token_info, token_of
from csms.ocpp.v201.metervalues import read_meter_values
from stations.domain import commands
from stations.domain.commands import Outcome, Verdict
from stations.domain.events import Progress, Reply, TransactionProgressAnswered, TransactionProgressed
from stations.domain.times import UNSET
from stations.domain.values import ChargingState, Note, Severity


def _number(value: int | None, name: str, notes: list[Note]) -> int | None:
    """OCPP's integers have 32 bits, whatever its schemas say; a larger one is no number of ours."""
    if value is None or -(2**31) <= value < 2**31:
        return value
    notes.append(Note("value_absurd", name, f"{str(value)[:40]} cannot be.", Severity.WARNING))
    return None


class TransactionEvent(Incoming):
    action = "TransactionEvent"
    transactional = True

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> TransactionProgressed:
        info = payload["transactionInfo"]
        evse = payload.get("evse") or {}
        part = Progress(payload["eventType"])
        return TransactionProgressed(
            part=part,
            transaction_id=info["transactionId"],
            sequence=_number(payload["seqNo"], "seqNo", notes) or 0,
            at=times.parse(payload["timestamp"], "timestamp", notes) or UNSET,
            trigger=payload["triggerReason"],
            evse=evse.get("id"),
            connector=evse.get("connectorId"),
            token=token_of(payload["idToken"]) if "idToken" in payload else None,
            offline=payload.get("offline", False),
            charging_state=ChargingState(info["chargingState"]) if "chargingState" in info else None,
            # An end without a reason is Local (TransactionType.stoppedReason).
            stopped_reason=info.get("stoppedReason", "Local" if part is Progress.ENDED else None),
            remote_start_id=_number(info.get("remoteStartId"), "remoteStartId", notes),
            reservation_id=_number(payload.get("reservationId"), "reservationId", notes),
            phases_used=_number(payload.get("numberOfPhasesUsed"), "numberOfPhasesUsed", notes),
            cable_max_current_a=_number(payload.get("cableMaxCurrent"), "cableMaxCurrent", notes),
            time_spent_charging_s=_number(info.get("timeSpentCharging"), "timeSpentCharging", notes),
            readings=read_meter_values(payload.get("meterValue", []), "meterValue", notes),
        )

    @staticmethod
    def encode(reply: Reply) -> Payload:
        answer = cast(TransactionProgressAnswered, reply)
        payload: Payload = {"idTokenInfo": id_token_info(answer.info)} if answer.info is not None else {}
        return payload | tariffcost.answered(answer)


class GetTransactionStatus(Outgoing):
    action = "GetTransactionStatus"
    command = commands.GetTransactionStatus

    @staticmethod
    def encode(command: commands.GetTransactionStatus, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{} if command.transaction is None else {"transactionId": command.transaction}]

    @staticmethod
    def parse(payload: Payload) -> commands.GetTransactionStatus:
        return commands.GetTransactionStatus(payload.get("transactionId"))

    @staticmethod
    def decode(command: commands.GetTransactionStatus, sent: Payload, answer: Payload) -> Outcome:
        ongoing, queued = answer.get("ongoingIndicator"), answer["messagesInQueue"]
        told = [] if ongoing is None else ["ongoing" if ongoing else "not ongoing"]
        told.append("messages are waiting" if queued else "no messages are waiting")
        return Outcome(Verdict.ACCEPTED, ", ".join(told), facts={"row": command.row, "ongoing": bool(ongoing), "queued": queued})
