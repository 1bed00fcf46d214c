"""What all tests share: who is told of changes, a database other processes can see, and a fresh network.

Two ways to the database. `db` (pytest-django) wraps a test in a transaction nobody else sees. `network` commits, for tests
with sockets, threads and processes: nothing is flushed afterwards, a fresh operator keeps such tests apart.
"""

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from stations import ports
from tests import database
from tests.network import Network
from tests.servers import Server, Servers


@pytest.fixture(autouse=True)
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody outside the test hears its bells. A test about bells fills the port itself."""
    monkeypatch.setattr(ports, "bell", ports.Silence())


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database in autocommit mode, shared with other processes."""
    with django_db_blocker.unblock():
        yield
        database.close()


@pytest.fixture
def network(committed: None) -> Network:
    """A fresh operator whose stations and tags no other test knows."""
    return Network()


@pytest.fixture(scope="session")
def servers(django_db_setup: None) -> Iterator[Servers]:
    """Server processes on the test database, started when first asked for and shared by all tests of the run."""
    started = Servers()
    yield started
    started.stop()


@pytest.fixture(params=["daphne", "uvicorn"])
def server(request: pytest.FixtureRequest, servers: Servers) -> Server:
    """A running server; the test runs on both kinds."""
    return servers.get(request.param)


@pytest.fixture
def uvicorn(servers: Servers) -> Server:
    """A running server of the faster kind, for tests to which the kind does not matter."""
    return servers.get("uvicorn")
