"""The way to the pages, as each role sees it."""

import re
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import resolve, reverse

from accounts.models import Role
from accounts.permissions import MAY
from csms.templatetags import navigation
from csms.templatetags.navigation import PAGES, Menu
from tests.dashboard.conftest import browser_of
from tests.network import Network


def nav(client: Client, path: str) -> str:
    found = re.search(r'<nav class="nav".*?</nav>', client.get(path).content.decode(), re.DOTALL)
    assert found, path
    return found[0]


def here(html: str) -> list[tuple[str, str]]:
    """What is marked as where one is: how, and what it is called."""
    return re.findall(r'aria-current="(\w+)">([^<]+)<', html)


@pytest.mark.parametrize("role", Role.values)
def test_each_role_is_led_to_every_page_it_may_see_once_and_to_no_other(amber: Network, role: str) -> None:
    links = re.findall(r'href="([^"]+)"', nav(browser_of(amber, role, role=role), "/stations/"))
    assert len(links) == len(set(links))
    pages = [page for one in PAGES for page in (one.pages if isinstance(one, Menu) else (one,))]
    wanted = {page.name for page in pages if role in MAY[page.verb]}
    assert {resolve(link).url_name for link in links} == wanted | {"account"}


def test_the_way_to_a_page_needs_the_verb_that_the_page_needs() -> None:
    for one in PAGES:
        for page in one.pages if isinstance(one, Menu) else (one,):
            assert resolve(reverse(page.name)).func.verb == page.verb, page.name  # type: ignore[attr-defined]


def test_a_menu_of_one_page_is_that_page(ben: Client, ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.findall(r"<summary[^>]*>([^<]+)<", nav(ada, "/")) == ["Drivers", "Upkeep", "Management"]
    pages = [replace(one, pages=one.pages[:2]) if isinstance(one, Menu) and one.title == "Drivers" else one for one in PAGES]
    monkeypatch.setattr(navigation, "PAGES", pages)
    assert re.findall(r"<summary[^>]*>([^<]+)<", nav(ben, "/")) == ["Upkeep", "Management"]


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("/", [("page", "Network")]),
        ("/stations/", [("page", "Chargers")]),
        ("/onboarding/", [("true", "Chargers")]),
        ("/firmware/", [("true", "Upkeep"), ("page", "Firmware")]),
        ("/firmware/add/", [("true", "Upkeep"), ("true", "Firmware")]),
        ("/people/", [("true", "Management"), ("page", "People")]),
        ("/account/", [("page", "My account")]),
        ("/nowhere/", []),
    ],
)
def test_where_one_is_is_marked_in_its_menu_too(ada: Client, path: str, marked: list[tuple[str, str]]) -> None:
    assert here(nav(ada, path)) == marked
