"""What comes of a session after its end, and after it was billed: the bill says what the session is by then."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django_scopes import scopes_disabled

from billing import tariffs, tasks, whatif
from billing.models import ChargeRecord
from stations.models import Station, Transaction
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import connected
from tests.stations.test_gaps import FINAL, answer, swept
from tests.stations.test_parking import idle_fee

#: 0.10 within the first five minutes, then 1.
AT_FIRST = {
    "elements": [
        {"price_components": [{"type": "ENERGY", "price": 0.1, "step_size": 1}], "restrictions": {"max_duration": 300}},
        {"price_components": [{"type": "ENERGY", "price": 1, "step_size": 1}]},
    ]
}


@pytest.fixture
def priced(network: Network, committed: None) -> Network:
    network.token("CARD")
    with scopes_disabled():
        tariffs.add_tariff(operator=network.operator, name="At first", ocpi=AT_FIRST, is_default=True)
    return network


@scopes_disabled()
def billed(network: Network) -> list[Decimal]:
    """The records of the one session. The one that counts is what what-if says under its version."""
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):
        tasks.make_charge_records()
    records = list(ChargeRecord.objects.filter(operator=network.operator).order_by("revision"))
    t = Transaction.objects.select_related("operator", "station__site").get(operator=network.operator)
    said = whatif.priced(records[-1].tariff_snapshot, whatif.past(t), operator_id=t.operator_id)
    assert said.total_excl_tax == records[-1].total_excl_tax
    return [record.total_excl_tax for record in records]


def test_readings_that_come_after_the_bill_correct_it(priced: Network) -> None:
    engine = Engine("ocpp1.6")
    station = connected(priced, engine)
    with time_machine.travel(datetime.now(UTC), tick=False):
        start, stop = v16.start(600), v16.stop(None, seconds=0, meter=11_000)
    number: Any = engine.say(station, "StartTransaction", start)["transactionId"]
    engine.say(station, "StopTransaction", stop | {"transactionId": number})
    assert billed(priced) == [Decimal("5.50")]
    late = v16.meters(11_000, seconds=330, transaction=number)
    engine.say(station, "MeterValues", late)
    assert billed(priced) == [Decimal("5.50"), Decimal("-5.50"), Decimal("1.00")]
    engine.say(station, "MeterValues", late)
    assert len(billed(priced)) == 3


def reading(minute: float, wh: int, context: str) -> list[dict[str, Any]]:
    return [{"timestamp": v201.at(minute), "sampledValue": [{"value": wh, "context": context}]}]


def with_a_gap(network: Network, minutes: int) -> tuple[Engine, Station]:
    """10 kWh in so many minutes, of which one event is missing, and the charger has nothing more of it."""
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine)
    charging = {"chargingState": "Charging"}
    begin, end = reading(0, 1000, "Transaction.Begin"), reading(minutes, 11_000, "Transaction.End")
    engine.say(station, "TransactionEvent", v201.started(wh=None, meterValue=begin, info=charging))
    engine.say(station, "TransactionEvent", v201.ended(2, minute=minutes, meterValue=end, info={"chargingState": "EVConnected"}))
    swept(station)
    answer(engine, station, FINAL)
    swept(station)
    return engine, station


def test_an_event_that_comes_after_the_bill_corrects_it(priced: Network) -> None:
    engine, station = with_a_gap(priced, 10)
    assert billed(priced) == [Decimal("5.50")]
    late = v201.updated(1, minute=5, wh=11_000)
    engine.say(station, "TransactionEvent", late)
    assert billed(priced) == [Decimal("5.50"), Decimal("-5.50"), Decimal("1.00")]
    engine.say(station, "TransactionEvent", late)
    assert len(billed(priced)) == 3


def test_a_state_that_comes_after_the_bill_corrects_it(network: Network, committed: None) -> None:
    network.token("CARD")
    idle_fee(network)
    engine, station = with_a_gap(network, 60)
    assert billed(network) == [Decimal("60.00")]
    late = v201.updated(1, minute=10, wh=11_000, info={"chargingState": "SuspendedEV"})
    engine.say(station, "TransactionEvent", late)
    assert billed(network) == [Decimal("60.00"), Decimal("-60.00"), Decimal("110.00")]
    with scopes_disabled():
        kept = ChargeRecord.objects.filter(operator=network.operator).order_by("revision")
        assert [record.charging_ended_at and record.charging_ended_at.minute for record in kept] == [None, None, 10]
