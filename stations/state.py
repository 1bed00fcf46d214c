"""`StationState`: what a station's messages need to know, held in memory by the process that holds its socket.

It mirrors rows. The batch that changes a row changes the state with it; whoever else changes one of these rows bumps
`Connection.state_version` in the same transaction, and the batch reloads. A batch that fails throws its states away.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import psycopg
from django.utils.timezone import get_default_timezone_name

from stations.courses import Course
from stations.domain.quirks import About, Make
from stations.domain.showing import COMPONENTS, KEYS, Showing
from stations.domain.times import Clock
from stations.domain.values import ConnectorStatus, Registration


@dataclass(slots=True)
class ConnectorState:
    id: int
    number: int
    status: ConnectorStatus
    status_at: datetime | None
    #: OCPP 2.0.1 ConnectorEnumType; empty: nobody has said.
    type: str = ""


@dataclass(slots=True)
class EvseState:
    id: int
    number: int
    connectors: dict[int, ConnectorState] = field(default_factory=dict)


@dataclass(slots=True)
class TransactionState:
    """A transaction that is open, or one looked up because a message names it. Energies are register values in Wh.

    `floating`: its first and last registers come from its readings, in whatever order they arrive (2.x); otherwise the start
    said the first. `sequences`: the numbers of the events that came, as closed ranges; `first_sequence` and `last_sequence`
    those of its start and its end. `station_started_at`: its start by the station's clock, where that was corrected.
    `register_fell`: its meter began anew, or contradicted itself. `reconstructed`: how its energy came about, if not as usual.
    """

    id: int
    ocpp_id: str
    evse: int | None
    id_token_id: int | None
    id_tag: str
    started_at: datetime
    meter_start_wh: Decimal | None
    meter_last_wh: Decimal | None
    meter_last_at: datetime | None
    meter_start_at: datetime | None = None
    protocol: str = ""
    floating: bool = False
    remote_start_id: int | None = None
    charging_state: str = ""
    charging_ended_at: datetime | None = None
    sequences: list[list[int]] = field(default_factory=list)
    first_sequence: int | None = None
    last_sequence: int | None = None
    status: str = "active"
    doubt: str = ""
    stopped_at: datetime | None = None
    meter_stop_wh: Decimal | None = None
    received_at: datetime | None = None
    station_started_at: datetime | None = None
    register_fell: bool = False
    reconstructed: str = ""
    #: As in its row; of one in which it was not noted, that of its id token.
    payer: str = ""
    payer_group: int | None = None
    reserved_at: datetime | None = None
    #: As in its row: of one in which they were not noted, none and "".
    site_id: int | None = None
    time_zone: str = ""
    phases_used: int | None = None
    cable_max_current_a: int | None = None
    time_spent_charging_s: int | None = None
    #: What its vehicle was said to do, as far as that may still decide since when it is parked (see `stations.services.parking`).
    parked: list[list[Any]] = field(default_factory=list)
    #: When it was last noted that subscribers are to be told how far it is (in memory only).
    told_at: datetime | None = None
    #: What its driver was last told of the price, and the driver's language (in memory only).
    told_price: str = ""
    language: str = ""
    #: How its energy rose, for prices that need that (in memory only). None: not read yet.
    course: Course | None = None
    #: The first reading since it was only parked, to see whether that is so (in memory only).
    parked_at: tuple[datetime, Decimal] | None = None


@dataclass(slots=True)
class AwaitedEffect:
    """A command the station accepted, whose effect has not been seen. `params` and `facts` as in its row."""

    command_id: int
    kind: str
    params: dict[str, Any]
    facts: dict[str, Any]


@dataclass(slots=True)
class UpdateState:
    """The firmware update that is open. `version` is the one it shall bring, empty if nobody knows; the rest as in its row."""

    id: int
    command_id: int | None
    request_id: int
    status: str
    version: str
    steps: list[list[str]]
    retrieve_at: datetime | None
    install_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReservationState:
    """A plug that is kept: `evse` None is any. `key` is the token's, `group` that of others who may use it; empty: nobody."""

    id: int
    number: int
    evse: int | None
    key: str
    group: str
    since: datetime
    expires_at: datetime


