"""What all tests share: who is told of changes, a database other processes can see, and a fresh network.

Two ways to the database. `db` (pytest-django) wraps a test in a transaction nobody else sees. `network` commits, for tests
with sockets, threads and processes: nothing is flushed afterwards, a fresh operator keeps such tests apart.
"""

import gc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.template import Context, Template
from django.test.client import ClientHandler
from django.test.signals import template_rendered
from django.test.utils import setup_databases, teardown_databases
from hypothesis import HealthCheck
from hypothesis import settings as examples
from pytest_django.plugin import DjangoDbBlocker

from csms.bells import RedisBell
from stations import ports
from tests import copies, database, trying
from tests.engine import Engine
from tests.network import Network
from tests.servers import Server, Servers

KINDS = ("daphne", "uvicorn")
#: Files with tests that take ten seconds.
LONG_ONES = ("test_matrix.py", "test_axe.py", "test_driver_states.py", "test_services.py", "test_crash.py")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(copies.Leader())
    trying.share = 5 if config.option.markexpr == "not long" else 1
    # A slow machine is no failure.
    patient = examples(max_examples=trying.often(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    examples.register_profile("patient", patient)
    examples.load_profile("patient")


def pytest_collection_finish() -> None:
    """What was made until here stays, and tests leave few circles: to look for them is to look through ten thousand tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


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
    come first, before others have committed anything: to empty the tables for each of them costs a tenth of a second. Then come
    those that take long, so that in the end no process waits for another.
    """

    def rank(item: pytest.Item) -> tuple[bool, bool]:
        return commits(item) or "empty_database" not in item.fixturenames, item.path.name not in LONG_ONES  # type: ignore[attr-defined]

    items.sort(key=rank)
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
    made_for_all = getattr(request.config, "workerinput", {}).get(copies.KEY)
    with django_db_blocker.unblock():
        made = copies.copy(made_for_all) if made_for_all else setup_databases(verbosity=0, interactive=False, keepdb=keep)
        database.may_be_emptied()
    yield
    if not keep:
        with django_db_blocker.unblock():
            database.end_other_sessions()
            teardown_databases(made, verbosity=0)


def render(template: Template, context: Context) -> str:
    if context.template is template:
        template_rendered.send(sender=template, template=template, context=context)
    return template.nodelist.render(context)


@pytest.fixture(scope="session", autouse=True)
def what_pages_were_given(django_test_environment: None) -> None:
    """Of what templates are given the test client keeps what the page was, and no copy for each of its hundred parts."""
    Template._render = render  # type: ignore[method-assign,assignment]


@pytest.fixture(scope="session", autouse=True)
def one_chain() -> Iterator[None]:
    """Each test client would make its own chain of middleware, and look through all static files for it: clients share one, as the
    requests of a server do. While a test has settings of its own, its clients have their own."""
    load, usual = ClientHandler.load_middleware, settings._wrapped
    first = ClientHandler()
    load(first)

    def shared(self: ClientHandler, is_async: bool = False) -> None:
        if is_async or settings._wrapped is not usual:
            return load(self, is_async)
        for name in ("_view_middleware", "_template_response_middleware", "_exception_middleware", "_middleware_chain"):
            setattr(self, name, getattr(first, name))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientHandler, "load_middleware", shared)
        yield


@pytest.fixture(scope="session", autouse=True)
def files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Firmware images and logs of tests, and of the processes they start, lie in a folder of the run's own."""
    settings.FILES_DIR = str(tmp_path_factory.mktemp("files"))


@pytest.fixture
def db(db: None) -> None:
    """A test is one transaction then, and may do other things for as long as it likes in the middle of it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database in autocommit mode, shared with other processes."""
    with django_db_blocker.unblock():
        yield
        database.forget_work()
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
