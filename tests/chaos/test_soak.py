"""For as long as one likes: stations come, charge and go, and the servers' memory stays as it is.

`make soak` runs it for an hour, `make soak MINUTES=5` for five minutes; among the long tests it takes ten. Stations send as fast as
they are answered; with `PAUSE=0.5` each waits half a second before its next message, which leaves the machine to others. What was
measured stands in `.services/soak.json`.
"""

import asyncio
import contextlib
import itertools
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings
from websockets.exceptions import WebSocketException

from stations.models import Station
from tests.chaos.fleet import Fleet
from tests.network import Network
from tests.peer import ago, station
from tests.servers import Server

pytestmark = pytest.mark.long
MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))
PAUSE_S = float(os.environ.get("SOAK_PAUSE", "0"))
#: The part of the time after which a server has seen all it will ever hold.
WARM_UP = 0.3
#: A leak of so much a connection is found; and what an allocator may move about, whatever the number.
LEAK_BYTES, NOISE_BYTES = 1024, 3 * 1024 * 1024


@dataclass
class Subject:
    """A server, the stations that stay at it, and those that come and go."""

    serving: Server
    fleet: Fleet
    restless: list[Station]
    connections: int = 0
    messages: int = 0
    #: Seconds, resident bytes, and connections so far.
    seen: list[tuple[float, int, int]] = field(default_factory=list)

    def look(self, seconds: float) -> None:
        status = Path(f"/proc/{self.serving.process.pid}/status").read_text()
        self.seen.append((round(seconds, 1), int(status.split("VmRSS:")[1].split()[0]) * 1024, self.connections))

    async def come_and_go(self, who: Station, over: asyncio.Event) -> None:
        """One station that never stays: odd ends, too."""
        for number in itertools.count():
            if over.is_set():
                return
            with contextlib.suppress(OSError, WebSocketException):
                async with station(self.serving.ocpp, who, close_timeout=1) as peer:
                    await peer.boot()
                    await asyncio.sleep(PAUSE_S)
                    transaction = await peer.start(self.fleet.chargers[0].tag, at=ago(60))
                    await asyncio.sleep(PAUSE_S)
                    await peer.meter(transaction, 1500)
                    await asyncio.sleep(PAUSE_S)
                    await peer.stop(transaction, 2000)
                    await asyncio.sleep(PAUSE_S)
                    self.messages += 4
                    self.connections += 1
                    if number % 3 == 0:
                        peer.socket.transport.abort()


async def test_memory_stays_flat_while_stations_come_and_go(network: Network, serve: Callable[..., Server]) -> None:
    subjects = {}
    for kind in ("daphne", "uvicorn"):
        serving = serve(kind)
        fleet = Fleet(network, serving.ocpp, 10, pause_s=PAUSE_S)
        subjects[kind] = Subject(serving, fleet, [network.station(accepted=True) for _ in range(10)])
    over, began, seconds = asyncio.Event(), time.monotonic(), MINUTES * 60
    async with asyncio.TaskGroup() as group:
        for subject in subjects.values():
            await subject.fleet.__aenter__()
            for who in subject.restless:
                group.create_task(subject.come_and_go(who, over))
        while (passed := time.monotonic() - began) < seconds:
            for subject in subjects.values():
                subject.look(passed)
            await asyncio.sleep(min(1.0, seconds / 100))
        over.set()
    for subject in subjects.values():
        await subject.fleet.finish()
        await subject.fleet.__aexit__(None, None, None)
    results = {kind: result(subject) for kind, subject in subjects.items()}
    report = json.dumps({"minutes": MINUTES, "pause_s": PAUSE_S, "servers": results}, indent=1)
    (Path(settings.BASE_DIR) / ".services" / "soak.json").write_text(report + "\n")
    print(report)
    for kind, measured in results.items():
        assert measured["grown_bytes"] < LEAK_BYTES * measured["connections"] + NOISE_BYTES, (kind, report)


def result(subject: Subject) -> dict[str, float]:
    """From the end of the warm-up to the end, each as the median of a tenth of the time."""
    warm = subject.seen[int(len(subject.seen) * WARM_UP) :]
    tenth = max(1, len(subject.seen) // 10)
    first, last = (int(statistics.median(rss for _, rss, _ in part)) for part in (warm[:tenth], warm[-tenth:]))
    connections = warm[-1][2] - warm[0][2]
    return {
        "messages": subject.messages + subject.fleet.acknowledged,
        "connections_in_all": subject.connections,
        "connections": connections,
        "rss_warm_bytes": first,
        "rss_end_bytes": last,
        "grown_bytes": last - first,
        "grown_bytes_a_connection": round((last - first) / max(1, connections), 1),
    }
