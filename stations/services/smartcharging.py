"""Charging profiles (OCPP 2.0.1 chapter K): what is set, cleared and read, mirrored as the station holds it.

A row is written once the station has accepted; `chargingchecks` says before what it would not. What cars ask for is in `evneeds`.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from django.db import connection

from stations import limits, ports
from stations.batch import Batch
from stations.domain import commands, composite, events
from stations.domain.chargingprofiles import EXTERNAL, INT32, MOST_PERIODS, TX, Profile, number
from stations.domain.commands import BadCommand
from stations.domain.commands.smartcharging import HIGHEST_EVSE
from stations.domain.events import (
    ChargingLimitCleared,
    ChargingLimitReported,
    Done,
    Event,
)
from stations.domain.values import Note, Severity
from stations.flush import Cursor
from stations.lookups import LimitsNeed
from stations.models import ChargingLimit, Command, CompositeSchedule
from stations.services import chargingchecks, chargingreports, evneeds, followups
from stations.services.chargingreports import where
from stations.services.companions import Companion
from stations.services.effects import STARTS_WITHIN, Effect
from stations.services.rules import Rule
from stations.state import StationState

#: The whole station and the first EVSEs: so many are asked after a restart.
MOST_ASKED = 9
AFTER_A_BOOT = "To see which charging profiles are left after a restart."
#: Profiles of sessions that are over, dropped by one run of the sweep.
SWEPT = 5000

# The mirror is changed as soon as the answer is here: set and cleared seldom, so a statement for each will do.
SET = """
INSERT INTO stations_chargingprofile AS p (operator_id, station_id, source, profile_id, evse_number, purpose, kind, stack_level,
    ocpp_transaction_id, remote_start_id, wanted, set_at)
VALUES (%(operator)s, %(station)s, 'CSO', %(id)s, %(evse)s, %(purpose)s, %(kind)s, %(stack)s, %(transaction)s, %(start)s,
    %(wanted)s, %(now)s)
ON CONFLICT (station_id, source, profile_id) DO UPDATE SET evse_number = EXCLUDED.evse_number, purpose = EXCLUDED.purpose,
    kind = EXCLUDED.kind, stack_level = EXCLUDED.stack_level, ocpp_transaction_id = EXCLUDED.ocpp_transaction_id,
    remote_start_id = EXCLUDED.remote_start_id, wanted = EXCLUDED.wanted, set_at = EXCLUDED.set_at, reported = NULL,
    reported_at = NULL, checked_at = NULL, report_id = NULL
"""
#: What stood in its place: in 1.6 whatever has its purpose and stack level (`alone`, 5.16.1); in 2.x what is valid at another time
#: stays beside it, and a station that holds one for the same time would have refused (K01).
REPLACE = """
DELETE FROM stations_chargingprofile WHERE station_id = %(station)s AND source = 'CSO' AND profile_id <> %(id)s
    AND purpose = %(purpose)s AND stack_level = %(stack)s AND evse_number = %(evse)s AND (%(alone)s OR (
        coalesce(coalesce(wanted, reported)->>'valid_to', 'infinity')::timestamptz
            > coalesce(%(from)s, '-infinity'::timestamptz)
        AND coalesce(coalesce(wanted, reported)->>'valid_from', '-infinity')::timestamptz
            < coalesce(%(to)s, 'infinity'::timestamptz)
    ))
"""
#: What a clearing names: never what others demand (OCPP 2.0.1 K10).
CLEAR = """
DELETE FROM stations_chargingprofile WHERE station_id = %(station)s AND purpose <> %(others)s
    AND (%(id)s::int IS NULL OR profile_id = %(id)s) AND (%(evse)s::int IS NULL OR evse_number = %(evse)s)
    AND (%(purpose)s::text IS NULL OR purpose = %(purpose)s) AND (%(stack)s::int IS NULL OR stack_level = %(stack)s)
"""
#: A clearing of which nobody knows whether it was done: what it names is not wanted any more, and may be there still.
UNWANTED = """
UPDATE stations_chargingprofile p SET reported = coalesce(p.reported, p.wanted), wanted = NULL FROM stations_command c
WHERE c.id = %(command)s AND p.station_id = c.station_id AND p.wanted IS NOT NULL AND p.purpose <> %(others)s
    AND coalesce((c.params->>'profile_id')::int = p.profile_id, true) AND coalesce((c.params->>'evse')::int = p.evse_number, true)
    AND coalesce(c.params->>'purpose' = p.purpose, true) AND coalesce((c.params->>'stack_level')::int = p.stack_level, true)
