"""What a simulated station says in OCPP 1.6: StartTransaction, MeterValues, StopTransaction, and nine states of a connector."""

import json
from datetime import datetime
from typing import Any

from ocpp.v16 import call
from websockets.asyncio.client import ClientConnection

from csms.simulator.clock import wire_time
from csms.simulator.connector import Connector, Transaction
from csms.simulator.dialect import Dialect, State
from csms.simulator.firmware import Request
from csms.simulator.outbox import Entry
from csms.simulator.v16.commands import CommandLink16

#: What can be told of an update without the security extension (1.6, 7.25).
UNSIGNED = ("Downloading", "Downloaded", "DownloadFailed", "Installing", "Installed", "InstallationFailed")


class Dialect16(Dialect):
    # As most 1.6 stations, without compression; it also costs a fleet much memory.

    def link(self, socket: ClientConnection) -> CommandLink16:
        return CommandLink16(self.station, socket)

    def boot(self) -> Any:
        station = self.station
        return call.BootNotification(
            charge_point_vendor=station.vendor,
            charge_point_model=station.model,
            charge_point_serial_number=station.identity[:25],
            firmware_version=station.firmware_version,
            meter_type="SIM-METER",
        )

    def heartbeat(self) -> Any:
        return call.Heartbeat()

    def firmware_status(self, status: str, request: Request) -> Any | None:
        if request.signed:
            return call.SignedFirmwareStatusNotification(status, request.request_id)
        return call.FirmwareStatusNotification(status) if status in UNSIGNED else None

    def authorize(self, tag: str) -> Any:
        return call.Authorize(id_tag=tag)

    def verdict(self, answer: Any) -> str:
        return str(answer.id_tag_info["status"])

    def group(self, answer: Any) -> str:
        return str(answer.id_tag_info.get("parent_id_tag", ""))

    def states(self) -> dict[int, State]:
        station = self.station
        station.reservations.settle()
        whole: dict[int, State] = {0: ("Available" if station.operative else "Unavailable", "NoError")}
        return whole | {connector.id: (connector.status, connector.error_code) for connector in station.connectors}

    def status(self, connector_id: int, state: State) -> Any:
        return call.StatusNotification(connector_id, state[1], state[0], wire_time(self.station.clock.now()))

    def began(self, connector: Connector, transaction: Transaction) -> None:
        transaction.reservation = self.station.reservations.use(connector, transaction.tag)
        transaction.begin = self._sample(connector, "Transaction.Begin", "StopTxnSampledData")

        def started(answer: Any) -> None:
            transaction.id = answer.transaction_id
            self.station.judged(connector, transaction, str(answer.id_tag_info["status"]))

        def given_up() -> None:
            # Its meter values and its end are still owed, with the id that means "unknown" (1.6 errata 3.18).
            transaction.id = -1

        def build() -> Any:
            return call.StartTransaction(
                connector.id,
                transaction.tag,
                transaction.meter_start_wh,
                wire_time(transaction.started_at),
                transaction.reservation,
            )

        self.station.queue(Entry(build, started, given_up))

    def sampled(self, connector: Connector, transaction: Transaction, context: str = "Sample.Periodic") -> None:
        if sample := self._sample(connector, context):
            self.station.queue(Entry(lambda: call.MeterValues(connector.id, [sample], transaction.id)))

    def flow_changed(self, connector: Connector) -> None:
        """StatusNotification tells; and a reading, where the cost is to be told anew then."""
        transaction = connector.transaction
        if transaction is None or (wanted := self.station.display.triggers.get(str(transaction.id))) is None:
            return
        before, transaction.charging_state = transaction.charging_state, connector.status
        if before and before != connector.status and connector.status in wanted:
            self.sampled(connector, transaction, "Other")

    def ended(self, connector: Connector, transaction: Transaction, reason: str, tag: str | None) -> None:
        end = self._sample(connector, "Transaction.End", "StopTxnSampledData")
        data = [sample for sample in (transaction.begin, end) if sample]
        at, register = wire_time(self.station.clock.now()), connector.register_wh

        def build() -> Any:
            number = transaction.id if transaction.id is not None else -1
            return call.StopTransaction(register, at, number, reason, tag, data or None)

        self.station.queue(Entry(build))

    async def send_meter_values(self, connector: Connector) -> None:
        if connector.transaction:
            self.sampled(connector, connector.transaction, "Trigger")
        elif sample := self._sample(connector, "Trigger"):
            await self.station.call(call.MeterValues(connector.id, [sample]))

    def _sample(self, connector: Connector, context: str, key: str = "MeterValuesSampledData") -> dict[str, Any] | None:
        at = self.station.clock.now()
        measurands = self.station.configuration.measurands(key)
        return meter_value(connector, at, context, measurands, self.signed(connector, at, context))


def meter_value(
    connector: Connector, at: datetime, context: str, measurands: set[str], signed: dict[str, str] | None = None
) -> dict[str, Any] | None:
    """One `meterValue` with the wanted measurands and what is signed, or None when none of them exists here."""
    values = []
    for reading in connector.readings(measurands):
        value = {"measurand": reading.measurand, "value": reading.value, "unit": reading.unit, "context": context}
        optional = {"phase": reading.phase, "location": reading.location}
        values.append(value | {name: text for name, text in optional.items() if text})
    if signed:
        values.append({"value": json.dumps(signed), "format": "SignedData", "context": context})
    return {"timestamp": wire_time(at), "sampledValue": values} if values else None
