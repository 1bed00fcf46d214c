"""What stands on all the pages and endpoints there are: nothing of Ada's for Cleo, no controls for Ben. Who may open and press
them at all is in `tests/test_matrix.py`; files, which a server sends, are in `tests/sockets/test_exports.py`.

The cases come from the tables of addresses. A new one without an entry in `tests/dashboard/addresses.py` or here fails.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.urls.resolvers import URLPattern, URLResolver
from django_scopes import scopes_disabled

from accounts.models import SavedView
from billing.models import TariffAssignment, TariffVersion
from csms.api.drivers.urls import urlpatterns as driver_urls
from csms.api.urls import urlpatterns as api_urls
from stations.models import Connector, LocalList, LocalListRule, SignedReading
from tests.dashboard.addresses import BUTTONS, DATA, FILES, NAMED, STATES, address, routes
from tests.dashboard.world import LONG_TAG, World, one_of_each
from tests.network import Network

#: Pages for those who may change something only.
FORMS = {
    *("id_tag_add", "id_tags_import", "id_tag", "plug_types", "firmware_add", "webhook_add", "webhook_change"),
    "receipt_details",
    *("forward_add", "forward_change", "quirk_add", "quirk_change", "ask_anything"),
    *("tariff_add", "tariff_import", "tariff_change", "id_tag_group"),
}
#: Others that are not for Ben, without a button or with one elsewhere; and a part of a page.
BEFORE_FORMS = {
    *("runs", "id_tags_enrol", "people", "person", "people_export", "drivers", "our_driver", "rollout_new", "audit"),
    *("receipts", "receipt", "receipt_files"),
}
NOT_FOR_BEN = "tab=history"
#: What everybody does to their own login.
OWN = {"account", "account_profile", "account_password", "account_sessions", "account_key_add"}
#: Where one comes in, goes out, and chooses a language: nobody's data.
DOORS = {"login", "logout", "language"}
PAGES = [(name, query) for name, queries in STATES.items() if name not in DOORS for query in queries]
#: Each page and each of its tabs as it mostly is.
MOSTLY = list({(name, parse_qs(query).get("tab", [""])[0]): (name, query) for name, query in reversed(PAGES)}.values())
IN_STATES = pytest.mark.parametrize("pages", [MOSTLY, pytest.param(PAGES, marks=pytest.mark.long)], ids=["mostly", "in each state"])
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


@IN_STATES
def test_cleo_finds_nothing_of_adas_on_any_page(ada: Client, cleo: Client, world: World, pages: list[tuple[str, str]]) -> None:
    for name, query in pages:
        path = address(name, world, query)
        assert ada.get(path).status_code == 200, path
        answer = cleo.get(path)
        assert answer.status_code == (404 if name in NAMED else 200), path
        html = answer.content.decode().replace(path, "")
        assert [word for word in (world.network.tag, LONG_TAG, "DEE-", "Harbour") if word in html] == [], path


def test_cleo_is_sent_nothing_of_adas_by_any_script(ada: Client, cleo: Client, world: World) -> None:
    for name, query in FETCHED:
        path = address(name, world, query)
        shown = ada.get(path)
        assert world.network.tag in path or shown.streaming or len(shown.content) > 100, path
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


@IN_STATES
def test_ben_sees_the_same_pages_without_controls(ben: Client, world: World, pages: list[tuple[str, str]]) -> None:
    for name, query in pages:
        if name in OWN:
            continue
        answer = ben.get(address(name, world, query))
        assert answer.status_code == (403 if name in FORMS | BEFORE_FORMS or query == NOT_FOR_BEN else 200), (name, query)
        # Two forms: to log out, and to choose a language. Beside it a view of a list may be saved, for oneself.
        shown = re.sub(r'<form[^>]* action="/views/', "", answer.content.decode())
        on_kiosk = "kiosk" in query
        assert re.findall(r'method="post"|formaction=|form="', shown) == ['method="post"'] * (0 if on_kiosk else 2), (name, query)


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


#: The drivers' side is none of the operators': `tests/api/drivers/`.
ENDPOINTS = sorted(set(endpoints()) - set(endpoints(driver_urls)))
#: What an endpoint's address names, by its name. One that can be asked without naming anything needs no entry.
OF_ADA = {
    "station-detail": lambda world: {"identity": world.station.identity},
    "station-commands": lambda world: {"identity": world.station.identity},
    "station-availability": lambda world: {"identity": world.station.identity},
    "station-ocpp": lambda world: {"identity": world.station.identity, "action": "ClearCache"},
    "connector-detail": lambda world: {"pk": Connector._base_manager.filter(evse__station=world.station).latest("pk").pk},
    "transaction-detail": lambda world: {"pk": world.running.pk},
    "transaction-signed": lambda world: {"pk": world.done.pk},
    "signed-reading-detail": lambda world: {"pk": SignedReading._base_manager.filter(transaction=world.done).latest("pk").pk},
    **{f"meter-key-{name}": lambda world: {"pk": world.meter_key.pk} for name in ("detail", "trust")},
    "transaction-repair": lambda world: {"pk": world.doubtful.pk},
    **{f"repair-message-{name}": lambda world: {"pk": world.repair.pk} for name in ("detail", "play", "discard")},
    "command-detail": lambda world: {"pk": world.queued.pk},
    "command-cancel": lambda world: {"pk": world.queued.pk},
    "id-tag-detail": lambda world: {"pk": world.card.pk},
    "id-tag-group-detail": lambda world: {"pk": world.card.group_id},
    "site-detail": lambda world: {"pk": world.station.site_id},
    "tariff-detail": lambda world: {"pk": world.bill.tariff_id},
    "tariff-versions": lambda world: {"pk": world.bill.tariff_id},
    "tariff-version-detail": lambda world: {"pk": TariffVersion._base_manager.get(tariff=world.bill.tariff_id).pk},
    "tariff-assignment-detail": lambda world: {"pk": TariffAssignment._base_manager.get(tariff=world.bill.tariff_id).pk},
    **{f"price-series-{name}": lambda world: {"pk": world.priced.series.pk} for name in ("detail", "points")},
    "log-detail": lambda world: {"pk": world.log.pk},
    "log-download": lambda world: {"pk": world.log.pk},
    **{f"reservation-{name}": lambda world: {"pk": world.reservation.pk} for name in ("detail", "cancel")},
    "network-profile-detail": lambda world: {"pk": world.profile.pk},
    **{f"network-move-{name}": lambda world: {"pk": world.move.pk} for name in ("detail", "back", "cancel")},
    "station-firmware": lambda world: {"identity": world.station.identity},
    **{
        f"local-list-{name}": lambda world: {"pk": LocalList.objects.with_scopes_disabled().get(station=world.station).pk}
        for name in ("detail", "entries")
    },
    "local-list-rule-detail": lambda world: {
        "pk": LocalListRule.objects.with_scopes_disabled().get(operator=world.network.operator).pk
    },
    "firmware-detail": lambda world: {"pk": world.image.pk},
    "firmware-withdraw": lambda world: {"pk": world.image.pk},
    "firmware-update-detail": lambda world: {"pk": world.update.pk},
    "firmware-update-cancel": lambda world: {"pk": world.update.pk},
    **{f"charge-record-{name}": lambda world: {"pk": world.bill.pk} for name in ("detail", "correct")},
    **{f"rebilling-{name}": lambda world: {"pk": world.rebilling.pk} for name in ("detail", "start", "pause", "resume", "cancel")},
    "receipt-archive-detail": lambda world: {"pk": world.archived.archive_id},
    "receipt-archive-file": lambda world: {"pk": world.archived.archive_id, "part": 1},
    **{f"receipt-{name}": lambda world: {"pk": world.bill.pk} for name in ("detail", "pdf")},
    "driver-detail": lambda world: {"pk": world.driver.pk},
    "driver-block": lambda world: {"pk": world.driver.pk},
    "driver-unblock": lambda world: {"pk": world.driver.pk},
    "driver-give": lambda world: {"pk": world.driver.pk},
    "driver-take": lambda world: {"pk": world.driver.pk, "tag": world.driver_card.pk},
    "person-detail": lambda world: {"pk": world.person.pk},
    "invitation-detail": lambda world: {"pk": world.invitation.pk},
    **{
        f"rollout-{name}": lambda world: {"pk": world.rolled.rollout.pk}
        for name in ("detail", "preview", "start", "pause", "resume", "cancel", "retry", "leave-out", "steps")
    },
    **{
        f"command-run-{name}": lambda world: {"pk": world.run.pk}
        for name in ("detail", "pause", "resume", "cancel", "retry", "steps")
    },
    "forward-link-detail": lambda world: {"pk": world.link.pk},
    **{f"forward-{name}": lambda world: {"pk": world.forward.pk} for name in ("detail", "pause", "resume", "test")},
    "security-event-detail": lambda world: {"pk": world.secured.event.pk},
    "security-event-acknowledge": lambda world: {"pk": world.secured.event.pk},
    "certificate-detail": lambda world: {"pk": world.secured.certificate.pk},
    "certificate-request-detail": lambda world: {"pk": world.secured.request.pk},
    "firmware-publication-detail": lambda world: {"pk": world.secured.publication.pk},
    "quirk-detail": lambda world: {"pk": world.quirk.pk},
    "report-detail": lambda world: {"pk": world.monitored.report.pk},
    "customer-report-detail": lambda world: {"pk": world.monitored.customer.pk},
    **{f"monitor-event-{name}": lambda world: {"pk": world.monitored.alert.pk} for name in ("detail", "close")},
    "webhook-delivery-detail": lambda world: {"pk": world.delivery.pk},
    "webhook-delivery-replay": lambda world: {"pk": world.delivery.pk},
    **{
        f"webhook-{name}": lambda world: {"pk": world.webhook.pk}
        for name in ("detail", "pause", "resume", "rotate", "test", "replay")
    },
}
#: What may be read only by those who may fetch it.
FETCHED_ONLY = {"log-download", "receipt-archive-file"}
#: What is sent to those that take something without naming anything.
SENT: dict[tuple[str, str], dict[str, Any]] = {
    ("id-tag-list", "post"): {"value": "CLEOS-OWN"},
    ("invitation-list", "post"): {"email": "new@example.org", "role": "viewer"},
    ("rollout-list", "post"): {"firmware": 1},
    ("reservation-list", "post"): {"station": "X", "id_tag": "CARD", "expires_at": "2030-01-01T00:00:00Z"},
    ("network-move-list", "post"): {"station": "X", "slot": 1},
    ("command-run-list", "post"): {"command": "clear_cache", "selection": {"filter": {}}},
    ("forward-list", "post"): {"name": "Cleo's", "url": "wss://cleo.example/"},
    ("local-list-rule-list", "post"): {"mode": "valid"},
    ("receipt-issuer-list", "post"): {"legal_name": "Cleo's Power"},
    ("quirk-list", "post"): {"name": "Odd", "vendor": "Cleo", "adjustments": [{"do": "id_tag_plain"}]},
    ("rebilling-list", "post"): {"tariff": 1, "since": "2026-01-01", "until": "2026-02-01", "reason": "Wrong price"},
    ("tariff-list", "post"): {"name": "Cleo's", "price_per_kwh": "0.30"},
    ("tariff-assignment-list", "post"): {"tariff": 1},
    ("meter-key-list", "post"): {"station": "X", "public_key": "00"},
    ("what-if", "post"): {"tariff": {"id": 1}},
    ("price-series-list", "post"): {"name": "Cleo's"},
    ("webhook-list", "post"): {"url": "https://cleo.example/", "events": ["station.online"]},
}
#: The same as multipart/form-data.
UPLOADED = {("firmware-list", "post"): lambda: {"vendor": "Alfen", "version": "9", "file": SimpleUploadedFile("a.bin", b"new")}}
#: What only those may read who may also change it.
OWNERS = {"driver-list", "driver-detail", "person-list", "person-detail", "invitation-list", "invitation-detail"}
#: What needs something of one's own, which Cleo has not, and is refused with this.
WITHOUT_OWN = {
    (f"{name}-list", "post"): 400
    for name in ("rollout", "reservation", "network-move", "tariff-assignment", "meter-key", "rebilling")
} | {("what-if", "post"): 400}
LISTED = [name for name, method in ENDPOINTS if method == "get" and name not in OF_ADA]
PROBLEM = "application/problem+json"


def ask(client: Client, name: str, method: str, world: World) -> Any:
    path = reverse(f"api:{name}", kwargs=OF_ADA[name](world) if name in OF_ADA else {})
    if upload := UPLOADED.get((name, method)):
        return client.post(path, upload())
    path += "?wait=0" if name == "station-ocpp" else ""
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
    assert {one for one in ENDPOINTS if one[1] != "get" and one[0] not in OF_ADA} == {*SENT, *UPLOADED}


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
        found = [row for row in ask(cleo, name, "get", world).json()["results"] if not row.get("email", "").startswith("cleo.")]
        # What came with the release is everybody's.
        found = [row for row in found if not row.get("shipped")]
        assert found == [], name


def test_cleo_adds_to_her_own_network_only(cleo: Client, world: World) -> None:
    before = mine(world.network)
    added = [*SENT, *UPLOADED]
    assert {one: ask(cleo, *one, world).status_code for one in added} == dict.fromkeys(added, 201) | WITHOUT_OWN
    assert mine(world.network) == before
