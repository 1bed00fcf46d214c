"""Dee's own pages: what she charges and has charged, a session while it runs; and nobody else's."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import User
from stations.models import Command, Connector, Transaction
from tests.dashboard.rows import bill, finished, sample, session
from tests.driver.conftest import said
from tests.driver.dee import driver_of, token_of
from tests.network import Network


@pytest.fixture
def running(free: Connector, dee: User) -> Transaction:
    return session(free, id_token=token_of(dee), soc_percent=61)


@pytest.fixture
def done(free: Connector, dee: User) -> Transaction:
    return finished(free, id_token=token_of(dee), meter_stop_wh=Decimal(8500))


def test_a_session_that_runs_tells_power_energy_cost_time_and_battery(phone: Client, running: Transaction) -> None:
    html = said(phone.get(f"/driver/sessions/{running.pk}/"))
    for word in ("You are charging", "11.0\u202fkW", "7.50\u202fkWh", "1 h 00 min", "61&#8239;%", "Stop charging"):
        assert word in html, word
    # 7.5 kWh at 0.50, 60 minutes at 0.025, and 0.625.
    assert "5.88\u202fEUR" in html
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in html
    assert f'data-stream="/api/v1/me/sessions/{running.pk}/live/"' in html
    still = said(phone.get(f"/driver/sessions/{running.pk}/?still=1"))
    assert "data-live" not in still
    assert "data-stream" not in still


def test_a_session_that_is_followed_asks_little(phone: Client, running: Transaction, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(15):
        phone.get(f"/driver/sessions/{running.pk}/")


def test_what_is_not_known_is_a_dash(phone: Client, free: Connector, dee: User) -> None:
    silent = session(free, id_token=token_of(dee), energy_wh=None, power_w=None, meter_last_at=None)
    html = said(phone.get(f"/driver/sessions/{silent.pk}/"))
    assert '<dd class="is-old">–</dd>' in html
    assert "The charger has not told yet how much flows." in html
    assert "Battery" not in html


def test_an_old_reading_is_not_shown_as_fresh(phone: Client, free: Connector, dee: User) -> None:
    old = session(free, id_token=token_of(dee), meter_last_at=timezone.now() - timedelta(minutes=40))
    html = said(phone.get(f"/driver/sessions/{old.pk}/"))
    assert "11.0" not in html
    assert "The charger was last heard 40 min ago; what you see is as of then." in html


def test_the_power_is_drawn(phone: Client, running: Transaction) -> None:
    for minute in range(50, 0, -10):
        sample(running, timezone.now() - timedelta(minutes=minute), 11_000 - 90 * minute)
    assert "<polyline" in said(phone.get(f"/driver/sessions/{running.pk}/"))


def test_dee_stops_it_with_one_button(phone: Client, dee: User, running: Transaction) -> None:
    for _ in range(2):
        assert phone.post(f"/driver/sessions/{running.pk}/stop/")["Location"] == f"/driver/sessions/{running.pk}/"
    with scopes_disabled():
        command = Command.objects.get()
    assert (command.kind, command.params["transaction"], command.requested_by) == (
        *("remote_stop", running.ocpp_transaction_id, dee),
    )
    html = said(phone.get(f"/driver/sessions/{running.pk}/"))
    assert "Stopping…" in html
    assert "Stop charging" not in html


def test_a_stop_that_was_refused_says_so_and_can_be_tried_again(phone: Client, running: Transaction) -> None:
    phone.post(f"/driver/sessions/{running.pk}/stop/")
    with scopes_disabled():
        Command.objects.update(status="rejected", finished_at=timezone.now())
    html = said(phone.get(f"/driver/sessions/{running.pk}/"))
    assert "The charger did not stop." in html
    assert "Stop charging" in html


def test_a_stop_that_is_done_before_its_session_is_seen_to_end_did_not_fail(phone: Client, running: Transaction) -> None:
    phone.post(f"/driver/sessions/{running.pk}/stop/")
    with scopes_disabled():
        Command.objects.update(status="confirmed", finished_at=timezone.now())
    html = said(phone.get(f"/driver/sessions/{running.pk}/"))
    assert "Stopping…" in html
    assert "did not stop" not in html


def test_a_session_that_has_ended_waits_for_its_price_and_then_has_a_receipt(
    phone: Client, amber: Network, done: Transaction
) -> None:
    html = said(phone.get(f"/driver/sessions/{done.pk}/"))
    assert "You have charged" in html
    assert "The price comes in a moment." in html
    with scopes_disabled():
        record = bill(done, amber.operator.tariffs.get())
    html = said(phone.get(f"/driver/sessions/{done.pk}/"))
    assert f'href="/driver/receipts/{record.pk}/"' in html
    assert "4.71\u202fEUR" in html
    assert "http-equiv" not in html


def test_a_session_in_doubt_says_why_it_has_no_price(phone: Client, free: Connector, dee: User) -> None:
    doubtful = finished(free, id_token=token_of(dee), doubt="register")
    html = said(phone.get(f"/driver/sessions/{doubtful.pk}/"))
    assert "not billed until somebody has looked at it" in html


# Home


def month(free: Connector, dee: User, when: str, **fields: Any) -> Transaction:
    at = datetime.fromisoformat(when)
    return finished(free, id_token=token_of(dee), started_at=at, stopped_at=at + timedelta(hours=1), **fields)


def test_a_new_driver_is_told_how_it_goes(phone: Client, dee: User) -> None:
    assert "You have not charged yet" in said(phone.get("/driver/"))


def test_what_runs_comes_first(phone: Client, running: Transaction) -> None:
    html = said(phone.get("/driver/"))
    assert f'href="/driver/sessions/{running.pk}/"' in html
    assert html.index("Now") < html.index("so far")


def test_the_history_goes_by_months_with_their_totals(phone: Client, amber: Network, dee: User, free: Connector) -> None:
    with scopes_disabled():
        tariff = amber.operator.tariffs.get()
    for when, total in (("2026-01-31T12:00:00Z", "1.00"), ("2026-03-01T00:00:00Z", "2.00"), ("2026-03-31T23:59:59Z", "3.50")):
        bill(month(free, dee, when), tariff, total)
    newest = said(phone.get("/driver/"))
    assert "March 2026" in newest
    assert "5.50\u202fEUR" in newest
    assert "15.00\u202fkWh" in newest
    assert 'href="?month=2026-01" rel="prev"' in newest
    older = said(phone.get("/driver/?month=2026-01"))
    assert "1.00\u202fEUR" in older
    assert 'href="?month=2026-03" rel="next"' in older
    assert "Nothing was charged in this month." in said(phone.get("/driver/?month=2026-02"))


@pytest.mark.parametrize("asked", ["x", "2026-13", "0001-01", "9999-12", "2026-1-1", "%00"])
def test_a_month_that_is_none_is_the_newest(phone: Client, dee: User, free: Connector, asked: str) -> None:
    month(free, dee, "2026-03-01T12:00:00Z")
    assert "March 2026" in said(phone.get(f"/driver/?month={asked}"))


def test_what_has_no_bill_is_not_counted_as_nothing(phone: Client, dee: User, free: Connector) -> None:
    month(free, dee, "2026-03-01T12:00:00Z", energy_wh=None)
    html = said(phone.get("/driver/"))
    assert html.count("<dd>–</dd>") == 2
    assert "0.00" not in html


def test_home_asks_as_much_for_fifty_sessions_as_for_one(
    phone: Client, dee: User, free: Connector, django_assert_max_num_queries: Any
) -> None:
    for minute in range(50):
        month(free, dee, f"2026-03-01T12:{minute:02}:00Z")
    with django_assert_max_num_queries(16):
        answer = phone.get("/driver/")
    assert answer.content.count(b'class="line"') == 50


def test_a_blocked_driver_reads_why(phone: Client, amber: Network, dee: User) -> None:
    User.objects.filter(pk=dee.pk).update(blocked_because="The last bill is open.")
    assert "has blocked your account: The last bill is open." in said(phone.get("/driver/"))


# Nobody else's


def test_another_driver_of_the_network_finds_none_of_it(amber: Network, dee: User, running: Transaction, done: Transaction) -> None:
    other = Client()
    other.force_login(driver_of(amber, "dan"))
    with scopes_disabled():
        record = bill(done, amber.operator.tariffs.get())
    for path in (f"/driver/sessions/{running.pk}/", f"/driver/sessions/{done.pk}/", f"/driver/receipts/{record.pk}/"):
        answer = other.get(path)
        assert answer.status_code == 404
        assert "There is nothing here" in said(answer)
    assert other.post(f"/driver/sessions/{running.pk}/stop/").status_code == 404
    assert "You have not charged yet" in said(other.get("/driver/"))
    with scopes_disabled():
        assert not Command.objects.exists()
