"""The operator's pages about drivers."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from accounts import drivers
from accounts.models import IdToken, User
from csms.dashboard import drivers as pages
from tests.network import Network


def sign_up(network: Network, name: str = "dee") -> User:
    email = f"{name}.{network.tag}@example.org"
    return drivers.sign_up(email=email, password="charge-it-all-night", operator=network.operator, name=name.capitalize())


def page(client: Client, path: str = "/drivers/", status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


def listed(html: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'<tr id="driver-(\d+)"', html)]


def tags(driver: User) -> list[IdToken]:
    with scopes_disabled():
        return list(IdToken.objects.filter(driver=driver).order_by("pk"))


def test_without_drivers_the_page_says_how_they_come(ada: Client, amber: Network) -> None:
    amber.operator.code = "amber"
    amber.operator.save()
    html = page(ada)
    assert "No drivers yet" in html
    assert "code of your network is amber" in html
    assert "No driver fits" in page(ada, "/drivers/?q=nobody")


def test_drivers_are_listed_newest_first_and_searched(ada: Client, amber: Network, cobalt: Network) -> None:
    dee, ed = sign_up(amber), sign_up(amber, "ed")
    sign_up(cobalt, "cy")
    drivers.block(driver=ed, because="Unpaid bill")
    html = page(ada)
    assert listed(html) == [ed.pk, dee.pk]
    assert "Unpaid bill" in html
    for query, wanted in {"q=DEE": [dee], "q=Ed.": [ed], "blocked=1": [ed], "blocked=0": [dee], "q=cy.": []}.items():
        assert listed(page(ada, f"/drivers/?{query}")) == [one.pk for one in wanted], query


def test_the_next_page_goes_on_where_the_first_ended(ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 2)
    rows = [sign_up(amber, f"dee{number}") for number in range(5)][::-1]
    seen, path = [], "/drivers/"
    while path:
        html = page(ada, path)
        seen += listed(html)
        more = re.search(r'href="/drivers/\?(after=\d+)"', html)
        path = f"/drivers/?{more[1]}" if more else ""
    assert seen == [row.pk for row in rows]
    assert page(ada, "/drivers/?after=x")


def test_the_number_of_queries_does_not_depend_on_the_number_of_drivers(
    ada: Client, amber: Network, django_assert_num_queries: Callable[..., Any]
) -> None:
    for many in (1, 8):
        for number in range(many):
            sign_up(amber, f"dee{many}-{number}")
        # Login, user, operator; the drivers, their tags.
        with django_assert_num_queries(5):
            page(ada)


def test_a_driver_is_blocked_with_the_reason_and_unblocked(ada: Client, amber: Network) -> None:
    dee = sign_up(amber)
    path = f"/drivers/{dee.pk}/"
    assert "Say why" in ada.post(f"{path}block/", {"because": " "}, follow=True).content.decode()
    html = ada.post(f"{path}block/", {"because": "Unpaid bill"}, follow=True).content.decode()
    assert "Unpaid bill" in html
    assert tags(dee)[0].status == "Blocked"
    html = ada.post(f"{path}unblock/", follow=True).content.decode()
    assert "may charge again" in html
    assert tags(dee)[0].status == "Accepted"


def test_a_card_is_given_and_taken(ada: Client, amber: Network) -> None:
    dee, ed = sign_up(amber), sign_up(amber, "ed")
    drivers.add_id_tag(driver=ed, value="EDS-CARD")
    path = f"/drivers/{dee.pk}/"
    assert ada.post(f"{path}id-tags/", {"value": "04A1B2", "type": "ISO14443"}).status_code == 302
    own, card = tags(dee)
    assert "04A1B2" in page(ada, path)
    refused = ada.post(f"{path}id-tags/", {"value": "EDS-CARD", "type": "ISO14443"})
    assert (refused.status_code, "another driver" in refused.content.decode()) == (422, True)
    ada.post(f"{path}id-tags/{card.pk}/")
    assert tags(dee) == [own]
    ada.post(f"{path}id-tags/{own.pk}/")
    assert tags(dee) == [own], "the app's own stays"


def test_who_may_not_change_tags_sees_no_driver(ben: Client, cleo: Client, amber: Network) -> None:
    dee = sign_up(amber)
    for path in ("/drivers/", "/drivers/export/", f"/drivers/{dee.pk}/"):
        assert ben.get(path).status_code == 403
    assert "/drivers/" not in page(ben, "/")
    assert cleo.get(f"/drivers/{dee.pk}/").status_code == 404
    assert cleo.post(f"/drivers/{dee.pk}/block/", {"because": "x"}).status_code == 404


def test_a_driver_opens_no_page_of_the_operators(amber: Network) -> None:
    browser = Client()
    browser.force_login(sign_up(amber))
    for path in ("/", "/stations/", "/transactions/", "/id-tags/", "/drivers/", "/messages/"):
        assert browser.get(path).status_code == 403, path
