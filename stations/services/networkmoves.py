"""A station led to another network profile, step by step, and watched until it is known where it went (OCPP 2.0.1 B09, B10).

1. The profile is stored in its slot. 2. The slot is put first in NetworkConfigurationPriority. 3. The station restarts, for it uses
the new order from then on (B10). 4. It is waited for: it comes back here and tells by which slot, or it does not. Every step is a
command of its own, with its own life; a step that comes to nothing ends the move, and the station stays with what it had.
"""

import re
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone
from django_scopes import scope

from accounts import audit
from accounts.models import User
from stations import models, ports
from stations.domain import commands
from stations.domain.commands import BadCommand, GetVariables, Reset, SetNetworkProfile, SetVariables
from stations.models import CommandStatus, Connection, MoveStatus, NetworkMove, NetworkProfile, Station, Variable
from stations.models.command import FRUITLESS
from stations.services import commandends, registry
from stations.services import commands as life
from stations.services.network import ACTIVE, CONTROLLER, PRIORITY

log = structlog.get_logger(__name__)

#: How long a station that restarts may be away before it is taken to be somewhere else.
AWAY = timedelta(minutes=15)
#: How often a step is looked at that nobody tells of.
LOOK = timedelta(seconds=5)
#: One that could not be looked at is left alone for so long.
TROUBLE = timedelta(minutes=1)
#: One that never could is given up after so long.
GIVEN_UP = timedelta(days=1)
UNSEEN = "A fault of this system: the move could not be followed, and the log of the server says why. See where the charger is."
NO_SLOT = "The charger connected here again after its restart; by which slot is not known."
#: What a station may say of the order of its slots, and at which length.
ORDER, LONGEST_ORDER = re.compile(r"\s*\d{1,9}\s*(,\s*\d{1,9}\s*)*\Z", re.ASCII), 180
SLOT = re.compile(r"\s*\d{1,9}\s*\Z", re.ASCII)
#: Moves that are looked at in one go.
SWEPT = 200
#: A restart that was agreed to, or that cut the connection before the answer came.
RESTARTING = (CommandStatus.ACCEPTED, CommandStatus.CONFIRMED, CommandStatus.TIMED_OUT)
#: Said of where it ended, for whoever asks later.
SAID = {
    MoveStatus.ARRIVED: "The charger connected here again after its restart, by the slot it was led to.",
    MoveStatus.GONE: "The charger restarted and did not connect here again: it uses the new address.",
    MoveStatus.RETURNED: "The charger connected here again: it could not use the new address, and fell back on another slot.",
    MoveStatus.LOST: "The charger restarted and did not connect here again. It falls back on its next slot after "
    "NetworkProfileConnectionAttempts; if it does not, somebody has to go there.",
}


def order_of(station: Station) -> str:
    """The order of the station's slots, as far as it told: "1,2". Empty: it is not known."""
    return _told(station, PRIORITY)


def active_slot(station: Station) -> str:
    """The slot that the station uses, as far as it told."""
    return _told(station, ACTIVE)


def _told(station: Station, name: str) -> str:
    found = Variable.objects.filter(station=station, component=CONTROLLER, variable=name, attribute="Actual", known=True).first()
    return (found.value or "") if found else ""


@transaction.atomic
def start(*, station: Station, profile: SetNetworkProfile, away: bool = False, user: User | None = None) -> NetworkMove:
    """Lead a station to a new profile. `away`: its address is another system's, so it is not expected back. Raises BadCommand."""
    profile.check()
    registry.bump(station.pk)  # no two at once
    before = _ready(station)
    first = life.issue(station=station, command=profile, user=user, reason="The first step to another network profile.")
    return _begin(station, first, profile.slot, before, user, away=away, status=MoveStatus.PROFILE)


@transaction.atomic
def go_back(*, move: NetworkMove, user: User | None = None) -> NetworkMove:
    """Lead a station back to the order of its slots before a move. Raises BadCommand if it is not known or not to be reached."""
    station = move.station
    registry.bump(station.pk)
    before = _ready(station)
    if not move.priority_before:
        raise BadCommand("The order before is not known: choose the slot to be used.")
    slot = int(move.priority_before.split(",")[0])
    row = _put_first(station, move.priority_before, user)
    return _begin(station, row, slot, before, user, back=True, priority=move.priority_before, status=MoveStatus.PRIORITY)


