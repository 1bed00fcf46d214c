"""The network profiles of a charger on its page, and the way by which it is led to another one."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_scopes import scopes_disabled

from stations.models import Command, NetworkMove, Station, Variable
from tests.dashboard.reservationrows import made_move, made_profile
from tests.dashboard.rows import seen
from tests.network import Network


@pytest.fixture
def station(amber: Network) -> Station:
    station = amber.station(accepted=True)
    seen(station, protocol="ocpp2.0.1")
    with scopes_disabled():
        about = {"component": "OCPPCommCtrlr", "variable": "NetworkConfigurationPriority", "value": "0"}
        Variable.objects.create(operator=station.operator, station=station, **about)
    return station


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def tab(browser: Client, station: Station) -> str:
    return text(browser.get(reverse("station", args=[station.identity]) + "?tab=security"))


def lead(browser: Client, station: Station, **fields: str) -> Any:
    given = {"slot": "1", "url": "wss://csms.example.com/ocpp", "security_profile": "2", "interface": "Wired0"}
    given |= {"message_timeout_s": "30", "sure": station.identity} | fields
    return browser.post(reverse("network_move", args=[station.identity]), given)


def test_a_version_without_profiles_says_so(ada: Client, amber: Network) -> None:
    station = amber.station(accepted=True)
    seen(station, protocol="ocpp1.6")
    html = tab(ada, station)
    assert "This charger speaks a version of OCPP without network profiles" in html
    assert "Lead it to another address" not in html


def test_ada_leads_a_charger_to_another_address(ada: Client, station: Station) -> None:
    answer = lead(ada, station, apn="internet", apn_password="s3cret")
    assert answer["Location"].endswith("?tab=security#network-moves")
    with scopes_disabled():
        asked = Command.objects.get(station=station)
    assert (asked.kind, asked.params["slot"], asked.params["apn"]["apn"]) == ("set_network_profile", 1, "internet")
    assert "s3cret" not in str(asked.params)
    html = tab(ada, station)
    assert '<li class="is-now" aria-current="step">Storing the profile</li>' in html
    assert "Lead it to another address" not in html


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sure": "yes"}, "This is not the name of this charger."),
        ({"url": "https://x.example.com"}, "url must be an address such as wss://csms.example.com/ocpp"),
        ({"url": "ws://x.example.com"}, "url must begin with wss://"),
        ({"slot": "-1"}, "Ensure this value is greater than or equal to 0."),
    ],
)
def test_what_cannot_be_says_why(ada: Client, station: Station, fields: dict[str, str], said: str) -> None:
    answer = lead(ada, station, **fields)
    assert answer.status_code == 422
    assert said in text(answer)


def test_profiles_and_moves_are_shown_with_the_way_back(ada: Client, ben: Client, station: Station) -> None:
    with scopes_disabled():
        made_profile(station, vpn={"server": "vpn.example.com", "password": "***"})
        move = made_move(station, status="returned", finished_at=station.created_at, away=True)
    html = tab(ada, station)
    shown = ("wss://csms.example.com/ocpp", "vpn.example.com", "Came back", "Back to the order 0", "Order of the slots: <strong>0<")
    assert [said for said in shown if said not in html] == []
    assert "Back to the order 0" not in tab(ben, station)
    ada.post(reverse("network_lead", args=[station.identity, move.pk]), {"do": "back"})
    with scopes_disabled():
        newest = NetworkMove.objects.filter(station=station).latest("id")
    assert (newest.back, newest.priority, newest.status) == (True, "0", "priority")


@pytest.mark.parametrize(
    ("status", "came_by", "said"),
    [
        ("arrived", 1, "connected here again after its restart, by this slot."),
        ("arrived", None, "By which slot is not known: it did not tell."),
        ("returned", 0, "came back by slot 0"),
    ],
)
def test_by_which_slot_it_came_is_said(ada: Client, station: Station, status: str, came_by: int | None, said: str) -> None:
    with scopes_disabled():
        made_move(station, status=status, came_by=came_by, finished_at=station.created_at)
    assert said in tab(ada, station)


def test_a_move_is_given_up_with_a_button(ada: Client, station: Station) -> None:
    with scopes_disabled():
        move = made_move(station)
    path = reverse("network_lead", args=[station.identity, move.pk])
    ada.post(path, {"do": "stop"})
    assert "Given up" in tab(ada, station)
    assert "It was too late to give it up" in text(ada.post(path, {"do": "stop"}, follow=True))
