"""Logs go when their term is over, and their files after them."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from csms.files import storage
from stations.models import LogUpload, Station
from stations.services import logkeeping, registry
from stations.tasks import let_go_of_logs
from tests.network import Network


def log(station: Station, days: int, *, status: str = "uploaded") -> LogUpload:
    """A log that was asked for so many days ago, with its file."""
    path, at = storage.new_path("logs", station.operator_id), timezone.now() - timedelta(days=days)
    with storage.Writer(path, limit=100) as writer:
        writer.write(b"log")
        writer.finish()
    with scopes_disabled():
        return LogUpload.objects.create(
            operator_id=station.operator_id, station=station, kind="diagnostics", status=status, path=path, token_hash=path,
            created_at=at, expires_at=at, due_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip


def left(*logs: LogUpload) -> list[bool]:
    """Which of them are there, with their files."""
    with scopes_disabled():
        rows = set(LogUpload.objects.filter(pk__in=[one.pk for one in logs]).values_list("pk", flat=True))
    there = [(one.pk in rows, storage.size(one.path) is not None) for one in logs]
    assert all(row == file for row, file in there), there
    return [row for row, _ in there]


def test_what_is_older_than_the_term_goes_with_its_file(network: Network) -> None:
    station, other = network.station(), Network().station()
    network.operator.keep_logs_days = 10
    network.operator.save()
    logs = (log(station, 9), log(station, 11), log(other, 11), log(other, 91), log(station, 11, status="requested"))
    let_go_of_logs()
    assert left(*logs) == [True, False, True, False, True]


def test_a_term_longer_than_the_systems_counts_as_the_systems(network: Network) -> None:
    network.operator.keep_logs_days = 1000
    now = timezone.now()
    assert logkeeping.cutoff(now=now, operator=network.operator) == now - timedelta(days=settings.KEEP_LOGS_DAYS)


def test_files_without_a_row_go_after_some_days(network: Network) -> None:
    station = network.station()
    kept, fresh = log(station, 1), storage.new_path("logs", 1)
    orphan, broken = storage.new_path("logs", 1), storage.new_path("logs", 1)
    for path in (fresh, orphan, broken):
        storage.Writer(path, limit=10).file.close()
    storage.place(orphan).write_bytes(b"whole")
    old = (timezone.now() - timedelta(days=4)).timestamp()
    for path in (orphan, broken, kept.path):
        for file in Path(settings.FILES_DIR).glob(f"{path}*"):
            os.utime(file, (old, old))
    let_go_of_logs()
    assert left(kept) == [True]
    assert storage.size(orphan) is None
    assert [bool(list(Path(settings.FILES_DIR).glob(f"{path}*"))) for path in (fresh, orphan, broken)] == [True, False, False]


def test_the_logs_of_a_station_that_is_removed_go_with_it(network: Network) -> None:
    station = network.station()
    one = log(station, 1)
    registry.remove_station(station=station)
    assert left(one) == [False]


@pytest.mark.parametrize("status", ["uploaded", "requested"])
def test_one_that_is_deleted_is_deleted_once(network: Network, status: str) -> None:
    one = log(network.station(), 1, status=status)
    with scope(operator=network.operator):
        one = LogUpload.objects.select_related("station", "command").get(pk=one.pk)
        logkeeping.delete(upload=one)
        logkeeping.delete(upload=one)
    assert left(one) == [False]