@transaction.atomic
def use(*, station: Station, slot: int, away: bool = False, user: User | None = None) -> NetworkMove:
    """Lead a station to a profile that it has in a slot already. Raises BadCommand if it has none."""
    if not NetworkProfile.objects.filter(station=station, slot=slot).exists():
        raise BadCommand("%(station)s has no profile in slot %(slot)s that is known here.", station=station.identity, slot=slot)
    registry.bump(station.pk)
    before = _ready(station)
    priority = with_first(before, slot)
    row = _put_first(station, priority, user)
    return _begin(station, row, slot, before, user, away=away, priority=priority, status=MoveStatus.PRIORITY)


@transaction.atomic
def give_up(*, move: NetworkMove) -> bool:
    """Do no further step. What was done stays done. False: it has ended already."""
    found = NetworkMove.objects.select_for_update().filter(pk=move.pk, finished_at__isnull=True).first()
    if found is None:
        return False
    _finish(found, MoveStatus.CANCELLED, "It was given up; what the charger took already, it keeps.", timezone.now())
    audit.record("network_move.given_up", found.station, operator=found.operator_id, after={"slot": found.slot})
    if found.command is not None and found.command.status == CommandStatus.QUEUED:
        commandends.cancel(command=found.command)
    return True


def with_first(order: str, slot: int) -> str:
    """The order with a slot put first; the others follow, so that the station can fall back on them (B10)."""
    rest = [one.strip() for one in order.split(",") if one.strip().isdigit() and int(one) != slot]
    return ",".join([str(slot), *rest])


def _ready(station: Station) -> str:
    if NetworkMove.objects.filter(station=station, finished_at__isnull=True).exists():
        raise BadCommand("%(station)s is on its way to a profile already: wait for that, or give it up.", station=station.identity)
    order = order_of(station)
    if not order:
        raise BadCommand(
            "The order of the slots of %(station)s is not known, so there is no way back: read its settings first "
            "(OCPPCommCtrlr.NetworkConfigurationPriority).",
            station=station.identity,
        )
    if not ORDER.match(order) or len(order) > LONGEST_ORDER:
        raise BadCommand(
            "%(station)s says that the order of its slots is %(order)s, which is no list of numbers, so there is no way back: "
            "set OCPPCommCtrlr.NetworkConfigurationPriority first.",
            station=station.identity,
            order=order[:50],
        )
    return order


def _begin(
    station: Station,
    row: models.Command,
    slot: int,
    before: str,
    user: User | None,
    *,
    status: MoveStatus,
    away: bool = False,
    back: bool = False,
    priority: str = "",
) -> NetworkMove:
    now = timezone.now()
    move = NetworkMove.objects.create(
        operator_id=station.operator_id,
        station=station,
        slot=slot,
        away=away,
        back=back,
        priority=priority or with_first(before, slot),
        priority_before=before,
        status=status,
        command=row,
        requested_by=user,
        created_at=now,
        due_at=now + LOOK,
    )
    audit.record(
        "network_move.started", station, operator=station.operator_id, before={"order": before}, after={"order": move.priority}
    )
    return move


def _put_first(station: Station, order: str, user: User | None) -> models.Command:
    command = SetVariables([{"component": CONTROLLER, "variable": PRIORITY, "value": order}])
    return life.issue(station=station, command=command, user=user, reason="The order of its network profiles.")


# On its way


def advance(*, now: datetime) -> int:
    """Look at the moves that are due. Returns how many."""
    due = NetworkMove.objects.filter(finished_at__isnull=True, due_at__lte=now).order_by("due_at").values_list("pk", "operator_id")
    looked_at = 0
    for pk, operator_id in list(due[:SWEPT]):
        try:
            with scope(operator=operator_id), transaction.atomic():
                found = NetworkMove.objects.select_for_update(skip_locked=True, of=("self",)).select_related("station", "command")
                move = found.filter(pk=pk, finished_at__isnull=True).first()
                if move is not None:
                    looked_at += 1
                    _look(move, now)
        except Exception:
            # No other waits for it.
            log.exception("a move to another network profile could not be looked at", move=pk)
            NetworkMove.objects.filter(pk=pk).update(due_at=now + TROUBLE)
            _give_up(pk, operator_id, now)
    return looked_at


def _give_up(pk: int, operator_id: int, now: datetime) -> None:
    """One that can never be looked at ends, so that somebody sees it, and may begin another."""
    with scope(operator=operator_id), transaction.atomic():
        move = NetworkMove.objects.select_related("command").filter(pk=pk, finished_at__isnull=True).first()
        if move is not None and move.created_at < now - GIVEN_UP:
            _finish(move, MoveStatus.FAILED, UNSEEN, now)


