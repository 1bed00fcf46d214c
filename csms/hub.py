"""One ear a process for all bells.

`hub.listen("fenced", callback)` inside a running event loop calls `callback(message)` on that loop for every such bell. The
connection to Redis is opened by the first listener, kept open with back-off, and closed after the last one left.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import orjson
import redis.asyncio as redis
from django.conf import settings

from csms import troubles
from csms.bells import TIMEOUT_S, channel

logger = logging.getLogger(__name__)

Message = dict[str, Any]
Callback = Callable[[Message], None]
KINDS = ("changed", "fenced", "command")
#: Seconds of silence after which Redis is asked whether it is still there.
HEALTH_INTERVAL_S = 10
MAX_BACKOFF_S = 5.0


class Hub:
    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._listeners: dict[str, dict[Callback, Callable[[], None] | None]] = {}
        self._hearing = asyncio.Event()

    def listen(self, kind: str, callback: Callback, *, missed: Callable[[], None] | None = None) -> None:
        """Call `callback(message)` for each bell of this kind, and `missed()` when some may have been missed (Redis was away).

        Messages: "changed" {"operator", "stations", "transactions"} or {"operator", "all"}; "fenced" {"station", "fence"};
        "command" {"station"}.
        """
        if kind not in KINDS:
            raise ValueError(f"There is no bell {kind!r}: listen to one of {', '.join(KINDS)}.")
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # Another loop's listeners and task died with it (tests; a forked child).
            self._loop, self._task, self._listeners, self._hearing = loop, None, {}, asyncio.Event()
        self._listeners.setdefault(kind, {})[callback] = missed
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run(), name="hub")

    def unlisten(self, kind: str, callback: Callback) -> None:
        """Stop calling it. Harmless when it was never listening."""
        self._listeners.get(kind, {}).pop(callback, None)
        if not any(self._listeners.values()) and self._task is not None:
            if not self._task.get_loop().is_closed():
                self._task.cancel()
            self._task = None
            self._hearing = asyncio.Event()

    async def hearing(self) -> None:
        """Wait until bells are heard."""
        await self._hearing.wait()

    async def _run(self) -> None:
        delay = 0.1
        first, logged = True, False
        hearing = self._hearing
        while True:
            client = redis.Redis.from_url(
                settings.REDIS_URL,
                socket_connect_timeout=TIMEOUT_S,
                socket_keepalive=True,
            )
            pubsub = client.pubsub(ignore_subscribe_messages=True)
            try:
                kinds = {channel(kind): kind for kind in KINDS}
                await pubsub.subscribe(*kinds)
                # A confirmation for each subscription: from then on nothing is missed.
                for _ in kinds:
                    await pubsub.get_message(ignore_subscribe_messages=False, timeout=TIMEOUT_S)
                hearing.set()
                troubles.ended(troubles.REDIS, "ear")
                if logged:
                    logger.warning("Redis is back: bells are heard again.")
                if not first:
                    self._missed()
                first, logged, delay = False, False, 0.1
                await self._hear(pubsub, kinds)
            except (redis.RedisError, OSError) as error:
                hearing.clear()
                troubles.began(troubles.REDIS, "ear")
                if not logged:
                    logger.warning("Redis cannot be reached, live pages and takeovers are slower until it is back: %s", error)
                first, logged = False, True
            finally:
                with contextlib.suppress(Exception):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]  # redis-py has no annotation there
                    await client.aclose()
            await asyncio.sleep(delay)
            delay = min(2 * delay, MAX_BACKOFF_S)

    async def _hear(self, pubsub: Any, kinds: dict[str, str]) -> None:
        asked = False
        while True:
            message = await pubsub.get_message(timeout=HEALTH_INTERVAL_S)
            if message is None:
                if asked:
                    raise redis.ConnectionError(f"no answer within {HEALTH_INTERVAL_S} s")
                await pubsub.ping()
                asked = True
                continue
            asked = False
            if message["type"] == "message":
                self._dispatch(kinds[message["channel"].decode()], orjson.loads(message["data"]))

    def _dispatch(self, kind: str, message: Message) -> None:
        for callback in tuple(self._listeners.get(kind, ())):
            try:
                callback(message)
            except Exception:
                logger.exception("A listener to the bell %s failed.", kind)

    def _missed(self) -> None:
        for listeners in self._listeners.values():
            for missed in tuple(listeners.values()):
                if missed is not None:
                    missed()


hub = Hub()
