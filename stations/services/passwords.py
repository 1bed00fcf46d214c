"""Another password for a station, given over its own socket (OCPP 2.0.1 A01, 1.6 security whitepaper A01).

From the asking on the station may come with either password, because it may come back before its answer is here. Accepted: the old
one is void at once. Refused: the new one. Without an answer both stay until the station shows which of them it uses.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import User
from stations import ports
from stations.batch import Batch
from stations.credentials import hash_password
from stations.domain.commands import SECRET, BadCommand, Command, SetVariables
from stations.flush import Cursor
from stations.models import ChangeStatus, CommandStatus, PasswordChange, Station
from stations.models import Command as CommandRow
from stations.models.passwordchange import IN_FLIGHT
from stations.services import commands, registry

#: The variable of a station's own password, and what stations of an older version call it.
COMPONENT, VARIABLE = "SecurityCtrlr", "BasicAuthPassword"
NAMES = {VARIABLE.lower(), "authorizationkey"}
#: Marks a value that is sealed. A longer one than this is no password.
SEALED, LONGEST = "sealed:", 400
#: 160 bits, as the hex digits that every version can say: 20 bytes of the one, 40 characters of the other.
MADE_BYTES = 20


def start(*, station: Station, password: str | None = None, user: User | None = None) -> PasswordChange:
    """Give a station another password, made if none is given; nobody sees one that was made. Raises BadCommand, ValidationError."""
    password = secrets.token_hex(MADE_BYTES) if password is None else registry.check_password(password)
    command = SetVariables([variable(SEALED + ports.box.seal(password))])
    row = commands.issue(station=station, command=command, user=user)
    return PasswordChange.objects.get(command=row)


def variable(value: str) -> dict[str, Any]:
    """The entry of SetVariables that gives a station this password."""
    return {"component": COMPONENT, "variable": VARIABLE, "value": value}


def opened(command: Command) -> Command:
    """The command with what is sealed in its row as it is said. Raises BadCommand if the keys for it are gone."""
    if not isinstance(command, SetVariables) or not any(_is_sealed(one) for one in command.variables):
        return command
    return SetVariables([one | {"value": _opened(one)} if _is_sealed(one) else one for one in command.variables])


def _is_sealed(one: dict[str, Any]) -> bool:
    return SECRET.search(one["variable"]) is not None and one["value"].startswith(SEALED)


def _opened(one: dict[str, Any]) -> str:
    plain = ports.box.unseal(one["value"].removeprefix(SEALED))
    if plain is None:
        raise BadCommand("The password cannot be read: the keys of the stations' passwords have changed. Ask for it again.")
    return plain


# What goes with a command that sets a secret


def made(row: CommandRow, station: Station, command: Command) -> None:
    """Seal what is secret in the row of a `set_variables`; and if it is the station's password, follow the change."""
    assert isinstance(command, SetVariables)
    kept, password = [], None
    for one in command.variables:
        value = one["value"]
        if SECRET.search(one["variable"]) and len(value) <= LONGEST:
            plain = ports.box.unseal(value.removeprefix(SEALED)) if value.startswith(SEALED) else None
            if one["variable"].lower() in NAMES and (one.get("attribute") or "Actual") == "Actual":
                password = value if plain is None else plain
            value = value if plain is not None else SEALED + ports.box.seal(value)
        kept.append(one | {"value": value})
    if kept == command.variables and password is None:
        return
    # The CALL as it was written holds the secret too; what is sealed says the same.
    row.params, row.facts = {"variables": kept}, {name: fact for name, fact in row.facts.items() if name != "raw"}
    row.save(update_fields=["params", "facts"])
    if password is not None:
        _begin(row, station, hash_password(password))


