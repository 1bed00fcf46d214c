"""When the database fails: what counts as its failing, and the batch thread's own connection to it."""

import contextlib
import os
import socket
from typing import Any

import psycopg
from django.db import OperationalError, connection

#: Errors by which the database, not the message, fails. Nothing is answered then; it is waited for.
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction, OperationalError)
#: PostgreSQL ends our transaction when we say nothing for so long: a frozen process must not keep its stations' rows locked.
SILENT_S = 10
#: A lock is waited for so long: who holds it longer is frozen, or alters a table.
LOCK_S = 8
APPLICATION = "csms batch"
#: A statement said so often is prepared, that is parsed and planned once for all: that was a third of PostgreSQL's part of a small
#: round. Django prepares none, for the sake of poolers, which this connection does without.
PREPARED_AFTER = 5

# Whoever is in the middle of a COPY or of a pipeline is not idle to PostgreSQL, whatever its client does: `idle_in_transaction`
# misses it.
FROZEN = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = %s AND pid <> pg_backend_pid()
  AND wait_event = 'ClientRead' AND xact_start < now() - make_interval(secs => %s)
"""
TAKES_WRITES = "SELECT NOT pg_is_in_recovery() AND NOT current_setting('transaction_read_only')::bool"


def own_connection() -> None:
    """This thread's connection is none of the pool's, whose attempts to connect come at ever longer intervals."""
    options = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "pool"}
    limits = {"idle_in_transaction_session_timeout": SILENT_S, "lock_timeout": LOCK_S}
    options["options"] = " ".join(
        [options.get("options", ""), *(f"-c {name}={seconds}s" for name, seconds in limits.items())]
    ).strip()
    own = {"application_name": APPLICATION, "prepare_threshold": PREPARED_AFTER}
    connection.settings_dict = connection.settings_dict | {"OPTIONS": options | own}


def cut(raw: "psycopg.Connection[Any]") -> None:
    """Break a connection under whoever waits for it on another thread: they get an error instead of an answer."""
    with contextlib.suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(raw.fileno())) as broken:
        broken.shutdown(socket.SHUT_RDWR)


def message_at_fault(error: BaseException) -> bool:
    """What psycopg counts among the database's failures, but comes again with the message: a row too long for its index."""
    return (getattr(error, "sqlstate", None) or "").startswith("54")


def end_frozen() -> None:
    """End the transactions of web processes that have fallen silent in the middle of one: their stations have moved here."""
    connection.ensure_connection()
    # Whoever holds what was waited for so long began before that.
    connection.connection.execute(FROZEN, (APPLICATION, LOCK_S))
