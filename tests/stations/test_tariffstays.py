"""What applied at the start of a session stays applied, whatever becomes of its id tag: on displays, on pages, and on the bill."""

import json
from decimal import Decimal
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from accounts.models import IdToken, IdTokenGroup, Kind, User
from billing import corrections, drafts, explained, tariffs, tasks
from billing.models import ChargeRecord
from stations import ports
from stations.cases import time_zone_of, took_place_at
from stations.models import Site, Station, Transaction
from stations.services import onboarding
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import connected
from tests.stations.showing import keys, says
from tests.stations.test_tariffcost import SHOWS

#: What a kWh costs, by who charges.
PRICES = {"ad_hoc": "0.10", "tag": "0.20", "drivers": "0.30", "FLEET": "0.40", "OTHER": "0.90"}
MOVES = [
    ("FLEET", "to another group"),
    ("FLEET", "out of its group"),
    ("FLEET", "deleted"),
    ("tag", "to a driver"),
    ("drivers", "back from its driver"),
    ("drivers", "deleted"),
    ("ad_hoc", "enrolled"),
]
PAYERS = {"ad_hoc": ("ad_hoc", None), "tag": ("tag", None), "drivers": ("driver", None), "FLEET": ("tag", "FLEET")}

#: 0.40 a kWh from 16 hours to midnight, else 0.10.
AT_NIGHT = {
    "elements": [
        {"price_components": [{"type": "ENERGY", "price": 0.40, "step_size": 1}], "restrictions": {"start_time": "16:00"}},
        {"price_components": [{"type": "ENERGY", "price": 0.10, "step_size": 1}]},
    ]
}


@scopes_disabled()
def group(network: Network, name: str) -> IdTokenGroup:
    return IdTokenGroup.objects.get_or_create(operator=network.operator, name=name)[0]


@scopes_disabled()
def driver(network: Network) -> User:
    return User.objects.get_or_create(email=f"dee.{network.tag}@example.org", operator=network.operator, kind=Kind.DRIVER)[0]


@scopes_disabled()
def price(network: Network, who: str) -> None:
    default = who == "tag"
    made = tariffs.add_tariff(operator=network.operator, name=who, price_per_kwh=Decimal(PRICES[who]), is_default=default)
    if who in ("ad_hoc", "drivers"):
        tariffs.assign(tariff=made, audience=who)
    elif not default:
        tariffs.assign(tariff=made, audience="group", group=group(network, who))


def card(network: Network, who: str) -> None:
    """The card with which somebody charges."""
    if who != "ad_hoc":
        fields = {"driver": driver(network)} if who == "drivers" else {}
        network.token("CARD", group=who if who.isupper() else "", **fields)


@scopes_disabled()
def move(network: Network, how: str) -> None:
    found = IdToken.objects.filter(operator=network.operator, key="CARD")
    match how:
        case "to another group":
            found.update(group=group(network, "OTHER"))
        case "out of its group":
            found.update(group=None)
        case "to a driver":
            found.update(driver=driver(network))
        case "back from its driver":
            found.update(driver=None)
        case "deleted":
            found.get().delete()
        case "enrolled":
            network.token("CARD")


@scopes_disabled()
def moved(station: Station, to: Site) -> None:
    onboarding.describe(station=station, name=station.name, site=to.name)


