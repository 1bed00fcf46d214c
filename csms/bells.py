"""Bells over Redis: how a process that changed rows tells the others to look at them.

Ringing only notes, in memory, what is to be said; a daemon thread says it. So a batch never waits for Redis. Every bell may be
missed (Redis is down, a process starts late): whoever listens finds the truth in the rows, sooner or later, without it.
"""

import atexit
import logging
import os
import threading
import time
from collections.abc import Iterable
from typing import Any

import orjson
import redis
from django.conf import settings
from django.db import connection

from csms import troubles
from csms.celery import MOST_WAITING, OLD_S, app

logger = logging.getLogger(__name__)

#: The Celery task that acts on a subscriber's outbox entries.
TASKS = {
    "billing": "billing.tasks.make_charge_records",
    "rebilling": "billing.tasks.advance_rebillings",
    "receipts": "billing.tasks.make_receipts",
    "receipt_archives": "csms.tasks.make_receipt_files",
    "command_runs": "stations.tasks.advance_command_runs",
    "rollouts": "stations.tasks.advance_rollouts",
    "signed_readings": "billing.tasks.check_signed_readings",
    "webhooks": "csms.webhooks.tasks.send",
}
CHANGED_INTERVAL_S = 0.25
WORK_INTERVAL_S = 0.2
#: More changed rows of one operator than this are said as "everything".
MAX_IDS = 2000
TIMEOUT_S = 1.0


def channel(kind: str) -> str:
    """The Redis channel of a kind of bell.

    Redis shares channels between its databases: our index and the name of the PostgreSQL database keep installations apart.
    """
    index = settings.REDIS_URL.rpartition("/")[2].partition("?")[0]
    return f"csms:{index}:{connection.settings_dict['NAME']}:{kind}"


class RedisBell:
    """Fills `stations.ports.bell`. Safe to use from any thread and after a fork; never blocks, never raises."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)
        atexit.register(self.flush)

    def _reset(self) -> None:
        """A forked child has neither the thread nor what its parent was about to say, and must not use the parent's socket."""
        self._lock = threading.Lock()
        self._speaking = threading.Lock()
        self._rung = threading.Event()
        self._thread: threading.Thread | None = None
        self._client: redis.Redis | None = None
        self._changed: dict[int, tuple[set[int], set[int]]] = {}
        self._fenced: dict[int, int] = {}
        self._commands: set[int] = set()
        self._work: set[str] = set()
        self._due = {"changed": 0.0, "work": 0.0}
        self._down = False

    def changed(self, operator_id: int, *, stations: Iterable[int], transactions: Iterable[int]) -> None:
        with self._lock:
            first = not self._changed
            known = self._changed.setdefault(operator_id, (set(), set()))
            # One over the limit is kept as the mark of "everything".
            for ids, new in zip(known, (stations, transactions), strict=True):
                if len(ids) <= MAX_IDS:
                    ids.update(new)
        if first:
            self._wake()

    def work(self, subscriber: str) -> None:
        with self._lock:
            first = not self._work
            self._work.add(subscriber)
        if first:
            self._wake()

    def command(self, station_id: int) -> None:
        with self._lock:
            self._commands.add(station_id)
        self._wake()

    def fenced(self, station_id: int, fence: int) -> None:
        with self._lock:
            self._fenced[station_id] = max(fence, self._fenced.get(station_id, 0))
        self._wake()

    def flush(self) -> None:
        """Say at once what is still to be said: for a process that ends (a command in a shell)."""
        if self._changed or self._work or self._fenced or self._commands:
            self._due = {"changed": 0.0, "work": 0.0}
            self._speak()

    def _wake(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="bells", daemon=True)
                    self._thread.start()
        self._rung.set()

    def _run(self) -> None:
        while True:
            self._rung.wait()
            self._rung.clear()
            wait = self._speak()
            if wait is not None:
                # Not all could be said yet. A fence rung meanwhile is not made to wait.
                self._rung.wait(wait)
                self._rung.set()

    def _speak(self) -> float | None:
        """Say what is due. Returns in how many seconds the rest is due, or None when there is none."""
        with self._speaking:
            now = time.monotonic()
            messages: list[tuple[str, dict[str, Any]]] = []
            work: set[str] = set()
            with self._lock:
                messages += [("fenced", {"station": pk, "fence": fence}) for pk, fence in self._fenced.items()]
                messages += [("command", {"station": pk}) for pk in self._commands]
                self._fenced, self._commands = {}, set()
                if self._changed and now >= self._due["changed"]:
                    messages += [("changed", _changed(operator, *ids)) for operator, ids in self._changed.items()]
                    self._changed = {}
                    self._due["changed"] = now + CHANGED_INTERVAL_S
                if self._work and now >= self._due["work"]:
                    work, self._work = self._work, set()
                    self._due["work"] = now + WORK_INTERVAL_S
            self._say(messages, work)
            with self._lock:
                left = [self._due["changed"]] * bool(self._changed) + [self._due["work"]] * bool(self._work)
            return max(0.0, min(left) - time.monotonic()) if left else None

    def _say(self, messages: list[tuple[str, dict[str, Any]]], work: set[str]) -> None:
        if not messages and not work:
            return
        if unknown := work - TASKS.keys():
            logger.error("No task acts for the subscriber %s: name it in csms.bells.TASKS.", ", ".join(sorted(unknown)))
        queue = app.conf.task_default_queue
        try:
            if self._client is None:
                self._client = redis.Redis.from_url(
                    settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, socket_keepalive=True
                )
            with self._client.pipeline(transaction=False) as pipeline:
                # Asked for first of all: Celery waits long for a Redis that is away.
                pipeline.llen(queue)
                for kind, message in messages:
                    pipeline.publish(channel(kind), orjson.dumps(message))
                waiting = pipeline.execute()[0]
            # Else the beat calls for it, when they are done.
            for subscriber in work & TASKS.keys() if waiting < MOST_WAITING else ():
                app.send_task(TASKS[subscriber], queue=queue, retry=False, expires=OLD_S)
        except Exception:
            if not self._down:
                logger.exception("Redis cannot be reached: bells are not heard until it is back. Nothing is lost, only later.")
            self._down = True
            troubles.began(troubles.REDIS, "voice")
        else:
            if self._down:
                logger.warning("Redis is back: bells are heard again.")
            self._down = False
            troubles.ended(troubles.REDIS, "voice")


def _changed(operator_id: int, stations: set[int], transactions: set[int]) -> dict[str, Any]:
    if len(stations) > MAX_IDS or len(transactions) > MAX_IDS:
        return {"operator": operator_id, "all": True}
    return {"operator": operator_id, "stations": list(stations), "transactions": list(transactions)}
