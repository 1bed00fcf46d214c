"""Logging in with a second factor: a code of an app, or a recovery code, each once."""

from typing import Any

import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client
from django_scopes import scope

from accounts.models import AuditEntry
from tests.network import Network
from tests.people.conftest import PASSWORD, code_of, log_in, with_second_factor

CODE = "/login/code/"


def test_the_password_alone_opens_nothing_to_whom_a_second_factor_protects(client: Client, amber: Network) -> None:
    ada = amber.user()
    secret, _codes = with_second_factor(ada)
    assert log_in(client, ada, next="/stations/")["Location"].startswith(CODE)
    assert client.get("/")["Location"] == "/login/?next=/"
    answer = client.post(CODE, {"code": "000000"})
    assert "This code is not right" in answer.content.decode()
    assert client.get("/")["Location"] == "/login/?next=/"
    assert client.post(CODE, {"code": code_of(secret)})["Location"] == "/stations/"
    assert client.get("/").status_code == 200


def test_a_code_of_the_app_is_good_once(client: Client, amber: Network) -> None:
    ada = amber.user()
    secret, _codes = with_second_factor(ada)
    code = code_of(secret)
    log_in(client, ada)
    assert client.post(CODE, {"code": code}).status_code == 302
    another = Client()
    log_in(another, ada)
    assert another.post(CODE, {"code": code}).status_code == 200
    with time_machine.travel("2026-12-01T12:00:00Z", tick=False):
        log_in(another, ada)
        assert another.post(CODE, {"code": code_of(secret)}).status_code == 302


def test_a_recovery_code_is_good_once(client: Client, amber: Network) -> None:
    ada = amber.user()
    _secret, codes = with_second_factor(ada)
    log_in(client, ada)
    assert client.post(CODE, {"code": codes[0]})["Location"] == "/"
    another = Client()
    log_in(another, ada)
    assert another.post(CODE, {"code": codes[0]}).status_code == 200
    assert another.post(CODE, {"code": codes[1]})["Location"] == "/"


def test_codes_cannot_be_guessed_for_long(client: Client, amber: Network) -> None:
    ada = amber.user()
    secret, _codes = with_second_factor(ada)
    log_in(client, ada)
    for _ in range(10):
        client.post(CODE, {"code": "000000"})
    assert "Wait five minutes" in client.post(CODE, {"code": code_of(secret)}).content.decode()


def test_a_login_with_a_second_factor_works_while_redis_is_away(client: Client, amber: Network, settings: Any) -> None:
    ada = amber.user()
    secret, _codes = with_second_factor(ada)
    settings.CACHES = {"default": {"BACKEND": "csms.people.cache.Cache", "LOCATION": "redis://127.0.0.1:1/0"}}
    log_in(client, ada)
    assert client.post(CODE, {"code": code_of(secret)}).status_code == 302


def test_the_admin_asks_for_the_second_factor_too(client: Client, amber: Network) -> None:
    root = amber.user("root", is_superuser=True, is_staff=True)
    with_second_factor(root)
    client.post("/admin/login/?next=/admin/", {"username": root.email, "password": PASSWORD})
    assert client.get("/admin/").status_code == 302
    assert client.get("/admin/login/?next=/admin/")["Location"] == "/login/?next=/admin/"


def test_it_is_set_up_with_the_password_and_a_code_and_turned_off_again(
    client: Client, amber: Network, django_capture_on_commit_callbacks: Any
) -> None:
    ada = amber.user()
    client.force_login(ada)
    sure = client.get("/account/second-factor/set-up/")["Location"]
    assert sure.startswith("/account/sure/")
    assert "This is not your password" in client.post(sure, {"password": "wrong"}).content.decode()
    assert client.post(sure, {"password": PASSWORD})["Location"] == "/account/second-factor/set-up/"
    answer = client.get("/account/second-factor/set-up/")
    assert "no-store" in answer["Cache-Control"]
    html = answer.content.decode()
    assert 'src="data:image/svg+xml;base64,' in html
    secret = html.split('id="totp-secret">')[1].split("<")[0]
    assert client.post("/account/second-factor/set-up/", {"code": "123"}).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post("/account/second-factor/set-up/", {"code": code_of(secret)})["Location"] == "/account/codes/"
    answer = client.get("/account/codes/")
    assert "no-store" in answer["Cache-Control"]
    codes = answer.content.decode()
    assert codes.count("<li><code>") == 10
    assert client.get("/account/codes/download/").content.decode().split()[0] in codes
    assert "A code of your app is asked for" in client.get("/account/").content.decode()
    assert client.post("/account/second-factor/off/")["Location"] == "/account/second-factor/"
    assert not Authenticator.objects.filter(user=ada).exists()
    with scope(operator=amber.operator):
        assert [entry.action for entry in AuditEntry.objects.order_by("id")] == [
            "person.second_factor_set_up",
            "person.second_factor_off",
        ]


def test_new_recovery_codes_end_the_old_ones(client: Client, amber: Network) -> None:
    ada = amber.user()
    secret, codes = with_second_factor(ada)
    log_in(client, ada)
    client.post(CODE, {"code": code_of(secret)})
    client.post("/account/sure/?next=/account/codes/new/", {"password": PASSWORD})
    assert client.post("/account/codes/new/")["Location"] == "/account/codes/"
    another = Client()
    log_in(another, ada)
    assert another.post(CODE, {"code": codes[0]}).status_code == 200


def test_what_is_kept_of_it_cannot_be_read_in_the_database(amber: Network, settings: Any, client: Client) -> None:
    ada = amber.user()
    secret, codes = with_second_factor(ada)
    kept = str(list(Authenticator.objects.filter(user=ada).values_list("data", flat=True)))
    assert secret not in kept
    assert not any(code in kept for code in codes)
    settings.STATION_SECRET_KEYS = [("new", "n" * 40), *settings.STATION_SECRET_KEYS]
    log_in(client, ada)
    assert client.post(CODE, {"code": code_of(secret)}).status_code == 302
    settings.STATION_SECRET_KEYS = [("new", "n" * 40)]
    cache.clear()
    another = Client()
    log_in(another, ada)
    for code in (code_of(secret), code_of(""), codes[0], ""):
        assert another.post(CODE, {"code": code}).status_code == 200
