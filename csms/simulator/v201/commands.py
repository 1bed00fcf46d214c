"""What a CSMS may ask of a simulated OCPP 2.0.1 station, and how it answers. An EVSE has one connector, number 1."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, cast

from ocpp.charge_point import snake_to_camel_case
from ocpp.v201 import call, call_result
from ocpp.v201.enums import Action

from csms.ocpp.v201.smartcharging import meant
from csms.simulator import logs
from csms.simulator.answering import answers
from csms.simulator.clock import wire_time
from csms.simulator.connector import Connector
from csms.simulator.firmware import Request
from csms.simulator.link import Package
from csms.simulator.v201.charging import ChargingLink201
from csms.simulator.v201.devicemodel import DeviceModel
from csms.simulator.v201.displaymessages import DisplayMessages
from csms.simulator.v201.localauthlist import LocalList201
from csms.simulator.v201.monitoring import MonitoringLink
from csms.simulator.v201.monitors import temperature
from csms.simulator.v201.network import NetworkLink201
from csms.simulator.v201.publishing import Publishing201
from csms.simulator.v201.reservation import ReservationLink201
from csms.simulator.v201.security import SIGNED, Security201


class CommandLink201(
    LocalList201,
    ReservationLink201,
    NetworkLink201,
    MonitoringLink,
    Security201,
    Publishing201,
    DisplayMessages,
    ChargingLink201,
):
    package = Package.V201

    @property
    def model(self) -> DeviceModel:  # type: ignore[override]  # made anew each time, since its values change
        station = self.station
        states = station.dialect.states
        facts: dict[str, Callable[[], str]] = {
            "Model": lambda: station.model,
            "VendorName": lambda: station.vendor,
            "SerialNumber": lambda: station.identity[:25],
            "FirmwareVersion": lambda: station.firmware_version,
            "AvailabilityState": lambda: "Available" if station.operative else "Unavailable",
            "DateTime": lambda: wire_time(station.clock.now()),
            "Identity": lambda: station.identity,
            "Entries": lambda: str(len(station.local_list.entries)),
            "Profiles": lambda: str(len(station.profiles.installed)),
            "DisplayMessages": lambda: str(len(station.display.messages)),
            "ActiveNetworkProfile": lambda: str(station.network.active),
        }
        facts |= {"MonitoringBase": lambda: self.monitors.base, "MonitoringLevel": lambda: str(self.monitors.level)}
        for connector in station.connectors:
            facts[f"Temperature {connector.id}"] = lambda one=connector: f"{temperature(one):.1f}"  # type: ignore[misc]  # a default binds it
            facts[f"Problem {connector.id}"] = lambda one=connector: str(one.faulted).lower()  # type: ignore[misc]  # a default binds it
            facts[f"AvailabilityState {connector.id}"] = lambda number=connector.id: states()[number][0]  # type: ignore[misc]  # a default binds it
        return DeviceModel(station.configuration, station.connectors, facts)

    def _connectors(self, evse: dict[str, Any] | None) -> Sequence[Connector] | None:
        """Those that an address names: all without one; None if there is no such connector."""
        if evse is None or evse["id"] == 0:
            return self.station.connectors
        connector = self.station.find(evse["id"])
        return [connector] if connector and evse.get("connector_id", 1) == 1 else None

    @answers(Action.request_start_transaction)
    def on_remote_start(
        self,
        id_token: dict[str, Any],
        remote_start_id: int,
        evse_id: int | None = None,
        charging_profile: dict[str, Any] | None = None,
        group_id_token: dict[str, Any] | None = None,
        **_: Any,
    ) -> Any:
        station = self.station
        if group_id_token is not None:
            station.reservations.learn(id_token["id_token"], group_id_token["id_token"])
        if (connector := station.place_for(evse_id, id_token["id_token"])) is None:
            return call_result.RequestStartTransaction("Rejected")
        profile = meant(snake_to_camel_case(charging_profile), []) if charging_profile else None
        if profile and (refused := station.profiles.set(connector.id, profile, starting=True)):
            return call_result.RequestStartTransaction("Rejected", cast(Any, {"reason_code": refused}))
        connector.claimed = True
        station.tag_types[id_token["id_token"]] = id_token["type"]
        self.then(station.start_remotely(connector.id, id_token["id_token"], remote_start_id))
        return call_result.RequestStartTransaction("Accepted")

    @answers(Action.request_stop_transaction)
    def on_remote_stop(self, transaction_id: str, **_: Any) -> Any:
        station = self.station
        for connector in station.connectors:
            if connector.transaction and connector.transaction.id == transaction_id and station.accepted:
                self.then(station.stop(connector.id, reason="Remote"))
                return call_result.RequestStopTransaction("Accepted")
        return call_result.RequestStopTransaction("Rejected")

    @answers(Action.get_transaction_status)
    def on_get_transaction_status(self, transaction_id: str | None = None, **_: Any) -> Any:
        station = self.station
        if transaction_id is None:
            return call_result.GetTransactionStatus(messages_in_queue=station.queued > 0)
        ongoing = any(c.transaction and c.transaction.id == transaction_id for c in station.connectors)
        return call_result.GetTransactionStatus(messages_in_queue=station.queued > 0, ongoing_indicator=ongoing)

    @answers(Action.reset)
    def on_reset(self, type: str, evse_id: int | None = None, **_: Any) -> Any:
        station = self.station
        if evse_id is not None:
            # Not one EVSE alone: it has no AllowReset.
            return call_result.Reset("Rejected")
        if type == "OnIdle" and any(connector.transaction for connector in station.connectors):
            station.reset_when_idle = True
            return call_result.Reset("Scheduled")
        self.then(station.reset("ImmediateReset"))
        return call_result.Reset("Accepted")

    @answers(Action.unlock_connector)
    def on_unlock(self, evse_id: int, connector_id: int, **_: Any) -> Any:
        connector = self.station.find(evse_id)
        if connector is None or connector_id != 1:
            status = "UnknownConnector"
        elif connector.transaction:
            status = "OngoingAuthorizedTransaction"
        else:
            status = "UnlockFailed" if connector.error_code == "ConnectorLockFailure" else "Unlocked"
        return call_result.UnlockConnector(status)

    @answers(Action.change_availability)
    def on_change_availability(self, operational_status: str, evse: dict[str, Any] | None = None, **_: Any) -> Any:
        connectors = self._connectors(evse)
        if connectors is None:
            return call_result.ChangeAvailability("Rejected")
        operative = operational_status == "Operative"
        scheduled = False
        for connector in connectors:
            scheduled |= self.station.make_operative(connector, operative)
        if evse is None:
            self.station.operative = operative
        self.then(self.station.report())
        return call_result.ChangeAvailability("Scheduled" if scheduled else "Accepted")

    @answers(Action.get_variables)
    def on_get_variables(self, get_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        model = self.model
        return call_result.GetVariables([model.get(one) for one in get_variable_data])  # type: ignore[misc]  # dicts will do

    @answers(Action.set_variables)
    def on_set_variables(self, set_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        model, results = self.model, []
        for one in set_variable_data:
            result, changed = model.set(one)
            results.append(result)
            if changed:
                self.then(self.station.configured(changed))
        return call_result.SetVariables(cast(Any, results))

    @answers(Action.get_base_report)
    def on_get_base_report(self, request_id: int, report_base: str, **_: Any) -> Any:
        entries = self.model.report(report_base)
        if entries is None:
            return call_result.GetBaseReport("NotSupported")
        self.then(self._report(request_id, entries))
        return call_result.GetBaseReport("Accepted")

    @answers(Action.clear_cache)
    def on_clear_cache(self, **_: Any) -> Any:
        return call_result.ClearCache("Accepted")

    @answers(Action.update_firmware)
    def on_update_firmware(self, request_id: int, firmware: dict[str, Any], **_: Any) -> Any:
        updater = self.station.updater
        gives_up = updater.take(Request(firmware["location"], request_id, signed="signature" in firmware))
        self.then(updater.run())
        return call_result.UpdateFirmware("AcceptedCanceled" if gives_up else "Accepted")

    @answers(Action.data_transfer)
    def on_data_transfer(self, vendor_id: str, **_: Any) -> Any:
        return call_result.DataTransfer("UnknownVendorId")

    @answers(Action.get_log)
    def on_get_log(self, log: dict[str, Any], log_type: str, request_id: int, **_: Any) -> Any:
        station, kind = self.station, "security" if log_type == "SecurityLog" else "diagnostics"

        def tell(status: str) -> Any:
            return station.call(call.LogStatusNotification(status, request_id))

        self.then(logs.send(station, log["remote_location"], kind, tell, "UploadFailure"))
        return call_result.GetLog("Accepted", filename=logs.name_of(station, kind))

    @answers(Action.trigger_message)
    def on_trigger_message(self, requested_message: str, evse: dict[str, Any] | None = None, **_: Any) -> Any:
        station = self.station
        connectors = self._connectors(evse)
        if connectors is None:
            return call_result.TriggerMessage("Rejected")
        number = evse["id"] if evse else None
        messages: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
            "BootNotification": station.boot,
            "Heartbeat": station.heartbeat,
            "StatusNotification": lambda: station.report(number, force=True),
            "MeterValues": lambda: station.send_meter_values(number),
            "TransactionEvent": lambda: self._events(connectors),
            "FirmwareStatusNotification": lambda: station.call(call.FirmwareStatusNotification("Idle")),
            "LogStatusNotification": lambda: station.call(call.LogStatusNotification("Idle")),
            "PublishFirmwareStatusNotification": lambda: station.call(call.PublishFirmwareStatusNotification("Idle")),
            **{message: partial(self.ask_for_certificate, kind) for message, kind in SIGNED.items()},
        }
        triggered = messages.get(requested_message)
        if triggered is None:
            return call_result.TriggerMessage("NotImplemented")
        if requested_message == "TransactionEvent" and not any(connector.transaction for connector in connectors):
            return call_result.TriggerMessage("Rejected")
        self.then(triggered())
        return call_result.TriggerMessage("Accepted")

    async def _events(self, connectors: Sequence[Connector]) -> None:
        for connector in connectors:
            if connector.transaction:
                self.station.dialect.sampled(connector, connector.transaction, "Trigger")
