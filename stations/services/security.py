"""Security events (OCPP 2.0.1 A04, 1.6 security whitepaper A04): kept for good measure, and shown until somebody has seen the
critical ones."""

import time
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from stations.batch import Batch, clean
from stations.domain.event import Event
from stations.domain.events import Done, SecurityEventReported
from stations.domain.values import Note
from stations.models import SecurityEvent, Station
from stations.services import clocks
from stations.services.rules import Rule

#: Critical by the list of security events (OCPP 2.0.1 Part 2 appendix 1, 1.6 security whitepaper), in lower case. Those that have
#: another name in 1.6 have both.
CRITICAL = frozenset(
    name.lower()
    for name in (
        *("FirmwareUpdated", "SettingSystemTime", "StartupOfTheDevice", "ResetOrReboot", "SecurityLogWasCleared"),
        *("MemoryExhaustion", "TamperDetectionActivated"),
        *("InvalidFirmwareSignature", "InvalidFirmwareSigningCertificate", "InvalidCsmsCertificate"),
        *("InvalidCentralSystemCertificate", "InvalidChargingStationCertificate", "InvalidChargePointCertificate"),
        *("InvalidTLSVersion", "InvalidTLSCipherSuite", "MaintenanceLoginAccepted", "MaintenanceLoginFailed"),
    )
)
#: How long events are kept.
KEPT = timedelta(days=2 * 366)
BATCH = 5000
DELETE = """
DELETE FROM stations_securityevent WHERE id = ANY(ARRAY(
    SELECT id FROM stations_securityevent WHERE received_at < %s ORDER BY received_at LIMIT %s))
"""


def is_critical(kind: str) -> bool:
    return kind.strip().lower() in CRITICAL


def reported(event: SecurityEventReported, batch: Batch) -> Done:
    """Keep it under the time at which it happened: critical ones wait at the station while that is offline."""
    received_at = clocks.received_at(batch)
    notes: list[Note] = []
    at = clocks.time_of(batch, event.at, notes)
    for note in notes:
        batch.note(note)
    batch.add(
        SecurityEvent,
        operator_id=batch.station.operator_id,
        station_id=batch.station.id,
        type=clean(event.kind)[:50],
        at=at,
        received_at=received_at,
        tech_info=clean(event.tech_info)[:255],
        critical=is_critical(event.kind),
    )
    batch.touch()
    return Done()


@transaction.atomic
def acknowledge(*, station: Station, user: User | None = None, event: SecurityEvent | None = None, upto: int | None = None) -> int:
    """Somebody has seen a critical event of a station, or all of them up to the key `upto`. Returns how many were new."""
    unseen = SecurityEvent.objects.filter(station=station, critical=True, acknowledged_at=None)
    unseen = unseen.filter(pk=event.pk) if event is not None else unseen.filter(pk__lte=upto or 0)
    seen = unseen.update(acknowledged_at=timezone.now(), acknowledged_by=user)
    if seen:
        after = {"events": seen} if event is None else {"event": event.type, "at": event.at}
        audit.record("security_event.acknowledged", station, operator=station.operator_id, after=after)
    return seen


def let_go(*, now: datetime, budget_s: float = 60) -> int:
    """Delete what is older than its term, in short statements, until the time is up. Returns how many."""
    until, deleted = time.monotonic() + budget_s, 0
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(DELETE, [now - KEPT, BATCH])
            deleted += cursor.rowcount
            if cursor.rowcount < BATCH:
                break
    return deleted


RULES: dict[type[Event], Rule] = {SecurityEventReported: Rule(reported)}
