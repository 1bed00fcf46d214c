"""What breaks is the tests' own: a PostgreSQL for each run of them, relays, processes."""

import os
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.db import connections

from tests import database
from tests.chaos.postgres import Postgres, point_at
from tests.network import Network
from tests.relay import Relay
from tests.servers import Process, Server


@pytest.fixture(scope="session")
def private() -> Iterator[Postgres]:
    made = Postgres("chaos" + os.environ.get("PYTEST_XDIST_WORKER", ""))
    yield made
    made.remove()


@pytest.fixture
def postgres(committed: None, private: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """The database of this test and of all processes it starts."""
    if not private.running:
        private.start()
    before = dict(connections.settings["default"])
    monkeypatch.setattr(settings, "DATABASE_URL", private.url)
    point_at(private.url)
    private.migrate()
    database.forget_work()
    yield private
    point_at("postgres:///")
    connections.settings["default"].update(before)


@pytest.fixture
def network(postgres: Postgres) -> Network:
    """A fresh operator on that database."""
    return Network()


@pytest.fixture
def relay() -> Iterator[Callable[[str], Relay]]:
    """Puts a relay in front of the server of a URL."""
    made: list[Relay] = []

    def put(url: str, kind: type[Relay] = Relay) -> Relay:
        made.append(kind(url))
        return made[-1]

    yield put
    for one in made:
        one.close()


@pytest.fixture
def serve(postgres: Postgres) -> Iterator[Callable[..., Server]]:
    """Starts web processes that end with the test."""
    made: list[Process] = []

    def start(kind: str, *options: str, port: int = 0, **more: str) -> Server:
        made.append(Server(kind, *options, port=port, **more))
        return made[-1]  # type: ignore[return-value]

    yield start
    for one in made:
        one.kill()
