"""Role by verb by tenant, over every address there is: what `accounts.permissions.MAY` says is what happens.

The verb is read where the address is: `csms.dashboard.access` leaves it on a page, the API has it in its views. What is asked comes
from `tests/dashboard/addresses.py` and, for the API, from `tests/dashboard/test_tenants.py`. An address without a verb fails here,
and so does one that does not keep to it.
"""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from accounts.models import Role
from accounts.permissions import MAY
from csms.api.permissions import verb_of
from tests.dashboard.addresses import BUTTONS, NAMED, address
from tests.dashboard.test_tenants import DOORS, DOWNLOADS, ENDPOINTS, OF_ADA, PAGES, PRESSED, ask, mine
from tests.dashboard.world import World, one_of_each
from tests.network import Network

#: Addresses that need no verb, and why.
OPEN = {
    **dict.fromkeys(DOORS, "where one comes in, goes out, and chooses a language: nobody's data"),
    "api:schema": "describes the API, holds nobody's data",
    "api:docs": "the same for people",
    "api:": "an address that is none",
}
#: Whole groups of addresses that obey something else, and where that is tested: by their name space,
ELSEWHERE = {
    "admin": "superusers only: tests/dashboard/test_repair.py",
    "headless": "logins of drivers' apps: tests/api/drivers/test_login.py",
}
#: and by the module of their views.
OF_MODULES = {
    "csms.driver.": "drivers' pages: tests/driver/test_tenants.py",
    "csms.api.drivers.views": "the drivers' side of the API: tests/api/drivers",
    "csms.people.": "by a link of one's own: tests/people/test_joining.py",
    "csms.dashboard.account": "everybody's own login: tests/dashboard/test_account.py",
    "allauth.": "one's own login, second factor and password: tests/people",
    "django.views.generic.base": "leads to one's own account",
}
#: Buttons that name what they are about in what they post.
POSTED: dict[str, Callable[[World], dict[str, Any]]] = {
    "onboarding_password": lambda world: {"identity": world.station.identity},
    "onboarding_take": lambda world: {"identity": world.station.identity},
    "onboarding_lower": lambda world: {"identity": world.station.identity},
    "run_start": lambda world: {"do": "clear", "token": "t2", "station": world.station.pk},
}
#: What the world has none of, for those who may look for it: no test can be made of its message.
NONE_OF = {"station_message_test"}
#: What is a person's own, whoever's network it is in: not there for anybody else.
PERSONAL = {"view_delete"}

LOGIN, UNKNOWN, FORBIDDEN, NOT_THERE, DONE = "to the login", "401", "403", "404", "done"
#: What is asked, as (route, query, method).
Request = tuple[str, str, str]


