"""What a simulated station says in OCPP 2.0.1: TransactionEvents with numbers of their own, and five states of a connector.

A transaction starts once a card was accepted and a cable is in (TxStartPoint PowerPathClosed) and ends when either is over.
"""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ocpp.v201 import call
from websockets.asyncio.client import ClientConnection

from csms.simulator.clock import wire_time
from csms.simulator.connector import Connector, Transaction
from csms.simulator.dialect import Dialect, State
from csms.simulator.firmware import Request
from csms.simulator.outbox import Entry
from csms.simulator.v201.commands import CommandLink201
from csms.simulator.v201.devicemodel import STARTED_MEASURANDS
from csms.simulator.v201.monitors import Monitors

if TYPE_CHECKING:
    from csms.simulator.station import SimulatedStation

REGISTER = "Energy.Active.Import.Register"
#: Why the station tells of an end, by its reason.
_TRIGGERS = {
    "DeAuthorized": "Deauthorized",
    "EVDisconnected": "EVCommunicationLost",
    "ImmediateReset": "ResetCommand",
    "Local": "StopAuthorized",
    "Remote": "RemoteStop",
}


class Dialect201(Dialect):
    compression = "deflate"

    def __init__(self, station: "SimulatedStation") -> None:
        super().__init__(station)
        self.monitors = Monitors(station)
        #: How many sessions it remembers of a card.
        self.customers: dict[str, int] = {}

    def link(self, socket: ClientConnection) -> CommandLink201:
        return CommandLink201(self.station, socket)

    def boot(self) -> Any:
        station = self.station
        described = {
            "vendorName": station.vendor,
            "model": station.model,
            "serialNumber": station.identity[:25],
            "firmwareVersion": station.firmware_version,
        }
        return call.BootNotification(charging_station=described, reason="RemoteReset" if station.was_reset else "PowerUp")

    def heartbeat(self) -> Any:
        return call.Heartbeat()

    def firmware_status(self, status: str, request: Request) -> Any | None:
        return call.FirmwareStatusNotification(status, request.request_id)

    def authorize(self, tag: str) -> Any:
        return call.Authorize(id_token=self._token(tag))

    def verdict(self, answer: Any) -> str:
        return str(answer.id_token_info["status"])

    def group(self, answer: Any) -> str:
        return str((answer.id_token_info.get("group_id_token") or {}).get("id_token", ""))

    def reservation_lapsed(self, number: int, *, expired: bool) -> Any:
        return call.ReservationStatusUpdate(number, "Expired" if expired else "Removed")

    def states(self) -> dict[int, State]:
        self.station.reservations.settle()
        return {connector.id: (availability(connector),) for connector in self.station.connectors}

    def status(self, connector_id: int, state: State) -> Any:
        return call.StatusNotification(wire_time(self.station.clock.now()), state[0], connector_id, 1)

    def began(self, connector: Connector, transaction: Transaction) -> None:
        transaction.id = str(uuid.uuid4())
        self.customers[transaction.tag] = self.customers.get(transaction.tag, 0) + 1
        if transaction.remote_start_id is not None:
            trigger = "RemoteStart"
        else:
            trigger = "CablePluggedIn" if transaction.card_first else "Authorized"

        def answered(answer: Any) -> None:
            if answer.id_token_info:
                self.station.judged(connector, transaction, str(answer.id_token_info["status"]))

        more: dict[str, Any] = {"evse": {"id": connector.id, "connectorId": 1}, "id_token": self._token(transaction.tag)}
        if (number := self.station.reservations.use(connector, transaction.tag)) is not None:
            transaction.reservation = more["reservation_id"] = number
        info = {} if transaction.remote_start_id is None else {"remoteStartId": transaction.remote_start_id}
        transaction.charging_state = "EVConnected"
        meter = self._sample(connector, "Transaction.Begin", STARTED_MEASURANDS)
        self._queue("Started", trigger, transaction, meter, answered=answered, info=info, **more)
        self.flow_changed(connector)

    def sampled(self, connector: Connector, transaction: Transaction, context: str = "Sample.Periodic") -> None:
        meter = self._sample(connector, context, self.station.configuration.measurands("MeterValuesSampledData"))
        if context == "Trigger":
            self._queue("Updated", "Trigger", transaction, meter)
        elif meter:
            self._queue("Updated", "MeterValuePeriodic", transaction, meter)

    def flow_changed(self, connector: Connector) -> None:
        transaction = connector.transaction
        if transaction and transaction.charging_state != (state := charging_state(connector)):
            transaction.charging_state = state
            self._queue("Updated", "ChargingStateChanged", transaction)
        self.monitors.look(connector)

    def ended(self, connector: Connector, transaction: Transaction, reason: str, tag: str | None) -> None:
        leaves = reason == "EVDisconnected" or connector.car is None
        transaction.charging_state = "Idle" if leaves else "EVConnected"
        wanted = self.station.configuration.measurands("StopTxnSampledData")
        meter = self._sample(connector, "Transaction.End", wanted)
        more = {"id_token": self._token(tag)} if tag else {}
        trigger = _TRIGGERS.get(reason, "AbnormalCondition")
        self._queue("Ended", trigger, transaction, meter, info={"stoppedReason": reason}, **more)

    async def send_meter_values(self, connector: Connector) -> None:
        wanted = self.station.configuration.measurands("MeterValuesSampledData")
        if meter := self._sample(connector, "Trigger", wanted):
            await self.station.call(call.MeterValues(connector.id, [meter]))

    def _queue(
        self,
        kind: str,
        trigger: str,
        transaction: Transaction,
        meter: dict[str, Any] | None = None,
        *,
        info: dict[str, Any] | None = None,
        answered: Any = lambda answer: None,
        **more: Any,
    ) -> None:
        station = self.station
        event = call.TransactionEvent(
            kind,
            wire_time(station.clock.now()),
            trigger,
            transaction.next_event,
            {"transactionId": transaction.id, "chargingState": transaction.charging_state, **(info or {})},
            meter_value=[meter] if meter else None,
            offline=None if station.connected and station.accepted else True,
            **more,
        )
        transaction.next_event += 1

        def heard(answer: Any) -> None:
            self._priced(transaction, answer)
            answered(answer)

        station.queue(Entry(lambda: event, heard))

    def _priced(self, transaction: Transaction, answer: Any) -> None:
        """What an answer says of the price goes to the display."""
        display, station = self.station.display, self.station
        message = answer.updated_personal_message or (answer.id_token_info or {}).get("personal_message")
        if message:
            display.text(message["content"])
            station.tell(f"shows the price of session {transaction.id}: {message['content']}")
        if answer.total_cost is not None:
            display.cost(transaction.id, answer.total_cost)

    def _sample(self, connector: Connector, context: str, measurands: set[str]) -> dict[str, Any] | None:
        at = self.station.clock.now()
        return meter_value(connector, at, context, measurands, self.signed(connector, at, context))

    def _token(self, tag: str) -> dict[str, str]:
        return {"idToken": tag, "type": self.station.tag_types.get(tag, "ISO14443")}


