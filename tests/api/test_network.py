"""Network profiles and moves for programs."""

from typing import Any

import pytest
from django.utils import timezone
from django_scopes import scope

from stations.models import NetworkProfile, Variable
from tests.api.conftest import Network, Person

PATH = "/api/v1/network-moves/"
PROFILE = {"url": "wss://csms.example.com/ocpp", "security_profile": 2}


@pytest.fixture
def ordered(amber: Network) -> Network:
    """Its station has told the order of its slots, and took a profile."""
    with scope(operator=amber.operator):
        about = {"component": "OCPPCommCtrlr", "variable": "NetworkConfigurationPriority", "value": "0"}
        Variable.objects.create(operator=amber.operator, station=amber.station, **about)
        NetworkProfile.objects.create(
            operator=amber.operator, station=amber.station, slot=5, interface="Wired0", message_timeout_s=30,
            ocpp_version="OCPP20", transport="JSON", set_at=timezone.now(), **PROFILE,
        )  # fmt: skip
    return amber


def move(who: Person, **fields: Any) -> Any:
    body = {"station": "AMBER-01", "slot": 1, "profile": PROFILE} | fields
    return who.client.post(PATH, {k: v for k, v in body.items() if v is not None}, content_type="application/json")


def test_a_profile_stands_in_the_list_of_its_station(ada: Person, ordered: Network) -> None:
    (row,) = ada.client.rows("network-profiles/", station="AMBER-01", slot=5)
    assert (row["url"], row["security_profile"], row["vpn"]) == (PROFILE["url"], 2, None)
    assert ada.client.rows("network-profiles/", slot=6) == []


def test_a_move_begins_by_storing_the_profile(ada: Person, ordered: Network) -> None:
    answer = move(ada)
    assert answer.status_code == 201, answer.json()
    row = answer.json()
    assert (row["status"], row["priority"], row["priority_before"], row["away"]) == ("profile", "1,0", "0", False)
    assert ada.client.get(f"/api/v1/commands/{row['command']}/").json()["command"] == "set_network_profile"
    assert [one["id"] for one in ada.client.rows("network-moves/", open="true", station="AMBER-01")] == [row["id"]]


def test_without_a_profile_it_is_led_to_the_one_it_has(ada: Person, ordered: Network) -> None:
    assert move(ada, profile=None, slot=5).json()["status"] == "priority"


def test_a_move_can_be_given_up_and_led_back(ada: Person, ordered: Network) -> None:
    row = move(ada).json()
    path = f"{PATH}{row['id']}/"
    answers = [ada.client.post(f"{path}cancel/", content_type="application/json") for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 409]
    assert answers[0].json()["status"] == "cancelled"
    back = ada.client.post(f"{path}back/", content_type="application/json")
    assert (back.status_code, back.json()["priority"], back.json()["back"]) == (201, "0", True)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"station": "NOBODY"}, "station: There is no such station in your network."),
        ({"slot": 9, "profile": None}, "AMBER-01 has no profile in slot 9 that is known here."),
        ({"profile": PROFILE | {"security_profile": 0}}, "security_profile 0 is lower than that of AMBER-01, which is 1"),
        ({"profile": PROFILE | {"url": "nonsense"}}, "url must be an address such as"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(ada: Person, ordered: Network, fields: dict[str, Any], said: str) -> None:
    answer = move(ada, **fields)
    assert (answer.status_code, answer.json()["detail"][: len(said)]) == (400, said)


def test_a_station_whose_order_is_not_known_is_not_moved(ada: Person, amber: Network) -> None:
    assert move(ada).json()["detail"].startswith("The order of the slots of AMBER-01 is not known")


def test_only_who_may_change_stations_moves_them(ada: Person, ben: Person, cleo: Person, ordered: Network) -> None:
    row = move(ada).json()
    assert move(ben).status_code == 403
    assert cleo.client.get(f"{PATH}{row['id']}/").status_code == 404
    assert cleo.client.rows("network-profiles/") == cleo.client.rows("network-moves/") == []
