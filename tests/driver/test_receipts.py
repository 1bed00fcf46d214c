"""Dee's receipts: read, printed, downloaded, sent; and by a link, without a login."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django_scopes import scopes_disabled

from accounts.models import User
from billing import issued as reads
from billing import tasks
from billing.models import ChargeRecord
from csms.driver import receipts as pages
from stations.models import Connector, Transaction
from tests.dashboard.rows import bill, finished, issued
from tests.driver.conftest import said
from tests.driver.dee import driver_of, token_of
from tests.network import Network


@pytest.fixture
def done(free: Connector, dee: User) -> Transaction:
    return finished(free, id_token=token_of(dee), meter_stop_wh=Decimal(8500))


@pytest.fixture
def record(amber: Network, done: Transaction) -> ChargeRecord:
    with scopes_disabled():
        return bill(done, amber.operator.tariffs.get())


def test_a_receipt_adds_up(phone: Client, amber: Network, record: ChargeRecord) -> None:
    made = issued(record)
    html = said(phone.get(f"/driver/receipts/{record.pk}/"))
    told = (amber.operator.name, made.label, "Dee, dee.", "7.5\u202fkWh", "3.00", "1.71", "4.71\u202fEUR")
    assert [word for word in told if word not in html] == []
    assert "from 1.00\u202fkWh to 8.50\u202fkWh" in html
    assert f"<title>{made.content['title']} · " in html


def test_a_receipt_tells_time_in_minutes(phone: Client, record: ChargeRecord) -> None:
    record.lines = [{"dimension": "TIME", "volume": "1.5", "unit": "h", "price": "1.2000", "cost_excl_tax": "1.80"}]
    issued(record)
    html = said(phone.get(f"/driver/receipts/{record.pk}/"))
    assert '90\u202fmin</td><td class="number">0.02</td><td class="number">1.80</td>' in html


def test_times_are_told_where_the_charger_stands(phone: Client, amber: Network, free: Connector, dee: User) -> None:
    with scopes_disabled():
        free.evse.station.site = amber.operator.sites.create(name="Harbour", time_zone="Asia/Tokyo")
        free.evse.station.save()
        at = datetime.fromisoformat("2026-03-03T20:00:00Z")
        far = finished(free, id_token=token_of(dee), started_at=at, stopped_at=at + timedelta(hours=1))
        record = bill(far, amber.operator.tariffs.get())
    issued(record)
    html = said(phone.get(f"/driver/receipts/{record.pk}/"))
    assert "4 March 2026 05:00:00 JST" in html
    assert "Times are in Asia/Tokyo." in html


def test_the_page_around_a_receipt_is_in_the_readers_language_and_the_receipt_in_its_own(
    phone: Client, dee: User, record: ChargeRecord
) -> None:
    issued(record)
    User.objects.filter(pk=dee.pk).update(language="de")
    html = said(phone.get(f"/driver/receipts/{record.pk}/"))
    assert '<html lang="de">' in html
    assert '<article class="receipt" lang="en"' in html


def test_a_receipt_that_is_not_made_yet_is_made_while_the_page_waits(phone: Client, record: ChargeRecord) -> None:
    html = said(phone.get(f"/driver/receipts/{record.pk}/"))
    assert "The receipt is being made" in html
    assert 'http-equiv="refresh"' in html
    assert phone.get(f"/driver/receipts/{record.pk}/pdf/")["Location"] == f"/driver/receipts/{record.pk}/"
    tasks.make_receipts()
    assert "4.71\u202fEUR" in said(phone.get(f"/driver/receipts/{record.pk}/"))


def test_the_receipts_of_one_session_lead_to_each_other(
    phone: Client, amber: Network, done: Transaction, record: ChargeRecord
) -> None:
    with scopes_disabled():
        other = bill(done, amber.operator.tariffs.get(), "2.00", revision=2)
    issued(record)
    issued(other)
    assert f'href="/driver/receipts/{other.pk}/"' in said(phone.get(f"/driver/receipts/{record.pk}/"))


def test_a_receipt_is_downloaded_as_a_pdf(phone: Client, record: ChargeRecord) -> None:
    made = issued(record)
    answer = phone.get(f"/driver/receipts/{record.pk}/pdf/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer["Content-Disposition"] == f'attachment; filename="receipt-{made.label.lower()}.pdf"'
    assert answer.content.startswith(b"%PDF-")


def test_without_pango_the_receipt_is_there_and_the_pdf_says_what_to_do(
    phone: Client, record: ChargeRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued(record)
    (tmp_path / "libpango-1.0.so.0").write_text("none")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    assert "4.71\u202fEUR" in said(phone.get(f"/driver/receipts/{record.pk}/"))
    answer = phone.get(f"/driver/receipts/{record.pk}/pdf/")
    assert answer.status_code == 503
    assert "open it and print it" in said(answer)


# By e-mail


def test_dee_sends_it_to_herself(phone: Client, dee: User, record: ChargeRecord, settings: Any) -> None:
    settings.MAIL = True
    made = issued(record)
    page = f"/driver/receipts/{record.pk}/"
    assert f"E-mail it to {dee.email}" in said(phone.get(page))
    assert phone.post(f"{page}mail/")["Location"] == page
    assert "is on its way to" in said(phone.get(page))
    (sent,) = mail.outbox
    assert (sent.to, made.label in sent.subject) == ([dee.email], True)
    assert f"/receipt/{reads.token_of(made)}/" in sent.body
    ((name, content, kind),) = sent.attachments
    assert (name.endswith(".pdf"), kind) == (True, "application/pdf")
    assert content.startswith(b"%PDF-")  # type: ignore[arg-type]


def test_nobody_is_flooded_with_mail(phone: Client, record: ChargeRecord, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MAIL = True
    monkeypatch.setattr(pages, "MAILS", 2)
    issued(record)
    for _ in range(4):
        phone.post(f"/driver/receipts/{record.pk}/mail/")
    assert len(mail.outbox) == 2
    assert "That was too often" in said(phone.get(f"/driver/receipts/{record.pk}/"))


def test_where_there_is_no_mail_server_nothing_is_offered(phone: Client, record: ChargeRecord) -> None:
    issued(record)
    assert "E-mail it" not in said(phone.get(f"/driver/receipts/{record.pk}/"))


# By its link


def test_whoever_has_the_link_reads_and_downloads_it_without_a_login(client: Client, record: ChargeRecord) -> None:
    link = f"/receipt/{reads.token_of(issued(record))}/"
    answer = client.get(link)
    assert "4.71\u202fEUR" in said(answer)
    assert (answer["X-Robots-Tag"], answer["Referrer-Policy"]) == ("noindex", "no-referrer")
    assert "no-store" in answer["Cache-Control"]
    assert client.get(f"{link}pdf/").content.startswith(b"%PDF-")


def test_a_link_that_is_wrong_leads_nowhere(client: Client, record: ChargeRecord) -> None:
    token = reads.token_of(issued(record))
    for wrong in (f"{token}x", str(record.pk), "x"):
        assert client.get(f"/receipt/{wrong}/").status_code == 404
        assert client.get(f"/receipt/{wrong}/pdf/").status_code == 404


# Nobody else's


def test_another_driver_finds_no_receipt_of_dees(amber: Network, record: ChargeRecord) -> None:
    issued(record)
    other = Client()
    other.force_login(driver_of(amber, "dan"))
    for path in ("", "pdf/"):
        assert other.get(f"/driver/receipts/{record.pk}/{path}").status_code == 404
    assert other.post(f"/driver/receipts/{record.pk}/mail/").status_code == 404
