"""The list of sessions, its file, and the button that stops one."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.dashboard import sessions
from csms.templatetags.rules import rule
from stations.models import Command, Site, Station, StatusHistory, Transaction
from tests.dashboard.rows import bill, finding, finished, plug, sample, seen, session
from tests.network import Network


def page(client: Client, path: str = "/transactions/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode().replace("\u202f", " ")


def shown(html: str) -> list[int]:
    return [int(part.split('"', 1)[0]) for part in html.split('<tr id="transaction-')[1:]]


def test_running_and_finished_sessions_stand_there_the_newest_first(ada: Client, amber: Network) -> None:
    now = timezone.now()
    old = finished(plug(amber), started_at=now - timedelta(hours=9))
    new = session(plug(amber, "Charging"))
    late = finished(plug(amber), started_at=now - timedelta(hours=4))  # reported after the newest began
    bill(old, amber.tariff(), "4.71")
    html = page(ada)
    assert shown(html) == [new.pk, late.pk, old.pk]
    assert "4.71 EUR" in html


def test_each_filter_narrows_the_list(ada: Client, amber: Network) -> None:
    now = timezone.localtime()
    first = plug(amber)
    ended = finished(first, id_tag="MINE", started_at=now - timedelta(days=3))
    doubtful = finished(plug(amber), doubt="register")
    running = session(plug(amber, "Charging"), started_at=now)
    identity = first.evse.station.identity
    day = (now - timedelta(days=3)).date()
    for query, wanted in {
        f"station={identity.lower()}": [ended],
        "id_tag=mine": [ended],
        "status=active": [running],
        "status=ended": [doubtful, ended],
        "doubtful=on": [doubtful],
        f"since={day}&until={day}": [ended],
        f"since={now.date()}&status=active": [running],
        f"until={day - timedelta(days=1)}": [],
    }.items():
        assert shown(page(ada, f"/transactions/?{query}")) == [row.pk for row in wanted], query


def test_site_and_findings_narrow_the_list_too(ada: Client, amber: Network) -> None:
    with scopes_disabled():
        site = Site.objects.create(operator=amber.operator, name="Harbour")
    here = finished(plug(amber, station=amber.station(site=site)))
    odd = finished(plug(amber))
    finding(odd)
    assert shown(page(ada, f"/transactions/?site={site.pk}")) == [here.pk]
    assert shown(page(ada, "/transactions/?findings=on")) == [odd.pk]
    assert "Nothing is shown until" in page(ada, "/transactions/?site=nonsense")


def test_a_running_session_tells_its_power_and_why_there_is_none(ada: Client, amber: Network) -> None:
    now = timezone.now()
    charging = session(plug(amber, "Charging"), soc_percent=62)
    paused = session(plug(amber, "SuspendedEV"), power_w=0)
    away = plug(amber, "Charging")
    seen(away.evse.station, ago=timedelta(hours=2))
    offline = session(away)
    silent = session(plug(amber, "Charging"), meter_last_at=now - timedelta(hours=1))
    lines = {line.session.transaction.pk: line for line in ada.get("/transactions/").context["lines"]}
    assert {pk: (line.power_w, line.state.slug) for pk, line in lines.items()} == {
        charging.pk: (11040, "charging"),
        paused.pk: (0, "suspended"),
        # What was said long ago, or by one that is away, is not told as now.
        offline.pk: (None, "offline"),
        silent.pk: (None, "charging"),
    }
    html = page(ada)
    assert "Paused by the car" in html
    assert "62 %" in html


def test_a_filter_that_makes_no_sense_is_said_at_its_field(ada: Client, amber: Network) -> None:
    session(plug(amber))
    html = page(ada, "/transactions/?since=2026-11-20&until=2026-11-01")
    assert 'id="id_until_error">This day is before the first one' in html
    assert 'aria-invalid="true"' in html
    assert shown(html) == []
    assert ada.get("/transactions/export/?since=nonsense").status_code == 400


def test_the_next_page_goes_on_where_the_first_ended(ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "PAGE", 2)
    connector, moment = plug(amber), timezone.now() - timedelta(hours=2)
    rows = [finished(connector, started_at=moment) for _ in range(5)]  # at one moment: the number decides
    seen, path = [], "/transactions/?status=ended"
    while path:
        html = page(ada, path)
        seen += shown(html)
        older = html.split("</noscript>")[1].split('<a href="/transactions/?status=ended&amp;before=')
        path = f"/transactions/?status=ended&before={older[1].split(chr(34))[0]}" if len(older) > 1 else ""
    assert seen == [row.pk for row in reversed(rows)]


@pytest.fixture
def rare(amber: Network, monkeypatch: pytest.MonkeyPatch) -> Transaction:
    """One session before four others, of another id tag, at the one place that has a site, in doubt and with a finding."""
    monkeypatch.setattr(sessions, "SCAN", 2)
    with scopes_disabled():
        site = Site.objects.create(operator=amber.operator, name="Harbour")
    connector, moment = plug(amber), timezone.now() - timedelta(hours=2)
    one = finished(plug(amber, station=amber.station(site=site)), started_at=moment, id_tag="RARE", doubt="register")
    finding(one)
    for n in range(4):
        finished(connector, started_at=moment + timedelta(minutes=n), id_tag="OTHER")
    return one


def found_by(ada: Client, asked: str) -> tuple[list[int], int]:
    """What a filter finds, and on how many pages."""
    seen, pages, path = [], 0, f"/transactions/?{asked}"
    while path:
        html = page(ada, path)
        seen += shown(html)
        pages += 1
        older = re.search(r'<a href="(/transactions/\?[^"]*before=[^"]*)"', html.split("</noscript>")[1])
        path = older[1].replace("&amp;", "&") if older else ""
        assert ("look through 2 sessions at a time" in html) is bool(path)
    return seen, pages


def test_a_filter_without_an_index_looks_through_so_many_at_a_time_and_says_so(ada: Client, rare: Transaction) -> None:
    assert found_by(ada, "findings=on") == ([rare.pk], 2)
    assert len(shown(page(ada, "/transactions/?station=AMBER"))) == 3


@pytest.mark.parametrize("asked", ["id_tag=rare", "doubtful=on", "site={site}", "site={site}&id_tag=RARE&doubtful=on&findings=on"])
def test_what_has_an_index_is_found_at_once_however_far_back(ada: Client, rare: Transaction, asked: str) -> None:
    assert found_by(ada, asked.format(site=rare.site_id)) == ([rare.pk], 1)


def test_a_session_stays_at_the_site_where_it_began(ada: Client, rare: Transaction, amber: Network) -> None:
    with scopes_disabled():
        elsewhere = Site.objects.create(operator=amber.operator, name="Elsewhere")
        Station.objects.filter(pk=rare.station_id).update(site=elsewhere)
    assert shown(page(ada, f"/transactions/?site={elsewhere.pk}")) == []
    html = page(ada, f"/transactions/?site={rare.site_id}")
    assert shown(html) == [rare.pk]
    assert '<span class="muted cell-site">Harbour</span>' in html


@pytest.mark.parametrize("before", ["x", "_", "2026-11-20_5", "2026-11-20T10:00:00+00:00_x", f"2026-11-20T10:00:00+00:00_{2**70}"])
def test_an_address_that_was_tampered_with_is_refused(ada: Client, before: str) -> None:
    assert ada.get("/transactions/", {"before": before}).status_code == 400


def test_the_number_of_queries_does_not_depend_on_the_number_of_sessions(
    ada: Client, amber: Network, django_assert_num_queries: Callable[..., Any]
) -> None:
    amber.tariff()
    for count in (1, 12):
        for _ in range(count):
            session(plug(amber, "Charging"))
            finding(finished(plug(amber)))
        page(ada)  # reads the tariffs, which are kept
        # Login, user, operator; sites; sessions; plugs; findings; places, the version of the prices; records; saved views.
        with django_assert_num_queries(11):
            page(ada)


def test_empty_lists_lead_on(ada: Client) -> None:
    assert 'href="/onboarding/"' in page(ada)
    assert "No session fits" in page(ada, "/transactions/?status=active")


# One session


def stop(client: Client, pk: int, **data: str) -> int:
    return client.post(f"/transactions/{pk}/stop/", data).status_code


def commands() -> list[Command]:
    with scopes_disabled():
        return list(Command.objects.order_by("id"))


def test_a_session_is_asked_to_stop_once_however_often_the_button_is_pressed(ada: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    html = page(ada, f"/transactions/{running.pk}/")
    once = html.split('name="once" value="')[1].split('"')[0]
    for _ in range(2):
        assert stop(ada, running.pk, once=once, reason="a driver called") == 302
    [asked] = commands()
    assert (asked.kind, asked.params["transaction"], asked.reason) == (
        "remote_stop",
        running.ocpp_transaction_id,
        "a driver called",
    )
    assert asked.requested_by is not None
    html = page(ada, f"/transactions/{running.pk}/")
    assert "Stop this session" not in html
    assert "The charger has been asked to stop." in html
    assert f'id="command-{asked.pk}"' in html


def test_after_a_refusal_it_can_be_asked_again(ada: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    stop(ada, running.pk, once="0")
    with scopes_disabled():
        Command.objects.update(status="rejected", finished_at=timezone.now())
    html = page(ada, f"/transactions/{running.pk}/")
    assert "The charger refused" in html
    stop(ada, running.pk, once=html.split('name="once" value="')[1].split('"')[0])
    assert len(commands()) == 2


def test_a_session_that_has_ended_cannot_be_stopped(ada: Client, amber: Network) -> None:
    done = finished(plug(amber))
    assert "Stop this session" not in page(ada, f"/transactions/{done.pk}/")
    answer = ada.post(f"/transactions/{done.pk}/stop/", follow=True)
    assert "has ended already" in answer.content.decode()
    assert commands() == []


def test_it_shows_the_energy_curve_the_rules_of_findings_and_what_happened(ada: Client, amber: Network) -> None:
    connector = plug(amber)
    done = finished(connector, meter_start_wh=0)
    for minute in range(3):
        sample(done, done.started_at + timedelta(minutes=minute), 11000)
    found = finding(done)
    with scopes_disabled():
        type(found).objects.update(code="sample_differs")
        StatusHistory.objects.create(
            operator=amber.operator,
            station=connector.evse.station,
            evse_number=1,
            connector_number=1,
            status="SuspendedEV",
            at=done.started_at + timedelta(minutes=5),
            received_at=timezone.now(),
        )
    html = page(ada, f"/transactions/{done.pk}/")
    assert "up to 1.23 kWh" in html
    assert "Of two values for the same moment the first is kept." in html
    timeline = html.split('id="session-timeline"')[1]
    assert timeline.index("Started") < timeline.index("Plug: Paused by the car") < timeline.index("Stopped")


def test_every_finding_that_the_services_make_has_its_rule_in_words(settings: Any) -> None:
    sources = "".join(path.read_text() for path in (settings.BASE_DIR / "stations/services").glob("*.py"))
    made = set(re.findall(r'\bNote\(\s*"(\w+)"', sources))
    assert "stop_missing" in made
    assert {code for code in made if not rule(code)} == set()


def test_ben_sees_all_but_no_button_and_cleo_finds_nothing(ben: Client, cleo: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    assert shown(page(ben)) == [running.pk]
    assert "<button" not in page(ben, f"/transactions/{running.pk}/").split('id="session-stop"')[1].split("</div>")[0]
    assert stop(ben, running.pk) == 403
    assert shown(page(cleo)) == []
    assert stop(cleo, running.pk) == 404
    assert commands() == []
