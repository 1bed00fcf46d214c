"""What everybody does to their own login."""

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, User
from accounts.selectors import valid_api_key
from accounts.services import create_api_key
from csms.dashboard import account
from csms.dashboard.urls import urlpatterns
from tests.dashboard.conftest import browser_of
from tests.network import Network

PASSWORD = "charge-it-all-night"


@pytest.fixture(autouse=True)
def forgotten_tries() -> None:
    cache.clear()


@pytest.fixture
def me(amber: Network, ben: Client) -> User:
    """Ben, who may only look."""
    return User.objects.get(email=f"ben.{amber.tag}@example.org")


def html(client: Client) -> str:
    return client.get("/account/").content.decode()


def test_a_name_and_a_language_are_ones_own(ben: Client, me: User) -> None:
    ben.post("/account/profile/", {"name": " Ben Bakker ", "language": "nl"})
    me.refresh_from_db()
    assert (me.name, me.language) == ("Ben Bakker", "nl")
    assert "Ben Bakker" in html(ben)
    assert ben.post("/account/profile/", {"name": "x" * 121}).status_code == 422
    assert ben.post("/account/profile/", {"name": "x", "language": "xx"}).status_code == 422


def test_a_new_password_ends_all_other_sessions(ben: Client, me: User) -> None:
    other = Client()
    other.force_login(me)
    answer = ben.post("/account/password/", {"old": PASSWORD, "password": "sockets-and-plugs"}, follow=True)
    assert "Your password is changed." in answer.content.decode()
    assert ben.get("/").status_code == 200
    assert other.get("/").status_code == 302


def test_a_password_is_changed_by_whoever_knows_it_only(ben: Client, me: User) -> None:
    for old, new, words in (
        ("wrong", "sockets-and-plugs", "This is not your password"),
        (PASSWORD, "short", "too short"),
        (PASSWORD, "", "required"),
    ):
        answer = ben.post("/account/password/", {"old": old, "password": new})
        assert answer.status_code == 422
        assert words in answer.content.decode()
    for _ in range(10):
        ben.post("/account/password/", {"old": "wrong", "password": "sockets-and-plugs"})
    assert (
        "Wait five minutes" in ben.post("/account/password/", {"old": PASSWORD, "password": "sockets-and-plugs"}).content.decode()
    )
    me.refresh_from_db()
    assert me.check_password(PASSWORD)


def test_all_other_sessions_end_with_one_button(ben: Client, me: User) -> None:
    other = Client()
    other.force_login(me)
    ben.post("/account/sessions/")
    assert ben.get("/").status_code == 200
    assert other.get("/").status_code == 302


def test_a_key_is_shown_once_and_works_until_it_is_revoked(ben: Client, me: User, client: Client) -> None:
    page = ben.post("/account/keys/", {"scopes": ["read"], "life": "30"}, follow=True).content.decode()
    key = page.split('id="fresh-key">')[1].split("<")[0]
    assert "fresh-key" not in html(ben)
    row = valid_api_key(key)
    assert row is not None
    assert (row.user, row.scopes, row.expires_at is not None) == (me, ["read"], True)
    headers = {"authorization": f"Api-Key {key}"}
    assert client.get("/api/v1/stations/", headers=headers).status_code == 200
    assert row.prefix in html(ben)
    ben.post(f"/account/keys/{row.pk}/revoke/")
    assert client.get("/api/v1/stations/", headers=headers).status_code == 401


def test_a_key_is_limited_to_what_its_owner_may(ben: Client, ada: Client, me: User) -> None:
    assert "commands.send" not in html(ben)
    assert "commands.send" in html(ada)
    assert ben.post("/account/keys/", {"scopes": ["commands.send"]}).status_code == 422
    assert not ApiKey.objects.filter(user=me).exists()


def test_nobody_revokes_the_key_of_another(ada: Client, me: User) -> None:
    key, _text = create_api_key(user=me)
    assert ada.post(f"/account/keys/{key.pk}/revoke/").status_code == 404
    assert me.email not in html(ada)


def test_only_who_has_logged_in_and_works_here_comes_to_it(amber: Network, me: User, client: Client) -> None:
    key, _text = create_api_key(user=me)
    dee = browser_of(amber, "dee", kind="driver")
    mine = [str(one.name) for one in urlpatterns if one.callback.__module__ == account.__name__]
    assert {"account", "account_key_revoke"} <= set(mine)
    for name in mine:
        path = reverse(name, args=[key.pk] if name == "account_key_revoke" else [])
        method = "get" if name == "account" else "post"
        assert getattr(client, method)(path)["Location"].startswith("/login/"), name
        assert getattr(dee, method)(path).status_code == 403, name
    assert ApiKey.objects.filter(pk=key.pk).exists()
