"""What an idle station costs in memory, with and without compression: many that have booted and said something, then are silent."""

import asyncio
import base64
import json
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.bench import cpu, network
from tests.bench.bench import Bench, Figure, csms
from tests.bench.network import Fleet
from tests.bench.subjects import Subject

#: Those that come first bring what is there once, such as code, pools and caches.
FIRST, MORE = 300, 1_500
BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Two"}}
STATUS = {"timestamp": "2026-11-01T08:00:00Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1}


def measure(bench: Bench) -> None:
    for server in ("uvicorn", "daphne"):
        for compression, must, aim in ((None, 60, 45), ("deflate", 110, 90)):
            fleet = bench.fleet("IDLE", FIRST + MORE)
            with bench.running(csms(server)) as subject:
                used = asyncio.run(grown(subject, fleet, compression))
            how = "with compression" if compression else "without compression"
            bench.figures.append(Figure(f"{server}: an idle station {how}", round(used / MORE, 1), "KB", "<=", must, aim))


async def grown(subject: Subject, fleet: Fleet, compression: Any) -> int:
    """By how many kB the server grows for MORE stations."""
    room = asyncio.Semaphore(50)

    async def come(identity: str) -> ClientConnection:
        basic = base64.b64encode(f"{identity}:{network.PASSWORD}".encode()).decode()
        async with room:
            socket = await connect(
                f"ws://127.0.0.1:{subject.port}/ocpp/{identity}",
                subprotocols=["ocpp2.0.1"],  # type: ignore[list-item]
                additional_headers={"Authorization": f"Basic {basic}"},
                compression=compression,
                ping_interval=None,
            )
            if compression and not socket.protocol.extensions:
                raise SystemExit(f"{subject.name} did not agree to compression.")
            for number, (action, payload) in enumerate(
                [("BootNotification", BOOT), ("StatusNotification", STATUS), ("Heartbeat", {})]
            ):
                await socket.send(json.dumps([2, str(number), action, payload]))
                await socket.recv()
            return socket

    sockets = await asyncio.gather(*map(come, fleet.stations[:FIRST]))
    before = cpu.resident_kb(subject.process.pid)
    sockets += await asyncio.gather(*map(come, fleet.stations[FIRST:]))
    after = cpu.resident_kb(subject.process.pid)
    await asyncio.gather(*(socket.close() for socket in sockets))
    return after - before
