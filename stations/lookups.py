"""What handlers need to know beyond the station's state, asked for all messages of a batch at once.

An event says what it needs (`Need`s); `load` answers all needs of a kind in one statement. Handlers add what they make, so
that a later message of the same batch finds it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from stations import limits
from stations.flush import Cursor, beside
from stations.limits import Known
from stations.state import COLUMNS, TransactionState, transaction_of


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
class LimitsNeed:
    """All that limits a station. For messages that come seldom."""

    station_id: int


Need = TokenNeed | TransactionNeed | StartNeed | StopNeed | LimitsNeed


@dataclass(slots=True)
class FoundToken:
    """`open_at`: the stations at which the token has an open transaction, one entry a transaction."""

    id: int
    value: str
    type: str
    status: str
    expires_at: datetime | None
    group: str | None
    open_at: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Lookups:
    tokens: dict[TokenNeed, list[FoundToken]] = field(default_factory=dict)
    transactions: dict[TransactionNeed, TransactionState] = field(default_factory=dict)
    starts: dict[StartNeed, TransactionState] = field(default_factory=dict)
    stops: set[StopNeed] = field(default_factory=set)
    #: By station; only of those that something limits.
    limits: dict[int, Known] = field(default_factory=dict)


TOKENS = """
SELECT t.operator_id, t.key, t.id, t.value, t.type, t.status, t.expires_at, g.name,
       ARRAY(SELECT x.station_id FROM stations_transaction x WHERE x.id_token_id = t.id AND x.status = 'active' LIMIT 50)
FROM unnest(%s::bigint[], %s::text[]) AS n(operator_id, key)
JOIN accounts_idtoken t ON t.operator_id = n.operator_id AND t.key = n.key
LEFT JOIN accounts_idtokengroup g ON g.id = t.group_id
ORDER BY t.id
"""
BY_ID = f"""
SELECT n.station_id, n.value, {COLUMNS}
FROM unnest(%s::bigint[], %s::text[]) AS n(station_id, value)
JOIN stations_transaction t ON t.station_id = n.station_id AND t.ocpp_transaction_id = n.value
LEFT JOIN stations_evse e ON e.id = t.evse_id
"""
BY_START = f"""
SELECT n.station_id, n.value, {COLUMNS}
FROM unnest(%s::bigint[], %s::text[]) AS n(station_id, value)
JOIN stations_transaction t ON t.station_id = n.station_id AND t.start_key = n.value
LEFT JOIN stations_evse e ON e.id = t.evse_id
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
    cursors = [beside(cursor) for _ in range(4)]
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
    for row in cursors[0].fetchall() if tokens else ():
        found.tokens.setdefault(TokenNeed(row[0], row[1]), []).append(FoundToken(*row[2:]))
    found.transactions = {
        TransactionNeed(row[0], row[1]): transaction_of(row[2:]) for row in (cursors[1].fetchall() if by_id else ())
    }
    found.starts = {StartNeed(row[0], row[1]): transaction_of(row[2:]) for row in (cursors[2].fetchall() if by_start else ())}
    if stations := sorted({n.station_id for n in wanted if isinstance(n, LimitsNeed)}):
        found.limits = limits.load(cursor, stations)
    found.stops = {StopNeed(*row) for row in (cursors[3].fetchall() if by_stop else ())}
    return found
