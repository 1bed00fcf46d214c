"""The beat sets off what comes round again, and does not fill Redis while no worker takes it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from csms.beat import Scheduler
from csms.celery import MOST_WAITING, app

OFTEN, SELDOM = "send webhooks", "make partitions ahead"


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[str]:
    """A queue of this test's own."""
    name = f"csms-beat-of-{os.getpid()}"
    monkeypatch.setitem(app.conf, "task_default_queue", name)
    yield name
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(name)


@pytest.fixture
def beat(tmp_path: Path) -> Iterator[Scheduler]:
    # As `celery beat` makes it.
    command = app.Beat(schedule=str(tmp_path / "beat"))
    beat = command.Service(app, scheduler_cls=command.scheduler_cls, schedule_filename=command.schedule).get_scheduler()
    yield beat
    beat.close()


def test_it_is_the_one_that_celery_takes(beat: Any) -> None:
    assert type(beat) is Scheduler


def test_what_comes_round_within_a_minute_waits_while_the_worker_has_been_away_for_long(
    beat: Scheduler, queue: str, settings: Any
) -> None:
    often, seldom = beat.schedule[OFTEN], beat.schedule[SELDOM]
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for number in range(1, MOST_WAITING + 1):
            beat.apply_entry(often, producer=beat.producer)
            assert client.llen(queue) == number
        beat.apply_entry(often, producer=beat.producer)
        assert client.llen(queue) == MOST_WAITING
        beat.apply_entry(seldom, producer=beat.producer)
        assert client.llen(queue) == MOST_WAITING + 1
        client.lpop(queue, 2)
        beat.apply_entry(often, producer=beat.producer)
        assert client.llen(queue) == MOST_WAITING


def test_its_next_turn_comes_as_ever(beat: Scheduler, queue: str, settings: Any) -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.rpush(queue, *["x"] * MOST_WAITING)
        before = beat.schedule[OFTEN].total_run_count
        assert beat.apply_async(beat.schedule[OFTEN]) is None
    assert beat.schedule[OFTEN].total_run_count == before + 1
