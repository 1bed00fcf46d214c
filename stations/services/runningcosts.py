"""Running costs on their way to the displays (OCPP 2.0.1 I02; 1.6: RunningCost of the cost messages): a job."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any

import psycopg
from django.db import connection, transaction
from django.db.models import Max, Q
from django_scopes import scopes_disabled

from stations import ports, selectors
from stations.batch import Batch
from stations.cases import of_row, time_zone_of
from stations.domain import commands
from stations.domain.commands.tariffcost import CostUpdated
from stations.domain.showing import Showing
from stations.domain.values import ChargingState, Note, Severity, TransactionStatus
from stations.models import Command, Station, Transaction, Variable
from stations.models.command import CommandStatus
from stations.services.companions import Companion
from stations.services.tariffcost import IDLE, in_text
from stations.state import showing_of

#: Stations looked at together, and commands of a station looked back through for what it was told last.
CHUNK, BACK = 500, 20

LAST = """
SELECT c.id, s.id, c.params->>'transaction', c.params->>'cost', c.params->>'state', c.status, c.finished_at
FROM unnest(%s::bigint[]) AS s(id) CROSS JOIN LATERAL (
    SELECT id, kind, params, status, finished_at, requested_by_id FROM stations_command
    WHERE station_id = s.id ORDER BY id DESC LIMIT %s
) c WHERE c.kind = %s AND c.requested_by_id IS NULL ORDER BY c.id DESC
"""
#: What a station says that does not take a cost.
REFUSED = (CommandStatus.REJECTED, CommandStatus.FAILED)
#: One run of the job at a time looks what was told last.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('stations.runningcosts', 0))"


@dataclass(slots=True)
class Told:
    """What stations were told of their transactions: the newest cost and state, or when that was refused, what is on its way,
    and the rows that said so."""

    last: dict[tuple[int, str], tuple[str, str]] = field(default_factory=dict)
    refused: dict[tuple[int, str], datetime] = field(default_factory=dict)
    busy: set[tuple[int, str]] = field(default_factory=set)
    rows: dict[tuple[int, str], list[int]] = field(default_factory=dict)


def tell(*, now: datetime) -> int:
    """Tell the running costs to the stations that show them, of each what has changed since it was told last. Returns how many.

    1. Which stations show costs: an index of theirs alone. 2. Those that are online and charge. 3. What each costs, in a few
    statements for many. 4. A command each, unless one is on its way, or was refused; it takes the place of the one before, so that
    a long session does not fill the table.
    """
    told = 0
    with scopes_disabled():
        stations = Variable.objects.filter(
            Q(component="TariffCostCtrlr", variable__in=("Enabled", "Available"))
            | Q(component="", variable="CustomDisplayCostAndPrice"),
            value__iexact="true",
        )
        said = dict(stations.order_by().values_list("station").annotate(at=Max("reported_at")))
        keys = sorted(said)
        for start in range(0, len(keys), CHUNK):
            told += _tell_some({pk: said[pk] for pk in keys[start : start + CHUNK]}, now)
    return told


@transaction.atomic
def _tell_some(said: dict[int, datetime | None], now: datetime) -> int:
    """Tell some of them; with each, when it said that it shows costs."""
    stations = list(said)
    with connection.cursor() as locking:
        locking.execute(LOCK)
    running = (
        Transaction.objects.filter(station__in=stations, status=TransactionStatus.ACTIVE, stopped_at__isnull=True)
        .filter(station__in=selectors.online(now).filter(pk__in=stations).values("pk"))
        .exclude(energy_wh=None)
        .exclude(meter_last_wh=None)
        .select_related("station__site", "site", "evse", "id_token")
        .prefetch_related("evse__connectors")
        .order_by("pk")
    )
    found = list(running)
    if not found:
        return 0
    here = sorted({one.station_id for one in found})
    cursor: psycopg.Cursor[tuple] = psycopg.Cursor(connection.connection)  # type: ignore[type-arg]
    showing = showing_of(cursor, here)
    books = ports.prices(cursor, {one.operator_id for one in found})
    costs = ports.running_cost(found)
    told = _told(cursor, here)
    rows, replaced = [], []
    for one in found:
        book, shown, key = books.get(one.operator_id), showing.get(one.station_id), (one.station_id, one.ocpp_transaction_id)
        price = book.prices(of_row(one)) if book is not None else None
        if shown is None or price is None or one.pk not in costs or not (shown.cost or shown.messages) or key in told.busy:
            continue
        if shown.currency and shown.currency != price.currency:
            continue
        if key in told.refused and not _changed(one, said[one.station_id], told.refused[key]):
            continue
        command = _command(one, costs[one.pk][0], shown, price, now)
        if told.last.get(key) != (command.cost, command.state):
            rows.append(_row(one, command, now))
            replaced += told.rows.get(key, [])
    Command.objects.filter(pk__in=replaced).delete()
    Command.objects.bulk_create(rows)
    for station_id in sorted({row.station_id for row in rows}):
        transaction.on_commit(partial(ports.bell.command, station_id))
    return len(rows)


def _changed(one: Transaction, said: datetime | None, refused_at: datetime) -> bool:
    """Whether a station that refused a session's cost restarted since, or said anew that it shows costs."""
    return any(at is not None and at > refused_at for at in (one.station.booted_at, said))


