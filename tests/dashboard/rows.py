"""Rows as the engine would have written them."""

import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django_scopes import scope, scopes_disabled

from billing import receipts
from billing.models import ChargeRecord, Receipt, Tariff
from stations.models import Connection, Connector, Evse, Finding, MeterSample, Station, Transaction
from tests.database import tables
from tests.network import Network

_numbers = itertools.count(1)


@tables
def seen(station: Station, *, ago: timedelta = timedelta(seconds=5), **fields: Any) -> None:
    """The station is connected and was last heard so long ago."""
    now = timezone.now()
    with scopes_disabled():
        Connection.objects.filter(station=station).update(
            seen_at=now - ago, connected_at=now - timedelta(days=1), disconnected_at=None, **fields
        )


@tables
def plug(network: Network, status: str = "Available", *, station: Station | None = None, **fields: Any) -> Connector:
    """A connector of an online station."""
    if station is None:
        station = network.station(accepted=True)
        seen(station)
    with scopes_disabled():
        evse = Evse.objects.create(station=station, number=station.evses.count() + 1)
        return Connector.objects.create(evse=evse, number=1, status=status, status_at=timezone.now(), **fields)


@tables
def session(connector: Connector, **fields: Any) -> Transaction:
    """A session that runs since an hour and was metered just now."""
    now = timezone.now()
    started = now - timedelta(hours=1)
    given = {
        "id_tag": "DEE-CARD",
        "started_at": started,
        "received_at": started,
        "energy_wh": Decimal(7500),
        "power_w": Decimal(11040),
        "meter_start_wh": Decimal(1000),
        "meter_last_at": now,
    }
    station = connector.evse.station
    with scopes_disabled():
        return Transaction.objects.create(
            operator=station.operator,
            station=station,
            evse=connector.evse,
            ocpp_transaction_id=str(next(_numbers)),
            **{"site": station.site, "time_zone": station.site.time_zone if station.site else "UTC"} | given | fields,
        )


@tables
def finished(connector: Connector, **fields: Any) -> Transaction:
    """A session that ended a minute ago."""
    ended = {"status": "ended", "stopped_at": timezone.now() - timedelta(minutes=1), "stop_reason": "Local"}
    return session(connector, **ended | fields)


@tables
def bill(transaction: Transaction, tariff: Tariff, total: str = "4.71", **fields: Any) -> ChargeRecord:
    lines = [{"dimension": "ENERGY", "volume": "7.500", "unit": "kWh", "price": "0.4000", "cost_excl_tax": "3.0000"}]
    given: dict[str, Any] = {
        "operator": transaction.operator,
        "transaction": transaction,
        "tariff": tariff,
        "tariff_snapshot": {},
        "currency": "EUR",
        "energy_wh": Decimal(7500),
        "duration_s": 3600,
        "lines": lines,
        "total_excl_tax": Decimal("3.00"),
        "total_incl_tax": Decimal(total),
    }
    with scopes_disabled():
        return ChargeRecord.objects.create(**given | fields)


def take_back(record: ChargeRecord) -> ChargeRecord:
    """The credit of a record."""
    total = str(-record.total_incl_tax)
    net, revision = -record.total_excl_tax, record.revision + 1
    return bill(record.transaction, record.tariff, total, revision=revision, kind="credit", credits=record, total_excl_tax=net)


@tables
def issued(record: ChargeRecord) -> Receipt:
    """The receipt of a charge record."""
    with scope(operator=record.operator):
        return receipts.issue(record=record)


@tables
def sample(transaction: Transaction, at: Any, power_w: int) -> None:
    with scopes_disabled():
        MeterSample.objects.bulk_create(
            [
                MeterSample(
                    operator=transaction.operator,
                    station=transaction.station,
                    transaction=transaction,
                    evse_number=1,
                    at=at,
                    context="Sample.Periodic",
                    energy_wh=Decimal(1234),
                    power_w=Decimal(power_w),
                )
            ]
        )


@tables
def finding(transaction: Transaction, detail: str = "The clock is 12 minutes behind.") -> Finding:
    now = timezone.now()
    with scopes_disabled():
        return Finding.objects.create(
            operator=transaction.operator,
            station=transaction.station,
            transaction=transaction,
            code="clock_skew",
            severity="warning",
            detail=detail,
            first_at=now,
            last_at=now,
        )
