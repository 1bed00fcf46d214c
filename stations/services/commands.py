"""Commands and their life: asked, sent, answered, and watched until the effect is seen.

The row is the truth. `issue` writes it and rings a bell; the process that holds the station's socket claims it, sends it and
stores the answer; then `observe` watches the station's events for the effect, and `commandends` ends what did not come.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry, User
from stations import ports, topics
from stations.batch import Batch
from stations.domain import commands, events
from stations.domain.commands import BadCommand, Outcome, Verdict
from stations.domain.values import ConnectorStatus, TransactionStatus
from stations.flush import Cursor
from stations.models import Command, CommandRun, Station, Transaction
from stations.services import companions, devicemodel
from stations.state import AwaitedEffect, TransactionState

LONGEST_WAIT_S = 30 * 24 * 3600
DAY_S = 24 * 3600
AFTER_A_CHANGE = "To see what the charger made of a change."
#: A transaction that began this much before it was asked for may still be the one: clocks differ.
CLOCKS_DIFFER = timedelta(seconds=60)
STARTS_WITHIN = timedelta(seconds=180)

#: Numbers that go with commands in messages are int32 (OCPP 2.0.1 requestId, remoteStartId).
INT32 = 2**31 - 1


# Asking


def number_of(command_id: int) -> int:
    """The number that goes with a command in messages: its key, folded into int32."""
    return (command_id - 1) % INT32 + 1


def issue(
    *,
    station: Station,
    command: commands.Command,
    user: User | None = None,
    reason: str = "",
    expires_in: int | None = None,
    idempotency_key: str | None = None,
    raw: dict[str, Any] | None = None,
) -> Command:
    """Ask something of a station. With an idempotency key that was used before, returns the command it was used for, `repeated`.

    `expires_in`: seconds it may wait for an offline station. `raw`: {"action", "payload"}, the CALL to send as it is. Raises
    BadCommand if it makes no sense now, such as stopping a transaction that has ended.
    """
    used = Command.objects.filter(operator_id=station.operator_id, idempotency_key=idempotency_key)
    if idempotency_key and (known := used.first()):
        return _repeated(known)
    row = ready(station=station, command=command, user=user, reason=reason, expires_in=expires_in)
    row.idempotency_key = idempotency_key or None
    row.facts = {"raw": raw} if raw else {}
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            if companion := companions.OF.get(row.kind):
                companion.made(row, station, command)
            audit.record_all([told(row, station, command)])
    except IntegrityError:
        # Somebody else with the same key was faster, between our look and now.
        known = used.first() if idempotency_key else None
        if known is None:
            raise
        return _repeated(known)
    asked(row)
    return row


def _repeated(known: Command) -> Command:
    known.repeated = True
    return known


def ready(
    *,
    station: Station,
    command: commands.Command,
    user: User | None = None,
    reason: str = "",
    expires_in: int | None = None,
    run: CommandRun | None = None,
) -> Command:
    """The row of a command, checked but not written yet. `run`: of which it is a part."""
    now = timezone.now()
    _check_sense(station, command)
    waits = command.expires_s if expires_in is None else expires_in
    if not 1 <= waits <= LONGEST_WAIT_S:
        raise BadCommand("expires_in must be from 1 second to %(longest)s seconds.", longest=LONGEST_WAIT_S)
    return Command(
        operator_id=station.operator_id,
        station=station,
        run=run,
        kind=command.kind,
        params=command.params(),
        requested_by=user,
        reason=reason[:200],
        created_at=now,
        expires_at=now + timedelta(seconds=waits),
    )


def told(row: Command, station: Station, command: commands.Command) -> AuditEntry | None:
    """What the audit tells of a command, among what was done to its station."""
    return audit.entry("command.asked", station, operator=row.operator_id, after=shown(command), note=row.reason)


def shown(command: commands.Command) -> dict[str, Any]:
    """A command as the audit tells it: a code that is typed in is as secret as a password."""
    told = {"command": command.kind, **command.without_secrets()}
    return told | {"id_token": "***"} if told.get("id_token_type") == "KeyCode" else told


def asked(row: Command) -> None:
    """Tell, once it is committed, that a command was written."""
    transaction.on_commit(lambda: ports.bell.command(row.station_id))
    _changed(row.operator_id, row.station_id)


def _check_sense(station: Station, command: commands.Command) -> None:
    if isinstance(command, commands.RemoteStop):
        found = Transaction.objects.filter(station=station, ocpp_transaction_id=command.transaction).first()
        if found is None:
            raise BadCommand("%(station)s has no transaction %(id)s.", station=station.identity, id=command.transaction)
        if found.status == TransactionStatus.ENDED:
            raise BadCommand("Transaction %(id)s has ended already.", id=command.transaction)


def _changed(operator_id: int, station_id: int) -> None:
    transaction.on_commit(lambda: ports.bell.changed(operator_id, stations=[station_id], transactions=[]))


# Sending


@dataclass(frozen=True, slots=True)
class Claimed:
    """A command that is this process's to send now."""

    id: int
    station_id: int
    fence: int
    protocol: str
    kind: str
    params: dict[str, Any]
    facts: dict[str, Any]
    operator_id: int
    created_at: datetime


