"""Bells over a real Redis: rung in one place, heard in another."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from celery.signals import after_task_publish

from csms.bells import MAX_IDS, TASKS, RedisBell
from csms.celery import EVERY, MOST_WAITING, OLD_S, app
from csms.hub import Hub, Message
from tests.relay import Relay
from tests.servers import until

PATIENCE_S = 20


class Ear:
    """Listens to one kind of bell."""

    def __init__(self, kind: str, hub: Hub) -> None:
        self.kind, self.hub = kind, hub
        self.heard: asyncio.Queue[Message] = asyncio.Queue()
        self.missed = asyncio.Event()
        hub.listen(kind, self.heard.put_nowait, missed=self.missed.set)

    async def next(self) -> Message:
        return await asyncio.wait_for(self.heard.get(), PATIENCE_S)


@pytest.fixture
def bell() -> Iterator[RedisBell]:
    bell = RedisBell()
    yield bell
    bell.flush()  # nothing is left for the next test to hear


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    hub = Hub()
    yield hub
    for kind, listeners in hub._listeners.items():
        for callback in tuple(listeners):
            hub.unlisten(kind, callback)


@pytest.fixture
def relay(settings: Any) -> Iterator[Relay]:
    relay = Relay()
    settings.REDIS_URL = relay.url
    yield relay
    relay.close()


async def ear(hub: Hub, kind: str = "changed") -> Ear:
    listening = Ear(kind, hub)
    await asyncio.wait_for(hub.hearing(), PATIENCE_S)
    return listening


async def test_a_bell_is_heard_by_whoever_listens(bell: RedisBell, hub: Hub) -> None:
    first, second = await ear(hub), await ear(hub)
    bell.changed(7, stations=[1, 2], transactions=iter([5]))
    for listening in (first, second):
        message = await listening.next()
        assert message == {"operator": 7, "stations": [1, 2], "transactions": [5]}


async def test_a_fence_is_heard_with_the_highest_number(bell: RedisBell, hub: Hub) -> None:
    listening = await ear(hub, "fenced")
    bell.fenced(3, 12)
    assert await listening.next() == {"station": 3, "fence": 12}


async def test_thousands_of_rings_become_few_messages_and_no_row_is_lost(bell: RedisBell, hub: Hub) -> None:
    listening = await ear(hub)
    for n in range(5000):
        bell.changed(n % 2, stations=[n % 500], transactions=[])
    heard: dict[int, set[int]] = {0: set(), 1: set()}
    messages = 0
    while sum(map(len, heard.values())) < 500:
        message = await listening.next()
        heard[message["operator"]].update(message["stations"])
        messages += 1
    assert messages < 100


async def test_more_rows_than_a_message_should_hold_are_said_as_everything(bell: RedisBell, hub: Hub) -> None:
    listening = await ear(hub)
    bell.changed(7, stations=[], transactions=range(MAX_IDS + 1))
    assert await listening.next() == {"operator": 7, "all": True}
    bell.changed(7, stations=[1], transactions=[])
    assert (await listening.next())["stations"] == [1]


async def test_another_installation_on_the_same_redis_is_not_heard(bell: RedisBell, hub: Hub, settings: Any) -> None:
    listening = await ear(hub)
    ours = settings.REDIS_URL
    settings.REDIS_URL = ours.rpartition("/")[0] + "/15"
    stranger = RedisBell()
    stranger.changed(1, stations=[666], transactions=[])
    stranger.flush()
    settings.REDIS_URL = ours
    bell.changed(1, stations=[1], transactions=[])
    assert (await listening.next())["stations"] == [1]


async def test_what_was_rung_before_a_process_ends_is_said(bell: RedisBell, hub: Hub) -> None:
    listening = await ear(hub)
    bell.changed(1, stations=[1], transactions=[])
    await listening.next()
    bell.changed(1, stations=[2], transactions=[])  # not due yet
    bell.flush()
    assert (await listening.next())["stations"] == [2]


async def test_a_forked_child_rings_with_a_voice_of_its_own(bell: RedisBell, hub: Hub) -> None:
    listening = await ear(hub)
    bell.changed(1, stations=[1], transactions=[])
    await listening.next()
    child = os.fork()
    if child == 0:
        try:
            bell.changed(1, stations=[2], transactions=[])
            until(lambda: not bell._changed, patience_s=PATIENCE_S)
            bell.flush()
            with bell._speaking:  # the thread has said it
                os._exit(0)
        finally:
            os._exit(1)
    assert (await listening.next())["stations"] == [2]
    assert os.waitpid(child, 0)[1] == 0


def test_work_calls_the_task_once_for_many_rings(bell: RedisBell) -> None:
    published: list[str] = []

    def note(sender: str, **_: Any) -> None:
        published.append(sender)

    after_task_publish.connect(note)
    try:
        for _ in range(1000):
            bell.work("billing")
        until(lambda: published)
        bell.flush()
    finally:
        after_task_publish.disconnect(note)
    assert set(published) == {TASKS["billing"]}
    assert len(published) < 100


def test_work_is_not_called_for_while_the_worker_has_been_away_for_long(
    bell: RedisBell, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = f"csms-of-{os.getpid()}"
    monkeypatch.setitem(app.conf, "task_default_queue", queue)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        try:
            for _ in range(MOST_WAITING + 10):
                bell.work("billing")
                bell.flush()
            assert client.llen(queue) == MOST_WAITING
            call = json.loads(client.lindex(queue, 0))["headers"]
            left = datetime.fromisoformat(call["expires"]) - datetime.now(UTC)
            assert 0 < left.total_seconds() <= OLD_S
            client.lpop(queue)
            bell.work("billing")
            bell.flush()
            assert client.llen(queue) == MOST_WAITING
        finally:
            client.delete(queue)


def test_the_beat_calls_for_all_work_before_a_call_is_old() -> None:
    often = dict(EVERY.values())
    assert all(often[task] <= OLD_S for task in TASKS.values())


def test_every_subscriber_has_a_task_that_exists() -> None:
    from stations import outbox

    app.loader.import_default_modules()
    subscribers = {subscriber for names in outbox._subscribers.values() for subscriber in names}
    assert subscribers <= TASKS.keys()
    assert set(TASKS.values()) <= app.tasks.keys()


async def test_while_redis_is_away_nothing_raises_one_line_is_logged_and_it_heals(
    relay: Relay, bell: RedisBell, hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    listening = await ear(hub)
    bell.changed(1, stations=[1], transactions=[])
    await listening.next()

    relay.take_away()
    for station in range(2, 6):
        bell.changed(1, stations=[station], transactions=[])
        bell.work("billing")
        bell.fenced(1, station)
        bell.flush()
    said = [record for record in caplog.records if record.name == "csms.bells" and record.levelno == logging.ERROR]
    assert len(said) == 1

    relay.give_back()
    await asyncio.wait_for(listening.missed.wait(), PATIENCE_S)
    while not listening.heard.empty():
        listening.heard.get_nowait()
    bell.changed(1, stations=[9], transactions=[])
    message = await listening.next()
    assert message["stations"] == [9]


async def test_a_listener_that_fails_does_not_deafen_the_others(bell: RedisBell, hub: Hub) -> None:
    hub.listen("changed", lambda message: 1 / 0)  # type: ignore[arg-type,return-value]
    listening = await ear(hub)
    bell.changed(1, stations=[1], transactions=[])
    assert (await listening.next())["stations"] == [1]


async def test_there_is_no_ear_for_a_bell_that_does_not_exist(hub: Hub) -> None:
    with pytest.raises(ValueError, match="listen to one of changed, fenced"):
        hub.listen("chnaged", print)
