"""Database work from coroutines, and the scopes it runs in."""

import threading
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import post_migrate
from django_scopes import scope
from django_scopes.exceptions import ScopeError

from accounts.models import User
from csms.db import run_in_db, run_in_scope
from csms.tenancy import scope_of
from stations.models import Station
from tests.dashboard.rows import plug
from tests.network import Network


@pytest.fixture
def cobalt(committed: None) -> Network:
    return Network()


def identities() -> set[str]:
    return set(Station.objects.values_list("identity", flat=True))


def test_migrations_may_think_for_long_between_two_statements_and_nobody_else(committed: None) -> None:
    told = []

    def look(**said: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            told.append(cursor.fetchone()[0])

    first = next(iter(apps.get_app_configs()))  # told before ours that its migrations are done
    post_migrate.connect(look, sender=first)
    try:
        call_command("migrate", verbosity=0)
    finally:
        post_migrate.disconnect(look, sender=first)
    look()
    assert told == ["0", f"{settings.SILENT_S}s"]


async def test_it_runs_in_a_thread_of_its_own_in_the_callers_scope(network: Network, cobalt: Network) -> None:
    ours = plug(network).evse.station.identity
    plug(cobalt)
    with scope(operator=network.operator):
        assert await run_in_db(identities) == {ours}
    assert await run_in_db(threading.get_ident) != threading.get_ident()


async def test_a_query_outside_a_scope_raises_there_too(network: Network) -> None:
    with pytest.raises(ScopeError):
        await run_in_db(identities)


async def test_the_connection_is_given_back_even_after_an_error(network: Network) -> None:
    def fails() -> None:
        connection.ensure_connection()
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await run_in_db(fails)
    assert await run_in_db(lambda: connection.connection) is None


@pytest.mark.parametrize("who", ["owner", "nobody", "anonymous", "superuser"])
async def test_everybody_sees_their_own_operators_stations_only(who: str, network: Network, cobalt: Network) -> None:
    ours, theirs = (plug(n).evse.station.identity for n in (network, cobalt))
    user: User | AnonymousUser = {
        "owner": lambda: network.user(),
        "nobody": lambda: network.user("nobody", operator=None),
        "anonymous": AnonymousUser,
        "superuser": lambda: network.user("root", operator=None, is_superuser=True),
    }[who]()
    seen = await run_in_scope(scope_of(user), identities)
    expected = {"owner": {ours}, "nobody": set(), "anonymous": set(), "superuser": {ours, theirs}}
    assert seen & {ours, theirs} == expected[who]
    if who in ("nobody", "anonymous"):
        assert seen == set()