# The oldest that waits for each station, unless one is under way there, and only if this socket is still the newest. Looked for
# apart, once for each station: joined to the table itself, some plans look again for each of its rows, and claim one each time.
CLAIM = """
WITH oldest AS MATERIALIZED (
    SELECT q.id, k.fence, k.protocol FROM stations_connection k
    CROSS JOIN LATERAL (
        SELECT q.id FROM stations_command q
        WHERE q.station_id = k.station_id AND q.status = 'queued' AND q.expires_at > %(now)s
          AND (q.kind <> ALL(%(started)s) OR EXISTS (
              SELECT FROM stations_station s WHERE s.id = q.station_id AND s.accepted_at IS NOT NULL))
        ORDER BY q.id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) q
    WHERE k.station_id = ANY(%(stations)s) AND k.node = %(node)s AND k.disconnected_at IS NULL
      AND NOT EXISTS (SELECT FROM stations_command b WHERE b.station_id = k.station_id AND b.status = 'sent')
)
UPDATE stations_command AS c SET status = 'sent', sent_at = %(now)s FROM oldest WHERE c.id = oldest.id
RETURNING c.id, c.station_id, oldest.fence, oldest.protocol, c.kind, c.params, c.facts, c.operator_id, c.created_at
"""
#: Stations of this process for which something waits: what a missed bell left.
WAITING = """
SELECT DISTINCT q.station_id FROM stations_command q JOIN stations_connection k ON k.station_id = q.station_id
WHERE q.status = 'queued' AND k.node = %s AND k.disconnected_at IS NULL
"""


def claim(cursor: Cursor, station_ids: Sequence[int], *, node: str, now: datetime) -> list[Claimed]:
    """Take the next command of each of these stations. Those a station may only be asked when accepted wait until it is."""
    started = [kind for kind, command in commands.COMMANDS.items() if not command.while_pending]
    cursor.execute(CLAIM, {"now": now, "stations": list(station_ids), "node": node, "started": started})
    # On Django's connections JSON comes as text.
    return [
        Claimed(pk, station_id, fence, protocol, kind, orjson.loads(params), orjson.loads(facts), *rest)
        for pk, station_id, fence, protocol, kind, params, facts, *rest in cursor.fetchall()
    ]


def unsent(cursor: Cursor, command_ids: Sequence[int]) -> None:
    """They were claimed for sockets that had ended: they never left, and wait again."""
    cursor.execute(
        "UPDATE stations_command SET status = 'queued', sent_at = NULL WHERE id = ANY(%s) AND status = 'sent'", (list(command_ids),)
    )


# The answer


