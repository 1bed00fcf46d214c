"""Pages that watch: a process with open walls, which read what comes and answer it as a browser does.

`python -m tests.bench.browsers` reads {"url", "cookies"} as JSON, prints a line when all are open, and ends with its input.
"""

import asyncio
import json
import sys

from websockets.asyncio.client import connect


async def watch(url: str, cookie: str, opened: asyncio.Semaphore) -> None:
    origin = "http" + url.removeprefix("ws").partition("/live/")[0]
    async with connect(
        url, origin=origin, additional_headers={"Cookie": f"sessionid={cookie}"}, max_size=None, compression=None
    ) as socket:  # type: ignore[arg-type]
        await socket.recv()
        await socket.send("ok")
        opened.release()
        async for _ in socket:
            await socket.send("ok")


async def main() -> None:
    plan = json.loads(sys.stdin.readline())
    opened = asyncio.Semaphore(0)
    pages = [asyncio.create_task(watch(plan["url"], cookie, opened)) for cookie in plan["cookies"]]
    for _ in pages:
        await opened.acquire()
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for page in pages:
        page.cancel()


if __name__ == "__main__":
    asyncio.run(main())