class Charger:
    """A charger that shows costs, and one session at it. What is told is a kWh's cost times the energy."""

    def __init__(self, network: Network, version: str) -> None:
        self.newer, self.number = version == "2.0.1", 0
        self.engine = Engine("ocpp2.0.1" if self.newer else "ocpp1.6")
        self.station: Station = connected(network, self.engine)
        if self.newer:
            says(self.engine, self.station, **SHOWS)
        else:
            keys(self.engine, self.station, CustomDisplayCostAndPrice="true")
        self.id: Any = "tx-1"

    def starts(self) -> None:
        if self.newer:
            self.engine.say(self.station, "TransactionEvent", v201.started())
        else:
            self.id = self.engine.say(self.station, "StartTransaction", v16.start(meter=1000))["transactionId"]
            self._told()

    def charged(self, kwh: int) -> Decimal | None:
        """What the session has cost when it has charged so much, by the display."""
        self.number += 1
        if self.newer:
            event = v201.updated(self.number, minute=10 * self.number, wh=1000 + 1000 * kwh)
            return _cost(self.engine.say(self.station, "TransactionEvent", event).get("totalCost"))
        reading = v16.meters(1000 + 1000 * kwh, seconds=500 - self.number, transaction=self.id, context="Other")
        self.engine.say(self.station, "MeterValues", reading)
        return self._told()

    def ends(self, kwh: int) -> Decimal | None:
        if self.newer:
            event = v201.ended(self.number + 1, minute=60, wh=1000 + 1000 * kwh)
            return _cost(self.engine.say(self.station, "TransactionEvent", event).get("totalCost"))
        self.engine.say(self.station, "StopTransaction", v16.stop(self.id, meter=1000 + 1000 * kwh))
        return self._told()

    def is_taken_over(self) -> None:
        """Another process holds its socket, and knows what is in the tables."""
        self.engine = Engine(self.engine.protocol)

    def _told(self) -> Decimal | None:
        """The cost messages that are on their way are sent: what the last one says."""
        cost = None
        while errands := self.engine.claim(self.station):
            (errand,) = errands
            cost = json.loads(errand.calls[0]["data"]).get("cost", cost)
            self.engine.reply(self.station, errand, {"status": "Accepted"})
        return _cost(cost)

    @property
    def row(self) -> Transaction:
        with scopes_disabled():
            return Transaction.objects.select_related("station__site", "site", "id_token").get(station=self.station)


def _cost(told: float | None) -> Decimal | None:
    return None if told is None else Decimal(str(told))


@pytest.fixture(params=["1.6", "2.0.1"])
def charger(request: pytest.FixtureRequest, network: Network, committed: None) -> Charger:
    for who in PRICES:
        price(network, who)
    return Charger(network, request.param)


def why(charger: Charger) -> explained.Explained:
    with scopes_disabled():
        found = list(ChargeRecord.objects.filter(transaction=charger.row).select_related("tariff"))
        return explained.explain([charger.row], {one.transaction_id: one for one in found})[charger.row.pk]


@pytest.mark.parametrize(("who", "how"), MOVES, ids=lambda text: str(text).replace(" ", "-"))
def test_a_tag_that_is_moved_while_it_charges_changes_no_price(network: Network, charger: Charger, who: str, how: str) -> None:
    card(network, who)
    each = Decimal(PRICES[who])
    charger.starts()
    assert charger.charged(1) == each
    move(network, how)
    assert charger.charged(2) == 2 * each, "the process that saw it start"
    charger.is_taken_over()
    assert charger.charged(3) == 3 * each, "another process"
    assert ports.running_cost([charger.row])[charger.row.pk][0] == 3 * each, "pages and the API"
    said = why(charger)
    assert (said.payer, said.group, said.changed, said.billed) == (*PAYERS[who], how != "enrolled", False)
    assert charger.ends(4) == 4 * each
    tasks.make_charge_records()
    with scopes_disabled():
        (record,) = ChargeRecord.objects.filter(operator=network.operator)
        assert record.total_incl_tax == 4 * each, "the bill"
        (again,) = corrections.anew([record], pricing=corrections.ASSIGNED).values()
        assert isinstance(again, ChargeRecord)
        assert not drafts.differs(record, again), "priced anew by what is assigned now"
    said = why(charger)
    assert (said.payer, said.group, said.changed, said.billed) == (*PAYERS[who], how != "enrolled", True)


def test_a_session_of_before_this_was_noted_goes_by_its_tag_as_it_is(network: Network, charger: Charger) -> None:
    card(network, "FLEET")
    charger.starts()
    assert charger.row.payer == "tag"
    with scopes_disabled():
        Transaction.objects.filter(pk=charger.row.pk).update(payer="", payer_group=None)
    move(network, "to another group")
    charger.is_taken_over()
    assert charger.charged(1) == Decimal(PRICES["OTHER"])
    said = why(charger)
    assert (said.payer, said.group, said.changed) == (None, None, False)
    charger.ends(2)
    tasks.make_charge_records()
    with scopes_disabled():
        assert ChargeRecord.objects.get(operator=network.operator).total_incl_tax == 2 * Decimal(PRICES["OTHER"])


def test_a_group_that_is_removed_is_told_as_gone(network: Network, charger: Charger) -> None:
    card(network, "FLEET")
    charger.starts()
    with scopes_disabled():
        group(network, "FLEET").delete()
    said = why(charger)
    assert (said.payer, said.group, said.changed) == ("tag", "", True)


