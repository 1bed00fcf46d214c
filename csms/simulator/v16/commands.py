"""What a CSMS may ask of a simulated OCPP 1.6 Core station, and how it answers."""

from collections.abc import Callable, Coroutine
from typing import Any, cast

from ocpp.charge_point import snake_to_camel_case
from ocpp.v16 import call, call_result
from ocpp.v16.enums import Action

from csms.ocpp.v16.smartcharging import meant
from csms.simulator import logs
from csms.simulator.answering import answers
from csms.simulator.firmware import Request
from csms.simulator.link import Package
from csms.simulator.v16.charging import ChargingLink16
from csms.simulator.v16.costmessages import CostMessages
from csms.simulator.v16.localauthlist import LocalList16
from csms.simulator.v16.reservation import ReservationLink16
from csms.simulator.v16.security import PNC, Security16


class CommandLink16(LocalList16, ReservationLink16, Security16, CostMessages, ChargingLink16):
    package = Package.V16

    @answers(Action.remote_start_transaction)
    def on_remote_start(
        self, id_tag: str, connector_id: int | None = None, charging_profile: dict[str, Any] | None = None, **_: Any
    ) -> Any:
        station = self.station
        if (connector := station.place_for(connector_id, id_tag)) is None:
            return call_result.RemoteStartTransaction("Rejected")
        profile = meant(snake_to_camel_case(charging_profile)) if charging_profile else None
        if profile and station.profiles.set(connector.id, profile, starting=True):
            return call_result.RemoteStartTransaction("Rejected")
        connector.claimed = True
        self.then(station.start_remotely(connector.id, id_tag))
        return call_result.RemoteStartTransaction("Accepted")

    @answers(Action.remote_stop_transaction)
    def on_remote_stop(self, transaction_id: int, **_: Any) -> Any:
        station = self.station
        for connector in station.connectors:
            if connector.transaction and connector.transaction.id == transaction_id and station.accepted:
                self.then(station.stop(connector.id, reason="Remote"))
                return call_result.RemoteStopTransaction("Accepted")
        return call_result.RemoteStopTransaction("Rejected")

    @answers(Action.reset)
    def on_reset(self, type: str, **_: Any) -> Any:
        self.then(self.station.reset(f"{type}Reset", deliver_first=type == "Soft"))
        return call_result.Reset("Accepted")

    @answers(Action.unlock_connector)
    def on_unlock(self, connector_id: int, **_: Any) -> Any:
        connector = self.station.find(connector_id)
        if connector is None:
            status = "NotSupported"
        elif connector.error_code == "ConnectorLockFailure":
            status = "UnlockFailed"
        else:
            status = "Unlocked"
            if connector.transaction:
                self.then(self.station.stop(connector.id, reason="UnlockCommand"))
        return call_result.UnlockConnector(status)

    @answers(Action.change_availability)
    def on_change_availability(self, connector_id: int, type: str, **_: Any) -> Any:
        connectors = self.station.connectors if connector_id == 0 else [self.station.find(connector_id)]
        if None in connectors:
            return call_result.ChangeAvailability("Rejected")
        scheduled = False
        for connector in connectors:
            assert connector is not None
            scheduled |= self.station.make_operative(connector, type == "Operative")
        if connector_id == 0:
            self.station.operative = type == "Operative"
        self.then(self.station.report())
        return call_result.ChangeAvailability("Scheduled" if scheduled else "Accepted")

    @answers(Action.get_configuration)
    def on_get_configuration(self, key: list[str] | None = None, **_: Any) -> Any:
        known, unknown = self.station.configuration.get(key)
        return call_result.GetConfiguration(known, unknown or None)

    @answers(Action.change_configuration)
    def on_change_configuration(self, key: str, value: str, **_: Any) -> Any:
        status = self.station.configuration.change(key, value)
        if status == "Accepted":
            self.then(self.station.configured(key))
        return call_result.ChangeConfiguration(status)

    @answers(Action.clear_cache)
    def on_clear_cache(self, **_: Any) -> Any:
        return call_result.ClearCache("Accepted")

    @answers(Action.update_firmware)
    def on_update_firmware(self, location: str, **_: Any) -> Any:
        updater = self.station.updater
        updater.take(Request(location))
        self.then(updater.run())
        return call_result.UpdateFirmware()

    @answers(Action.signed_update_firmware)
    def on_signed_update_firmware(self, request_id: int, firmware: dict[str, Any], **_: Any) -> Any:
        updater = self.station.updater
        gives_up = updater.take(Request(firmware["location"], request_id, signed=True))
        self.then(updater.run())
        return call_result.SignedUpdateFirmware("AcceptedCanceled" if gives_up else "Accepted")

    @answers(Action.data_transfer)
    def on_data_transfer(self, vendor_id: str, message_id: str | None = None, data: str | None = None, **_: Any) -> Any:
        if vendor_id == PNC:
            return self.plug_and_charge(message_id, data)
        return self.cost_message(vendor_id, message_id, data)

    @answers(Action.get_diagnostics)
    def on_get_diagnostics(self, location: str, **_: Any) -> Any:
        station = self.station

        def tell(status: str) -> Any:
            return station.call(call.DiagnosticsStatusNotification(cast(Any, status)))

        self.then(logs.send(station, location, "diagnostics", tell, "UploadFailed"))
        return call_result.GetDiagnostics(logs.name_of(station, "diagnostics"))

    @answers(Action.get_log)
    def on_get_log(self, log: dict[str, Any], log_type: str, request_id: int, **_: Any) -> Any:
        station, kind = self.station, "security" if log_type == "SecurityLog" else "diagnostics"

        def tell(status: str) -> Any:
            return station.call(call.LogStatusNotification(cast(Any, status), request_id))

        self.then(logs.send(station, log["remote_location"], kind, tell, "UploadFailure"))
        return call_result.GetLog(cast(Any, "Accepted"), logs.name_of(station, kind))

    @answers(Action.trigger_message)
    def on_trigger_message(self, requested_message: str, connector_id: int | None = None, **_: Any) -> Any:
        station = self.station
        if connector_id not in (None, 0) and station.find(connector_id) is None:
            return call_result.TriggerMessage("Rejected")
        triggered: Callable[[], Coroutine[Any, Any, Any]] | None = {
            "BootNotification": station.boot,
            "Heartbeat": station.heartbeat,
            "StatusNotification": lambda: station.report(connector_id, force=True),
            "MeterValues": lambda: station.send_meter_values(connector_id),
        }.get(requested_message)
        if triggered is None:
            return call_result.TriggerMessage("NotImplemented")
        self.then(triggered())
        return call_result.TriggerMessage("Accepted")
