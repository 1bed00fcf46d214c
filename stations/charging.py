"""What a driver sees of the network: a plug before anything is pressed, what they charge and charged, and what came of a start."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import DateTimeField, Q, QuerySet, Value
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts.models import FormerIdTag, IdToken, IdTokenStatus, User
from stations import selectors
from stations.domain.values import ConnectorStatus, TransactionStatus
from stations.models import Command, CommandStatus, Connector, Evse, Reservation, ReservationStatus, Station, Transaction
from stations.models.command import OPEN

#: States in which a plug may be started: the car may be plugged in first, or still be from before.
STARTABLE = (ConnectorStatus.AVAILABLE, ConnectorStatus.PREPARING, ConnectorStatus.FINISHING)
#: How a start may end after which a session begins all the same, and how long after it at most.
LATE, LATE_BY = (CommandStatus.TIMED_OUT, CommandStatus.NO_EFFECT), timedelta(minutes=10)
#: What a start may have come to of which there is a session.
BEGUN = (CommandStatus.SENT, CommandStatus.ACCEPTED, CommandStatus.CONFIRMED, *LATE)
#: An EVSE of several connectors is in the first of these states that one of them is in.
_ORDER = (
    selectors.OFFLINE,
    ConnectorStatus.CHARGING,
    ConnectorStatus.SUSPENDED_EV,
    ConnectorStatus.SUSPENDED_EVSE,
    ConnectorStatus.OCCUPIED,
    ConnectorStatus.FINISHING,
    ConnectorStatus.PREPARING,
    ConnectorStatus.RESERVED,
    ConnectorStatus.AVAILABLE,
    ConnectorStatus.UNAVAILABLE,
    ConnectorStatus.FAULTED,
)


class Tag(NamedTuple):
    """An id tag as a station is told it."""

    value: str
    type: str


@dataclass(frozen=True, slots=True)
class Plug:
    """An EVSE as a driver sees it. `state`: one of ConnectorStatus, or selectors.OFFLINE.

    `session` runs at it, `mine` if it is the driver's; `starting` is the driver's own start that is under way, `claimed` says
    that somebody else's is. `others`: the numbers of the station's other plugs that are free now.
    """

    station: Station
    evse: Evse
    connectors: list[Connector]
    state: str
    session: Transaction | None
    mine: bool
    starting: Command | None
    claimed: bool
    others: list[int]
    #: The id tag with which the driver may start where it is reserved: theirs, for which or for whose group it is kept.
    kept_for: "Tag | None" = None

    @property
    def free(self) -> bool:
        """Whether it can be started now."""
        startable = self.state in STARTABLE or self.kept_for is not None
        return startable and self.session is None and not self.claimed


def plug(identity: str, evse: int, *, driver: User | None = None) -> Plug | None:
    """A plug by the code on it, whoever's network it is in; None: there is none. Needs no scope: the code leads to the network."""
    with scopes_disabled():
        found = (
            Evse.objects.select_related("station__site", "station__operator")
            .filter(station__identity=identity, number=evse)
            .first()
        )
    if found is None:
        return None
    with scope(operator=found.station.operator_id):
        # Of an EVSE that was metered and never told its status nobody knows what plugs it has.
        return next((one for one in plugs([found.station], driver=driver) if one.evse.number == evse), None)


def plugs(stations: Sequence[Station], *, driver: User | None = None) -> list[Plug]:
    """The plugs of stations of the network in scope, in their order. Four queries, however many; six if one is reserved."""
    pks = {station.pk: station for station in stations}
    by_evse: dict[int, list[Connector]] = {}
    evses: dict[int, Evse] = {}
    for connector in selectors.connectors(stations=list(pks)).order_by("evse__number", "number"):
        connector.evse.station = pks[connector.evse.station_id]
        by_evse.setdefault(connector.evse_id, []).append(connector)
        evses[connector.evse_id] = connector.evse
    active = Transaction.objects.filter(station__in=pks, status=TransactionStatus.ACTIVE).order_by("id")
    sessions = {one.evse_id: one for one in active}  # of several at one plug the newest
    starts = Command.objects.filter(station__in=pks, status__in=OPEN, kind="remote_start").order_by("-id")
    asked = {(start.station_id, start.params.get("evse")): start for start in reversed(list(starts))}
    own = _held(driver) if driver else []
    states = {pk: _state(evses[pk].station, connectors) for pk, connectors in by_evse.items()}
    kept = _kept(driver, list(pks)) if driver and ConnectorStatus.RESERVED in states.values() else {}
    found = []
    for pk, connectors in by_evse.items():
        evse, session = evses[pk], sessions.get(pk)
        start = asked.get((evse.station_id, evse.number))
        own_start = start is not None and driver is not None and start.requested_by_id == driver.pk
        others = [
            other.number
            for other in evses.values()
            if other.station_id == evse.station_id
            and other.pk != pk
            and states[other.pk] == ConnectorStatus.AVAILABLE
            and other.pk not in sessions
            and (other.station_id, other.number) not in asked
        ]
        found.append(
            Plug(
                *(evse.station, evse, connectors, states[pk], session),
                mine=session is not None and any(held.has(session) for held in own),
                starting=start if own_start else None,
                claimed=start is not None and not own_start,
                others=others,
                kept_for=_for(kept, evse) if states[pk] == ConnectorStatus.RESERVED else None,
            )
        )
    place = {pk: number for number, pk in enumerate(pks)}
    return sorted(found, key=lambda one: (place[one.station.pk], one.evse.number))