def routes(patterns: Any = None, space: str = "") -> Iterator[tuple[str, Any]]:
    """Every address, by its name, and its view."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            if pattern.namespace not in ELSEWHERE:
                yield from routes(pattern.url_patterns, space + inner)
        elif isinstance(pattern, URLPattern) and not pattern.callback.__module__.startswith(tuple(OF_MODULES)):
            yield f"{space}{pattern.name or ''}", pattern.callback


VIEWS: dict[str, Any] = dict(routes())


def verbs_of(name: str) -> set[str]:
    """All verbs that an address needs for what can be done there."""
    view = VIEWS[name]
    if name.startswith("api:"):
        return {needed(name, "", method) for endpoint, method in ENDPOINTS if f"api:{endpoint}" == name}
    return {getattr(view, "verb", ""), *getattr(view, "tab_verbs", {}).values()}


def needed(name: str, query: str, method: str) -> str:
    view = VIEWS[name]
    if name.startswith("api:"):
        # What an action says stands above what its view says.
        return verb_of(type("Action", (view.cls,), getattr(view, "initkwargs", {})), method)
    verb: str = getattr(view, "tab_verbs", {}).get(tab_of(query), getattr(view, "verb", ""))
    return verb


def tab_of(query: str) -> str:
    return parse_qs(query).get("tab", [""])[0]


def requests() -> Iterator[Request]:
    """One of each page and of each tab, in whatever state; every file; every button; every method of the API."""
    pages = {(name, tab_of(query)): query for name, query in reversed(PAGES)}
    yield from ((name, query, "get") for (name, _tab), query in pages.items())
    yield from ((name, query, "get") for name, query in DOWNLOADS)
    yield from ((name, "", "post") for name in PRESSED)
    yield from ((f"api:{name}", "", method) for name, method in ENDPOINTS)


REQUESTS = [one for one in dict.fromkeys(requests()) if one[0] in VIEWS]
#: One for each verb, of pages and of the API, to read and to write.
SOME = list({(needed(*one), one[0].startswith("api:"), one[2]): one for one in REQUESTS if one[0] not in OPEN}.values())
MANY = pytest.mark.parametrize("wanted", [SOME, pytest.param(REQUESTS, marks=pytest.mark.long)], ids=["some", "all"])


def named(name: str) -> bool:
    return name.removeprefix("api:") in OF_ADA if name.startswith("api:") else name in NAMED or name in POSTED


def said(answer: HttpResponseBase) -> str:
    """What came of it. That a form or a body is refused for what stands in it is another matter."""
    if answer.status_code == 302 and answer["Location"].startswith("/login/"):
        return LOGIN
    return DONE if answer.status_code in (200, 201, 202, 204, 302, 400, 409, 422) else str(answer.status_code)


def asked(client: Client, world: World, name: str, query: str, method: str) -> str:
    """Ask, and undo what came of it, if it was allowed."""
    with transaction.atomic():
        if name.startswith("api:"):
            answer = ask(client, name.removeprefix("api:"), method, world)
        elif method == "post":
            data = POSTED[name](world) if name in POSTED else BUTTONS.get(name, {})
            answer = client.post(address(name, world), data)
        else:
            answer = client.get(address(name, world, query))
        came = said(answer)
        transaction.set_rollback(came == DONE)
    return came


def all_asked(client: Client, world: World, wanted: list[Request] = REQUESTS) -> dict[Request, str]:
    before = mine(world.network)
    found = {(name, query, method): asked(client, world, name, query, method) for name, query, method in wanted}
    # Whoever was turned away has changed nothing all the same.
    assert mine(world.network) == before
    return found


@pytest.fixture
def amber(db: None) -> Network:
    return Network()


def of(network: Network, role: str, **fields: object) -> Client:
    client = Client()
    client.force_login(network.user(f"{role}.of.the.matrix", role=role, **fields))
    return client


# The table


def test_every_address_says_which_verb_it_needs() -> None:
    said = {name: verbs_of(name) for name in VIEWS.keys() - OPEN.keys()}
    assert {name: verbs for name, verbs in said.items() if not verbs or not verbs <= MAY.keys()} == {}
    assert OPEN.keys() <= VIEWS.keys() | DOORS


def test_every_address_is_asked_for_what_it_does() -> None:
    missing = {name for name in VIEWS if name not in OPEN} - {name for name, _, _ in REQUESTS}
    assert missing == set()


def test_every_verb_is_needed_somewhere_or_is_for_what_comes() -> None:
    """A verb that no address needs is dead, or was forgotten at its page."""
    used = {verb for name in VIEWS if name not in OPEN for verb in verbs_of(name)}
    assert MAY.keys() == used


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_without_a_verb_would_be_found(method: str) -> None:
    class Silent:
        view_verb = ""

    assert verb_of(Silent, method) not in MAY


# Each role. What a view refuses and what it grants is said by its verb: whoever may some of it shows that; the others show no more
# than the table, of which `tests/test_docs.py` has every cell. Ben, who may only look, and Cleo, who owns another network, are in
# `tests/dashboard/test_tenants.py`.


def roles(*always: str) -> list[Any]:
    return [role if role in always else pytest.param(role, marks=pytest.mark.long) for role in Role.values]


@pytest.mark.parametrize("role", roles("technician"))
def test_each_role_does_in_its_own_network_what_the_table_says_and_nothing_else(amber: Network, role: str) -> None:
    client = of(amber, role)
    world = one_of_each(amber)
    world.view.user = amber.operator.users.get(role=role, email__contains="of.the.matrix")
    world.view.save()
    expected = {}
    for name, query, method in REQUESTS:
        there = NOT_THERE if name in NONE_OF else DONE
        expected[(name, query, method)] = there if role in MAY[needed(name, query, method)] else FORBIDDEN
    assert all_asked(client, world) == expected


@pytest.mark.long
@pytest.mark.parametrize("role", Role.values)
def test_no_role_finds_anything_of_another_network(amber: Network, role: str) -> None:
    world = one_of_each(amber)
    client = of(Network(), role)
    expected = {}
    for name, query, method in REQUESTS:
        there = NOT_THERE if named(name) else DONE
        expected[(name, query, method)] = there if role in MAY[needed(name, query, method)] else FORBIDDEN
    assert all_asked(client, world) == expected


def test_what_is_a_persons_own_is_not_there_for_another(amber: Network) -> None:
    world = one_of_each(amber)
    client = of(amber, "owner")
    assert {name: asked(client, world, name, "", "post") for name in PERSONAL} == dict.fromkeys(PERSONAL, NOT_THERE)


# Who has no role


@MANY
def test_a_driver_does_nothing_that_is_for_staff_whatever_their_role_says(amber: Network, wanted: list[Request]) -> None:
    client = of(amber, "owner", kind="driver")
    assert all_asked(client, one_of_each(amber), wanted) == dict.fromkeys(wanted, FORBIDDEN)


@MANY
def test_whoever_has_not_logged_in_does_nothing(amber: Network, client: Client, wanted: list[Request]) -> None:
    expected = {one: UNKNOWN if one[0].startswith("api:") else LOGIN for one in wanted}
    assert all_asked(client, one_of_each(amber), wanted) == expected


@MANY
def test_a_key_does_no_more_than_its_scopes_and_its_person(amber: Network, wanted: list[Request]) -> None:
    from accounts.services import create_api_key

    viewer, text = create_api_key(user=amber.user("key.of.the.matrix"), scopes=["read"])
    client = Client(headers={"Authorization": f"Api-Key {text}"})
    world = one_of_each(amber)
    assert viewer.scopes == ["read"]
    for name, query, method in wanted:
        if name.startswith("api:"):
            reads = needed(name, query, method) == "view"  # to ask what a session would cost is a POST, and reads all the same
            assert asked(client, world, name, query, method) == (DONE if reads else FORBIDDEN), (name, method)
