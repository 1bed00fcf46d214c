"""`StationState`: what a station's messages need to know, held in memory by the process that holds its socket.

It mirrors rows. The batch that changes a row changes the state with it; whoever else changes one of these rows bumps
`Connection.state_version` in the same transaction, and the batch reloads. A batch that fails throws its states away.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import psycopg

from stations.domain.values import ConnectorStatus, Registration


@dataclass(slots=True)
class ConnectorState:
    id: int
    number: int
    status: ConnectorStatus
    status_at: datetime | None


@dataclass(slots=True)
class EvseState:
    id: int
    number: int
    connectors: dict[int, ConnectorState] = field(default_factory=dict)


@dataclass(slots=True)
class OpenTransaction:
    """A transaction that has not ended. Energies are register values in Wh."""

    id: int
    ocpp_id: str
    evse: int | None
    id_token_id: int | None
    id_tag: str
    started_at: datetime
    meter_start_wh: Decimal | None
    meter_last_wh: Decimal | None
    meter_last_at: datetime | None


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
    evses: dict[int, EvseState] = field(default_factory=dict)
    open: dict[str, OpenTransaction] = field(default_factory=dict)

    def open_on(self, evse: int) -> list[OpenTransaction]:
        """The open transactions of an EVSE, oldest first."""
        return sorted((t for t in self.open.values() if t.evse == evse), key=lambda t: t.started_at)


STATIONS = """
SELECT s.id, s.operator_id, s.identity, c.state_version, s.registration, s.accepted_at IS NOT NULL, s.strict,
       s.heartbeat_interval_s, s.firmware_version, s.status_at, o.concurrent_transactions
FROM stations_station s
JOIN stations_connection c ON c.station_id = s.id
JOIN accounts_operator o ON o.id = s.operator_id
WHERE s.id = ANY(%s)
"""
CONNECTORS = """
SELECT e.station_id, e.id, e.number, c.id, c.number, c.status, c.status_at
FROM stations_evse e LEFT JOIN stations_connector c ON c.evse_id = e.id
WHERE e.station_id = ANY(%s)
"""
TRANSACTIONS = """
SELECT t.station_id, t.id, t.ocpp_transaction_id, e.number, t.id_token_id, t.id_tag, t.started_at,
       t.meter_start_wh, t.meter_last_wh, t.meter_last_at
FROM stations_transaction t LEFT JOIN stations_evse e ON e.id = t.evse_id
WHERE t.station_id = ANY(%s) AND t.status = 'active'
"""


def load(cursor: psycopg.Cursor[tuple], station_ids: Sequence[int]) -> dict[int, StationState]:  # type: ignore[type-arg]
    """The states of these stations, in three statements however many there are. A station that is gone is left out."""
    ids = list(station_ids)
    states: dict[int, StationState] = {}
    for row in cursor.execute(STATIONS, (ids,)).fetchall():
        states[row[0]] = StationState(row[0], row[1], row[2], row[3], Registration(row[4]), *row[5:])
    for station_id, evse_id, evse, connector_id, connector, status, status_at in cursor.execute(CONNECTORS, (ids,)).fetchall():
        if station_id not in states:
            continue
        found = states[station_id].evses.setdefault(evse, EvseState(evse_id, evse))
        if connector_id is not None:
            found.connectors[connector] = ConnectorState(connector_id, connector, ConnectorStatus(status), status_at)
    for row in cursor.execute(TRANSACTIONS, (ids,)).fetchall():
        if row[0] in states:
            states[row[0]].open[row[2]] = OpenTransaction(*row[1:])
    return states