"""
SESSIONS_GONE = "DELETE FROM stations_chargingprofile WHERE station_id = %s AND purpose = 'TxProfile'"
ENDED = """
DELETE FROM stations_chargingprofile WHERE id IN (
    SELECT p.id FROM stations_chargingprofile p WHERE p.purpose = 'TxProfile'
      AND coalesce(p.set_at, p.reported_at) < %(before)s
      AND NOT EXISTS (
        SELECT FROM stations_transaction t WHERE t.station_id = p.station_id AND t.status = 'active'
          AND (t.ocpp_transaction_id = p.ocpp_transaction_id OR t.remote_start_id = p.remote_start_id
               OR (p.ocpp_transaction_id = '' AND t.started_at >= coalesce(p.set_at, p.reported_at) - interval '60 seconds')))
    LIMIT %(most)s)
"""


# Set and cleared


def profile_set(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """The station has answered a SetChargingProfile, or a start with a profile: what it accepted is there now."""
    if change["status"] not in ("confirmed", "accepted") or "profile" not in facts:
        return
    try:
        profile = Profile.of(facts["profile"], strict=False)
    except BadCommand:
        return
    values = {
        "operator": batch.station.operator_id,
        "station": batch.station.id,
        "id": profile.id,
        "evse": facts.get("evse", 0),
        "purpose": profile.purpose,
        "kind": profile.kind,
        "stack": profile.stack_level,
        "transaction": profile.transaction or "",
        "start": facts.get("remote_start_id"),
        "wanted": orjson.dumps(profile.plain()).decode(),
        "now": batch.now,
    }
    when = {"alone": facts.get("alone", False), "from": profile.valid_from, "to": profile.valid_to}
    batch.cursor.execute(REPLACE, values | when)
    batch.cursor.execute(SET, values)
    batch.touch()


def start_answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """With a start goes the profile of its session (OCPP 2.0.1 K05); it is at the EVSE that the start named, if it named one."""
    if "profile" in facts:
        profile_set(batch, command_id, change, facts)


def profiles_cleared(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """The station dropped them; or it says that it has none such (Unknown), which comes to the same."""
    if followups.unheard(change["status"], change.get("error_code", "")):
        batch.cursor.execute(UNWANTED, {"command": command_id, "others": EXTERNAL})
        batch.touch()
    named = facts.get("cleared")
    if named is None or change["status"] not in ("confirmed", "rejected"):
        return
    batch.cursor.execute(
        CLEAR,
        {
            "station": batch.station.id,
            "others": EXTERNAL,
            "id": named["profile_id"],
            "evse": named["evse"],
            "purpose": named["purpose"],
            "stack": named["stack_level"],
        },
    )
    batch.touch()


def clearing_ended(cursor: Cursor, command_id: int, status: str, now: datetime) -> None:
    """It was sent, and its answer was lost."""
    if followups.unheard(status):
        cursor.execute(UNWANTED, {"command": command_id, "others": EXTERNAL})


# After a restart


def booted_needs(event: Event, station: StationState) -> list[LimitsNeed]:
    return [LimitsNeed(station.id, held=True)]


def booted(batch: Batch) -> None:
    """After a restart the profiles of sessions are gone; whether the others are still there is asked (OCPP 2.0.1 K09)."""
    known = batch.lookups.limits.get(batch.station.id)
    if known is None or not known.limits.held:
        return
    if any(one.profile.purpose == TX for one in known.limits.held):
        batch.cursor.execute(SESSIONS_GONE, (batch.station.id,))
    sayable = ports.sayable(batch.frame.protocol if batch.frame else "")
    if commands.GetChargingProfiles.kind in sayable:
        ask(batch, commands.GetChargingProfiles(), AFTER_A_BOOT)
    elif commands.GetCompositeSchedule.kind in sayable:
        # What is left of them shows where they are: the whole does not tell of one of its EVSEs.
        for evse in sorted({one.evse for one in known.limits.held if one.profile.purpose != TX})[:MOST_ASKED]:
            ask(batch, commands.GetCompositeSchedule(evse), AFTER_A_BOOT)


def ask(batch: Batch, command: commands.Command, reason: str, expires_s: int | None = None) -> None:
    """Queue a command of our own, in the batch's transaction."""
    batch.add(
        Command,
        operator_id=batch.station.operator_id,
        station_id=batch.station.id,
        kind=command.kind,
        params=command.params(),
        reason=reason,
        created_at=batch.now,
        expires_at=batch.now + timedelta(seconds=expires_s or command.expires_s),
    )
    batch.errands.add(batch.station.id)


# The composite schedule


