"""A real Celery worker on the test's database and the real Redis, and whom it works for."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import settings
from django.db import connection

from accounts.models import Operator
from billing import tariffs, tasks
from billing.models import Tariff
from stations.models import Station
from tests.billing import make


def until(condition: Callable[[], object], *, patience_s: float = 60) -> None:
    """Wait until it is so."""
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


class Worker:
    """A worker process with a queue of its own, so that tests that run side by side do not take each other's work."""

    def __init__(self) -> None:
        self.queue = f"test-{uuid.uuid4().hex}"
        url = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
        name = ["-n", f"{self.queue}@%h", "-Q", self.queue, "-c", "1"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "csms", "worker", *name, *quiet],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL, "CSMS_MODE": "test"},
            start_new_session=True,
        )

    def ring(self, task: Any = tasks.make_charge_records) -> None:
        """What the bell does: call for a run."""
        task.apply_async(queue=self.queue)

    def works_until(self, condition: Callable[[], object], task: Any = tasks.make_charge_records) -> None:
        """Ring, and ring again now and then as the beat does: a bell may be missed, the sweep may not."""
        rung = 0.0

        def done() -> object:
            nonlocal rung
            if time.monotonic() - rung > 5:
                rung = time.monotonic()
                self.ring(task)
            return condition()

        until(done)

    def kill(self) -> None:
        """kill -9 to the worker and its children."""
        if self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        with redis.Redis.from_url(settings.REDIS_URL) as broker:
            broker.delete(self.queue, f"_kombu.binding.{self.queue}", f"_kombu.binding_permanent.{self.queue}")


@pytest.fixture
def start_worker() -> Iterator[Callable[[], Worker]]:
    workers: list[Worker] = []

    def start() -> Worker:
        workers.append(Worker())
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()


@pytest.fixture
def amber(db: None) -> Operator:
    return make.operator()


@pytest.fixture
def station(amber: Operator) -> Station:
    return make.station(amber)


@pytest.fixture
def tariff(amber: Operator) -> Tariff:
    """0.40 a kWh and 0.02 a minute, plus 25 percent tax: 10 kWh in half an hour cost 4.60, with tax 5.75."""
    return tariffs.add_tariff(
        operator=amber,
        name="Standard",
        price_per_kwh=Decimal("0.40"),
        price_per_minute=Decimal("0.02"),
        tax_percent=Decimal(25),
        is_default=True,
    )
