"""Certificates that are at no station any more, and old requests for them, go after their term; what is there stays."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from stations import tasks
from stations.models import CertificateRequest, InstalledCertificate, Station
from stations.services import certificatekeeping
from tests.network import Network

NOW = datetime(2026, 11, 20, tzinfo=UTC)
LONG_AGO, LATELY = datetime(2024, 9, 30, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def station(network: Network) -> Station:
    return network.station()


def certificate(station: Station, serial: str, removed_at: datetime | None) -> None:
    of: dict[str, Any] = {
        "operator": station.operator,
        "station": station,
        "type": "V2GRootCertificate",
        "hash_algorithm": "SHA256",
    }
    InstalledCertificate.objects.create(**of, serial_number=serial, serial_key=serial, installed_at=LONG_AGO, removed_at=removed_at)


def request(station: Station, digest: str, last_at: datetime, status: str = "rejected") -> None:
    of: dict[str, Any] = {"operator": station.operator, "station": station, "type": "ChargingStationCertificate", "csr": "x"}
    CertificateRequest.objects.create(**of, digest=digest, status=status, received_at=LONG_AGO, last_at=last_at)


def left(station: Station) -> set[str]:
    certificates = InstalledCertificate.objects.filter(station=station).values_list("serial_number", flat=True)
    return {*certificates, *CertificateRequest.objects.filter(station=station).values_list("digest", flat=True)}


def test_what_is_over_for_longer_than_its_term_goes(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificatekeeping, "BATCH", 2)
    with scopes_disabled():
        for number in range(5):
            certificate(station, f"old{number}", LONG_AGO + timedelta(hours=number))
            request(station, f"asked{number}", LONG_AGO)
        certificate(station, "there", None)
        certificate(station, "lately", LATELY)
        request(station, "again", LATELY)
        assert certificatekeeping.let_go(now=NOW, budget_s=0) == 0
        assert certificatekeeping.let_go(now=NOW, budget_s=60) >= 10
        assert left(station) == {"there", "lately", "again"}
        assert tasks.let_go_of_certificates() >= 0
        assert "there" in left(station)


def test_they_are_found_by_their_time(station: Station) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        for kind, column in certificatekeeping.KINDS:
            found = f"EXPLAIN SELECT id FROM {kind.table} WHERE {column} < now() ORDER BY {column} LIMIT 5"  # noqa: S608  (ours)
            cursor.execute(found)
            assert "Index" in str(cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
