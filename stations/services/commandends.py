"""How commands end that got no answer: taken back, never sent, unsayable, their answer lost, or without effect.

The secrets among their parameters end with them: nobody will send them any more.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from stations import outbox, ports, topics
from stations.domain import commands
from stations.flush import Cursor
from stations.models import Command
from stations.services import companions, followups
from stations.services.commands import Claimed, shown

#: How long after its sending a command whose answer was lost with its process is given up.
LOST_ANSWER = timedelta(seconds=150)
UNSEEN = "Nothing was seen of it."

# A raw CALL that was asked for may hold secrets too.
END = """
UPDATE stations_command SET status = %(status)s, finished_at = %(now)s, facts = facts - 'raw', error_code = %(error)s,
    detail = COALESCE(NULLIF(%(detail)s, ''), detail) WHERE {which} RETURNING operator_id, station_id, id, kind, params
"""
CANCEL = END.format(which="id = %(id)s AND status = 'queued'")
TAKE_BACK = END.format(which="run_id = %(run)s AND status = 'queued'")
UNSAYABLE = END.format(which="id = %(id)s")
#: A new socket: what an older one had sent will not be answered any more.
ORPHAN = END.format(which="station_id = ANY(%(stations)s) AND status = 'sent'")
EXPIRE = END.format(which="status = 'queued' AND expires_at <= %(now)s")
LOSE = END.format(which="status = 'sent' AND sent_at <= %(before)s")
FRUITLESS = END.format(which="status = 'accepted' AND effect_due_at <= %(now)s")
DECIDED = END.format(which="id = %(id)s AND status = 'accepted'")
# Whoever holds the station awaits the effect in memory: its state is changed, so the version is, first.
AWAITED_NO_MORE = """
UPDATE stations_connection SET state_version = state_version + 1 WHERE station_id IN
    (SELECT station_id FROM stations_command WHERE status = 'accepted' AND effect_due_at <= %s)
"""

Ended = list[tuple[int, int]]


def cancel(*, command: Command) -> bool:
    """Take a command back that was not sent yet. False: it is too late."""
    with transaction.atomic(), connection.cursor() as cursor:
        ended = _end(cursor, CANCEL, "cancelled", now=timezone.now(), id=command.pk)
        if ended:
            taken = shown(commands.COMMANDS[command.kind].kept(command.params))
            audit.record("command.cancelled", command.station, operator=command.operator_id, before=taken)
    _ring([(command.operator_id, command.station_id)])
    return bool(ended)


def take_back(cursor: Any, run_id: int, *, now: datetime) -> None:
    """The commands of a run that were not sent yet."""
    ended = _end(cursor, TAKE_BACK, "cancelled", now=now, run=run_id)
    transaction.on_commit(lambda: _ring(ended))


def decide(*, command_id: int, status: str, detail: str, now: datetime, known: bool = False) -> None:
    """The effect of an accepted command came, or will not come. Whoever holds the station is told by a new version of its state.

    `known`: why it will not come is known, so the station is not asked.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        _end(cursor, DECIDED, status, detail[:300], known=known, now=now, id=command_id)


def unsendable(cursor: Cursor, claimed: Claimed, detail: str, *, now: datetime) -> None:
    """The station's version cannot say it."""
    _ring(_end(cursor, UNSAYABLE, "failed", detail[:300], "NotSupported", now=now, id=claimed.id))


def orphan(cursor: Cursor, station_ids: Sequence[int], *, now: datetime) -> None:
    """These stations have come by a new socket: what was sent by the old one ends."""
    detail = "The connection was lost before the station answered."
    _end(cursor, ORPHAN, "timed_out", detail, now=now, stations=list(station_ids))


def sweep(*, now: datetime) -> int:
    """End the commands whose time is over. Returns how many. Its steps, each a statement:

    1. queued past their expiry: expired; 2. sent, with the answer lost: timed out; 3. accepted, but no effect: no effect.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        ended = _end(cursor, EXPIRE, "expired", "The station did not come back in time.", now=now)
        ended += _end(cursor, LOSE, "timed_out", "The answer was lost.", now=now, before=now - LOST_ANSWER)
        cursor.execute(AWAITED_NO_MORE, [now])
        ended += _end(cursor, FRUITLESS, "no_effect", UNSEEN, now=now)
    _ring(ended)
    return len(ended)


def _end(
    cursor: Any, statement: str, status: str, detail: str = "", error: str = "", *, now: datetime, known: bool = False, **which: Any
) -> Ended:
    cursor.execute(statement, {"status": status, "now": now, "detail": detail, "error": error, **which})
    ended = cursor.fetchall()
    # On Django's connections JSON comes as text.
    ended = [(*rest, orjson.loads(text)) for *rest, text in ended]
    for _, _, pk, kind, params in ended:
        kept = commands.COMMANDS[kind].kept(params).without_secrets()
        if kept != params:
            cursor.execute("UPDATE stations_command SET params = %s WHERE id = %s", (orjson.dumps(kept).decode(), pk))
        if (companion := companions.OF.get(kind)) and companion.ended:
            companion.ended(cursor, pk, status, now)
    for station_id in [] if known else followups.ask(cursor, ended, status, now=now):
        transaction.on_commit(lambda pk=station_id: ports.bell.command(pk))  # type: ignore[misc]  # a default binds it
    if ended:
        outbox.tell(cursor, topics.COMMAND_FINISHED, [(operator_id, pk, None) for operator_id, _, pk, *_ in ended], now=now)
    return [(operator_id, station_id) for operator_id, station_id, *_ in ended]


def _ring(ended: Iterable[tuple[int, int]]) -> None:
    for operator_id, station_id in ended:
        ports.bell.changed(operator_id, stations=[station_id], transactions=[])
