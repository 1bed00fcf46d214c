"""What a CSMS may ask of a simulated OCPP 1.6 Core station, and how it answers.

Handlers answer at once; what the answer promises is done by a task of the station, because the package's read loop waits for
a handler and could not hear the answer to a CALL made in one. Actions that are not here get NotSupported.
"""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ocpp import routing
from ocpp.v16 import call_result
from ocpp.v16.enums import Action

from csms.simulator.link import Link

if TYPE_CHECKING:
    from csms.simulator.station import SimulatedStation


Handler = TypeVar("Handler", bound=Callable[..., Any])


def answers(action: Action) -> Callable[[Handler], Handler]:
    """The package's `on`, with types."""
    return cast(Callable[[Handler], Handler], routing.on(action))


class CommandLink(Link):
    def __init__(self, station: "SimulatedStation", socket: Any, *, answer_timeout_s: float) -> None:
        super().__init__(station.identity, socket, answer_timeout_s=answer_timeout_s)
        self.station = station
        self._promised: list[Coroutine[Any, Any, Any]] = []

    def then(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do this once the answer has gone out: a reset must not close the socket before."""
        self._promised.append(work)

    async def _handle_call(self, msg: Any) -> Any:
        try:
            return await super()._handle_call(msg)
        finally:
            promised, self._promised = self._promised, []
            for work in promised:
                self.station.spawn(work)

    @answers(Action.remote_start_transaction)
    def on_remote_start(self, id_tag: str, connector_id: int | None = None, **_: Any) -> Any:
        station = self.station
        free = [c for c in station.connectors if c.free and connector_id in (None, c.id)]
        if not free or not station.accepted:
            return call_result.RemoteStartTransaction("Rejected")
        # Where a car already waits for it, else anywhere.
        connector = next((c for c in free if c.car), free[0])
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
        self.then(self.station.reset(type))
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

    @answers(Action.data_transfer)
    def on_data_transfer(self, vendor_id: str, **_: Any) -> Any:
        return call_result.DataTransfer("UnknownVendorId")

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