def _kept(driver: User, stations: list[int]) -> dict[tuple[int, int | None], Tag]:
    """The id tags of a driver that may start what is reserved at stations, by station and plug; None is whichever: the tag it is
    kept for, else one of the group it is kept for (OCPP 2.0.1 H03)."""
    tags = IdToken.objects.filter(driver=driver, status=IdTokenStatus.ACCEPTED, group__isnull=False).select_related("group")
    tags = tags.exclude(expires_at__lte=timezone.now()).order_by("-pk")
    of_group = {one.group.name.upper(): Tag(one.value, one.type) for one in tags if one.group}
    found = Reservation.objects.filter(station__in=stations, status=ReservationStatus.ACTIVE).select_related("id_token")
    rows = [((one.station_id, one.evse_number), one) for one in found.order_by("-id")]
    groups = {at: of_group[one.group.upper()] for at, one in rows if one.group.upper() in of_group}
    own = {at: Tag(one.id_tag, one.id_token_type) for at, one in rows if one.id_token and one.id_token.driver_id == driver.pk}
    return groups | own


def _for(kept: dict[tuple[int, int | None], Tag], evse: Evse) -> Tag | None:
    return kept.get((evse.station_id, evse.number)) or kept.get((evse.station_id, None))


def _state(station: Station, connectors: Sequence[Connector]) -> str:
    if station.accepted_at is None:
        return selectors.OFFLINE  # it may not be asked to start
    shown = {str(connector.shown) for connector in connectors}  # type: ignore[attr-defined]  # annotated by the selector
    return next((str(state) for state in _ORDER if state in shown), str(ConnectorStatus.UNAVAILABLE))


def tokens(driver: User) -> QuerySet[IdToken]:
    """The driver's id tags: the one made for them, and those the operator gave them."""
    with scope(operator=driver.operator_id or []):
        return IdToken.objects.filter(driver=driver).order_by("pk")


class _Held(NamedTuple):
    """An id tag of a driver, and from when and until when it was theirs, if not from the first and still."""

    token: int
    since: datetime | None
    until: datetime | None

    @property
    def sessions(self) -> Q:
        found = Q(id_token=self.token)
        if self.since is not None:
            found &= Q(started_at__gte=self.since)
        if self.until is not None:
            found &= Q(started_at__lt=self.until)
        return found

    def has(self, session: Transaction) -> bool:
        after = self.since is None or session.started_at >= self.since
        return session.id_token_id == self.token and after and (self.until is None or session.started_at < self.until)


def _held(driver: User) -> list[_Held]:
    with scope(operator=driver.operator_id or []):
        still = Value(None, output_field=DateTimeField())
        now = tokens(driver).order_by().values_list("pk", "driver_since", still)
        former = FormerIdTag.objects.filter(driver=driver).order_by().values_list("token", "since", "until")
        return [_Held(*row) for row in now.union(former, all=True)]


def history(driver: User) -> QuerySet[Transaction]:
    """What the driver charges and has charged; the newest has the highest id."""
    whose = Q(pk__in=[])
    for held in _held(driver):
        whose |= held.sessions
    with scope(operator=driver.operator_id or []):
        return Transaction.objects.filter(whose).select_related("station__site", "site", "evse").order_by("-id")


def running(driver: User) -> list[Transaction]:
    """What the driver charges now, the newest first."""
    return list(history(driver).filter(status=TransactionStatus.ACTIVE)[:20])


@dataclass(frozen=True, slots=True)
class Start:
    """What came of a start. `state`: "asking" the charger, "plug_in" until `until` (it waits for the car), "charging" (or charged:
    `session` says), "failed". Of a stop: "asking", "stopped", "failed".

    `because` is the charger's own word for its refusal, if it gave one.
    """

    command: Command
    state: str
    until: datetime | None = None
    session: Transaction | None = None
    because: str = ""


def starts(driver: User) -> QuerySet[Command]:
    """What the driver asked of stations."""
    with scope(operator=driver.operator_id or []):
        return Command.objects.filter(requested_by=driver).select_related("station")


def follow(command: Command, *, driver: User) -> Start:
    """What came so far of a start, or a stop, that a driver asked for."""
    if command.kind == "remote_stop":
        return _follow_stop(command, driver)
    if command.status in BEGUN:
        # The first that began since it was asked: after an answer that was lost, or a car that came late, only if soon.
        began = history(driver).filter(station=command.station_id, evse__number=command.params.get("evse"))
        began = began.filter(received_at__gte=command.created_at)
        if command.status in LATE and command.finished_at is not None:
            began = began.filter(received_at__lte=command.finished_at + LATE_BY)
        session = began.last()
        if session is not None or command.status == CommandStatus.CONFIRMED:
            return Start(command, "charging", session=session)
    if command.status == CommandStatus.ACCEPTED:
        return Start(command, "plug_in", until=command.effect_due_at)
    return _open_or_failed(command)


def _follow_stop(command: Command, driver: User) -> Start:
    sessions = history(driver).filter(station=command.station_id, ocpp_transaction_id=command.params.get("transaction"))
    session = sessions.first()
    if command.status == CommandStatus.CONFIRMED or (session and session.status == TransactionStatus.ENDED):
        return Start(command, "stopped", session=session)
    return _open_or_failed(command, session)


def _open_or_failed(command: Command, session: Transaction | None = None) -> Start:
    if command.status in OPEN:
        until = command.effect_due_at if command.status == CommandStatus.ACCEPTED else command.expires_at
        return Start(command, "asking", until, session)
    return Start(command, "failed", None, session, command.detail if command.status == CommandStatus.REJECTED else "")
