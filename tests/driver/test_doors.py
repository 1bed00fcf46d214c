"""Coming in as a driver: signing up at a plug, signing in, going out."""

import re

import pytest
from django.core import mail
from django.test import Client
from django_scopes import scopes_disabled

from accounts.models import IdToken, Kind, User
from csms.driver import doors
from stations.models import Connector
from tests.driver.conftest import said
from tests.driver.dee import PASSWORD
from tests.driver.test_plugs import PRICE, page_of
from tests.network import Network

NEW = {"name": "Dora", "email": "Dora@Example.org", "password": "a-password-of-mine"}


def test_signing_up_at_a_plug_makes_a_driver_of_its_network_and_leads_back(client: Client, amber: Network, free: Connector) -> None:
    answer = client.post("/driver/signup/", NEW | {"next": page_of(free)})
    assert answer["Location"] == page_of(free)
    dora = User.objects.get(email="dora@example.org")
    assert (dora.kind, dora.operator, dora.name) == (Kind.DRIVER, amber.operator, "Dora")
    assert "Start charging" in said(client.get(page_of(free)))


def test_the_price_is_told_before_the_account_is_made(client: Client, amber: Network, free: Connector) -> None:
    html = said(client.get(f"/driver/signup/?next={page_of(free)}"))
    assert PRICE in html
    assert f"Your account is with {amber.operator.name}." in html
    assert PRICE in said(client.get(f"/driver/login/?next={page_of(free)}"))


def test_the_language_of_the_page_becomes_the_drivers(client: Client, free: Connector) -> None:
    client.post("/driver/signup/", NEW | {"next": page_of(free)}, headers={"Accept-Language": "nl"})
    assert User.objects.get(email="dora@example.org").language == "nl"


def test_an_address_that_has_an_account_is_led_to_signing_in(client: Client, dee: User, free: Connector) -> None:
    answer = client.post("/driver/signup/", NEW | {"next": page_of(free), "email": dee.email})
    assert answer.status_code == 422
    assert "This e-mail address has an account already, here or in another network: log in, or take another." in said(answer)


@pytest.mark.parametrize(("field", "value"), [("password", "12345678"), ("email", "dora"), ("name", ""), ("name", "x" * 121)])
def test_what_is_wrong_is_said_at_its_field(client: Client, free: Connector, field: str, value: str) -> None:
    answer = client.post("/driver/signup/", NEW | {"next": page_of(free), field: value})
    assert answer.status_code == 422
    assert re.search(f'id="id_{field}_error">[^<]+', answer.content.decode())
    assert not User.objects.filter(email="dora@example.org").exists()


def test_sign_ups_from_one_address_have_a_bound(client: Client, free: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "SIGN_UPS", 1)
    client.post("/driver/signup/", NEW | {"next": page_of(free), "password": "12345678"})
    answer = client.post("/driver/signup/", NEW | {"next": page_of(free)})
    assert "Too many accounts were made from here." in said(answer)


def test_with_several_networks_and_no_plug_nobody_can_tell_where_to_sign_up(
    client: Client, amber: Network, cobalt: Network
) -> None:
    answer = client.get("/driver/signup/")
    assert "Scan the QR code on the charger you want to use" in said(answer)
    assert amber.operator.name not in said(answer)
    assert client.post("/driver/signup/", NEW).status_code == 200
    assert not User.objects.filter(email="dora@example.org").exists()


def test_a_network_that_takes_no_drivers_says_so(client: Client, amber: Network, free: Connector) -> None:
    amber.operator.open_to_drivers = False
    amber.operator.save()
    answer = client.post("/driver/signup/", NEW | {"next": page_of(free)})
    assert f"Drivers do not sign up by themselves with {amber.operator.name}" in said(answer)


def test_signing_in_leads_back_to_the_plug(client: Client, dee: User, free: Connector) -> None:
    answer = client.post("/driver/login/", {"login": dee.email.upper(), "password": PASSWORD, "next": page_of(free)})
    assert answer["Location"] == page_of(free)
    assert client.get("/driver/login/")["Location"] == "/driver/"


@pytest.mark.parametrize("away", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_nobody_is_led_to_another_site(client: Client, dee: User, away: str) -> None:
    assert client.post("/driver/login/", {"login": dee.email, "password": PASSWORD, "next": away})["Location"] == "/driver/"
    assert client.get(f"/driver/signup/?next={away}")["Location"] == "/driver/"


def test_a_wrong_password_is_answered_in_words(client: Client, dee: User) -> None:
    answer = client.post("/driver/login/", {"login": dee.email, "password": "wrong"})
    assert "No account has this e-mail address and password." in said(answer)


def test_after_ten_wrong_passwords_even_the_right_one_must_wait(client: Client, dee: User) -> None:
    for _ in range(10):
        client.post("/driver/login/", {"login": dee.email, "password": "wrong"})
    answer = client.post("/driver/login/", {"login": dee.email, "password": PASSWORD})
    assert "Wait five minutes" in said(answer)


def test_staff_who_sign_in_here_are_led_to_the_wall(client: Client, amber: Network, free: Connector) -> None:
    ada = amber.user("ada")
    answer = client.post("/driver/login/", {"login": ada.email, "password": PASSWORD, "next": page_of(free)})
    assert answer["Location"] == "/"
    assert client.get("/driver/")["Location"] == "/"
    assert client.get("/driver/signup/")["Location"] == "/"


def test_going_out_takes_a_post(phone: Client) -> None:
    assert phone.get("/driver/logout/").status_code == 405
    assert phone.post("/driver/logout/")["Location"] == "/driver/login/"
    assert phone.get("/driver/")["Location"] == "/driver/login/?next=%2Fdriver%2F"


def test_no_password_or_token_is_made_known_by_mail_or_page(client: Client, free: Connector) -> None:
    client.post("/driver/signup/", NEW | {"next": page_of(free)})
    with scopes_disabled():
        token = IdToken.objects.get(driver__email="dora@example.org")
    for path in ("/driver/", "/driver/account/", page_of(free)):
        assert token.value not in said(client.get(path))
    assert mail.outbox == []