def _told(cursor: "psycopg.Cursor[tuple]", stations: list[int]) -> Told:  # type: ignore[type-arg]
    told = Told()
    rows = cursor.execute(LAST, (stations, BACK, CostUpdated.kind)).fetchall()
    for pk, station_id, ocpp_id, cost, state, status, finished_at in rows:
        key = (station_id, ocpp_id)
        if status in (CommandStatus.QUEUED, CommandStatus.SENT):
            told.busy.add(key)
            continue
        if status in REFUSED and key not in told.rows:
            told.refused[key] = finished_at
        told.rows.setdefault(key, []).append(pk)
        if status == CommandStatus.CONFIRMED:
            told.last.setdefault(key, (cost, state))
    return told


def _command(one: Transaction, cost: Decimal, shown: Showing, price: ports.Prices, now: datetime) -> CostUpdated:
    assert one.meter_last_wh is not None
    energy_wh, parked = one.energy_wh or Decimal(0), one.charging_ended_at
    session = ports.SoFar(one.started_at, now, energy_wh, time_zone_of(one), power_w=one.power_w, charging_ended_at=parked)
    if shown.decimals is not None:
        cost = cost.quantize(Decimal(1).scaleb(-shown.decimals), ROUND_HALF_UP)
    return CostUpdated(
        transaction=one.ocpp_transaction_id,
        cost=f"{cost:f}",
        at=now.replace(microsecond=0).isoformat(),
        meter_wh=int(one.meter_last_wh),
        state=_state(one),
        prices=in_text(price.parts(session)),
        explained=shown.explained,
    )


def _state(one: Transaction) -> str:
    if one.charging_state:
        return "Charging" if one.charging_state == ChargingState.CHARGING else "Idle"
    states = [connector.status for connector in one.evse.connectors.all()] if one.evse else []
    return "Idle" if any(state in IDLE for state in states) else "Charging"


def _row(one: Transaction, command: CostUpdated, now: datetime) -> Command:
    return Command(
        operator_id=one.operator_id,
        station_id=one.station_id,
        kind=command.kind,
        params=command.params(),
        created_at=now,
        expires_at=now + timedelta(seconds=command.expires_s),
    )


# What the station says


def _nothing(row: Command, station: Station, command: commands.Command) -> None:
    """No row of its own."""


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    if change["status"] in REFUSED:
        why = change.get("detail") or change.get("error_code") or "it gave no reason"
        detail = f"It shows costs, and did not take one: {why}. It is told no more of that session until it restarts."
        batch.note(Note("cost_refused", detail=detail, severity=Severity.WARNING))


COMPANIONS = {CostUpdated.kind: Companion(_nothing, answered)}
