"""The foreign CSMS of the simulator's tests in OCPP 2.0.1: the server side of the `ocpp` package."""

import json
from itertools import groupby
from typing import Any

from ocpp.routing import on
from ocpp.v201 import ChargePoint, call_result
from ocpp.v201.enums import Action

from tests.simulator.central import NOW, Watching


class Peer201(Watching, ChargePoint):
    @on(Action.boot_notification)
    def boot(self, **_: Any) -> Any:
        status, interval = self.central.boots.pop(0) if self.central.boots else ("Accepted", 300)
        return call_result.BootNotification(NOW, interval, status)

    @on(Action.heartbeat)
    def heartbeat(self) -> Any:
        return call_result.Heartbeat(NOW)

    @on(Action.authorize)
    def authorize(self, id_token: dict[str, str], **_: Any) -> Any:
        return call_result.Authorize({"status": self._status(id_token)})

    @on(Action.status_notification)
    def status(self, **_: Any) -> Any:
        return call_result.StatusNotification()

    @on(Action.meter_values)
    def meter_values(self, **_: Any) -> Any:
        return call_result.MeterValues()

    @on(Action.notify_report)
    def report(self, **_: Any) -> Any:
        return call_result.NotifyReport()

    @on(Action.notify_event)
    def noticed(self, **_: Any) -> Any:
        return call_result.NotifyEvent()

    @on(Action.notify_monitoring_report)
    def monitors(self, **_: Any) -> Any:
        return call_result.NotifyMonitoringReport()

    @on(Action.notify_customer_information)
    def customer(self, **_: Any) -> Any:
        return call_result.NotifyCustomerInformation()

    @on(Action.firmware_status_notification)
    def firmware(self, **_: Any) -> Any:
        return call_result.FirmwareStatusNotification()

    @on(Action.log_status_notification)
    def log(self, **_: Any) -> Any:
        return call_result.LogStatusNotification()

    @on(Action.reservation_status_update)
    def reservation(self, **_: Any) -> Any:
        return call_result.ReservationStatusUpdate()

    @on(Action.transaction_event)
    def event(self, id_token: dict[str, str] | None = None, **_: Any) -> Any:
        return call_result.TransactionEvent(id_token_info={"status": self._status(id_token)} if id_token else None)

    def _status(self, token: dict[str, str]) -> str:
        return self.central.tags.get(token["id_token"], "Invalid")

    @on(Action.report_charging_profiles)
    def on_report_charging_profiles(self, **_: Any) -> Any:
        return call_result.ReportChargingProfiles()


def told(payload: dict[str, Any]) -> tuple[str, str, str, int]:
    """What an event says in short."""
    info = payload["transactionInfo"]
    return payload["eventType"], payload["triggerReason"], info["chargingState"], payload["seqNo"]


def contexts(payloads: list[dict[str, Any]]) -> list[str]:
    """The contexts of the readings, without repetitions in a row."""
    every = [value["context"] for one in payloads for meter in one.get("meterValue", []) for value in meter["sampledValue"]]
    return [context for context, _ in groupby(every)]


def answer_in(frames: list[str], message_id: str) -> list[Any] | None:
    """The frame that answered a CALL sent as text."""
    return next((frame for frame in map(json.loads, frames) if frame[0] in (3, 4) and frame[1] == message_id), None)
