"""The page of a month's receipts as ZIP, and the way to it from the month under Billing."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import AuditEntry
from billing import archives
from billing.archivemodels import ArchiveFile, ReceiptArchive
from csms import press, tasks
from tests.dashboard.conftest import browser_of
from tests.dashboard.rows import bill, finished, issued, plug
from tests.network import Network

PATH = "/receipts/files/"


@pytest.fixture(autouse=True)
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press.Press, "pdf", lambda self, *, html, css, identifier: b"%PDF-" + identifier.encode())


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html.partition("<main")[2])).replace("\u202f", " ").split())


def page(client: Client, path: str = PATH) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return text(answer.content.decode())


def asked(client: Client, month: str = "") -> str:
    answer = client.post(f"{PATH}ask/", {"month": month or f"{timezone.localdate():%Y-%m}"}, follow=True)
    return text(answer.content.decode())


@pytest.fixture
def receipts(amber: Network) -> None:
    tariff, one = amber.tariff(), plug(amber)
    for _ in range(3):
        issued(bill(finished(one), tariff))


def test_without_files_it_says_how_they_come(ada: Client) -> None:
    assert "No files yet" in page(ada)


def test_a_month_is_asked_for_followed_and_downloaded(ada: Client, amber: Network, receipts: None) -> None:
    assert "are being made. You may leave this page." in asked(ada)
    said = page(ada)
    assert "Is being made 0 of 3 · how long it takes is known after the first hundred" in said
    assert "put into ZIP files" in page(ada, "/billing/")
    tasks.make_receipt_files()
    with scopes_disabled():
        file = ArchiveFile.objects.get(archive__operator=amber.operator)
    name = f"receipts-{timezone.localdate():%Y-%m}.zip"
    assert f"Ready 3 receipts kept until {timezone.localdate() + archives.term():%-d %b}" in page(ada)
    assert name in page(ada)
    assert name in page(ada, "/billing/")
    answer = ada.get(f"{PATH}{file.pk}/")
    assert f'filename="{name}"' in answer["Content-Disposition"]
    assert int(answer["Content-Length"]) == file.size
    with scopes_disabled():
        told = AuditEntry.objects.filter(operator=amber.operator, object_type="receiptarchive").order_by("pk")
        assert [one.action for one in told] == ["receipt_archive.asked", "receipt_archive.downloaded"]


def test_the_time_that_is_left_comes_from_what_was_measured(ada: Client, amber: Network, receipts: None) -> None:
    asked(ada)
    with scopes_disabled():
        ReceiptArchive.objects.filter(operator=amber.operator).update(total=100_000, made=1000, busy_s=100.0)
    said = page(ada)
    assert "1,000 of 100,000" in said
    assert re.search(r"about 2 h 4\d min to go", said)


def test_why_it_does_not_go_on_is_told_and_what_to_do(ada: Client, amber: Network, receipts: None) -> None:
    asked(ada)
    with scopes_disabled():
        mine = ReceiptArchive.objects.filter(operator=amber.operator)
        mine.update(error="No space left on device", attempts=1, due_at=timezone.now() + timedelta(minutes=9))
    assert "No space left on device It is tried again in 8 min." in page(ada)
    with scopes_disabled():
        mine.update(state="failed", due_at=None, finished_at=timezone.now())
        pk = mine.get().pk
    assert "Put the cause right, then go on" in page(ada)
    assert "Putting the receipts of this month into ZIP files has stopped" in page(ada, "/billing/")
    ada.post(f"{PATH}{pk}/lead/", {"do": "resume"})
    assert "Is being made" in page(ada)
    assert "moved on meanwhile" in text(ada.post(f"{PATH}{pk}/lead/", {"do": "resume"}, follow=True).content.decode())
    ada.post(f"{PATH}{pk}/lead/", {"do": "cancel"})
    assert "Cancelled" in page(ada)
    assert ada.post(f"{PATH}{pk}/lead/", {"do": "nonsense"}).status_code == 404


@pytest.mark.parametrize(
    ("month", "said"),
    [("2001-01", "No receipt was issued in this month."), ("2199-01", "has not begun"), ("1999-01", "no receipts of that year")],
)
def test_a_month_without_receipts_is_refused_with_the_cause(ada: Client, month: str, said: str) -> None:
    answer = ada.post(f"{PATH}ask/", {"month": month})
    assert answer.status_code == 422
    assert said in text(answer.content.decode())
    assert ada.post(f"{PATH}ask/", {"month": "x"}).status_code == 422


def test_support_may_have_them_and_a_technician_not(amber: Network, cleo: Client, receipts: None) -> None:
    support, technician = (browser_of(amber, role, role=role) for role in ("support", "technician"))
    asked(support)
    tasks.make_receipt_files()
    with scopes_disabled():
        file = ArchiveFile.objects.get(archive__operator=amber.operator)
    assert (support.get(f"{PATH}{file.pk}/").status_code, technician.get(f"{PATH}{file.pk}/").status_code) == (200, 403)
    assert "as ZIP" not in page(technician, "/billing/")
    assert cleo.get(f"{PATH}{file.pk}/").status_code == 404
