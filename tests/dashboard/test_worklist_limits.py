"""The work list of the wall: limits that chargers accepted and do not hold any more."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from stations import problems
from stations.domain import commands
from stations.models import ChargingProfile, Station
from tests.dashboard.rows import plug, session
from tests.dashboard.test_wall import page, part
from tests.dashboard.test_worklist import ago, keys
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, asked, boot, connected, sent
from tests.stations.test_smartcharging import profile


def missing(station: Station, number: int = 1, *, limit: float = 16, **fields: Any) -> ChargingProfile:
    given = {"evse_number": 1, "purpose": "TxDefaultProfile", "kind": "Absolute", "stack_level": 0, "checked_at": ago(minutes=3)}
    given["wanted"] = profile(limit, id=number)
    with scopes_disabled():
        return ChargingProfile.objects.create(operator=station.operator, station=station, profile_id=number, **given | fields)


def test_a_limit_that_was_lost_in_a_restart_stands_there_until_it_is_set_again(ada: Client, amber: Network) -> None:
    engine = Engine("ocpp2.0.1")
    station = connected(amber, engine)
    limit = commands.SetChargingProfile(1, profile(limit=16))
    asked(engine, station, limit)
    assert keys(amber) == []
    boot(engine, station)
    read = sent(engine, station)
    engine.reply(station, read, {"status": "NoProfiles"})
    assert amber.findings(station) == ["charging_profile_missing"]
    assert keys(amber) == [f"limits-{station.pk}"]
    html = page(ada)
    told = part(html, f"task-limits-{station.pk}")
    assert "does not hold it any more, perhaps since a restart: Plug 1, 16 A." in told
    assert "The limits, set it again or clear it" in told
    assert f"/stations/{station.identity}/?tab=power#profiles-title" in html
    asked(engine, station, limit, ACCEPTED)
    assert keys(amber) == []


def test_of_each_charger_it_is_told_once(ada: Client, amber: Network) -> None:
    station, other = amber.station(), amber.station()
    for number in range(1, 4):
        missing(station, number, evse_number=number, checked_at=ago(minutes=number))
    missing(other, checked_at=ago(minutes=30))
    assert keys(amber) == [f"limits-{station.pk}", f"limits-{other.pk}"]
    assert "2 more are missing." in part(page(ada), f"task-limits-{station.pk}")


def test_one_whose_time_or_session_is_over_nobody_misses(amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    of_session = {"purpose": "TxProfile", "evse_number": 1}
    missing(amber.station(), wanted=profile(id=1, valid_to=ago(hours=1).isoformat()))
    missing(amber.station(), ocpp_transaction_id="over", **of_session)
    missing(amber.station(), checked_at=None)
    missing(amber.station(), reported=profile(id=1))
    until = missing(amber.station(), wanted=profile(id=1, valid_to=(timezone.now() + timedelta(hours=1)).isoformat()))
    mine = missing(running.station, ocpp_transaction_id=running.ocpp_transaction_id, checked_at=ago(minutes=9), **of_session)
    assert keys(amber) == [f"limits-{until.station_id}", f"limits-{mine.station_id}"]


def test_they_are_found_by_their_index_alone(amber: Network) -> None:
    station = amber.station()
    with scopes_disabled():
        kept = {
            "operator": station.operator,
            "station": station,
            "purpose": "TxDefaultProfile",
            "kind": "Absolute",
            "stack_level": 0,
        }
        ChargingProfile.objects.bulk_create(
            ChargingProfile(**kept, profile_id=number, evse_number=1, wanted=profile(), reported=profile())
            for number in range(3000)
        )
        missing(station, 5000)
    with connection.cursor() as cursor, scope(operator=amber.operator):
        cursor.execute("ANALYZE stations_chargingprofile")
        assert "chargingprofile_missing" in problems.missing_limits(timezone.now()).explain()