def answered(
    batch: Batch,
    command_id: int,
    command: commands.Command,
    outcome: Outcome | None,
    *,
    action: str,
    response: Any,
    error: tuple[str, str] | None,
    asked_at: datetime,
) -> None:
    """The station answered, refused with an error (`error`: code and description), or did not answer in time (both None).

    `asked_at`: when it was asked.
    """
    change: dict[str, Any] = {"answered_at": batch.now, "action": action, "response": response}
    if error is not None:
        change |= {"status": "failed", "error_code": error[0][:50], "detail": error[1][:300], "finished_at": batch.now}
    elif outcome is None:
        change |= {
            "status": "timed_out",
            "answered_at": None,
            "detail": "The station did not answer in time.",
            "finished_at": batch.now,
        }
    elif outcome.verdict is Verdict.REJECTED:
        change |= {"status": "rejected", "detail": outcome.reason[:300], "finished_at": batch.now}
    else:
        change |= _accepted(batch, command_id, command, outcome, asked_at)
    # Once it was said there is no need to keep a secret.
    batch.change(Command, command_id, params=command.without_secrets(), **({"facts": {}} | change))
    if companion := companions.OF.get(command.kind):
        companion.answered(batch, command_id, change, outcome.facts if outcome else {})
    if "finished_at" in change:
        batch.tell(topics.COMMAND_FINISHED, command_id)
    if outcome is not None:
        for report in outcome.reports:
            devicemodel.store(batch, report)
    if isinstance(command, commands.SetVariables) and change["status"] == "confirmed":
        _read_again(batch, command)
    batch.errands.add(batch.station.id)
    batch.touch()


def _read_again(batch: Batch, command: commands.SetVariables) -> None:
    """Stations take a setting and make something else of it, so it is read once it was accepted. Secrets cannot be read."""
    names = [{name: part for name, part in one.items() if name != "value"} for one in command.variables]
    asked = commands.GetVariables([one for one in names if not commands.SECRET.search(one["variable"])])
    if not asked.variables:
        return
    batch.add(
        Command,
        operator_id=batch.station.operator_id,
        station_id=batch.station.id,
        kind=asked.kind,
        params=asked.params(),
        reason=AFTER_A_CHANGE,
        created_at=batch.now,
        expires_at=batch.now + timedelta(seconds=asked.expires_s),
    )


def _accepted(batch: Batch, command_id: int, command: commands.Command, outcome: Outcome, asked_at: datetime) -> dict[str, Any]:
    within_s = _effect_within_s(command, outcome)
    if within_s is None:
        return {"status": "confirmed", "detail": outcome.reason[:300], "finished_at": batch.now}
    awaited = AwaitedEffect(command_id, command.kind, command.params(), outcome.facts)
    if _seen_already(batch, awaited, asked_at):
        return {"status": "confirmed", "detail": outcome.reason[:300], "finished_at": batch.now}
    batch.station.awaiting.append(awaited)
    return {
        "status": "accepted",
        "detail": outcome.reason[:300],
        "facts": outcome.facts,
        "effect_due_at": batch.now + timedelta(seconds=within_s),
    }


def _effect_within_s(command: commands.Command, outcome: Outcome) -> int | None:
    """Within how many seconds an accepted command's effect is due. None: the answer is the effect."""
    if isinstance(command, commands.Reset) and command.evse is not None:
        return None  # an EVSE that restarts says nothing of it
    if outcome.verdict is Verdict.SCHEDULED:
        return DAY_S
    if isinstance(command, commands.GetLog):
        # How far it is stands in the upload's row, which gives up sooner.
        return None if command.upload is None else 2 * DAY_S
    if isinstance(command, commands.Reset):
        return DAY_S if command.when == "idle" else 600
    effects: dict[type[commands.Command], int] = {
        commands.RemoteStart: int(STARTS_WITHIN.total_seconds()),
        commands.RemoteStop: 120,
        commands.ChangeAvailability: 60,
        commands.TriggerMessage: 60,
        commands.GetBaseReport: 300,
    }
    return effects.get(type(command))


