"""The course of a session, cut into pieces within which no restriction of a tariff begins or ends to hold.

Moments are exact microseconds since the start, or fractions of them where a level of energy is reached in between.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from billing.tariff.model import Element, InvalidSession, NoCurrent, Restrictions, Sample, Session

SECOND = 1_000_000
MIDNIGHT = time(0)
Number = int | Fraction


@dataclass(frozen=True, slots=True)
class Piece:
    """From one moment (µs since the start) to another, with the energy (Wh since the start) at both and the power between.

    `power_w` None: the average of the two; `current_a` None: not known.
    """

    begin: Number
    end: Number
    begin_wh: Fraction
    end_wh: Fraction
    power_w: Decimal | None = None
    current_a: Decimal | None = None

    @property
    def watts(self) -> Fraction:
        """Power, given or average."""
        if self.power_w is not None:
            return Fraction(self.power_w)
        length = Fraction(self.end) - Fraction(self.begin)
        return (self.end_wh - self.begin_wh) * 3600 * SECOND / length if length else Fraction(0)


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of the place. `moment` of a piece's begin is exact enough to tell what holds: cuts by the clock are whole µs."""

    start: datetime
    zone: ZoneInfo

    def moment(self, at: Number) -> datetime:
        return self.start + timedelta(microseconds=int(at))

    def local(self, at: Number) -> datetime:
        return self.moment(at).astimezone(self.zone)


def clock_of(start: datetime, time_zone: str) -> Clock:
    """Raises InvalidSession for a time zone that does not exist."""
    try:
        return Clock(start, ZoneInfo(time_zone))
    except (KeyError, OSError, ValueError) as error:  # also ZoneInfoNotFoundError, a KeyError
        raise InvalidSession(f"{time_zone[:80]!r} is no time zone: use a name such as Europe/Amsterdam.") from error


def micros(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)


def holds(restrictions: Restrictions, piece: Piece, clock: Clock) -> bool:
    """Whether an element applies during a piece. What it asks of the reservation is not looked at. Raises NoCurrent."""
    r = restrictions
    if (r.min_wh is not None and piece.begin_wh < r.min_wh) or (r.max_wh is not None and piece.begin_wh >= r.max_wh):
        return False
    if (r.min_s is not None and piece.begin < r.min_s * SECOND) or (r.max_s is not None and piece.begin >= r.max_s * SECOND):
        return False
    if (r.min_w is not None and piece.watts < r.min_w) or (r.max_w is not None and piece.watts >= r.max_w):
        return False
    # Last, so that it is asked only where it decides.
    return _within_days(r, piece, clock) and _within_current(r, piece, clock)


def _within_days(r: Restrictions, piece: Piece, clock: Clock) -> bool:
    if not r.by_day and r.start_time is None and r.end_time is None:
        return True
    local = clock.local(piece.begin)
    if r.days and local.weekday() not in r.days:
        return False
    if (r.start_date and local.date() < r.start_date) or (r.end_date and local.date() >= r.end_date):
        return False
    return _within_hours(r, local.time())


def _within_current(r: Restrictions, piece: Piece, clock: Clock) -> bool:
    if r.min_a is None and r.max_a is None:
        return True
    if piece.current_a is None:
        at = clock.moment(piece.begin).isoformat()
        raise NoCurrent(f"It is priced by the current, and that of {at} is not known: no reading says it.")
    return (r.min_a is None or piece.current_a >= r.min_a) and (r.max_a is None or piece.current_a < r.max_a)


def _within_hours(r: Restrictions, now: time) -> bool:
    """00:00 is the end of the day. A window that ends before it starts goes over midnight; an empty one is the whole day."""
    if r.start_time is None and r.end_time is None:
        return True
    begin = r.start_time or MIDNIGHT
    end = r.end_time or MIDNIGHT
    if begin == end:
        return True
    if begin < end:
        return begin <= now < end
    return now >= begin or now < end


def cuts(elements: Iterable[Element], clock: Clock, length: int) -> list[int]:
    """The moments (µs) within the session at which a restriction or a series may begin or end to hold, sorted."""
    found: set[int] = set()
    walls: set[time] = set()
    for element in elements:
        r = element.restrictions
        found |= {seconds * SECOND for seconds in (r.min_s, r.max_s) if seconds is not None}
        walls |= {wall for wall in (r.start_time, r.end_time) if wall is not None}
        if r.by_day or r.start_time is not None or r.end_time is not None:
            walls.add(MIDNIGHT)
        for component in element.components:
            if component.series is not None:
                found |= {micros(at - clock.start) for at in component.series.steps(clock.start, clock.moment(length))}
    if walls:
        found |= _by_the_clock(walls, clock, length)
    return sorted(cut for cut in found if 0 < cut < length)


