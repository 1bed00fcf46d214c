"""Every address of coming in and of one's own login: which are for everybody, and which for whoever has come in."""

from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse

from csms.people.urls import urlpatterns
from tests.network import Network
from tests.people.conftest import PASSWORD

#: What an address names.
NAMED = {"join": ["nonsense"], "account_reset_password_from_key": ["1", "x"]}
#: Where one comes in, or asks to: what an address answers to anybody.
DOORS = {
    "join": 404,
    "account_login": 200,
    "account_inactive": 200,
    "account_logout": 405,
    "account_reset_password": 200,
    "account_reset_password_done": 200,
    "account_reset_password_from_key": 200,
    "account_reset_password_from_key_done": 200,
}
APP = "/api/v1/auth/app/v1"


def test_every_address_is_a_door_or_asks_who_one_is(client: Client, db: None) -> None:
    for pattern in urlpatterns:
        name = str(pattern.name)
        answer = client.get(reverse(name, args=NAMED.get(name, [])))
        if name == "mfa_index":
            answer = client.get(answer["Location"])  # leads to the account
        if name in DOORS:
            assert answer.status_code == DOORS[name], name
        else:
            assert answer["Location"].startswith("/login/"), name
    assert DOORS.keys() <= {pattern.name for pattern in urlpatterns}


def test_nobody_changes_the_address_by_which_they_are_known_with_an_app(client: Client, amber: Network) -> None:
    ada = amber.user()
    given = {"email": ada.email, "password": PASSWORD}
    token = client.post(f"{APP}/auth/login", given, content_type="application/json").json()["meta"]["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        body = '{"email": "boss@example.org", "primary": true}'
        assert client.generic(method, f"{APP}/account/email", body, "application/json", headers=headers).status_code == 404
    ada.refresh_from_db()
    assert ada.email == given["email"]
    assert not EmailAddress.objects.exclude(email=ada.email).exists()
