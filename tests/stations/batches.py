"""What tests of batches share."""

import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from stations import services
from stations.batch import Batch
from stations.domain import events
from stations.models import Station
from stations.services import Rule
from tests.network import Network


def breaking(monkeypatch: pytest.MonkeyPatch, kind: type[events.Event], breaks: Callable[[Any, Batch], bool]) -> None:
    """The rule of an event has a bug, for some messages."""
    rule = services.RULES[kind]

    def handle(event: Any, batch: Batch) -> Any:
        reply = rule.handle(event, batch)  # what it did must not survive
        if breaks(event, batch):
            raise ZeroDivisionError("somebody's bug")
        return reply

    monkeypatch.setitem(services.RULES, kind, Rule(handle, rule.needs))


def fleet(network: Network, size: int) -> list[Station]:
    network.token("CARD")
    return [network.station(accepted=True) for _ in range(size)]


def answers(frames: list[list[Any] | None]) -> list[Any]:
    """The payload of each result, the code of each error, None for none."""
    return [frame and frame[2] for frame in frames]


def wait_until_blocked(watcher: Any) -> int:
    """Until a backend of this database waits for a lock of the watcher's; its process id."""
    deadline = time.monotonic() + 10
    with psycopg.connect(watcher.info.dsn, password=watcher.info.password, autocommit=True) as looking:
        while time.monotonic() < deadline:
            row = looking.execute(
                "SELECT pid FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))", [watcher.info.backend_pid]
            ).fetchone()
            if row is not None:
                return int(row[0])
            time.sleep(0.005)
    raise AssertionError("nothing was blocked")