def _look(move: NetworkMove, now: datetime) -> None:
    if move.status == MoveStatus.WATCHING:
        _watch(move, now)
        return
    row = move.command
    ended = (*FRUITLESS, CommandStatus.CANCELLED)
    if row is not None and move.status == MoveStatus.RESTART and row.status in RESTARTING:
        _next(move, MoveStatus.WATCHING, None, now, restarted_at=row.answered_at or row.sent_at or now)
    elif row is None or row.status in ended:
        why = (row.detail or row.get_status_display()) if row else "The command was deleted."
        _finish(move, MoveStatus.FAILED, f"{move.get_status_display()}: {why}. The charger stays with what it has.", now)
    elif row.status != CommandStatus.CONFIRMED:
        NetworkMove.objects.filter(pk=move.pk).update(due_at=now + LOOK)
    elif move.status == MoveStatus.PROFILE:
        _step(move, MoveStatus.PRIORITY, _order(move), now)
    else:
        _step(move, MoveStatus.RESTART, Reset("idle"), now)


def _order(move: NetworkMove) -> SetVariables:
    return SetVariables([{"component": CONTROLLER, "variable": PRIORITY, "value": move.priority}])


def _step(move: NetworkMove, status: MoveStatus, command: commands.Command, now: datetime, waits: int | None = None) -> None:
    reason = "The next step to another network profile."
    try:
        row = life.issue(station=move.station, command=command, user=move.requested_by, reason=reason, expires_in=waits)
    except BadCommand as error:
        _finish(move, MoveStatus.FAILED, str(error), now)
        return
    _next(move, status, row, now)


def _next(move: NetworkMove, status: MoveStatus, row: models.Command | None, now: datetime, **more: datetime) -> None:
    NetworkMove.objects.filter(pk=move.pk).update(status=status, command=row, due_at=now + LOOK, **more)
    _ring(move)


def _watch(move: NetworkMove, now: datetime) -> None:
    """Whether it has come back since its restart, and by which slot; and after a while that it has not."""
    restarted_at = move.restarted_at or move.created_at
    connection = Connection.objects.filter(station=move.station_id).first()
    # A line that only broke off is no restart.
    times = (connection.connected_at if connection else None, move.station.booted_at)
    if move.command is not None:
        _came(move, move.command, now)
    elif all(at is not None and at > restarted_at for at in times):
        # A station that falls back on its old slot comes back here, too (B10).
        asked = GetVariables([{"component": CONTROLLER, "variable": ACTIVE}])
        _step(move, MoveStatus.WATCHING, asked, now, waits=int(AWAY.total_seconds()))
    elif now < restarted_at + AWAY or not _left(connection, now):
        # One that waits for its cars to leave has not restarted yet.
        NetworkMove.objects.filter(pk=move.pk).update(due_at=now + LOOK)
    else:
        _finish(move, MoveStatus.GONE if move.away else MoveStatus.LOST, "", now)


def _came(move: NetworkMove, asked: models.Command, now: datetime) -> None:
    """It is back, and was asked by which slot."""
    if asked.finished_at is None:
        NetworkMove.objects.filter(pk=move.pk).update(due_at=now + LOOK)
        return
    told = active_slot(move.station) if asked.status == CommandStatus.CONFIRMED else ""
    move.came_by = int(told) if SLOT.match(told) else None
    came_here = move.came_by in (move.slot, None) and not move.away
    detail = NO_SLOT if came_here and move.came_by is None else ""
    _finish(move, MoveStatus.ARRIVED if came_here else MoveStatus.RETURNED, detail, now)


def _left(connection: Connection | None, now: datetime) -> bool:
    silent = connection is None or connection.seen_at is None or connection.seen_at < now - AWAY
    return silent or (connection is not None and connection.disconnected_at is not None)


def _finish(move: NetworkMove, status: MoveStatus, detail: str, now: datetime) -> None:
    said = detail or SAID.get(status, "")
    ended = {"status": status, "detail": said[:300], "finished_at": now, "came_by": move.came_by}
    NetworkMove.objects.filter(pk=move.pk).update(command=move.command, **ended)
    _ring(move)


def _ring(move: NetworkMove) -> None:
    operator_id, station_id = move.operator_id, move.station_id
    transaction.on_commit(lambda: ports.bell.changed(operator_id, stations=[station_id], transactions=[]))
