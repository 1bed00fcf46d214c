"""The page that a QR code opens, as nobody, as Dee, as somebody else's driver, as Ada."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import User
from csms.driver.plugviews import STARTS
from stations.models import Command, Connector, Evse, Site, Station
from tests.dashboard.rows import finished, plug, seen, session
from tests.driver.conftest import said
from tests.driver.dee import driver_of, token_of
from tests.network import Network

PRICE = "0.50\u202fEUR per kWh, 0.025\u202fEUR per minute and 0.625\u202fEUR per session, tax included."


def page_of(connector: Connector, name: str = "plug") -> str:
    return reverse(name, args=[connector.evse.station.identity, connector.evse.number])


def asked(connector: Connector, driver: User, status: str, **fields: Any) -> Command:
    """Dee has pressed the button."""
    now = timezone.now()
    given = {"params": {"evse": connector.evse.number, "id_token": token_of(driver).value, "id_token_type": "Central"}}
    times = {"created_at": now, "expires_at": now + timedelta(seconds=45), "sent_at": now}
    with scopes_disabled():
        station = connector.evse.station
        return Command.objects.create(
            operator=station.operator,
            station=station,
            kind="remote_start",
            requested_by=driver,
            status=status,
            **given | times | fields,
        )


def commands() -> list[Command]:
    with scopes_disabled():
        return list(Command.objects.all())


# Nobody


def test_the_price_comes_first_and_then_the_way_in(client: Client, free: Connector) -> None:
    answer = client.get(page_of(free))
    html = said(answer)
    assert answer.status_code == 200
    assert html.index(PRICE) < html.index("<strong>Free") < html.index("Sign in and charge") < html.index("New here? Sign up")
    assert f"/driver/signup/?next={page_of(free)}" in html
    assert "Start charging" not in html


def test_the_page_of_a_plug_is_small_and_asks_little(client: Client, free: Connector, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(9):
        answer = client.get(page_of(free))
    assert len(answer.content) < 15_000


def test_without_a_tariff_no_price_is_made_up(client: Client, amber: Network) -> None:
    assert "No price is set for this charger yet." in said(client.get(page_of(plug(amber))))


def test_who_charges_is_nobodys_business(client: Client, free: Connector, dee: User) -> None:
    session(free, id_token=token_of(dee), id_tag=token_of(dee).value)
    html = said(client.get(page_of(free)))
    assert "Somebody else is charging here." in html
    assert [word for word in (dee.email, "Dee", token_of(dee).value) if word in html] == []


def test_an_unknown_charger_is_a_kind_404(client: Client, amber: Network) -> None:
    answer = client.get("/charge/NOWHERE-9/1")
    assert answer.status_code == 404
    assert "No charger is called NOWHERE-9." in said(answer)


def test_an_unknown_plug_leads_to_those_there_are(client: Client, free: Connector) -> None:
    answer = client.get(f"/charge/{free.evse.station.identity}/7")
    assert answer.status_code == 404
    assert "has no plug 7" in said(answer)
    assert f'href="{page_of(free)}"' in said(answer)


def test_a_label_without_a_plug_lets_one_choose(client: Client, free: Connector) -> None:
    answer = client.get(f"/charge/{free.evse.station.identity}")
    assert answer.status_code == 200
    assert f'href="{page_of(free)}"' in said(answer)
    assert client.get("/charge/NOWHERE-9").status_code == 404


def test_what_is_typed_by_hand_is_understood_or_answered_kindly(client: Client, free: Connector) -> None:
    assert client.get(page_of(free) + "/")["Location"] == page_of(free)
    for typed in ("A/B/C", "A/one", "A/-1", "A/99999999999999999999", "%00/1", "A%00", "%0A"):
        answer = client.get(f"/charge/{typed}")
        assert answer.status_code == 404, typed
        assert "We do not know this charger" in said(answer), typed


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("Faulted", "This plug is faulted. Try plug 2."),
        ("Unavailable", "This plug is out of service. Try plug 2."),
        ("Reserved", "This plug is reserved for somebody else. Try plug 2."),
        ("Charging", "Somebody else is charging here. Try plug 2."),
    ],
)
def test_a_plug_that_is_taken_says_why_and_where_else(client: Client, free: Connector, status: str, word: str) -> None:
    with scopes_disabled():
        Connector.objects.filter(pk=free.pk).update(status=status)
    other = plug(None, station=free.evse.station)  # type: ignore[arg-type]
    html = said(client.get(page_of(free)))
    assert word in html
    assert f'href="{page_of(other)}"' in html
    assert "Sign in and charge" not in html


def test_a_charger_without_a_connection_leads_to_a_free_one_at_its_site(client: Client, amber: Network, free: Connector) -> None:
    with scopes_disabled():
        site = Site.objects.create(operator=amber.operator, name="Harbour")
        Station.objects.filter(operator=amber.operator).update(site=site)
    far = amber.station(accepted=True, site=site)
    dead = plug(amber, station=far)
    seen(far, ago=timedelta(hours=1))
    html = said(client.get(page_of(dead)))
    assert "This charger cannot be reached at the moment." in html
    assert f'href="{page_of(free)}"' in html


def test_whoever_presses_start_unknown_is_asked_to_sign_in(client: Client, free: Connector) -> None:
    answer = client.post(page_of(free, "plug_start"))
    assert answer["Location"] == f"/driver/login/?next={page_of(free).replace('/', '%2F')}"
    assert commands() == []


# Dee


def test_dee_starts_with_one_button(phone: Client, dee: User, free: Connector) -> None:
    assert "Start charging" in said(phone.get(page_of(free)))
    answer = phone.post(page_of(free, "plug_start"), {"once": "0"})
    assert answer["Location"] == page_of(free)
    (command,) = commands()
    assert (command.kind, command.params["id_token"], command.requested_by) == ("remote_start", token_of(dee).value, dee)
    html = said(phone.get(page_of(free)))
    assert "Starting…" in html
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in html
    assert "Start charging" not in html


def test_a_button_pressed_twice_starts_once(phone: Client, free: Connector) -> None:
    for _ in range(2):
        phone.post(page_of(free, "plug_start"), {"once": "\x000"})
    assert len(commands()) == 1


def test_the_next_day_the_same_plug_starts_again(phone: Client, free: Connector) -> None:
    for _ in range(2):
        found = re.search(r'name="once" value="([^"]+)"', said(phone.get(page_of(free))))
        assert found is not None
        phone.post(page_of(free, "plug_start"), {"once": found[1]})
        yesterday = timezone.now() - timedelta(days=1)
        with scopes_disabled():
            Command.objects.update(status="no_effect", created_at=yesterday, finished_at=yesterday)
    assert len(commands()) == 2


def test_who_wants_no_page_that_moves_can_have_it_still(phone: Client, dee: User, free: Connector) -> None:
    asked(free, dee, "sent")
    html = said(phone.get(page_of(free) + "?still=1"))
    assert "http-equiv" not in html
    assert "data-live" not in html


def test_the_time_to_plug_in_runs_down(phone: Client, dee: User, free: Connector) -> None:
    asked(free, dee, "accepted", effect_due_at=timezone.now() + timedelta(seconds=178))
    html = said(phone.get(page_of(free)))
    assert "Waiting for you to plug in" in html
    assert ">2:5" in html
    with scopes_disabled():
        Connector.objects.filter(pk=free.pk).update(status="Preparing")
    assert "Starting…" in said(phone.get(page_of(free)))


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("rejected", "The charger refused to start. </strong> It says: Occupied."),
        ("no_effect", "No car was plugged in in time"),
        ("expired", "The charger could not be reached in time"),
        ("failed", "The charger refused to start."),
        ("timed_out", "The charger did not answer."),
    ],
)
def test_a_start_that_came_to_nothing_says_why_and_can_be_tried_again(
    phone: Client, dee: User, free: Connector, status: str, word: str
) -> None:
    before = asked(free, dee, status, detail="Occupied", finished_at=timezone.now())
    html = said(phone.get(page_of(free)))
    assert word.replace(" </strong>", "</strong>") in html
    # Without an answer nobody knows.
    assert ("Nothing is charged to you." in html) == (status != "timed_out")
    assert "Try again</button>" in html
    phone.post(page_of(free, "plug_start"), {"once": str(before.pk)})
    assert len(commands()) == 2


def test_what_went_wrong_an_hour_ago_is_no_news(phone: Client, dee: User, free: Connector) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    asked(free, dee, "rejected", created_at=long_ago, finished_at=long_ago)
    assert "refused" not in said(phone.get(page_of(free)))


def test_a_plug_at_which_dee_charges_leads_to_her_session(phone: Client, dee: User, free: Connector) -> None:
    mine = session(free, id_token=token_of(dee))
    assert phone.get(page_of(free))["Location"] == f"/driver/sessions/{mine.pk}/"


def test_a_session_that_has_just_ended_is_a_step_away(phone: Client, dee: User, free: Connector) -> None:
    asked(free, dee, "confirmed", created_at=timezone.now() - timedelta(minutes=5))
    mine = finished(free, id_token=token_of(dee), received_at=timezone.now() - timedelta(minutes=4))
    assert f'href="/driver/sessions/{mine.pk}/"' in said(phone.get(page_of(free)))


def test_a_plug_that_was_taken_meanwhile_says_so(phone: Client, free: Connector) -> None:
    session(free)
    phone.post(page_of(free, "plug_start"), {"once": "0"})
    assert "Somebody else is charging here." in said(phone.get(page_of(free)))
    assert commands() == []


def test_starts_have_a_bound(phone: Client, free: Connector) -> None:
    with scopes_disabled():
        Connector.objects.filter(pk=free.pk).update(status="Faulted")
    for _ in range(STARTS):
        phone.post(page_of(free, "plug_start"), {"once": "0"})
        phone.get(page_of(free))
    phone.post(page_of(free, "plug_start"), {"once": "0"})
    assert "That was too often in a short time." in said(phone.get(page_of(free)))


def test_a_start_at_a_plug_that_is_gone_is_a_kind_404(phone: Client, free: Connector) -> None:
    with scopes_disabled():
        Evse.objects.filter(pk=free.evse_id).delete()
    assert phone.post(page_of(free, "plug_start"), follow=True).status_code == 404


# Others


def test_a_driver_of_another_network_gets_a_sentence_and_no_start(cobalt: Network, free: Connector) -> None:
    stranger = Client()
    stranger.force_login(driver_of(cobalt))
    html = said(stranger.get(page_of(free)))
    assert f"Your account is with {cobalt.operator.name}" in html
    assert "Start charging" not in html
    stranger.post(page_of(free, "plug_start"), {"once": "0"})
    assert commands() == []


def test_staff_are_told_that_this_is_for_drivers(ada: Client, free: Connector) -> None:
    assert "You are signed in as staff." in said(ada.get(page_of(free)))
    assert ada.post(page_of(free, "plug_start"))["Location"] == page_of(free)
    assert commands() == []
