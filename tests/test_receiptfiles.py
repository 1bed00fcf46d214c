"""A month's receipts as ZIP files: all of them once, in parts, whoever is killed, cancelled or short of disk."""

import csv
import io
import os
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts import drivers
from accounts.models import AuditEntry
from billing import archives
from billing.archivemodels import ArchiveFile, ReceiptArchive
from billing.models import Receipt
from csms import press, receiptfiles, tasks
from csms.files import storage
from csms.printing import NoPdf
from tests.dashboard.rows import bill, finished, issued, plug, take_back
from tests.network import Network
from tests.servers import Worker, until

COUNT = 5


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two receipts a piece, four a part."""
    monkeypatch.setattr(receiptfiles, "PIECE", 2)
    monkeypatch.setattr(receiptfiles, "PART", 4)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """PDFs of no account, at once: what makes real ones is tested elsewhere."""
    monkeypatch.setattr(press.Press, "pdf", lambda self, *, html, css, identifier: b"%PDF-" + identifier.encode())


def receipts_of(network: Network, count: int = COUNT) -> list[Receipt]:
    """Of Dee, and the last one a credit note."""
    email = f"dee.{network.tag}@example.org"
    dee = drivers.sign_up(email=email, password="charge-it-all-night", operator=network.operator, name="=Dee")
    tariff, one, token = network.tariff(), plug(network), drivers.token_of(dee)
    made = [issued(bill(finished(one, id_token=token), tariff)) for _ in range(count - 1)]
    return [*made, issued(take_back(made[0].record))]


def asked(network: Network) -> ReceiptArchive:
    return archives.plan(operator=network.operator, month=timezone.localdate(), user=None)


def now_of(archive: ReceiptArchive) -> ReceiptArchive:
    with scopes_disabled():
        return ReceiptArchive.objects.prefetch_related("files").get(pk=archive.pk)


def zips(archive: ReceiptArchive) -> list[dict[str, bytes]]:
    """What is in each part."""
    found = []
    with scope(operator=archive.operator_id):
        for file in archives.parts(now_of(archive)):
            assert storage.size(file.path) == file.size
            with ZipFile(storage.place(file.path)) as zipped:
                assert zipped.testzip() is None
                found.append({name: zipped.read(name) for name in zipped.namelist()})
    return found


def listed(part: dict[str, bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(part[receiptfiles.LIST].decode("utf-8-sig"))))


def files_of(network: Network) -> set[str]:
    root = Path(storage.settings.FILES_DIR)
    return {
        str(path.relative_to(root)) for path in (root / archives.FOLDER / str(network.operator.pk)).rglob("*") if path.is_file()
    }


def work() -> None:
    while tasks.make_receipt_files():
        pass


def test_a_months_receipts_are_real_pdfs_in_a_zip_with_a_list(network: Network) -> None:
    made = receipts_of(network, 3)
    archive = asked(network)
    work()
    row = now_of(archive)
    assert (row.state, row.total, row.made, row.unprinted, row.whole) == ("done", 3, 3, [], False)
    assert row.busy_s > 0
    (part,) = zips(archive)
    told = listed(part)
    assert [one["number"] for one in told] == [one.label for one in made]
    assert set(part) == {receiptfiles.LIST, *(one["file"] for one in told)}
    assert all(part[one["file"]].startswith(b"%PDF-1.7") for one in told)
    first, last = told[0], told[-1]
    assert (first["record"], first["kind"], first["driver"]) == (str(made[0].pk), "charge", "'=Dee")
    assert (first["net"], first["tax"], first["gross"], first["currency"]) == ("3", "1.71", "4.71", "EUR")
    assert (last["kind"], last["gross"]) == ("credit", "-4.71")
    assert first["issued_at"].endswith("Z")
    with scopes_disabled():
        found = AuditEntry.objects.filter(object_type="receiptarchive", object_id=str(archive.pk))
        assert [one.action for one in found] == ["receipt_archive.asked"]


def test_many_are_in_several_parts_and_each_receipt_once(network: Network, few: None, typed: None) -> None:
    made = receipts_of(network)
    archive = asked(network)
    work()
    parts = zips(archive)
    assert [len(part) - 1 for part in parts] == [4, 1]
    told = [one["number"] for part in parts for one in listed(part)]
    assert told == [one.label for one in made]
    row = now_of(archive)
    with scope(operator=network.operator):
        files = archives.parts(row)
        assert [(one.receipts, one.first, one.last) for one in files] == [
            (4, made[0].label, made[3].label),
            (1, made[4].label, made[4].label),
        ]
        assert not archives.pieces(row)
        assert files_of(network) == {one.path for one in files}
        assert receiptfiles.name_of(row, files[1], 2) == f"receipts-{row.month:%Y-%m}-part-2-of-2.zip"


def test_asked_again_while_it_is_made_it_is_the_same_and_later_it_has_what_came(network: Network, few: None, typed: None) -> None:
    receipts_of(network)
    archive = asked(network)
    assert asked(network).pk == archive.pk
    work()
    later = asked(network)
    assert later.pk != archive.pk
    with scopes_disabled():
        ReceiptArchive.objects.filter(pk=archive.pk).update(whole=True)
        ReceiptArchive.objects.filter(pk=later.pk).delete()
    assert asked(network).pk == archive.pk


def test_a_worker_that_dies_in_the_middle_loses_its_piece_only(
    network: Network, few: None, typed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    receipts_of(network)
    archive = asked(network)
    assert receiptfiles.advance(archive.pk)
    for name in ("add_piece", "add_part"):
        with monkeypatch.context() as patch:
            patch.setattr(archives, name, killed)
            with pytest.raises(Killed):
                receiptfiles.advance(archive.pk)
            # Nobody goes on while its lease holds.
            assert not receiptfiles.advance(archive.pk)
        with scopes_disabled():
            ReceiptArchive.objects.filter(pk=archive.pk).update(due_at=timezone.now())
    assert now_of(archive).made == 4
    work()
    assert [len(part) - 1 for part in zips(archive)] == [4, 1]
    # What it left behind goes some time later.
    with scopes_disabled():
        known = set(ArchiveFile.objects.values_list("path", flat=True))
    left = files_of(network) - known
    assert len(left) == 2
    old = (timezone.now() - timedelta(days=2)).timestamp()
    for path in left:
        os.utime(Path(storage.settings.FILES_DIR) / path, (old, old))
    tasks.let_go_of_receipt_files()
    assert files_of(network) <= known


def test_whoever_was_slow_has_no_say_any_more(network: Network, few: None, typed: None) -> None:
    receipts_of(network)
    archive = asked(network)
    slow = archives.take(archive.pk)
    assert slow is not None
    with scopes_disabled():
        ReceiptArchive.objects.filter(pk=archive.pk).update(due_at=timezone.now())
    assert receiptfiles.advance(archive.pk)
    with scope(operator=network.operator):
        assert not archives.renew(slow)
        assert not receiptfiles._piece(slow, archives.to_come(slow, 2))
    assert now_of(archive).made == 2
    work()
    assert sum(len(part) - 1 for part in zips(archive)) == COUNT


def test_cancelled_it_leaves_no_file_and_whoever_was_at_it_stops(network: Network, few: None, typed: None) -> None:
    receipts_of(network)
    archive = asked(network)
    assert receiptfiles.advance(archive.pk)
    taken = archives.take(archive.pk)
    assert taken is not None
    assert archives.cancel(archive=archive)
    assert not archives.cancel(archive=archive)
    with scope(operator=network.operator):
        assert not receiptfiles._piece(taken, archives.to_come(taken, 2))
    assert files_of(network) == set()
    assert now_of(archive).state == "cancelled"


def test_a_damaged_piece_waits_for_a_person_with_the_cause(network: Network, few: None, typed: None) -> None:
    receipts_of(network)
    archive = asked(network)
    assert receiptfiles.advance(archive.pk)
    with scopes_disabled():
        piece = ArchiveFile.objects.get(archive=archive)
    storage.place(piece.path).write_bytes(b"PK")
    while receiptfiles.advance(archive.pk):
        pass
    row = now_of(archive)
    assert (row.state, row.attempts) == ("working", 1)
    assert "BadZipFile" in row.error


def test_what_does_not_go_on_is_tried_later_and_then_waits_for_a_person(
    network: Network, few: None, typed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipts_of(network)
    archive = asked(network)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(storage.Writer, "write", full)
        assert not receiptfiles.advance(archive.pk)
        row = now_of(archive)
        assert (row.state, row.attempts, "No space left on device" in row.error) == ("working", 1, True)
        assert row.due_at is not None
        assert row.due_at > timezone.now()
        assert archive.pk not in archives.due()
        for _ in range(archives.MOST_ATTEMPTS - 1):
            with scopes_disabled():
                ReceiptArchive.objects.filter(pk=archive.pk).update(due_at=timezone.now())
            receiptfiles.advance(archive.pk)
    assert now_of(archive).state == "failed"
    assert archives.resume(archive=archive)
    assert not archives.resume(archive=archive)
    work()
    row = now_of(archive)
    assert (row.state, row.error, row.made) == ("done", "", COUNT)


def test_a_receipt_that_cannot_be_printed_stands_in_the_list_without_a_file(
    network: Network, few: None, typed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = receipts_of(network)
    print_one = press.Press.pdf

    def but_one(self: press.Press, *, html: str, css: str, identifier: str) -> bytes:
        if identifier.endswith(made[1].label):
            raise NoPdf("The PDF could not be made.", HTTPStatus.UNPROCESSABLE_ENTITY)
        return print_one(self, html=html, css=css, identifier=identifier)

    monkeypatch.setattr(press.Press, "pdf", but_one)
    archive = asked(network)
    work()
    row = now_of(archive)
    assert (row.state, row.made, [one["number"] for one in row.unprinted]) == ("done", COUNT, [made[1].label])
    assert [bool(one["file"]) for part in zips(archive) for one in listed(part)] == [True, False, True, True, True]


def test_what_can_not_be_had_is_refused_with_the_cause(network: Network) -> None:
    with pytest.raises(ValidationError, match="No receipt was issued"):
        asked(network)
    with pytest.raises(ValidationError, match="has not begun"):
        archives.plan(operator=network.operator, month=timezone.localdate() + timedelta(days=40))


def test_files_go_when_their_term_is_over(network: Network, few: None, typed: None) -> None:
    receipts_of(network)
    archive = asked(network)
    work()
    with time_machine.travel(timezone.now() + archives.term() - timedelta(minutes=5)):
        archives.let_go(now=timezone.now())
    assert len(zips(archive)) == 2
    archives.let_go(now=timezone.now() + archives.term() + timedelta(minutes=5))
    with scopes_disabled():
        assert not ReceiptArchive.objects.filter(pk=archive.pk).exists()
    assert files_of(network) == set()


@pytest.mark.long
def test_real_workers_that_are_killed_make_each_receipt_once(network: Network) -> None:
    made = receipts_of(network, 40)
    archive = asked(network)
    queue = f"csms-{connection.settings_dict['NAME']}"
    worker = Worker()
    try:
        tasks.make_receipt_files.apply_async(queue=queue)
        until(lambda: now_of(archive).lease)
        worker.kill()
        with scopes_disabled():
            ReceiptArchive.objects.filter(pk=archive.pk).update(due_at=timezone.now())
        worker = Worker()
        tasks.make_receipt_files.apply_async(queue=queue)
        until(lambda: now_of(archive).state == "done", patience_s=120)
    finally:
        worker.kill()
    (part,) = zips(archive)
    assert [one["number"] for one in listed(part)] == [one.label for one in made]
