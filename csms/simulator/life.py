"""A station that lives by itself: it keeps its connection, beats, and has drivers, faults and outages."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from csms.simulator.connector import Connector
from csms.simulator.driver import FAULTS, Roster, Visit, next_trouble_s, plan_visit, trouble_lasts_s
from csms.simulator.errors import HandshakeRefused, SimulatorError, StationOffline, Unreachable
from csms.simulator.narrator import Narrator
from csms.simulator.station import SimulatedStation

logger = logging.getLogger("csms.simulator")


@dataclass(frozen=True, slots=True)
class Habits:
    """How a station lives. Rates count per hour of its life, which runs `speed` times as fast as ours (see `driver`)."""

    speed: float = 1
    fault_rate: float = 0.02
    offline_rate: float = 0.02
    #: The first visits, by connector: seconds until it begins and seconds it stays, for a show that must not keep people waiting.
    first_visits: dict[int, tuple[float, float]] = field(default_factory=dict)
    first_fault_s: float | None = None
    first_outage_s: float | None = None
    #: The first outage never ends.
    lost_for_good: bool = False
    #: Drivers come so many times more seldom; infinite: none but the first visits.
    quiet: float = 1
    #: Connectors that are broken for good, with what is wrong, and those closed by hand.
    broken: dict[int, str] = field(default_factory=dict)
    closed: tuple[int, ...] = ()
    #: The longest wait between two attempts to connect, in seconds.
    back_off_cap_s: float = 60

    @property
    def tick_s(self) -> float:
        return min(1.0, max(0.05, 20 / self.speed))


class BackOff:
    """Exponential with full jitter: waits of up to 1, 2, 4 ... seconds, never less than half a second."""

    def __init__(self, rng: Random, cap_s: float) -> None:
        self._rng, self._cap_s, self._tries = rng, cap_s, 0

    def next_s(self) -> float:
        self._tries += 1
        return self._rng.uniform(0.5, max(0.5, min(self._cap_s, 2.0 ** min(self._tries - 1, 30))))

    def reset(self) -> None:
        self._tries = 0


class Life:
    def __init__(self, station: SimulatedStation, *, rng: Random, roster: Roster, habits: Habits, narrator: Narrator) -> None:
        self.station, self.rng, self.roster, self.habits, self.narrator = station, rng, roster, habits, narrator
        #: Cleared while the station's line is cut.
        self._line = asyncio.Event()
        self._line.set()
        self._back_off = BackOff(rng, habits.back_off_cap_s)

    async def run(self) -> None:
        """Live until cancelled."""
        for connector in self.station.connectors:
            connector.error_code = self.habits.broken.get(connector.id, connector.error_code)
            connector.operative = connector.id not in self.habits.closed
        loops = [self._stay_connected, self._beat, self._pulse, *(self._drivers_of(c) for c in self.station.connectors)]
        if self.habits.fault_rate or self.habits.first_fault_s is not None:
            loops.append(self._faults)
        if self.habits.offline_rate or self.habits.first_outage_s is not None:
            loops.append(self._outages)
        async with asyncio.TaskGroup() as group:
            for loop in loops:
                group.create_task(self._for_ever(loop))

    async def _for_ever(self, loop: Callable[[], Awaitable[None]]) -> None:
        """Whatever the CSMS says, the loop goes on."""
        while True:
            try:
                await loop()
            except SimulatorError as error:
                self.station.tell(str(error))
            except Exception:
                logger.exception("%s: the simulator stumbled and goes on", self.station.identity)
            await asyncio.sleep(1)

    async def _stay_connected(self) -> None:
        station, narrator = self.station, self.narrator
        while True:
            await self._line.wait()
            refused = (station.identity, "refused")
            try:
                await station.reconnect()
                await station.register()
            except HandshakeRefused as error:
                narrator.once(refused, f"{station.identity}: {error}; trying again from time to time")
            except Unreachable as error:
                narrator.once("unreachable", f"{station.url} cannot be reached: {error}; trying again until it can")
            except StationOffline:
                pass
            except SimulatorError as error:
                narrator.once(
                    (station.identity, "boot"), f"{station.identity}: the CSMS did not take the boot: {error}; trying again"
                )
            if station.connected and station.accepted:
                self._back_off.reset()
                narrator.over("unreachable", refused, (station.identity, "boot"))
                await station.lost.wait()
                station.tell(f"offline ({station.lost_because})")
            await asyncio.sleep(self._back_off.next_s())

    async def _beat(self) -> None:
        while True:
            await self.station.accepted_event.wait()
            await asyncio.sleep(self.station.configuration.number("HeartbeatInterval") or 300)
            if self.station.connected and self.station.accepted:
                await self.station.heartbeat()

    async def _pulse(self) -> None:
        """Time passes: energy flows, samples fall due, batteries fill."""
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(self.habits.tick_s)
            now = loop.time()
            changed = self.station.advance(now - before)
            before = now
            if changed and self.station.connected and self.station.accepted:
                self.station.spawn(self.station.report())

    async def _until(self, true: Callable[[], bool], seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not true() and (left := end - loop.time()) > 0:
            await asyncio.sleep(min(self.habits.tick_s, left))

    def _drivers_of(self, connector: Connector) -> Callable[[], Awaitable[None]]:
        async def drivers() -> None:
            await self.station.accepted_event.wait()
            first = self.habits.first_visits.get(connector.id) if connector.cards == 0 else None
            while True:
                visit = plan_visit(self.rng, connector.supply, self.habits.speed, self.habits.quiet)
                known = first is not None
                wait, stay = first or (visit.after_s, visit.stay_s)
                await self._until(lambda: connector.waiting_tag is not None, wait)
                first = None
                try:
                    await self._somebody_comes(connector, visit, stay, known)
                except Exception:
                    # The story of this visit is spoilt; its car must not block the connector for ever.
                    if connector.car:
                        await self.station.unplug(connector.id)
                    raise

        return drivers

    async def _somebody_comes(self, connector: Connector, visit: Visit, stay_s: float, known: bool) -> None:
        if card := connector.waiting_tag:
            # Started from an app by somebody who stands there with the cable.
            await asyncio.sleep(visit.pause_s)
            await self.station.plug_in(connector.id, visit.car)
            await self._stay(connector, visit, stay_s, card)
        elif connector.free and (card := self.roster.take(self.rng, known=known)):
            try:
                await self._visit(connector, visit, stay_s, card)
            finally:
                self.roster.give_back(card)

    async def _visit(self, connector: Connector, visit: Visit, stay_s: float, card: str) -> None:
        """A driver comes with a card and a car, in either order."""
        station = self.station
        if visit.plug_first:
            await station.plug_in(connector.id, visit.car)
            await asyncio.sleep(visit.pause_s)
        if not await self._may_charge(connector, card):
            await asyncio.sleep(visit.pause_s)
            if connector.car:
                await station.unplug(connector.id)
            return
        if not visit.plug_first:
            if not connector.free:
                return
            await station.present(connector.id, card)
            await asyncio.sleep(visit.pause_s)
            await station.plug_in(connector.id, visit.car)
        elif connector.free:
            await station.start(connector.id, card)
        await self._stay(connector, visit, stay_s, card)

    async def _may_charge(self, connector: Connector, card: str) -> bool:
        try:
            status = await self.station.authorize(card)
        except StationOffline:
            # A station that cannot ask looks at its list, and tells later.
            return self.station.local_list.lets_charge(card, self.station.clock.now())
        if status != "Accepted":
            self.station.tell(f"connector {connector.id}: card {card} refused: {status}")
        return status == "Accepted"

    async def _stay(self, connector: Connector, visit: Visit, stay_s: float, card: str) -> None:
        """Charge until full or until it is time to go, then leave. The session may also end by somebody else's doing."""
        if transaction := connector.transaction:
            await self._until(lambda: connector.transaction is not transaction or visit.car.battery.full, stay_s)
            if connector.transaction is transaction and visit.car.battery.full:
                await self._until(lambda: connector.transaction is not transaction, visit.idle_s)
            if connector.transaction is transaction and not visit.just_pulls:
                await self.station.stop(connector.id, tag=card)
        await asyncio.sleep(max(visit.pause_s, visit.linger_s))
        await self.station.unplug(connector.id)

    async def _faults(self) -> None:
        first = self.habits.first_fault_s
        while True:
            wait = first if first is not None else next_trouble_s(self.rng, self.habits.fault_rate, self.habits.speed)
            first = None
            await asyncio.sleep(wait)
            connector = self.rng.choice(self.station.connectors)
            if connector.faulted or not self.station.accepted:
                continue
            try:
                await self.station.fault(connector.id, self.rng.choice(FAULTS))
                if connector.transaction and self.rng.random() < 0.5:
                    await self.station.stop(connector.id, reason="Other")
                await asyncio.sleep(trouble_lasts_s(self.rng, self.habits.speed))
            finally:
                connector.error_code = "NoError"
            await self.station.recover(connector.id)
            if not self.habits.fault_rate:
                await asyncio.Event().wait()

    async def _outages(self) -> None:
        first = self.habits.first_outage_s
        while True:
            wait = first if first is not None else next_trouble_s(self.rng, self.habits.offline_rate, self.habits.speed)
            first = None
            await asyncio.sleep(wait)
            seconds = trouble_lasts_s(self.rng, self.habits.speed)
            self.station.tell(f"loses its line {'for good' if self.habits.lost_for_good else f'for {seconds:.0f} s'}")
            self._line.clear()
            try:
                await self.station.disconnect(abrupt=True)
                await asyncio.sleep(math.inf if self.habits.lost_for_good else seconds)
            finally:
                self._line.set()
            if not self.habits.offline_rate:
                await asyncio.Event().wait()
