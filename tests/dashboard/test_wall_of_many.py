"""The wall of a big network: a small shape for each plug, and lists that do not grow with it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from csms.dashboard import fragments, wall
from csms.dashboard.worklist import Rights
from stations.models import Transaction
from tests.dashboard.rows import plug, seen, session
from tests.dashboard.test_wall import page, part
from tests.network import Network


@pytest.fixture(autouse=True)
def two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three plugs are many."""
    monkeypatch.setattr(wall, "CARDS", 2)


@pytest.fixture
def scoped(amber: Network) -> Iterator[None]:
    with scope(operator=amber.operator):
        yield


def test_a_charging_shape_tells_power_session_and_driver(ada: Client, amber: Network) -> None:
    connector = plug(amber, "Charging")
    for _ in range(2):
        plug(amber)
    token = amber.token("DEE-CARD", note="Dee's van")
    session(connector, id_token=token, started_at=timezone.now() - timedelta(days=1))
    shown = part(page(ada), f"connector-{connector.pk}")
    assert shown.startswith(f"C {connector.evse.station.identity} plug 1: Charging 11.0 kW at ")
    assert "7.50 kWh charging since " in shown
    assert shown.endswith("Dee&#x27;s van")


def test_a_shape_does_not_show_an_old_reading_as_the_power_now(ada: Client, amber: Network) -> None:
    connector = plug(amber, "Charging")
    for _ in range(2):
        plug(amber)
    session(connector, meter_last_at=timezone.now() - timedelta(hours=1))
    shown = part(page(ada), f"connector-{connector.pk}")
    assert "11.0 kW" not in shown
    assert "has not said lately" in shown


def test_shapes_say_what_is_wrong_and_what_their_letters_mean(ada: Client, amber: Network) -> None:
    broken, away = plug(amber, "Faulted", error_code="GroundFailure", info="RCD tripped"), plug(amber)
    plug(amber)
    seen(away.evse.station, ago=timedelta(days=1))
    html = page(ada)
    assert "F " in part(html, f"connector-{broken.pk}")
    assert "GroundFailure RCD tripped since " in part(html, f"connector-{broken.pk}")
    assert part(html, f"connector-{away.pk}").startswith("O ")
    assert 'class="beads-key"' in html
    assert 'class="plug is-' not in html


def test_only_the_newest_running_sessions_are_listed_and_the_rest_is_a_link(
    ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wall, "RUNNING_SHOWN", 2)
    monkeypatch.setattr(wall, "PRICED", 2)
    sessions = [session(plug(amber, "Charging")) for _ in range(4)]
    html = page(ada)
    assert [f'id="transaction-{one.pk}"' in html for one in sessions] == [False, False, True, True]
    assert "The newest 2 of 4." in html
    assert all(f'id="connector-{c.pk}"' in html for one in sessions if one.evse for c in _connectors(one))


def _connectors(transaction: Transaction) -> list[Any]:
    with scopes_disabled():
        return list(transaction.evse.connectors.all()) if transaction.evse else []


def changes(stations: list[int], transactions: list[int], known: fragments.Known) -> list[str]:
    dense = wall.dense()
    shown = fragments.moved(stations, known) if dense else stations
    parts = fragments.changed("en", Rights(), transactions, known) + fragments.of_plugs("en", shown, dense, known)
    return [part["id"] for part in parts]


def test_only_what_differs_is_sent_again(amber: Network, scoped: None) -> None:
    one, other = plug(amber), plug(amber)
    plug(amber)
    both, known = [one.evse.station_id, other.evse.station_id], fragments.Known()
    assert set(changes(both, [], known)) == {"summary", "work", "refusals", f"connector-{one.pk}", f"connector-{other.pk}"}
    assert changes(both, [], known) == ["summary"]
    one.status = "Faulted"
    one.save()
    assert changes(both, [], known) == ["summary", "work", f"connector-{one.pk}"]


def test_a_dot_is_sent_when_its_state_changes_and_not_for_a_reading(
    amber: Network, scoped: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wall, "CARDS", 1)
    one, other = plug(amber, "Charging"), plug(amber)
    running, both, known = session(one), [one.evse.station_id, other.evse.station_id], fragments.Known()
    assert f"connector-{one.pk}" in changes(both, [], known)
    running.power_w = 7000
    running.save()
    assert changes(both, [], known) == ["summary"]
    running.status = "ended"
    running.save()
    assert changes(both, [], known) == ["summary", f"connector-{one.pk}"]


def test_an_age_that_grows_is_no_difference() -> None:
    known = fragments.Known()
    young, old = (f'<li><time datetime="x" data-ago>{age}</time></li>' for age in ("1 s ago", "2 s ago"))
    assert known.new({"id": "work", "html": young, "list": None})
    assert not known.new({"id": "work", "html": old, "list": None})
    assert known.new({"id": "work", "html": old.replace('"x"', '"y"'), "list": None})


def test_a_session_that_is_not_listed_is_not_sent(amber: Network, scoped: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wall, "RUNNING_SHOWN", 1)
    older, newer = session(plug(amber, "Charging")), session(plug(amber, "Charging"))
    sent = changes([], [older.pk, newer.pk], fragments.Known())
    assert f"transaction-{newer.pk}" in sent
    assert f"transaction-{older.pk}" not in sent


def test_a_wall_screen_has_no_navigation_and_no_controls_but_a_way_out(ada: Client, amber: Network) -> None:
    plug(amber, "Faulted")
    html = ada.get("/?kiosk=1").content.decode()
    assert 'class="is-kiosk"' in html
    assert "<nav" not in html
    assert "<button" not in html
    assert 'id="sound"' not in html
    assert "Leave the wall screen" in html
    assert "1 of 1 plug needs you" in html
    assert 'class="is-kiosk"' not in page(ada)
