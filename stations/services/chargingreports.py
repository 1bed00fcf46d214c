"""Which charging profiles a station says that it holds (OCPP 2.0.1 K09), beside those that it was given.

A report comes in pages without numbers; with the last one it is known what is not there.
"""

from datetime import datetime
from typing import Any

from stations.batch import Batch
from stations.domain import commands
from stations.domain.chargingprofiles import INT32, TX
from stations.domain.commands.smartcharging import HIGHEST_EVSE
from stations.domain.events import ChargingProfilesReported, Done, Event
from stations.domain.values import Note, Severity
from stations.models import ChargingProfile
from stations.state import AwaitedEffect, StationState

#: A station that reports its profiles has told them all by then.
WITHIN_S = 300
NAMED = """
    station_id = %(station)s AND (report_id IS DISTINCT FROM %(report)s)
    AND (%(evse)s::int IS NULL OR evse_number = %(evse)s) AND (%(purpose)s::text IS NULL OR purpose = %(purpose)s)
    AND (%(stack)s::int IS NULL OR stack_level = %(stack)s) AND (%(sources)s::text[] IS NULL OR source = ANY(%(sources)s))
    AND (%(ids)s::int[] IS NULL OR profile_id = ANY(%(ids)s))
"""
#: A report is complete: what it should have named and did not is not there. Returns what was lost.
MISSING = f"""
UPDATE stations_chargingprofile SET reported = NULL, reported_at = NULL, checked_at = %(now)s WHERE wanted IS NOT NULL AND {NAMED}
RETURNING profile_id, evse_number, purpose, ocpp_transaction_id, wanted->>'valid_to'
"""  # noqa: S608
GONE = f"DELETE FROM stations_chargingprofile WHERE wanted IS NULL AND {NAMED}"  # noqa: S608
#: The last page came while the answer to the request is still awaited: under its number, that of a raw CALL or of the command.
TOLD = """
UPDATE stations_command SET facts = facts || '{"told": true}' WHERE station_id = %s AND kind = %s AND status = 'sent'
    AND coalesce((facts->'raw'->'payload'->>'requestId')::numeric, (id - 1) %% 2147483647 + 1) = %s
"""
WAS_TOLD = "SELECT FROM stations_command WHERE id = %s AND facts->>'told' = 'true'"


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """Of a station that has none such the report is complete at once."""
    if facts.get("none"):
        _complete(batch, facts["request_id"], facts["asked"])


def reported(event: ChargingProfilesReported, batch: Batch) -> Done:
    """Keep a page of what a station holds (OCPP 2.0.1 K09); with the last one it is known what it does not hold."""
    for body in event.profiles:
        pk, stack = body["id"], body["stack_level"]
        if not (abs(pk) <= INT32 and 0 <= stack <= INT32 and 0 <= event.evse <= HIGHEST_EVSE):
            detail = f"Profile {pk} of EVSE {event.evse} with stack level {stack} is none that a station can have."
            batch.note(Note("charging_profile_impossible", str(pk), detail, Severity.WARNING))
            continue
        batch.add(
            ChargingProfile,
            operator_id=batch.station.operator_id,
            station_id=batch.station.id,
            source=event.source,
            profile_id=pk,
            evse_number=event.evse,
            purpose=body["purpose"],
            kind=body["kind"],
            stack_level=stack,
            ocpp_transaction_id=body.get("transaction", "")[:36],
            reported=body,
            reported_at=batch.now,
            checked_at=batch.now,
            report_id=event.request_id if abs(event.request_id) <= INT32 else None,
        )
    if event.last and (asked := _awaited(event.request_id, batch.station)) is not None:
        _complete(batch, event.request_id, asked.params)
    elif event.last:
        batch.cursor.execute(TOLD, (batch.station.id, commands.GetChargingProfiles.kind, event.request_id))
    batch.touch()
    return Done()


def _awaited(request_id: int, station: StationState) -> AwaitedEffect | None:
    kind = commands.GetChargingProfiles.kind
    return next((one for one in station.awaiting if one.kind == kind and one.facts.get("request_id") == request_id), None)


def _complete(batch: Batch, request_id: int, asked: dict[str, Any]) -> None:
    """What the criteria name and no page did is not there. Pages of this batch are written after this, and so are not missed.

    A limit that should hold is a finding; one of a session that is over, or whose time is, nobody misses.
    """
    pages = [row for row in batch.added[ChargingProfile].values() if row["station_id"] == batch.station.id]
    here = {row["profile_id"] for row in pages if row["report_id"] == request_id}
    values = {
        "station": batch.station.id,
        "report": request_id,
        "now": batch.now,
        "evse": asked.get("evse"),
        "purpose": asked.get("purpose"),
        "stack": asked.get("stack_level"),
        "sources": asked.get("sources"),
        "ids": asked.get("profile_ids"),
    }
    for pk, evse, purpose, transaction, valid_to in batch.cursor.execute(MISSING, values).fetchall():
        over = valid_to is not None and datetime.fromisoformat(valid_to) <= batch.now
        if pk not in here and not over and (purpose != TX or transaction in batch.station.open):
            detail = f"Profile {pk}, a {purpose} of {where(evse)}, was accepted, and is not there any more: nothing limits by it."
            batch.note(Note("charging_profile_missing", str(pk), detail, Severity.WARNING))
    batch.cursor.execute(GONE, values)
    batch.touch()


def complete(awaited: AwaitedEffect, event: Event, batch: Batch) -> bool:
    mine = isinstance(event, ChargingProfilesReported) and event.request_id == awaited.facts.get("request_id")
    return mine and isinstance(event, ChargingProfilesReported) and event.last


def complete_already(awaited: AwaitedEffect, batch: Batch, asked_at: datetime) -> bool:
    """Stations send pages before they answer."""
    if batch.cursor.execute(WAS_TOLD, (awaited.command_id,)).fetchone() is None:
        return False
    _complete(batch, awaited.facts["request_id"], awaited.params)
    return True


def where(evse: int) -> str:
    return f"EVSE {evse}" if evse else "the whole station"
