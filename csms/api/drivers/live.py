"""A driver's session as it goes: server-sent events.

Each event holds the whole session, so whoever missed some misses nothing. Its id is a digest of it: a client that comes back
with the `Last-Event-ID` of what is still so is not told it again.
"""

import asyncio
import contextlib
import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from collections.abc import Mapping as AnyMapping
from typing import Any, NamedTuple

import orjson
from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer, JSONRenderer

from accounts.models import Kind, User
from billing import prices
from csms.api.drivers.rows import MySession
from csms.db import run_in_scope
from csms.hub import Message, hub
from csms.metrics.meters import Gauge
from csms.ocpp.gateway import gateway
from csms.tenancy import scope_of
from stations import charging

#: At most so often a client is told of changes, and at least so often it is told that we are still there.
PUSH_INTERVAL_S, HEARTBEAT_S = 0.5, 15.0
#: After so long the client comes again, and shows by whom it is sent.
LONGEST_S = 900.0
#: How soon a client comes back.
RETRY_MS = 2000
#: Streams one driver may have open in one process.
MOST = 5
#: How often it is looked whether this process ends.
LOOK_S = 1.0

_open: Counter[int] = Counter()
#: What wakes the streams, by operator and session: however many are open, a bell costs the sessions it names.
_waiting: defaultdict[tuple[int | None, int], set[asyncio.Event]] = defaultdict(set)


def _heard(message: Message) -> None:
    operator = message["operator"]
    if message.get("all"):
        _wake(key for key in _waiting if key[0] == operator)
    else:
        _wake((operator, session_id) for session_id in message["transactions"])


def _missed() -> None:
    _wake(_waiting)


def _wake(keys: Iterable[tuple[int | None, int]]) -> None:
    for key in keys:
        for waiting in _waiting.get(key, ()):
            waiting.set()


class EventStream(BaseRenderer):
    """What is accepted by who wants events. Errors are JSON all the same."""

    media_type = "text/event-stream"
    format = "events"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: AnyMapping[str, Any] | None = None
    ) -> bytes:
        return bytes(JSONRenderer().render(data))


class State(NamedTuple):
    """A session as it is now."""

    id: str
    text: str
    ended: bool


def state(driver_id: int, session_id: int) -> State | None:
    """In the scope of the driver. None: it is not theirs, or they are gone."""
    driver = User.objects.filter(pk=driver_id, kind=Kind.DRIVER, is_active=True).first()
    session = charging.history(driver).filter(pk=session_id).first() if driver else None
    if session is None:
        return None
    text = orjson.dumps(MySession(session, context={"costs": prices.costs([session])}).data).decode()
    return State(hashlib.sha256(text.encode()).hexdigest()[:16], text, session.stopped_at is not None)


def full(driver: User) -> bool:
    return _open[driver.pk] >= MOST


def stream(driver: User, session_id: int, last: str) -> StreamingHttpResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(events(driver, session_id, last), content_type="text/event-stream", headers=headers)


async def events(driver: User, session_id: int, last: str) -> AsyncIterator[str]:
    """`session` for each change, `ended` with the last state; comments in between keep the line open."""
    changed, key = asyncio.Event(), (driver.operator_id, session_id)
    _open[driver.pk] += 1
    _waiting[key].add(changed)
    hub.listen("changed", _heard, missed=_missed)
    try:
        yield f"retry: {RETRY_MS}\n\n"
        until = time.monotonic() + LONGEST_S
        while True:
            changed.clear()
            now = await run_in_scope(scope_of(driver), state, driver.pk, session_id)
            if now is None:
                return
            if now.id != last or now.ended:
                last = now.id
                yield f"event: {'ended' if now.ended else 'session'}\nid: {now.id}\ndata: {now.text}\n\n"
            else:
                yield ": still there\n\n"
            if now.ended or time.monotonic() > until or not await _waited(changed):
                return
            await asyncio.sleep(PUSH_INTERVAL_S)
    finally:
        _open[driver.pk] -= 1
        if not _open[driver.pk]:
            del _open[driver.pk]
        _waiting[key].discard(changed)
        if not _waiting[key]:
            del _waiting[key]
        if not _waiting:
            hub.unlisten("changed", _heard)


async def _waited(changed: asyncio.Event) -> bool:
    """Until something changed, or a sign of life is due. False: this process ends."""
    until = time.monotonic() + HEARTBEAT_S
    while time.monotonic() < until and not changed.is_set():
        if gateway.draining:
            return False
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), LOOK_S)
    return not gateway.draining


Gauge("csms_driver_streams_open", "Sessions that drivers watch live.", lambda: sum(_open.values()))
