"""Who sees what, over all addresses there are: Ada's pages and endpoints as Cleo, as Ben, and as nobody. Of files, which a server
sends, in `tests/sockets/test_exports.py`.

The cases come from the tables of addresses. A new one without an entry in `tests/dashboard/world.py` or here fails.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.urls.resolvers import URLPattern, URLResolver
from django_scopes import scopes_disabled

from accounts.models import SavedView
from csms.api.urls import urlpatterns as api_urls
from tests.dashboard.world import BUTTONS, DATA, FILES, LONG_TAG, NAMED, STATES, World, address, one_of_each, routes
from tests.network import Network

#: Pages for those who may change something only.
FORMS = {"id_tag_add", "id_tags_import", "id_tag", "webhook_add", "webhook_change"}
#: The same, of which the buttons are elsewhere.
BEFORE_FORMS = {"runs", "id_tags_enrol"}
#: Where one comes in, goes out, and chooses a language: nobody's data.
DOORS = {"login", "logout", "language"}
PAGES = [(name, query) for name, queries in STATES.items() if name not in DOORS for query in queries]
DOWNLOADS = [(name, query) for names in (FILES, DATA) for name, queries in names.items() for query in queries]
FETCHED = [(name, query) for name, queries in DATA.items() for query in queries]
PRESSED = [*(name for name in BUTTONS if name not in DOORS), *sorted(FORMS)]


@pytest.fixture
def world(amber: Network) -> World:
    return one_of_each(amber)


def mine(network: Network) -> dict[str, list[tuple[Any, ...]]]:
    """All that belongs to a network, row by row."""
    models: list[type[Model]] = [
        model
        for model in apps.get_models()
        if any(field.name == "operator" for field in model._meta.fields) and model._meta.label != "accounts.User"
    ]
    with scopes_disabled():
        views = SavedView.objects.filter(user__operator=network.operator, user__role="owner")
        return {"views": sorted(views.values_list(), key=str)} | {
            model._meta.label: sorted(model._default_manager.filter(operator=network.operator).values_list(), key=str)
            for model in models
        }


def test_every_page_file_and_button_has_an_entry() -> None:
    entries = {*STATES, *FILES, *DATA, *BUTTONS}
    assert entries == routes()
    assert set(NAMED) <= entries
    assert not set(BUTTONS) & {*STATES, *FILES, *DATA}


# Cleo, of another operator


def test_cleo_finds_nothing_of_adas_on_any_page(ada: Client, cleo: Client, world: World) -> None:
    for name, query in PAGES:
        path = address(name, world, query)
        assert ada.get(path).status_code == 200, path
        answer = cleo.get(path)
        assert answer.status_code == (404 if name in NAMED else 200), path
        html = answer.content.decode().replace(path, "")
        assert [word for word in (world.network.tag, LONG_TAG, "DEE-", "Harbour") if word in html] == [], path


def test_cleo_is_sent_nothing_of_adas_by_any_script(ada: Client, cleo: Client, world: World) -> None:
    for name, query in FETCHED:
        path = address(name, world, query)
        assert world.network.tag in path or len(ada.get(path).content) > 100, path
        answer = cleo.get(path)
        assert answer.status_code == (404 if name in NAMED else 200), path
        assert world.network.tag not in answer.content.decode(), path


def test_cleo_changes_nothing_of_adas_with_any_button(cleo: Client, world: World) -> None:
    before = mine(world.network)
    for name in PRESSED:
        for data in (BUTTONS.get(name, {}), {"identity": world.station.identity, "variable": world.setting.pk, "value": "1"}):
            answer = cleo.post(address(name, world), data)
            assert name not in NAMED or answer.status_code == 404, name
    assert mine(world.network) == before


# Ben, who may only look


def test_ben_sees_the_same_pages_without_controls(ben: Client, world: World) -> None:
    for name, query in PAGES:
        answer = ben.get(address(name, world, query))
        assert answer.status_code == (403 if name in FORMS | BEFORE_FORMS else 200), (name, query)
        # Two forms: to log out, and to choose a language. Beside it a view of a list may be saved, for oneself.
        shown = re.sub(r'<form[^>]* action="/views/', "", answer.content.decode())
        on_kiosk = "kiosk" in query
        assert re.findall(r'method="post"|formaction=|form="', shown) == ['method="post"'] * (0 if on_kiosk else 2), (name, query)


def test_ben_may_press_no_button(ben: Client, world: World) -> None:
    before = mine(world.network)
    for name in PRESSED:
        expected = {"view_save": 302, "view_delete": 404}.get(name, 403)
        assert ben.post(address(name, world), BUTTONS.get(name, {})).status_code == expected, name
    assert mine(world.network) == before


# Nobody


def test_whoever_has_not_logged_in_is_sent_to_the_login(client: Client, world: World) -> None:
    before = mine(world.network)
    opened = [client.get(address(name, world, query)) for name, query in (*PAGES, *DOWNLOADS)]
    pressed = [client.post(address(name, world), BUTTONS.get(name, {})) for name in PRESSED]
    assert {(answer.status_code, answer["Location"].split("?")[0]) for answer in (*opened, *pressed)} == {(302, "/login/")}
    assert mine(world.network) == before


def test_a_button_is_no_address_to_open(ada: Client, world: World) -> None:
    assert {name: ada.get(address(name, world)).status_code for name in BUTTONS} == dict.fromkeys(BUTTONS, 405)


# The API


def endpoints(patterns: list[Any] = api_urls) -> Iterator[tuple[str, str]]:
    """The name and method of every endpoint below /api/v1/."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from endpoints(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name not in (None, "schema", "docs"):
            view: Any = pattern.callback
            methods = getattr(view, "actions", None) or [one.lower() for one in view.view_class().allowed_methods]
            yield from ((str(pattern.name), method) for method in methods if method not in ("head", "options"))


