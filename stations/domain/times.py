"""What to think of a station's clock. Pure."""

from datetime import UTC, datetime, timedelta

from stations.domain.values import Note, Severity

#: No station spoke OCPP before; clocks that were never set say 1970 or 2000.
EARLIEST = datetime(2012, 1, 1, tzinfo=UTC)
#: A clock this far ahead is wrong by more than a zone.
LATEST_AHEAD = timedelta(hours=26)
#: Ahead of us by more than this is worth a finding (OCPP 1.6 4.6 wants clocks synchronised by the heartbeat).
TOLERANCE = timedelta(minutes=5)


def believed(at: datetime | None, received_at: datetime, notes: list[Note]) -> datetime:
    """The time to store for something that happened `at` by the station's clock.

    The past is believed, since messages wait while a station is offline; an unset or absurd clock is replaced by the time of
    receipt; both a replaced time and one more than five minutes ahead leave a note.
    """
    if at is None:
        return received_at
    if at < EARLIEST or at > received_at + LATEST_AHEAD:
        detail = f"The station's clock says {at.isoformat()}; the time of receipt was used instead."
        notes.append(Note("clock_absurd", "", detail, Severity.WARNING))
        return received_at
    if at > received_at + TOLERANCE:
        notes.append(
            Note("clock_ahead", "", f"The station's clock says {at.isoformat()}, which is in the future.", Severity.WARNING)
        )
    return at
