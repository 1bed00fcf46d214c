"""What the mirror knows of the tables: which links there are to be, how far each is, and how it does."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import structlog
from django.db import connection
from django.utils import timezone

from csms.db import run_in_db
from csms.forwarding.frames import Filter
from csms.forwarding.models import Forward, ForwardLink, Which
from stations import selectors
from stations.domain.events import ConnectorStatusReported, StationBooted
from stations.domain.values import ConnectorStatus
from stations.models import Connector, Station

log = structlog.get_logger(__name__)

#: A forward's stations, as SQL over `f` and `s`.
SELECTED = f"""s.operator_id = f.operator_id AND (f.which = '{Which.ALL}' OR (f.which = '{Which.SITE}' AND s.site_id = f.site_id)
    OR (f.which = '{Which.CHOSEN}' AND EXISTS (
        SELECT FROM csms_forwardstation c WHERE c.forward_id = f.id AND c.station_id = s.id)))"""
#: A station that is new to a forward is mirrored from now on; the minute before is that in which nobody looked.
ADD = f"""
INSERT INTO csms_forwardlink (operator_id, forward_id, station_id, state, protocol, read_from, position, numbers, error,
    sent, refused, dropped, unmatched, asked)
SELECT f.operator_id, f.id, s.id, 'idle', '', GREATEST(f.created_at, now() - interval '1 minute'), 0, '[]', '', 0, 0, 0, 0, 0
FROM csms_forward f JOIN stations_station s ON {SELECTED}
WHERE f.active AND NOT EXISTS (SELECT FROM csms_forwardlink l WHERE l.forward_id = f.id AND l.station_id = s.id)
ON CONFLICT DO NOTHING
"""  # noqa: S608  (constants)
DROP = f"""
DELETE FROM csms_forwardlink l USING csms_forward f, stations_station s
WHERE f.id = l.forward_id AND s.id = l.station_id AND f.active AND ({SELECTED}) IS NOT TRUE
"""  # noqa: S608
FIELDS = {
    "state": "varchar",
    "protocol": "varchar",
    "read_from": "timestamptz",
    "position": "bigint",
    "numbers": "jsonb",
    "introduced_at": "timestamptz",
    "connected_at": "timestamptz",
    "failing_since": "timestamptz",
    "error": "varchar",
    "sent": "bigint",
    "refused": "bigint",
    "dropped": "bigint",
    "unmatched": "bigint",
    "asked": "bigint",
    "forwarded_at": "timestamptz",
    "answer_ms": "integer",
}
WRITE = f"""
UPDATE csms_forwardlink AS l SET {", ".join(f"{name} = v.{name}" for name in FIELDS)}
FROM jsonb_to_recordset(%s::jsonb) AS v(id bigint, {", ".join(f"{name} {kind}" for name, kind in FIELDS.items())})
WHERE l.id = v.id
"""  # noqa: S608
AGAIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Route:
    """A forward, as its links know it. Two with the same `version` are the same."""

    id: int
    version: int
    url: str
    identity: str
    password: str
    filter: Filter
    tried_at: datetime | None

    def identity_of(self, station: str) -> str:
        return Forward(identity=self.identity).identity_of(station)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A link that there is to be, and whether its station is here."""

    link: int
    forward: int
    station: int
    identity: str
    protocol: str
    online: bool


def routes() -> dict[int, Route]:
    """The forwards that are on, by key."""
    return {
        one.pk: Route(
            one.pk,
            one.version,
            one.url,
            one.identity,
            one.password,
            Filter(one.style, one.from_station, one.to_station, frozenset(one.only), frozenset(one.never)),
            one.tried_at,
        )
        for one in Forward.objects.filter(active=True)
    }


def match() -> list[Wanted]:
    """Make the links that lack, delete those whose station was taken out, and tell which there are. Shows that we live."""
    now = timezone.now()
    Forward.objects.filter(active=True).update(served_at=now)
    with connection.cursor() as cursor:
        cursor.execute(ADD)
        cursor.execute(DROP)
    rows = ForwardLink.objects.filter(forward__active=True).values_list(
        "pk", "forward_id", "station_id", "station__identity", "station__connection__protocol"
    )
    online = set(selectors.online(now).filter(station__operator__in=_operators()).values_list("pk", flat=True))
    return [Wanted(pk, forward, station, name, protocol or "", station in online) for pk, forward, station, name, protocol in rows]


def _operators() -> Any:
    return Forward.objects.filter(active=True).values("operator")


def rows_of(links: Iterable[int]) -> dict[int, ForwardLink]:
    return ForwardLink.objects.in_bulk(list(links))


def description(station: int) -> tuple[StationBooted, list[ConnectorStatusReported]] | None:
    """What the station is and how its plugs are, as it told us. None: it has not told yet."""
    found = Station.objects.filter(pk=station, booted_at__isnull=False).first()
    if found is None:
        return None
    booted = StationBooted(
        found.vendor,
        found.model,
        found.serial_number,
        found.firmware_version,
        found.iccid,
        found.imsi,
        found.meter_type,
        found.meter_serial_number,
        found.box_serial_number,
    )
    states = []
    if found.status:
        states.append(ConnectorStatusReported(0, 0, ConnectorStatus(found.status), found.status_at, found.error_code))
    for one in Connector.objects.filter(evse__station=station).select_related("evse").order_by("evse__number", "number"):
        if one.status_at is not None:
            status = ConnectorStatus(one.status)
            told = (one.error_code, one.info, one.vendor_id, one.vendor_error_code)
            states.append(ConnectorStatusReported(one.evse.number, one.number, status, one.status_at, *told))
    return booted, states


def write(rows: Iterable[ForwardLink]) -> None:
    """One statement, for however many."""
    values = [{"id": row.pk} | {name: getattr(row, name) for name in FIELDS} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [orjson.dumps(values).decode()])


class Keeper:
    """Writes down how links do: whoever waits for it, waits for one statement that holds what all have said meanwhile."""

    def __init__(self) -> None:
        self.rows: dict[int, ForwardLink] = {}
        self.waiting: list[asyncio.Future[None]] = []
        self.wake = asyncio.Event()
        self.writing = asyncio.Lock()

    def note(self, row: ForwardLink) -> None:
        """Sooner or later."""
        self.rows[row.pk] = row
        self.wake.set()

    async def keep(self, row: ForwardLink) -> None:
        """Returns when it stands in the table."""
        kept = asyncio.get_running_loop().create_future()
        self.waiting.append(kept)
        self.note(row)
        await kept

    async def run(self) -> None:
        while True:
            await self.wake.wait()
            await self.flush()

    async def flush(self) -> None:
        """When it returns, all that was said before stands in the table."""
        async with self.writing:
            self.wake.clear()
            rows, self.rows = self.rows, {}
            waiting, self.waiting = self.waiting, []
            while rows:
                try:
                    await run_in_db(write, list(rows.values()))
                    break
                except Exception:
                    log.exception("what was forwarded could not be written down; trying again")
                    await asyncio.sleep(AGAIN_S)
            for kept in waiting:
                if not kept.done():
                    kept.set_result(None)
