"""What to think of a station's clock. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from stations.domain.values import Note, Severity

#: No station spoke OCPP before; clocks that were never set say 1970 or 2000.
EARLIEST = datetime(2012, 1, 1, tzinfo=UTC)
#: A clock this far ahead is wrong by more than a zone.
LATEST_AHEAD = timedelta(hours=26)
#: Off by more than this is worth a finding (OCPP 1.6 4.6 wants clocks synchronised by the heartbeat), and is corrected.
TOLERANCE = timedelta(minutes=5)
#: Stands for a time that could not be read: it says nothing of the clock.
UNSET = datetime(1970, 1, 1, tzinfo=UTC)

#: A message that came so soon after its time shows a clock that is right.
FRESH = timedelta(seconds=30)
#: Messages on their way take this differently long at most; beyond it two estimates are not the same.
AGREE = timedelta(seconds=10)
#: That a clock is behind is believed of so many messages that agree, spread over so long: a queue that is emptied looks different.
ENOUGH, SPREAD = 3, timedelta(seconds=60)
#: What was supposed of a clock and not confirmed within this is supposed no more. Stations sample every 15 minutes at the rarest.
SUPPOSED_FOR = timedelta(hours=4)
#: The estimate is worth writing down when it has moved by this.
NOTICEABLE = timedelta(seconds=5)


@dataclass(slots=True)
class Clock:
    """What a station's clock is off by (positive: ahead of ours), estimated from what it says and when that comes.

    `at - received_at` of a message is the offset less the time it was under way, and nothing arrives before it was sent. So
    of several values the greatest is the best. But a late message looks like a clock that is behind, and one that is garbled like
    any clock: what is not as good as now is believed when several messages agree on it over a while, as a queue that is emptied
    and a slip of the pen do not.

    `told`: the estimate as it was last written down. `supposed`: what may be the offset, since when, of how many messages, and the
    `best` of those. They agree with the first: each with the one before would be a queue of readings a few seconds apart.
    `restarted`: the station has booted since, and may have set its clock. `newest`: the latest time it said that cannot be;
    `stuck`: it says the same again and again.
    """

    offset: timedelta | None = None
    told: timedelta | None = None
    supposed: timedelta | None = None
    best: timedelta | None = None
    since: datetime | None = None
    agreed: int = 0
    restarted: bool = False
    newest: datetime | None = None
    stuck: bool = False

    def heard(self, at: datetime, received_at: datetime) -> bool:
        """Learn from one message. True if the estimate has moved so far that it is worth writing down."""
        seen = at - received_at
        known = self.offset
        if at < EARLIEST:
            self.stuck = at == self.newest
            if self.newest is None or at > self.newest:
                self.newest = at
        if known is not None and -AGREE <= seen - known <= AGREE:
            self.supposed, self.restarted = None, False
            if seen <= known:
                return False
        elif known is not None and known < seen <= FRESH:
            pass  # nothing arrives before it was sent: it is not as far behind as it was taken for
        elif abs(seen) <= FRESH and (known is None or self.restarted):
            pass  # what is as good as now is now; less than was known it may be after a boot, with which a clock is set
        elif not self._confirmed(seen, received_at):
            return False
        else:
            assert self.best is not None
            seen = self.best
        self.offset, self.supposed, self.restarted = seen, None, False
        if self.told is not None and abs(seen - self.told) < NOTICEABLE:
            return False
        self.told = seen
        return True

    def _confirmed(self, seen: timedelta, received_at: datetime) -> bool:
        """Whether enough messages agree that the clock is not what was known of it."""
        old = self.since is None or received_at - self.since > SUPPOSED_FOR
        if self.supposed is None or self.best is None or old or seen > self.supposed + AGREE:
            self.supposed, self.best, self.since, self.agreed = seen, seen, received_at, 1
        elif seen >= self.supposed - AGREE:
            self.best, self.agreed = max(self.best, seen), self.agreed + 1
        assert self.since is not None
        return self.agreed >= ENOUGH and received_at - self.since >= SPREAD

    def booted(self) -> bool:
        """The station restarts, and sets its clock by our answer, if it can. True if what was known of it is void."""
        self.restarted, self.supposed, self.newest, self.stuck = True, None, None, False
        if self.offset is None or abs(self.offset) <= LATEST_AHEAD:
            return False
        # A clock that counts from its start began anew.
        self.offset = self.told = None
        return True

    def corrected(self, at: datetime, received_at: datetime) -> datetime | None:
        """The time that the station meant, if its clock is known to be off and that makes sense of it."""
        off = self.offset if self.offset is not None and abs(self.offset) > TOLERANCE else None
        if at < EARLIEST:
            # Wrong by years: no delay explains it, so one message is enough to count from. One that stands still tells nothing.
            off = None if self.stuck else off or (self.supposed and self.best)
        right = at - off if off is not None else None
        return right if right is not None and EARLIEST <= right <= received_at + TOLERANCE else None


def absurd(at: datetime, received_at: datetime) -> bool:
    """No delay and no zone explains such a time."""
    return at < EARLIEST or at > received_at + LATEST_AHEAD


def believed(at: datetime | None, received_at: datetime, notes: list[Note], clock: Clock | None = None) -> datetime:
    """The time to store for something that happened `at` by the station's clock.

    The past is believed, since messages wait while a station is offline, unless its clock is known to be off by more than five
    minutes: then the time is corrected. An unset or absurd clock is replaced by the time of receipt where nothing better is
    known. Whatever is not stored as it came leaves a note.
    """
    if at is None:
        return received_at
    ahead = at - received_at
    if -TOLERANCE <= ahead <= TOLERANCE:
        return at
    right = clock.corrected(at, received_at) if clock is not None and at != UNSET else None
    if absurd(at, received_at):
        used = "the time of receipt" if right is None else f"{_text(right)}, counted from what it said before,"
        notes.append(
            Note("clock_absurd", "", f"The station's clock says {at.isoformat()}; {used} was used instead.", Severity.WARNING)
        )
        return received_at if right is None else right
    if ahead > TOLERANCE:
        if right is None and clock is not None:
            right = received_at  # nothing arrives before it was sent
        used = "" if right is None else f"; {_text(right)} was used instead"
        detail = f"The station's clock says {at.isoformat()}, which is in the future{used}."
        notes.append(Note("clock_ahead", "", detail, Severity.WARNING))
        return at if right is None else right
    if right is not None:
        code = "clock_behind" if right > at else "clock_ahead"
        detail = f"The station's clock is off: it says {at.isoformat()}, and {_text(right)} was used instead."
        notes.append(Note(code, "", detail, Severity.WARNING))
        return right
    return at


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
