"""Messages for the display of a simulated OCPP 2.0.1 station (O01 to O06), and costs (I02)."""

from typing import TYPE_CHECKING, Any, cast

from ocpp.v201 import call, call_result
from ocpp.v201.enums import Action

from csms.simulator.answering import answers
from csms.simulator.display import PAGE

if TYPE_CHECKING:
    from csms.simulator.answering import AnsweringLink

    Base = AnsweringLink
else:
    Base = object


class DisplayMessages(Base):
    def _running(self) -> set[str]:
        return {str(one.transaction.id) for one in self.station.connectors if one.transaction}

    @answers(Action.set_display_message)
    def on_set_display_message(self, message: dict[str, Any], **_: Any) -> Any:
        station = self.station
        status = station.display.take(message, running=self._running(), now=station.clock.now())
        if status == "Accepted":
            station.tell(f"shows message {message['id']}: {message['message']['content']}")
        return call_result.SetDisplayMessage(cast(Any, status))

    @answers(Action.get_display_messages)
    def on_get_display_messages(
        self, request_id: int, id: list[int] | None = None, priority: str | None = None, state: str | None = None, **_: Any
    ) -> Any:
        station = self.station
        found = station.display.wanted(id, priority, state, running=self._running(), now=station.clock.now())
        if not found:
            return call_result.GetDisplayMessages(cast(Any, "Unknown"))
        self.then(self._notify(request_id, found))
        return call_result.GetDisplayMessages(cast(Any, "Accepted"))

    async def _notify(self, request_id: int, found: list[dict[str, Any]]) -> None:
        for start in range(0, len(found), PAGE):
            page, more = found[start : start + PAGE], start + PAGE < len(found)
            await self.station.call(call.NotifyDisplayMessages(request_id, cast(Any, page), more))

    @answers(Action.clear_display_message)
    def on_clear_display_message(self, id: int, **_: Any) -> Any:
        status = self.station.display.clear(id)
        if status == "Accepted":
            self.station.tell(f"shows message {id} no more")
        return call_result.ClearDisplayMessage(cast(Any, status))

    @answers(Action.cost_updated)
    def on_cost_updated(self, total_cost: float, transaction_id: str, **_: Any) -> Any:
        self.station.display.cost(transaction_id, total_cost)
        self.station.tell(f"session {transaction_id} costs {total_cost:.2f} so far")
        return call_result.CostUpdated()
