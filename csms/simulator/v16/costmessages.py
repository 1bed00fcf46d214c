"""Costs on the display of a simulated OCPP 1.6 station: DataTransfers of org.openchargealliance.costmsg."""

import json
from typing import TYPE_CHECKING, Any, cast

from ocpp.v16 import call_result

if TYPE_CHECKING:
    from csms.simulator.answering import AnsweringLink

    Base = AnsweringLink
else:
    Base = object

VENDOR = "org.openchargealliance.costmsg"


class CostMessages(Base):
    def cost_message(self, vendor_id: str, message_id: str | None, data: Any) -> Any:
        """Answer a DataTransfer that may be one."""
        if vendor_id != VENDOR or not self.station.configuration.flag("CustomDisplayCostAndPrice"):
            return call_result.DataTransfer(cast(Any, "UnknownVendorId"))
        told = {"SetUserPrice": self._price, "RunningCost": self._cost, "FinalCost": self._cost}.get(message_id or "")
        if told is None:
            return call_result.DataTransfer(cast(Any, "UnknownMessageId"))
        try:
            told(json.loads(data), message_id == "FinalCost")
        except (TypeError, ValueError, KeyError):
            return call_result.DataTransfer(cast(Any, "Rejected"))
        return call_result.DataTransfer(cast(Any, "Accepted"))

    def _price(self, data: dict[str, Any], final: bool) -> None:
        self.station.display.text(data["priceText"])
        self.station.tell(f"shows the price to {data['idToken']}: {data['priceText']}")

    def _cost(self, data: dict[str, Any], final: bool) -> None:
        display, number = self.station.display, str(data["transactionId"])
        display.cost(number, float(data["cost"]))
        display.triggers.pop(number, None)
        if at := (data.get("triggerMeterValue") or {}).get("atCPStatus"):
            display.triggers[number] = [str(state) for state in at]
        self.station.tell(f"session {data['transactionId']} costs {float(data['cost']):.2f} {'in the end' if final else 'so far'}")
