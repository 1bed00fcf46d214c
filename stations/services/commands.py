"""Commands and their life: asked, sent, answered, and watched until the effect is seen.

The row is the truth. `issue` writes it and rings a bell; the process that holds the station's socket claims it, sends it and
stores the answer; then `observe` watches the station's events for the effect, and `commandends` ends what did not come.
"""

from collections.abc import Sequence
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
from stations.domain.values import TransactionStatus
from stations.flush import Cursor
from stations.models import Command, CommandRun, Station, Transaction
from stations.services import abilities, companions, devicemodel, effects, followups, securityprofiles
from stations.state import AwaitedEffect

LONGEST_WAIT_S = 30 * 24 * 3600
AFTER_A_CHANGE = "To see what the charger made of a change."
#: Numbers that go with commands in messages are int32 (OCPP 2.0.1 requestId, remoteStartId).
INT32 = 2**31 - 1


# Asking


def number_of(command_id: int) -> int:
    """The number that goes with a command in messages: its key, folded into int32."""
    return (command_id - 1) % INT32 + 1


def number_in(row: Command) -> int:
    """The number by which the station will tell of what was asked: that of the CALL as it was written, or the command's own.

    Raises BadCommand for one that no message can have.
    """
    raw = row.facts.get("raw") or {}
    number: int = raw.get("payload", {}).get("requestId", number_of(row.pk))
    if not 0 <= number <= INT32:
        raise BadCommand(
            "%(name)s must be a whole number from %(lowest)s to %(highest)s.", name="requestId", lowest=0, highest=INT32
        )
    return number


def issue(
    *,
    station: Station,
    command: commands.Command,
    user: User | None = None,
    reason: str = "",
    expires_in: int | None = None,
    idempotency_key: str | None = None,
    raw: dict[str, Any] | None = None,
    run: CommandRun | None = None,
) -> Command:
    """Ask something of a station. With an idempotency key that was used before, returns the command it was used for, `repeated`.

    `expires_in`: seconds it may wait for an offline station. `raw`: {"action", "payload"}, the CALL to send as it is. `run`: of
    which it is a part. Raises BadCommand if it makes no sense now, such as stopping a transaction that has ended.
    """
    used = Command.objects.filter(operator_id=station.operator_id, idempotency_key=idempotency_key)
    if idempotency_key and (known := used.first()):
        return _repeated(known)
    row = ready(station=station, command=command, user=user, reason=reason, expires_in=expires_in, run=run)
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
    abilities.check(station, command)
    securityprofiles.check(station, command)


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
    if outcome is None:
        _ask_then(batch, command_id, command, change)
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


def _ask_then(batch: Batch, command_id: int, command: commands.Command, change: dict[str, Any]) -> None:
    """Nobody knows what came of it: the station is asked how it stands."""
    protocol = batch.frame.protocol if batch.frame else ""
    then = followups.next_of(command.kind, command.params(), change["status"], protocol, change.get("error_code", ""))
    if then is not None:
        change["facts"] = {"asked_then": then.kind}
        _ask_too(batch, followups.row(then, command_id, batch.now))


def _read_again(batch: Batch, command: commands.SetVariables) -> None:
    """Stations take a setting and make something else of it, so it is read once it was accepted. Secrets cannot be read."""
    names = [{name: part for name, part in one.items() if name != "value"} for one in command.variables]
    asked = commands.GetVariables([one for one in names if not commands.SECRET.search(one["variable"])])
    if not asked.variables:
        return
    expires_at = batch.now + timedelta(seconds=asked.expires_s)
    row = {"kind": asked.kind, "params": asked.params(), "reason": AFTER_A_CHANGE, "created_at": batch.now}
    _ask_too(batch, row | {"expires_at": expires_at})


def _ask_too(batch: Batch, row: dict[str, Any]) -> None:
    batch.add(Command, operator_id=batch.station.operator_id, station_id=batch.station.id, **row)


def _accepted(batch: Batch, command_id: int, command: commands.Command, outcome: Outcome, asked_at: datetime) -> dict[str, Any]:
    effect = effects.OF.get(command.kind)
    within_s = effect.within_s(command, outcome) if effect else None
    if effect is None or within_s is None:
        return {"status": "confirmed", "detail": outcome.reason[:300], "finished_at": batch.now}
    awaited = AwaitedEffect(command_id, command.kind, command.params(), outcome.facts)
    if effect.seen(awaited, batch, asked_at):
        return {"status": "confirmed", "detail": outcome.reason[:300], "finished_at": batch.now}
    batch.station.awaiting.append(awaited)
    return {
        "status": "accepted",
        "detail": outcome.reason[:300],
        "facts": outcome.facts,
        "effect_due_at": batch.now + timedelta(seconds=within_s),
    }


# The effect


def observe(event: events.Event, batch: Batch) -> None:
    """A station that was asked for something did something: is it what was awaited? Called for stations that are awaited only."""
    for awaited in list(batch.station.awaiting):
        if effects.OF[awaited.kind].shows(awaited, event, batch):
            decide(batch, awaited, "confirmed")


def decide(batch: Batch, awaited: AwaitedEffect, status: str, **change: Any) -> None:
    """What was awaited came, or will not come."""
    batch.station.awaiting.remove(awaited)
    batch.change(Command, awaited.command_id, status=status, finished_at=batch.now, **change)
    batch.tell(topics.COMMAND_FINISHED, awaited.command_id)
    batch.touch()
