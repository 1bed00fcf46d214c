"""Reservations on the pages: on a charger's tab, on its plug's card, and as the list of the network's."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scopes_disabled

from stations.models import Command, Reservation, Station, Variable
from tests.dashboard.reservationrows import made_reservation
from tests.dashboard.rows import plug, seen
from tests.network import Network


@pytest.fixture
def station(amber: Network) -> Station:
    station = amber.station(accepted=True)
    plug(amber, station=station)
    seen(station)
    return station


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().replace("\u202f", " ").split())


def tab(browser: Client, station: Station) -> str:
    return text(browser.get(reverse("station", args=[station.identity]) + "?tab=access"))


def post(browser: Client, station: Station, **fields: str) -> Any:
    until = (timezone.localtime() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    given = {"plug": "1", "id_tag": "DEE-CARD", "until": until} | fields
    return browser.post(reverse("reserve", args=[station.identity]), given)


def made(station: Station, **fields: Any) -> Reservation:
    with scopes_disabled():
        return made_reservation(station, **fields)


def test_ada_reserves_a_plug(ada: Client, station: Station) -> None:
    assert "No plug of this charger has been reserved yet." in tab(ada, station)
    answer = post(ada, station)
    with scopes_disabled():
        (row,) = Reservation.objects.filter(station=station)
        (asked,) = Command.objects.filter(station=station)
    assert (answer.status_code, answer["Location"].endswith(f"?tab=access#reservation-{row.pk}")) == (302, True)
    assert (row.evse_number, row.id_tag, asked.kind) == (1, "DEE-CARD", "reserve_now")
    assert "Asked for" in tab(ada, station)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"until": "2020-01-01T00:00"}, "expires_at is in the past: choose a time from now on."),
        ({"until": "soon"}, "Enter a valid date/time."),
        ({"id_tag": ""}, "This field is required."),
        ({"plug": "9"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_reserved_says_why(ada: Client, station: Station, fields: dict[str, str], said: str) -> None:
    answer = post(ada, station, **fields)
    assert answer.status_code == 422
    assert said in text(answer)


def test_a_plug_that_is_kept_already_says_until_when(ada: Client, station: Station) -> None:
    made(station)
    assert "is reserved already until" in text(post(ada, station, id_tag="OTHER"))


def test_the_card_shows_until_when_and_for_whom(ada: Client, ben: Client, station: Station) -> None:
    made(station)
    page = reverse("station", args=[station.identity])
    for browser in (ada, ben):
        html = text(browser.get(page))
        assert "Reserved until" in html
        assert "DEE-CARD" in html
        assert "DEE-CARD" in tab(browser, station)


def test_it_is_given_up_with_a_button(ada: Client, station: Station) -> None:
    row = made(station)
    answer = ada.post(reverse("reservation_cancel", args=[row.pk]))
    assert answer["Location"].endswith(f"?tab=access#reservation-{row.pk}")
    html = tab(ada, station)
    assert "The charger is asked to give it up." in html
    assert reverse("reservation_cancel", args=[row.pk]) not in html
    with scopes_disabled():
        Reservation.objects.filter(pk=row.pk).update(status="used")
    answer = ada.post(reverse("reservation_cancel", args=[row.pk]) + "?in=status%3Dopen", follow=True)
    assert answer.redirect_chain[-1][0] == reverse("reservations") + "?status=open"
    assert "It was too late to give it up" in text(answer)


def test_a_type_of_plug_is_offered_where_there_is_a_choice(ada: Client, station: Station) -> None:
    with scopes_disabled():
        for connector, kind in ((1, "cCCS2"), (2, "sType2")):
            about = {"component": "Connector", "variable": "ConnectorType", "connector_number": connector, "value": kind}
            Variable.objects.create(operator=station.operator, station=station, evse_number=1, **about)
    assert '<option value="cCCS2">Any plug of type CCS 2</option>' in tab(ada, station)


def test_the_list_of_the_network_is_narrowed_and_paged(ada: Client, station: Station) -> None:
    rows = [made(station, number=n, status="used", finished_at=timezone.now()) for n in range(2, 55)]
    kept = made(station, id_tag="VAN-7")
    page = reverse("reservations")
    first = text(ada.get(page))
    assert f'id="reservation-{kept.pk}"' in first
    assert "Older" in first
    older = text(ada.get(f"{page}?before={rows[4].pk}"))
    assert f'id="reservation-{rows[3].pk}"' in older
    assert f'id="reservation-{rows[4].pk}"' not in older
    for query in ("status=open", "id_tag=van-7", f"station={station.identity}&status=active"):
        html = text(ada.get(f"{page}?{query}"))
        assert (html.count('class="command reservation'), f'id="reservation-{kept.pk}"' in html) == (1, True)
    assert "No reservation fits" in text(ada.get(f"{page}?status=expired"))


def test_id_tags_are_shown_to_all_who_may_look_as_they_are_elsewhere_but_no_code(ben: Client, station: Station) -> None:
    made(station, id_tag="VAN-7")
    made(station, id_tag="4711-0815", id_token_type="KeyCode", number=2, evse_number=2)
    html = text(ben.get(reverse("reservations")))
    assert ("VAN-7" in html, "4711-0815" in html, "***" in html) == (True, False, True)
    assert text(ben.get(reverse("reservations") + "?id_tag=VAN-7")).count('class="command reservation') == 1
