"""A process whose stations lose their connection all at once and come back: `python -m tests.bench.knocking`.

Reads {"port", "stations", "password"} as a line of JSON, connects them gently, prints a line, and at the next line of input cuts
and connects them all. A station that is refused or cut off tries again after one to three seconds. Writes what came of it
(`began`: monotonic), and stays until its input ends.
"""

import asyncio
import base64
import gc
import json
import random
import resource
import sys
import time
from typing import Any

import uvloop

from tests.bench import traffic
from tests.bench.load import UPGRADE, percentiles

BOOT = b'[2,"boot","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"One"}]'
GENTLY, PATIENCE_S, RETRY_S = 100, 20.0, (1.0, 3.0)


class Station(asyncio.Protocol):
    """One connection: it knocks, boots, and is then there."""

    def __init__(self, identity: str, plan: dict[str, Any]) -> None:
        self.identity, self.plan = identity, plan
        self.buffer = b""
        self.open = False
        self.there: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        basic = base64.b64encode(f"{self.identity}:{self.plan['password']}".encode()).decode()
        request = UPGRADE.format(identity=self.identity, port=self.plan["port"], protocol="ocpp1.6", basic=basic)
        transport.write(request.encode())

    def data_received(self, data: bytes) -> None:
        if not self.open:
            self.buffer += data
            head, end, _ = self.buffer.partition(b"\r\n\r\n")
            if end and head.startswith(b"HTTP/1.1 101"):
                self.open = True
                self.transport.write(traffic.frame(BOOT))
            elif end:
                self.fail(head.splitlines()[0].decode())
        elif b'[3,"boot"' in data and not self.there.done():
            self.there.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.fail("cut off")

    def fail(self, why: str) -> None:
        if not self.there.done():
            self.there.set_exception(ConnectionError(why))


async def come(identity: str, plan: dict[str, Any], refused: dict[str, int]) -> tuple[Station, float]:
    """Knock until the station is there and answered; when that was."""
    while True:
        try:
            async with asyncio.timeout(PATIENCE_S):
                _, station = await asyncio.get_running_loop().create_connection(
                    lambda: Station(identity, plan), "127.0.0.1", plan["port"]
                )
                await station.there
            return station, time.perf_counter()
        except (OSError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            refused[why] = refused.get(why, 0) + 1
            await asyncio.sleep(random.uniform(*RETRY_S))


async def main() -> None:
    plan = json.loads(sys.stdin.readline())
    room = asyncio.Semaphore(GENTLY)

    async def gently(identity: str) -> Station:
        async with room:
            return (await come(identity, plan, {}))[0]

    stations = await asyncio.gather(*map(gently, plan["stations"]))
    print("there", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    refused: dict[str, int] = {}
    began = time.perf_counter()
    for station in stations:
        station.transport.abort()
    back = await asyncio.gather(*(come(identity, plan, refused) for identity in plan["stations"]))
    took = [at - began for _, at in back]
    found = {"began": began, "seconds": max(took), "each_ms": percentiles(took), "tries_in_vain": refused}
    print(json.dumps(found), flush=True)
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    gc.disable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
