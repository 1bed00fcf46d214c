"""Who changed what, as pages and as a file."""

import ast
import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django_scopes import scope

from accounts import audit, history
from accounts.models import AuditEntry
from csms.dashboard.auditwords import ACTIONS
from tests.dashboard.conftest import browser_of
from tests.dashboard.world import one_of_each
from tests.network import Network


def text(html: str) -> str:
    """What stands on the page, without its tags."""
    return " ".join(strip_tags(html.partition('id="results"')[2]).replace("&#x27;", "'").split())


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"/audit/{query}")
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def shown(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="change-(\d+)"', html)]


def entries(network: Network) -> list[AuditEntry]:
    with scope(operator=network.operator):
        return list(AuditEntry.objects.all())


def changed(network: Network, number: int, **more: Any) -> None:
    """So many changes at once."""
    names = [f"Site {n}" for n in range(number)]
    made = [audit.entry("site.added", operator=network.operator, label=name, after={"name": name}, **more) for name in names]
    audit.record_all(made)


def test_what_is_done_on_a_page_stands_there_as_a_sentence_with_before_and_after(ada: Client, amber: Network) -> None:
    tag = amber.token("04A1B2", note="the van")
    ada.post(f"/id-tags/{tag.pk}/status/", {"status": "Blocked", "because": "Lost on the way"})
    html = page(ada)
    who = amber.operator.users.get().email
    assert f"{who} changed the id tag 04A1B2" in text(html)
    assert "Status: before: Accepted → after: Blocked" in text(html)
    assert "Why it is blocked: Lost on the way" in text(html)
    assert f'href="/id-tags/{tag.pk}/"' in html
    assert entries(amber)[0].via == "page"


def test_a_secret_is_told_as_changed_and_not_kept(ada: Client, amber: Network) -> None:
    station = amber.station()
    ada.post("/onboarding/password/", {"identity": station.identity})
    assert f"gave the charger {station.identity} a new password" in text(page(ada))
    assert "changed; the value is not kept" in page(ada)
    assert "pbkdf2" not in str(entries(amber)[0].after)


def test_a_role_is_told_in_words(ada: Client, amber: Network) -> None:
    bea = amber.user("bea", role="viewer")
    ada.post(f"/people/{bea.pk}/change/", {"do": "role", "role": "support"})
    ada.post(f"/people/{bea.pk}/change/", {"do": "off"})
    found = text(page(ada))
    assert "Role: before: Viewer → after: Support" in found
    assert "Active: before: yes → after: no" in found


def test_whatever_has_a_page_is_led_to(ada: Client, amber: Network) -> None:
    world = one_of_each(amber)
    things = {
        "firmware_image": world.image,
        "rollout": world.rolled.rollout,
        "webhook": world.webhook,
        "our_driver": world.driver,
        "id_tag": world.card,
        "transaction": world.running,
        "run": world.run,
    }
    for name, thing in things.items():
        audit.record("an.other", thing, operator=amber.operator, label=f"some {name}")
    html = page(ada)
    for name, thing in things.items():
        assert f'<a href="{reverse(name, args=[thing.pk])}">some {name}</a>' in html
    # To the page of a colleague only owners come.
    audit.record("an.other", world.person, operator=amber.operator, label="a colleague")
    assert "<strong>a colleague</strong>" in page(ada)


def test_each_filter_narrows_the_list(ada: Client, amber: Network) -> None:
    station = amber.station(name="x")
    owner = amber.operator.users.get()
    tag = amber.token("04A1B2")
    with audit.acting(owner, via="page"):
        audit.record("id_token.changed", tag, operator=amber.operator, before={"note": "blue van"}, after={"note": "red van"})
    audit.record(
        "station.changed", station, operator=amber.operator, before={"registration": "Pending"}, after={"registration": "Accepted"}
    )
    registered, by_ada, by_system = (one.pk for one in reversed(entries(amber)))
    today = timezone.localdate()
    for query, wanted in {
        "": [by_system, by_ada, registered],
        f"person={owner.email.upper()}": [by_ada],
        "person=SYST": [by_system, registered],
        "person=nobody@example.org": [],
        "action=id_token.changed": [by_ada],
        "action=an.other": [],
        "kind=station": [by_system, registered],
        f"kind=station&thing={station.pk}": [by_system, registered],
        f"kind=station&thing={station.pk}&action=station.changed": [by_system],
        "kind=nothing": [],
        "q=RED van": [by_ada],
        "q=04a1": [by_ada],
        f"since={today}": [by_system, by_ada, registered],
        f"since={today}&until={today}&q=blue": [by_ada],
        f"until={today - timedelta(days=2)}": [],
        f"since={today + timedelta(days=2)}": [],
        "since=yesterday": [],
    }.items():
        assert shown(page(ada, f"?{query}")) == wanted, query


def test_a_list_of_one_thing_says_so(ada: Client, amber: Network) -> None:
    station = amber.station()
    assert f"Only what was done to {station.identity}." in page(ada, f"?kind=station&thing={station.pk}")
    assert "Only what was done" not in page(ada, "?kind=station")


def test_the_list_goes_on_where_the_page_ends(ada: Client, amber: Network) -> None:
    changed(amber, 120)
    found: list[int] = []
    query = ""
    while True:
        html = page(ada, query)
        found += shown(html)
        more = re.search(r'href="/audit/(\?[^"]*before=\d+)"', html)
        if more is None:
            break
        query = more[1].replace("&amp;", "&")
    assert found == [one.pk for one in entries(amber)]
    assert ada.get("/audit/?before=x").status_code == 400


def test_a_text_is_looked_for_in_so_many_changes_at_once(ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "SCAN", 10)
    changed(amber, 1, note="the needle")
    changed(amber, 25)
    html = page(ada, "?q=needle")
    assert shown(html) == []
    assert "Look further back" in html
    pages = 1
    while not shown(html):
        html = page(ada, re.search(r'href="/audit/(\?[^"]*before=\d+)"', html)[1].replace("&amp;", "&"))  # type: ignore[index]
        pages += 1
    assert (pages, "the needle" in html) == (3, True)
    with scope(operator=amber.operator):
        found = history.History(history.Asked(text="needle")).chunk(None, 100)
    assert [one.note for one in found] == ["the needle"]


def test_the_number_of_queries_does_not_depend_on_how_much_was_changed(ada: Client, amber: Network) -> None:
    def queries(query: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as made:
            page(ada, query)
        return len(made)

    amber.station()
    few = {query: queries(query) for query in ("", "?q=x", "?action=site.added&since=2026-01-01")}
    changed(amber, 200)
    amber.station()
    assert {query: queries(query) for query in few} == few


def test_what_needs_a_sentence_has_one() -> None:
    """Of every action that our code records."""
    told = {"record", "entry", "_record", "note_own_change"}
    recorded = {
        text.value
        for folder in ("accounts", "stations", "billing", "csms")
        for path in (settings.BASE_DIR / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and told & {getattr(node.func, "attr", ""), getattr(node.func, "id", "")}
        for given in [*node.args[:1], *(one.value for one in node.keywords if one.arg == "action")]
        for text in ast.walk(given)
        if isinstance(text, ast.Constant) and isinstance(text.value, str) and re.fullmatch(r"[a-z_]+\.[a-z_]+", text.value)
    }
    assert {"station.added", "command.asked", "person.renamed", "person.second_factor_off"} <= recorded
    assert recorded - ACTIONS.keys() == set()


# On the page of a thing


def test_a_charger_has_its_history_for_those_who_may_see_it(ada: Client, ben: Client, amber: Network) -> None:
    station, other = amber.station(accepted=True), amber.station()
    ada.post(f"/stations/{station.identity}/commands/", {"do": "clear"})
    html = ada.get(f"/stations/{station.identity}/?tab=history").content.decode()
    assert "asked the charger" in html
    assert "Forget remembered id tags" in html
    assert other.identity not in html
    assert "tab=history" not in ben.get(f"/stations/{station.identity}/").content.decode()
    assert ben.get(f"/stations/{station.identity}/?tab=history").status_code == 403


def test_an_id_tag_has_its_history_for_those_who_may_see_it(ada: Client, amber: Network) -> None:
    tag, other = amber.token("04A1B2"), amber.token("OTHER")
    for one in (tag, other):
        ada.post(f"/id-tags/{one.pk}/status/", {"status": "Blocked"})
    html = ada.get(f"/id-tags/{tag.pk}/").content.decode()
    assert html.count("changed the id tag") == 1
    support = browser_of(amber, "sue", role="support").get(f"/id-tags/{tag.pk}/")
    assert (support.status_code, b"changed the id tag" in support.content) == (200, False)


def test_nobody_sees_the_changes_of_another_network(ada: Client, cleo: Client, amber: Network) -> None:
    amber.station()
    assert shown(page(ada))
    assert shown(page(cleo)) == []
    assert amber.tag not in page(cleo)
