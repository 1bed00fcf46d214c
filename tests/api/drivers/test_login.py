"""Signing up, logging in, refreshing and logging out in an app."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Kind, Operator, User
from tests.api.drivers.conftest import AUTH, JSON, PASSWORD, App, Driver
from tests.network import Network


def sign_up(**changes: Any) -> Any:
    given = {"email": "Dee@Example.org", "password": PASSWORD, "name": "Dee"} | changes
    return App().post(f"{AUTH}/auth/signup", given, JSON)


def wrong(answer: Any) -> list[str]:
    assert answer.status_code == 400, answer.content
    return [error.get("param", "") for error in answer.json()["errors"]]


def test_a_driver_signs_up_in_an_app_and_is_logged_in(amber: Network, cobalt: Network) -> None:
    answer = sign_up(operator=amber.operator.code, language="de")
    assert answer.status_code == 200, answer.content
    app = App()
    app.took(answer.json()["meta"])
    me = app.ask("get", "me/")
    assert (me["email"], me["name"], me["language"]) == ("dee@example.org", "Dee", "de")
    assert me["operator"] == {"code": amber.operator.code, "name": amber.operator.name}
    user = User.objects.get(email="dee@example.org")
    assert (user.kind, user.operator) == (Kind.DRIVER, amber.operator)
    assert [tag["app"] for tag in app.rows("me/id-tags/")] == [True]


def test_where_there_is_one_network_nobody_has_to_name_it(amber: Network) -> None:
    Operator.objects.exclude(pk=amber.operator.pk).update(open_to_drivers=False)
    assert sign_up().status_code == 200


def test_what_is_wrong_is_told_by_its_field(amber: Network, cobalt: Network, dee: Driver) -> None:
    code = amber.operator.code
    assert wrong(sign_up()) == ["operator"]
    assert wrong(sign_up(operator="nowhere")) == ["operator"]
    assert wrong(sign_up(operator=code, email="x")) == ["email"]
    assert wrong(sign_up(operator=code, email=dee.user.email)) == ["email"]
    assert set(wrong(sign_up(operator=code, password="123"))) == {"password"}
    assert wrong(sign_up(operator=code, language="xx")) == ["language"]
    assert wrong(sign_up(operator=code, name="a\x07b")) == ["name"]
    Operator.objects.filter(code=code).update(open_to_drivers=False)
    assert wrong(sign_up(operator=code)) == ["operator"]
    assert list(User.objects.filter(kind=Kind.DRIVER, operator=amber.operator)) == [dee.user]


@pytest.mark.parametrize("path", ["account/email", "account/phone", "account/authenticators/totp", "config", "auth/login/"])
def test_what_the_document_does_not_name_of_logging_in_is_not_there(dee: Driver, path: str) -> None:
    for method in ("get", "post", "patch", "delete"):
        dee.app.ask(method, f"auth/app/v1/{path}", {"email": "other@example.org", "primary": True}, status=404)
    dee.user.refresh_from_db()
    assert dee.user.email.startswith("dee")


def test_staff_are_not_made_by_a_sign_up_in_the_browser(amber: Network) -> None:
    assert Client().post("/signup/", {"email": "eve@example.org", "password1": PASSWORD}).status_code == 404
    assert not User.objects.filter(email="eve@example.org").exists()


def test_a_token_is_refreshed_once_and_ends_with_the_login(dee: Driver) -> None:
    app = App()
    first = app.login_with(dee.user.email)
    answer = app.post(f"{AUTH}/tokens/refresh", {"refresh_token": first["refresh_token"]}, JSON)
    assert answer.status_code == 200, answer.content
    second = app.took(answer.json()["data"])
    assert app.ask("get", "me/")["email"] == dee.user.email
    used = app.post(f"{AUTH}/tokens/refresh", {"refresh_token": first["refresh_token"]}, JSON)
    assert used.status_code == 400
    assert app.delete(f"{AUTH}/auth/session").status_code == 401
    app.ask("get", "me/", status=401)
    assert app.post(f"{AUTH}/tokens/refresh", {"refresh_token": second["refresh_token"]}, JSON).status_code == 400


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\u00e9", "x" * 5000])
def test_a_token_that_is_none_is_refused_with_what_to_do(db: None, token: str) -> None:
    app = App(headers={"Authorization": f"Bearer {token}"})
    assert "log in again" in app.ask("get", "me/", status=401)["detail"]


def test_without_a_token_the_answer_says_how(db: None) -> None:
    answer = App().get("/api/v1/me/")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert "Authorization: Bearer" in answer.json()["detail"]


def test_who_is_switched_off_is_out_at_once(dee: Driver) -> None:
    User.objects.filter(pk=dee.user.pk).update(is_active=False)
    dee.app.ask("get", "me/", status=401)


def test_who_guesses_passwords_is_held_up(dee: Driver) -> None:
    app = App(REMOTE_ADDR="203.0.113.77")
    guesses = [app.post(f"{AUTH}/auth/login", {"email": dee.user.email, "password": f"wrong-{n}"}, JSON) for n in range(12)]
    assert guesses[0].status_code == 400
    assert "too_many_login_attempts" in guesses[-1].content.decode() or guesses[-1].status_code == 429


def test_an_operators_person_is_none_of_the_drivers_side_and_a_driver_none_of_theirs(amber: Network, dee: Driver) -> None:
    ada = Client()
    ada.force_login(amber.user())
    for path in ("me/", "me/sessions/", "me/receipts/", "me/id-tags/", "locations/", "me/sessions/1/live/"):
        answer = ada.get(f"/api/v1/{path}")
        assert (answer.status_code, "driver" in answer.json()["detail"]) == (403, True), path
    assert ada.post("/api/v1/charge/start/", {"station": "X", "evse": 1}, JSON).status_code == 403
    for path in ("stations/", "transactions/", "id-tags/", "messages/", "drivers/", "sites/", "tariffs/", "commands/"):
        dee.app.ask("get", path, status=403)
    dee.app.ask("post", "id-tags/", {"value": "X"}, status=403)
