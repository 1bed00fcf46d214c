"""Asking a station to keep a plug, giving that up, and what ends because nobody came. `reservation` follows what stations say."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import IdToken, User
from stations import models, ports
from stations.domain import commands
from stations.domain.commands import BadCommand, CancelReservation, ReserveNow
from stations.models import Reservation, ReservationStatus, Station, Variable
from stations.models.reservation import RESERVATION_OPEN
from stations.services import commandends, idtokens, registry
from stations.services import commands as life

#: A reservation further ahead than this is a mistake in the date: a plug is kept from now on, for nobody else to use.
FURTHEST = timedelta(days=2)
#: What stations call their ability to keep any plug: 1.6's key, and 2.x's variable of ReservationCtrlr.
ANY_PLUG = ("ReserveConnectorZeroSupported", "NonEvseSpecific")
#: Reservations that a sweep ends at once.
SWEPT = 500


def reserve(
    *,
    station: Station,
    command: ReserveNow,
    user: User | None = None,
    reason: str = "",
    expires_in: int | None = None,
    idempotency_key: str | None = None,
) -> Reservation:
    """Ask a station to keep a plug. Raises BadCommand with the cause if it cannot be."""
    command.check()
    row = life.issue(
        station=station, command=command, user=user, reason=reason, expires_in=expires_in, idempotency_key=idempotency_key
    )
    return Reservation.objects.select_related("station", "command", "requested_by").get(command=row)


def cancel(*, reservation: Reservation, user: User | None = None) -> models.Command | None:
    """Give a reservation up: a request that was not sent yet is taken back, else the station is asked. None: it has ended."""
    if reservation.status == ReservationStatus.REQUESTED and reservation.command is not None:
        if commandends.cancel(command=reservation.command):
            return reservation.command
        reservation.refresh_from_db()
    if reservation.status not in RESERVATION_OPEN:
        return None
    asked = models.Command.objects.filter(
        station=reservation.station_id,
        kind=CancelReservation.kind,
        status__in=models.command.OPEN,
        params__reservation=reservation.number,
    )
    return asked.first() or life.issue(station=reservation.station, command=CancelReservation(reservation.number), user=user)


def made(row: models.Command, station: Station, command: commands.Command) -> None:
    """The reservation that a command asks for. What is sent as it was written is the station's to judge."""
    assert isinstance(command, ReserveNow)
    now = row.created_at
    # No two at once, of a station or of a driver.
    registry.bump(station.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"reserve {station.operator_id} {command.id_token.upper()}"]
        )
    token = idtokens.named(station, command)
    number = life.number_of(row.pk) if command.reservation is None else command.reservation
    expires_at = datetime.fromisoformat(command.expires_at)
    group = command.group
    if "raw" not in row.facts:
        _check(station, command, token, number, expires_at, now)
        group = idtokens.say_group(row, command, token)
        row.save(update_fields=["facts"])
    Reservation.objects.create(
        operator_id=station.operator_id,
        station=station,
        number=number,
        evse_number=command.evse,
        connector_type=command.connector_type,
        id_tag=command.id_token,
        id_key=command.id_token.upper(),
        id_token_type=command.id_token_type,
        id_token=token,
        group=group,
        expires_at=expires_at,
        command=row,
        requested_by=row.requested_by,
        created_at=now,
    )


def _check(station: Station, command: ReserveNow, token: IdToken | None, number: int, expires_at: datetime, now: datetime) -> None:
    if expires_at <= now:
        raise BadCommand("expires_at is in the past: choose a time from now on.")
    if expires_at > now + FURTHEST:
        raise BadCommand(
            "expires_at is more than %(hours)s hours ahead; a plug is kept from now on, so choose an earlier time.",
            hours=int(FURTHEST.total_seconds() / 3600),
        )
    if command.evse is None:
        _check_any(station)
    same = Q(station=station, number=number)
    others = Reservation.objects.filter(operator_id=station.operator_id, status__in=RESERVATION_OPEN, expires_at__gt=now)
    others = others.exclude(same)
    if command.evse is not None:
        taken = others.filter(station=station, evse_number=command.evse).first()
        if taken is not None:
            raise BadCommand(
                "evse %(evse)s of %(station)s is reserved already until %(until)s (reservation %(number)s): "
                "cancel that first, or choose another plug.",
                **{"evse": command.evse, "station": station.identity, "until": _time(taken.expires_at), "number": taken.number},
            )
    whose = Q(id_key=command.id_token.upper())
    if token is not None and token.driver_id is not None:
        whose |= Q(id_token__driver=token.driver_id)
    held = others.filter(whose).select_related("station").first()
    if held is not None:
        raise BadCommand(
            "id_token %(tag)s has reserved already, at %(station)s until %(until)s (reservation %(number)s): cancel that first.",
            **{"tag": command.id_token, "station": held.station.identity, "until": _time(held.expires_at), "number": held.number},
        )


def _check_any(station: Station) -> None:
    """Whether the station keeps any plug (1.6 5.13: only with ReserveConnectorZeroSupported). One that told nothing is asked.

    One that has changed its version keeps what it told before: what is of a component, as the newest is, or of none, counts.
    """
    told = Variable.objects.filter(station=station, attribute="Actual", known=True)
    newest = told.order_by(F("reported_at").desc(nulls_last=True), "-pk").values_list("component", flat=True).first()
    told = told.filter(component="") if newest == "" else told.exclude(component="")
    said = {one.variable: (one.value or "").lower() for one in told.filter(variable__in=ANY_PLUG)}
    if "true" not in said.values() and (said or newest == ""):
        raise BadCommand(
            "evse must be named: %(station)s cannot reserve whichever plug is free (%(setting)s is not true).",
            station=station.identity,
            setting=next(iter(said), ANY_PLUG[0]),
        )


def _time(at: datetime) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M")


def sweep(*, now: datetime) -> int:
    """End the reservations whose time is over: not every version tells of it. Idempotent; returns how many ended."""
    due = Reservation.objects.filter(status__in=RESERVATION_OPEN, expires_at__lte=now)
    stations = sorted(set(due.order_by("expires_at").values_list("station_id", flat=True)[:SWEPT]))
    return sum(_expire(station_id, now) for station_id in stations)


@transaction.atomic
def _expire(station_id: int, now: datetime) -> int:
    registry.bump(station_id)
    due = Reservation.objects.filter(station=station_id, status__in=RESERVATION_OPEN, expires_at__lte=now)
    operator_id = due.values_list("operator_id", flat=True).first()
    ended = due.update(status=ReservationStatus.EXPIRED, finished_at=now)
    if operator_id is not None:
        transaction.on_commit(lambda: ports.bell.changed(operator_id, stations=[station_id], transactions=[]))
    return ended


def kept(stations: Iterable[int]) -> dict[tuple[int, int], Reservation]:
    """What is kept at these stations, by station and plug."""
    found = Reservation.objects.filter(station__in=list(stations), status=ReservationStatus.ACTIVE, evse_number__isnull=False)
    return {(one.station_id, one.evse_number or 0): one for one in found.select_related("id_token").order_by("-id")}
