"""Local lists as programs see them, and the rules they set."""

from typing import Any

from django.utils import timezone
from django_scopes import scope

from accounts.services import add_id_token
from stations.models import LocalList, LocalListEntry
from tests.api.conftest import Network, Person

RULES, LISTS = "/api/v1/local-list-rules/", "/api/v1/local-lists/"


def post(who: Person, body: dict[str, Any]) -> Any:
    return who.client.post(RULES, body, content_type="application/json")


def test_a_rule_makes_lists_and_is_replaced_and_removed(ada: Person, amber: Network) -> None:
    add_id_token(operator=ada.operator, value="CARD-1", group="Staff")
    answer = post(ada, {"mode": "groups", "groups": ["Staff"]})
    assert (answer.status_code, answer.json()["mode"], answer.json()["groups"]) == (201, "groups", ["Staff"])
    shown = ada.client.get(f"{LISTS}?station={amber.station.identity}").json()["results"][0]
    assert (shown["mode"], shown["state"], shown["version"], shown["entries"]) == ("groups", "waiting", 0, 0)

    again = post(ada, {"mode": "valid"})
    assert again.json()["id"] == answer.json()["id"]
    own = post(ada, {"mode": "off", "station": amber.station.identity})
    assert (own.status_code, own.json()["station"]) == (201, amber.station.identity)
    assert len(ada.client.get(RULES).json()["results"]) == 2
    assert ada.client.delete(f"{RULES}{own.json()['id']}/").status_code == 204
    assert [row["mode"] for row in ada.client.get(RULES).json()["results"]] == ["valid"]


def test_a_rule_that_makes_no_sense_says_why(ada: Person, amber: Network) -> None:
    for body, why in (
        ({"mode": "some"}, "is not a valid choice"),
        ({"mode": "groups"}, "at least one group"),
        ({"mode": "groups", "groups": ["Nobody"]}, "There is no group Nobody"),
        ({"mode": "valid", "station": "NOWHERE"}, "There is no station NOWHERE"),
        ({"mode": "valid", "site": 999_999_999}, "There is no site"),
        ({"mode": "valid", "site": 1, "station": amber.station.identity}, "not both"),
        ({"mode": "valid", "colour": "red"}, "Unknown"),
    ):
        answer = post(ada, body)
        assert (answer.status_code, why in answer.content.decode()) == (400, True), (body, answer.content)


def test_what_was_sent_is_shown_whether_by_rule_or_by_hand(ada: Person, amber: Network) -> None:
    token = add_id_token(operator=ada.operator, value="CARD-1", group="Staff")
    add_id_token(operator=ada.operator, value="CARD-2")
    post(ada, {"mode": "valid"})
    with scope(operator=ada.operator):
        one = LocalList.objects.get(station=amber.station)
        LocalList.objects.filter(pk=one.pk).update(highest=token.pk)
    rows = ada.client.get(f"{LISTS}{one.pk}/entries/").json()["results"]
    assert [(row["id_tag"], row["status"], row["group"]) for row in rows] == [("CARD-1", "Accepted", "Staff")]
    with scope(operator=ada.operator):
        LocalList.objects.filter(pk=one.pk).update(by_hand=True, rule=None)
        fields = {"operator": ada.operator, "local_list": one, "type": "ISO14443", "expires_at": timezone.now()}
        for value in ("GUEST", "VAN"):
            LocalListEntry.objects.create(**fields, value=value, key=value, status="Blocked")
    rows = ada.client.get(f"{LISTS}{one.pk}/entries/?id_tag=guest").json()["results"]
    assert [(row["id_tag"], row["status"], row["group"]) for row in rows] == [("GUEST", "Blocked", "")]
    assert ada.client.get(f"{LISTS}{one.pk}/").json()["mode"] == "by_hand"


def test_a_list_is_asked_for_by_its_commands(ada: Person, amber: Network) -> None:
    path = f"/api/v1/stations/{amber.station.identity}/commands/"
    body: dict[str, Any] = {"command": "send_local_list"}
    refused = ada.client.post(path, body, content_type="application/json")
    assert (refused.status_code, "No rule puts id tags" in refused.content.decode()) == (400, True)
    body["params"] = {"update": "full", "entries": [{"id_token": "CARD-1"}], "version": 7}
    assert ada.client.post(path, body, content_type="application/json").status_code == 400
    del body["params"]["version"]
    assert ada.client.post(path, body, content_type="application/json").status_code == 201
    shown = ada.client.get(f"{LISTS}?station={amber.station.identity}").json()["results"][0]
    assert (shown["state"], shown["sent_version"], shown["version"]) == ("sending", 1, 0)
