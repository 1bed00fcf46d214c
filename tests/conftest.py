"""What all tests share: who is told of changes, a database other processes can see, and a fresh network.

Two ways to the database. `db` (pytest-django) wraps a test in a transaction nobody else sees. `network` commits, for tests
with sockets, threads and processes: nothing is flushed afterwards, a fresh operator keeps such tests apart.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test.utils import setup_databases, teardown_databases
from hypothesis import HealthCheck
from hypothesis import settings as examples
from pytest_django.plugin import DjangoDbBlocker

from csms.bells import RedisBell
from stations import ports
from tests import database
from tests.engine import Engine
from tests.network import Network
from tests.servers import Server, Servers

KINDS = ("daphne", "uvicorn")

# A slow machine is no failure.
examples.register_profile("patient", examples(deadline=None, suppress_health_check=[HealthCheck.too_slow]))
examples.load_profile("patient")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if collection_path.name == "test_openapi_bounds.py" and config.option.markexpr == "not long" else None


def commits(item: pytest.Item) -> bool:
    """Whether others see what a test writes, as long as the run lasts."""
    named = set(item.fixturenames)  # type: ignore[attr-defined]
    marked = item.get_closest_marker("django_db")
    return not named.isdisjoint({"committed", "servers", "transactional_db"}) or bool(marked and marked.kwargs.get("transaction"))


@pytest.hookimpl(tryfirst=True)  # before `-m` is obeyed
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that runs on both kinds of server does so in `make test-long`; in `make test` on one, which its name decides.

    Those that share one bare server for all (`tests/server`) cost nothing, and run on both always. Tests that count on being alone
    come first, before others have committed anything: to empty the tables for each of them costs a tenth of a second.
    """
    items.sort(key=lambda item: commits(item) or "empty_database" not in item.fixturenames)  # type: ignore[attr-defined]
    for item in items:
        called = getattr(item, "callspec", None)
        kind = next((value for value in called.params.values() if value in KINDS), None) if called else None
        if kind and "shared" not in item.fixturenames:  # type: ignore[attr-defined]
            spared = KINDS[zlib.crc32(item.nodeid.replace(kind, "").encode()) % 2]
            if kind == spared:
                item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True)
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody outside the test hears its bells. A test about bells fills the port itself."""
    monkeypatch.setattr(ports, "bell", ports.Silence())


@pytest.fixture
def bells(silence: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process rings for real: it is a page, a worker or a shell that knows no sockets."""
    bell = RedisBell()
    monkeypatch.setattr(ports, "bell", bell)
    yield
    bell.flush()


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    """The test database. pytest-django's own fixture makes it only if a test of the run uses `db`; `network` alone would
    then find itself in the real one."""
    keep = request.config.getvalue("reuse_db")
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, keepdb=keep)
        database.may_be_emptied()
    yield
    if not keep:
        with django_db_blocker.unblock():
            database.end_other_sessions()
            teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Firmware images and logs of tests, and of the processes they start, lie in a folder of the run's own."""
    settings.FILES_DIR = str(tmp_path_factory.mktemp("files"))


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


@pytest.fixture
def engine(committed: None) -> Engine:
    """The engine without sockets."""
    return Engine()


@pytest.fixture(scope="session")
def servers(django_db_setup: None) -> Iterator[Servers]:
    """Server processes on the test database, started when first asked for and shared by all tests of the run."""
    started = Servers()
    yield started
    started.stop()


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, servers: Servers) -> Server:
    """A running server; the test runs on both kinds."""
    return servers.get(request.param)


@pytest.fixture
def uvicorn(servers: Servers) -> Server:
    """A running server of the faster kind, for tests to which the kind does not matter."""
    return servers.get("uvicorn")
