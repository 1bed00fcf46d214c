"""Running costs that a job tells to the stations that show them, and to no others."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django_scopes import scopes_disabled

from stations.models import Command, Connection, Station
from stations.services import runningcosts
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import connected, sent
from tests.stations.showing import keys, says
from tests.stations.test_tariffcost import SHOWS, priced, queued


def told() -> None:
    runningcosts.tell(now=datetime.now(UTC))


def heard(station: Station) -> None:
    Connection.objects.with_scopes_disabled().filter(station=station).update(seen_at=datetime.now(UTC))


def of_201(network: Network, **more: str) -> tuple[Engine, Station]:
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine)
    says(engine, station, **(SHOWS | more))
    engine.say(station, "TransactionEvent", v201.started())
    engine.say(station, "TransactionEvent", v201.updated(1, wh=3000, info={"chargingState": "Charging"}))
    heard(station)
    return engine, station


@pytest.fixture(autouse=True)
def _price(network: Network, committed: None) -> None:
    priced(network)


def test_a_running_session_is_told_its_cost_once_until_it_changes(network: Network) -> None:
    engine, station = of_201(network)
    told()
    told()
    ((kind, params),) = queued(station)
    assert (kind, params["transaction"], params["cost"]) == ("cost_updated", "tx-1", "1.00")
    errand = sent(engine, station)
    assert errand.calls == ({"totalCost": 1.0, "transactionId": "tx-1"},)
    engine.reply(station, errand, {})
    told()
    assert queued(station) == []
    engine.say(station, "TransactionEvent", v201.updated(2, wh=4000))
    told()
    assert [params["cost"] for _, params in queued(station)] == ["1.50"]
    with scopes_disabled():
        rows = Command.objects.filter(station=station, kind="cost_updated")
        assert [row.status for row in rows] == ["queued"], "it takes the place of the one before"


@pytest.mark.parametrize("why", ["ended", "offline", "costs not shown", "another currency"])
def test_nobody_else_is_told(network: Network, why: str) -> None:
    more: dict[str, Any] = {
        "costs not shown": {"TariffCostCtrlr__Enabled__Cost": "false"},
        "another currency": {"TariffCostCtrlr__Currency": "SEK"},
    }.get(why, {})
    engine, station = of_201(network, **more)
    if why == "ended":
        engine.say(station, "TransactionEvent", v201.ended(2, wh=4000))
    elif why == "offline":
        Connection.objects.with_scopes_disabled().filter(station=station).update(disconnected_at=datetime.now(UTC))
    told()
    assert queued(station) == []


def test_stations_of_1_6_are_told_by_the_cost_messages(network: Network) -> None:
    engine = Engine("ocpp1.6")
    network.token("CARD")
    station = connected(network, engine)
    number = engine.say(station, "StartTransaction", v16.start(meter=1000))["transactionId"]
    keys(engine, station, CustomDisplayCostAndPrice="true")
    engine.say(station, "MeterValues", v16.meters(3000, transaction=number))
    heard(station)
    told()
    ((kind, params),) = queued(station)
    assert (kind, params["transaction"], params["cost"], params["meter_wh"]) == ("cost_updated", str(number), "1.00", 3000)
    assert sent(engine, station).action == "DataTransfer"


def test_the_statements_do_not_grow_with_the_sessions(network: Network, django_assert_max_num_queries: Any) -> None:
    for _ in range(3):
        of_201(network)
    with django_assert_max_num_queries(10):
        told()


def test_a_station_that_refuses_a_cost_is_told_no_more_until_it_changes(network: Network) -> None:
    engine, station = of_201(network)
    told()
    engine.reply(station, sent(engine, station), ["NotImplemented", ""])
    engine.say(station, "TransactionEvent", v201.updated(2, wh=4000))
    told()
    assert queued(station) == []
    assert "cost_refused" in network.findings(station)
    says(engine, station, **SHOWS)
    heard(station)
    told()
    assert [params["cost"] for _, params in queued(station)] == ["1.50"]
