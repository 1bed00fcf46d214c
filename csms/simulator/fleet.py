"""Many stations in one process, from start to a clean end."""

import asyncio
from collections.abc import Sequence

from csms.simulator.driver import Roster
from csms.simulator.errors import SimulatorError
from csms.simulator.life import Habits, Life
from csms.simulator.narrator import Narrator
from csms.simulator.station import SimulatedStation

#: How long ending may take: what is not delivered by then is lost with the process.
ENDING_S = 3
#: New connections a second while a fleet starts: as one that wakes, not as a storm.
CONNECTS_PER_S = 50


async def run_fleet(
    stations: Sequence[tuple[SimulatedStation, Habits]],
    *,
    roster: Roster,
    narrator: Narrator,
    stop: asyncio.Event,
    duration_s: float | None = None,
) -> None:
    """Live until `stop` is set or the time is up. Then running sessions are stopped and sockets closed (1001)."""

    async def live(number: int, station: SimulatedStation, habits: Habits) -> None:
        await asyncio.sleep(number / CONNECTS_PER_S)
        await Life(station, rng=station.rng, roster=roster, habits=habits, narrator=narrator).run()

    lives = [asyncio.create_task(live(n, station, habits)) for n, (station, habits) in enumerate(stations)]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({stopping, *lives}, timeout=duration_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (stopping, *lives):
            task.cancel()
        await asyncio.gather(stopping, *lives, return_exceptions=True)
        await asyncio.gather(*(_end(station) for station, _ in stations))


async def _end(station: SimulatedStation) -> None:
    try:
        async with asyncio.timeout(ENDING_S):
            for connector in station.connectors:
                if connector.transaction:
                    await station.stop(connector.id, reason="PowerLoss")
            if station.queued and station.accepted:
                # Its line was cut just now: one last chance for what it has to tell.
                await station.reconnect()
    except (SimulatorError, TimeoutError):
        pass
    await station.close()
