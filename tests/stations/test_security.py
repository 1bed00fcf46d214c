"""Security events: kept under the time at which they happened, critical ones until somebody has seen them."""

from datetime import UTC, datetime, timedelta

import pytest
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from stations.models import SecurityEvent, Station
from stations.services import security
from tests.engine import Engine
from tests.network import Network
from tests.peer import ago
from tests.stations.asking import PROTOCOLS, connected


@pytest.fixture(params=PROTOCOLS)
def engine(committed: None, request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def tell(engine: Engine, station: Station, kind: str, seconds: float = 0, **more: str) -> None:
    assert engine.say(station, "SecurityEventNotification", {"type": kind, "timestamp": ago(seconds)} | more) == {}


def events(station: Station) -> list[SecurityEvent]:
    with scopes_disabled():
        return list(SecurityEvent.objects.filter(station=station).order_by("at"))


def test_an_event_is_kept_with_what_was_said_of_it(engine: Engine, station: Station) -> None:
    tell(engine, station, "InvalidFirmwareSignature", techInfo="sha256 mismatch")
    (event,) = events(station)
    assert (event.type, event.tech_info, event.critical) == ("InvalidFirmwareSignature", "sha256 mismatch", True)


@pytest.mark.parametrize(
    ("kind", "critical"),
    [
        ("TamperDetectionActivated", True),
        ("memoryexhaustion", True),
        ("InvalidChargePointCertificate", True),
        ("InvalidCsmsCertificate", True),
        ("FailedToAuthenticateAtCsms", False),
        ("AttemptedReplayAttacks", False),
        ("Acme.DoorOpened", False),
    ],
)
def test_which_are_critical_is_told_by_the_list(kind: str, critical: bool) -> None:
    assert security.is_critical(kind) is critical


def test_what_happened_while_the_station_was_offline_stands_at_its_own_time(engine: Engine, station: Station) -> None:
    tell(engine, station, "ResetOrReboot", seconds=86_400)
    tell(engine, station, "FirmwareUpdated")
    past, now = events(station)
    assert (past.type, now.type) == ("ResetOrReboot", "FirmwareUpdated")
    assert timedelta(hours=23) < past.received_at - past.at < timedelta(hours=25)
    assert past.critical
    assert past.acknowledged_at is None


def test_an_event_that_is_sent_again_is_one(engine: Engine, station: Station) -> None:
    payload = {"type": "MemoryExhaustion", "timestamp": ago(600), "techInfo": "heap"}
    for _ in range(3):
        engine.say(station, "SecurityEventNotification", payload)
    assert len(events(station)) == 1


def test_somebody_has_seen_one_or_all_of_a_station_and_the_audit_tells_who(
    network: Network, engine: Engine, station: Station
) -> None:
    for kind in ("ResetOrReboot", "MemoryExhaustion", "TamperDetectionActivated", "AttemptedReplayAttacks"):
        tell(engine, station, kind)
    first, ada = events(station)[0], network.user()
    with scope(operator=network.operator):
        assert security.acknowledge(station=station, event=first, user=ada) == 1
        assert security.acknowledge(station=station, event=first, user=ada) == 0
        assert security.acknowledge(station=station, upto=max(event.pk for event in events(station)), user=ada) == 2
        entries = AuditEntry.objects.filter(action="security_event.acknowledged")
        assert [entry.after.get("events") for entry in entries.order_by("id")] == [None, 2]
    assert [event.type for event in events(station) if event.acknowledged_at is None] == ["AttemptedReplayAttacks"]


def test_events_go_after_their_term(engine: Engine, station: Station) -> None:
    tell(engine, station, "ResetOrReboot")
    tell(engine, station, "MemoryExhaustion")
    with scopes_disabled():
        old = datetime.now(UTC) - security.KEPT - timedelta(days=1)
        SecurityEvent.objects.filter(station=station, type="ResetOrReboot").update(received_at=old)
    assert security.let_go(now=datetime.now(UTC)) >= 1
    assert [event.type for event in events(station)] == ["MemoryExhaustion"]
