"""What was billed: the book of charge records, what waits, a record with its correction, and many priced anew."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import Operator
from billing import services, tariffs, tasks
from billing.models import ChargeRecord, Rebilling, Tariff
from stations.models import OutboxEntry, Transaction
from tests.billing import make
from tests.dashboard.conftest import browser_of
from tests.dashboard.rows import bill, finished, plug
from tests.network import Network


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html.partition("<main")[2])).replace("\u202f", " ").split())


def page(client: Client, path: str = "/billing/", status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


@pytest.fixture
def tariff(amber: Network) -> Tariff:
    return amber.tariff()


def priced(amber: Network, energies: list[int], **fields: object) -> list[Transaction]:
    station = make.station(amber.operator, f"{amber.prefix}-BILLED")
    rows = make.transactions(station, energies, **fields)
    with scopes_disabled():
        services.make_charge_records(transaction_ids=[t.pk for t in rows])
    return rows


def test_the_book_of_this_month_with_what_it_sums_to(ada: Client, amber: Network, tariff: Tariff) -> None:
    first, second = finished(plug(amber)), finished(plug(amber))
    bill(first, tariff, "4.71")
    wrong = bill(second, tariff, "9.00")
    bill(
        second, tariff, "-9.00", revision=2, kind="credit", credits=wrong, total_excl_tax=Decimal("-3.00"), energy_wh=Decimal(-7500)
    )
    bill(second, tariff, "5.00", revision=3)
    html = page(ada)
    assert "EUR 3 1 15.00 kWh 6.00 EUR 3.71 EUR 9.71 EUR" in text(html)
    assert len(re.findall('<tr id="record-', html)) == 4
    assert len(re.findall('<tr id="record-', page(ada, "/billing/?kind=credit"))) == 1
    assert "Nothing was billed in this time" in text(page(ada, "/billing/?since=2024-01-01&until=2024-01-31"))
    assert "exchange the two" in text(page(ada, "/billing/?since=2026-02-02&until=2026-01-01"))
    assert "A year at most" in text(page(ada, "/billing/?since=2024-01-01&until=2026-01-01"))


def test_the_totals_are_told_to_programs_too(ada: Client, amber: Network, tariff: Tariff) -> None:
    bill(finished(plug(amber)), tariff, "4.71")
    told = ada.get("/billing/?format=json").json()
    assert [(one["currency"], one["total_incl_tax"], one["tax"]) for one in told["totals"]] == [("EUR", "4.71", "1.71")]
    assert (told["final"], told["sessions_without_record"]) == (False, 0)


def test_a_month_says_until_when_it_is_complete_and_what_is_missing(ada: Client, amber: Network, tariff: Tariff) -> None:
    now = timezone.now()
    ended = {"started_at": now - timedelta(minutes=40), "stopped_at": now - timedelta(minutes=10)}
    priced(amber, [1000], **ended)
    assert "All sessions that ended in this time have their records" in text(page(ada))
    finished(plug(amber), doubt="register")
    said = text(page(ada))
    assert "1 session that ended in this time has no record" in said
    assert "more records will come" in said


def test_what_waits_says_why_and_is_tried_again(ada: Client, amber: Network) -> None:
    station = make.station(amber.operator, f"{amber.prefix}-WAITS")
    make.ended([make.transaction(station)])
    assert "Their turn comes 1" in text(page(ada))
    tasks.make_charge_records()
    said = text(page(ada))
    assert "No tariff 1" in said
    assert "No tariff: none is assigned to this session" in said
    answer = ada.post("/billing/retry/", follow=True)
    assert "1 session is priced again now." in text(answer.content.decode())
    with scopes_disabled():
        assert OutboxEntry.objects.get(operator=amber.operator, subscriber="billing").due_at <= timezone.now()


def test_a_record_is_corrected_on_its_page(ada: Client, amber: Network, tariff: Tariff) -> None:
    (t,) = priced(amber, [10_000])
    with scopes_disabled():
        record = ChargeRecord.objects.get(transaction=t)
        other = tariffs.add_tariff(operator=amber.operator, name="Fleet", price_per_kwh=Decimal("0.20"))
    path = f"/billing/{record.pk}/"
    form = {"pricing": "tariff", "tariff": str(other.pk), "reason": ""}
    looked = ada.post(f"{path}correct/", form | {"do": "look"})
    assert f"It would cost 2.00 EUR instead of {record.total_incl_tax} EUR" in text(looked.content.decode())
    assert "Say why" in text(ada.post(f"{path}correct/", form).content.decode())
    made = ada.post(f"{path}correct/", form | {"reason": "Is a fleet card"}, follow=True)
    assert "It was credited, and this record made in its place." in text(made.content.decode())
    assert "All records of the session" in text(made.content.decode())
    assert "It was taken back and counts no more." in text(page(ada, path))
    again = ada.post(f"{path}correct/", form | {"reason": "Twice"}, follow=True)
    assert "Nothing was changed" in text(again.content.decode())


def test_where_it_comes_to_the_same_the_page_says_so(ada: Client, amber: Network, tariff: Tariff) -> None:
    (t,) = priced(amber, [10_000])
    with scopes_disabled():
        record = ChargeRecord.objects.get(transaction=t)
    said = text(ada.post(f"/billing/{record.pk}/correct/", {"pricing": "same", "reason": "x"}, follow=True).content.decode())
    assert "It comes to the same, so nothing was made." in said


def test_finance_corrects_and_a_technician_looks(amber: Network, tariff: Tariff) -> None:
    record = bill(finished(plug(amber)), tariff)
    for role, may in (("finance", True), ("technician", False)):
        client = browser_of(amber, role, role=role)
        assert ("Correct it" in text(page(client, f"/billing/{record.pk}/"))) is may
        assert client.post(f"/billing/{record.pk}/correct/", {}).status_code == (422 if may else 403)


def test_many_are_priced_anew_with_a_preview_first(ada: Client, amber: Network, tariff: Tariff) -> None:
    rows = priced(amber, [10_000] * 3)
    with scopes_disabled():
        other = tariffs.add_tariff(operator=amber.operator, name="Fleet", price_per_kwh=Decimal("0.20"))
    day = timezone.localtime(rows[0].started_at).date().isoformat()
    form = {"token": "t1", "tariff": tariff.pk, "under": other.pk, "since": day, "until": day, "reason": "Wrong price"}
    said = text(ada.post("/billing/anew/plan/", form, follow=True).content.decode())
    assert "Working out what would change" in said
    tasks.advance_rebillings()
    with scopes_disabled():
        row = Rebilling.objects.get(operator=amber.operator)
    said = text(page(ada, f"/billing/anew/{row.pk}/"))
    assert "Would be corrected 3 of 3 records" in said
    assert "3 of 3" in said
    ada.post(f"/billing/anew/{row.pk}/lead/", {"do": "start"})
    tasks.advance_rebillings()
    assert "Corrected 3 of 3 records" in text(page(ada, f"/billing/anew/{row.pk}/"))
    assert "Wrong price" in text(page(ada, "/billing/anew/"))
    assert "moved on meanwhile" in text(ada.post(f"/billing/anew/{row.pk}/lead/", {"do": "pause"}, follow=True).content.decode())
    assert ada.post(f"/billing/anew/{row.pk}/lead/", {"do": "nonsense"}).status_code == 404


def test_a_plan_without_a_tariff_is_refused_with_what_is_wrong(ada: Client, amber: Network) -> None:
    assert ada.post("/billing/anew/plan/", {"token": "t1"}).status_code == 422


def test_the_number_of_queries_does_not_depend_on_what_was_billed(
    ada: Client, amber: Network, tariff: Tariff, django_assert_num_queries
) -> None:
    for _ in range(2):
        bill(finished(plug(amber)), tariff)
    page(ada)
    with django_assert_num_queries(15):
        page(ada)
    for _ in range(5):
        bill(finished(plug(amber)), tariff)
    with django_assert_num_queries(15):
        page(ada)


def test_another_networks_book_is_not_shown(ada: Client, amber: Network, cleo: Client, tariff: Tariff) -> None:
    record = bill(finished(plug(amber)), tariff)
    page(cleo, f"/billing/{record.pk}/", 404)
    assert f'id="record-{record.pk}"' not in page(cleo)
    assert isinstance(amber.operator, Operator)


def test_a_record_says_since_when_the_plug_was_kept_and_the_vehicle_parked(ada: Client, amber: Network, tariff: Tariff) -> None:
    kept = {"reserved_at": make.START - timedelta(minutes=31), "charging_ended_at": make.START + timedelta(minutes=25)}
    (parked,) = priced(amber, [10_000], **kept)
    with scopes_disabled():
        record = ChargeRecord.objects.get(transaction=parked)
    said = text(page(ada, f"/billing/{record.pk}/"))
    silent = text(page(ada, f"/billing/{bill(finished(plug(amber)), tariff).pk}/"))
    assert "Reserved since 2 Nov 2026" in said
    assert "Only parked since 2 Nov 2026" in said
    assert "Reserved since" not in silent
    assert "Only parked since" not in silent
