"""What a simulated station keeps for whom (OCPP 2.0.1 chapter H, 1.6 5.13), whatever it speaks."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from csms.simulator.connector import Connector

if TYPE_CHECKING:
    from csms.simulator.station import SimulatedStation


@dataclass(frozen=True, slots=True)
class Kept:
    """`connector` None: any. `group`: others who may use it."""

    number: int
    connector: int | None
    tag: str
    group: str
    until: datetime


class Reservations:
    """`kept` by their numbers. A station tells of those that lapse, if its version has a word for it."""

    def __init__(self, station: "SimulatedStation") -> None:
        self.station = station
        self.kept: dict[int, Kept] = {}
        #: What the CSMS said of cards: their groups.
        self._groups: dict[str, str] = {}

    def learn(self, tag: str, group: str) -> None:
        self._groups[tag.upper()] = group

    def take(self, wanted: Kept) -> str:
        """The answer to ReserveNow. One of the same number is replaced, if this one can be kept."""
        before = self.kept.pop(wanted.number, None)
        places = [c for c in self.station.connectors if wanted.connector in (None, c.id)]
        free = [c for c in places if c.vacant and not c.car and self._holder(c) is None]
        spare = len([c for c in self.station.connectors if c.vacant and not c.car]) - len(self.kept)
        if free and spare > 0:
            self.kept[wanted.number] = wanted
            self.station.spawn(self._watch(wanted))
            self.mark()
            return "Accepted"
        if before is not None:
            self.kept[before.number] = before
        if not places:
            return "Rejected"
        if all(c.faulted for c in places):
            return "Faulted"
        return "Occupied" if any(c.usable for c in places) else "Unavailable"

    def cancel(self, number: int) -> bool:
        """False: there is none of that number."""
        there = self.kept.pop(number, None) is not None
        self.mark()
        return there

    def admits(self, connector: Connector, tag: str) -> bool:
        """Whether this card may charge here: nobody else has reserved it."""
        return not connector.reserved or any(self._is_for(one, connector, tag) for one in self.kept.values())

    def use(self, connector: Connector, tag: str) -> int | None:
        """Somebody begins to charge: the number of the reservation that is used up by it, if there is one."""
        own = [one for one in self.kept.values() if self._is_for(one, connector, tag)]
        if not own:
            return None
        used = min(own, key=lambda one: (one.connector is None, one.number)).number
        del self.kept[used]
        self.mark()
        return used

    def settle(self) -> None:
        """Give up what is kept at connectors that are broken or out of service."""
        for one in list(self.kept.values()):
            places = [c for c in self.station.connectors if one.connector in (None, c.id)]
            if not any(c.usable for c in places):
                self._lapse(one, expired=False)

    def mark(self) -> None:
        """Show which connectors are kept: those that are named, and all that are free if as many are kept as there are."""
        free = [c for c in self.station.connectors if c.vacant and not c.car]
        full = len(self.kept) >= len(free)
        anywhere = any(one.connector is None for one in self.kept.values())
        for connector in self.station.connectors:
            connector.reserved = self._holder(connector) is not None or (full and anywhere and connector in free)

    async def _watch(self, one: Kept) -> None:
        await asyncio.sleep(max(0.0, (one.until - self.station.clock.now()).total_seconds()))
        if self.kept.get(one.number) is one:
            self._lapse(one, expired=True)
            await self.station.report()

    def _lapse(self, one: Kept, *, expired: bool) -> None:
        del self.kept[one.number]
        self.mark()
        self.station.tell(f"reservation {one.number} {'is over' if expired else 'cannot be kept'}")
        said = self.station.dialect.reservation_lapsed(one.number, expired=expired)
        if said is not None and self.station.connected and self.station.accepted:
            self.station.spawn(self._say(said))

    async def _say(self, said: object) -> None:
        await self.station.call(said)

    def _holder(self, connector: Connector) -> Kept | None:
        return next((one for one in self.kept.values() if one.connector == connector.id), None)

    def _is_for(self, one: Kept, connector: Connector, tag: str) -> bool:
        group = self._groups.get(tag.upper(), "")
        mine = one.tag.upper() == tag.upper() or (group != "" and group.upper() == one.group.upper())
        return mine and one.connector in (None, connector.id)