def _seen_already(batch: Batch, awaited: AwaitedEffect, asked_at: datetime) -> bool:
    """Stations act before they answer: the effect may have come first."""
    station = batch.station
    if awaited.kind == "remote_stop":
        return awaited.params["transaction"] not in station.open
    if awaited.kind == "remote_start":
        return any(_is_awaited_start(awaited, t, asked_at) for t in station.open.values())
    if awaited.kind == "change_availability":
        evses = [evse for evse in station.evses.values() if awaited.params["evse"] in (0, evse.number)]
        states = [connector.status for evse in evses for connector in evse.connectors.values()]
        return bool(states) and all((s is not ConnectorStatus.UNAVAILABLE) == awaited.params["operative"] for s in states)
    return False


# The effect


def observe(event: events.Event, batch: Batch) -> None:
    """A station that was asked for something did something: is it what was awaited? Called for stations that are awaited only."""
    station = batch.station
    for awaited in list(station.awaiting):
        watch = WATCHES.get(awaited.kind)
        if watch is not None and watch(awaited, event, batch):
            station.awaiting.remove(awaited)
            batch.change(Command, awaited.command_id, status="confirmed", finished_at=batch.now)
            batch.tell(topics.COMMAND_FINISHED, awaited.command_id)
            batch.touch()


def _transaction_began(awaited: AwaitedEffect, event: events.Event, batch: Batch) -> bool:
    if isinstance(event, events.TransactionStarted):
        # One that began long ago waited for a connection; what is awaited begins now.
        return any(_is_awaited_start(awaited, one, batch.now - STARTS_WITHIN) for one in batch.station.open.values())
    if isinstance(event, events.TransactionProgressed):
        return event.remote_start_id is not None and event.remote_start_id == awaited.facts.get("remote_start_id")
    return False


def _is_awaited_start(awaited: AwaitedEffect, begun: TransactionState, asked_at: datetime) -> bool:
    """Whether an open transaction is the one that was asked for: by its number, or where there is none by token and time."""
    if "remote_start_id" in awaited.facts:
        return begun.remote_start_id == awaited.facts["remote_start_id"]
    there = awaited.params["evse"] in (None, begun.evse)
    same = begun.id_tag.upper() == awaited.params["id_token"].upper()
    return there and same and begun.started_at >= asked_at - CLOCKS_DIFFER


def _transaction_ended(awaited: AwaitedEffect, event: events.Event, batch: Batch) -> bool:
    return awaited.params["transaction"] not in batch.station.open


def _booted(awaited: AwaitedEffect, event: events.Event, batch: Batch) -> bool:
    return isinstance(event, events.StationBooted)


def _availability_changed(awaited: AwaitedEffect, event: events.Event, batch: Batch) -> bool:
    if not isinstance(event, events.ConnectorStatusReported):
        return False
    there = awaited.params["evse"] in (0, event.evse)
    return there and (event.status is not ConnectorStatus.UNAVAILABLE) == awaited.params["operative"]


def _message_came(awaited: AwaitedEffect, event: events.Event, batch: Batch) -> bool:
    wanted = TRIGGERED.get(awaited.params["message"])
    return wanted is not None and isinstance(event, wanted)


def _report_complete(awaited: AwaitedEffect, event: events.Event, batch: Batch) -> bool:
    return isinstance(event, events.VariablesReported) and event.request_id == awaited.facts.get("request_id") and event.last


#: What a TriggerMessage brings (OCPP 2.0.1 MessageTriggerEnumType, 1.6 MessageTrigger).
TRIGGERED: dict[str, type[events.Event] | tuple[type[events.Event], ...]] = {
    "BootNotification": events.StationBooted,
    "Heartbeat": events.HeartbeatReceived,
    "MeterValues": events.MetersSampled,
    "StatusNotification": events.ConnectorStatusReported,
    "TransactionEvent": events.TransactionProgressed,
    "FirmwareStatusNotification": events.FirmwareStatusReported,
    "DiagnosticsStatusNotification": events.LogStatusReported,
    "LogStatusNotification": events.LogStatusReported,
}
WATCHES: dict[str, Callable[[AwaitedEffect, events.Event, Batch], bool]] = {
    "remote_start": _transaction_began,
    "remote_stop": _transaction_ended,
    "reset": _booted,
    "change_availability": _availability_changed,
    "trigger_message": _message_came,
    "get_base_report": _report_complete,
}
