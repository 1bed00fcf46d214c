"""A station goes down and comes back: a reset that the CSMS wants, a restart, the mains that fail.

What outlives a power cut is what stations keep in memory that needs no power: the clock, settings, registers, the queue of
transaction messages (1.6, 3.7.1; 2.0.1, E04) and, if the station resumes them, its transactions. That it was accepted, which
cards wait for a cable and what was last reported are forgotten.
"""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from csms.simulator.station import SimulatedStation


async def reset(station: "SimulatedStation", reason: str, *, deliver_first: bool) -> None:
    station.tell(f"reset ({reason})")
    for connector in station.connectors:
        if connector.transaction:
            station.end(connector, reason, None)
        connector.waiting_tag = None
    if deliver_first:
        await station._outbox.settled()
    station.was_reset, station.reset_when_idle = True, False
    await restart(station)


async def restart(station: "SimulatedStation", seconds: float = 0) -> None:
    _forget_registration(station)
    await station.disconnect()
    await asyncio.sleep(seconds)
    await station.network.connect()
    await station.register()


async def cut(station: "SimulatedStation", *, resumes: bool) -> None:
    station.tell("the power fails")
    await station.close(abrupt=True)
    _forget_registration(station)
    station.powered = station.was_reset = station.reset_when_idle = False
    station._reported.clear()
    for connector in station.connectors:
        connector.waiting_tag, connector.claimed = None, False
        if connector.transaction and not resumes:
            # With its last energy it writes down when it ended and where the register stood, to be told when power is back.
            station.end(connector, "PowerLoss", None)


async def restore(station: "SimulatedStation") -> None:
    station.tell("the power is back")
    station.powered = True
    for connector in station.connectors:
        if connector.transaction and connector.car is None:
            # The cable was pulled in the dark.
            station.end(connector, "EVDisconnected", None)
    await station.reconnect()
    await station.register()


def _forget_registration(station: "SimulatedStation") -> None:
    station.profiles.restarted()
    station.registration = ""
    station.accepted_event.clear()
    station._outbox.close()
