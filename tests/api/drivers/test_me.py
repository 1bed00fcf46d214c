"""What drivers see of themselves, and of nobody else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts import drivers
from accounts.models import User
from stations.models import Connector, Transaction
from tests.api.drivers.conftest import App, Driver
from tests.dashboard.rows import bill, finished, issued, session, take_back
from tests.network import Network


def test_a_driver_changes_their_name_and_language(dee: Driver) -> None:
    assert dee.app.ask("patch", "me/", {"name": "D.", "language": "nl"})["name"] == "D."
    assert dee.app.ask("get", "me/")["language"] == "nl"
    for wrong in ({"name": 5}, {"language": "xx"}, {"email": "other@example.org"}, {"name": "x" * 121}):
        dee.app.ask("patch", "me/", wrong, status=400)


def test_a_driver_sees_their_own_tags(dee: Driver, ed: Driver) -> None:
    drivers.add_id_tag(driver=dee.user, value="04A1B2")
    drivers.block(driver=dee.user, because="Unpaid bill")
    app, card = dee.app.rows("me/id-tags/")
    assert (app["value"], app["app"], app["status"], app["blocked_because"]) == (dee.token.value, True, "Blocked", "Unpaid bill")
    assert (card["value"], card["app"]) == ("04A1B2", False)
    assert dee.app.ask("get", "me/")["blocked_because"] == "Unpaid bill"
    assert [tag["value"] for tag in ed.app.rows("me/id-tags/")] == [ed.token.value]


def test_the_history_is_paged_newest_first_and_narrowed(amber: Network, dee: Driver, ed: Driver, free: Connector) -> None:
    done = [finished(free, id_token=dee.token, id_tag=dee.token.value) for _ in range(3)]
    running = session(free, id_token=dee.token, soc_percent=61)
    finished(free, id_token=ed.token)
    page = dee.app.ask("get", "me/sessions/?page_size=3")
    assert [row["id"] for row in page["results"]] == [running.pk, done[2].pk, done[1].pk]
    rest = dee.app.ask("get", page["next"].split("/api/v1/")[1])
    assert ([row["id"] for row in rest["results"]], rest["next"]) == ([done[0].pk], None)
    (row,) = dee.app.rows("me/sessions/?status=active")
    assert (row["id"], row["power_w"], row["soc_percent"], row["energy_wh"], row["stopped_at"]) == (
        running.pk,
        11040,
        61,
        7500,
        None,
    )
    assert page["results"][1]["power_w"] is None, "an ended session draws nothing"
    later = (timezone.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert dee.app.rows(f"me/sessions/?since={later}") == []
    dee.app.ask("get", "me/sessions/?colour=red", status=400)


def test_the_cost_is_that_so_far_and_then_that_of_the_receipt(amber: Network, dee: Driver, free: Connector) -> None:
    done = finished(free, id_token=dee.token)
    assert dee.app.ask("get", f"me/sessions/{done.pk}/")["cost"] is None
    tariff = amber.tariff()
    record = bill(done, tariff)
    running = session(free, id_token=dee.token)
    shown = dee.app.ask("get", f"me/sessions/{done.pk}/")
    assert (shown["cost"], shown["receipt"]) == ({"amount": "4.71", "currency": "EUR", "final": True}, record.pk)
    shown = dee.app.ask("get", f"me/sessions/{running.pk}/")
    assert (shown["cost"]["final"], shown["cost"]["currency"], shown["receipt"]) == (False, "EUR", None)
    assert float(shown["cost"]["amount"]) > 5


def test_a_receipt_says_what_was_charged_where_and_by_whom(amber: Network, dee: Driver, ed: Driver, free: Connector) -> None:
    tariff = amber.tariff()
    done = finished(free, id_token=dee.token)
    first = bill(done, tariff, "1.00")
    note = take_back(first)
    record = bill(done, tariff, revision=3, started_at=done.started_at, stopped_at=done.stopped_at)
    bill(finished(free, id_token=ed.token), tariff)
    row, *before = dee.app.rows("me/receipts/")
    assert [one["id"] for one in before] == [note.pk, first.pk]
    assert row == dee.app.ask("get", f"me/receipts/{record.pk}/")
    assert (row["number"], row["title"], row["pdf"]) == (None, None, None)
    assert (row["id"], row["session"], row["station"], row["evse"]) == (record.pk, done.pk, free.evse.station.identity, 1)
    assert (row["total_excl_tax"], row["tax"], row["total_incl_tax"], row["currency"]) == ("3.00", "1.71", "4.71", "EUR")
    assert row["operator"] == {"code": amber.operator.code, "name": amber.operator.name}
    assert row["lines"][0]["dimension"] == "ENERGY"
    dee.app.ask("get", f"me/receipts/{record.pk}/pdf/", status=404)
    # Put right since, the session has other times than what was billed of it.
    with scopes_disabled():
        Transaction.objects.filter(pk=done.pk).update(started_at=done.started_at - timedelta(hours=1))
    assert dee.app.ask("get", f"me/receipts/{record.pk}/") == row


def test_a_receipt_has_its_number_once_it_is_issued_and_a_pdf(amber: Network, dee: Driver, free: Connector) -> None:
    made = issued(bill(finished(free, id_token=dee.token), amber.tariff()))
    row = dee.app.ask("get", f"me/receipts/{made.pk}/")
    assert (row["number"], row["title"]) == (made.label, made.content["title"])
    assert row["pdf"].endswith(f"/api/v1/me/receipts/{made.pk}/pdf/")


def test_nobody_sees_what_is_anothers(amber: Network, dee: Driver, ed: Driver, cy: Driver, free: Connector) -> None:
    running = session(free, id_token=dee.token)
    record = bill(finished(free, id_token=dee.token), amber.tariff())
    for other in (ed, cy):
        for path in (f"me/sessions/{running.pk}/", f"me/sessions/{running.pk}/live/", f"me/receipts/{record.pk}/"):
            other.app.ask("get", path, status=404)
        other.app.ask("post", "charge/stop/", {"session": running.pk}, status=404)
        assert other.app.rows("me/sessions/") == other.app.rows("me/receipts/") == []
    assert {row["id"] for row in dee.app.rows("me/sessions/")} >= {running.pk}


def test_an_account_is_deleted_by_its_driver_but_not_while_they_charge(amber: Network, dee: Driver, free: Connector) -> None:
    running = session(free, id_token=dee.token)
    assert "stop it first" in dee.app.ask("delete", "me/", status=400)["detail"]
    with scopes_disabled():
        type(running).objects.update(status="ended", stopped_at=timezone.now())
    dee.app.ask("delete", "me/", status=204)
    dee.app.ask("get", "me/", status=401)
    assert not User.objects.filter(pk=dee.user.pk).exists()


def test_the_number_of_queries_does_not_depend_on_the_number_of_sessions(
    amber: Network, dee: Driver, free: Connector, django_assert_num_queries: Callable[..., Any]
) -> None:
    browser = App()
    browser.force_login(dee.user)
    tariff = amber.tariff()
    for _ in range(2):
        for _ in range(5):
            bill(finished(free, id_token=dee.token), tariff)
        # Login, user, operator; the driver's tags; the sessions; their records.
        with django_assert_num_queries(6):
            browser.rows("me/sessions/")


@pytest.mark.parametrize("path", ["me/sessions/99999999999999999/", "me/receipts/1/", "charge/commands/1/", "locations/999999999/"])
def test_what_is_not_there_is_404(dee: Driver, path: str) -> None:
    dee.app.ask("get", path, status=404)