def test_networks_with_the_same_tag_and_group_keep_apart(network: Network, charger: Charger) -> None:
    other = Network()
    card(network, "FLEET")
    card(other, "FLEET")
    price(other, "tag")
    theirs = Charger(other, "2.0.1" if charger.newer else "1.6")
    charger.starts()
    theirs.starts()
    assert theirs.charged(1) == Decimal(PRICES["tag"]), "nothing is assigned to their group"
    move(other, "to another group")
    assert (why(charger).group, why(charger).changed) == ("FLEET", False)
    assert (why(theirs).group, why(theirs).changed) == ("FLEET", True)
    assert charger.row.payer_group != theirs.row.payer_group
    assert charger.charged(1) == Decimal(PRICES["FLEET"])


class TestLater:
    """OCPP 2.0.1: the tag may be shown after the start, and events may come late or without their start."""

    @pytest.fixture
    def charger(self, network: Network, committed: None) -> Charger:
        for who in PRICES:
            price(network, who)
        card(network, "FLEET")
        return Charger(network, "2.0.1")

    def test_what_holds_when_the_tag_is_shown_is_noted(self, network: Network, charger: Charger) -> None:
        charger.engine.say(charger.station, "TransactionEvent", v201.started(idToken=None))
        assert charger.row.payer == ""
        assert charger.charged(1) == Decimal(PRICES["ad_hoc"])
        shown = v201.updated(2, minute=20, triggerReason="Authorized", idToken=v201.CARD)
        charger.engine.say(charger.station, "TransactionEvent", shown)
        charger.number = 2
        move(network, "to another group")
        assert charger.charged(2) == 2 * Decimal(PRICES["FLEET"])
        assert charger.row.payer_group == group(network, "FLEET").pk

    def test_of_a_session_that_is_told_later_it_is_what_holds_then(self, network: Network, charger: Charger) -> None:
        move(network, "to another group")
        charger.engine.say(charger.station, "TransactionEvent", v201.started(offline=True))
        move(network, "out of its group")
        ended = v201.ended(1, minute=60, wh=3000, offline=True)
        assert charger.engine.say(charger.station, "TransactionEvent", ended) == {"totalCost": 1.8}

    def test_who_stops_it_is_not_who_pays(self, network: Network, charger: Charger) -> None:
        network.token("OTHER", group="OTHER")
        charger.starts()
        stopped = v201.ended(1, wh=3000, triggerReason="StopAuthorized", idToken=v201.CARD | {"idToken": "OTHER"})
        charger.engine.say(charger.station, "TransactionEvent", stopped)
        assert charger.row.payer_group == group(network, "FLEET").pk


def test_a_stop_whose_start_never_came_notes_who_charged(network: Network, committed: None) -> None:
    card(network, "FLEET")
    engine = Engine()
    station = connected(network, engine)
    engine.say(station, "StopTransaction", v16.stop(4711, meter=9000, idTag="CARD"))
    (row,) = network.transactions(station)
    assert (row.doubt, row.payer, row.payer_group) == ("start_missing", "tag", group(network, "FLEET").pk)


