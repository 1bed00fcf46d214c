"""What single id tags are held to, and of which types plugs are, as programs see and change them."""

from typing import Any

from django_scopes import scope

from stations.models import TokenTerms, Transaction
from tests.api.conftest import Network, Person

JSON = "application/json"


def test_a_tag_is_held_to_places_and_types_of_plugs(ada: Person, amber: Network) -> None:
    identity = amber.station.identity
    places = {"sites": [], "stations": [identity], "evses": []}
    body = {"value": "CARD", "places": {"stations": [identity]}, "connector_types": ["sType2", "cCCS2"]}
    made = ada.client.post("/api/v1/id-tags/", body, JSON)
    assert made.status_code == 201, made.content
    row = made.json()
    assert (row["places"], row["connector_types"]) == (places, ["cCCS2", "sType2"])
    url = f"/api/v1/id-tags/{row['id']}/"
    # What is not named stays.
    assert ada.client.patch(url, {"note": "Van 7"}, JSON).json()["places"] == places
    assert ada.client.patch(url, {"connector_types": None}, JSON).json()["places"] == places
    assert ada.client.rows("id-tags/")[0] == ada.client.get(url).json()
    assert ada.client.patch(url, {"places": None}, JSON).json()["places"] is None
    with scope(operator=ada.operator):
        assert not TokenTerms.objects.exists()


def test_a_tag_that_is_held_to_nonsense_is_not_made(ada: Person, amber: Network) -> None:
    for body, why in (
        ({"places": {}}, "Choose where"),
        ({"places": {"stations": ["NOWHERE"]}}, "There is no station NOWHERE"),
        ({"connector_types": []}, "Name a type of plug"),
        ({"connector_types": ["cType9"]}, "is not a valid choice"),
    ):
        answer = ada.client.post("/api/v1/id-tags/", {"value": "CARD"} | body, JSON)
        assert (answer.status_code, why in answer.content.decode()) == (400, True), answer.content
    assert ada.client.rows("id-tags/", value="CARD") == []


def test_of_which_type_a_plug_is_can_be_said(ada: Person, ben: Person, cleo: Person, amber: Network) -> None:
    row = ada.client.rows("connectors/")[0]
    assert (row["type"], row["type_said"]) == ("", "")
    url = f"/api/v1/connectors/{row['id']}/"
    told = ada.client.patch(url, {"type": "sType2"}, JSON).json()
    assert (told["type"], told["type_said"]) == ("sType2", "sType2")
    assert ada.client.get(url).json() == told
    assert ada.client.patch(url, {"type": ""}, JSON).json()["type"] == ""
    for body in ({"type": "cType9"}, {"kind": "sType2"}, {}):
        assert ada.client.patch(url, body, JSON).status_code == 400, body
    assert ben.client.patch(url, {"type": "sType2"}, JSON).status_code == 403
    assert cleo.client.patch(url, {"type": "sType2"}, JSON).status_code == 404


def test_what_was_read_with_a_tag_is_told_of_its_session(ada: Person, amber: Network) -> None:
    (before,) = [row for row in ada.client.rows("transactions/") if row["id"] == amber.transaction.pk]
    assert before["additional_id_tags"] == []
    told: list[dict[str, Any]] = [{"id_tag": "DE-8AA", "type": "eMAID"}]
    with scope(operator=ada.operator):
        Transaction.objects.filter(pk=amber.transaction.pk).update(additional_id_tags=told)
    assert ada.client.get(f"/api/v1/transactions/{amber.transaction.pk}/").json()["additional_id_tags"] == told
