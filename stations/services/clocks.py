"""The stations' clocks: what they are off by, and what time it was when they say it was.

Estimated in memory from every live message (see `stations.domain.times.Clock`) and written to the station's row only when it has
moved noticeably. A transaction keeps the offset it began with (`station_started_at` less `started_at`), so that its duration and
the order of its samples hold, and a message that is sent again gets the same time again, whatever the estimate is by then.
"""

from datetime import datetime, timedelta

from stations.batch import Batch
from stations.domain.times import EARLIEST, TOLERANCE, UNSET, absurd, believed
from stations.domain.values import Note
from stations.models import Station
from stations.state import TransactionState


def heard(batch: Batch, at: datetime | None, *, live: bool = True) -> None:
    """Learn from the time a message says. `live` False: the station says itself that it waited."""
    if at is None or not live or at == UNSET or batch.frame is None:
        return
    station = batch.station
    if station.clock.heard(at, batch.frame.received_at):
        _keep(batch)


def booted(batch: Batch) -> None:
    if batch.station.clock.booted():
        _keep(batch)


def _keep(batch: Batch) -> None:
    offset = batch.station.clock.told
    at = batch.frame.received_at if batch.frame else batch.now
    seconds = None if offset is None else round(offset.total_seconds())
    batch.change(Station, batch.station.id, clock_offset_s=seconds, clock_offset_at=at)


def time_of(batch: Batch, at: datetime | None, notes: list[Note]) -> datetime:
    """When something happened that the station says happened `at`."""
    return believed(at, received_at(batch), notes, batch.station.clock)


def time_in(batch: Batch, transaction: TransactionState, at: datetime, notes: list[Note]) -> datetime:
    """The same within a transaction: by its own offset, as long as that makes sense."""
    received = received_at(batch)
    if transaction.station_started_at is None and EARLIEST <= at <= received:
        return at  # as most are
    offset = offset_of(transaction)
    # A clock that says the same as at the start, and cannot be right, stands still.
    stuck = absurd(at, received) and (batch.station.clock.stuck or at == transaction.station_started_at)
    if at != UNSET and not stuck:
        right = at - offset if offset else at
        if EARLIEST <= right <= received + TOLERANCE:
            return right
    return believed(at, received, notes, batch.station.clock)


def offset_of(transaction: TransactionState) -> timedelta:
    """What the clock was off by when the transaction began, as far as it was known."""
    if transaction.station_started_at is None:
        return timedelta(0)
    return transaction.station_started_at - transaction.started_at


def moved(transaction: TransactionState, said: datetime, at: datetime) -> datetime | None:
    """When a transaction began after all, if its end shows that its start was taken for later than it was.

    By a clock that was never set the first message of a queue seems to be of now, and so does the last: what lies between them is
    right, and the end is nearest to now.
    """
    began = transaction.station_started_at
    if began is None or said == UNSET or not began < said < EARLIEST or offset_of(transaction) == said - at:
        return None
    return at - (said - began)


def raw(said: datetime, at: datetime) -> datetime | None:
    """What to keep beside a time: the one the station said, if it is another."""
    return None if said in (at, UNSET) else said


def received_at(batch: Batch) -> datetime:
    return batch.frame.received_at if batch.frame else batch.now
