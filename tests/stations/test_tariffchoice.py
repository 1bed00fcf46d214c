"""Which price a display is told: that of the tariff which its charge record has in the end."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from accounts.models import IdToken, IdTokenGroup, Kind, User
from billing import choosing, tariffs, tasks
from billing.models import ChargeRecord, Tariff
from stations.models import Evse, Site, Station
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import connected
from tests.stations.showing import keys, says
from tests.stations.test_batch import Counted
from tests.stations.test_quarters import counted
from tests.stations.test_tariffcost import SHOWS

CARD = {"idToken": "CARD", "type": "ISO14443"}


def energy(amount: float, **restrictions: Any) -> dict[str, Any]:
    element = {"price_components": [{"type": "ENERGY", "price": amount, "step_size": 1}]}
    return element | ({"restrictions": restrictions} if restrictions else {})


def flat(amount: float) -> dict[str, Any]:
    return {"elements": [energy(amount)]}


#: Of a station without a site, by UTC: cheap from half past ten to eleven.
HOURS = {"elements": [energy(0.1, start_time="10:30", end_time="11:00"), energy(0.5)]}


@scopes_disabled()
def tariff(network: Network, ocpi: dict[str, Any], **fields: Any) -> Tariff:
    return tariffs.add_tariff(operator=network.operator, name="A price", ocpi=ocpi, **fields)


@scopes_disabled()
def assign(what: Tariff, **where: Any) -> None:
    tariffs.assign(tariff=what, **where)


@scopes_disabled()
def evse_of(station: Station, number: int = 1) -> Evse:
    return Evse.objects.select_related("station").get_or_create(station=station, number=number)[0]


def of_201(network: Network, engine: Engine) -> Station:
    if not hasattr(network, "card"):
        network.card = network.token("CARD")  # type: ignore[attr-defined]
    station = connected(network, engine)
    says(engine, station, **SHOWS)
    return station


@scopes_disabled()
def billed(network: Network) -> Decimal:
    tasks.make_charge_records()
    total: Decimal = ChargeRecord.objects.get(operator=network.operator).total_incl_tax
    return total


def whole(engine: Engine, station: Station, **start: Any) -> list[Any]:
    """The costs that a station of 2.0.1 is told of 4 kWh in an hour."""
    answers = [engine.say(station, "TransactionEvent", v201.started(**start))]
    answers.append(engine.say(station, "TransactionEvent", v201.updated(1, minute=30, wh=3000)))
    answers.append(engine.say(station, "TransactionEvent", v201.ended(2, minute=60, wh=5000)))
    return [answer.get("totalCost") for answer in answers]


class TestChoice:
    """Where and for whom, for OCPP 2.0.1."""

    @pytest.fixture
    def engine(self, committed: None) -> Engine:
        return Engine("ocpp2.0.1")

    @pytest.fixture
    def station(self, network: Network, engine: Engine) -> Station:
        tariff(network, flat(0.2), is_default=True)
        return of_201(network, engine)

    @pytest.mark.parametrize("place", ["evse", "station", "site", "network"])
    def test_the_place(self, network: Network, engine: Engine, station: Station, place: str) -> None:
        with scopes_disabled():
            site = Site.objects.create(operator=network.operator, name="Harbour")
            Station.objects.filter(pk=station.pk).update(site=site)
        where = {"evse": evse_of(station), "station": station, "site": site}.get(place)
        assign(tariff(network, flat(0.7)), **({place: where} if where else {}))
        engine = Engine("ocpp2.0.1")
        info = engine.say(station, "Authorize", {"idToken": CARD})["idTokenInfo"]
        assert info["personalMessage"]["content"].startswith("0.70")
        assert whole(engine, station)[1:] == [1.4, 2.8]
        assert billed(network) == Decimal("2.80")

    @pytest.mark.parametrize(
        ("who", "cost"), [("stranger", 0.4), ("known", 0.8), ("driver", 1.2), ("group", 1.6), ("a driver of the group", 1.6)]
    )
    def test_who_it_is(self, network: Network, engine: Engine, station: Station, who: str, cost: float) -> None:
        with scopes_disabled():
            group = IdTokenGroup.objects.create(operator=network.operator, name="Fleet")
            driver = User.objects.create(email=f"dee.{network.tag}@example.org", operator=network.operator, kind=Kind.DRIVER)
        assign(tariff(network, flat(0.1)), audience="ad_hoc")
        assign(tariff(network, flat(0.3)), audience="drivers")
        assign(tariff(network, flat(0.4)), audience="group", group=group)
        with scopes_disabled():
            card = IdToken.objects.filter(operator=network.operator, key="CARD")
            if "driver" in who:
                card.update(driver=driver)
            if "group" in who:
                card.update(group=group)
        start = {"idToken": {"idToken": "", "type": "NoAuthorization"}} if who == "stranger" else {}
        assert whole(engine, station, **start)[-1] == cost
        assert billed(network) == Decimal(str(cost))

    def test_a_process_that_takes_over_knows_who_it_was(self, network: Network, engine: Engine, station: Station) -> None:
        with scopes_disabled():
            group = IdTokenGroup.objects.create(operator=network.operator, name="Fleet")
            IdToken.objects.filter(operator=network.operator, key="CARD").update(group=group)
        assign(tariff(network, flat(0.4)), audience="group", group=group)
        engine.say(station, "TransactionEvent", v201.started())
        other = Engine("ocpp2.0.1")
        assert other.say(station, "TransactionEvent", v201.updated(1, wh=3000))["totalCost"] == 0.8

    def test_where_plugs_differ_in_price_the_card_alone_tells_none(
        self, network: Network, engine: Engine, station: Station
    ) -> None:
        assign(tariff(network, flat(0.7)), evse=evse_of(station, 2))
        evse_of(station, 1)
        engine = Engine("ocpp2.0.1")
        assert engine.say(station, "Authorize", {"idToken": CARD})["idTokenInfo"] == {"status": "Accepted"}
        begun = engine.say(station, "TransactionEvent", v201.started(evse={"id": 2, "connectorId": 1}))
        assert begun["idTokenInfo"]["personalMessage"]["content"].startswith("0.70")
        other = engine.say(station, "TransactionEvent", v201.started(tx="tx-2", minute=1))
        assert other["idTokenInfo"]["personalMessage"]["content"].startswith("0.20")

    def test_what_applied_at_the_start_goes_on_and_the_next_session_has_the_new_version(
        self, network: Network, engine: Engine, station: Station
    ) -> None:
        now = datetime.now(UTC)
        with time_machine.travel(now, tick=False):
            standard = tariff(network, flat(0.5))
            assign(standard, station=station)
        engine.say(station, "TransactionEvent", v201.started())
        with scopes_disabled():
            tariffs.add_version(tariff=standard, ocpi=flat(0.9), valid_from=datetime.now(UTC) + timedelta(hours=1))
        assert engine.say(station, "TransactionEvent", v201.updated(1, wh=3000)) == {"totalCost": 1.0}
        assert engine.say(station, "TransactionEvent", v201.ended(2, wh=5000)) == {"totalCost": 2.0}
        assert billed(network) == Decimal("2.00")
        with time_machine.travel(now + timedelta(hours=2), tick=False):
            info = engine.say(station, "Authorize", {"idToken": CARD})["idTokenInfo"]
            assert info["personalMessage"]["content"].startswith("0.90"), "nobody wrote anything in between"


class TestCourse:
    """A price that changes by the hour: what flowed when is known in memory, and of who takes over, from the tables."""

    @pytest.fixture
    def engine(self, committed: None) -> Engine:
        return Engine("ocpp2.0.1")

    @pytest.fixture
    def station(self, network: Network, engine: Engine) -> Station:
        tariff(network, HOURS, is_default=True)
        return of_201(network, engine)

    @pytest.mark.parametrize("taken_over", [False, True])
    def test_the_cost_so_far_and_of_all_of_it(self, network: Network, engine: Engine, station: Station, taken_over: bool) -> None:
        engine.say(station, "TransactionEvent", v201.started())
        first = engine.say(station, "TransactionEvent", v201.updated(1, minute=20, wh=5000))
        assert first == {"totalCost": 2.0}
        engine.say(station, "TransactionEvent", v201.updated(2, minute=31, wh=5000))
        if taken_over:
            with scopes_disabled():
                counted(station)
            engine = Engine("ocpp2.0.1")
        # Nothing flowed from 10:20 on, then 2 kWh within the cheap half hour; of the last 3 kWh 2 before its end.
        assert engine.say(station, "TransactionEvent", v201.updated(3, minute=40, wh=7000))["totalCost"] == 2.2
        assert engine.say(station, "TransactionEvent", v201.ended(4, minute=70, wh=10_000)) == {"totalCost": 2.9}
        assert billed(network) == Decimal("2.90")

    def test_readings_that_come_with_the_end_count(self, network: Network, engine: Engine, station: Station) -> None:
        engine.say(station, "TransactionEvent", v201.started())
        late = [
            {"timestamp": v201.at(minute), "sampledValue": [{"value": wh}]} for minute, wh in ((29, 1000), (31, 1000), (59, 9000))
        ]
        ended = v201.ended(1, minute=70, wh=9000)
        ended["meterValue"] = late + ended["meterValue"]
        assert engine.say(station, "TransactionEvent", ended) == {"totalCost": 0.8}
        assert billed(network) == Decimal("0.80")

    def test_the_prices_that_explain_a_cost_are_those_of_now(self, network: Network, engine: Engine, station: Station) -> None:
        says(engine, station, CustomizationCtrlr__CustomImplementationEnabled__org_openchargealliance_costmsg="true")
        engine.say(station, "TransactionEvent", v201.started())
        for number, (minute, price) in enumerate(((20, 0.5), (40, 0.1), (65, 0.5)), start=1):
            with time_machine.travel(f"2026-11-20T{10 + minute // 60}:{minute % 60:02d}:30Z", tick=False):
                told = engine.say(station, "TransactionEvent", v201.updated(number, minute=minute, wh=2000 * number))
            assert told["customData"]["chargingPrice"] == {"kWhPrice": price}


class TestMessages:
    """1.6: what the cost messages say is what is billed."""

    @pytest.mark.parametrize("ocpi", [flat(0.5), HOURS], ids=["flat", "hours"])
    def test_the_final_cost_is_that_of_the_record(self, network: Network, committed: None, ocpi: dict[str, Any]) -> None:
        engine = Engine("ocpp1.6")
        network.token("CARD")
        tariff(network, flat(9), is_default=True)
        station = connected(network, engine)
        assign(tariff(network, ocpi), evse=evse_of(station))
        engine = Engine("ocpp1.6")
        keys(engine, station, CustomDisplayCostAndPrice="true")

        def at(minute: int) -> dict[str, Any]:
            return {"timestamp": v201.at(minute)}

        number = engine.say(station, "StartTransaction", v16.start(meter=1000, **at(0)))["transactionId"]
        for minute, register in ((20, 5000), (31, 5000), (40, 7000)):
            meters = v16.meters(register, transaction=number)
            meters["meterValue"][0] |= at(minute)
            engine.say(station, "MeterValues", meters)
        engine.say(station, "StopTransaction", v16.stop(number, meter=10_000, **at(70)))
        said = {}
        while errands := engine.claim(station):
            (errand,) = errands
            said[errand.calls[0]["messageId"]] = json.loads(errand.calls[0]["data"])
            engine.reply(station, errand, {"status": "Accepted"})
        assert said["RunningCost"]["cost"] == 0.0
        assert billed(network) == Decimal(str(said["FinalCost"]["cost"]))


def test_a_batch_asks_for_the_prices_in_one_statement_however_many_are_assigned(network: Network, committed: None) -> None:
    engine = Engine("ocpp2.0.1")
    stations = [of_201(network, engine) for _ in range(3)]
    dear = tariff(network, flat(0.5))
    for station in stations:
        assign(dear, evse=evse_of(station))
    tariff(network, flat(0.1), is_default=True)
    for station in stations:
        engine.say(station, "TransactionEvent", v201.started())

    def updated(number: int) -> list[Any]:
        events = (engine.inbound(one, "TransactionEvent", v201.updated(number, wh=1000 + 2000 * number)) for one in stations)
        return [frame[2] for frame in engine.round(*events) if frame]

    assert updated(1) == [{"totalCost": 1.0}] * 3
    with CaptureQueriesContext(connection) as by_django:
        assert updated(2) == [{"totalCost": 2.0}] * 3
    assert [query for query in by_django if "billing" in query["sql"]] == [], "what was read before is still right"


@pytest.mark.parametrize("ocpi", [flat(0.5), HOURS], ids=["flat", "hours"])
def test_the_price_costs_a_batch_one_statement(
    network: Network, committed: None, monkeypatch: pytest.MonkeyPatch, ocpi: dict[str, Any]
) -> None:
    engine = Engine("ocpp2.0.1")
    tariff(network, ocpi, is_default=True)
    stations = [of_201(network, engine) for _ in range(3)]
    for station in stations:
        engine.say(station, "TransactionEvent", v201.started())
    asked = statements(engine, monkeypatch)

    def updated(number: int) -> None:
        engine.round(*(engine.inbound(one, "TransactionEvent", v201.updated(number, wh=1000 * number)) for one in stations))

    updated(2)
    asked.clear()
    updated(3)
    assert [sql for sql in asked if "billing" in sql or "meterquarter" in sql] == [choosing.VERSIONS]


def statements(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the batches of an engine ask from now on."""

    def cursor() -> Any:
        connection.ensure_connection()
        return Counted(connection.connection)

    monkeypatch.setattr(engine.thread, "_cursor", cursor)
    Counted.asked.clear()
    return Counted.asked
