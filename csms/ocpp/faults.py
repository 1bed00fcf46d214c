"""When the database fails: what counts as its failing, and the batch thread's own connection to it."""

import contextlib
import os
import socket
from typing import Any

import psycopg
from django.conf import settings
from django.db import OperationalError, connection

#: Errors by which the database, not the message, fails. Nothing is answered then; it is waited for.
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction, OperationalError)
#: Troubles that pass are tried again this often before what was to be done is done one by one.
RETRIES = 5
#: The last: a table was altered, and the statement prepared before is of no use. With the ROLLBACK psycopg forgets it.
PASSING = {
    psycopg.errors.DeadlockDetected: "deadlock",
    psycopg.errors.SerializationFailure: "deadlock",
    psycopg.errors.FeatureNotSupported: "altered",
}
#: A lock is waited for so long, and so long (milliseconds) where somebody is known to be in the way: others wait meanwhile.
LOCK_S, LOCK_APART_MS = 2, 50
BE_BRIEF = f"SET LOCAL lock_timeout = {LOCK_APART_MS}"
#: Who has held a lock for so long and says nothing is frozen.
FROZEN_S = 8
APPLICATION = "csms batch"
#: A statement said so often is prepared, that is parsed and planned once for all: that was a third of PostgreSQL's part of a small
#: round. Django prepares none, for the sake of poolers, which this connection does without.
PREPARED_AFTER = 5

# `idle_in_transaction_session_timeout` (`csms.settings`) ends most of them. Whoever is in the middle of a COPY, of a pipeline or
# of a result is not idle to PostgreSQL, whatever its client does. Who holds a row has a transaction's number.
FROZEN = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = ANY(%s) AND pid <> pg_backend_pid()
  AND backend_xid IS NOT NULL AND wait_event IN ('ClientRead', 'ClientWrite') AND state_change < now() - make_interval(secs => %s)
"""
TAKES_WRITES = "SELECT NOT pg_is_in_recovery() AND NOT current_setting('transaction_read_only')::bool"


def own_connection() -> None:
    """This thread's connection is none of the pool's, whose attempts to connect come at ever longer intervals."""
    options = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "pool"}
    options["options"] = f"{options['options']} -c lock_timeout={LOCK_S}s"
    own = {"application_name": APPLICATION, "prepare_threshold": PREPARED_AFTER}
    connection.settings_dict = connection.settings_dict | {"OPTIONS": options | own}


def cut(raw: "psycopg.Connection[Any]") -> None:
    """Break a connection under whoever waits for it on another thread: they get an error instead of an answer."""
    with contextlib.suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(raw.fileno())) as broken:
        broken.shutdown(socket.SHUT_RDWR)


def message_at_fault(error: BaseException) -> bool:
    """What psycopg counts among the database's failures, but comes again with the message: a row too long for its index."""
    return (getattr(error, "sqlstate", None) or "").startswith("54")


def end_frozen() -> int:
    """End the transactions of processes that have fallen silent in the middle of one. Returns how many."""
    connection.ensure_connection()
    # Ours all: web processes, whose stations have moved here, and their pages; jobs; shells.
    names = [APPLICATION, settings.DATABASES["default"]["OPTIONS"]["application_name"]]
    return len(connection.connection.execute(FROZEN, (names, FROZEN_S)).fetchall())
