"""I: what it costs, on the driver's display."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from stations.services import runningcosts
from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201
from tests.network import Network


@pytest.fixture
def shows_costs(station: Station201, network: Network) -> None:
    """A station that says that it shows costs, in a network where a kWh costs 0.50."""
    network.tariff(price_per_kwh=Decimal("0.50"), price_per_minute=0, price_per_session=0, tax_percent=0)
    enabled = {"component": {"name": "TariffCostCtrlr"}, "variable": {"name": "Enabled", "instance": "Cost"}}
    data = [enabled | {"variableAttribute": [{"value": "true"}]}]
    station.call("NotifyReport", requestId=1, generatedAt="2026-11-21T10:00:00Z", seqNo=0, reportData=data)


@case("2.0.1", "TC_I_01_CSMS", requirement="OCPP 2.0.1 I02")
def test_the_running_cost_is_told_while_it_charges(
    station: Station201, api: Api, network: Network, shows_costs: None, bells: Any
) -> None:
    network.token("CARD")
    events = station.transaction()
    events.started("Authorized", token="CARD", wh=1000)
    assert events.updated("MeterValuePeriodic", wh=3000)["totalCost"] == 1.0
    runningcosts.tell(now=datetime.now(UTC))
    told = station.expect("CostUpdated", transactionId=events.id)
    assert told["totalCost"] == 1.0
    station.answer()
    row = api.one(station, "commands/", kind="cost_updated")
    api.becomes(row["id"], "confirmed")
    assert (row["params"]["transaction"], row["params"]["cost"]) == (events.id, "1.00")


@case("2.0.1", "TC_I_02_CSMS", requirement="OCPP 2.0.1 I03")
def test_the_final_cost_is_told_with_the_end(station: Station201, api: Api, network: Network, shows_costs: None) -> None:
    network.token("CARD")
    events = station.transaction()
    events.started("Authorized", token="CARD", wh=1000)
    assert events.ended("StopAuthorized", "Local", wh=5000)["totalCost"] == 2.0
    done = api.transaction(station)
    assert (done["status"], Decimal(done["energy_wh"])) == ("ended", 4000)
