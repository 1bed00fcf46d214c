"""What if: a past session, or a described one, under several tariffs side by side."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scopes_disabled

from billing.models import TariffVersion
from tests.dashboard.rows import bill, finished, plug, take_back
from tests.dashboard.tariffrows import following, market
from tests.dashboard.test_tariffs import night
from tests.network import Network

#: 20 kWh in an evening: at 11 kW from 21:00 on, which takes until 22:49, and then parked.
DESCRIBED = {"start": "2026-01-05T21:00", "end": "2026-01-06T03:00", "kwh": "20", "kw": "11"}


def newest(of: Any) -> int:
    with scopes_disabled():
        return int(TariffVersion.objects.filter(tariff=of).latest("number").pk)


def test_a_described_session_is_priced_under_each_tariff_with_the_difference(ada: Client, amber: Network) -> None:
    standard, nights = amber.tariff(price_per_minute=0, price_per_session=0), night(amber)
    html = ada.get(reverse("tariff_what_if"), DESCRIBED | {"version": [newest(standard), newest(nights)]}).content.decode()
    # 11 kWh until ten, 9 kWh after it; the standard one costs 0.40 a kWh, both have 25 percent tax.
    assert html.count("tariff-column") == 3
    assert "10.00\u202fEUR" in html
    assert "7.75\u202fEUR" in html
    assert "+2.25\u202fEUR" in html


@pytest.mark.parametrize(("start", "end", "hours"), [("2026-10-24", "2026-10-25", 9), ("2026-03-28", "2026-03-29", 7)])
def test_a_night_in_which_the_clock_is_changed_is_as_long_as_it_was(
    ada: Client, amber: Network, start: str, end: str, hours: int
) -> None:
    amber.tariff(price_per_kwh=0, price_per_session=0, price_per_minute=1, tax_percent=0)
    asked = {"start": f"{start}T22:00", "end": f"{end}T06:00", "kwh": "20"}
    with timezone.override("Europe/Amsterdam"):
        html = ada.get(reverse("tariff_what_if"), asked).content.decode()
    assert f"{hours * 60}.00\u202fEUR" in html


def test_a_past_session_stands_beside_what_it_was_billed(ada: Client, amber: Network) -> None:
    standard = amber.tariff()
    done = finished(plug(amber), started_at=timezone.now() - timedelta(hours=1))
    bill(done, standard)
    assert f"?session={done.pk}" in ada.get(reverse("transaction", args=[done.pk])).content.decode()
    html = ada.get(reverse("tariff_what_if"), {"session": done.pk}).content.decode()
    assert "As it was billed: Standard" in html
    assert "4.71\u202fEUR" in html
    assert "Standard, version 1" in html
    assert "7.50\u202fkWh" in html
    assert "Difference to the first" in html


def test_a_session_that_was_corrected_stands_beside_the_charge_that_counts(ada: Client, amber: Network) -> None:
    standard = amber.tariff()
    done = finished(plug(amber))
    take_back(bill(done, standard, "4.71"))
    bill(done, standard, "4.20", revision=3)
    html = ada.get(reverse("tariff_what_if"), {"session": done.pk}).content.decode()
    assert html.count("As it was billed") == 2, "a heading, and the caption of its table"
    assert "4.20\u202fEUR" in html
    assert "4.71" not in html


def test_of_a_session_that_was_credited_alone_it_is_said(ada: Client, amber: Network) -> None:
    standard = amber.tariff()
    done = finished(plug(amber))
    bare = ada.get(reverse("tariff_what_if"), {"session": done.pk}).content.decode()
    assert "As it was billed" not in bare
    take_back(bill(done, standard, "4.71"))
    html = ada.get(reverse("tariff_what_if"), {"session": done.pk}).content.decode()
    assert "As it was billed: credited in full" in html
    assert "Its charge of 4.71\u202fEUR was credited on" in html
    assert "-4.71" not in html
    assert "−4.71" not in html
    assert "Standard, version 1" in html


def test_a_session_of_others_or_of_unknown_energy_cannot_be_asked_about(ada: Client, amber: Network, cobalt: Network) -> None:
    amber.tariff()
    theirs, unknown = finished(plug(cobalt)), finished(plug(amber), energy_wh=None)
    page = reverse("tariff_what_if")
    assert "no session of this number in your network" in ada.get(page, {"session": theirs.pk}).content.decode()
    assert "energy of this session is not known" in ada.get(page, {"session": unknown.pk}).content.decode()


def test_where_the_markets_price_is_missing_nobody_can_say(ada: Client, amber: Network) -> None:
    market(amber)
    night(amber, name="Market", ocpi=following())
    assert "price of one of its hours is not known" in ada.get(reverse("tariff_what_if"), DESCRIBED).content.decode()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"end": "2026-01-05T20:00"}, "exchange the two"),
        ({"end": "2028-01-05T20:00"}, "366 days at most"),
        ({"kw": "2"}, "At this power it is 12"),
        ({"kwh": ""}, "or name a session"),
        ({"kwh": "-1"}, "greater than or equal to 0"),
        ({"start": "yesterday"}, "valid date/time"),
        ({"session": "x"}, "whole number"),
        ({"start": "0001-01-01T00:00"}, "greater than or equal to"),
        ({"end": "9999-12-31T23:59"}, "less than or equal to"),
    ],
)
def test_what_makes_no_session_is_told_at_its_field(ada: Client, amber: Network, asked: dict[str, str], says: str) -> None:
    amber.tariff()
    html = ada.get(reverse("tariff_what_if"), DESCRIBED | asked).content.decode()
    assert says in html
    assert "tariff-column" not in html


def test_a_viewer_may_ask_and_nothing_is_kept(ben: Client, amber: Network) -> None:
    amber.tariff(price_per_kwh=Decimal("0.3"))
    assert ben.get(reverse("tariff_what_if"), DESCRIBED).status_code == 200
    assert amber.charge_records() == []


def by_current(network: Network) -> Any:
    part = {"type": "ENERGY", "price": 0.5, "step_size": 1}
    return night(network, ocpi={"elements": [{"price_components": [part], "restrictions": {"min_current": 10}}]})


def test_a_reservation_is_described_and_said(ada: Client, amber: Network) -> None:
    reserved = {"price_components": [{"type": "TIME", "price": 6, "step_size": 1}], "restrictions": {"reservation": "RESERVATION"}}
    asked = DESCRIBED | {"reserved": "2026-01-05T20:29", "version": [newest(night(amber, ocpi={"elements": [reserved]}))]}
    html = ada.get(reverse("tariff_what_if"), asked).content.decode()
    assert "reserved since 5 Jan 2026 20:29" in html
    assert "3.10\u202fEUR" in html
    late = ada.get(reverse("tariff_what_if"), asked | {"reserved": "2026-01-05T21:01"}).content.decode()
    assert "It was reserved only after it began" in late


def test_what_goes_by_the_current_of_a_session_without_one_is_not_priced(ada: Client, amber: Network) -> None:
    html = ada.get(reverse("tariff_what_if"), DESCRIBED | {"version": [newest(by_current(amber))]}).content.decode()
    assert "It goes by the current, and nobody said that of this session." in html


def test_of_a_session_whose_samples_were_let_go_only_what_they_do_not_change_is_said(ada: Client, amber: Network) -> None:
    standard = amber.tariff()
    long_ago = timezone.now() - timedelta(days=3000)
    done = finished(plug(amber), started_at=long_ago, stopped_at=long_ago + timedelta(hours=1))
    bill(done, standard)
    asked = {"session": done.pk, "version": [newest(standard), newest(by_current(amber))]}
    html = ada.get(reverse("tariff_what_if"), asked).content.decode()
    assert html.count("Its meter samples were let go") == 1