def composite_answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """Keep what the station says may be drawn (OCPP 2.0.1 K08), beside what should be by what is known here."""
    told = facts.get("composite")
    if told is None or change["status"] != "confirmed" or told["start"] is None:
        return
    start, evse, unit = datetime.fromisoformat(told["start"]), told["evse"], told["unit"]
    duration = min(max(int(told["duration_s"]), 1), 7 * 86_400)
    known = limits.load(batch.cursor, [batch.station.id])[batch.station.id]
    ours = known.limits.composite(evse, start, duration, unit)
    periods = sorted(told["periods"][:MOST_PERIODS], key=lambda one: one["start_s"])
    theirs = [
        composite.Stretch(one["start_s"], Decimal(str(one["limit"])), one.get("phases"))
        for one in periods
        if abs(one["start_s"]) <= INT32 and 0 <= one["limit"] < 1e9
    ]
    capped = known.limits.with_caps(unit).composite(evse, start, duration, unit)
    parted = composite.difference(ours, theirs, unit, duration, capped)
    detail = "" if parted is None else _sentence(parted, start, unit, evse)
    if parted is not None:
        above, below = Note("composite_above", severity=Severity.WARNING), Note("composite_below")
        batch.note(replace(above if parted.more else below, subject=f"EVSE {evse}", detail=detail))
    batch.add(
        CompositeSchedule,
        operator_id=batch.station.operator_id,
        station_id=batch.station.id,
        evse_number=evse,
        unit=unit,
        start_at=start,
        duration_s=duration,
        periods=periods,
        ours=plain(ours),
        difference=detail[:300],
        reported_at=batch.now,
    )
    batch.touch()


def _sentence(parted: composite.Difference, start: datetime, unit: str, evse: int) -> str:
    at = (start + timedelta(seconds=parted.second)).astimezone(UTC)
    theirs = "no limit" if parted.theirs is None else f"{number(parted.theirs)} {unit}"
    told = f"{where(evse)} may draw {number(parted.ours)} {unit} by what it was told"
    return f"From {at:%Y-%m-%d %H:%M:%S} UTC on {told}; it says {theirs}."


def plain(stretches: list[composite.Stretch]) -> list[dict[str, Any]]:
    """Stretches as a column and a body have them."""
    return [
        {"start_s": one.start_s, "limit": None if one.limit is None else number(one.limit)}
        | ({} if one.phases is None else {"phases": one.phases})
        for one in stretches
    ]


# What others demand


def limit_reported(event: ChargingLimitReported, batch: Batch) -> Done:
    """Somebody else limits the station, or an EVSE of it (OCPP 2.0.1 K12)."""
    _limit(batch, event.source, event.evse, event.grid_critical, list(event.schedules))
    return Done()


def limit_cleared(event: ChargingLimitCleared, batch: Batch) -> Done:
    """It does no more (OCPP 2.0.1 K13)."""
    _limit(batch, event.source, event.evse, None, [], cleared=True)
    return Done()


def _limit(batch: Batch, source: str, evse: int, critical: bool | None, schedules: list[Any], *, cleared: bool = False) -> None:
    if not 0 <= evse <= HIGHEST_EVSE:
        batch.note(Note("evse_impossible", str(evse), f"A limit names EVSE {evse}, which no station has.", Severity.WARNING))
        return
    batch.add(
        ChargingLimit,
        operator_id=batch.station.operator_id,
        station_id=batch.station.id,
        evse_number=evse,
        source=source,
        grid_critical=critical,
        schedules=schedules,
        reported_at=batch.now,
        cleared_at=batch.now if cleared else None,
    )
    batch.touch()


def sweep(*, now: datetime) -> int:
    """Drop the profiles of sessions that are over, and offer schedules to cars that still wait. Idempotent; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(ENDED, {"before": now - 2 * STARTS_WITHIN, "most": SWEPT})
        dropped = cursor.rowcount
    return dropped + evneeds.sweep(now=now)


RULES = {
    events.ChargingProfilesReported: Rule(chargingreports.reported),
    events.ChargingLimitReported: Rule(limit_reported),
    events.ChargingLimitCleared: Rule(limit_cleared),
    events.EvNeedsReported: Rule(evneeds.reported, evneeds.reported_needs),
    events.EvScheduleReported: Rule(evneeds.schedule_reported, evneeds.reported_needs),
}
EFFECTS = {
    "get_charging_profiles": Effect(
        lambda command, outcome: None if outcome.facts.get("none") else chargingreports.WITHIN_S,
        chargingreports.complete,
        chargingreports.complete_already,
    ),
}
COMPANIONS = {
    "set_charging_profile": Companion(chargingchecks.made, profile_set),
    "remote_start": Companion(chargingchecks.start_made, start_answered),
    "clear_charging_profile": Companion(chargingchecks.unchecked, profiles_cleared, clearing_ended),
    "get_charging_profiles": Companion(chargingchecks.unchecked, chargingreports.answered),
    "get_composite_schedule": Companion(chargingchecks.composite_made, composite_answered),
}
