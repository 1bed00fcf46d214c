"""The batch thread's side of the doors: comings and goings of a moment as one transaction, tried again as messages are."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import psycopg
import structlog
from django.conf import settings

from csms.ocpp import doors, faults, meters
from csms.ocpp.database import Database
from csms.ocpp.doors import Arrival, Attended, Departure, Door, SignsOfLife
from csms.ocpp.faults import AWAY, PASSING, RETRIES
from csms.ocpp.results import Results
from stations.services.connections import Refused
from stations.state import StationState

log = structlog.get_logger(__name__)

AWAY_NOW = Refused(503, "database_away", "The system could not reach its database.")
FAULT = Refused(503, "internal_error", "The system failed to admit the station.")


class Doorkeeper(Database):
    """`held_doors`: by station, who has to wait because somebody has its rows locked. All are tried again in the next round."""

    deliver: Callable[[Results], None]
    states: dict[int, StationState]

    def __init__(self) -> None:
        super().__init__()
        self.held_doors: list[tuple[int, Arrival | Departure]] = []

    def _doors(self, items: Sequence[Door], *, alone: bool = False) -> None:
        """Arrivals, departures, signs of life and refusals, each kind in a statement or two; `alone`: one that was in the way."""
        attempts = 0
        while True:
            try:
                attended = self._attempt_doors(items, alone=alone)
            except tuple(PASSING) as error:
                meters.TROUBLES.add(PASSING[type(error)])
                attempts += 1
                if attempts <= RETRIES:
                    continue
                trouble: Exception = error
            except AWAY as error:
                if not isinstance(error, psycopg.errors.LockNotAvailable):
                    # Whoever knocks now is not kept waiting for a database that is away.
                    self._turn_away(items, AWAY_NOW)
                    items = [item for item in items if isinstance(item, Departure | SignsOfLife)]
                    if not items or not self._wait_for_database(error):
                        return
                    continue
                trouble = error
            except Exception as error:
                trouble = error
            else:
                self.held_doors += attended.held
                if attended.verdicts:
                    self.deliver(Results(verdicts=list(attended.verdicts)))
                return
            if len(items) == 1:
                return self._in_the_way(items[0], trouble)
            log.warning("comings and goings failed and are attended to one by one", error=str(trouble)[:200])
            for item in items:
                self._doors([item], alone=True)
            return

    def _in_the_way(self, item: Door, trouble: Exception) -> None:
        """It failed alone. Who has gone has gone, as soon as nobody has something of the station locked; the others come again."""
        passes = isinstance(trouble, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected)
        if not passes:
            log.error("an arrival or a departure failed", exc_info=trouble)
        if passes and isinstance(item, Departure):
            self.held_doors.append((item.station_id, item))
        self._turn_away([item], AWAY_NOW if passes else FAULT)

    def _turn_away(self, items: Sequence[Door], refused: Refused) -> None:
        if verdicts := [(item.token, refused) for item in items if isinstance(item, Arrival)]:
            self.deliver(Results(verdicts=list(verdicts)))

    def _attempt_doors(self, items: Sequence[Door], *, alone: bool = False) -> Attended:
        cursor = self._cursor()
        now = datetime.now(UTC)
        if settings.ACCEPT_UNKNOWN:
            doors.register_unknown(cursor, items)
        cursor.execute("BEGIN")
        try:
            if alone:
                cursor.execute(faults.BE_BRIEF)
            attended = doors.attend(cursor, items, node=settings.NODE, now=now)
            cursor.execute("COMMIT")
        except BaseException:
            self._roll_back(cursor)
            raise
        self._worked()
        # A state is loaded after its take-over, by the first batch: what an older socket's process wrote is in it.
        for station_id in attended.forgotten:
            self.states.pop(station_id, None)
        attended.ring()
        return attended