ENDPOINTS = sorted(set(endpoints()))
#: What an endpoint's address names, by its name. One that can be asked without naming anything needs no entry.
OF_ADA = {
    "station-detail": lambda world: {"identity": world.station.identity},
    "station-commands": lambda world: {"identity": world.station.identity},
    "station-ocpp": lambda world: {"identity": world.station.identity, "action": "ClearCache"},
    "transaction-detail": lambda world: {"pk": world.running.pk},
    "command-detail": lambda world: {"pk": world.queued.pk},
    "command-cancel": lambda world: {"pk": world.queued.pk},
    "id-tag-detail": lambda world: {"pk": world.card.pk},
    "site-detail": lambda world: {"pk": world.station.site_id},
    "tariff-detail": lambda world: {"pk": world.bill.tariff_id},
    "charge-record-detail": lambda world: {"pk": world.bill.pk},
    "webhook-delivery-detail": lambda world: {"pk": world.delivery.pk},
    "webhook-delivery-replay": lambda world: {"pk": world.delivery.pk},
    **{
        f"webhook-{name}": lambda world: {"pk": world.webhook.pk}
        for name in ("detail", "pause", "resume", "rotate", "test", "replay")
    },
}
#: What is sent to those that take something without naming anything.
SENT = {
    ("id-tag-list", "post"): {"value": "CLEOS-OWN"},
    ("webhook-list", "post"): {"url": "https://cleo.example/", "events": ["station.online"]},
}
LISTED = [name for name, method in ENDPOINTS if method == "get" and name not in OF_ADA]
PROBLEM = "application/problem+json"


def ask(client: Client, name: str, method: str, world: World) -> Any:
    path = reverse(f"api:{name}", kwargs=OF_ADA[name](world) if name in OF_ADA else {})
    answer: HttpResponse = getattr(client, method)(path, SENT.get((name, method), {}), content_type="application/json")
    return answer


def test_every_endpoint_has_an_entry() -> None:
    names = {name for name, _ in ENDPOINTS}
    assert set(OF_ADA) < names
    for name in names - set(OF_ADA):
        try:
            reverse(f"api:{name}")
        except NoReverseMatch:
            pytest.fail(f"{name} names something of which there is no entry in OF_ADA.")
    assert {one for one in ENDPOINTS if one[1] != "get" and one[0] not in OF_ADA} == set(SENT)


def test_every_endpoint_answers_cleo_404_for_what_is_adas(cleo: Client, world: World) -> None:
    before = mine(world.network)
    for name, method in ENDPOINTS:
        if name in OF_ADA:
            answer = ask(cleo, name, method, world)
            assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM), (name, method)
    assert mine(world.network) == before


def test_every_list_is_empty_for_cleo_where_ada_sees_rows(ada: Client, cleo: Client, world: World) -> None:
    for name in LISTED:
        assert ask(ada, name, "get", world).json()["results"], name
        assert ask(cleo, name, "get", world).json()["results"] == [], name


def test_ben_reads_every_endpoint_and_writes_none(ben: Client, world: World) -> None:
    before = mine(world.network)
    for name, method in ENDPOINTS:
        assert ask(ben, name, method, world).status_code == (200 if method == "get" else 403), (name, method)
    assert mine(world.network) == before


def test_no_endpoint_answers_whoever_is_unknown(client: Client, world: World) -> None:
    before = mine(world.network)
    for name, method in ENDPOINTS:
        answer = ask(client, name, method, world)
        assert (answer.status_code, answer["Content-Type"]) == (401, PROBLEM), (name, method)
    assert mine(world.network) == before


def test_cleo_adds_to_her_own_network_only(cleo: Client, world: World) -> None:
    before = mine(world.network)
    assert {one: ask(cleo, *one, world).status_code for one in SENT} == dict.fromkeys(SENT, 201)
    assert mine(world.network) == before
