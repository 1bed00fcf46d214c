"""Groups of id tags as programs see and change them."""

from typing import Any

from django_scopes import scope

from accounts.models import IdTokenGroup
from accounts.services import add_id_token
from tests.api.conftest import Network, Person

GROUPS = "/api/v1/id-tag-groups/"


def patch(who: Person, pk: int, body: dict[str, Any]) -> Any:
    return who.client.patch(f"{GROUPS}{pk}/", body, content_type="application/json")


def test_the_terms_of_a_group_are_told_and_changed_one_by_one(ada: Person, amber: Network) -> None:
    add_id_token(operator=ada.operator, value="CARD", group="FLEET")
    (row,) = ada.client.get(GROUPS).json()["results"]
    nothing = {"priority": None, "only_stops": False, "places": None, "connector_types": None}
    assert row == {"id": row["id"], "name": "FLEET"} | nothing
    identity = amber.station.identity
    places = {"sites": [], "stations": [], "evses": [{"station": identity, "evse": 2}]}
    assert patch(ada, row["id"], {"priority": -9}).json()["priority"] == -9
    assert patch(ada, row["id"], {"places": {"evses": places["evses"]}}).json()["places"] == places
    assert patch(ada, row["id"], {"connector_types": ["sType2", "cCCS2"]}).json()["connector_types"] == ["cCCS2", "sType2"]
    # What is not named stays.
    changed = patch(ada, row["id"], {"only_stops": True}).json()
    assert (changed["priority"], changed["only_stops"], changed["places"]) == (-9, True, places)
    assert changed["connector_types"] == ["cCCS2", "sType2"]
    assert patch(ada, row["id"], nothing).json() == row


def test_what_makes_no_sense_says_why(ada: Person, amber: Network) -> None:
    add_id_token(operator=ada.operator, value="CARD", group="FLEET")
    with scope(operator=ada.operator):
        pk = IdTokenGroup.objects.get().pk
    for body, why in (
        ({"priority": 10}, "less than or equal to 9"),
        ({"places": {}}, "Choose where"),
        ({"places": {"sites": [999_999_999]}}, "There is no site 999999999"),
        ({"places": {"stations": ["NOWHERE"]}}, "There is no station NOWHERE"),
        ({"colour": "red"}, "Unknown"),
        ({"connector_types": []}, "Name a type of plug"),
        ({"connector_types": ["cType9"]}, "is not a valid choice"),
    ):
        answer = patch(ada, pk, body)
        assert (answer.status_code, why in answer.content.decode()) == (400, True), (body, answer.content)
