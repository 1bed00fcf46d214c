"""Passwords that were forgotten."""

import re

from django.core import mail
from django.test import Client

from tests.dashboard.conftest import browser_of
from tests.network import Network
from tests.people.conftest import PASSWORD, log_in, with_second_factor

NEW = "sockets-and-plugs"
SAID = "If an account has this address"


def chosen(client: Client, link: str, password: str = NEW) -> None:
    form = client.get(link)["Location"]
    answer = client.post(form, {"password1": password}, follow=True)
    assert "Your password is changed" in answer.content.decode()


def test_whoever_forgot_theirs_gets_a_link_by_mail(client: Client, amber: Network, mail_server: None) -> None:
    ada = amber.user()
    there = Client()
    there.force_login(ada)
    assert SAID in client.post("/password/", {"email": ada.email.upper()}, follow=True).content.decode()
    (sent,) = mail.outbox
    found = re.search(r"http://testserver(\S+)", sent.body)
    assert found
    assert "too short" in client.post(client.get(found[1])["Location"], {"password1": "x"}).content.decode()
    chosen(client, found[1])
    assert log_in(client, ada).status_code == 200
    assert log_in(client, ada, NEW).status_code == 302
    assert "no longer good" in Client().get(found[1]).content.decode()
    assert there.get("/")["Location"].startswith("/login/")


def test_nothing_tells_whether_an_address_has_an_account(client: Client, db: None, mail_server: None) -> None:
    assert SAID in client.post("/password/", {"email": "nobody@example.org"}, follow=True).content.decode()
    assert mail.outbox == []


def test_a_mail_server_that_is_away_breaks_no_page(client: Client, amber: Network, mail_server: None, settings: object) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # type: ignore[attr-defined]
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # type: ignore[attr-defined]
    assert SAID in client.post("/password/", {"email": amber.user().email}, follow=True).content.decode()


def test_the_owner_makes_a_link_where_no_mail_is_sent(amber: Network) -> None:
    ben = amber.user("ben", role="viewer")
    with_second_factor(ben)
    ada = browser_of(amber, "ada")
    page = ada.post(f"/people/{ben.pk}/change/", {"do": "password"}, follow=True).content.decode()
    link = page.split('id="fresh-link">')[1].split("<")[0].removeprefix("http://testserver")
    client = Client()
    chosen(client, link)
    assert log_in(client, ben, PASSWORD).status_code == 200
    # A new password is no way around the second factor.
    assert log_in(client, ben, NEW)["Location"].startswith("/login/code/")


def test_a_link_ends_with_the_password_it_was_made_for(amber: Network, client: Client) -> None:
    ben = amber.user("ben", role="viewer")
    ada = browser_of(amber, "ada")
    page = ada.post(f"/people/{ben.pk}/change/", {"do": "password"}, follow=True).content.decode()
    link = page.split('id="fresh-link">')[1].split("<")[0].removeprefix("http://testserver")
    own = Client()
    own.force_login(ben)
    own.post("/account/password/", {"old": PASSWORD, "password": "another-one-of-his"})
    assert "no longer good" in client.get(link).content.decode()