@dataclass(slots=True)
class EventSeries:
    """The messages by which a station told of events last. `following`: the number of the next; `ids`: what each event was."""

    following: int
    over: bool
    ids: dict[int, object]


@dataclass(slots=True)
class StationState:
    id: int
    operator_id: int
    identity: str
    version: int
    registration: Registration
    accepted: bool
    strict: bool
    heartbeat_interval_s: int
    firmware_version: str
    status_at: datetime | None
    concurrent_transactions: bool
    status: str = ""
    #: Topic to those who subscribed to it for the operator's network.
    subscribers: dict[str, list[str]] = field(default_factory=dict)
    evses: dict[int, EvseState] = field(default_factory=dict)
    open: dict[str, TransactionState] = field(default_factory=dict)
    awaiting: list[AwaitedEffect] = field(default_factory=list)
    #: By their number. Mostly empty.
    reservations: dict[int, ReservationState] = field(default_factory=dict)
    update: UpdateState | None = None
    clock: Clock = field(default_factory=Clock)
    make: Make = field(default_factory=Make)
    #: What is odd about stations of its make, as JSON: [[protocol, name, adjustments], ...]. Equal for all of a make; mostly empty.
    quirks: str = ""
    #: That of its site, by which some stations tell the time.
    time_zone: str = "UTC"
    site_id: int | None = None
    #: What it can show its drivers, if it can.
    showing: Showing | None = None
    #: The key or certificate (PEM) with which it signs its messages; mostly empty.
    signing_key: str = ""
    #: When it was last told that a quirk changed something (in memory only).
    quirks_told: dict[str, datetime] = field(default_factory=dict)
    #: Of stations that tell of events (in memory only).
    series: EventSeries | None = None
    #: The number of the reading of its messages of which the last page came before it was agreed to (in memory only).
    told_reading: int | None = None

    def remember(self, old: "StationState") -> None:
        """Keep what is known in memory only, when the rows are read anew."""
        self.clock, self.quirks_told, self.series = old.clock, old.quirks_told, old.series
        self.told_reading = old.told_reading
        for ocpp_id, transaction in self.open.items():
            if (known := old.open.get(ocpp_id)) is not None:
                transaction.told_price, transaction.language = known.told_price, known.language
                transaction.course = known.course

    def plugs(self) -> dict[int, dict[int, str]]:
        """By EVSE and connector: of which type it is."""
        return {number: {pk: one.type for pk, one in evse.connectors.items()} for number, evse in self.evses.items()}

    def open_on(self, evse: int) -> list[TransactionState]:
        """The open transactions of an EVSE, oldest first."""
        return sorted((t for t in self.open.values() if t.evse == evse), key=lambda t: t.started_at)


#: The settings that say what the station `s` can show.
SHOWN = """SELECT json_build_array(v.component, v.variable, v.variable_instance, v.value, v.values)::text FROM stations_variable v
WHERE v.station_id = s.id AND v.attribute = 'Actual' AND v.known
  AND (v.component = ANY(%(components)s) OR (v.component = '' AND v.variable = ANY(%(keys)s)))"""
