"""How the energy of a running session rises: where it matters how fast, the display says what pages, what-if and the bill say."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django_scopes import scopes_disabled

from billing import choosing, tariffs, tasks, whatif
from billing.models import ChargeRecord, TariffVersion
from stations import courses, ports
from stations.models import Station, Transaction
from tests import v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import connected
from tests.stations.showing import says
from tests.stations.test_tariffcost import SHOWS

BEGIN = datetime(2026, 11, 20, 10, tzinfo=UTC)


def dear_from(**limit: float) -> dict[str, Any]:
    """1 a kWh from a limit on, 0.10 below it."""
    price = {"type": "ENERGY", "step_size": 1}
    below = {name.replace("min", "max"): value for name, value in limit.items()}
    return {
        "elements": [
            {"price_components": [price | {"price": 1}], "restrictions": limit},
            {"price_components": [price | {"price": 0.1}], "restrictions": below},
        ]
    }


class Driver:
    """A session of 2.0.1 that is told each minute: 3 and 21 kW by turns, with 6 and 32 A from the last reading to the next."""

    def __init__(self, network: Network, **limit: float) -> None:
        self.network, self.engine, self.wh, self.minute, self.answer = network, Engine("ocpp2.0.1"), 1000, 0, {}
        network.token("CARD")
        with scopes_disabled():
            tariffs.add_tariff(operator=network.operator, name="By limit", ocpi=dear_from(**limit), is_default=True)
        self.station: Station = connected(network, self.engine)
        says(self.engine, self.station, **SHOWS)
        self._say(v201.started(wh=None, meterValue=self._reading()))

    def _reading(self) -> list[dict[str, Any]]:
        current = {"value": 32 if self.minute % 2 else 6, "measurand": "Current.Import", "unitOfMeasure": {"unit": "A"}}
        return [{"timestamp": v201.at(self.minute), "sampledValue": [{"value": self.wh}, current]}]

    def _say(self, event: dict[str, Any]) -> None:
        with time_machine.travel(self.now, tick=False):
            self.answer = self.engine.say(self.station, "TransactionEvent", event, at=self.now)

    @property
    def now(self) -> datetime:
        return BEGIN + timedelta(minutes=self.minute)

    def charges(self, minutes: int) -> None:
        for _ in range(minutes):
            self.minute += 1
            self.wh += 50 if self.minute % 2 else 350
            self._say(v201.updated(self.minute, wh=None, meterValue=self._reading()))

    def ends(self) -> None:
        self._say(v201.ended(self.minute + 1, minute=self.minute, wh=self.wh))

    @property
    def shown(self) -> Decimal:
        return Decimal(str(self.answer["totalCost"]))

    @scopes_disabled()
    def costs(self) -> set[Decimal]:
        """On pages, and in what-if."""
        with time_machine.travel(self.now, tick=False):
            t = Transaction.objects.select_related("operator", "station__site").get(station=self.station)
            version = TariffVersion.objects.select_related("tariff").get(operator=t.operator)
            priced = whatif.priced(choosing.as_ocpi(version), whatif.past(t), operator_id=t.operator_id)
            running = {cost for cost, _currency in ports.running_cost([t]).values()}
        return running | {priced.total_excl_tax}


@pytest.mark.parametrize("limit", [{"min_power": 10}, {"min_current": 10}], ids=["power", "current"])
def test_the_display_says_what_the_page_and_the_bill_say_though_it_charges_by_fits_and_starts(
    network: Network, committed: None, limit: dict[str, float]
) -> None:
    driver = Driver(network, **limit)
    driver.charges(28)
    assert driver.costs() == {driver.shown}
    driver.engine = Engine("ocpp2.0.1")
    driver.charges(62)
    assert driver.costs() == {driver.shown}, "another process, and what is older than an hour"
    driver.ends()
    final = driver.shown
    with scopes_disabled():
        tasks.make_charge_records()
        assert ChargeRecord.objects.get(operator=network.operator).total_excl_tax == final
    assert final == (Decimal("15.98") if "min_power" in limit else Decimal("16.02"))


def test_a_session_with_too_many_readings_is_followed_by_quarters_before_the_newest(
    network: Network, committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courses, "MOST", 20)
    monkeypatch.setattr(courses, "NEWEST", 10)
    driver = Driver(network, min_power=10)
    driver.charges(50)
    (state,) = driver.engine.thread.states[driver.station.pk].open.values()
    assert state.course is not None
    minutes = [(at - BEGIN) // timedelta(minutes=1) for at, _wh, _current in state.course.points]
    assert len(minutes) <= courses.MOST
    assert minutes[-courses.NEWEST :] == list(range(41, 51))
