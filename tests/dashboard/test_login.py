"""Coming in and going out."""

import pytest
from django.core.cache import cache
from django.test import Client

from tests.network import Network

PASSWORD = "charge-it-all-night"
#: Wrong passwords in five minutes, as ACCOUNT_RATE_LIMITS has it.
TRIES = 10


@pytest.fixture(autouse=True)
def forgotten_tries() -> None:
    cache.clear()


def knock(client: Client, email: str, password: str) -> tuple[int, str]:
    answer = client.post("/login/", {"login": email, "password": password})
    return answer.status_code, answer.content.decode()


def test_an_e_mail_address_in_any_case_and_the_password_open_the_wall(client: Client, amber: Network) -> None:
    user = amber.user("ada")
    answer = client.post("/login/?next=/", {"login": user.email.upper(), "password": PASSWORD})
    assert answer["Location"] == "/"
    assert client.get("/").status_code == 200


def test_a_wrong_password_is_answered_in_words(client: Client, amber: Network) -> None:
    status, html = knock(client, amber.user("ada").email, "wrong")
    assert status == 200
    assert "No account has this e-mail address and password." in html


def test_after_ten_wrong_passwords_even_the_right_one_must_wait(client: Client, amber: Network) -> None:
    email = amber.user("ada").email
    for _ in range(TRIES):
        knock(client, email, "wrong")
    status, html = knock(client, email, PASSWORD)
    assert status == 200
    assert "Wait five minutes" in html
    assert knock(client, amber.user("ben").email, PASSWORD)[0] == 302


def test_the_right_password_forgets_the_wrong_ones(client: Client, amber: Network) -> None:
    email = amber.user("ada").email
    for _ in range(3):
        for _ in range(TRIES - 1):
            knock(client, email, "wrong")
        assert knock(client, email, PASSWORD)[0] == 302


def test_a_login_works_while_redis_is_away(client: Client, amber: Network, settings: object) -> None:
    settings.CACHES = {  # type: ignore[attr-defined]
        "default": {"BACKEND": "csms.people.cache.Cache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    email = amber.user("ada").email
    assert knock(client, email, "wrong")[0] == 200
    assert knock(client, email, PASSWORD)[0] == 302


def test_logging_out_takes_a_post(ada: Client) -> None:
    assert ada.get("/logout/").status_code == 405
    assert ada.post("/logout/")["Location"] == "/login/"
    assert ada.get("/")["Location"] == "/login/?next=/"


def test_after_the_login_nobody_is_sent_to_another_site(client: Client, amber: Network) -> None:
    answer = client.post("/login/", {"login": amber.user("ada").email, "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_a_page_that_is_not_there_says_so(ada: Client) -> None:
    answer = ada.get("/nowhere/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_healthz_answers_without_the_database(client: Client) -> None:
    assert client.get("/healthz").content == b"ok"