SHOWN_BY = {"components": list(COMPONENTS), "keys": list(KEYS)}
STATIONS = f"""
SELECT s.id, s.operator_id, s.identity, c.state_version, s.registration, s.accepted_at IS NOT NULL, s.strict,
       s.heartbeat_interval_s, s.firmware_version, s.status_at, o.concurrent_transactions, s.status,
       ARRAY(SELECT ARRAY[w.topic, w.subscriber] FROM stations_subscription w WHERE w.operator_id = s.operator_id),
       (SELECT json_agg(json_build_array(r.id, r.number, r.evse_number, r.id_key, r."group", r.created_at, r.expires_at))::text
        FROM stations_reservation r WHERE r.station_id = s.id AND r.status = 'active'),
       s.clock_offset_s,
       ARRAY({SHOWN}),
       s.signing_key, s.site_id,
       u.id, u.command_id, u.request_id, u.status, coalesce(f.version, ''), u.steps, u.retrieve_at, u.install_at
FROM stations_station s
JOIN stations_connection c ON c.station_id = s.id
JOIN accounts_operator o ON o.id = s.operator_id
LEFT JOIN stations_firmwareupdate u ON u.station_id = s.id AND u.finished_at IS NULL
LEFT JOIN stations_firmware f ON f.id = u.firmware_id
WHERE s.id = ANY(%(ids)s)
"""
#: Of connector `c` of EVSE `e`: what people said, else what the station says of it, or of its EVSE.
PLUG_TYPE = """COALESCE(NULLIF(c.type, ''), (
    SELECT v.value FROM stations_variable v
    WHERE v.station_id = e.station_id AND v.component = 'Connector' AND v.component_instance = '' AND v.evse_number = e.number
      AND v.connector_number IN (c.number, 0) AND v.variable = 'ConnectorType' AND v.attribute = 'Actual' AND v.known
    ORDER BY v.connector_number DESC LIMIT 1
), '')"""
PLUG_TYPES = f"""
SELECT e.number, c.number, {PLUG_TYPE} FROM stations_evse e JOIN stations_connector c ON c.evse_id = e.id
WHERE e.station_id = %s ORDER BY e.number, c.number
"""
CONNECTORS = f"""
SELECT e.station_id, e.id, e.number, c.id, c.number, c.status, c.status_at, {PLUG_TYPE}
FROM stations_evse e LEFT JOIN stations_connector c ON c.evse_id = e.id
WHERE e.station_id = ANY(%s)
"""
#: The columns of TransactionState, in its order; `t` is the transaction, `e` its EVSE and `k` its id token.
COLUMNS = """
t.id, t.ocpp_transaction_id, e.number, t.id_token_id, t.id_tag, t.started_at, t.meter_start_wh, t.meter_last_wh, t.meter_last_at,
t.meter_start_at, t.protocol, t.start_key IS NULL, t.remote_start_id, t.charging_state, t.charging_ended_at,
t.sequences, t.first_sequence,
t.last_sequence, t.status, t.doubt, t.stopped_at, t.meter_stop_wh, t.received_at, t.station_started_at, t.register_fell,
t.reconstructed, CASE WHEN t.payer <> '' OR k.id IS NULL THEN t.payer WHEN k.driver_id IS NULL THEN 'tag' ELSE 'driver' END,
CASE WHEN t.payer = '' THEN k.group_id ELSE t.payer_group END, t.reserved_at,
t.site_id, t.time_zone,
t.phases_used, t.cable_max_current_a, t.time_spent_charging_s, t.parked
"""
#: What they are read from beside the transaction.
BESIDE = "LEFT JOIN stations_evse e ON e.id = t.evse_id LEFT JOIN accounts_idtoken k ON k.id = t.id_token_id"
#: Where the JSON columns stand in it.
SEQUENCES, PARKED = 15, -1
TRANSACTIONS = f"""
SELECT t.station_id, {COLUMNS}
FROM stations_transaction t {BESIDE}
WHERE t.station_id = ANY(%s) AND t.status = 'active'
"""
COMMANDS = """
SELECT station_id, id, kind, params, facts FROM stations_command WHERE station_id = ANY(%s) AND status = 'accepted' ORDER BY id
"""
#: With what is odd about stations of this vendor, the operator's own last, since those have the last word.
QUIRKS = """
SELECT s.id, s.vendor, s.model, s.firmware_version, coalesce(l.time_zone, ''), (
  SELECT json_agg(json_build_array(q.vendor, q.model, q.firmware_from, q.firmware_to, q.protocol, q.name, q.adjustments)
                  ORDER BY q.operator_id NULLS FIRST, q.id)::text
  FROM stations_quirk q LEFT JOIN stations_quirkswitch w ON w.quirk_id = q.id AND w.operator_id = s.operator_id
  WHERE (q.operator_id IS NULL OR q.operator_id = s.operator_id) AND coalesce(w.active, q.active)
    AND starts_with(lower(s.vendor), rtrim(lower(q.vendor), '*'))
)
FROM stations_station AS s LEFT JOIN stations_site AS l ON l.id = s.site_id WHERE s.id = ANY(%s)
"""
#: The version of no row: the state is loaded anew before its next message.
OUTDATED = -1


