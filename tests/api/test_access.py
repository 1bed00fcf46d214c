"""Who may see and do what."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts import services
from accounts.models import ApiKey, IdToken, Role, User
from tests.api.conftest import KeyClient, Network, Person, person

LISTS = [
    *("stations", "evses", "connectors", "transactions", "meter-samples", "messages", "refusals", "findings", "events"),
    *("connections", "variables", "commands", "id-tags", "meter-quarters", "meter-days"),
]


def tag(operator_of: Person, value: str = "DEE-CARD") -> IdToken:
    return services.add_id_token(operator=operator_of.operator, value=value)


@pytest.mark.parametrize("path", LISTS)
def test_cleo_sees_her_own_network_only(ada: Person, cleo: Person, amber: Network, cobalt: Network, path: str) -> None:
    tag(ada)
    tag(cleo)
    mine, hers = ada.client.rows(f"{path}/"), cleo.client.rows(f"{path}/")
    assert len(mine) == len(hers) == 1
    assert mine != hers
    assert "AMBER" not in str(hers)


def test_a_key_counts_more_than_the_session_it_comes_with(ada: Person, cleo: Person, amber: Network, cobalt: Network) -> None:
    cleo.client.force_login(ada.user)
    assert [row["identity"] for row in cleo.client.rows("stations/")] == ["COBALT-01"]
    cleo.client.force_login(User.objects.create(email="root@example.org", is_superuser=True))
    assert [row["identity"] for row in cleo.client.rows("stations/")] == ["COBALT-01"]


def test_one_request_leaves_no_scope_to_the_next(ada: Person, amber: Network) -> None:
    ada.client.rows("stations/")
    assert Client().get("/api/v1/stations/").status_code == 401


def test_without_a_key_the_answer_is_401_and_says_how(client: Client, db: None) -> None:
    answer = client.get("/api/v1/stations/")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Api-Key")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": 'No key was sent: send the header "Authorization: Api-Key <key>".',
    }


@pytest.mark.parametrize("header", ["Api-Key", "Api-Key nonsense", "api-key \u00e9", "Bearer x", "Basic eDp5", "Api-Key a b"])
def test_a_wrong_key_is_401(client: Client, db: None, header: str) -> None:
    assert client.get("/api/v1/stations/", headers={"Authorization": header}).status_code == 401


def test_a_key_stops_working_when_it_expires_or_its_user_goes(ada: Person) -> None:
    for change in ({"is_active": False}, {"is_active": True, "operator": services.add_operator(name="Elsewhere")}):
        User.objects.update(**change)
        assert ada.client.get("/api/v1/stations/").status_code == 401
    User.objects.update(operator=ada.key.operator)
    assert ada.client.get("/api/v1/stations/").status_code == 200
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert ada.client.get("/api/v1/stations/").status_code == 401


def test_the_keys_use_is_noted_once_a_minute(ada: Person) -> None:
    ada.client.rows("stations/")
    first = ApiKey.objects.get().last_used_at
    assert first is not None
    ada.client.rows("stations/")
    assert ApiKey.objects.get().last_used_at == first
    ApiKey.objects.update(last_used_at=first - timedelta(minutes=2))
    ada.client.rows("stations/")
    assert (ApiKey.objects.get().last_used_at or first) >= first


def test_only_the_keys_digest_is_kept(ada: Person) -> None:
    row, text = services.create_api_key(user=ada.user)
    assert text.startswith(row.prefix)
    assert text not in str(ApiKey.objects.filter(pk=row.pk).values().get())


def test_a_read_key_of_the_owner_reads_only(ada: Person) -> None:
    reader = KeyClient(services.create_api_key(user=ada.user, scopes=["read"])[1])
    assert reader.get("/api/v1/id-tags/").status_code == 200
    answer = reader.post("/api/v1/id-tags/", {"value": "X1"}, "application/json")
    assert (answer.status_code, answer.json()["detail"]) == (403, "This API key is limited to: read.")


def test_a_viewer_cannot_add_a_tag(ben: Person) -> None:
    assert ben.client.get("/api/v1/id-tags/").status_code == 200
    assert ben.client.options("/api/v1/id-tags/").status_code == 200
    answer = ben.client.post("/api/v1/id-tags/", {"value": "X1"}, "application/json")
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    with scope(operator=ben.operator):
        assert not IdToken.objects.exists()


@pytest.mark.parametrize("role", Role.values)
def test_tags_are_changed_by_owners_managers_and_support(ada: Person, role: str) -> None:
    status = person("eve", ada.operator, role).client.post("/api/v1/id-tags/", {"value": "X1"}, "application/json").status_code
    assert status == (201 if role in ("owner", "manager", "support") else 403)


def test_a_browser_reads_with_its_session_and_writes_with_a_csrf_token(ada: Person, amber: Network) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada.user)
    assert len(browser.get("/api/v1/stations/").json()["results"]) == 1
    answer = browser.post("/api/v1/id-tags/", {"value": "X1"}, "application/json")
    assert (answer.status_code, "CSRF" in answer.json()["detail"]) == (403, True)
    token = "a" * 32
    browser.cookies["csrftoken"] = token
    answer = browser.post("/api/v1/id-tags/", {"value": "X1"}, "application/json", headers={"X-CSRFToken": token})
    assert answer.status_code == 201


@pytest.mark.parametrize("path", LISTS)
def test_a_person_of_no_operator_sees_nothing(ada: Person, amber: Network, path: str) -> None:
    browser = Client()
    browser.force_login(User.objects.create(email="nobody@example.org", role="owner"))
    answer = browser.get(f"/api/v1/{path}/")
    assert (answer.status_code, answer.json()["detail"]) == (403, "You belong to no operator.")


def test_a_superuser_of_no_operator_sees_all_and_owns_no_tag(ada: Person, cleo: Person, amber: Network, cobalt: Network) -> None:
    browser = Client()
    browser.force_login(User.objects.create(email="root@example.org", is_superuser=True))
    assert len(browser.get("/api/v1/stations/").json()["results"]) == 2
    answer = browser.post("/api/v1/id-tags/", {"value": "X1"}, "application/json")
    assert (answer.status_code, "no operator" in answer.json()["detail"]) == (400, True)
    with scopes_disabled():
        assert not IdToken.objects.exists()
