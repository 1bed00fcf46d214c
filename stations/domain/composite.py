"""What a station may draw, from all that limits it: the composite schedule (OCPP 2.0.1 K01 and K08, 1.6 3.13).

Pure. Of each purpose the profile with the highest stack level prevails that is valid and has a period at that moment; a TxProfile
stands in place of the TxDefaultProfile; of what remains for the station, the session and from others the lowest counts.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from stations.domain.chargingprofiles import EXTERNAL, RECURRENCIES, STATION_MAX, TX, TX_DEFAULT, Period, Profile, Schedule

#: Where nothing else is known: what an AC station has, and the default of `numberPhases` (OCPP 2.0.1 ChargingSchedulePeriodType).
VOLTS, PHASES = Decimal(230), 3
#: Differences below this are rounding: A, and a share of a power in W.
ROUNDED_A, ROUNDED_SHARE = Decimal("0.5"), Decimal("0.02")
#: Moments looked at, at most.
MOST = 20_000


@dataclass(frozen=True, slots=True)
class Held:
    """A profile at its place (EVSE 0: the whole station). `since`: when it was set, from which one without a start runs."""

    evse: int
    profile: Profile
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A transaction that runs on an EVSE."""

    transaction: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start_s` on at most `limit`, in A per phase or W in all. None: nothing limits it."""

    start_s: int
    limit: Decimal | None
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """All that limits a station. `sessions` by EVSE; `evses` are the numbers that it has.

    `volts`: between a phase and neutral, by which A and W are converted; `volts_from`: "settings" or "measured", as the station
    told it, "" where it is assumed. `caps`: what its EVSEs can do at most, which is no limit that anybody set (see `with_caps`).
    `phases`: in how many each EVSE delivers, where that is known; 0 is direct current.
    """

    held: tuple[Held, ...]
    sessions: dict[int, Session]
    evses: tuple[int, ...]
    volts: Decimal = VOLTS
    volts_from: str = ""
    caps: tuple[Held, ...] = ()
    phases: Mapping[int, int] = field(default_factory=dict)

    def with_caps(self, unit: str) -> "Limits":
        """The same, never more than the hardware can do, for schedules in this unit. What delivers direct current has no phases by
        which its own limits could be converted."""
        fitting = [one for one in self.caps if one.profile.schedules[0].unit == unit or self.phases.get(one.evse) != 0]
        return replace(self, held=(*self.held, *fitting), caps=())

    def at(self, evse: int, moment: datetime, unit: str, now: datetime) -> tuple[Decimal | None, int | None]:
        """The limit of an EVSE (0: of the station, whose grid connection carries the sum) at a moment, with its phases."""
        if evse:
            return _lowest(self._own(evse, moment, unit, now), self._of_purpose((STATION_MAX,), evse, (0,), moment, unit, None))
        whole = [
            self._of_purpose((STATION_MAX,), 0, (0,), moment, unit, None),
            self._external(0, (0,), moment, unit),
        ]
        each = [self._own(number, moment, unit, now, whole=False)[0] for number in self.evses]
        if each and all(one is not None for one in each):
            whole.append((sum((one for one in each if one is not None), Decimal(0)), None))
        return _lowest(*whole)

    def _own(
        self, evse: int, moment: datetime, unit: str, now: datetime, *, whole: bool = True
    ) -> tuple[Decimal | None, int | None]:
        """What limits the EVSE itself; `whole`: with what others demand of the whole station."""
        session = self.sessions.get(evse)
        anchor = session.started_at if session else now
        found: tuple[Decimal | None, int | None] = (None, None)
        if session is not None:
            found = self._of_purpose((TX,), evse, (evse,), moment, unit, anchor, session.transaction)
        if found[0] is None:
            found = self._of_purpose((TX_DEFAULT,), evse, (evse, 0), moment, unit, anchor)
        return _lowest(found, self._external(evse, (evse, 0) if whole else (evse,), moment, unit))

    def _of_purpose(
        self,
        purposes: Sequence[str],
        evse: int,
        evses: Sequence[int],
        moment: datetime,
        unit: str,
        anchor: datetime | None,
        transaction: str | None = None,
    ) -> tuple[Decimal | None, int | None]:
        """What those of `evses` say of `evse`."""
        best: tuple[tuple[int, int], Schedule, Period] | None = None
        for held in self.held:
            profile = held.profile
            if profile.purpose not in purposes or held.evse not in evses:
                continue
            if transaction is not None and profile.transaction not in (None, transaction):
                continue
            found = at(profile, moment, anchor or held.since)
            # Its own EVSE's before that of all.
            rank = (profile.stack_level, held.evse)
            if found is not None and (best is None or rank > best[0]):
                best = (rank, *found)
        return (None, None) if best is None else (self.converted(best[1].unit, best[2], unit, evse), best[2].phases)

    def _external(self, evse: int, evses: Sequence[int], moment: datetime, unit: str) -> tuple[Decimal | None, int | None]:
        """Whoever limits the station from outside is heard, each on its own."""
        found = [
            (self.converted(one[0].unit, one[1], unit, evse), one[1].phases)
            for held in self.held
            if held.profile.purpose == EXTERNAL and held.evse in evses and (one := at(held.profile, moment, held.since))
        ]
        return _lowest(*found)

    def converted(self, unit: str, period: Period, wanted: str, evse: int) -> Decimal:
        """A per phase, W in all phases: those that it says, else those in which the EVSE delivers."""
        if unit == wanted:
            return period.limit
        phases = Decimal(period.phases or self.phases.get(evse) or PHASES)
        return period.limit * phases * self.volts if wanted == "W" else period.limit / (phases * self.volts)

    def composite(self, evse: int, start: datetime, duration_s: int, unit: str) -> list[Stretch]:
        """What may be drawn from `start` on, in stretches of one limit each."""
        found: list[Stretch] = []
        for moment in self._moments(start, start + timedelta(seconds=duration_s)):
            limit, phases = self.at(evse, moment, unit, start)
            limit = None if limit is None else limit.quantize(Decimal("0.1"))
            if not found or (found[-1].limit, found[-1].phases) != (limit, phases):
                found.append(Stretch(int((moment - start).total_seconds()), limit, phases))
        return found

    def _moments(self, start: datetime, end: datetime) -> list[datetime]:
        """When something may change."""
        found = {start}
        for held in self.held:
            anchors = {one.started_at for number, one in self.sessions.items() if held.evse in (0, number)}
            for anchor in anchors | {held.since or start, start}:
                for moment in _edges(held.profile, anchor, start, end):
                    if start < moment < end:
                        found.add(moment)
                    if len(found) >= MOST:
                        return sorted(found)
        return sorted(found)


def _lowest(*found: tuple[Decimal | None, int | None]) -> tuple[Decimal | None, int | None]:
    limits = [(one[0], one[1]) for one in found if one[0] is not None]
    return min(limits, key=lambda one: one[0]) if limits else (None, None)


def at(profile: Profile, moment: datetime, anchor: datetime | None) -> tuple[Schedule, Period] | None:
    """The schedule and period of a profile at a moment; None if it says nothing of it. `anchor`: where a Relative one begins."""
    if (profile.valid_from and moment < profile.valid_from) or (profile.valid_to and moment >= profile.valid_to):
        return None
    # Of those that the car may choose from, the first.
    schedule = profile.schedules[0]
    began = (anchor or profile.valid_from or moment) if profile.kind == "Relative" or schedule.start is None else schedule.start
    passed = (moment - began).total_seconds()
    if passed < 0:
        return None
    if profile.kind == "Recurring" and profile.recurrency:
        # What lies behind the next recurrence is not run.
        passed %= RECURRENCIES[profile.recurrency]
    if schedule.duration_s is not None and passed >= schedule.duration_s:
        return None
    before = bisect_right(schedule.periods, passed, key=lambda one: one.start_s)
    return (schedule, schedule.periods[before - 1]) if before else None


def _edges(profile: Profile, anchor: datetime, start: datetime, end: datetime) -> Iterator[datetime]:
    yield from (one for one in (profile.valid_from, profile.valid_to) if one is not None)
    schedule = profile.schedules[0]
    began = anchor if profile.kind == "Relative" or schedule.start is None else schedule.start
    step = RECURRENCIES.get(profile.recurrency or "", 0) if profile.kind == "Recurring" else 0
    offsets = [one.start_s for one in schedule.periods] + ([schedule.duration_s] if schedule.duration_s is not None else [])
    rounds = [began]
    if step:
        past = max(int((start - began).total_seconds() // step), 0)
        first = began + timedelta(seconds=step * past)
        rounds = [first + timedelta(seconds=step * n) for n in range(int((end - start).total_seconds() // step) + 2)]
    for origin in rounds:
        for offset in offsets:
            if not step or offset < step:
                yield origin + timedelta(seconds=offset)


def from_periods(periods: Iterable[Period]) -> list[Stretch]:
    return [Stretch(one.start_s, one.limit, one.phases) for one in periods]


def limit_at(stretches: Sequence[Stretch], second: int) -> Decimal | None:
    before = bisect_right(stretches, second, key=lambda one: one.start_s)
    return stretches[before - 1].limit if before else None


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two schedules part: after so many seconds, what we expect and what the station said."""

    second: int
    ours: Decimal
    theirs: Decimal | None

    @property
    def more(self) -> bool:
        """Whether the station would allow more than it was told to."""
        return self.theirs is None or self.theirs > self.ours


def difference(
    ours: Sequence[Stretch], theirs: Sequence[Stretch], unit: str, duration_s: int, capped: Sequence[Stretch] = ()
) -> Difference | None:
    """The first moment at which the station says something else; one at which it allows more goes first.

    Where nothing of what we know limits it, a station tells what its hardware can do, which is no difference; nor is it where it
    can do less than it was told. `capped`: ours, never more than the hardware can do.
    """
    found = None
    for second in sorted({one.start_s for one in (*ours, *theirs) if one.start_s < duration_s}):
        wanted, said = limit_at(ours, second), limit_at(theirs, second)
        if wanted is None:
            continue
        least = limit_at(capped, second) if capped else wanted
        assert least is not None
        if said is None or not least - _slack(least, unit) <= said <= wanted + _slack(wanted, unit):
            one = Difference(second, wanted, said)
            if one.more:
                return one
            found = found or one
    return found


def _slack(limit: Decimal, unit: str) -> Decimal:
    return ROUNDED_A if unit == "A" else max(limit * ROUNDED_SHARE, Decimal(1))
