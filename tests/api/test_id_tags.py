"""Id tags through the API."""

from typing import Any

import pytest
from django_scopes import scope

from accounts.models import IdToken
from tests.api.conftest import Person

JSON = "application/json"


def post(who: Person, **tag: Any) -> Any:
    return who.client.post("/api/v1/id-tags/", tag, JSON)


def test_a_tags_life(ada: Person) -> None:
    answer = post(ada, value="04a1b2c3", group="fleet", expires_at="2027-01-31T12:00:00+01:00", note="Dee's card")
    assert answer.status_code == 201
    made = answer.json()
    assert made.pop("created_at").endswith("Z")
    number = made.pop("id")
    assert made == {
        "value": "04a1b2c3",
        "type": "ISO14443",
        "status": "Accepted",
        "blocked_because": "",
        "expires_at": "2027-01-31T11:00:00.000000Z",
        "group": "fleet",
        "note": "Dee's card",
        "places": None,
        "connector_types": None,
    }
    url = f"/api/v1/id-tags/{number}/"
    blocked = ada.client.patch(url, {"status": "Blocked"}, JSON).json()
    assert (blocked["status"], blocked["group"], blocked["note"]) == ("Blocked", "fleet", "Dee's card")
    assert ada.client.patch(url, {"blocked_because": "lost"}, JSON).json()["blocked_because"] == "lost"
    assert ada.client.patch(url, {"group": None, "expires_at": None}, JSON).json()["group"] is None
    assert ada.client.put(url, {"value": "04A1B2C4", "group": "staff"}, JSON).json()["value"] == "04A1B2C4"
    assert ada.client.rows("id-tags/", value="04a1b2c4", group="staff", status="Blocked")[0]["id"] == number
    assert ada.client.delete(url).status_code == 204
    assert ada.client.get(url).status_code == 404


def test_the_same_tag_twice_is_a_conflict_whatever_its_case(ada: Person, cleo: Person) -> None:
    assert post(ada, value="abc").status_code == 201
    answer = post(ada, value="ABC")
    assert answer.status_code == 409
    assert "already" in answer.json()["errors"]["value"][0]
    assert post(ada, value="abc", type="KeyCode").status_code == 201  # another type is another tag
    assert post(cleo, value="abc").status_code == 201  # and so is another operator's
    url = f"/api/v1/id-tags/{post(ada, value='abd').json()['id']}/"
    assert ada.client.patch(url, {"value": "Abc"}, JSON).status_code == 409


@pytest.mark.parametrize(
    ("tag", "field"),
    [
        ({}, "value"),
        ({"value": ""}, "value"),
        ({"value": "x" * 256}, "value"),
        ({"value": "a\x00b"}, "value"),
        ({"value": "a\nb"}, "value"),
        ({"value": "a", "type": "Tattoo"}, "type"),
        ({"value": "a", "status": "Maybe"}, "status"),
        ({"value": "a", "expires_at": "soon"}, "expires_at"),
        ({"value": "a", "group": "g" * 21}, "group"),
        ({"value": "a", "note": "n" * 201}, "note"),
        ({"value": "a", "note": "\x07"}, "note"),
    ],
)
def test_a_tag_that_is_none_is_refused_with_the_fields_name(ada: Person, tag: dict[str, str], field: str) -> None:
    answer = post(ada, **tag)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert answer["Content-Type"] == "application/problem+json"
    with scope(operator=ada.operator):
        assert not IdToken.objects.exists()


@pytest.mark.parametrize(
    ("body", "kind", "status"), [("{", JSON, 400), ("[]", JSON, 400), ("value=a", "application/x-www-form-urlencoded", 415)]
)
def test_a_body_that_is_not_a_json_object_is_a_problem(ada: Person, body: str, kind: str, status: int) -> None:
    answer = ada.client.post("/api/v1/id-tags/", body, kind)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("number", ["0", "99999999999999999999999", "abc"])
def test_a_number_that_is_no_tags_is_404(ada: Person, number: str) -> None:
    assert ada.client.get(f"/api/v1/id-tags/{number}/").status_code == 404