class TestPlace:
    """A charger that is moved while it charges: its session stays where it began."""

    @pytest.fixture
    def charger(self, request: pytest.FixtureRequest, network: Network, committed: None) -> Charger:
        return Charger(network, getattr(request, "param", "2.0.1"))

    @pytest.mark.parametrize("charger", ["1.6", "2.0.1"], indirect=True)
    @pytest.mark.parametrize("placed", [True, False], ids=["at a site", "at no site"])
    def test_a_charger_that_is_moved_while_it_charges_changes_no_price(
        self, network: Network, charger: Charger, placed: bool
    ) -> None:
        with scopes_disabled():
            add = partial(tariffs.add_tariff, operator=network.operator)
            add(name="Usual", price_per_kwh=Decimal("0.20"), is_default=True)
            here, there = (Site.objects.create(operator=network.operator, name=name) for name in ("Here", "There"))
            tariffs.assign(tariff=add(name="Here", price_per_kwh=Decimal("0.40")), site=here)
            tariffs.assign(tariff=add(name="There", price_per_kwh=Decimal("0.90")), site=there)
        if placed:
            moved(charger.station, here)
        each = Decimal("0.40") if placed else Decimal("0.20")
        charger.starts()
        assert charger.charged(1) == each
        moved(charger.station, there)
        assert charger.charged(2) == 2 * each, "the process that saw it start"
        charger.is_taken_over()
        assert charger.charged(3) == 3 * each, "another process"
        assert ports.running_cost([charger.row])[charger.row.pk][0] == 3 * each, "pages and the API"
        assert charger.ends(4) == 4 * each
        tasks.make_charge_records()
        with scopes_disabled():
            (record,) = ChargeRecord.objects.filter(operator=network.operator)
            assert record.total_incl_tax == 4 * each, "the bill"
            (again,) = corrections.anew([record], pricing=corrections.ASSIGNED).values()
            assert isinstance(again, ChargeRecord)
            assert not drafts.differs(record, again), "priced anew by what is assigned now"
            where = [row.pk for site in (here, there) for row in Transaction.objects.filter(took_place_at(site.pk))]
            assert where == ([charger.row.pk] if placed else [])

    def test_a_session_keeps_the_clock_of_where_it_began(self, network: Network, charger: Charger) -> None:
        with scopes_disabled():
            tokyo = Site.objects.create(operator=network.operator, name="Here", time_zone="Asia/Tokyo")
            berlin = Site.objects.create(operator=network.operator, name="There", time_zone="Europe/Berlin")
            tariffs.add_tariff(operator=network.operator, name="Usual", ocpi=AT_NIGHT, is_default=True)
        moved(charger.station, tokyo)
        charger.starts()
        assert charger.charged(1) == Decimal("0.40"), "19 hours there"
        moved(charger.station, berlin)
        assert charger.charged(2) == Decimal("0.80"), "11 hours there"
        with scopes_disabled():
            tokyo.delete()
        charger.is_taken_over()
        assert charger.charged(3) == Decimal("1.20")
        assert charger.ends(4) == Decimal("1.60")
        tasks.make_charge_records()
        with scopes_disabled():
            assert ChargeRecord.objects.get(operator=network.operator).total_incl_tax == Decimal("1.60")
        assert (charger.row.at_site, time_zone_of(charger.row)) == (None, "Asia/Tokyo")

    def test_a_session_of_before_its_site_was_noted_goes_by_where_its_charger_stands(
        self, network: Network, charger: Charger
    ) -> None:
        with scopes_disabled():
            there = Site.objects.create(operator=network.operator, name="There", time_zone="Asia/Tokyo")
            dear = tariffs.add_tariff(operator=network.operator, name="There", price_per_kwh=Decimal("0.90"))
            tariffs.assign(tariff=dear, site=there)
        charger.starts()
        with scopes_disabled():
            Transaction.objects.filter(pk=charger.row.pk).update(site=None, time_zone="")
        moved(charger.station, there)
        charger.is_taken_over()
        assert charger.charged(1) == Decimal("0.90")
        assert (charger.row.at_site, time_zone_of(charger.row)) == (there, "Asia/Tokyo")

    def test_the_migration_notes_where_chargers_stand_and_changes_nothing_that_was_noted(
        self, network: Network, charger: Charger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        migration = import_module("stations.migrations.0062_sessions_by_start")
        monkeypatch.setattr(migration, "EACH", 2)
        with scopes_disabled():
            here = Site.objects.create(operator=network.operator, name="Here", time_zone="Europe/Berlin")
            there = Site.objects.create(operator=network.operator, name="There", time_zone="Asia/Tokyo")
        moved(charger.station, here)
        charger.starts()
        moved(charger.station, there)
        noted = charger.row
        given = {"operator": network.operator, "station": charger.station, "started_at": noted.started_at}
        with scopes_disabled():
            for number in range(4):
                Transaction.objects.create(**given, received_at=noted.started_at, ocpp_transaction_id=f"before-{number}")
            migration.note_sites(None, connection.schema_editor())
            assert [row.pk for row in Transaction.objects.filter(took_place_at(here.pk))] == [noted.pk]
            before = Transaction.objects.filter(took_place_at(there.pk))
            assert [(row.ocpp_transaction_id[:6], row.time_zone) for row in before] == [("before", "Asia/Tokyo")] * 4

    def test_a_stop_whose_start_never_came_notes_where_it_was(self, network: Network, charger: Charger) -> None:
        with scopes_disabled():
            here = Site.objects.create(operator=network.operator, name="Here", time_zone="Asia/Tokyo")
        moved(charger.station, here)
        charger.engine = Engine()
        charger.engine.say(charger.station, "StopTransaction", v16.stop(4711, meter=9000, idTag="CARD"))
        (row,) = network.transactions(charger.station)
        assert (row.site_id, row.time_zone) == (here.pk, "Asia/Tokyo")
