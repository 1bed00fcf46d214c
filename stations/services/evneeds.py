"""What cars that speak ISO 15118 need, and the schedules they choose (OCPP 2.0.1 K15-K17).

A car that tells its needs is offered a TxProfile at once, as much as it takes of what is allowed; one whose session is not known
yet waits for it, for as long as the car does.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

import structlog

from stations.batch import Batch, of_one
from stations.domain import composite
from stations.domain.chargingprofiles import INT32, MOST_PERIODS, TX, Period, Profile, Schedule
from stations.domain.command import BadCommand
from stations.domain.commands import SetChargingProfile
from stations.domain.composite import Limits
from stations.domain.events import EvNeedsReported, EvScheduleAnswered, EvScheduleReported, NeedsAnswered, NeedsVerdict
from stations.domain.values import ConnectorStatus, Note, Severity
from stations.limits import Known, full, units_of, whole
from stations.lookups import LimitsNeed
from stations.models import Command, EvChargingNeeds, EvChargingSchedule, NeedsState
from stations.state import StationState, TransactionState

#: So long a car waits for its schedule (OCPP 2.0.1 K15).
WITHIN = timedelta(seconds=60)
#: A car that chose too much is offered a schedule anew at most so often.
AGAIN = timedelta(seconds=60)
LOOKED_AHEAD_S = 86_400
#: Ids of the profiles made here: apart from those of commands, the same for a session each time, so that one replaces the other.
FIRST_ID, IDS = 1_000_000_000, 1_000_000_000
OFFERED = "What the car at this plug may draw, of what it said it needs."
#: States of a plug at which somebody is there.
THERE = (ConnectorStatus.PREPARING, ConnectorStatus.CHARGING, ConnectorStatus.SUSPENDED_EV, ConnectorStatus.SUSPENDED_EVSE)
NOTHING = Known(Limits((), {}, ()))

log = structlog.get_logger(__name__)


def reported_needs(event: Any, station: StationState) -> list[LimitsNeed]:
    return [LimitsNeed(station.id)]


def reported(event: EvNeedsReported, batch: Batch) -> NeedsAnswered:
    """A car says what it needs: it is sent a schedule within 60 s, if its session runs; else as soon as that is known."""
    station = batch.station
    if event.evse not in station.evses:
        detail = f"A car at EVSE {event.evse} tells what it needs, but no such EVSE is known."
        batch.note(Note("evse_impossible", str(event.evse), detail, Severity.WARNING))
        return NeedsAnswered(NeedsVerdict.REJECTED)
    running = station.open_on(event.evse)
    verdict, state = NeedsVerdict.REJECTED, NeedsState.REJECTED
    known = batch.lookups.limits.get(station.id)
    if known and known.said.get("enabled", "").lower() == "false":
        pass  # it takes no profiles at all
    elif _most(event.needs) is not None and running:
        if _offer(batch, event.evse, running[-1], event.mode, event.needs):
            verdict, state = NeedsVerdict.ACCEPTED, NeedsState.OFFERED
    elif _most(event.needs) is not None and _awaited(station, event.evse):
        verdict, state = NeedsVerdict.PROCESSING, NeedsState.WAITING
    batch.add(
        EvChargingNeeds,
        operator_id=station.operator_id,
        station_id=station.id,
        evse_number=event.evse,
        ocpp_transaction_id=running[-1].ocpp_id if running else "",
        mode=event.mode,
        departure_at=event.departure_at,
        schedules_taken=None if event.schedules_taken is None else min(max(event.schedules_taken, 0), INT32),
        needs=event.needs,
        answer=verdict.value,
        state=state.value,
        received_at=batch.now,
        offered_at=batch.now if state is NeedsState.OFFERED else None,
    )
    batch.touch()
    return NeedsAnswered(verdict)


def _awaited(station: StationState, evse: int) -> bool:
    """Whether a session may begin there at any moment."""
    if any(one.kind == "remote_start" and one.params.get("evse") in (None, evse) for one in station.awaiting):
        return True
    return any(one.status in THERE for one in station.evses[evse].connectors.values())


def schedule_reported(event: EvScheduleReported, batch: Batch) -> EvScheduleAnswered:
    """Keep what a car chose. If it is above what is allowed, it is offered a schedule anew (OCPP 2.0.1 K16)."""
    station = batch.station
    try:
        schedule = Schedule.of(event.schedule, strict=False)
    except BadCommand:
        return EvScheduleAnswered(understood=False)
    if event.evse not in station.evses:
        return EvScheduleAnswered(understood=False)
    start, known = event.at or batch.now, batch.lookups.limits.get(station.id)
    running = station.open_on(event.evse)
    allowed = (known or NOTHING).limits
    above = _above(allowed, event.evse, schedule, start)
    batch.add(
        EvChargingSchedule,
        operator_id=station.operator_id,
        station_id=station.id,
        evse_number=event.evse,
        ocpp_transaction_id=running[-1].ocpp_id if running else "",
        start_at=start,
        schedule=event.schedule,
        exceeds=above is not None,
        received_at=batch.now,
    )
    if above is not None:
        detail = f"The car at EVSE {event.evse} chose {above[0]} {schedule.unit} after {above[2]} s, where {above[1]} is allowed."
        batch.note(Note("ev_schedule_above", f"EVSE {event.evse}", detail, Severity.WARNING))
        offered = known.offered.get(event.evse) if known else None
        if running and (offered is None or offered < batch.now - AGAIN):
            _again(batch, event.evse, running[-1], schedule)
    batch.touch()
    return EvScheduleAnswered(understood=True)


def _above(allowed: Limits, evse: int, schedule: Schedule, start: datetime) -> tuple[Decimal, Decimal, int] | None:
    """Chosen, allowed, and after how many seconds, where a schedule first is above what is allowed."""
    duration = min(schedule.duration_s or LOOKED_AHEAD_S, LOOKED_AHEAD_S)
    ours = allowed.composite(evse, start, max(duration, 1), schedule.unit)
    theirs = composite.from_periods(schedule.periods)
    for second in sorted({one.start_s for one in (*ours, *theirs) if 0 <= one.start_s < duration}):
        most, chosen = composite.limit_at(ours, second), composite.limit_at(theirs, second)
        slack = composite.ROUNDED_A if schedule.unit == "A" else Decimal(1)
        if most is not None and chosen is not None and chosen > most + slack:
            return chosen, most, second
    return None


def _again(batch: Batch, evse: int, running: TransactionState, schedule: Schedule) -> None:
    highest = max((one.limit for one in schedule.periods), default=Decimal(0))
    mode, name = ("DC", "max_w") if schedule.unit == "W" else ("AC", "max_a")
    if not _offer(batch, evse, running, mode, {name: int(highest)}):
        return
    batch.cursor.execute(
        "UPDATE stations_evchargingneeds SET offered_at = %s WHERE station_id = %s AND evse_number = %s",
        (batch.now, batch.station.id, evse),
    )


def _offer(batch: Batch, evse: int, running: TransactionState, mode: str, needs: dict[str, int]) -> bool:
    """Send the TxProfile that the car may have, unless the station has no room for one more: then there is a finding."""
    known = (batch.lookups.limits.get(batch.station.id) or NOTHING).then()
    profile = offer(known, evse, running, mode, needs, batch.now)
    if (most := full(known.said, known.ours, profile.id)) is not None:
        detail = f"The car at EVSE {evse} was offered nothing: the station holds {most} charging profiles, and takes no more."
        batch.note(Note("charging_profiles_full", f"EVSE {evse}", detail, Severity.WARNING))
        return False
    command = SetChargingProfile(evse, profile.plain())
    batch.add(
        Command,
        operator_id=batch.station.operator_id,
        station_id=batch.station.id,
        kind=command.kind,
        params=command.params(),
        reason=OFFERED,
        created_at=batch.now,
        expires_at=batch.now + WITHIN,
    )
    batch.errands.add(batch.station.id)
    return True


def offer(known: Known, evse: int, running: TransactionState, mode: str, needs: dict[str, int], now: datetime) -> Profile:
    """As much as the car takes of what is allowed, from now on, as the station takes it (OCPP 2.0.1 K01).

    A TxProfile that somebody set for the session is heard and replaced, so what it allows stays the most; one whose number cannot
    be ours is outranked.
    """
    allowed = known.limits
    mine = FIRST_ID + running.id % IDS
    others = [one for one in allowed.held if not (one.profile.purpose == TX and one.profile.id == mine)]
    set_before = [one.profile for one in others if one.profile.purpose == TX and one.evse == evse]
    most = _most(needs) or {}
    unit = "W" if "A" not in most or (mode == "DC" and "W" in most) else "A"
    phases = {"AC_single_phase": 1, "AC_two_phase": 2}.get(mode)
    units = units_of(known.said)
    if units and unit not in units:
        told, unit = unit, units[0]
        most.setdefault(unit, allowed.converted(told, Period(0, most[told], phases), unit, evse))
    limits = replace(allowed, held=tuple(others)).with_caps(unit)
    takes = most.get(unit)
    periods: list[Period] = []
    for one in limits.composite(evse, now, LOOKED_AHEAD_S, unit):
        both = [limit for limit in (takes, one.limit) if limit is not None]
        limit = min(both).quantize(Decimal("0.1"), ROUND_DOWN)
        if not periods or periods[-1].limit != limit:
            periods.append(Period(one.start_s, limit, phases if unit == "A" else None))
    schedule = Schedule(unit, _fitting(periods, whole(known.said.get("periods"))), start=now.replace(microsecond=0))
    top = max(set_before, key=lambda one: one.stack_level, default=None)
    level, number = (top.stack_level, top.id) if top else (0, None)
    if number is None or number < 1:
        level, number = level + 1 if top else 0, mine
    highest = whole(known.said.get("stack"))
    return Profile(
        TX, "Absolute", level if highest is None else min(level, highest), (schedule,), number, transaction=running.ocpp_id
    )


def _fitting(periods: list[Period], most: int | None) -> tuple[Period, ...]:
    """No more than the station takes in a schedule: the last is the lowest of those that have no place."""
    most = min(max(most or MOST_PERIODS, 1), MOST_PERIODS)
    if len(periods) <= most:
        return tuple(periods)
    last = periods[most - 1]
    return (*periods[: most - 1], replace(last, limit=min(one.limit for one in periods[most - 1 :])))


def _most(needs: dict[str, int]) -> dict[str, Decimal] | None:
    """The most it takes, in A and W; None if it told nothing that makes sense."""
    current, volts, power = needs.get("max_a"), needs.get("max_v"), needs.get("max_w")
    if any(one is not None and not 0 <= one <= 10_000_000 for one in needs.values()) or (current is None and power is None):
        return None
    found = {}
    if current is not None:
        found["A"] = Decimal(current)
    if power is not None:
        found["W"] = Decimal(power)
    elif current is not None and volts is not None:
        found["W"] = min(Decimal(current) * volts, Decimal(10_000_000))
    return found


def sweep(*, now: datetime) -> int:
    """Offer schedules to cars whose session was not known yet, and end the waiting of those that waited too long."""
    waiting = EvChargingNeeds.objects.filter(state=NeedsState.WAITING).order_by("received_at")[:500]
    done = 0
    for row in waiting:
        try:
            done += _met(row, now)
        except Exception:
            # It is tried again until it is too late.
            log.exception("a car could not be offered a schedule", needs=row.pk, station=row.station_id)
    return done


def _met(row: EvChargingNeeds, now: datetime) -> int:
    state = NeedsState.LATE if row.received_at is None or row.received_at < now - WITHIN else None
    if state is None:
        with of_one(row.station_id, now=now) as batch:
            running = batch.station.open_on(row.evse_number)
            if running:
                batch.look_up([LimitsNeed(row.station_id)])
                offered = _offer(batch, row.evse_number, running[-1], row.mode, row.needs)
                state = NeedsState.OFFERED if offered else NeedsState.REJECTED
    if state is None:
        return 0
    left = EvChargingNeeds.objects.filter(pk=row.pk, state=NeedsState.WAITING, received_at=row.received_at)
    return left.update(state=state, **({"offered_at": now} if state is NeedsState.OFFERED else {}))
