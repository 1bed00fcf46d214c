"""A simulated station of OCPP 1.6 or 2.0.1: steps for a test to lead it by, and the behaviour that a CSMS's commands set off.

    async with SimulatedStation("ws://127.0.0.1:8000/ocpp", "AMBER-01", password="...") as station:
        await station.boot()
        await station.plug_in(1)
        transaction_id = await station.start(1, "04A1B2C3D4")
        await station.charge(1, seconds=1800)
        await station.stop(1, tag="04A1B2C3D4")

Left alone it does nothing; `csms.simulator.life` lives it.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime

from websockets.asyncio.client import ClientConnection

from csms.simulator import power
from csms.simulator.battery import AC_22KW, Battery, Car, Supply
from csms.simulator.charging import Profiles
from csms.simulator.client import Client
from csms.simulator.clock import Clock, ScriptedClock
from csms.simulator.configuration import Configuration
from csms.simulator.connector import Connector, Transaction, register_at
from csms.simulator.dialect import Dialect, State
from csms.simulator.display import Display
from csms.simulator.errors import BadAnswer, SimulatorError
from csms.simulator.firmware import Updater
from csms.simulator.link import Link
from csms.simulator.locallist import LocalList
from csms.simulator.networks import Networks
from csms.simulator.outbox import Entry
from csms.simulator.reservations import Reservations
from csms.simulator.v16 import Dialect16
from csms.simulator.v201 import Dialect201

DIALECTS: dict[str, type[Dialect]] = {"ocpp1.6": Dialect16, "ocpp2.0.1": Dialect201}


class SimulatedStation(Client):
    """`connectors` is a number of 22 kW AC connectors, or a `Supply` for each. `tell` hears of noteworthy things in plain words.
    `protocol` is ocpp1.6 or ocpp2.0.1; there, a connector is the one connector of the EVSE of its number.

    Public: `ledger` (what was acknowledged, in order), `connectors`, `accepted`, `registration`, `configuration`, `queued`
    (transaction messages that wait), `connected`, `lost` (an event), `lost_because`.
    """

    def __init__(
        self,
        url: str,
        identity: str,
        *,
        password: str | None = None,
        connectors: int | Sequence[Supply] = 2,
        protocol: str = "ocpp1.6",
        clock: Clock | None = None,
        rng: random.Random | None = None,
        configuration: dict[str, str] | None = None,
        vendor: str = "Simulated",
        model: str = "SIM-22",
        firmware_version: str = "1.0.0",
        answer_timeout_s: float = 30,
        keep_ledger: bool = True,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        if protocol not in DIALECTS:
            raise ValueError(f"there is no simulated station of {protocol!r}; there is one of {' and '.join(DIALECTS)}")
        supplies = [AC_22KW] * connectors if isinstance(connectors, int) else list(connectors)
        super().__init__(
            url,
            identity,
            password=password,
            protocol=protocol,
            compression=DIALECTS[protocol].compression,
            configuration=Configuration(connectors=len(supplies), given=configuration),
            tell=tell,
            keep_ledger=keep_ledger,
        )
        self.clock: Clock = clock or ScriptedClock()
        self.rng = rng or random.Random(identity)  # noqa: S311  (drivers, not secrets)
        self.vendor, self.model, self.firmware_version = vendor, model, firmware_version
        self.answer_timeout_s = answer_timeout_s
        self.connectors = [Connector(n, s, register_at(self.clock.now(), s)) for n, s in enumerate(supplies, start=1)]
        self.boot_interval_s = 0
        self.operative = self.powered = True
        #: A reset brought about the next boot; and one is to come once no transaction runs (2.x).
        self.was_reset = self.reset_when_idle = False
        #: The types of id tokens that are no cards, as the CSMS named them (2.x).
        self.tag_types: dict[str, str] = {}
        self.dialect, self.updater = DIALECTS[protocol](self), Updater(self)
        self.local_list, self.display = LocalList(self.configuration), Display()
        self.reservations, self.network, self.profiles = Reservations(self), Networks(self), Profiles(self)
        self._reported: dict[int, State] = {}
        self._reporting = asyncio.Lock()
        self._registering = asyncio.Lock()

    def make_link(self, socket: ClientConnection) -> Link:
        return self.dialect.link(socket)

    async def returned(self) -> None:
        await self.report()

    async def boot(self) -> str:
        """One BootNotification; when accepted, every connector's status. Returns Accepted, Pending or Rejected."""
        answer = await self.call(self.dialect.boot())
        self.registration = str(answer.status)
        if self.accepted:
            self.accepted_event.set()
            self.was_reset = False
            if answer.interval > 0:
                self.configuration.put("HeartbeatInterval", str(answer.interval))
            self._outbox.open()
            await self.report(force=True)
            await self._outbox.settled()
        else:
            self.accepted_event.clear()
            self._outbox.close()
            self.boot_interval_s = answer.interval
        return self.registration

    async def register(self) -> None:
        """Boot, and again after each interval that a Pending or Rejected gives, until accepted or offline."""
        async with self._registering:
            if not self.accepted:
                await self._register()

    async def _register(self) -> None:
        while self.connected and await self.boot() != "Accepted":
            # 0 leaves the wait to the station (1.6, 4.2).
            wait = self.boot_interval_s or self.rng.uniform(20, 40)
            self.tell(f"boot answered {self.registration}; asking again in {wait:.0f} s")
            losing = asyncio.ensure_future(self.lost.wait())
            accepting = asyncio.ensure_future(self.accepted_event.wait())
            try:
                await asyncio.wait({losing, accepting}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            finally:
                losing.cancel()
                accepting.cancel()
            if self.accepted:
                return

    async def heartbeat(self) -> datetime:
        """Returns the CSMS's time."""
        answer = await self.call(self.dialect.heartbeat())
        try:
            return datetime.fromisoformat(answer.current_time)
        except ValueError as error:
            raise BadAnswer(f"Heartbeat was answered with a time that is none: {answer.current_time!r}") from error

    async def authorize(self, tag: str) -> str:
        """Returns the card's status: Accepted, Blocked, Expired, Invalid or ConcurrentTx."""
        answer = await self.call(self.dialect.authorize(tag))
        self.reservations.learn(tag, self.dialect.group(answer))
        return self.dialect.verdict(answer)

    async def report(self, connector_id: int | None = None, *, force: bool = False) -> None:
        """StatusNotification for each connector whose state is not what was last reported (`force`: for all).

        While offline or not accepted nothing is sent: on return only the status of then is (1.6, 4.9).
        """
        async with self._reporting:
            for number in self.dialect.states():
                # Asked again for each: the ones before took their time.
                state = self.dialect.states()[number]
                wanted = connector_id in (None, number) and (force or state != self._reported.get(number))
                if wanted and await self._send_status(number, state):
                    self._reported[number] = state

    async def _send_status(self, connector_id: int, state: State) -> bool:
        if not (self.connected and self.accepted):
            return False
        try:
            await self.call(self.dialect.status(connector_id, state))
        except SimulatorError as error:
            self.tell(f"StatusNotification: {error}")
            return False
        return True

    # What people do

    def find(self, connector_id: int | None) -> Connector | None:
        return next((connector for connector in self.connectors if connector.id == connector_id), None)

    def _connector(self, connector_id: int) -> Connector:
        if connector := self.find(connector_id):
            return connector
        raise ValueError(f"{self.identity} has no connector {connector_id}; it has 1 to {len(self.connectors)}")

    async def plug_in(self, connector_id: int, car: Car | None = None) -> None:
        """A car's cable goes in; a card that waits for it begins a transaction."""
        connector = self._connector(connector_id)
        if connector.car:
            raise ValueError(f"there is a car at connector {connector_id} already; unplug it first")
        connector.car = car or Car(Battery(60_000, 12_000, 100_000), ac_current_a=32)
        await self.report(connector_id)
        if (tag := connector.waiting_tag) and connector.usable:
            await self.start(connector_id, tag, remote_start_id=connector.waiting_remote_start)

    async def present(self, connector_id: int, tag: str, *, remote_start_id: int | None = None) -> None:
        """A card that was accepted waits for a cable, for ConnectionTimeOut seconds of real time."""
        connector = self._connector(connector_id)
        connector.waiting_tag, connector.waiting_remote_start = tag, remote_start_id
        connector.cards += 1
        this = connector.cards

        async def forget() -> None:
            await asyncio.sleep(self.configuration.number("ConnectionTimeOut"))
            if connector.waiting_tag and connector.cards == this:
                connector.waiting_tag = None
                await self.report(connector_id)

        self.spawn(forget())
        await self.report(connector_id)

    async def start(self, connector_id: int, tag: str, *, remote_start_id: int | None = None) -> int | str | None:
        """Begin a transaction. Returns its id; in 1.6, None while the CSMS cannot be asked for one (the message then waits).

        When the CSMS answers that the card may not charge, the transaction is stopped again (DeAuthorized) or held, as
        StopTransactionOnInvalidId says.
        """
        connector = self._connector(connector_id)
        if connector.transaction:
            raise ValueError(f"connector {connector_id} has a transaction already; stop it first")
        if not connector.usable or not self.reservations.admits(connector, tag):
            raise ValueError(f"connector {connector_id} is {connector.status} and cannot charge")
        transaction = Transaction(
            tag,
            self.clock.now(),
            connector.register_wh,
            remote_start_id=remote_start_id,
            card_first=connector.waiting_tag is not None,
        )
        connector.transaction, connector.waiting_tag, connector.finishing = transaction, None, False
        self.dialect.began(connector, transaction)
        await self._outbox.settled()
        await self.report(connector_id)
        return transaction.id

    def judged(self, connector: Connector, transaction: Transaction, status: str) -> None:
        """The CSMS has heard of a transaction and says what it thinks of the card."""
        self.tell(f"connector {connector.id}: session {transaction.id} started with card {transaction.tag}")
        if status != "Accepted" and connector.transaction is transaction:
            self.tell(f"connector {connector.id}: card {transaction.tag} is {status}, session {transaction.id} may not charge")
            if self.configuration.flag("StopTransactionOnInvalidId"):
                self.end(connector, "DeAuthorized", None)
            else:
                transaction.held = True
                self.dialect.flow_changed(connector)

    def place_for(self, connector_id: int | None, tag: str) -> Connector | None:
        """Where a remote start may begin: where a car already waits for it, else anywhere. None if nowhere."""
        free = [c for c in self.connectors if c.vacant and connector_id in (None, c.id)] if self.accepted else []
        free = [c for c in free if self.reservations.admits(c, tag)]
        return next((c for c in free if c.car), free[0] if free else None)

    async def start_remotely(self, connector_id: int, tag: str, remote_start_id: int | None = None) -> None:
        """What follows an accepted remote start: the card is asked for, and waits for a cable unless one is in."""
        connector = self._connector(connector_id)
        connector.claimed = True
        try:
            if self.configuration.flag("AuthorizeRemoteTxRequests") and (status := await self.authorize(tag)) != "Accepted":
                self.tell(f"connector {connector_id}: remote start with card {tag} came to nothing: {status}")
                return
        finally:
            connector.claimed = False
        if connector.transaction is None and connector.usable:
            if connector.car:
                await self.start(connector_id, tag, remote_start_id=remote_start_id)
            else:
                await self.present(connector_id, tag, remote_start_id=remote_start_id)

    async def charge(self, connector_id: int, *, seconds: float, step: float = 10) -> None:
        """Let time pass with a transaction on this connector; energy flows on the others too."""
        if self._connector(connector_id).transaction is None:
            raise ValueError(f"connector {connector_id} has no transaction; start one first")
        while seconds > 0:
            until_sample = [
                self.configuration.number("MeterValueSampleInterval") - c.transaction.since_sample_s
                for c in self.connectors
                if c.transaction
            ]
            passing = min(seconds, step, *(wait for wait in until_sample if wait > 0))
            await self.clock.sleep(passing)
            self.advance(passing)
            await self._outbox.settled()
            await self.report()
            seconds -= passing

    def advance(self, seconds: float) -> bool:
        """Let energy flow for a time that has just passed, and queue the samples that are due. True when a status changed."""
        if not self.powered:
            return False
        interval = self.configuration.number("MeterValueSampleInterval")
        self.profiles.apply()
        for connector in self.connectors:
            connector.advance(seconds)
            self.dialect.flow_changed(connector)
            transaction = connector.transaction
            if transaction and 0 < interval <= transaction.since_sample_s + 1e-6:
                transaction.since_sample_s = 0.0
                self.dialect.sampled(connector, transaction)
        return self.dialect.states() != self._reported

    def queue(self, entry: Entry) -> None:
        """A message of a transaction: kept until it is delivered, whatever happens."""
        self._outbox.put(entry)

    async def send_meter_values(self, connector_id: int | None = None) -> None:
        """Meter values of now, as a TriggerMessage asks for them."""
        for connector in self.connectors:
            if connector_id in (None, 0, connector.id):
                await self.dialect.send_meter_values(connector)
        await self._outbox.settled()

    async def stop(self, connector_id: int, *, reason: str = "Local", tag: str | None = None) -> None:
        """End the transaction; the car stays until it is unplugged."""
        connector = self._connector(connector_id)
        if connector.transaction is None:
            raise ValueError(f"connector {connector_id} has no transaction to stop")
        self.end(connector, reason, tag)
        await self._outbox.settled()
        await self.report(connector_id)

    def end(self, connector: Connector, reason: str, tag: str | None) -> None:
        transaction = connector.transaction
        assert transaction is not None
        ended_at, meter_stop = self.clock.now(), connector.register_wh
        self.dialect.ended(connector, transaction, reason, tag)
        transaction.meter_stop_wh = meter_stop
        connector.transaction, connector.finishing = None, connector.car is not None
        if connector.scheduled_operative is not None:
            connector.operative, connector.scheduled_operative = connector.scheduled_operative, None

        minutes = (ended_at - transaction.started_at).total_seconds() / 60
        kwh = (meter_stop - transaction.meter_start_wh) / 1000
        name = transaction.id if transaction.id is not None else "(not yet reported)"
        self.tell(f"connector {connector.id}: session {name} ended: {kwh:.2f} kWh in {minutes:.1f} min ({reason})")
        if self.reset_when_idle and not any(c.transaction for c in self.connectors):
            self.reset_when_idle = False
            self.spawn(self.reset("ImmediateReset", deliver_first=True))

    async def unplug(self, connector_id: int) -> None:
        """The cable comes out; a transaction ends with it (StopTransactionOnEVSideDisconnect)."""
        connector = self._connector(connector_id)
        if connector.transaction and self.powered:
            self.end(connector, "EVDisconnected", None)
        connector.car, connector.finishing = None, False
        await self._outbox.settled()
        await self.report(connector_id)

    # What befalls a station

    async def fault(self, connector_id: int, error_code: str) -> None:
        """Something breaks: no energy flows, the transaction stays open."""
        connector = self._connector(connector_id)
        connector.error_code = error_code
        self.dialect.flow_changed(connector)
        self.tell(f"connector {connector_id}: fault {error_code}")
        await self.report(connector_id)

    async def recover(self, connector_id: int) -> None:
        connector = self._connector(connector_id)
        connector.error_code = "NoError"
        self.dialect.flow_changed(connector)
        self.tell(f"connector {connector_id}: fault over")
        await self.report(connector_id)

    def make_operative(self, connector: Connector, operative: bool) -> bool:
        """ChangeAvailability for one connector; True when a transaction has to end first."""
        if connector.transaction and not operative:
            connector.scheduled_operative = False
            return True
        connector.operative, connector.scheduled_operative = operative, None
        return False

    async def configured(self, key: str) -> None:
        """What follows an accepted ChangeConfiguration."""
        if key.lower() == "authorizationkey":
            # The old one is void from now on: connect with the new one (security whitepaper, A01).
            self.password = self.configuration["AuthorizationKey"]
            await self.disconnect()
            await self.reconnect()

    async def reset(self, reason: str, *, deliver_first: bool = False) -> None:
        """Stop what runs for this reason, go, come back and boot; if the CSMS is gone, whoever connects next has to boot."""
        await power.reset(self, reason, deliver_first=deliver_first)

    async def restart(self, seconds: float = 0) -> None:
        """Go, come back after a while, and boot."""
        await power.restart(self, seconds)

    async def power_cut(self, *, resumes: bool = False) -> None:
        """The mains fail. `resumes`: what was charging goes on when they are back; else it has ended with them (PowerLoss)."""
        await power.cut(self, resumes=resumes)

    async def power_on(self) -> None:
        """The mains are back: connect, boot, and tell what was kept."""
        await power.restore(self)
