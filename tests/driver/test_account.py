"""Dee's account: her name, her tags, her password, and the way out."""

from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import AuditEntry, IdToken, User
from stations.models import Connector, Transaction
from tests.dashboard.rows import finished, session
from tests.driver.conftest import said
from tests.driver.dee import PASSWORD, token_of
from tests.network import Network

NEW = "another-password-of-dee"


def test_dee_sees_her_tags(phone: Client, amber: Network, dee: User) -> None:
    with scopes_disabled():
        amber.token("04A1B2", driver=dee, status="Blocked", blocked_because="Lost in Aarhus.")
    amber.token("04OTHERS")
    amber.token("GIVEN-1", driver=dee, type="Central", driver_since=timezone.now())
    html = said(phone.get("/driver/account/"))
    assert dee.email in html
    assert html.count("This account") == 1
    assert "GIVEN-1" in html
    assert "04A1B2" in html
    assert "Lost in Aarhus." in html
    assert "04OTHERS" not in html
    assert token_of(dee).value not in html


def test_dee_changes_her_name(phone: Client, dee: User) -> None:
    assert phone.post("/driver/account/", {"name": "Dee of the van"})["Location"] == "/driver/account/"
    dee.refresh_from_db()
    assert dee.name == "Dee of the van"
    assert phone.post("/driver/account/", {"name": "x" * 121}).status_code == 422


def test_dee_changes_her_password(phone: Client, dee: User) -> None:
    wrong = {"oldpassword": "wrong", "password1": NEW}
    assert "id_oldpassword_error" in said(phone.post("/driver/account/password/", wrong))
    answer = phone.post("/driver/account/password/", wrong | {"oldpassword": PASSWORD})
    assert answer["Location"] == "/driver/account/"
    assert "Your password is changed." in said(phone.get("/driver/account/"))
    dee.refresh_from_db()
    assert dee.check_password(NEW)


def test_deleting_takes_the_password(phone: Client, dee: User) -> None:
    answer = phone.post("/driver/account/delete/", {"password": "wrong"})
    assert "This is not your password." in said(answer)
    for _ in range(4):
        phone.post("/driver/account/delete/", {"password": "wrong"})
    assert "Too many tries." in said(phone.post("/driver/account/delete/", {"password": PASSWORD}))
    assert User.objects.filter(pk=dee.pk).exists()


def test_a_deleted_account_leaves_the_energy_and_no_name(phone: Client, dee: User, free: Connector) -> None:
    charged = finished(free, id_token=token_of(dee))
    answer = phone.post("/driver/account/delete/", {"password": PASSWORD}, follow=True)
    assert answer.redirect_chain == [("/driver/login/", 302)]
    assert "Your account is deleted." in said(answer)
    assert not User.objects.filter(email=dee.email).exists()
    with scopes_disabled():
        assert Transaction.objects.get(pk=charged.pk).energy_wh == 7500
        assert {token.status for token in IdToken.objects.all()} == {"Blocked"}
        assert not AuditEntry.objects.filter(actor_label=dee.email).exists()
    assert phone.get("/driver/").status_code == 302


def test_who_charges_must_stop_first(phone: Client, dee: User, free: Connector) -> None:
    session(free, id_token=token_of(dee))
    answer = phone.post("/driver/account/delete/", {"password": PASSWORD})
    assert answer.status_code == 422
    assert "You are charging: stop it first, then delete your account." in said(answer)
