"""OCPP 2.0.1 CostUpdated (I02), and what the answer to a TransactionEvent says of the price (I02, I03)."""

from datetime import datetime
from decimal import Decimal

from csms.ocpp import costs
from csms.ocpp.translator import Outgoing, Payload
from stations.domain.commands import Outcome, Verdict
from stations.domain.commands.tariffcost import CostUpdated as Command
from stations.domain.events import TransactionProgressAnswered
from stations.domain.values import CostExplained


def answered(answer: TransactionProgressAnswered) -> Payload:
    """A cost of nothing is said as 0, one that is not known is left out (section 5.8: 0.00 for free, omitted = unknown)."""
    payload: Payload = {}
    custom: Payload = {}
    if answer.cost is not None:
        payload["totalCost"] = costs.number(answer.cost)
        if answer.explained is not None:
            custom = {"vendorId": costs.VENDOR} | costs.explained(answer.explained)
    if answer.message is not None:
        payload["updatedPersonalMessage"] = costs.content(answer.message)
        if answer.message.others:
            extra = [costs.content(other) for other in answer.message.others]
            custom = {"vendorId": costs.LANGUAGES} | custom | {"updatedPersonalMessageExtra": extra}
    return payload | ({"customData": custom} if custom else {})


class CostUpdated(Outgoing):
    action = "CostUpdated"
    command = Command

    @staticmethod
    def encode(command: Command, number: int, limits: dict[str, int]) -> list[Payload]:
        payload: Payload = {"totalCost": costs.number(command.cost), "transactionId": command.transaction}
        if command.explained and command.at is not None:
            meter = None if command.meter_wh is None else Decimal(command.meter_wh)
            told = CostExplained(datetime.fromisoformat(command.at), meter, command.state, command.prices)
            payload["customData"] = {"vendorId": costs.VENDOR} | costs.explained(told)
        return [payload]

    @staticmethod
    def parse(payload: Payload) -> Command:
        custom = payload.get("customData") or {}
        if custom.get("vendorId") != costs.VENDOR or "timestamp" not in custom:
            return Command(payload["transactionId"], str(payload["totalCost"]))
        return Command(
            payload["transactionId"],
            str(payload["totalCost"]),
            custom["timestamp"],
            custom.get("meterValue"),
            custom.get("state", "Charging"),
            costs.prices_of(custom),
            explained=True,
        )

    @staticmethod
    def decode(command: Command, sent: Payload, answer: Payload) -> Outcome:
        return Outcome(Verdict.ACCEPTED)
