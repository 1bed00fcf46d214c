"""Enrolling by tapping: the card that is held to any reader is caught, if nobody is enrolled with it."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from stations.models import Finding
from tests.dashboard.conftest import browser_of
from tests.engine import Engine
from tests.network import Network


def opened(ago: timedelta = timedelta(seconds=30)) -> str:
    return f"/id-tags/enrol/?since={quote((timezone.now() - ago).isoformat())}"


def page(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_begins_when_it_is_opened(ada: Client) -> None:
    answer = ada.get("/id-tags/enrol/")
    assert answer.status_code == 302
    assert "Waiting for a card since" in page(ada, answer["Location"])


@pytest.mark.parametrize("since", ["nonsense", "2026-01-01", "2999-01-01", "%00"])
def test_a_moment_that_cannot_be_meant_begins_anew(ada: Client, since: str) -> None:
    assert ada.get(f"/id-tags/enrol/?since={since}").status_code == 302


@pytest.mark.parametrize(
    ("protocol", "payload", "kind"),
    [
        ("ocpp1.6", {"idTag": "04A1B2C3"}, "ISO14443"),
        ("ocpp2.0.1", {"idToken": {"idToken": "04A1B2C3", "type": "ISO15693"}}, "ISO15693"),
    ],
)
def test_an_unknown_card_is_caught_and_added(network: Network, engine: Engine, protocol: str, payload: dict, kind: str) -> None:  # type: ignore[type-arg]
    ada, station, since = browser_of(network, "ada"), network.station(accepted=True), opened()
    Engine(protocol).say(station, "Authorize", payload)
    html = page(ada, since)
    assert f"04A1B2C3 was held to {station.identity}." in html
    path = f"/id-tags/add/?value=04A1B2C3&amp;type={kind}"
    assert f'href="{path}"' in html
    html = page(ada, path.replace("&amp;", "&"))
    assert 'value="04A1B2C3"' in html
    assert f'<option value="{kind}" selected>' in html
    ada.post("/id-tags/add/", {"value": "04A1B2C3", "type": kind, "status": "Accepted"})
    assert "It is added" in page(ada, since)
    # Held to the reader again it is known, and no news.
    Engine(protocol).say(station, "Authorize", payload)
    assert "Waiting for a card" in page(ada, opened(timedelta(0)))


def test_only_taps_since_the_page_was_opened_count_and_each_card_once(network: Network, engine: Engine) -> None:
    ada, one, two = browser_of(network, "ada"), network.station(accepted=True), network.station(accepted=True)
    engine.say(one, "Authorize", {"idTag": "EARLY"})
    Finding.objects.with_scopes_disabled().filter(station=one).update(last_at=timezone.now() - timedelta(minutes=5))
    for station in (one, two, two):
        engine.say(station, "Authorize", {"idTag": "CARD"})
    taps = ada.get(opened()).context["taps"]
    assert [(tap.value, tap.identity) for tap in taps] == [("CARD", two.identity)]


def test_others_neither_see_it_nor_may_they_enrol(network: Network, engine: Engine) -> None:
    engine.say(network.station(accepted=True), "Authorize", {"idTag": "CARD"})
    assert browser_of(network, "ben", role="viewer").get(opened()).status_code == 403
    assert browser_of(Network(), "cleo").get(opened()).context["taps"] == []
