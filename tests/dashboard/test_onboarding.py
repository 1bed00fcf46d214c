"""Connecting chargers: refusals with their reason and remedy, acceptance, passwords."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from stations import credentials
from stations.models import Refusal, Station
from tests.dashboard.rows import seen
from tests.network import PASSWORD, Network


def page(client: Client, path: str = "/onboarding/", **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def knock(network: Network | None, identity: str, reason: str = "unknown_station", **fields: Any) -> Refusal:
    given = {"detail": "No station with this identity is registered.", "first_at": timezone.now(), "last_at": timezone.now()}
    with scopes_disabled():
        return Refusal.objects.create(
            operator=network.operator if network else None, identity=identity, reason=reason, **given | fields
        )


def station_of(identity: str) -> Station | None:
    with scopes_disabled():
        return Station.objects.filter(identity=identity).first()


def part(html: str, refusal: Refusal) -> str:
    return html.split(f'<li id="knock-{refusal.pk}"')[1].split("</li>")[0]


def test_an_unknown_charger_is_accepted_with_one_click_and_its_password_is_shown_once(ada: Client, amber: Network) -> None:
    refusal = knock(amber, "NEW/1")
    assert ">Accept</button>" in part(page(ada), refusal)
    answer = ada.post("/onboarding/accept/", {"identity": "NEW/1"})
    assert answer["Location"] == "/onboarding/?waiting=NEW%2F1"
    # What refreshes an open page does not use it up.
    page(ada, answer["Location"], **{"X-Requested-With": "refresh"})
    html = page(ada, answer["Location"])
    shown = re.search(r'id="secret-password">([^<]+)<', html)
    assert shown
    assert "ws://testserver/ocpp/NEW%2F1</code>" in html
    assert "Waiting for NEW/1 to dial in" in html
    assert "will be let in when it knocks again" in part(html, refusal)
    made = station_of("NEW/1")
    assert made is not None
    assert made.operator == amber.operator
    assert credentials.matches(made.password_hash, shown[1].encode(), any_form=True)
    assert shown[1] not in page(ada, answer["Location"])

    seen(made)
    html = page(ada, answer["Location"])
    assert "NEW/1 is connected." in html
    assert 'class="arrival is-available"' in html


def test_a_known_charger_with_a_wrong_password_gets_a_new_one(ada: Client, amber: Network) -> None:
    known = amber.station()
    refusal = knock(amber, known.identity, "wrong_password", detail="The password is wrong.")
    assert ">New password</button>" in part(page(ada), refusal)
    ada.post("/onboarding/password/", {"identity": known.identity})
    html = page(ada)
    shown = re.search(r'id="secret-password">([^<]+)<', html)
    assert shown
    changed = station_of(known.identity)
    assert changed is not None
    assert credentials.matches(changed.password_hash, shown[1].encode(), any_form=True)
    assert not credentials.matches(changed.password_hash, PASSWORD.encode(), any_form=True)


def test_a_charger_that_came_in_since_needs_nothing(ada: Client, amber: Network) -> None:
    known = amber.station()
    refusal = knock(amber, known.identity, "wrong_password", last_at=timezone.now() - timedelta(hours=2))
    seen(known)
    with scopes_disabled():
        type(known.connection).objects.filter(station=known).update(connected_at=timezone.now())
    html = page(ada)
    assert "It came in since." in part(html, refusal)
    assert "<button" not in part(html, refusal)
    assert f"{known.identity} is connected." in html


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [("tls_required", "Use a wss:// address"), ("no_identity", "Add the identity"), ("wrong_user", "look for a setting")],
)
def test_what_a_click_cannot_help_is_answered_with_what_to_do(ada: Client, amber: Network, reason: str, remedy: str) -> None:
    refusal = knock(amber, "NEW-1" if reason != "no_identity" else "", reason)
    assert remedy in part(page(ada), refusal)
    assert "<button" not in part(page(ada), refusal)


def test_a_name_that_no_charger_can_have_is_not_offered(ada: Client, amber: Network) -> None:
    refusal = knock(amber, "a:b")
    assert "<button" not in part(page(ada), refusal)


def test_only_the_last_day_is_shown_and_nothing_of_others(ada: Client, amber: Network, cobalt: Network) -> None:
    knock(amber, "OLD", last_at=timezone.now() - timedelta(hours=25))
    knock(cobalt, "THEIRS")
    knock(None, "NOBODYS")
    html = page(ada)
    assert not any(identity in html for identity in ("OLD<", "THEIRS", "NOBODYS"))
    assert "Nobody was turned away." in html


def test_an_identity_of_another_network_cannot_be_taken(ada: Client, amber: Network, cobalt: Network) -> None:
    theirs = cobalt.station()
    answer = ada.post("/onboarding/accept/", {"identity": theirs.identity}, follow=True)
    html = answer.content.decode()
    assert "is taken: another network on this system uses it." in html
    assert 'aria-invalid="true"' in html
    assert f'value="{theirs.identity}"' in html
    assert "secret-password" not in html
    assert ada.post("/onboarding/password/", {"identity": theirs.identity}).status_code == 404
    kept = station_of(theirs.identity)
    assert kept is not None
    assert kept.operator == cobalt.operator


def test_what_is_wrong_with_an_identity_is_said_at_its_field(ada: Client, amber: Network) -> None:
    own = amber.station()
    for identity, words in {
        "": "Enter the identity",
        "a:b": "without a colon",
        "x" * 49: "1 to 48 characters",
        own.identity: "is registered in your network already",
    }.items():
        html = ada.post("/onboarding/accept/", {"identity": identity}, follow=True).content.decode()
        assert words in html.split('id="id_identity_error"')[1].split("</span>")[0], identity
        assert 'id="id_identity_error"' not in page(ada)
    assert (
        f"New password for {own.identity}"
        in ada.post("/onboarding/accept/", {"identity": own.identity}, follow=True).content.decode()
    )


def test_ben_sees_the_knocks_but_may_accept_nobody(ben: Client, amber: Network) -> None:
    refusal = knock(amber, "NEW-1")
    html = page(ben)
    assert "ask somebody who may register chargers" in part(html, refusal)
    assert "/onboarding/accept/" not in html
    assert ben.post("/onboarding/accept/", {"identity": "NEW-1"}).status_code == 403
    assert ben.post("/onboarding/password/", {"identity": amber.station().identity}).status_code == 403
    assert station_of("NEW-1") is None


def test_cleo_sees_none_of_it(cleo: Client, amber: Network) -> None:
    knock(amber, "NEW-1")
    known = amber.station()
    seen(known)
    html = page(cleo, f"/onboarding/?waiting={known.identity}")
    assert "NEW-1" not in html
    assert f"Waiting for {known.identity}" not in html
    assert "is connected" not in html


def test_the_wall_leads_to_it(ada: Client, amber: Network) -> None:
    assert 'href="/onboarding/"' in ada.get("/").content.decode()
    knock(amber, "NEW-1")
    assert 'href="/onboarding/"' in ada.get("/").content.decode().split('id="refusals"')[1].split("</section>")[0]
