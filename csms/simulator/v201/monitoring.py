"""What a simulated OCPP 2.0.1 station answers in chapter N, and to GetReport (B08): monitors, reports, customers."""

from typing import TYPE_CHECKING, Any, cast

from ocpp.v201 import call, call_result
from ocpp.v201.enums import Action

from csms.simulator.answering import AnsweringLink, answers
from csms.simulator.clock import wire_time
from csms.simulator.v201.devicemodel import ITEMS, MONITORS, DeviceModel
from csms.simulator.v201.monitors import Monitors

if TYPE_CHECKING:
    from csms.simulator.v201.dialect import Dialect201

#: Characters of a page (NotifyCustomerInformation.data).
PAGE = 512


class MonitoringLink(AnsweringLink):
    model: DeviceModel

    @property
    def monitors(self) -> Monitors:
        return cast("Dialect201", self.station.dialect).monitors

    @property
    def customers(self) -> dict[str, int]:
        """By tag, how many sessions the station remembers."""
        return cast("Dialect201", self.station.dialect).customers

    @answers(Action.set_monitoring_base)
    def on_set_monitoring_base(self, monitoring_base: str, **_: Any) -> Any:
        self.monitors.set_base(monitoring_base)
        return call_result.SetMonitoringBase("Accepted")

    @answers(Action.set_monitoring_level)
    def on_set_monitoring_level(self, severity: int, **_: Any) -> Any:
        if not 0 <= severity <= 9:
            return call_result.SetMonitoringLevel("Rejected")
        self.monitors.level = severity
        return call_result.SetMonitoringLevel("Accepted")

    @answers(Action.set_variable_monitoring)
    def on_set_variable_monitoring(self, set_monitoring_data: list[dict[str, Any]], **_: Any) -> Any:
        results = []
        for one in set_monitoring_data:
            status, number = self.monitors.set(one)
            result = {name: one[name] for name in ("type", "severity", "component", "variable")} | {"status": status}
            results.append(result | ({"id": number} if number is not None else {}))
        return call_result.SetVariableMonitoring(cast(Any, results))

    @answers(Action.clear_variable_monitoring)
    def on_clear_variable_monitoring(self, id: list[int], **_: Any) -> Any:
        results = [{"id": number, "status": self.monitors.clear(number)} for number in id]
        return call_result.ClearVariableMonitoring(cast(Any, results))

    @answers(Action.get_monitoring_report)
    def on_get_monitoring_report(
        self,
        request_id: int,
        component_variable: list[dict[str, Any]] | None = None,
        monitoring_criteria: list[str] | None = None,
        **_: Any,
    ) -> Any:
        entries = self.monitors.report(monitoring_criteria, component_variable)
        if not entries:
            return call_result.GetMonitoringReport("EmptyResultSet")
        self.then(self._monitors(request_id, entries))
        return call_result.GetMonitoringReport("Accepted")

    async def _monitors(self, request_id: int, entries: list[dict[str, Any]]) -> None:
        for number, start in enumerate(range(0, len(entries), MONITORS)):
            page, more = entries[start : start + MONITORS], start + MONITORS < len(entries)
            now = wire_time(self.station.clock.now())
            await self.station.call(call.NotifyMonitoringReport(request_id, number, now, cast(Any, page), more))

    @answers(Action.get_report)
    def on_get_report(
        self,
        request_id: int,
        component_variable: list[dict[str, Any]] | None = None,
        component_criteria: list[str] | None = None,
        **_: Any,
    ) -> Any:
        if len(component_variable or ()) > ITEMS:
            return call_result.GetReport("Rejected")
        entries = self.model.chosen(component_criteria or [], component_variable or [])
        if not entries:
            return call_result.GetReport("EmptyResultSet")
        self.then(self._report(request_id, entries))
        return call_result.GetReport("Accepted")

    async def _report(self, request_id: int, entries: list[dict[str, Any]]) -> None:
        pages = [entries[start : start + ITEMS] for start in range(0, len(entries), ITEMS)]
        for number, page in enumerate(pages):
            now, more = wire_time(self.station.clock.now()), number + 1 < len(pages)
            await self.station.call(call.NotifyReport(request_id, now, number, cast(Any, page), more))

    @answers(Action.customer_information)
    def on_customer_information(
        self, request_id: int, report: bool, clear: bool, id_token: dict[str, Any] | None = None, **_: Any
    ) -> Any:
        """Of a customer it knows the card alone, and how often that charged."""
        if id_token is not None and id_token["type"] == "NoAuthorization":
            return call_result.CustomerInformation("Invalid")
        tag = id_token["id_token"] if id_token else ""
        sessions = self.customers.get(tag, 0)
        text = f"Id token {tag}: {sessions} sessions at {self.station.identity}." if sessions else ""
        if clear:
            self.customers.pop(tag, None)
        if report:
            self.then(self._customer(request_id, text))
        return call_result.CustomerInformation("Accepted")

    async def _customer(self, request_id: int, text: str) -> None:
        pages = [text[start : start + PAGE] for start in range(0, len(text), PAGE)] or [""]
        for number, page in enumerate(pages):
            now, more = wire_time(self.station.clock.now()), number + 1 < len(pages)
            await self.station.call(call.NotifyCustomerInformation(page, number, now, request_id, more))