def _begin(row: CommandRow, station: Station, new_hash: str) -> None:
    registry.bump(station.pk)  # no two at once
    change = PasswordChange.objects.filter(station=station, finished_at__isnull=True).first()
    if change is not None and change.status in IN_FLIGHT:
        raise BadCommand(
            "%(station)s is being given another password already. Wait until it has come back, or take that back.",
            station=station.identity,
        )
    if change is not None:
        finish(change, ChangeStatus.REPLACED)
    PasswordChange.objects.create(
        operator_id=station.operator_id,
        station=station,
        command=row,
        requested_by=row.requested_by,
        new_hash=new_hash,
        created_at=row.created_at,
    )


def finish(change: PasswordChange, status: ChangeStatus) -> None:
    found = PasswordChange.objects.filter(pk=change.pk, finished_at__isnull=True)
    found.update(status=status, finished_at=timezone.now())


OPEN_OF = """
SELECT p.id, p.station_id, p.new_hash, jsonb_array_length(c.params->'variables')
FROM stations_passwordchange p JOIN stations_command c ON c.id = p.command_id
WHERE p.command_id = %s AND p.finished_at IS NULL
"""
MOVE = "UPDATE stations_passwordchange SET status = %s, detail = %s, answered_at = %s, finished_at = %s WHERE id = %s"
USE = "UPDATE stations_station SET password_hash = %s WHERE id = %s"
END = """
UPDATE stations_passwordchange SET status = %s, finished_at = %s
WHERE command_id = %s AND status = 'waiting' AND finished_at IS NULL
"""
CAME_WITH_NEW = """
WITH done AS (
    UPDATE stations_passwordchange SET status = 'done', finished_at = %(now)s
    WHERE station_id = ANY(%(stations)s) AND finished_at IS NULL RETURNING station_id, new_hash, command_id
), told AS (
    UPDATE stations_command AS c SET status = 'confirmed', finished_at = %(now)s, detail = %(detail)s
    FROM done WHERE c.id = done.command_id AND c.status IN ('sent', 'timed_out', 'failed')
)
UPDATE stations_station AS s SET password_hash = done.new_hash, security_profile = GREATEST(s.security_profile, 1)
FROM done WHERE s.id = done.station_id
"""
CAME_WITH_OLD = """
UPDATE stations_passwordchange SET status = 'not_taken', finished_at = %s
WHERE station_id = ANY(%s) AND status = 'unknown' AND finished_at IS NULL
"""


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """A `set_variables` was answered. Settings are seldom changed, so this may look into the table."""
    found = batch.cursor.execute(OPEN_OF, (command_id,)).fetchone()
    if found is None:
        return
    pk, station_id, new_hash, variables = found
    detail = change.get("detail", "")
    status, finished_at = ChangeStatus.UNKNOWN, None
    if change["status"] == CommandStatus.CONFIRMED:
        status = ChangeStatus.AT_RESTART if "RebootRequired" in detail else ChangeStatus.ACCEPTED
    elif change["status"] == CommandStatus.REJECTED and variables == 1:
        # Of several it may have taken this one and refused another.
        status, finished_at = ChangeStatus.REFUSED, batch.now
    batch.cursor.execute(MOVE, (status.value, detail, change.get("answered_at"), finished_at, pk))
    if status is ChangeStatus.ACCEPTED:
        batch.cursor.execute(USE, (new_hash, station_id))


def ended(cursor: Cursor, command_id: int, status: str, now: datetime) -> None:
    """The command ended without an answer: it never left, or nobody knows what the station made of it."""
    left = status == CommandStatus.TIMED_OUT
    cursor.execute(END, ((ChangeStatus.UNKNOWN if left else ChangeStatus.UNSENT).value, None if left else now, command_id))


def shown(cursor: Cursor, used_new: Mapping[int, bool | None], *, now: datetime) -> None:
    """Stations that are being given a password came in: with the new one, or (False) with the old one."""
    new = sorted(pk for pk, used in used_new.items() if used)
    old = sorted(pk for pk, used in used_new.items() if used is False)
    if new:
        cursor.execute(CAME_WITH_NEW, {"now": now, "stations": new, "detail": "The station came back with the new password."})
    if old:
        cursor.execute(CAME_WITH_OLD, (now, old))
