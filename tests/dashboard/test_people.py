"""The page of people, for owners."""

import pytest
from django.test import Client
from django_scopes import scope

from accounts.models import Invitation, User
from csms.dashboard import people
from tests.dashboard.conftest import browser_of
from tests.network import Network
from tests.people.conftest import with_second_factor


def named_bea(network: Network) -> User:
    bea = network.user("bea", role="support")
    bea.name = "Bea Berg"
    bea.save()
    return bea


def html(client: Client, path: str = "/people/") -> str:
    return client.get(path).content.decode()


def test_the_list_says_who_works_here_and_how_they_log_in(ada: Client, amber: Network) -> None:
    bea = named_bea(amber)
    with_second_factor(bea)
    amber.user("off", role="viewer", is_active=False)
    amber.user("dee", kind="driver")
    page = html(ada)
    row = page.split(f'id="person-{bea.pk}"')[1].split("</tr>")[0]
    assert ("Bea Berg" in row, "Support" in row, ">yes<" in row, "never" in row) == (True, True, True, True)
    assert "Switched off" in page
    assert "dee." not in page


@pytest.mark.parametrize(
    ("query", "shown"), [("q=berg", ["bea"]), ("role=viewer", ["off"]), ("state=off", ["off"]), ("state=on", ["ada", "bea"])]
)
def test_the_list_is_narrowed_and_the_file_with_it(ada: Client, amber: Network, query: str, shown: list[str]) -> None:
    named_bea(amber)
    amber.user("off", role="viewer", is_active=False)
    page = html(ada, f"/people/?{query}").split('id="results"')[1]
    assert [name for name in ("ada", "bea", "off") if f"{name}.{amber.tag}" in page] == shown
    assert f"/people/export/?{query}" in page


def test_the_list_goes_on_page_by_page_and_costs_the_same(
    ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: object
) -> None:
    for number in range(5):
        amber.user(f"p{number}", role="viewer")
    monkeypatch.setattr(people, "PAGE", 2)
    seen, path = [], "/people/"
    while path:
        with django_assert_num_queries(5):  # type: ignore[operator]  # session, user, operator, people, invitations
            page = html(ada, path)
        table = page.split('id="results"')[1]
        seen += [name for name in ("ada", *(f"p{number}" for number in range(5))) if f">{name}.{amber.tag}@" in table]
        following = page.split('class="further"><a href="/people/?after')
        path = f"/people/?after{following[1].split(chr(34))[0]}" if len(following) > 1 else ""
    assert seen == ["ada", "p0", "p1", "p2", "p3", "p4"]


def test_an_invitation_that_makes_no_sense_is_answered_at_its_field(ada: Client, amber: Network) -> None:
    for email, words in (("x", "no e-mail address"), ("", "required"), (amber.user("bea").email, "already")):
        answer = ada.post("/people/invite/", {"email": email, "role": "viewer"})
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert ada.post("/people/invite/", {"email": "x@example.org", "role": "king"}).status_code == 422


def test_a_role_takes_effect_at_once(ada: Client, amber: Network) -> None:
    bea = amber.user("bea", role="viewer")
    hers = Client()
    hers.force_login(bea)
    assert hers.get("/people/").status_code == 403
    ada.post(f"/people/{bea.pk}/change/", {"do": "role", "role": "owner"})
    assert hers.get("/people/").status_code == 200


def test_who_is_switched_off_is_logged_out_and_cannot_come_in(ada: Client, amber: Network) -> None:
    bea = amber.user("bea", role="viewer")
    hers = Client()
    hers.force_login(bea)
    assert "is switched off" in ada.post(f"/people/{bea.pk}/change/", {"do": "off"}, follow=True).content.decode()
    assert hers.get("/")["Location"].startswith("/login/")
    answer = hers.post("/login/", {"login": bea.email, "password": "charge-it-all-night"}, follow=True).content.decode()
    assert "This account is switched off. Ask the owner of your network." in answer
    ada.post(f"/people/{bea.pk}/change/", {"do": "on"})
    assert hers.post("/login/", {"login": bea.email, "password": "charge-it-all-night"})["Location"] == "/"


def test_a_lost_telephone_is_no_longer_asked_for(ada: Client, amber: Network) -> None:
    bea = amber.user("bea", role="viewer")
    with_second_factor(bea)
    ada.post(f"/people/{bea.pk}/change/", {"do": "second-factor"})
    assert Client().post("/login/", {"login": bea.email, "password": "charge-it-all-night"})["Location"] == "/"
    assert "has no second factor" in ada.post(f"/people/{bea.pk}/change/", {"do": "second-factor"}, follow=True).content.decode()


def test_the_last_owner_is_told_why_they_stay(ada: Client, amber: Network) -> None:
    me = User.objects.get(email=f"ada.{amber.tag}@example.org")
    page = ada.post(f"/people/{me.pk}/change/", {"do": "role", "role": "viewer"}, follow=True).content.decode()
    assert "make somebody else an owner first" in page
    assert "no such button" in ada.post(f"/people/{me.pk}/change/", {"do": "dance"}, follow=True).content.decode()
    amber.user("bea")
    # An owner who gives that up is led to what they may still see.
    assert ada.post(f"/people/{me.pk}/change/", {"do": "role", "role": "viewer"})["Location"] == "/account/"


def test_drivers_are_no_staff(ada: Client, amber: Network) -> None:
    dee = amber.user("dee", kind="driver")
    assert ada.get(f"/people/{dee.pk}/").status_code == 404
    assert ada.post(f"/people/{dee.pk}/change/", {"do": "role", "role": "owner"}).status_code == 404


def test_a_driver_is_led_to_the_drivers_pages_and_sees_none_of_the_operators(amber: Network, client: Client) -> None:
    dee = amber.user("dee", kind="driver", role="owner")
    answer = client.post("/login/", {"login": dee.email, "password": "charge-it-all-night"})
    assert answer["Location"] == "/driver/"
    for path in ("/", "/stations/", "/people/", "/account/"):
        refused = client.get(path)
        assert refused.status_code == 403
        assert "This page is for the people who run the network." in refused.content.decode()
        assert 'href="/stations/"' not in refused.content.decode()


def test_only_owners_see_the_way_to_it(ada: Client, ben: Client) -> None:
    assert 'href="/people/"' in html(ada, "/stations/")
    assert 'href="/people/"' not in html(ben, "/stations/")


def test_nobody_of_another_network_is_found(cleo: Client, ada: Client, amber: Network) -> None:
    bea = amber.user("bea", role="viewer")
    ada.post("/people/invite/", {"email": "dora@example.org", "role": "viewer"})
    with scope(operator=amber.operator):
        invitation = Invitation.objects.get()
    for path in (f"/people/{bea.pk}/change/", f"/people/invitations/{invitation.pk}/renew/"):
        assert cleo.post(path, {"do": "off"}).status_code == 404
    assert "dora" not in html(cleo)


def test_both_may_be_asked_by_whoever_runs_the_whole_system(client: Client, amber: Network, cobalt: Network) -> None:
    cobalt.user("cleo")
    root = browser_of(amber, "root", operator=None, is_superuser=True)
    page = html(root)
    assert f"cleo.{cobalt.tag}" in page
    assert "Invite somebody" not in page
    assert root.post("/people/invite/", {"email": "x@example.org", "role": "viewer"}).status_code == 403
