"""Sessions of OCPP 2.0.1 whose meter signs, through the engine, and what came of them."""

from datetime import UTC, datetime
from typing import Any

from django_scopes import scopes_disabled

from billing.models import MeterKey, SignedCheck, SignedSession
from stations.models import Station, Transaction
from tests import v201
from tests.billing.meters import Meter
from tests.database import tables
from tests.engine import Engine
from tests.network import Network

STARTED, STOPPED = (datetime(2026, 11, 20, 10, minute, tzinfo=UTC) for minute in (0, 3))


def meter_value(minute: float, wh: int, context: str, signed: dict[str, str] | None) -> list[dict[str, Any]]:
    value: dict[str, Any] = {"value": wh, "context": context}
    return [{"timestamp": v201.at(minute), "sampledValue": [value | ({"signedMeterValue": signed} if signed else {})]}]


def charge(
    engine: Engine, station: Station, begin: dict[str, str] | None, end: dict[str, str] | None, *, tx: str = "tx-1", wh: int = 2000
) -> None:
    """From 1000 Wh to `wh`, between ten o'clock and three minutes past."""
    first = meter_value(0, 1000, "Transaction.Begin", begin)
    last = meter_value(3, wh, "Transaction.End", end)
    engine.say(station, "TransactionEvent", v201.started(tx=tx, wh=None, meterValue=first))
    engine.say(station, "TransactionEvent", v201.ended(1, tx=tx, minute=3, meterValue=last))


def signed(meter: Meter, kwh: str = "2.000", **more: Any) -> tuple[dict[str, str], dict[str, str]]:
    return meter.value(meter.begin("1.000", STARTED, **more)), meter.value(meter.end(kwh, STOPPED, **more), key=False)


@tables
def result(station: Station, **of: Any) -> SignedSession:
    with scopes_disabled():
        found = SignedSession.objects.filter(transaction__station=station, **of)
        return found.latest("transaction_id")


@tables
def verdicts(station: Station) -> list[str]:
    with scopes_disabled():
        found = SignedCheck.objects.filter(reading__station=station).order_by("reading__at", "reading_id")
        return list(found.values_list("verdict", flat=True))


@tables
def keys(station: Station) -> list[MeterKey]:
    with scopes_disabled():
        return list(MeterKey.objects.filter(station=station).order_by("id"))


@tables
def latest(station: Station) -> Transaction:
    with scopes_disabled():
        return Transaction.objects.filter(station=station).latest("pk")


def codes(network: Network, station: Station) -> list[str]:
    return [code for code in network.findings(station) if code.startswith("signed")]