def _by_the_clock(walls: set[time], clock: Clock, length: int) -> set[int]:
    """When the clock of the place shows these times, and when it is put forward or back."""
    found: set[int] = set()
    day, last = clock.local(0).date(), clock.local(length).date()
    while day <= last:
        for wall in walls:
            for fold in (0, 1):
                shown = datetime.combine(day, wall, clock.zone).replace(fold=fold)
                at = micros(shown.astimezone(clock.start.tzinfo) - clock.start)
                if clock.local(at).replace(tzinfo=None) == shown.replace(tzinfo=None):
                    found.add(at)
        if (jump := _jump(day, clock)) is not None:
            found.add(jump)
        day += timedelta(days=1)
    return found


def _jump(day: date, clock: Clock) -> int | None:
    """The moment of this day at which the clock is put forward or back, if it is."""
    low = micros(datetime.combine(day, MIDNIGHT, clock.zone).astimezone(clock.start.tzinfo) - clock.start)
    high = low + 26 * 3600 * SECOND
    if clock.local(low).utcoffset() == (after := clock.local(high).utcoffset()):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if clock.local(middle).utcoffset() == after:
            high = middle
        else:
            low = middle
    return high


def levels(elements: Iterable[Element]) -> list[Fraction]:
    """The energies (Wh) at which a restriction begins or ends to hold, sorted."""
    limits = (limit for element in elements for limit in (element.restrictions.min_wh, element.restrictions.max_wh))
    return sorted({Fraction(limit) for limit in limits if limit})


def walk(session: Session, times: list[int], wh: list[Fraction], *, by_sample: bool) -> Iterator[Piece]:
    """The pieces of a session between these moments and levels, and with `by_sample` its samples. Raises InvalidSession."""
    length = micros(session.end - session.start)
    at: Number = 0
    at_wh = Fraction(0)
    before: tuple[int, Fraction] = (0, Fraction(0))
    held: tuple[Decimal | None, Decimal | None] = (None, None)
    time_place = wh_place = 0
    for sample in _until_end(session):
        now, now_wh = micros(sample.at - session.start), Fraction(sample.energy_wh)
        marks: list[tuple[Number, Fraction]] = []
        while time_place < len(times) and times[time_place] <= min(now, length):
            cut = times[time_place]
            marks.append((cut, _between(before, (now, now_wh), cut)))
            time_place += 1
        while wh_place < len(wh) and wh[wh_place] <= now_wh:
            level = wh[wh_place]
            reached = before[0] + (level - before[1]) / (now_wh - before[1]) * (now - before[0]) if now_wh > before[1] else now
            if reached > length:
                break
            marks.append((reached, level))
            wh_place += 1
        if now >= length:
            marks.append((length, _between(before, (now, now_wh), length)))
        elif by_sample:
            marks.append((now, now_wh))
        for mark, mark_wh in sorted(marks):
            if mark > at or mark_wh > at_wh:
                yield _piece(at, mark, at_wh, mark_wh, *held)
            at, at_wh = mark, mark_wh
        before, held = (now, now_wh), (sample.power_w, sample.current_a)
        if now > length:
            break
    if not length:
        yield _piece(0, 0, at_wh, at_wh, None, None)


def _piece(
    begin: Number, end: Number, begin_wh: Fraction, end_wh: Fraction, power_w: Decimal | None, current_a: Decimal | None
) -> Piece:
    """Without energy there is no current, though nobody says so."""
    return Piece(begin, end, begin_wh, end_wh, power_w, Decimal(0) if current_a is None and begin_wh == end_wh else current_a)


def _until_end(session: Session) -> Iterator[Sample]:
    """The samples, in order, and the level that is held to the end."""
    before = Sample(session.start, Decimal(0))
    for sample in session.samples:
        if sample.at - session.start < before.at - session.start or sample.energy_wh < before.energy_wh:
            raise InvalidSession(f"The sample of {sample.at.isoformat()} is earlier, or has less energy, than the one before it.")
        yield sample
        before = sample
    if before.at < session.end or before.at == session.start == session.end:
        yield Sample(session.end, before.energy_wh)


def _between(before: tuple[int, Fraction], after: tuple[int, Fraction], at: Number) -> Fraction:
    """The energy at a moment, linear between two readings."""
    if at >= after[0]:
        return after[1]
    return before[1] + (after[1] - before[1]) * Fraction(at - before[0]) / (after[0] - before[0])
