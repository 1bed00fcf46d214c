"""What keeps the wall and the pages of a charger (`?station=<key>`) live: the WebSocket `/live/`.

The server sends `{"fragments": [{"id", "html", "list"}]}`; the browser answers "ok" to each, or "all" when it wants the whole
wall. The next message leaves only after that answer, so a slow browser is never queued for: it gets the newest state later.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs
from uuid import uuid4

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import import_string
from django.utils.translation import get_supported_language_variant

from accounts.models import User
from accounts.permissions import may
from csms import health, troubles
from csms.dashboard import fragments, rendering, wall
from csms.dashboard.access import rights_of
from csms.dashboard.rendering import Texts
from csms.dashboard.worklist import Rights
from csms.db import run_in_db, run_in_scope
from csms.hub import Message, hub
from csms.metrics.meters import Gauge
from csms.ocpp.faults import AWAY
from csms.renderer import Renderer
from csms.tenancy import scope_of
from stations import selectors

logger = logging.getLogger(__name__)

#: At most twice a second.
PUSH_INTERVAL_S = 0.5
#: How often the leases of the stations are looked at, and the least often a page hears from us.
TICK_S = 5.0
#: How often a page's login is looked at.
LOGIN_CHECK_S = 2.0
#: After rendering for so many seconds of CPU, that many times as long nothing is rendered: the stations' messages come first, and
#: pages cost a twentieth at most, a fiftieth where the network is large. So many chargers are looked at, and rendered, at once.
REST, REST_OF_MANY, LONGEST_REST_S, LOOKED_AT, GROUP = 19, 49, 2.0, 500, 50
ANSWER_TIMEOUT_S = 30.0
LOGGED_OUT, NO_OPERATOR, NO_ANSWER, BROKEN = 4401, 4403, 4408, 4500

SessionStore = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
Scope = dict[str, Any]
T = TypeVar("T")
#: Where they are rendered.
renderer = Renderer()


def logged_in(session_key: str | None) -> User | None:
    """Whose session this is, if it has not ended, expired or been revoked by a new password."""
    if not session_key:
        return None
    session = SessionStore(session_key).load()
    user = User.objects.select_related("operator").filter(pk=session.get(SESSION_KEY), is_active=True).first()
    if user and constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
        return user
    return None


@dataclass(frozen=True, slots=True)
class Topic:
    """What a page shows: the wall, or (`station`, a primary key) one charger, with the buttons its reader may press."""

    operator: int | None
    language: str
    rights: Rights
    station: int | None = None


class Feed:
    """What changes on open pages, rendered once for all of the same topic."""

    open: dict[Topic, "Feed"] = {}

    def __init__(self, user: User, topic: Topic) -> None:
        self.key = topic
        self.user = user
        self.language = topic.language
        self.pages: set[LiveConsumer] = set()
        self.stations: set[int] = set()
        self.transactions: set[int] = set()
        self.name = uuid4().hex
        self.rendering = asyncio.Lock()
        self.cost_s = 0.0
        self.many = False
        self.wholes: dict[str, asyncio.Task[Texts]] = {}
        self.troubles: Any = None
        self.dirty = asyncio.Event()
        self.dirty.set()
        hub.listen("changed", self.changed, missed=self.missed)
        self.task = asyncio.create_task(self.run(), name=f"feed {self.key}")

    @classmethod
    def join(cls, page: "LiveConsumer", user: User, topic: Topic) -> "Feed":
        feed = cls.open.get(topic)
        if feed is None or feed.task.done() or feed.task.get_loop() is not asyncio.get_running_loop():
            feed = cls.open[topic] = cls(user, topic)
        feed.pages.add(page)
        return feed

    def leave(self, page: "LiveConsumer") -> None:
        self.pages.discard(page)
        if not self.pages:
            hub.unlisten("changed", self.changed)
            self.task.cancel()
            if Feed.open.get(self.key) is self:
                del Feed.open[self.key]

    def changed(self, message: Message) -> None:
        operator_id = self.user.operator_id
        if operator_id is not None and message["operator"] != operator_id:
            return
        if message.get("all"):
            self.missed()
            return
        if self.key.station is not None:
            # A transaction that changes rings for its station too.
            if self.key.station in message["stations"]:
                self.stations.add(self.key.station)
                self.dirty.set()
            return
        self.stations.update(message["stations"])
        self.transactions.update(message["transactions"])
        self.dirty.set()

    def missed(self) -> None:
        for page in self.pages:
            page.want_all()

    async def run(self) -> None:
        online: set[int] | None = None
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.dirty.wait(), TICK_S)
            self.dirty.clear()
            stations, transactions = self.stations, self.transactions
            self.stations, self.transactions = set(), set()
            try:
                now_online = await run_in_scope(scope_of(self.user), selectors.online_stations)
                await run_in_db(health.look_at_jobs)
                # A lease that ran out rings no bell.
                stations |= now_online ^ (now_online if online is None else online)
                online = now_online
                async for parts in self.render(stations, transactions):
                    for page in tuple(self.pages) if parts else ():
                        page.offer(parts)
                    rest, self.cost_s = min((REST_OF_MANY if self.many else REST) * self.cost_s, LONGEST_REST_S), 0.0
                    await asyncio.sleep(rest)
            except Exception:
                logger.exception("The live pages of operator %s could not be updated; trying again.", self.user.operator_id)
                self.stations |= stations
                self.transactions |= transactions
                self._tell_troubles()
                await asyncio.sleep(TICK_S)
                self.dirty.set()
                continue
            self._tell_troubles()
            await asyncio.sleep(PUSH_INTERVAL_S)

    def _tell_troubles(self) -> None:
        """What does not work, when it has changed; the database is not asked."""
        told = troubles.told(self.language)
        if told != self.troubles:
            self.troubles = told
            for page in tuple(self.pages):
                page.offer({told["id"]: json.dumps(told)})

    async def render(self, stations: set[int], transactions: set[int]) -> AsyncIterator[Texts]:
        topic = self.key
        if topic.station is not None:
            if topic.station in stations:
                yield await self._station()
            return
        self.many = await run_in_scope(scope_of(self.user), wall.dense)
        waiting = sorted(stations)
        for looked_at in groups(waiting, LOOKED_AT):
            if self.many:
                looked_at = await self._counted(rendering.moved, self.name, looked_at)
                yield {}
            for group in groups(looked_at, GROUP):
                yield await self._counted(rendering.news, self.name, fragments.of_plugs, topic.language, group, self.many)
        yield await self._counted(rendering.news, self.name, fragments.changed, topic.language, topic.rights, transactions)

    async def whole(self, host: dict[str, str]) -> Texts:
        """The whole page, rendered once for all that want it before the rendering begins."""
        task = self.wholes.get(host["ws_url"])
        if task is None:
            task = self.wholes[host["ws_url"]] = asyncio.create_task(self._whole(host), name=f"whole page {self.key}")
        return await asyncio.shield(task)

    async def _whole(self, host: dict[str, str]) -> Texts:
        async with self.rendering:
            # Whoever asks from here on may have missed what is being read now.
            del self.wholes[host["ws_url"]]
            if self.key.station is not None:
                return await self._station()
            return await self._counted(rendering.texts, fragments.everything, self.key.language, self.key.rights, host)

    async def _station(self) -> Texts:
        topic = self.key
        return await self._counted(rendering.texts, fragments.of_station, topic.language, topic.station, topic.rights)

    async def _counted(self, func: Callable[..., tuple[T, float]], *arguments: Any) -> T:
        """What it returns for this feed's person; the seconds of CPU that it takes are added up."""
        result, cost_s = await renderer.run(func, self.user, *arguments)
        self.cost_s += cost_s
        return result


