"""A month's receipts as ZIP files for programs."""

import pytest
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from billing import archives
from billing.archivemodels import ReceiptArchive
from billing.models import ChargeRecord
from csms import press, tasks
from tests.api.conftest import Network, Person, person
from tests.dashboard.rows import issued

PATH = "/api/v1/receipt-archives/"


@pytest.fixture
def archive(ada: Person, amber: Network, monkeypatch: pytest.MonkeyPatch) -> ReceiptArchive:
    monkeypatch.setattr(press.Press, "pdf", lambda self, *, html, css, identifier: b"%PDF-" + identifier.encode())
    with scope(operator=ada.operator):
        issued(ChargeRecord.objects.order_by("pk")[0])
    made = archives.plan(operator=ada.operator, month=timezone.localdate(), user=ada.user)
    tasks.make_receipt_files()
    return made


def test_a_months_files_are_listed_and_downloaded(ada: Person, archive: ReceiptArchive) -> None:
    (row,) = ada.client.rows("receipt-archives/")
    month = f"{timezone.localdate():%Y-%m}"
    assert row == ada.client.get(f"{PATH}{archive.pk}/").json()
    assert (row["month"], row["state"], row["whole"], row["total"], row["made"]) == (month, "done", False, 1, 1)
    (file,) = row["files"]
    assert (file["part"], file["receipts"], file["first"] == file["last"]) == (1, 1, True)
    answer = ada.client.get(f"{PATH}{archive.pk}/files/1/")
    assert (answer.status_code, answer["Content-Length"]) == (200, str(file["size"]))
    assert f'filename="receipts-{month}.zip"' in answer["Content-Disposition"]
    with scopes_disabled():
        assert AuditEntry.objects.filter(action="receipt_archive.downloaded", object_id=str(archive.pk)).count() == 1


def test_a_file_that_is_not_there_is_not_found(ada: Person, archive: ReceiptArchive) -> None:
    for part in (2, 0, 999_999_999):
        assert ada.client.get(f"{PATH}{archive.pk}/files/{part}/").status_code == 404


def test_the_list_is_narrowed(ada: Person, archive: ReceiptArchive) -> None:
    assert [bool(ada.client.rows("receipt-archives/", state=state)) for state in ("done", "working")] == [True, False]


def test_nobody_else_comes_to_them(ada: Person, cleo: Person, archive: ReceiptArchive) -> None:
    reader = person("vic", ada.operator, "viewer")
    for address in ("", f"{archive.pk}/", f"{archive.pk}/files/1/"):
        assert reader.client.get(PATH + address).status_code == 403
    assert cleo.client.rows("receipt-archives/") == []
    for address in (f"{archive.pk}/", f"{archive.pk}/files/1/"):
        assert cleo.client.get(PATH + address).status_code == 404