def availability(connector: Connector) -> str:
    """A connector's status in StatusNotification (G01)."""
    if connector.faulted:
        return "Faulted"
    if connector.transaction:
        return "Occupied"
    if not connector.operative:
        return "Unavailable"
    if connector.car:
        return "Occupied"
    return "Reserved" if connector.reserved else "Available"


def charging_state(connector: Connector) -> str:
    """The state of a connector with a transaction (E02)."""
    if connector.car is None:
        return "Idle"
    if not connector.flowing:
        return "SuspendedEVSE"
    return "SuspendedEV" if connector.car.battery.full else "Charging"


def meter_value(
    connector: Connector, at: datetime, context: str, measurands: set[str], signed: dict[str, str] | None = None
) -> dict[str, Any] | None:
    """One `meterValue` with the wanted measurands, or None when none of them exists here. What is signed stands by the register."""
    values = []
    for reading in connector.readings(measurands | ({REGISTER} if signed else set())):
        value: dict[str, Any] = {"measurand": reading.measurand, "value": float(reading.value), "context": context}
        optional = {"phase": reading.phase, "location": reading.location}
        values.append(value | {"unitOfMeasure": {"unit": reading.unit}} | {name: text for name, text in optional.items() if text})
        if signed and reading.measurand == REGISTER:
            values[-1]["signedMeterValue"] = signed
    return {"timestamp": wire_time(at), "sampledValue": values} if values else None