def groups(found: list[int], size: int) -> Iterator[list[int]]:
    return (found[start : start + size] for start in range(0, len(found), size))


class LiveConsumer:
    """One open page."""

    def __init__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        self.scope = scope
        self.receive: Callable[[], Awaitable[Any]] = receive
        self.send: Callable[[Any], Awaitable[None]] = send
        self.pending: Texts = {}
        self.all = True
        self.wake = asyncio.Event()
        self.wake.set()
        self.answered = asyncio.Event()

    @classmethod
    def as_asgi(cls) -> Callable[[Scope, ASGIReceiveCallable, ASGISendCallable], Awaitable[None]]:
        async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
            await cls(scope, receive, send).run()

        return application

    def offer(self, parts: Texts) -> None:
        """Newer fragments; they take the place of those that could not be sent yet."""
        self.pending |= parts
        self.wake.set()

    def want_all(self) -> None:
        self.all = True
        self.wake.set()

    async def run(self) -> None:
        await self.receive()
        await self.send({"type": "websocket.accept"})
        user = await self._user()
        if user is None:
            return
        topic = self._topic(user)
        feed = Feed.join(self, user, topic)
        writer = asyncio.create_task(self._write(feed), name="live page")
        try:
            while (message := await self.receive())["type"] == "websocket.receive":
                self.answered.set()
                if message.get("text") == "all":
                    self.want_all()
        finally:
            feed.leave(self)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _write(self, feed: Feed) -> None:
        try:
            await self._write_on(feed)
        except Exception as error:
            logger.exception("A live page failed; its browser will come back.")
            if isinstance(error, AWAY):
                troubles.began(troubles.DATABASE, "pages")
                await self.send({"type": "websocket.send", "text": json.dumps({"fragments": [troubles.told(feed.language)]})})
            await self._close(BROKEN)

    async def _write_on(self, feed: Feed) -> None:
        checked = time.monotonic()
        user = await self._user()
        while user:
            await self.wake.wait()
            self.wake.clear()
            if time.monotonic() - checked > LOGIN_CHECK_S:
                user, checked = await self._user(), time.monotonic()
                if user is None:
                    return
            parts: Texts = {}
            if self.all:
                self.all = False
                self.pending = {}
                parts = await feed.whole(self._host())
            pending, self.pending = self.pending, {}
            self.answered.clear()
            text = ", ".join((*parts.values(), *pending.values()))
            await self.send({"type": "websocket.send", "text": f'{{"fragments": [{text}]}}'})
            try:
                await asyncio.wait_for(self.answered.wait(), ANSWER_TIMEOUT_S)
            except TimeoutError:
                await self._close(NO_ANSWER)
                return
            await asyncio.sleep(PUSH_INTERVAL_S)

    async def _user(self) -> User | None:
        """Who looks at the page; closes it if they no longer may."""
        session = self.scope.get("session")
        user = await run_in_db(logged_in, session.session_key if session is not None else None)
        if user is None:
            await self._close(LOGGED_OUT)
        elif not may(user, "view"):
            await self._close(NO_OPERATOR)
            return None
        return user

    async def _close(self, code: int) -> None:
        await self.send({"type": "websocket.close", "code": code})

    def _topic(self, user: User) -> Topic:
        asked = parse_qs(self.scope["query_string"].decode()).get("station", [""])[0]
        if not asked.isascii() or not asked.isdigit():
            return Topic(user.operator_id, self._language(), rights_of(user))
        # More digits than a key has belong to nothing.
        return Topic(user.operator_id, self._language(), rights_of(user), min(int(asked[:19]), 2**63 - 1))

    def _language(self) -> str:
        """The language the page was rendered in."""
        asked = parse_qs(self.scope["query_string"].decode()).get("lang", [""])[0]
        try:
            return get_supported_language_variant(asked)
        except LookupError:
            return settings.LANGUAGE_CODE

    def _host(self) -> dict[str, str]:
        """Where stations find us: where the browser did."""
        origin = dict(self.scope["headers"]).get(b"origin", b"").decode("latin-1")
        return {"ws_url": "ws" + origin.removeprefix("http")}


Gauge("csms_pages_open", "Live pages that browsers have open.", lambda: sum(len(feed.pages) for feed in Feed.open.values()))