def quirks_of(make: Make, rows: Sequence[Any]) -> str:
    """Those that are about this make, as `StationState.quirks` has them."""
    fitting = [row[4:] for row in rows if About(*row[:4]).fits(make)]
    return orjson.dumps(fitting).decode() if fitting else ""


def load_quirks(cursor: psycopg.Cursor[tuple], station_ids: Sequence[int]) -> dict[int, tuple[Make, str, str]]:  # type: ignore[type-arg]
    """The make, time zone and quirks of stations, in one statement."""
    found = {}
    for station_id, vendor, model, firmware, zone, rows in cursor.execute(QUIRKS, (list(station_ids),)).fetchall():
        make = Make(vendor, model, firmware)
        found[station_id] = (make, zone or get_default_timezone_name(), quirks_of(make, orjson.loads(rows)) if rows else "")
    return found


def _showing(settings: Sequence[str]) -> Showing | None:
    return Showing.of(orjson.loads(setting) for setting in settings)


def showing_of(cursor: psycopg.Cursor[tuple], station_ids: Sequence[int]) -> dict[int, Showing | None]:  # type: ignore[type-arg]
    """What stations can show, in one statement."""
    found = f"SELECT s.id, ARRAY({SHOWN}) FROM stations_station s WHERE s.id = ANY(%(ids)s)"
    rows = cursor.execute(found, {"ids": list(station_ids)} | SHOWN_BY).fetchall()
    return {station_id: _showing(settings) for station_id, settings in rows}


def transaction_of(row: Sequence[Any]) -> TransactionState:
    """A row of COLUMNS. On Django's connections JSON comes as text."""
    transaction = TransactionState(*row)
    transaction.sequences = orjson.loads(row[SEQUENCES])
    transaction.parked = orjson.loads(row[PARKED]) if row[PARKED] else []
    return transaction


def load(cursor: psycopg.Cursor[tuple], station_ids: Sequence[int]) -> dict[int, StationState]:  # type: ignore[type-arg]
    """The states of these stations, in five statements however many there are. A station that is gone is left out."""
    ids = list(station_ids)
    states: dict[int, StationState] = {}
    for row in cursor.execute(STATIONS, {"ids": ids} | SHOWN_BY).fetchall():
        state = states[row[0]] = StationState(row[0], row[1], row[2], row[3], Registration(row[4]), *row[5:12])
        for topic, subscriber in row[12]:
            state.subscribers.setdefault(topic, []).append(subscriber)
        for pk, number, evse, key, group, *times in orjson.loads(row[13]) if row[13] else ():
            since, until = map(datetime.fromisoformat, times)
            state.reservations[number] = ReservationState(pk, number, evse, key, group, since, until)
        if row[14] is not None:
            offset = timedelta(seconds=row[14])
            state.clock = Clock(offset=offset, told=offset)
        if row[15]:
            state.showing = _showing(row[15])
        state.signing_key, state.site_id = row[16:18]
        if row[18] is not None:
            update_id, command_id, request_id, update_status, version, steps, *planned = row[18:]
            state.update = UpdateState(update_id, command_id, request_id, update_status, version, orjson.loads(steps), *planned)
    for station_id, evse_id, evse, connector_id, connector, *told in cursor.execute(CONNECTORS, (ids,)).fetchall():
        if station_id not in states:
            continue
        owner = states[station_id].evses.setdefault(evse, EvseState(evse_id, evse))
        if connector_id is not None:
            owner.connectors[connector] = ConnectorState(connector_id, connector, ConnectorStatus(told[0]), *told[1:])
    for row in cursor.execute(TRANSACTIONS, (ids,)).fetchall():
        if row[0] in states:
            states[row[0]].open[row[2]] = transaction_of(row[1:])
    for station_id, command_id, kind, params, facts in cursor.execute(COMMANDS, (ids,)).fetchall():
        if station_id in states:
            states[station_id].awaiting.append(AwaitedEffect(command_id, kind, orjson.loads(params), orjson.loads(facts)))
    for station_id, (make, zone, quirks) in load_quirks(cursor, ids).items():
        if station_id in states:
            state = states[station_id]
            state.make, state.time_zone, state.quirks = make, zone, quirks
    return states
