"""The database from tests that run in an event loop.

Django gives every asyncio task a connection of its own and never closes it. So a test's look into the tables is made on one
thread, whose connection is closed after each test.
"""

import asyncio
import contextlib
import functools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import Error, connection

P = ParamSpec("P")
T = TypeVar("T")

#: Tables that the database refuses to empty.
NEVER_EMPTIED = ("billing_chargerecord", "billing_receipt")

_thread = ThreadPoolExecutor(1, thread_name_prefix="test-database")


def tables(function: Callable[P, T]) -> Callable[P, T]:
    """Makes a function that reads or writes tables callable from an event loop as well."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return function(*args, **kwargs)
        return _thread.submit(function, *args, **kwargs).result()

    return call


def close() -> None:
    """Close what tests have opened."""
    connection.close()
    _thread.submit(lambda: connection.close()).result()


@tables
def forget_work() -> None:
    """What a test leaves to be billed and told, the workers of the tests after it would do first."""
    left = "SELECT id FROM stations_outboxentry FOR UPDATE SKIP LOCKED"
    with contextlib.suppress(Error), connection.cursor() as cursor:  # a test may have broken the connection
        cursor.execute(f"DELETE FROM stations_outboxentry WHERE id IN ({left})")  # noqa: S608


def may_be_emptied() -> None:
    """Tests empty tables that nobody else may: it is the trigger that is put aside, in this database alone."""
    with connection.cursor() as cursor:
        for table in NEVER_EMPTIED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_not_emptied")


def may_not_be_emptied() -> None:
    """As it is for everybody else, to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is pending would be in the way
        for table in NEVER_EMPTIED:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_not_emptied")


def end_other_sessions(patience_s: float = 60) -> None:
    """End the sessions that others still have in this database: a server is a moment behind the processes that were killed."""
    ended = time.monotonic() + patience_s
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            if not cursor.fetchall() or time.monotonic() > ended:
                return
            time.sleep(0.05)
