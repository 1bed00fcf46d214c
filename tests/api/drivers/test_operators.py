"""Drivers as their operator's programs see them."""

from collections.abc import Callable
from typing import Any

import pytest
from django_scopes import scopes_disabled

from accounts import drivers, services
from accounts.models import AuditEntry, Role, User
from tests.api.conftest import KeyClient, Person, ada, amber, ben, cleo, cobalt, person

__all__ = ["ada", "amber", "ben", "cleo", "cobalt"]
JSON = "application/json"


def sign_up(who: Person, name: str = "dee") -> User:
    return drivers.sign_up(email=f"{name}@example.org", password="charge-it-all-night", operator=who.operator, name=name)


def post(who: Person, path: str, body: Any = None) -> Any:
    return who.client.post(f"/api/v1/drivers/{path}", body or {}, JSON)


def test_an_operator_lists_its_drivers_with_their_tags(ada: Person, cleo: Person) -> None:
    dee, ed = sign_up(ada), sign_up(ada, "ed")
    sign_up(cleo, "cy")
    drivers.block(driver=ed, because="Unpaid bill")
    assert [row["email"] for row in ada.client.rows("drivers/")] == ["ed@example.org", "dee@example.org"]
    assert [row["email"] for row in ada.client.rows("drivers/", email="DEE@example.org")] == ["dee@example.org"]
    assert [row["email"] for row in ada.client.rows("drivers/", blocked="true")] == ["ed@example.org"]
    row = ada.client.get(f"/api/v1/drivers/{dee.pk}/").json()
    assert (row["name"], len(row["id_tags"]), row["last_login_at"]) == ("dee", 1, None)


def test_a_driver_is_blocked_with_a_reason_and_unblocked(ada: Person) -> None:
    dee = sign_up(ada)
    assert post(ada, f"{dee.pk}/block/").status_code == 400
    row = post(ada, f"{dee.pk}/block/", {"because": "Unpaid bill"}).json()
    assert (row["blocked_because"], row["id_tags"][0]["status"]) == ("Unpaid bill", "Blocked")
    assert post(ada, f"{dee.pk}/unblock/").json()["blocked_because"] == ""
    with scopes_disabled():
        assert {"driver.blocked", "driver.unblocked"} <= set(AuditEntry.objects.values_list("action", flat=True))


def test_a_card_is_given_and_taken(ada: Person) -> None:
    dee, ed = sign_up(ada), sign_up(ada, "ed")
    given = post(ada, f"{dee.pk}/id-tags/", {"value": "04A1B2"}).json()["id_tags"][1]
    assert (given["value"], given["app"]) == ("04A1B2", False)
    assert post(ada, f"{ed.pk}/id-tags/", {"value": "04A1B2"}).status_code == 409
    assert ada.client.delete(f"/api/v1/drivers/{ed.pk}/id-tags/{given['id']}/").status_code == 404
    assert ada.client.delete(f"/api/v1/drivers/{dee.pk}/id-tags/{given['id']}/").status_code == 204
    (own,) = ada.client.get(f"/api/v1/drivers/{dee.pk}/").json()["id_tags"]
    for path in (f"drivers/{dee.pk}/id-tags/{own['id']}/", f"id-tags/{own['id']}/"):
        answer = ada.client.delete(f"/api/v1/{path}")
        assert (answer.status_code, "block the driver instead" in answer.json()["detail"]) == (400, True), path


def test_another_networks_drivers_and_staff_are_not_there(ada: Person, cleo: Person) -> None:
    dee = sign_up(ada)
    for path in (f"{dee.pk}/", f"{ada.user.pk}/"):
        assert cleo.client.get(f"/api/v1/drivers/{path}").status_code == 404
    for path in ("block/", "unblock/", "id-tags/"):
        assert post(cleo, f"{dee.pk}/{path}", {"because": "x"} if path == "block/" else {"value": "X"}).status_code == 404
    assert ada.client.get(f"/api/v1/drivers/{ada.user.pk}/").status_code == 404


@pytest.mark.parametrize("role", Role.values)
def test_who_drivers_are_is_for_those_who_change_tags(ada: Person, role: str) -> None:
    dee = sign_up(ada)
    expected = 200 if role in ("owner", "manager", "support") else 403
    eve = person("eve", ada.operator, role)
    assert eve.client.get("/api/v1/drivers/").status_code == expected
    assert eve.client.get(f"/api/v1/drivers/{dee.pk}/").status_code == expected
    assert post(eve, f"{dee.pk}/unblock/").status_code == expected


def test_a_key_for_reading_alone_does_not_read_drivers(ada: Person) -> None:
    for scopes, status in ((["read"], 403), (["tags.change"], 200)):
        key = services.create_api_key(user=ada.user, scopes=scopes)[1]
        assert KeyClient(key).get("/api/v1/drivers/").status_code == status


def test_the_number_of_queries_does_not_depend_on_the_number_of_drivers(
    ada: Person, django_assert_num_queries: Callable[..., Any]
) -> None:
    for many in (1, 6):
        for number in range(many):
            sign_up(ada, f"d{many}-{number}")
        ada.client.rows("drivers/")
        with django_assert_num_queries(3):  # the key, the drivers, their tags
            ada.client.rows("drivers/")
