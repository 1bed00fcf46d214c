"""The cost messages of OCPP 1.6, DataTransfers of org.openchargealliance.costmsg: what 2.0.1 has fields of its own for."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from csms.ocpp import costs, times
from csms.ocpp.costs import VENDOR
from csms.ocpp.errors import Code, InvalidPayload
from csms.ocpp.translator import Incoming, Outgoing, Payload, Unsayable
from csms.ocpp.verdicts import outcome
from stations.domain.commands import Command, Outcome
from stations.domain.commands.tariffcost import CostUpdated, TellFinalCost, TellPrice
from stations.domain.event import Reply
from stations.domain.events import VehicleUnplugged
from stations.domain.values import CostExplained, Note

#: The states of a connector at which a station is to send a reading, so that it is told the cost at once.
TRIGGERS = ("Charging", "SuspendedEV", "SuspendedEVSE", "Finishing")


class ConnectorUnplugged(Incoming):
    """The cable is out: where a session costs until then (CustomIdleFeeAfterStop), the final cost is told now."""

    action = "ConnectorUnplugged"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> VehicleUnplugged:
        transaction, at = payload.get("transactionId"), payload.get("timestamp")
        if not isinstance(transaction, int | str) or isinstance(transaction, bool):
            raise InvalidPayload(Code.OCCURRENCE_CONSTRAINT_VIOLATION, "ConnectorUnplugged needs a transactionId.")
        return VehicleUnplugged(str(transaction)[:36], times.parse(at, "timestamp", notes) if isinstance(at, str) else None)

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class _CostMessage(Outgoing):
    """A message within a DataTransfer. The command's own parameters are found in no raw one, so it is not read back."""

    action = "DataTransfer"
    tunnelled = True

    @staticmethod
    def parse(payload: Payload) -> Command:
        raise NotImplementedError

    @staticmethod
    def decode(command: Any, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer)


def _carried(message: str, data: Payload) -> list[Payload]:
    return [{"vendorId": VENDOR, "messageId": message, "data": orjson.dumps(data).decode()}]


def _transaction(ocpp_id: str) -> int:
    if not (ocpp_id.isascii() and ocpp_id.isdigit()):
        raise Unsayable(f"OCPP 1.6 numbers its transactions: {ocpp_id!r} is no number.")
    return int(ocpp_id)


class RunningCost(_CostMessage):
    command = CostUpdated

    @staticmethod
    def encode(command: CostUpdated, number: int, limits: dict[str, int]) -> list[Payload]:
        if command.at is None or command.meter_wh is None:
            raise Unsayable("OCPP 1.6 tells a running cost with its time and the register: at and meter_wh.")
        told = CostExplained(datetime.fromisoformat(command.at), Decimal(command.meter_wh), command.state, command.prices)
        data = {"transactionId": _transaction(command.transaction), "cost": costs.number(command.cost)} | costs.explained(told)
        return _carried("RunningCost", data | {"triggerMeterValue": {"atCPStatus": list(TRIGGERS)}})


class FinalCost(_CostMessage):
    command = TellFinalCost

    @staticmethod
    def encode(command: TellFinalCost, number: int, limits: dict[str, int]) -> list[Payload]:
        data: Payload = {"transactionId": _transaction(command.transaction), "cost": costs.number(command.cost)}
        data |= {"priceText": command.text} if command.text else {}
        return _carried("FinalCost", data | ({"priceTextExtra": costs.others(command.texts)} if command.texts else {}))


class SetUserPrice(_CostMessage):
    command = TellPrice

    @staticmethod
    def encode(command: TellPrice, number: int, limits: dict[str, int]) -> list[Payload]:
        data: Payload = {"idToken": command.id_token, "priceText": command.text}
        return _carried("SetUserPrice", data | ({"priceTextExtra": costs.others(command.texts)} if command.texts else {}))


#: Put into `conventions.VENDORS` by the vendor.
INCOMING: dict[str, type[Incoming]] = {ConnectorUnplugged.action: ConnectorUnplugged}
OUTGOING: tuple[type[Outgoing], ...] = (RunningCost, FinalCost, SetUserPrice)
