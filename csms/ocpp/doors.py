"""The doors: who comes, who goes, who was heard of, who was turned away. Many at once, each kind in a statement or two."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings

from accounts.models import Operator
from stations import ports
from stations.batch import clean
from stations.flush import Cursor
from stations.services import commandends, connections, passwords, registry, securityprofiles
from stations.services.connections import Admitted, Knock, Known, Refused

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Arrival:
    """Somebody knocks; `token` is the waiter's, given back with the verdict."""

    knock: Knock
    token: Any


@dataclass(frozen=True, slots=True)
class Departure:
    station_id: int
    fence: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class SignsOfLife:
    """(station id, fence, when) of sockets that were heard since it was last written."""

    signs: Sequence[tuple[int, int, datetime]]


@dataclass(frozen=True, slots=True)
class Turned:
    """Somebody was turned away without asking the database for a verdict."""

    knock: Knock
    refused: Refused


Door = Arrival | Departure | SignsOfLife | Turned
Verdict = Admitted | Refused


@dataclass(slots=True)
class Attended:
    """What came of it, once it is committed. `forgotten`: stations whose state in memory is no longer theirs."""

    verdicts: list[tuple[Any, Verdict]] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    fenced: list[tuple[int, int]] = field(default_factory=list)
    changed: list[tuple[int, int]] = field(default_factory=list)
    #: Operators who have somebody more that was turned away.
    watching: set[int] = field(default_factory=set)
    #: Who has to wait, since somebody has locked the rows of the station.
    held: list[tuple[int, Arrival | Departure]] = field(default_factory=list)

    def ring(self) -> None:
        """After the commit: older sockets are to be closed, and pages show who is there."""
        for station_id, fence in self.fenced:
            ports.bell.fenced(station_id, fence)
        for operator_id, station_id in self.changed:
            ports.bell.changed(operator_id, stations=[station_id], transactions=[])
        for operator_id in self.watching:
            ports.bell.changed(operator_id, stations=[], transactions=[])


def attend(cursor: Cursor, items: Sequence[Door], *, node: str, now: datetime) -> Attended:
    """Write down who was heard of and who has gone, and judge who comes. Within a transaction of the caller's."""
    attended = Attended()
    signs = [sign for item in items if isinstance(item, SignsOfLife) for sign in item.signs]
    gone = [item for item in items if isinstance(item, Departure)]
    arrivals = [item for item in items if isinstance(item, Arrival)]
    known = connections.known_stations(cursor, [a.knock.identity for a in arrivals]) if arrivals else {}
    concerned = {one[0] for one in signs} | {one.station_id for one in gone} | {one.station_id for one in known.values()}
    held = connections.lock(cursor, concerned) if concerned else set()
    # A sign of life that is left out is followed by the next one long before the lease is over.
    if heard := [sign for sign in signs if sign[0] not in held]:
        connections.seen(cursor, heard)
    attended.held += [(item.station_id, item) for item in gone if item.station_id in held]
    ends = [(i.station_id, i.fence, i.code, clean(i.reason)) for i in gone if i.station_id not in held]
    for station_id, operator_id in connections.left(cursor, ends, now=now) if ends else []:
        attended.forgotten.append(station_id)
        attended.changed.append((operator_id, station_id))
    turned = [(item.knock, item.refused) for item in items if isinstance(item, Turned)]
    welcome: dict[int, tuple[Arrival, Known]] = {}
    for arrival in arrivals:
        station = known.get(arrival.knock.identity)
        refusal = connections.judge(arrival.knock, station)
        if refusal is not None or station is None:
            refusal = refusal or connections.UNKNOWN
            turned.append((arrival.knock, refusal))
            attended.verdicts.append((arrival.token, refusal))
            continue
        if station.station_id in held:
            attended.held.append((station.station_id, arrival))
            continue
        if station.station_id in welcome:
            # Two knocked in the same moment: only the later one counts.
            attended.verdicts.append((welcome[station.station_id][0].token, connections.REPLACED))
        welcome[station.station_id] = (arrival, station)
    if welcome:
        _admit(cursor, welcome, attended, node=node, now=now)
    if turned:
        operators = connections.known_stations(cursor, [knock.identity for knock, _ in turned])
        refusals = [(knock, refusal, operators.get(knock.identity)) for knock, refusal in turned]
        attended.watching = connections.refused(cursor, refusals, now=now, clean=clean)
    return attended


def _admit(cursor: Cursor, welcome: dict[int, tuple[Arrival, Known]], attended: Attended, *, node: str, now: datetime) -> None:
    fences = connections.take_over(cursor, {pk: arrival.knock for pk, (arrival, _) in welcome.items()}, node=node, now=now)
    # What an older socket had asked will not be answered any more.
    commandends.orphan(cursor, list(welcome), now=now)
    changing = {
        station_id: connections.uses_new(arrival.knock, station)
        for station_id, (arrival, station) in welcome.items()
        if station.new_hash
    }
    if changing:
        passwords.shown(cursor, changing, now=now)
    higher = {pk: profile for pk, (arrival, station) in welcome.items() if (profile := connections.climbed(arrival.knock, station))}
    if higher:
        securityprofiles.reached(cursor, higher)
    for station_id, (arrival, station) in welcome.items():
        fence = fences[station_id]
        attended.forgotten.append(station_id)
        attended.fenced.append((station_id, fence))
        attended.changed.append((station.operator_id, station_id))
        admitted = Admitted(
            station_id, station.operator_id, arrival.knock.identity, fence, station.heartbeat_interval_s, station.accepted
        )
        attended.verdicts.append((arrival.token, admitted))


def register_unknown(cursor: Cursor, items: Sequence[Door]) -> None:
    """CSMS_ACCEPT_UNKNOWN: an unknown station is registered with the credentials it brings. Outside a transaction."""
    knocks = {item.knock.identity: item.knock for item in items if isinstance(item, Arrival) and item.knock.identity}
    if not knocks:
        return
    known = connections.known_stations(cursor, list(knocks))
    strangers = [knock for identity, knock in knocks.items() if identity not in known]
    operator = Operator.objects.filter(name=settings.ACCEPT_UNKNOWN).first() if strangers else None
    if strangers and operator is None:
        log.error("CSMS_ACCEPT_UNKNOWN names no operator", operator=settings.ACCEPT_UNKNOWN)
    for knock in strangers if operator else ():
        assert operator is not None
        registry.add_as_it_comes(operator=operator, identity=knock.identity, password=knock.credentials and knock.credentials[1])
