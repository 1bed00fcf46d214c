"""Reservations (OCPP 2.0.1 chapter H, 1.6 5.1 and 5.13): a plug is kept for a driver, used, given back, or lost.

Rows are changed at once, not with the batch's flush: a reservation is made and used a few times a day. Those that a station keeps
are mirrored in its state, so that a start finds its own.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction as db

from stations import models, ports
from stations.batch import Batch
from stations.domain import commands, events
from stations.domain.commands import CancelReservation, ReserveNow
from stations.domain.events import Done, ReservationLapsed
from stations.domain.values import ConnectorStatus, Note, Severity
from stations.flush import Cursor
from stations.lookups import FoundToken
from stations.models import CommandStatus, ReservationStatus, Station
from stations.models.reservation import RESERVATION_OPEN
from stations.services import followups, reserving
from stations.services.companions import Companion
from stations.services.effects import Effect
from stations.services.rules import Rule
from stations.state import AwaitedEffect, ReservationState, TransactionState

#: A start or a fault that was so much before the reservation, a start that was so much after it, may still belong to it: clocks
#: differ.
CLOCKS_DIFFER = timedelta(seconds=60)
#: States of a connector that nobody can use.
BROKEN = (ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE)
#: How long a plug may take to show that it is reserved.
SHOWS_WITHIN_S = 60


# What the station answers

#: Returns what the state mirrors.
KEPT = """
UPDATE stations_reservation SET status = 'active', detail = %s
WHERE command_id = %s AND status = 'requested'
RETURNING id, number, evse_number, id_key, "group", created_at, expires_at
"""
REPLACED = """
UPDATE stations_reservation SET status = 'removed', finished_at = %s, detail = 'It was replaced by another of the same number.'
WHERE station_id = %s AND status = 'active' AND number = (SELECT number FROM stations_reservation WHERE command_id = %s)
"""
#: Without a word of the station, with what the command says of its end, if it says anything.
REFUSED = """
UPDATE stations_reservation AS r SET status = 'refused', finished_at = %s,
    detail = COALESCE(%s, NULLIF(c.detail, ''), 'It was taken back before the charger was asked.')
