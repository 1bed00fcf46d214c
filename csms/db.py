"""Database work from coroutines, on a small pool of its own.

Channels' `database_sync_to_async` shares one thread with everything else in the process (asgiref#218): one slow query there
holds up every socket. Frames of stations do not come here either: they have the batch thread.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

import psycopg
from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")

#: More threads would not go faster (they share one GIL with the event loop), and each may hold a database connection.
THREADS = 4
#: Seconds after which `briefly` gives up.
BRIEF_S = 2
_pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="run_in_db")


async def run_in_db(
    func: Callable[P, T],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run it in a thread of the pool with the caller's context variables (and so its scope); then give back the connection."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(_pool, context.run, _closing, lambda: func(*args, **kwargs))


async def run_in_scope(
    within: contextlib.AbstractContextManager[None], func: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """The same inside a tenant's scope: `await run_in_scope(scope_of(user), selector)`."""

    def scoped() -> T:
        with within:
            return func(*args, **kwargs)

    return await run_in_db(scoped)


def _closing(func: Callable[[], T]) -> T:
    try:
        return func()
    finally:
        connections.close_all()


def let_migrations_think(*, using: str, **_said: Any) -> None:
    """Between two statements of its transaction a migration works out what the models are: on a slow machine for longer than
    anybody else of ours may keep one open and say nothing."""
    with connections[using].cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = 0")


def migrated(*, using: str, **_said: Any) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute("RESET idle_in_transaction_session_timeout")


@contextlib.contextmanager
def briefly() -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    """A database connection of its own, outside the pool, that gives up within seconds: for whoever asks whether it lives.

    In autocommit mode. Raises `psycopg.Error`.
    """
    own = ("pool", "context", "cursor_factory", "prepare_threshold")  # Django's, not libpq's
    where = {name: value for name, value in connections["default"].get_connection_params().items() if name not in own}
    limits = f"{where.pop('options', '')} -c statement_timeout={BRIEF_S * 1000} -c lock_timeout={BRIEF_S * 1000}"
    patience: dict[str, Any] = {"connect_timeout": BRIEF_S, "tcp_user_timeout": BRIEF_S * 1000}
    with psycopg.connect(**where | patience, options=limits, autocommit=True) as brief:
        yield brief
