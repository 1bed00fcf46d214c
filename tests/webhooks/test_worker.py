"""Webhooks called by real Celery workers: nothing lost, whoever is killed and whatever the other side does."""

import itertools
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.models import Job
from csms.tasks import heartbeat
from csms.webhooks import dispatch, sending, services, tasks, telling
from csms.webhooks.models import Webhook
from stations import topics
from stations.models import Station
from tests import v16
from tests.engine import Engine
from tests.network import Network
from tests.servers import Worker, until
from tests.stations.batches import fleet
from tests.webhooks import receiver as other
from tests.webhooks.conftest import again, log
from tests.webhooks.receiver import Call, Receiver, answer, receiver
from tests.webhooks.test_signing import documented

WANTED = [topics.TRANSACTION_STARTED, topics.TRANSACTION_ENDED]


@pytest.fixture
def them() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def webhook(network: Network, them: Receiver) -> Iterator[Webhook]:
    made = services.add(operator=network.operator, url=them.url, events=WANTED)
    yield made
    with scopes_disabled():
        services.remove(webhook=Webhook.objects.get(pk=made.pk))


@pytest.fixture
def worker() -> Iterator[Any]:
    """Starts one; all are killed at the end."""
    started: list[Worker] = []

    def start() -> Worker:
        started.append(Worker())
        return started[-1]

    yield start
    for one in started:
        one.kill()


def charge(engine: Engine, stations: list[Station]) -> None:
    """A session of each, from its start to its end."""
    began = engine.round(*(engine.inbound(one, "StartTransaction", v16.start()) for one in stations))
    numbers = [frame[2]["transactionId"] for frame in began if frame]
    engine.round(*(engine.inbound(one, "StopTransaction", v16.stop(number)) for one, number in zip(stations, numbers, strict=True)))


def call(task: Any) -> None:
    """As the bell and the beat do. Our own queue has the name of the database that was there before the tests'."""
    task.apply_async(queue=f"csms-{connection.settings_dict['NAME']}")


def hurry(webhook: Webhook) -> None:
    """As if the pauses were over, and as if the beat had called for a run."""
    with scopes_disabled():
        Webhook.objects.filter(pk=webhook.pk).update(rests_until=None)
        webhook.deliveries.filter(status="failed").update(due_at=webhook.created_at)
    call(tasks.send)


def all_delivered(webhook: Webhook, count: int) -> bool:
    found = log(webhook)
    return len(found) == count and {one.status for one in found} == {"delivered"}


def assert_told_of_each(webhook: Webhook, them: Receiver, count: int) -> None:
    """Each event at least once, each with a signature that verifies, the numbers without a gap."""
    calls = {call.headers["Webhook-Id"]: call for call in them.calls}
    assert sorted(call.payload["sequence"] for call in calls.values()) == list(range(1, count + 1))
    assert all(documented()(webhook.secret, call.headers, call.body) for call in calls.values())
    assert {call.payload["type"] for call in calls.values()} == set(WANTED)


@pytest.mark.long
def test_a_worker_tells_sessions_and_does_other_jobs_while_an_address_takes_its_time(
    network: Network, engine: Engine, webhook: Webhook, them: Receiver, worker: Any
) -> None:
    """The only process there is. It is called as often as bells ring while one address takes its time for each event."""
    with receiver() as slow:
        slow.behaviour = slow.slow
        lame = services.add(operator=network.operator, url=slow.url, events=WANTED)
        stations = fleet(network, 11)
        charge(engine, stations[:10])
        worker()
        for _ in range(20):
            hurry(webhook)
        until(lambda: slow.at_once and all_delivered(webhook, 20))
        began = timezone.now()
        hurry(webhook)
        call(heartbeat)
        until(lambda: Job.objects.filter(name=heartbeat.name, finished_at__gt=began).exists(), patience_s=8)
        assert slow.at_once
        assert not [one for one in log(lame) if one.status == "delivered"]
        assert_told_of_each(webhook, them, 20)
        # And what happens meanwhile is told to others.
        charge(engine, stations[10:])
        call(tasks.send)
        until(lambda: all_delivered(webhook, 22), patience_s=8)
        with scopes_disabled():
            services.remove(webhook=lame)


@pytest.mark.long
def test_what_ended_the_telling_is_told_by_the_next_job(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []

    def fail(stop: object) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ZeroDivisionError("somebody's bug")

    monkeypatch.setattr(dispatch, "run", fail)
    tasks.send()
    until(lambda: telling._error is not None and telling._thread is None)
    with pytest.raises(ZeroDivisionError):
        tasks.send()
    until(lambda: len(runs) == 2)
    tasks.send()
    until(lambda: telling._thread is None)


@pytest.mark.long
def test_a_receiver_that_is_slow_dead_lying_and_back_again_is_told_of_each_event(
    network: Network, engine: Engine, webhook: Webhook, them: Receiver, worker: Any
) -> None:
    """While workers are killed. Each behaviour is met some times before the next."""

    def late(handler: Any, call: Call) -> None:
        them.released.wait(11)
        answer(200)(handler, call)

    lies = [answer(500), answer(302, Location="/x"), other.hang_up, late, other.drip, answer(503, b"x" * 1_000_000), other.huge]
    bad = itertools.chain.from_iterable(itertools.repeat(lie, 2) for lie in lies)
    good = answer(200)

    def behave(handler: Any, call: Call) -> None:
        with them.lock:
            behaviour = next(bad, good)
        behaviour(handler, call)

    them.behaviour = behave
    charge(engine, fleet(network, 100))
    for _ in range(3):
        seen = len(them.calls)
        running = worker()
        hurry(webhook)
        until(lambda seen=seen: len(them.calls) > seen)
        running.kill()
    worker()

    hurried = 0.0

    def done() -> bool:
        nonlocal hurried
        if time.monotonic() - hurried > 1:
            hurry(webhook)
            hurried = time.monotonic()
        # What a killed run had in hand is its own for a minute.
        return all_delivered(webhook, 200)

    until(done, patience_s=240)
    assert_told_of_each(webhook, them, 200)
    assert again(webhook).failures == 0


@pytest.mark.long
def test_a_worker_that_is_to_end_waits_for_no_address(
    network: Network, engine: Engine, webhook: Webhook, them: Receiver, worker: Any
) -> None:
    them.behaviour = them.slow
    charge(engine, fleet(network, 1))
    running = worker()
    hurry(webhook)
    until(lambda: them.at_once)
    began = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - began < sending.READ_S
    # What was under way is for the next, sooner or later.
    them.released.set()
    with scopes_disabled():
        webhook.deliveries.update(due_at=webhook.created_at)
    worker()
    call(tasks.send)
    until(lambda: all_delivered(webhook, 2))
    assert_told_of_each(webhook, them, 2)
