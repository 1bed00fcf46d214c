"""People and invitations through the API."""

from typing import Any

import pytest
from django.core.cache import cache

from accounts.models import User
from tests.api.conftest import Person

JSON = "application/json"


@pytest.fixture(autouse=True)
def forgotten_tries() -> None:
    cache.clear()


def invited(who: Person, **fields: Any) -> Any:
    given = {"email": "dora@example.org", "role": "support"} | fields
    return who.client.post("/api/v1/invitations/", given, JSON)


@pytest.fixture
def bea(ada: Person) -> User:
    return User.objects.create_user("bea@example.org", operator=ada.operator, role="viewer", name="Bea Berg")


def test_people_are_listed_with_what_they_may(ada: Person, bea: User) -> None:
    (row,) = ada.client.rows("people/", email="BEA@example.org")
    assert row.pop("created_at").endswith("Z")
    assert row == {
        "id": bea.pk,
        "email": "bea@example.org",
        "name": "Bea Berg",
        "role": "viewer",
        "active": True,
        "second_factor": False,
        "last_login": None,
    }
    User.objects.create_user("dee@example.org", operator=ada.operator, kind="driver")
    emails = [row["email"] for row in ada.client.rows("people/")]
    assert emails == sorted(emails)
    assert "dee@example.org" not in emails
    assert [row["email"] for row in ada.client.rows("people/", role="viewer", active="true")] == ["bea@example.org"]


def test_a_role_is_changed_and_a_login_switched_off(ada: Person, bea: User) -> None:
    path = f"/api/v1/people/{bea.pk}/"
    assert ada.client.patch(path, {"role": "technician"}, JSON).json()["role"] == "technician"
    assert ada.client.patch(path, {"active": False}, JSON).json()["active"] is False
    bea.refresh_from_db()
    assert (bea.role, bea.is_active) == ("technician", False)


def test_what_makes_no_sense_is_refused_with_the_remedy(ada: Person, bea: User) -> None:
    mine, hers = f"/api/v1/people/{ada.user.pk}/", f"/api/v1/people/{bea.pk}/"
    for path, given, words in (
        (mine, {"role": "viewer"}, "make somebody else an owner first"),
        (mine, {"active": False}, "You cannot switch yourself off"),
        (hers, {"role": "king"}, "not a valid choice"),
        (hers, {"email": "x@example.org", "is_staff": True}, "Unknown: is_staff"),
    ):
        answer = ada.client.patch(path, given, JSON)
        assert answer.status_code == 400
        assert words in answer.json()["detail"]
    assert ada.client.delete(hers).status_code == 405
    assert ada.client.put(hers, {"role": "viewer"}, JSON).status_code == 405


def test_an_invitations_life(ada: Person) -> None:
    made = invited(ada)
    assert made.status_code == 201
    row = made.json()
    link = row.pop("link")
    assert row.pop("mailed") is False
    assert ada.client.rows("invitations/") == [row]
    assert ada.client.get(link).status_code == 200
    assert ada.client.delete(f"/api/v1/invitations/{row['id']}/").status_code == 204
    assert ada.client.get(link).status_code == 404
    assert invited(ada, email=ada.user.email).status_code == 409
    assert invited(ada, email="x").status_code == 400


def test_only_owners_may_even_look(ben: Person, bea: User) -> None:
    for path in ("people/", f"people/{bea.pk}/", "invitations/"):
        assert ben.client.get(f"/api/v1/{path}").status_code == 403
    assert invited(ben).status_code == 403
    assert ben.client.patch(f"/api/v1/people/{bea.pk}/", {"role": "owner"}, JSON).status_code == 403


def test_a_key_that_may_only_read_does_not_read_people(ada: Person) -> None:
    ada.key.scopes = ["read"]
    ada.key.save()
    assert ada.client.get("/api/v1/people/").status_code == 403
    ada.key.scopes = ["people.change"]
    ada.key.save()
    assert ada.client.get("/api/v1/people/").status_code == 200
