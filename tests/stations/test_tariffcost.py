"""The price on the driver's display: with answers to stations of OCPP 2.0.1, by the cost messages to those of 1.6."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scopes_disabled

from accounts.models import IdToken, Kind, User
from billing import tariffs
from stations import ports
from stations.models import Command, Finding, Station, Variable
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import connected
from tests.stations.showing import CARD, keys, says

SHOWS = {"TariffCostCtrlr__Enabled__Tariff": "true", "TariffCostCtrlr__Enabled__Cost": "true"}
PRICE = "0.50\u202fEUR per kWh, tax included."


def priced(network: Network, per_kwh: str = "0.50", **more: Any) -> None:
    with scopes_disabled():
        tariffs.add_tariff(
            operator=network.operator, name=f"Price {per_kwh}", price_per_kwh=Decimal(per_kwh), is_default=True, **more
        )


def speaks(network: Network, language: str) -> None:
    """The card belongs to a driver who has chosen a language."""
    with scopes_disabled():
        driver = User.objects.create(
            email=f"dee.{network.tag}@example.org", operator=network.operator, kind=Kind.DRIVER, language=language
        )
        IdToken.objects.filter(operator=network.operator, key="CARD").update(driver=driver)


def queued(station: Station) -> list[tuple[str, dict[str, Any]]]:
    """What the station is to be asked, the oldest first."""
    with scopes_disabled():
        rows = Command.objects.filter(station=station, status="queued").order_by("pk")
        return [(row.kind, row.params) for row in rows]


class In201:
    """A station of 2.0.1 that shows prices and costs."""

    @pytest.fixture
    def engine(self, committed: None) -> Engine:
        return Engine("ocpp2.0.1")

    @pytest.fixture
    def station(self, network: Network, engine: Engine) -> Station:
        network.token("CARD")
        station = connected(network, engine)
        says(engine, station, **SHOWS)
        return station


class TestAnswers(In201):
    def test_a_driver_is_told_the_price_with_the_authorisation(self, network: Network, engine: Engine, station: Station) -> None:
        priced(network)
        info = engine.say(station, "Authorize", {"idToken": CARD})["idTokenInfo"]
        assert info == {"status": "Accepted", "personalMessage": {"format": "UTF8", "content": PRICE, "language": "en"}}

    def test_who_may_not_charge_is_told_no_price(self, network: Network, engine: Engine, station: Station) -> None:
        priced(network)
        info = engine.say(station, "Authorize", {"idToken": CARD | {"idToken": "STRANGER"}})["idTokenInfo"]
        assert info == {"status": "Unknown"}

    def test_it_is_told_in_the_drivers_language_else_the_stations(self, network: Network, engine: Engine, station: Station) -> None:
        priced(network)
        says(engine, station, DisplayMessageCtrlr__Language="nl")
        message = engine.say(station, "Authorize", {"idToken": CARD})["idTokenInfo"]["personalMessage"]
        assert (message["language"], message["content"].startswith("0,50")) == ("nl", True)
        speaks(network, "de")
        message = engine.say(station, "Authorize", {"idToken": CARD})["idTokenInfo"]["personalMessage"]
        assert (message["language"], message["content"].startswith("0,50")) == ("de", True)

    def test_a_station_that_takes_several_languages_is_told_all_it_knows(
        self, network: Network, engine: Engine, station: Station
    ) -> None:
        priced(network)
        says(engine, station, CustomizationCtrlr__CustomImplementationEnabled__org_openchargealliance_multilanguage="true")
        with scopes_disabled():
            fields = {"operator": network.operator, "component": "DisplayMessageCtrlr", "variable": "Language", "value": "en"}
            Variable.objects.create(station=station, values="en,de,nl", **fields)
        says(engine, station, TariffCostCtrlr__Currency="EUR")
        info = engine.say(station, "Authorize", {"idToken": CARD})["idTokenInfo"]
        assert info["customData"]["vendorId"] == "org.openchargealliance.multilanguage"
        assert [one["language"] for one in info["customData"]["personalMessageExtra"]] == ["de", "nl"]

    def test_a_session_is_told_what_it_costs_so_far_and_in_the_end(
        self, network: Network, engine: Engine, station: Station
    ) -> None:
        priced(network)
        begun = engine.say(station, "TransactionEvent", v201.started())
        assert (begun["totalCost"], begun["idTokenInfo"]["personalMessage"]["content"]) == (0.0, PRICE)
        assert engine.say(station, "TransactionEvent", v201.updated(1, wh=3000)) == {"totalCost": 1.0}
        assert engine.say(station, "TransactionEvent", v201.ended(2, wh=4000)) == {"totalCost": 1.5}

    def test_free_is_nothing_and_what_is_not_known_is_left_out(self, network: Network, engine: Engine, station: Station) -> None:
        """Section 5.8: 0.00 for free, omitted = unknown."""
        assert "totalCost" not in engine.say(station, "TransactionEvent", v201.started())
        priced(network, "0")
        assert engine.say(station, "TransactionEvent", v201.updated(1, wh=3000))["totalCost"] == 0.0
        assert engine.say(station, "TransactionEvent", v201.ended(3, wh=4000)) == {}, "an event is missing"

    def test_a_price_by_current_goes_by_the_sum_of_the_phases(self, network: Network, engine: Engine, station: Station) -> None:
        """OCPI 2.2.1 TariffRestrictions: min_current is the sum over all phases."""
        price = {"type": "ENERGY", "step_size": 1}
        elements = [
            {"price_components": [price | {"price": 0.5}], "restrictions": {"min_current": 10}},
            {"price_components": [price | {"price": 0.1}]},
        ]
        with scopes_disabled():
            tariffs.add_tariff(operator=network.operator, name="By current", ocpi={"elements": elements}, is_default=True)

        def updated(number: int, **more: Any) -> Any:
            event = v201.updated(number, **more)
            of_phases = [{"value": 6, "measurand": "Current.Import", "phase": f"L{n}"} for n in (1, 2, 3)]
            event["meterValue"][0]["sampledValue"] += of_phases
            return engine.say(station, "TransactionEvent", event)

        engine.say(station, "TransactionEvent", v201.started())
        assert [updated(1, wh=2000), updated(2, wh=3000)] == [{"totalCost": 0.5}, {"totalCost": 1.0}]
        assert engine.say(station, "TransactionEvent", v201.ended(3, wh=4000)) == {"totalCost": 1.5}
        sample = network.samples(station)[1]
        assert (sample.current_a, sample.current_sum_a) == (6, 18)

    def test_a_price_that_changes_is_told_once(self, network: Network, engine: Engine, station: Station) -> None:
        priced(network)
        engine.say(station, "TransactionEvent", v201.started())
        priced(network, "0.60")
        changed = engine.say(station, "TransactionEvent", v201.updated(1, wh=2000))
        assert changed["updatedPersonalMessage"]["content"] == PRICE.replace("0.50", "0.60")
        assert engine.say(station, "TransactionEvent", v201.updated(2, wh=3000)) == {"totalCost": 1.2}

    def test_what_happened_while_the_station_was_offline_is_told_no_running_cost(
        self, network: Network, engine: Engine, station: Station
    ) -> None:
        priced(network)
        begun = engine.say(station, "TransactionEvent", v201.started(offline=True))
        assert begun == {"idTokenInfo": {"status": "Accepted"}}
        assert engine.say(station, "TransactionEvent", v201.ended(1, wh=2000, offline=True)) == {"totalCost": 0.5}

    def test_a_station_that_knows_the_cost_messages_is_told_what_the_cost_is_made_of(
        self, network: Network, engine: Engine, station: Station
    ) -> None:
        priced(network, price_per_minute=Decimal("0.01"))
        says(engine, station, CustomizationCtrlr__CustomImplementationEnabled__org_openchargealliance_costmsg="true")
        engine.say(station, "TransactionEvent", v201.started())
        custom = engine.say(station, "TransactionEvent", v201.updated(1, wh=2000, info={"chargingState": "Charging"}))["customData"]
        assert custom.pop("timestamp")
        assert custom == {
            "vendorId": "org.openchargealliance.costmsg",
            "meterValue": 2000,
            "state": "Charging",
            "chargingPrice": {"kWhPrice": 0.5, "hourPrice": 0.6},
        }

    def test_a_station_that_shows_another_currency_is_told_no_amount(
        self, network: Network, engine: Engine, station: Station
    ) -> None:
        priced(network)
        says(engine, station, TariffCostCtrlr__Currency="SEK")
        assert engine.say(station, "Authorize", {"idToken": CARD}) == {"idTokenInfo": {"status": "Accepted"}}
        assert "totalCost" not in engine.say(station, "TransactionEvent", v201.started())
        with scopes_disabled():
            assert Finding.objects.filter(station=station, code="currency_differs").exists()

    def test_amounts_have_the_decimals_that_the_station_shows(self, network: Network, engine: Engine, station: Station) -> None:
        priced(network, "0.5555")
        says(engine, station, TariffCostCtrlr__NumberOfDecimalsForCostValues="1")
        engine.say(station, "TransactionEvent", v201.started())
        assert engine.say(station, "TransactionEvent", v201.updated(1, wh=2000))["totalCost"] == 0.6

    def test_the_price_alone_is_shown_where_costs_are_not_enabled(self, network: Network, engine: Engine, station: Station) -> None:
        priced(network)
        says(engine, station, TariffCostCtrlr__Enabled__Cost="false")
        answer = engine.say(station, "TransactionEvent", v201.started())
        assert ("totalCost" in answer, "personalMessage" in answer["idTokenInfo"]) == (False, True)


def test_a_batch_looks_at_the_prices_once_and_only_for_those_that_show_them(
    network: Network, committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine("ocpp2.0.1")
    network.token("CARD")
    priced(network)
    showing, silent = ([connected(network, engine) for _ in range(5)] for _ in range(2))
    for station in showing:
        says(engine, station, **SHOWS)
    for station in [*showing, *silent]:
        engine.say(station, "TransactionEvent", v201.started())
    looked: list[set[int]] = []
    prices = ports.prices

    def counted(cursor: Any, operators: Any) -> Any:
        looked.append(set(operators))
        return prices(cursor, operators)

    monkeypatch.setattr(ports, "prices", counted)

    def updated(number: int, stations: list[Station]) -> list[Any]:
        return engine.round(*(engine.inbound(one, "TransactionEvent", v201.updated(number, wh=2000 * number)) for one in stations))

    assert [frame[2] for frame in updated(1, silent)] == [{}] * 5
    assert looked == []
    assert [frame[2] for frame in updated(1, showing)] == [{"totalCost": 0.5}] * 5
    assert looked == [{network.operator.pk}]


def test_a_station_that_shows_nothing_is_told_nothing(network: Network, committed: None) -> None:
    engine = Engine("ocpp2.0.1")
    network.token("CARD")
    station = connected(network, engine)
    priced(network)
    assert engine.say(station, "Authorize", {"idToken": CARD}) == {"idTokenInfo": {"status": "Accepted"}}
    assert engine.say(station, "TransactionEvent", v201.started()) == {"idTokenInfo": {"status": "Accepted"}}
    assert queued(station) == []


class TestMessages:
    """1.6: DataTransfers of org.openchargealliance.costmsg (section 11)."""

    @pytest.fixture
    def engine(self, committed: None) -> Engine:
        return Engine("ocpp1.6")

    @pytest.fixture
    def station(self, network: Network, engine: Engine) -> Station:
        network.token("CARD")
        priced(network)
        station = connected(network, engine)
        keys(engine, station, CustomDisplayCostAndPrice="true")
        return station

    def said(self, engine: Engine, station: Station) -> list[tuple[str, dict[str, Any]]]:
        """The cost messages that leave now, one after the other, each accepted."""
        found = []
        while errands := engine.claim(station):
            (errand,) = errands
            (call,) = errand.calls
            assert (errand.action, call["vendorId"]) == ("DataTransfer", "org.openchargealliance.costmsg")
            found.append((call["messageId"], json.loads(call["data"])))
            engine.reply(station, errand, {"status": "Accepted"})
        return found

    def test_the_price_follows_an_authorisation(self, engine: Engine, station: Station) -> None:
        assert engine.say(station, "Authorize", {"idTag": "CARD"}) == {"idTagInfo": {"status": "Accepted"}}
        assert self.said(engine, station) == [("SetUserPrice", {"idToken": "CARD", "priceText": PRICE})]
        engine.say(station, "Authorize", {"idTag": "STRANGER"})
        assert self.said(engine, station) == []

    def test_a_session_is_told_its_cost_at_its_start_when_it_asks_and_in_the_end(self, engine: Engine, station: Station) -> None:
        number = engine.say(station, "StartTransaction", v16.start(meter=1000))["transactionId"]
        ((message, first),) = self.said(engine, station)
        assert (message, first["transactionId"], first["cost"], first["meterValue"]) == ("RunningCost", number, 0.0, 1000)
        assert first["triggerMeterValue"]["atCPStatus"]
        engine.say(station, "MeterValues", v16.meters(2000, transaction=number))
        assert self.said(engine, station) == []
        engine.say(station, "StatusNotification", v16.status("SuspendedEV"))
        engine.say(station, "MeterValues", v16.meters(3000, seconds=200, transaction=number, context="Other"))
        ((message, running),) = self.said(engine, station)
        running.pop("timestamp")
        assert (message, running.pop("triggerMeterValue") is not None) == ("RunningCost", True)
        assert running == {
            **{"transactionId": number, "cost": 1.0, "meterValue": 3000, "state": "Idle"},
            "chargingPrice": {"kWhPrice": 0.5},
        }
        engine.say(station, "StopTransaction", v16.stop(number, meter=5000))
        assert self.said(engine, station) == [("FinalCost", {"transactionId": number, "cost": 2.0, "priceText": PRICE})]

    def test_where_it_costs_until_the_cable_is_out_the_last_word_comes_then(self, engine: Engine, station: Station) -> None:
        keys(engine, station, CustomIdleFeeAfterStop="true")
        number = engine.say(station, "StartTransaction", v16.start(meter=1000))["transactionId"]
        self.said(engine, station)
        engine.say(station, "StopTransaction", v16.stop(number, meter=5000))
        ((message, running),) = self.said(engine, station)
        assert (message, running["state"], running["cost"]) == ("RunningCost", "Idle", 2.0)
        unplugged = {"vendorId": "org.openchargealliance.costmsg", "messageId": "ConnectorUnplugged"}
        data = json.dumps({"transactionId": number, "timestamp": "2026-11-21T10:00:00Z"})
        assert engine.say(station, "DataTransfer", unplugged | {"data": data}) == {"status": "Accepted"}
        ((message, final),) = self.said(engine, station)
        assert (message, final["cost"]) == ("FinalCost", 2.0)

    def test_a_cable_of_no_transaction_leaves_a_finding(self, engine: Engine, station: Station) -> None:
        unplugged = {"vendorId": "org.openchargealliance.costmsg", "messageId": "ConnectorUnplugged"}
        assert engine.say(station, "DataTransfer", unplugged | {"data": '{"transactionId": 99}'}) == {"status": "Accepted"}
        with scopes_disabled():
            assert Finding.objects.filter(station=station, code="transaction_unknown").exists()

    def test_a_session_that_is_doubted_is_told_no_cost(self, engine: Engine, station: Station) -> None:
        number = engine.say(station, "StartTransaction", v16.start(meter=1000))["transactionId"]
        self.said(engine, station)
        engine.say(station, "StopTransaction", v16.stop(number, meter=500))
        assert self.said(engine, station) == []

    def test_the_price_is_told_in_the_languages_that_the_station_knows(self, engine: Engine, station: Station) -> None:
        keys(engine, station, CustomMultiLanguageMessages="true", SupportedLanguages="en,de", Language="en")
        engine.say(station, "Authorize", {"idTag": "CARD"})
        ((_, data),) = self.said(engine, station)
        assert [one["language"] for one in data["priceTextExtra"]] == ["de"]