FROM stations_command c WHERE c.id = r.command_id AND r.command_id = %s AND r.status = 'requested'
RETURNING r.operator_id, r.station_id, r.number, r.expires_at
"""
END = """
UPDATE stations_reservation SET status = %(status)s, finished_at = %(now)s, detail = %(detail)s
WHERE station_id = %(station)s AND number = %(number)s AND status = ANY(%(open)s) RETURNING id
"""
OPEN = [status.value for status in RESERVATION_OPEN]
#: Errors of a request of which nobody knows what the station made of it: it failed there, or its answer could not be read or kept.
NOT_KNOWN = ("InternalError", "InvalidAnswer")


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """The station keeps the plug, or does not."""
    detail = change.get("detail", "")
    if change["status"] in (CommandStatus.ACCEPTED, CommandStatus.CONFIRMED):
        batch.cursor.execute(REPLACED, (batch.now, batch.station.id, command_id))
        row = batch.cursor.execute(KEPT, (detail, command_id)).fetchone()
        if row is not None:
            kept = ReservationState(*row)
            batch.station.reservations[kept.number] = kept
        return
    known = change["status"] != CommandStatus.TIMED_OUT and change.get("error_code") not in NOT_KNOWN
    _refused(batch.cursor, command_id, detail, batch.now, known=known)


def ended(cursor: Cursor, command_id: int, status: str, now: datetime) -> None:
    """The request never left, or its answer was lost."""
    station_id = _refused(cursor, command_id, None, now, known=status != CommandStatus.TIMED_OUT)
    if station_id is not None:
        db.on_commit(lambda: ports.bell.command(station_id))


def _refused(cursor: Cursor, command_id: int, detail: str | None, now: datetime, *, known: bool) -> int | None:
    """It came to nothing. If that is not known, the station is asked to keep nothing; then returns which."""
    cursor.execute(REFUSED, (now, detail, command_id))
    row = cursor.fetchone()
    if row is None or known:
        return None
    # It may keep the plug all the same, for somebody who was told that it does not: as long as it was asked to.
    operator_id, station_id, number, expires_at = row
    fields = followups.row(CancelReservation(number), command_id, now)
    fields |= {"reason": "Whether the charger reserved the plug is not known.", "expires_at": expires_at}
    followups.write(cursor, operator_id, station_id, fields)
    return int(station_id)


def cancel_answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """Given up; or the station has no such reservation (H02), and nobody has it."""
    if "reservation" not in facts:
        return
    if change["status"] == CommandStatus.REJECTED:
        _end(batch, facts["reservation"], ReservationStatus.REMOVED, "The charger says that it has no such reservation.")
    else:
        _end(batch, facts["reservation"], ReservationStatus.CANCELLED, "")


def _end(batch: Batch, number: int, status: ReservationStatus, detail: str) -> bool:
    batch.station.reservations.pop(number, None)
    values = {"status": status.value, "now": batch.now, "detail": detail, "station": batch.station.id, "number": number}
    batch.touch()
    return batch.cursor.execute(END, values | {"open": OPEN}).fetchone() is not None


# What stations tell


def lapsed(event: ReservationLapsed, batch: Batch) -> Done:
    """A reservation ended at the station (OCPP 2.0.1 H04). What ended here before stays as it ended."""
    if event.expired:
        _end(batch, event.reservation, ReservationStatus.EXPIRED, "The charger says that its time is over.")
    else:
        _end(batch, event.reservation, ReservationStatus.REMOVED, "The charger gave it up.")
    return Done()


def status_changed(batch: Batch, evse: int, status: ConnectorStatus, at: datetime) -> None:
    """A plug that is broken or out of service is kept for nobody (1.6 5.13; 2.x tells it as well). `evse` 0: the whole station."""
    station = batch.station
    if status not in BROKEN:
        return
    # Of an EVSE that has another connector, as 2.x may, that one is left.
    broken = {number for number, owner in station.evses.items() if all(one.status in BROKEN for one in owner.connectors.values())}
    for kept in list(station.reservations.values()):
        here = evse == 0 or (kept.evse == evse and evse in broken) or (kept.evse is None and len(broken) == len(station.evses))
        if here and at >= kept.since - CLOCKS_DIFFER:
            _end(batch, kept.number, ReservationStatus.REMOVED, f"The plug became {status.value}.")


# The one who comes

#: Returns from when and until when the station kept the plug: from its answer on, unless that is of the same batch.
USED = """
UPDATE stations_reservation SET status = 'used', transaction_id = %s, finished_at = %s, detail = ''
WHERE id = %s
RETURNING COALESCE((SELECT c.answered_at FROM stations_command c WHERE c.id = command_id), created_at), expires_at
"""
#: The newest of a number, whatever became of it: a start may be told long after its time.
NAMED = "SELECT id, status, transaction_id FROM stations_reservation WHERE station_id = %s AND number = %s ORDER BY id DESC LIMIT 1"
#: What a start that names it turns into a use.
USABLE = {*OPEN, ReservationStatus.EXPIRED.value, ReservationStatus.REMOVED.value}


def began(batch: Batch, begun: TransactionState, found: FoundToken | None, *, named: int | None, at: datetime) -> None:
    """A transaction that names a reservation uses it (OCPP 2.0.1 H03, 1.6 4.8); so does one of its token or group, there and then.

    Who charges at a plug that is kept for somebody else leaves a finding. `named`: the number the station gave, if it did.
    """
    station = batch.station
    if named is not None:
        row = batch.cursor.execute(NAMED, (station.id, named)).fetchone()
        if row is not None and row[1] in USABLE:
            _use(batch, row[0], named, begun, at)
        elif row is None or row[2] != begun.id:
            detail = f"The session names reservation {named}, " + (
                "which was never made." if row is None else f"which is {row[1]}."
            )
            batch.note(Note("reservation_unknown", str(named), detail), begun.id)
        return
    key, group = begun.id_tag.upper(), (found.group or "").upper() if found else ""
    if not key or begun.evse is None:
        return
    valid = [one for one in station.reservations.values() if one.since - CLOCKS_DIFFER <= at < one.expires_at]
    own = [one for one in valid if one.evse in (None, begun.evse) and (one.key == key or (group and one.group.upper() == group))]
    if own:
        best = min(own, key=lambda one: (one.evse is None, one.key != key, one.id))
        _use(batch, best.id, best.number, begun, at)
    elif foreign := next((one for one in valid if one.evse == begun.evse), None):
        detail = f"Plug {begun.evse} was reserved for another id tag until {foreign.expires_at:%Y-%m-%dT%H:%M:%SZ}."
        batch.note(Note("reserved_for_another", str(foreign.number), detail, Severity.WARNING), begun.id)


def _use(batch: Batch, pk: int, number: int, begun: TransactionState, at: datetime) -> None:
    batch.station.reservations.pop(number, None)
    kept = batch.cursor.execute(USED, (begun.id, batch.now, pk)).fetchone()
    batch.touch(transaction_id=begun.id)
    # Whoever comes after its time may use the plug all the same: it was kept for nobody by then, and costs nothing.
    if kept is not None and begun.reserved_at is None and at < kept[1] + CLOCKS_DIFFER:
        begun.reserved_at = min(kept[0], begun.started_at, at)
        batch.change(models.Transaction, begun.id, reserved_at=begun.reserved_at)


# What shows that it was done

CAME = "SELECT FROM stations_reservation WHERE command_id = %s AND status = 'used'"


def _shows(awaited: AwaitedEffect, event: events.Event, batch: Batch) -> bool:
    """The plug says that it is reserved, or somebody came for it."""
    if isinstance(event, events.ConnectorStatusReported):
        return event.evse == awaited.params["evse"] and event.status is ConnectorStatus.RESERVED
    began = isinstance(event, events.TransactionStarted | events.TransactionProgressed)
    if not began or awaited.facts.get("reservation") in batch.station.reservations:
        return False
    # It is kept no more: it was used, or it was lost and whoever began has nothing to do with it.
    return batch.cursor.execute(CAME, (awaited.command_id,)).fetchone() is not None


def _shown_already(awaited: AwaitedEffect, batch: Batch, asked_at: datetime) -> bool:
    owner = batch.station.evses.get(awaited.params["evse"])
    return owner is not None and any(one.status is ConnectorStatus.RESERVED for one in owner.connectors.values())


def nothing(row: models.Command, station: Station, command: commands.Command) -> None: ...


RULES: dict[type[events.Event], Rule] = {ReservationLapsed: Rule(lapsed)}
EFFECTS = {
    # Of a station that keeps any plug nobody knows which will show it.
    ReserveNow.kind: Effect(
        lambda command, outcome: SHOWS_WITHIN_S if isinstance(command, ReserveNow) and command.evse else None,
        _shows,
        _shown_already,
    )
}
COMPANIONS = {
    ReserveNow.kind: Companion(reserving.made, answered, ended),
    CancelReservation.kind: Companion(nothing, cancel_answered),
}
