"""Invitations, from the link to the wall."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django_scopes import scopes_disabled

from accounts.models import Invitation, Operator, User
from accounts.people import invite
from tests.dashboard.conftest import browser_of
from tests.network import Network

CHOSEN = {"name": "Dora Diaz", "password": "plugs-and-sockets"}


@pytest.fixture
def ada(amber: Network) -> Client:
    return browser_of(amber, "ada")


def link_in(html: str) -> str:
    return html.split('id="fresh-link">')[1].split("<")[0].removeprefix("http://testserver")


def asked(ada: Client, email: str = "dora@example.org", role: str = "technician") -> str:
    """Ada invites her; the address of the link, shown once."""
    answer = ada.post("/people/invite/", {"email": email, "role": role}, follow=True)
    assert ada.get("/people/").content.decode().count("fresh-link") == 0
    return link_in(answer.content.decode())


def test_who_is_invited_chooses_a_password_and_is_in(ada: Client, amber: Network, client: Client) -> None:
    link = asked(ada)
    page = client.get(link).content.decode()
    assert amber.operator.name in page
    assert "dora@example.org" in page
    assert client.post(link, CHOSEN)["Location"] == "/"
    assert client.get("/stations/").status_code == 200
    dora = User.objects.get(email="dora@example.org")
    assert (dora.operator, dora.role, dora.name, dora.kind) == (amber.operator, "technician", "Dora Diaz", "staff")
    assert dora.check_password(CHOSEN["password"])


def test_a_link_is_good_once(ada: Client, client: Client) -> None:
    link = asked(ada)
    assert client.post(link, CHOSEN).status_code == 302
    for answer in (Client().get(link), Client().post(link, CHOSEN)):
        assert answer.status_code == 404
        assert "no longer good" in answer.content.decode()
    assert User.objects.filter(email="dora@example.org").count() == 1


def test_a_link_is_good_for_seven_days(ada: Client, client: Client, amber: Network) -> None:
    link = asked(ada)
    with scopes_disabled():
        invitation = Invitation.objects.get()
        Invitation.objects.update(expires_at=invitation.expires_at - timedelta(days=7))
    assert client.get(link).status_code == 404
    assert client.post(link, CHOSEN).status_code == 404
    assert "expired" in ada.get("/people/").content.decode()
    renewed = link_in(ada.post(f"/people/invitations/{invitation.pk}/renew/", follow=True).content.decode())
    assert client.post(renewed, CHOSEN).status_code == 302


def test_a_link_that_was_taken_back_or_renewed_is_good_no_more(ada: Client, client: Client) -> None:
    first = asked(ada)
    second = asked(ada, role="owner")
    assert client.get(first).status_code == 404
    with scopes_disabled():
        invitation = Invitation.objects.get()
    assert invitation.role == "owner"
    ada.post(f"/people/invitations/{invitation.pk}/remove/")
    assert client.get(second).status_code == 404


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"password": "short"}, "too short"),
        ({"password": "83746592018"}, "entirely numeric"),
        ({"password": "dora@example.org"}, "too similar"),
        ({"name": " "}, "required"),
        ({"name": "a\x00b"}, "Null characters"),
    ],
)
def test_what_is_not_good_enough_is_said_at_its_field(ada: Client, client: Client, fields: dict[str, str], words: str) -> None:
    link = asked(ada)
    answer = client.post(link, CHOSEN | fields)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not User.objects.filter(email="dora@example.org").exists()


def test_an_address_that_logs_in_to_another_network_is_refused_to_whoever_has_the_link_only(
    ada: Client, client: Client, db: None
) -> None:
    elsewhere = Network().user("dora")
    link = asked(ada, elsewhere.email)
    answer = client.post(link, CHOSEN)
    assert answer.status_code == 422
    assert "has a login here already" in answer.content.decode()


def test_whoever_is_logged_in_in_that_browser_is_logged_out(ada: Client, amber: Network) -> None:
    link = asked(ada)
    assert "will be logged out" in ada.get(link).content.decode()
    ada.post(link, CHOSEN)
    assert "Dora Diaz" in ada.get("/").content.decode()


def test_the_link_is_mailed_where_there_is_a_mail_server(ada: Client, amber: Network, mail_server: None) -> None:
    answer = ada.post("/people/invite/", {"email": "dora@example.org", "role": "viewer"}, follow=True).content.decode()
    assert "A mail with this link is on its way" in answer
    (sent,) = mail.outbox
    assert sent.to == ["dora@example.org"]
    assert sent.subject == f"Join {amber.operator.name}"
    assert link_in(answer) in sent.body


def test_a_mail_server_that_is_away_is_said(ada: Client, mail_server: None, settings: object) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # type: ignore[attr-defined]
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # type: ignore[attr-defined]
    answer = ada.post("/people/invite/", {"email": "dora@example.org", "role": "viewer"}, follow=True).content.decode()
    assert "No mail was sent" in answer


def test_of_a_link_only_a_digest_is_kept(amber: Network) -> None:
    invitation, token = invite(operator=amber.operator, email="dora@example.org", role="viewer")
    assert token not in str(vars(invitation))


def test_nobody_signs_up_without_an_invitation(client: Client, db: None) -> None:
    assert client.get("/signup/").status_code == 404
    given = {"email": "eve@example.org", "password": "plugs-and-sockets"}
    # Apps sign up drivers, in a network that wants it; none here does.
    Operator.objects.update(open_to_drivers=False)
    answer = client.post("/api/v1/auth/app/v1/auth/signup", given, content_type="application/json")
    assert answer.status_code == 400
    assert not User.objects.filter(email="eve@example.org").exists()
