"""Starting and stopping by app, and where one can charge."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts import drivers
from accounts.models import IdToken, IdTokenGroup
from billing import tariffs
from csms.api.drivers import access
from stations.models import Command, Connector, Site, Station
from tests.api.drivers.conftest import Driver
from tests.dashboard.rows import finished, plug, seen, session
from tests.network import Network


def where(connector: Connector) -> dict[str, Any]:
    return {"station": connector.evse.station.identity, "evse": connector.evse.number}


def change(**fields: Any) -> None:
    with scopes_disabled():
        Command.objects.update(**fields)


def test_a_start_is_followed_from_the_asking_to_the_session(amber: Network, dee: Driver, free: Connector) -> None:
    asked = dee.app.ask("post", "charge/start/", where(free), 202)
    assert (asked["state"], asked["status"], asked["command"], asked["session"]) == ("asking", "queued", "remote_start", None)
    assert (asked["station"], asked["evse"]) == (free.evse.station.identity, 1)
    assert dee.app.ask("post", "charge/start/", where(free), 202)["id"] == asked["id"]
    path = f"charge/commands/{asked['id']}/"
    change(status="accepted", sent_at=timezone.now(), effect_due_at=timezone.now() + timedelta(minutes=3))
    now = dee.app.ask("get", path)
    assert now["state"] == "plug_in"
    assert now["until"] is not None
    running = session(free, id_token=dee.token, received_at=timezone.now())
    change(status="confirmed")
    now = dee.app.ask("get", path)
    assert (now["state"], now["session"]) == ("charging", running.pk)
    assert dee.app.ask("get", f"me/sessions/{running.pk}/")["status"] == "active"


def test_a_session_is_stopped_by_its_id_or_by_its_plug(amber: Network, dee: Driver, free: Connector) -> None:
    running = session(free, id_token=dee.token)
    asked = dee.app.ask("post", "charge/stop/", {"session": running.pk}, 202)
    assert (asked["command"], asked["state"]) == ("remote_stop", "asking")
    assert dee.app.ask("post", "charge/stop/", where(free), 202)["id"] == asked["id"]
    with scopes_disabled():
        type(running).objects.update(status="ended")
    change(status="confirmed")
    now = dee.app.ask("get", f"charge/commands/{asked['id']}/")
    assert (now["state"], now["session"]) == ("stopped", running.pk)
    assert dee.app.ask("post", "charge/stop/", {"session": running.pk}, 409)["code"] == "ended"
    dee.app.ask("post", "charge/stop/", where(free), 404)


def test_a_refusal_says_why_in_words_and_in_a_word(amber: Network, dee: Driver, free: Connector) -> None:
    broken = plug(amber, "Faulted", station=free.evse.station)
    problem = dee.app.ask("post", "charge/start/", where(broken), 409)
    assert (problem["code"], problem["detail"]) == ("faulted", "This plug is faulted. Try plug 1.")
    drivers.block(driver=dee.user, because="Unpaid bill")
    assert dee.app.ask("post", "charge/start/", where(free), 409)["code"] == "blocked"


def test_a_plug_of_another_network_is_not_started(dee: Driver, cobalt: Network) -> None:
    elsewhere = plug(cobalt)
    assert dee.app.ask("post", "charge/start/", where(elsewhere), 409)["code"] == "not_yours"
    with scopes_disabled():
        assert not Command.objects.exists()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("charge/start/", {}, 400),
        ("charge/start/", {"station": "X"}, 400),
        ("charge/start/", {"station": "X", "evse": 0}, 400),
        ("charge/start/", {"station": "X", "evse": "1"}, 400),
        ("charge/start/", {"station": "X", "evse": 1, "colour": 1}, 400),
        ("charge/start/", {"station": "X" * 49, "evse": 1}, 400),
        ("charge/start/", {"station": "NOWHERE", "evse": 1}, 404),
        ("charge/start/", [], 400),
        ("charge/stop/", {}, 400),
        ("charge/stop/", {"session": 1, "station": "X", "evse": 1}, 400),
        ("charge/stop/", {"station": "X"}, 400),
        ("charge/stop/", {"evse": 1, "session": 1}, 400),
        ("charge/stop/", {"session": 1}, 404),
        ("charge/stop/", {"session": True}, 400),
    ],
)
def test_a_body_that_makes_no_sense_is_refused(dee: Driver, path: str, body: Any, status: int) -> None:
    assert dee.app.ask("post", path, body, status)["detail"]


def test_an_idempotency_key_is_ones_own(amber: Network, dee: Driver, ed: Driver, free: Connector) -> None:
    first = dee.app.ask("post", "charge/start/", where(free), 202, **{"Idempotency-Key": "k1"})
    change(status="rejected", detail="Occupied")
    again = dee.app.ask("post", "charge/start/", where(free), 202, **{"Idempotency-Key": "k1"})
    assert (again["id"], again["state"], again["because"]) == (first["id"], "failed", "Occupied")
    other = ed.app.ask("post", "charge/start/", where(free), 202, **{"Idempotency-Key": "k1"})
    assert other["id"] != first["id"]
    dee.app.ask("post", "charge/start/", where(free), 400, **{"Idempotency-Key": "k" * 200})
    elsewhere = where(plug(amber, station=free.evse.station))
    assert "another plug" in dee.app.ask("post", "charge/start/", elsewhere, 409, **{"Idempotency-Key": "k1"})["detail"]


def test_what_others_asked_of_chargers_is_not_told(dee: Driver, ed: Driver, free: Connector) -> None:
    asked = dee.app.ask("post", "charge/start/", where(free), 202)
    ed.app.ask("get", f"charge/commands/{asked['id']}/", status=404)


def test_a_charger_is_no_toy(dee: Driver, free: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(access, "STARTS_A_MINUTE", 3)
    answers = [dee.app.post("/api/v1/charge/start/", where(free), "application/json") for _ in range(7)]
    assert answers[0].status_code == 202
    # A minute may end among them; then one of the two has four or more.
    held = next(answer for answer in answers if answer.status_code != 202)
    assert (held.status_code, "things a minute" in held.json()["detail"]) == (429, True)
    assert int(held["Retry-After"]) > 0


# Locations


@pytest.fixture
def harbour(amber: Network, free: Connector) -> Site:
    with scopes_disabled():
        site = Site.objects.create(operator=amber.operator, name="Harbour", city="Aarhus", latitude=56.15, longitude=10.21)
        Station.objects.filter(pk=free.evse.station_id).update(site=site)
    return site


def test_nearby_locations_have_live_plugs_and_the_price_with_tax(
    amber: Network, dee: Driver, ed: Driver, harbour: Site, free: Connector
) -> None:
    plug(amber, "Faulted", station=free.evse.station)
    mine = plug(amber, "Charging", station=free.evse.station)
    session(mine, id_token=dee.token)
    (row,) = dee.app.rows("locations/?lat=56.151&lon=10.21&radius_m=2000")
    assert (row["id"], row["name"], row["city"], row["distance_m"], row["price"]) == (harbour.pk, "Harbour", "Aarhus", 111, None)
    assert [(one["evse"], one["state"], one["free"], one["mine"]) for one in row["plugs"]] == [
        (1, "Available", True, False),
        (2, "Faulted", False, False),
        (3, "Charging", False, True),
    ]
    assert row["free"] == 1
    amber.tariff()
    row = dee.app.ask("get", f"locations/{harbour.pk}/")
    assert row["price"]["sentence"].startswith("0.50")
    assert Decimal(row["price"]["per_kwh"]) == Decimal("0.5")
    assert row["distance_m"] is None
    assert not any(one["mine"] for one in ed.app.ask("get", f"locations/{harbour.pk}/")["plugs"])


def test_each_plug_has_the_price_of_its_tariff(amber: Network, dee: Driver, harbour: Site, free: Connector) -> None:
    other = plug(amber, station=free.evse.station)
    amber.tariff()
    fast = amber.tariff(name="Fast", price_per_kwh="0.80", is_default=False)
    fleet = amber.tariff(name="Fleet", price_per_kwh="0.20", is_default=False)
    with scopes_disabled():
        tariffs.assign(tariff=fast, evse=other.evse)
    row = dee.app.ask("get", f"locations/{harbour.pk}/")
    assert Decimal(row["price"]["per_kwh"]) == Decimal("0.5")
    assert [Decimal(one["price"]["per_kwh"]) for one in row["plugs"]] == [Decimal("0.5"), Decimal("1.0")]
    # With the app starts the app's own tag; of whichever group a card of theirs is.
    with scopes_disabled():
        group = IdTokenGroup.objects.create(operator=amber.operator, name="Fleet")
        tariffs.assign(tariff=fleet, audience="group", group=group)
    amber.token("CARD", driver=dee.user, group="Fleet")
    assert Decimal(dee.app.ask("get", f"locations/{harbour.pk}/")["plugs"][0]["price"]["per_kwh"]) == Decimal("0.5")
    with scopes_disabled():
        IdToken.objects.filter(pk=dee.token.pk).update(group=group)
    assert {one["price"]["per_kwh"] for one in dee.app.ask("get", f"locations/{harbour.pk}/")["plugs"]} == {"0.2500"}


def test_locations_far_away_of_others_or_without_a_charger_are_none(dee: Driver, cy: Driver, amber: Network, harbour: Site) -> None:
    with scopes_disabled():
        Site.objects.create(operator=amber.operator, name="Empty", latitude=56.15, longitude=10.21)
    assert dee.app.rows("locations/?lat=50&lon=10") == []
    assert [row["name"] for row in dee.app.rows("locations/")] == ["Harbour"]
    assert cy.app.rows("locations/?lat=56.15&lon=10.21") == cy.app.rows("locations/") == []
    cy.app.ask("get", f"locations/{harbour.pk}/", status=404)


def test_locations_are_paged(dee: Driver, amber: Network) -> None:
    with scopes_disabled():
        for name in "CBA":
            site = Site.objects.create(operator=amber.operator, name=name, latitude=56.15, longitude=10.21)
            amber.station(site=site)
    for query in ("", "&lat=56.15&lon=10.21"):
        page = dee.app.ask("get", f"locations/?limit=2{query}")
        rest = dee.app.ask("get", page["next"].split("/api/v1/")[1])
        assert len(page["results"]) == 2
        assert sorted(row["name"] for row in page["results"] + rest["results"]) == ["A", "B", "C"]
        assert rest["next"] is None


@pytest.mark.parametrize(
    "query",
    [
        "lat=1",
        "lon=1",
        "lat=91&lon=0",
        "lat=0&lon=181",
        "lat=x&lon=0",
        "lat=nan&lon=0",
        "radius_m=0",
        "radius_m=1e9",
        "limit=101",
        "offset=-1",
        "colour=1",
    ],
)
def test_a_place_that_makes_no_sense_is_refused(dee: Driver, query: str) -> None:
    dee.app.ask("get", f"locations/?{query}", status=400)


def test_an_offline_charger_is_shown_as_such(dee: Driver, harbour: Site, free: Connector) -> None:
    seen(free.evse.station, ago=timedelta(hours=1))
    (row,) = dee.app.rows("locations/")
    assert (row["free"], row["plugs"][0]["state"]) == (0, "Offline")


def test_an_ended_session_does_not_hold_its_plug(dee: Driver, harbour: Site, free: Connector) -> None:
    finished(free, id_token=dee.token)
    assert dee.app.rows("locations/")[0]["free"] == 1
