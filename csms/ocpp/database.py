"""The batch thread's side of the database: when it fails or falls silent, and how it is waited for (see `faults`)."""

import threading
import time
from typing import Any

import psycopg
import structlog
from django.db import connection

from csms import troubles
from csms.ocpp import faults, meters
from csms.ocpp.faults import AWAY

log = structlog.get_logger(__name__)

BACKOFF_S = (0.05, 0.1, 0.2, 0.5, 1.0)
#: A database that could be reached and failed all the same is away after so many failures in a row.
SETBACKS = 5
#: The database is away when it has not finished anything for so long, and its connection is cut after so long.
STUCK_S, CUT_S = 10.0, 20.0
#: Whoever has the rows of stations locked is looked for this often, once that lasts too long.
LOOK_PAUSE_S = 2.0
IDENTITIES = "SELECT identity FROM stations_station WHERE id = ANY(%s)"


class Database:
    """What the batch thread needs of the database, and the event loop must know of it."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        #: Since when the database has failed (monotonic seconds), or None.
        self.degraded_since: float | None = None
        #: Since when the present work with it goes on, or None.
        self.busy_since: float | None = None
        #: How often in a row it could be reached and failed all the same.
        self.setbacks = 0
        #: Since when somebody has had the rows of a station locked, and when who that is was last looked for (monotonic seconds).
        self.held_since: dict[int, float] = {}
        self.looked = 0.0
        self.raw: Any = None

    # For the event loop

    @property
    def away_since(self) -> float | None:
        """Since when the database has not answered (monotonic seconds): it fails, or it has fallen silent."""
        if self.degraded_since is not None:
            return self.degraded_since
        busy = self.busy_since
        return busy if busy is not None and time.monotonic() - busy > STUCK_S else None

    def watch(self, now: float) -> None:
        """Cut the connection to a database that has fallen silent: a host that is gone closes nothing."""
        busy = self.busy_since
        if busy is not None and now - busy > CUT_S and self.raw is not None:
            log.warning("the database has fallen silent; its connection is cut", after_s=round(now - busy, 1))
            self.busy_since = now
            self._degraded()
            faults.cut(self.raw)

    # For the thread

    def _cursor(self) -> Any:
        self.busy_since = time.monotonic()
        connection.ensure_connection()
        self.raw = connection.connection
        return psycopg.Cursor(connection.connection)

    def _roll_back(self, cursor: Any) -> None:
        try:
            cursor.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()

    def _be_brief(self, cursor: Any) -> None:
        """In this transaction, wait for no lock for long."""
        cursor.execute(faults.BE_BRIEF)

    def _was_committed(self, xid: str | None) -> bool:
        """The fate of a commit whose answer was lost. PostgreSQL knows it by the transaction's number."""
        self._wait_for_database(None)
        while xid is not None and not self.stopping.is_set():
            try:
                row = self._cursor().execute("SELECT pg_xact_status(%s::xid8)", (xid,)).fetchone()
            except psycopg.errors.InvalidParameterValue:
                return False  # from the future: another server has taken over without it
            except (psycopg.Error, *AWAY):
                self._wait_for_database(None)
                continue
            if row is not None and row[0] != "in progress":
                return bool(row[0] == "committed")
            self.stopping.wait(0.05)
        return False

    def _wait_for_database(self, error: BaseException | None) -> bool:
        """Wait until the database answers and takes writes. False: the process ends meanwhile."""
        self.busy_since = None
        if error is not None:
            log.warning("the database failed; waiting for it", error=str(error).strip()[:200])
            self.setbacks += 1
        attempt = 0
        while not self.stopping.is_set() or attempt == 0:
            if not self._answers():
                self._degraded()
                self.stopping.wait(BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)])
                attempt += 1
                continue
            if self.setbacks > SETBACKS:
                # It answers, and fails all the same: a full disk, say. Away, until something is committed.
                self._degraded()
                self.stopping.wait(BACKOFF_S[-1])
            elif self.degraded_since is not None:
                self._recovered()
            return not self.stopping.is_set() or attempt == 0
        return False

    def _answers(self) -> bool:
        """Whether the database can be reached anew, and takes what is written. A standby does not."""
        self.busy_since = time.monotonic()
        try:
            connection.close()
            connection.ensure_connection()
            self.raw = connection.connection
            row = self.raw.execute(faults.TAKES_WRITES).fetchone()
        except (psycopg.Error, *AWAY):
            return False
        finally:
            self.busy_since = None
        return bool(row[0])

    def _degraded(self) -> None:
        if self.degraded_since is None:
            self.degraded_since = time.monotonic()
            troubles.began(troubles.DATABASE, "batches")

    def _worked(self) -> None:
        """Something was committed."""
        if self.setbacks or self.degraded_since is not None:
            self._recovered()

    def _recovered(self) -> None:
        self.setbacks = 0
        if self.degraded_since is not None:
            log.warning("the database is back", after_s=round(time.monotonic() - self.degraded_since, 1))
            self.degraded_since = None
        troubles.ended(troubles.DATABASE, "batches")

    def _look_for_frozen(self, held: set[int]) -> None:
        """`held`: stations whose rows somebody has locked. Who has had them for long and says nothing is ended."""
        now = time.monotonic()
        if new := held - self.held_since.keys():
            meters.TROUBLES.add("held", by=len(new))
        self.held_since = {station_id: self.held_since.get(station_id, now) for station_id in held}
        long = [station_id for station_id, since in self.held_since.items() if now - since > faults.FROZEN_S]
        if not long or now - self.looked < LOOK_PAUSE_S:
            return
        self.looked = now
        try:
            stations = [row[0] for row in self._cursor().execute(IDENTITIES, (long,)).fetchall()]
            log.warning("somebody has rows of stations locked", stations=stations, ended=faults.end_frozen())
        except AWAY as error:
            log.warning("frozen transactions could not be ended", error=str(error).strip()[:200])
            connection.close()
