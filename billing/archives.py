"""A month's receipts as files: what is asked for, and how workers share the work. What makes the files is at the edge.

Whoever works takes a lease for a short time and renews it; what is done is written down a piece at a time, with the lease as the
condition. So whoever is killed has lost one piece, which another makes again, and whoever was slow has no say any more.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.db import transaction as db
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope, scopes_disabled

from accounts import audit
from accounts.models import Operator, User
from billing import receipts
from billing.archivemodels import ArchiveFile, ArchiveState, ReceiptArchive
from billing.receiptmodels import Receipt
from stations import ports

SUBSCRIBER = "receipt_archives"
#: Where the files lie.
FOLDER = "receipts"
#: A worker that does not renew its lease for so long is held to be gone.
LEASE = timedelta(minutes=4)
#: What does not go on is tried again ever later, so often, and then left to a person.
FIRST_DELAY, LONGEST_DELAY, MOST_ATTEMPTS = timedelta(seconds=20), timedelta(minutes=30), 8
#: Of one operator at once.
AT_ONCE = 3
#: Receipts without a PDF; with more something is wrong with all of them.
MOST_UNPRINTED = 50
#: Files without a row: a worker was killed before it wrote that down.
ORPHANED = timedelta(days=1)
ORPHANS = "SELECT p FROM unnest(%s::text[]) p WHERE NOT EXISTS (SELECT FROM billing_archivefile f WHERE f.path = p)"
BATCH = 500

log = structlog.get_logger(__name__)


def span(month: date) -> tuple[datetime, datetime]:
    """From when to when a month is."""
    after = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
    first, last = (timezone.make_aware(datetime(one.year, one.month, 1)) for one in (month, after))  # noqa: DTZ001
    return first, last


def issued_in(since: datetime, until: datetime) -> QuerySet[Receipt]:
    """Receipts of a time, in the order of their making."""
    return Receipt.objects.filter(created_at__gte=since, created_at__lt=until).order_by("created_at", "pk")


def plan(*, operator: Operator, month: date, user: User | None = None) -> ReceiptArchive:
    """Have the receipts of a month put into files. One that is being made, or is there and whole, is taken instead.

    Raises ValidationError.
    """
    month = month.replace(day=1)
    since, end = span(month)
    with scope(operator=operator), db.atomic():
        # Who issues receipts meanwhile comes after us, with a later time.
        receipts.locked(operator)
        now = timezone.now()
        if since > now:
            raise ValidationError({"month": _("This month has not begun: there are no receipts of it yet.")})
        known = ReceiptArchive.objects.filter(month=month).filter(
            Q(state=ArchiveState.WORKING) | Q(state=ArchiveState.DONE, whole=True, unprinted=[])
        )
        if (there := known.first()) is not None:
            return there
        if ReceiptArchive.objects.filter(state=ArchiveState.WORKING).count() >= AT_ONCE:
            raise ValidationError(_("%(n)s months are being made already: wait for one of them, or cancel it.") % {"n": AT_ONCE})
        until = min(end, now)
        total = issued_in(since, until).count()
        if not total:
            raise ValidationError({"month": _("No receipt was issued in this month.")})
        row: ReceiptArchive = ReceiptArchive.objects.create(
            operator=operator,
            month=month,
            since=since,
            until=until,
            whole=until == end,
            total=total,
            requested_by=user,
            created_at=now,
            due_at=now,
        )
        audit.record("receipt_archive.asked", row, operator=operator, after={"month": f"{month:%Y-%m}", "receipts": total})
        _ring()
    return row


def cancel(*, archive: ReceiptArchive) -> bool:
    """Make no more of it, and delete what there is. False: it is over."""
    with scope(operator=archive.operator_id), db.atomic():
        row = _locked(archive.pk)
        if row.state not in (ArchiveState.WORKING, ArchiveState.FAILED):
            return False
        row.state, row.lease, row.due_at, row.finished_at, row.error = ArchiveState.CANCELLED, "", None, timezone.now(), ""
        row.save()
        _delete_files(row.files.all())
        audit.record("receipt_archive.cancelled", row, operator=row.operator_id, note=f"{row.made} of {row.total}")
    return True


def resume(*, archive: ReceiptArchive) -> bool:
    """Go on with one that stopped. False: it has not."""
    with scope(operator=archive.operator_id), db.atomic():
        row = _locked(archive.pk)
        working = ReceiptArchive.objects.filter(month=row.month, state=ArchiveState.WORKING)
        if row.state != ArchiveState.FAILED or working.exists():
            return False
        row.state, row.attempts, row.due_at, row.finished_at = ArchiveState.WORKING, 0, timezone.now(), None
        row.save()
        audit.record("receipt_archive.resumed", row, operator=row.operator_id, note=f"{row.made} of {row.total}")
        _ring()
    return True


def opened(*, file: ArchiveFile) -> None:
    """Somebody downloads it: it tells who charged when, so it is noted who has it."""
    archive = file.archive
    audit.record("receipt_archive.downloaded", archive, operator=archive.operator_id, note=f"part {file.part}")


def _locked(pk: int) -> ReceiptArchive:
    return ReceiptArchive.objects.select_for_update(no_key=True).get(pk=pk)


def _ring() -> None:
    db.on_commit(lambda: ports.bell.work(SUBSCRIBER))


# For those who make the files


@dataclass(frozen=True, slots=True)
class Made:
    """A file that is on the disk."""

    path: str
    size: int
    receipts: Sequence[Receipt]


def due() -> list[int]:
    """Those somebody may work at, who waited longest first."""
    with scopes_disabled():
        found = ReceiptArchive.objects.filter(due_at__lte=timezone.now(), state=ArchiveState.WORKING).order_by("due_at")
        return list(found.values_list("pk", flat=True)[:50])


def take(pk: int) -> ReceiptArchive | None:
    """The archive, with a lease of it. None: somebody else is at it, or it is over."""
    now, lease = timezone.now(), secrets.token_hex(16)
    with scopes_disabled():
        free = ReceiptArchive.objects.filter(pk=pk, state=ArchiveState.WORKING, due_at__lte=now)
        if not free.update(lease=lease, due_at=now + LEASE):
            return None
        return ReceiptArchive.objects.select_related("operator").get(pk=pk)


def renew(archive: ReceiptArchive) -> bool:
    """Whether we are still at it, and for as long again."""
    return bool(_ours(archive).update(due_at=timezone.now() + LEASE))


def _ours(archive: ReceiptArchive) -> QuerySet[ReceiptArchive]:
    return ReceiptArchive.objects.filter(pk=archive.pk, state=ArchiveState.WORKING, lease=archive.lease)


def to_come(archive: ReceiptArchive, most: int) -> list[Receipt]:
    """The next ones that are in no file."""
    found = issued_in(archive.since, archive.until).select_related("record", "customer")
    if archive.at is not None:
        found = found.filter(created_at__gte=archive.at).exclude(created_at=archive.at, pk__lte=archive.at_id)
    return list(found[:most])


def between(archive: ReceiptArchive, first: str, last: str) -> Iterable[Receipt]:
    """Those of the archive from a number to another, in their order, a few at a time."""
    edges = {one.label: one for one in Receipt.objects.filter(label__in=[first, last])}
    begin, end = edges[first], edges[last]
    found = issued_in(archive.since, archive.until).select_related("record", "customer")
    found = found.filter(created_at__gte=begin.created_at, created_at__lte=end.created_at)
    found = found.exclude(created_at=begin.created_at, pk__lt=begin.pk).exclude(created_at=end.created_at, pk__gt=end.pk)
    return found.iterator(chunk_size=BATCH)


def parts(archive: ReceiptArchive) -> list[ArchiveFile]:
    """What there is to download."""
    return [one for one in archive.files.all() if one.piece == 0]


def pieces(archive: ReceiptArchive) -> list[ArchiveFile]:
    """What the part is put together of that is being made."""
    return list(archive.files.filter(piece__gt=0).order_by("piece"))


def add_piece(archive: ReceiptArchive, made: Made, unprinted: list[dict[str, object]], took_s: float) -> bool:
    """Write down a piece of the part that is being made. False: somebody else is at it, or it is over; nothing was written."""
    last = made.receipts[-1]
    with db.atomic():
        row = _ours(archive).select_for_update(no_key=True).first()
        if row is None:
            return False
        part = max((one.part for one in parts(row)), default=0) + 1
        number = max((one.piece for one in pieces(row)), default=0) + 1
        _add(row, made, part, number)
        row.made, row.at, row.at_id = row.made + len(made.receipts), last.created_at, last.pk
        row.unprinted, row.busy_s = row.unprinted + unprinted, row.busy_s + took_s
        row.error, row.attempts, row.due_at = "", 0, timezone.now() + LEASE
        row.save()
    archive.refresh_from_db()
    return True


def add_part(archive: ReceiptArchive, made: Made, of: list[ArchiveFile], took_s: float) -> bool:
    """Write down a part, in the place of its pieces. False as with `add_piece`."""
    with db.atomic():
        row = _ours(archive).select_for_update(no_key=True).first()
        if row is None:
            return False
        _add(row, made, of[0].part, 0, receipts=sum(one.receipts for one in of), first=of[0].first, last=of[-1].last)
        _delete_files(row.files.filter(pk__in=[one.pk for one in of]))
        row.busy_s += took_s
        row.save(update_fields=["busy_s"])
    return True


def _add(row: ReceiptArchive, made: Made, part: int, piece: int, **of: object) -> None:
    given = of or {"receipts": len(made.receipts), "first": made.receipts[0].label, "last": made.receipts[-1].label}
    ArchiveFile.objects.create(
        archive=row, part=part, piece=piece, path=made.path, size=made.size, created_at=timezone.now(), **given
    )


def finish(archive: ReceiptArchive) -> None:
    """All of it is in its files."""
    now = timezone.now()
    _ours(archive).update(state=ArchiveState.DONE, lease="", due_at=None, finished_at=now, error="")


def release(archive: ReceiptArchive) -> None:
    """Enough for now: whoever is free goes on."""
    _ours(archive).update(lease="", due_at=timezone.now())
    ports.bell.work(SUBSCRIBER)


def put_off(archive: ReceiptArchive, error: str) -> None:
    """It does not go on. It is tried again later, or left to a person if that was often."""
    attempts, now = archive.attempts + 1, timezone.now()
    log.warning("a month's receipts are not put into files", archive=archive.pk, error=error, attempts=attempts)
    if attempts >= MOST_ATTEMPTS:
        end = {"state": ArchiveState.FAILED, "due_at": None, "finished_at": now}
    else:
        end = {"due_at": now + min(FIRST_DELAY * 2 ** (attempts - 1), LONGEST_DELAY)}
    _ours(archive).update(lease="", attempts=attempts, error=error[:300], **end)


def term() -> timedelta:
    """For how long what is over is kept."""
    return timedelta(days=settings.KEEP_RECEIPT_FILES_DAYS)


def let_go(*, now: datetime) -> int:
    """Delete what is over for longer than its term, and files that no row names. Returns how many archives went."""
    before, gone = now - term(), 0
    with scopes_disabled():
        while True:
            with db.atomic():
                old = ReceiptArchive.objects.filter(finished_at__lt=before).order_by("pk").select_for_update(skip_locked=True)
                rows = list(old[:BATCH])
                _delete_files(ArchiveFile.objects.filter(archive__in=rows))
                ReceiptArchive.objects.filter(pk__in=[row.pk for row in rows]).delete()
            gone += len(rows)
            if len(rows) < BATCH:
                break
    found = iter(ports.files.older(FOLDER, now - ORPHANED))
    while paths := list(islice(found, BATCH)):
        with connection.cursor() as cursor:
            cursor.execute(ORPHANS, [paths])
            ports.files.delete([row[0] for row in cursor.fetchall()])
    return gone


def _delete_files(files: QuerySet[ArchiveFile]) -> None:
    paths = list(files.values_list("path", flat=True))
    files.delete()
    db.on_commit(lambda: ports.files.delete(paths))
