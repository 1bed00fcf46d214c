"""What handlers need to know beyond the station's state, asked for all messages of a batch at once.

An event says what it needs (`Need`s); `load` answers all needs of a kind in one statement. Handlers add what they make, so
that a later message of the same batch finds it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from stations import limits, ports
from stations.domain.places import Held
from stations.flush import Cursor, beside
from stations.limits import Known
from stations.state import BESIDE, COLUMNS, TransactionState, transaction_of


@dataclass(frozen=True, slots=True)
class TokenNeed:
    """The id tokens of an operator with this key (upper case)."""

    operator_id: int
    key: str


@dataclass(frozen=True, slots=True)
class TransactionNeed:
    """The transaction of a station with this OCPP transaction id, if it is not open (open ones are in the state)."""

    station_id: int
    ocpp_id: str


@dataclass(frozen=True, slots=True)
class StartNeed:
    """The transaction of a station that began with this start key."""

    station_id: int
    start_key: str


@dataclass(frozen=True, slots=True)
class StopNeed:
    """Whether a transaction of a station ended at this time (by the station's clock) with this register, whatever it is called."""

    station_id: int
    at: datetime
    meter_stop_wh: Decimal | None


@dataclass(frozen=True, slots=True)
class ReportNeed:
    """The newest report of this kind that a station was asked for with this number."""

    station_id: int
    kind: str
    request_id: int


@dataclass(frozen=True, slots=True)
class MonitorNeed:
    """The monitor of a station with this number."""

    station_id: int
    monitor_id: int


@dataclass(frozen=True, slots=True)
class AlertNeed:
    """The open alerts of a station about this variable."""

    station_id: int
    place: str


@dataclass(frozen=True, slots=True)
class PriceNeed:
    """What charging costs in an operator's network."""

    operator_id: int


@dataclass(frozen=True, slots=True)
class DisplayNeed:
    """The messages that a station is to show."""

    station_id: int


@dataclass(frozen=True, slots=True)
class LimitsNeed:
    """All that limits a station. For messages that come seldom; `held`: only the profiles it holds, for a boot."""

    station_id: int
    held: bool = False


Need = (
    TokenNeed | TransactionNeed | StartNeed | StopNeed | ReportNeed | MonitorNeed | AlertNeed | PriceNeed | DisplayNeed | LimitsNeed
)


@dataclass(slots=True)
class FoundToken:
    """`open_at`: the stations at which the token has an open transaction, one entry a transaction. `language`: its driver's, if it
    is one's (`of_driver`). What follows is what its group says (`stations.models.GroupTerms`); `held`: and what it is held to
    itself (`TokenTerms`)."""

    id: int
    value: str
    type: str
    status: str
    expires_at: datetime | None
    group: str | None
    open_at: list[int] = field(default_factory=list)
    language: str = ""
    group_id: int | None = None
    of_driver: bool = False
    priority: int | None = None
    only_stops: bool = False
    held: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """`report` as in its row."""

    id: int
    number: int
    priority: str
    state: str
    report: int | None


@dataclass(slots=True)
class FoundReport:
    """A report as its row has it; whoever keeps a page of it changes both."""

    id: int
    pages: list[list[int]]
    last_page: int | None
    items: int
    finished: bool
    about: dict[str, Any]
    created_at: datetime
    parts: list[list[Any]] = field(default_factory=list)


@dataclass(slots=True)
class FoundMonitor:
    id: int
    severity: int
    origin: str
    known: bool


@dataclass(slots=True)
class OpenAlert:
    id: int
    monitor_id: int | None
    since: datetime
    event_id: int
    at: datetime


@dataclass(slots=True)
class Lookups:
    tokens: dict[TokenNeed, list[FoundToken]] = field(default_factory=dict)
    transactions: dict[TransactionNeed, TransactionState] = field(default_factory=dict)
    starts: dict[StartNeed, TransactionState] = field(default_factory=dict)
    stops: set[StopNeed] = field(default_factory=set)
    reports: dict[ReportNeed, FoundReport] = field(default_factory=dict)
    monitors: dict[MonitorNeed, FoundMonitor] = field(default_factory=dict)
    alerts: dict[AlertNeed, list[OpenAlert]] = field(default_factory=dict)
    prices: Mapping[int, ports.PriceBook] = field(default_factory=dict)
    displays: dict[DisplayNeed, list[FoundMessage]] = field(default_factory=dict)
    #: By station; only of those that something limits.
    limits: dict[int, Known] = field(default_factory=dict)


TOKENS = """
SELECT t.operator_id, t.key, t.id, t.value, t.type, t.status, t.expires_at, g.name,
       ARRAY(SELECT x.station_id FROM stations_transaction x WHERE x.id_token_id = t.id AND x.status = 'active' LIMIT 50),
       coalesce(u.language, ''), t.group_id, t.driver_id IS NOT NULL, k.priority, coalesce(k.only_stops, false),
       CASE WHEN coalesce(k.places, k.connector_types, o.places, o.connector_types) IS NOT NULL
       THEN json_build_array(k.places, k.connector_types, o.places, o.connector_types)::text END
FROM unnest(%s::bigint[], %s::text[]) AS n(operator_id, key)
JOIN accounts_idtoken t ON t.operator_id = n.operator_id AND t.key = n.key
LEFT JOIN accounts_idtokengroup g ON g.id = t.group_id
LEFT JOIN stations_groupterms k ON k.group_id = t.group_id
LEFT JOIN stations_tokenterms o ON o.token_id = t.id
LEFT JOIN accounts_user u ON u.id = t.driver_id
ORDER BY t.id
"""
BY_ID = f"""
SELECT n.station_id, n.value, {COLUMNS}
FROM unnest(%s::bigint[], %s::text[]) AS n(station_id, value)
JOIN stations_transaction t ON t.station_id = n.station_id AND t.ocpp_transaction_id = n.value
{BESIDE}
"""
BY_START = f"""
SELECT n.station_id, n.value, {COLUMNS}
FROM unnest(%s::bigint[], %s::text[]) AS n(station_id, value)
JOIN stations_transaction t ON t.station_id = n.station_id AND t.start_key = n.value
{BESIDE}
"""

# Apart, since no plan uses the two indexes together.
BY_STOP = """
WITH n AS (SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::numeric[]) AS n(station_id, at, meter_stop_wh))
SELECT n.station_id, n.at, n.meter_stop_wh FROM n
JOIN stations_transaction t ON t.station_id = n.station_id AND t.stopped_at = n.at AND t.meter_stop_wh = n.meter_stop_wh
UNION
SELECT n.station_id, n.at, n.meter_stop_wh FROM n
JOIN stations_transaction t ON t.station_id = n.station_id AND t.station_stopped_at = n.at AND t.meter_stop_wh = n.meter_stop_wh
"""
DISPLAYS = """
SELECT station_id, id, number, priority, state, report FROM stations_displaymessage
WHERE station_id = ANY(%s) AND removed_at IS NULL
"""

REPORTS = """
SELECT n.station_id, n.kind, n.request_id, r.command_id, r.pages, r.last_page, r.items, r.finished_at IS NOT NULL, r.about,
       r.created_at, r.parts
FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS n(station_id, kind, request_id)
CROSS JOIN LATERAL ((
    SELECT * FROM stations_report r WHERE r.station_id = n.station_id AND r.request_id = n.request_id AND r.kind = n.kind
    ORDER BY r.command_id DESC LIMIT 1
) UNION ALL (
    SELECT * FROM stations_report r WHERE r.station_id = n.station_id AND r.finished_at IS NULL AND r.kind = n.kind AND EXISTS (
        SELECT FROM jsonb_array_elements(r.parts) p WHERE (p->>0)::bigint = n.request_id) LIMIT 1
) LIMIT 1) r
"""
MONITORS = """
SELECT m.station_id, m.monitor_id, m.id, m.severity, m.origin, m.known
FROM unnest(%s::bigint[], %s::int[]) AS n(station_id, monitor_id)
JOIN stations_monitor m ON m.station_id = n.station_id AND m.monitor_id = n.monitor_id
"""
ALERTS = """
SELECT e.station_id, e.place, e.id, e.monitor_id, e.since, e.event_id, e.at
FROM unnest(%s::bigint[], %s::text[]) AS n(station_id, place)
JOIN stations_monitorevent e ON e.station_id = n.station_id AND e.place = n.place AND e.open
ORDER BY e.id
"""


def load(cursor: Cursor, needs: Iterable[Need]) -> Lookups:
    """Answer all needs, in one statement for each kind that occurs; they are asked together."""
    wanted = set(needs)
    found = Lookups()
    if not wanted:
        return found
    tokens = [n for n in wanted if isinstance(n, TokenNeed)]
    by_id = [n for n in wanted if isinstance(n, TransactionNeed)]
    by_start = [n for n in wanted if isinstance(n, StartNeed)]
    by_stop = [n for n in wanted if isinstance(n, StopNeed)]
    reports = [n for n in wanted if isinstance(n, ReportNeed)]
    monitors = [n for n in wanted if isinstance(n, MonitorNeed)]
    alerts = [n for n in wanted if isinstance(n, AlertNeed)]
    displays = [n for n in wanted if isinstance(n, DisplayNeed)]
    cursors = [beside(cursor) for _ in range(8)]
    with cursor.connection.pipeline():
        if tokens:
            cursors[0].execute(TOKENS, ([n.operator_id for n in tokens], [n.key for n in tokens]))
        if by_id:
            cursors[1].execute(BY_ID, ([n.station_id for n in by_id], [n.ocpp_id for n in by_id]))
        if by_start:
            cursors[2].execute(BY_START, ([n.station_id for n in by_start], [n.start_key for n in by_start]))
        if by_stop:
            stops = [n.station_id for n in by_stop], [n.at for n in by_stop], [n.meter_stop_wh for n in by_stop]
            cursors[3].execute(BY_STOP, stops)
        if reports:
            asked = [n.station_id for n in reports], [n.kind for n in reports], [n.request_id for n in reports]
            cursors[4].execute(REPORTS, asked)
        if monitors:
            cursors[5].execute(MONITORS, ([n.station_id for n in monitors], [n.monitor_id for n in monitors]))
        if alerts:
            cursors[6].execute(ALERTS, ([n.station_id for n in alerts], [n.place for n in alerts]))
        if displays:
            cursors[7].execute(DISPLAYS, ([n.station_id for n in displays],))
    for row in cursors[0].fetchall() if tokens else ():
        token = FoundToken(*row[2:-1])
        if row[-1]:
            of_group, kinds, own, own_kinds = orjson.loads(row[-1])
            token.held = tuple(filter(None, (Held.read(of_group, kinds), Held.read(own, own_kinds))))
        found.tokens.setdefault(TokenNeed(row[0], row[1]), []).append(token)
    found.transactions = {
        TransactionNeed(row[0], row[1]): transaction_of(row[2:]) for row in (cursors[1].fetchall() if by_id else ())
    }
    found.starts = {StartNeed(row[0], row[1]): transaction_of(row[2:]) for row in (cursors[2].fetchall() if by_start else ())}
    limited = {n for n in wanted if isinstance(n, LimitsNeed)}
    for held in (True, False):  # what knows more takes the place of what knows less
        if stations := sorted({n.station_id for n in limited if n.held is held}):
            found.limits |= limits.load(cursor, stations, held=held)
    found.stops = {StopNeed(*row) for row in (cursors[3].fetchall() if by_stop else ())}
    one_of: dict[int, FoundReport] = {}
    for station_id, kind, request_id, pk, pages, last_page, items, finished, about, created_at, parts in (
        cursors[4].fetchall() if reports else ()
    ):
        # On Django's connections JSON comes as text. Several numbers may lead to one report.
        came, asked_for, more = orjson.loads(pages), orjson.loads(about), orjson.loads(parts)
        report = FoundReport(pk, came, last_page, items, finished, asked_for, created_at, more)
        found.reports[ReportNeed(station_id, kind, request_id)] = one_of.setdefault(pk, report)
    found.monitors = {MonitorNeed(*row[:2]): FoundMonitor(*row[2:]) for row in (cursors[5].fetchall() if monitors else ())}
    for row in cursors[6].fetchall() if alerts else ():
        found.alerts.setdefault(AlertNeed(*row[:2]), []).append(OpenAlert(*row[2:]))
    for row in cursors[7].fetchall() if displays else ():
        found.displays.setdefault(DisplayNeed(row[0]), []).append(FoundMessage(*row[1:]))
    if priced := {n.operator_id for n in wanted if isinstance(n, PriceNeed)}:
        found.prices = ports.prices(cursor, priced)
    return found
