"""What a session costs so far where a market makes the price: on displays, hour by hour; and nothing where a price is missing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from billing import choosing, pricepoints, tariffs, tasks
from billing.models import ChargeRecord
from billing.seriesmodels import PriceSeries
from stations.models import Station, Transaction
from stations.services import runningcosts
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import connected
from tests.stations.showing import keys, says
from tests.stations.test_runningcosts import heard
from tests.stations.test_tariffchoice import statements
from tests.stations.test_tariffcost import SHOWS, queued

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


@contextmanager
def minute(number: float) -> Iterator[None]:
    """So many minutes after ten o'clock, when the charger says something at once."""
    with time_machine.travel(TEN + timedelta(minutes=number), tick=False):
        yield


@scopes_disabled()
def fill(series: PriceSeries, *prices: int, since: datetime = TEN) -> None:
    """EUR per MWh, hour by hour."""
    pricepoints.fill(series=series, points=[(since + place * HOUR, Decimal(price)) for place, price in enumerate(prices)])


@pytest.fixture
def market(network: Network, committed: None) -> PriceSeries:
    """At ten 0.10 EUR per kWh, at eleven 0.20, from twelve on nobody knows; and 0.05 on top."""
    with minute(-60), scopes_disabled():
        made = pricepoints.add_series(operator=network.operator, name="Day-ahead")
        component = {"type": "ENERGY", "price": 0.05, "step_size": 1, "price_series": "Day-ahead"}
        ocpi = {"elements": [{"price_components": [component]}]}
        tariffs.add_tariff(operator=network.operator, name="Market", ocpi=ocpi, is_default=True)
        fill(made, 100, 200)
    network.token("CARD")
    return made


def billed(network: Network) -> Decimal:
    with scopes_disabled():
        tasks.make_charge_records()
        total: Decimal = ChargeRecord.objects.get(operator=network.operator).total_incl_tax
        return total


