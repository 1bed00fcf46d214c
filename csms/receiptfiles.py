"""Makes the files of a month's receipts: PDFs in ZIP files with a list of what is in them. What is done is `billing.archives`'s.

Receipts are printed a few at a time into a small ZIP, a *piece*; when there are enough for a *part* its pieces are put together. So
a worker that is killed has lost seconds of work, memory holds a piece at most, and no file becomes too large to handle.
"""

import io
import time
from collections.abc import Iterable
from http import HTTPStatus
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import structlog
from django.utils import timezone
from django.utils.text import slugify
from django_scopes import scope

from billing import archives
from billing.archivemodels import ArchiveFile, ArchiveState, ReceiptArchive
from billing.archives import Made
from billing.receiptmodels import Receipt
from csms import receipts as print_out
from csms.dashboard.exports import lines
from csms.files import storage
from csms.press import Press
from csms.printing import NoPdf

log = structlog.get_logger(__name__)

#: A piece ends after so many receipts, bytes or seconds; a worker makes one, and then lets other work have its turn.
PIECE, PIECE_BYTES, PIECE_S = 100, 16 * 1024 * 1024, 10.0
#: A part ends after so many receipts or bytes.
PART, PART_BYTES = 5000, 400 * 1024 * 1024
#: The lease is renewed after so many receipts.
RENEWED = 10
LIST = "receipts.csv"
COLUMNS = ("number", "issued_at", "kind", "record", "driver", "net", "tax", "gross", "currency", "file")


def name_of(archive: ReceiptArchive, file: ArchiveFile, parts: int) -> str:
    """What a part is called when it is downloaded."""
    over = archive.state == ArchiveState.DONE
    part = "" if over and parts == 1 else f"-part-{file.part}-of-{parts}" if over else f"-part-{file.part}"
    return f"receipts-{archive.month:%Y-%m}{part}.zip"


def inside(receipt: Receipt) -> str:
    """What a receipt is called in the ZIP: in the order of the numbers, and no two alike."""
    return f"{slugify(receipt.label) or receipt.pk}-{receipt.pk}.pdf"


def advance(pk: int) -> bool:
    """Bring an archive one piece on. False: somebody else is at it, or there is nothing to do now."""
    archive = archives.take(pk)
    if archive is None:
        return False
    with scope(operator=archive.operator):
        try:
            over = _advance(archive)
        except NoPdf as error:
            archives.put_off(archive, str(error))
            return False
        except OSError as error:
            archives.put_off(archive, f"The file could not be written, see CSMS_FILES_DIR: {error.strerror or error}")
            return False
        except Exception as error:
            # A fault of ours, or a damaged piece: tried again a few times, then it waits for a person.
            log.exception("a month's receipts could not be made", archive=archive.pk)
            archives.put_off(archive, f"{type(error).__name__}: {error}")
            return False
        if not over:
            archives.release(archive)
    return not over


def _advance(archive: ReceiptArchive) -> bool:
    """Whether it is over, or not ours any more."""
    pieces = archives.pieces(archive)
    if not _whole(pieces):
        room = PART - sum(one.receipts for one in pieces)
        if (found := archives.to_come(archive, min(PIECE, room))) and not _piece(archive, found):
            return True
        pieces = archives.pieces(archive)
    more = bool(archives.to_come(archive, 1))
    if pieces and (_whole(pieces) or not more) and not _part(archive, pieces):
        return True
    if more:
        return False
    archives.finish(archive)
    return True


def _whole(pieces: list[ArchiveFile]) -> bool:
    """Whether they are a part."""
    return sum(one.receipts for one in pieces) >= PART or sum(one.size for one in pieces) >= PART_BYTES


def _piece(archive: ReceiptArchive, found: list[Receipt]) -> bool:
    """Print the next receipts into a file. Raises NoPdf if none can be printed."""
    begun, packed, done = time.monotonic(), io.BytesIO(), 0
    unprinted: list[dict[str, object]] = []
    with Press() as press, ZipFile(packed, "w", ZIP_STORED) as zipped:
        for receipt in found:
            try:
                _store(zipped, inside(receipt), receipt, print_out.pdf(receipt, press.pdf))
            except NoPdf as error:
                if (
                    error.status != HTTPStatus.UNPROCESSABLE_ENTITY
                    or len(archive.unprinted) + len(unprinted) >= archives.MOST_UNPRINTED
                ):
                    raise
                unprinted.append({"receipt": receipt.pk, "number": receipt.label, "error": str(error)})
            done += 1
            if packed.tell() >= PIECE_BYTES or time.monotonic() - begun >= PIECE_S:
                break
            if done % RENEWED == 0 and not archives.renew(archive):
                return False
    made = _written(archive, found[:done], [packed.getvalue()])
    kept = archives.add_piece(archive, made, unprinted, time.monotonic() - begun)
    if not kept:
        storage.delete([made.path])
    return kept


def _store(zipped: ZipFile, name: str, receipt: Receipt, content: bytes) -> None:
    """The same receipts make the same file: its time is that of the issue. PDFs are packed already."""
    at = timezone.localtime(receipt.created_at)
    info = ZipInfo(name, (at.year, at.month, at.day, at.hour, at.minute, at.second))
    info.external_attr = 0o644 << 16
    zipped.writestr(info, content)


def _written(archive: ReceiptArchive, of: list[Receipt], content: Iterable[bytes]) -> Made:
    path = storage.new_path(archives.FOLDER, archive.operator_id)
    with storage.Writer(path, limit=LARGEST) as writer:
        for piece in content:
            writer.write(piece)
        writer.finish()
    return Made(path, writer.size, of)


#: More than any file of ours can have.
LARGEST = PIECE_BYTES + PART_BYTES * 2


def _part(archive: ReceiptArchive, pieces: list[ArchiveFile]) -> bool:
    """Put pieces together, and the list of what is in them."""
    begun = time.monotonic()
    path = storage.new_path(archives.FOLDER, archive.operator_id)
    with storage.Writer(path, limit=LARGEST) as writer:
        # By its name: a ZIP file is written at more places than its end.
        with writer.partial.open("r+b") as file, ZipFile(file, "w", ZIP_STORED) as zipped:
            there: set[str] = set()
            for piece in pieces:
                with ZipFile(storage.place(piece.path)) as small:
                    for info in small.infolist():
                        zipped.writestr(info, small.read(info))
                        there.add(info.filename)
                if not archives.renew(archive):
                    return False
            told = archives.between(archive, pieces[0].first, pieces[-1].last)
            with zipped.open(ZipInfo(LIST, timezone.localtime(archive.created_at).timetuple()[:6]), "w") as out:
                out.write(("\ufeff" + lines([COLUMNS])).encode())
                for receipt in told:
                    out.write(lines([_cells(receipt, there)]).encode())
        size = writer.partial.stat().st_size
        writer.finish()
    kept = archives.add_part(archive, Made(path, size, []), pieces, time.monotonic() - begun)
    if not kept:
        storage.delete([path])
    return kept


def _cells(receipt: Receipt, there: set[str]) -> Iterable[object]:
    record, customer, name = receipt.record, print_out.customer_of(receipt), inside(receipt)
    tax = record.total_incl_tax - record.total_excl_tax
    return (
        *(receipt.label, receipt.created_at, receipt.content["kind"], record.pk, customer.name if customer else None),
        *(record.total_excl_tax, tax, record.total_incl_tax, record.currency, name if name in there else None),
    )