class TestAnswers:
    """OCPP 2.0.1: totalCost."""

    @pytest.fixture
    def engine(self, committed: None) -> Engine:
        return Engine("ocpp2.0.1")

    @pytest.fixture
    def station(self, network: Network, engine: Engine, market: PriceSeries) -> Station:
        station = connected(network, engine)
        says(engine, station, **SHOWS)
        return station

    @pytest.mark.parametrize("taken_over", [False, True])
    def test_each_hour_has_its_price_and_an_unknown_one_is_not_told(
        self, network: Network, engine: Engine, station: Station, market: PriceSeries, taken_over: bool
    ) -> None:
        told: list[Any] = []

        def says_at(at: int, event: dict[str, Any]) -> None:
            with minute(at):
                told.append(engine.say(station, "TransactionEvent", event).get("totalCost", "nothing"))

        says_at(0, v201.started(minute=0))
        says_at(30, v201.updated(1, minute=30, wh=4000))
        says_at(60, v201.updated(2, minute=60, wh=4000))
        if taken_over:
            engine = Engine("ocpp2.0.1")
        says_at(90, v201.updated(3, minute=90, wh=6000))
        says_at(120, v201.updated(4, minute=120, wh=6000))
        assert told == [0.0, 0.45, 0.45, 0.95, 0.95]
        says_at(130, v201.updated(5, minute=130, wh=7000))
        assert told[-1] == "nothing"
        with minute(131):
            fill(market, 300, since=TEN + 2 * HOUR)
        says_at(135, v201.updated(6, minute=135, wh=7000))
        says_at(140, v201.ended(7, minute=140, wh=8000))
        assert told[-2:] == [1.3, 1.65]
        with minute(141):
            assert billed(network) == Decimal("1.65")

    def test_a_session_that_begins_in_an_unknown_hour_is_not_told_that_it_costs_nothing(
        self, engine: Engine, station: Station, market: PriceSeries
    ) -> None:
        with minute(125):
            begun = engine.say(station, "TransactionEvent", v201.started(minute=125))
            assert "totalCost" not in begun
            assert "personalMessage" in begun["idTokenInfo"], "the price in words is known"
            fill(market, 300, since=TEN + 2 * HOUR)
        with minute(126):
            assert engine.say(station, "TransactionEvent", v201.updated(1, minute=126, wh=1000))["totalCost"] == 0.0

    def test_prices_that_are_corrected_are_told_at_once(self, engine: Engine, station: Station, market: PriceSeries) -> None:
        with minute(30):
            engine.say(station, "TransactionEvent", v201.started(minute=0))
            assert engine.say(station, "TransactionEvent", v201.updated(1, minute=30, wh=3000))["totalCost"] == 0.3
            fill(market, 150)
            assert engine.say(station, "TransactionEvent", v201.updated(2, minute=30, wh=3000))["totalCost"] == 0.4

    def test_between_the_messages_the_job_tells_it_and_in_an_unknown_hour_nothing(
        self, engine: Engine, station: Station, market: PriceSeries
    ) -> None:
        with minute(30):
            engine.say(station, "TransactionEvent", v201.started(minute=0))
            engine.say(station, "TransactionEvent", v201.updated(1, minute=30, wh=3000))
            heard(station)
            runningcosts.tell(now=datetime.now(UTC))
            assert [(kind, params["cost"]) for kind, params in queued(station)] == [("cost_updated", "0.30")]
            errand = engine.claim(station)[0]
            engine.reply(station, errand, {})
        with minute(130):
            engine.say(station, "TransactionEvent", v201.updated(2, minute=130, wh=5000))
            heard(station)
            runningcosts.tell(now=datetime.now(UTC))
            assert queued(station) == []

    def test_a_batch_asks_for_no_prices_once_it_has_those_of_the_day(
        self, network: Network, engine: Engine, station: Station, market: PriceSeries, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stations = [station, *(connected(network, engine) for _ in range(2))]
        for one in stations[1:]:
            says(engine, one, **SHOWS)
        asked = statements(engine, monkeypatch)

        def updated(number: int, events: Any) -> list[str]:
            """What is asked of prices, by the batch and by Django."""
            asked.clear()
            with minute(number), CaptureQueriesContext(connection) as by_django:
                frames = engine.round(*(engine.inbound(one, "TransactionEvent", event) for one, event in events))
            assert [frame[2]["totalCost"] for frame in frames if frame] == [round(0.15 * (number // 10), 2)] * 3
            by_us = [sql for sql in asked if "billing" in sql]
            return by_us + [query["sql"] for query in by_django if "pricepoint" in query["sql"]]

        updated(0, [(one, v201.started(minute=0)) for one in stations])
        for step in (1, 2):
            events = [(one, v201.updated(step, minute=step * 10, wh=1000 + 1000 * step)) for one in stations]
            assert updated(step * 10, events) == [choosing.VERSIONS]
        with minute(25):
            fill(market, 1, since=TEN + 9 * HOUR)
        events = [(one, v201.updated(3, minute=30, wh=4000)) for one in stations]
        assert len(updated(30, events)) == 2, "other prices have come: they are read once"


class TestMessages:
    """OCPP 1.6: the cost messages."""

    @pytest.fixture
    def engine(self, committed: None) -> Engine:
        return Engine("ocpp1.6")

    @pytest.fixture
    def station(self, network: Network, engine: Engine, market: PriceSeries) -> Station:
        station = connected(network, engine)
        keys(engine, station, CustomDisplayCostAndPrice="true")
        return station

    def said(self, engine: Engine, station: Station) -> list[tuple[str, float, Any]]:
        """The cost messages that leave now: kind, cost, and the price of a kWh in that moment."""
        found = []
        while errands := engine.claim(station):
            (errand,) = errands
            data = json.loads(errand.calls[0]["data"])
            found.append((errand.calls[0]["messageId"], data["cost"], data.get("chargingPrice", {}).get("kWhPrice")))
            engine.reply(station, errand, {"status": "Accepted"})
        return found

    def test_each_hour_has_its_price_and_an_unknown_one_is_not_told(
        self, network: Network, engine: Engine, station: Station, market: PriceSeries
    ) -> None:
        with minute(0):
            start = v16.start(meter=1000, timestamp=v201.at(0))
            number = engine.say(station, "StartTransaction", start)["transactionId"]
            assert self.said(engine, station) == [("RunningCost", 0.0, 0.15)]

        def reads(at: int, register: int) -> list[tuple[str, float, Any]]:
            meters = v16.meters(register, transaction=number, context="Other")
            meters["meterValue"][0]["timestamp"] = v201.at(at)
            with minute(at):
                engine.say(station, "MeterValues", meters)
                return self.said(engine, station)

        assert reads(30, 4000) == [("RunningCost", 0.45, 0.15)]
        reads(60, 4000)
        assert reads(90, 6000) == [("RunningCost", 0.95, 0.25)]
        reads(119, 6000)
        assert reads(130, 7000) == []
        with minute(139):
            fill(market, 300, since=TEN + 2 * HOUR)
        with minute(140):
            engine.say(station, "StopTransaction", v16.stop(number, meter=8000, timestamp=v201.at(140)))
            ((kind, cost, _price),) = self.said(engine, station)
            assert (kind, Decimal(str(cost))) == ("FinalCost", billed(network))

    def test_a_session_that_begins_in_an_unknown_hour_is_told_nothing(
        self, engine: Engine, station: Station, market: PriceSeries
    ) -> None:
        with minute(125):
            engine.say(station, "StartTransaction", v16.start(meter=1000, timestamp=v201.at(125)))
            assert self.said(engine, station) == []


def test_a_session_of_long_ago_is_told_no_cost(network: Network, market: PriceSeries) -> None:
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine)
    says(engine, station, **SHOWS)
    with minute(0):
        engine.say(station, "TransactionEvent", v201.started(minute=0))
        assert engine.say(station, "TransactionEvent", v201.updated(1, minute=0, wh=2000))["totalCost"] == 0.15
    with scopes_disabled():
        Transaction.objects.filter(station=station).update(started_at=TEN - timedelta(days=100))
    with minute(10):
        assert "totalCost" not in Engine("ocpp2.0.1").say(station, "TransactionEvent", v201.updated(2, minute=10, wh=2000))
