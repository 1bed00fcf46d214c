"""Charging profiles set, cleared and read: the mirror follows what stations accept and report."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from csms.ocpp.errands import Errand
from stations import limits
from stations.domain import commands
from stations.domain.chargingprofiles import written
from stations.domain.commands import BadCommand
from stations.models import ChargingProfile, Command, CompositeSchedule, EvChargingNeeds, Finding, Station, Variable
from stations.services import commandends, smartcharging
from tests import v16
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, PROTOCOLS, asked, boot, connected, issue, report, sent
from tests.v201 import ended, started

START = "2026-01-01T00:00:00Z"
UNKNOWN = {"status": "Unknown"}

SPEAKS = PROTOCOLS


def profile(limit: float = 16, purpose: str = "TxDefaultProfile", **fields: Any) -> dict[str, Any]:
    schedule = {"unit": fields.pop("unit", "A"), "periods": [{"start_s": 0, "limit": limit}], "start": START}
    return {"purpose": purpose, "kind": "Absolute", "stack_level": 0, "schedules": [schedule]} | fields


def put(engine: Engine, station: Station, evse: int = 1, **fields: Any) -> Command:
    return asked(engine, station, commands.SetChargingProfile(evse, profile(**fields)))


def held(station: Station) -> list[ChargingProfile]:
    with scopes_disabled():
        return list(ChargingProfile.objects.filter(station=station).order_by("profile_id"))


def begin(engine: Engine, network: Network, station: Station) -> str:
    network.token("CARD")
    if engine.protocol == "ocpp1.6":
        return str(engine.say(station, "StartTransaction", v16.start(seconds=0))["transactionId"])
    engine.say(station, "TransactionEvent", started())
    return "tx-1"


def may_draw(station: Station, evse: int = 1) -> list[Any]:
    with scope(operator=station.operator):
        found = limits.of([station.pk])[station.pk].limits
    return [one.limit for one in found.composite(evse, timezone.now(), 60, "A")]


def composite(evse: int, limit: float) -> dict[str, Any]:
    """What a station of OCPP 2.0.1 says may be drawn."""
    schedule = {"evseId": evse, "duration": 600, "scheduleStart": written(timezone.now()), "chargingRateUnit": "A"}
    return {"status": "Accepted", "schedule": schedule | {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}}


def test_the_same_place_is_taken_over_under_the_same_id(engine: Engine, station: Station) -> None:
    assert put(engine, station, limit=16).status == "confirmed"
    (first,) = held(station)
    put(engine, station, limit=10)
    (second,) = held(station)
    assert (second.profile_id, second.wanted["schedules"][0]["periods"][0]["limit"]) == (first.profile_id, 10)
    assert may_draw(station) == [10]


def test_what_is_valid_at_another_time_stays_beside_it_where_the_version_has_it_so(engine: Engine, station: Station) -> None:
    """OCPP 2.0.1 K01; in 1.6 (5.16.1) it is replaced, whenever it is valid."""
    put(engine, station, id=7, valid_to="2030-01-01T00:00:00Z")
    put(engine, station, id=8, valid_from="2030-01-01T00:00:00Z")
    assert [one.profile_id for one in held(station)] == ([8] if engine.protocol == "ocpp1.6" else [7, 8])


def ids(*errands: Errand) -> list[int]:
    """The ids of the profiles that a station is sent."""
    bodies = (one.calls[0] for one in errands)
    return [
        one["chargingProfile"]["id"] if "chargingProfile" in one else one["csChargingProfiles"]["chargingProfileId"]
        for one in bodies
    ]


def test_a_refusal_changes_nothing(engine: Engine, station: Station) -> None:
    row = asked(engine, station, commands.SetChargingProfile(1, profile()), {"status": "Rejected"})
    assert row.status == "rejected"
    assert held(station) == []


def test_a_profile_of_a_session_is_for_the_one_that_runs_and_goes_with_it(
    network: Network, engine: Engine, station: Station
) -> None:
    with pytest.raises(BadCommand, match="Nobody charges at EVSE 1"):
        issue(station, commands.SetChargingProfile(1, profile(purpose="TxProfile")))
    transaction = begin(engine, network, station)
    put(engine, station, purpose="TxProfile", limit=9)
    (kept,) = held(station)
    assert kept.ocpp_transaction_id == transaction
    assert may_draw(station) == [9]
    with pytest.raises(BadCommand, match="No transaction another runs"):
        issue(station, commands.SetChargingProfile(1, profile(purpose="TxProfile", transaction="another")))
    if engine.protocol == "ocpp1.6":
        engine.say(station, "StopTransaction", v16.stop(int(transaction)))
    else:
        engine.say(station, "TransactionEvent", ended(1, wh=2000))
    assert may_draw(station) == [None]
    with scopes_disabled():
        assert smartcharging.sweep(now=timezone.now() + timedelta(hours=1)) >= 1  # others may have left some
        assert smartcharging.sweep(now=timezone.now() + timedelta(hours=1)) == 0
    assert held(station) == []


def test_what_is_cleared_is_gone_and_what_is_unknown_there_too(engine: Engine, station: Station) -> None:
    put(engine, station)
    put(engine, station, 0, purpose="ChargingStationMaxProfile", limit=32)
    asked(engine, station, commands.ClearChargingProfile(evse=1))
    assert [one.purpose for one in held(station)] == ["ChargingStationMaxProfile"]
    row = asked(engine, station, commands.ClearChargingProfile(), UNKNOWN)
    assert (row.status, held(station)) == ("rejected", [])


def test_after_a_restart_what_is_left_is_asked_and_profiles_of_sessions_are_gone(
    network: Network, engine: Engine, station: Station
) -> None:
    put(engine, station)
    begin(engine, network, station)
    put(engine, station, purpose="TxProfile")
    boot(engine, station)
    assert [one.purpose for one in held(station)] == ["TxDefaultProfile"]
    with scopes_disabled():
        (row,) = Command.objects.filter(station=station, status="queued", reason=smartcharging.AFTER_A_BOOT)
    older = engine.protocol == "ocpp1.6"
    assert row.kind == ("get_composite_schedule" if older else "get_charging_profiles")


def test_a_station_without_profiles_is_asked_nothing_after_a_restart(engine: Engine, station: Station) -> None:
    boot(engine, station)
    with scopes_disabled():
        assert not Command.objects.filter(station=station, reason=smartcharging.AFTER_A_BOOT).exists()


def queued(station: Station) -> list[Command]:
    with scopes_disabled():
        return list(Command.objects.filter(station=station, status="queued").order_by("pk"))


def test_of_a_limit_whose_answer_was_lost_the_station_is_asked(engine: Engine, station: Station) -> None:
    for lost in (None, ["InternalError", "no"]):
        asked(engine, station, commands.SetChargingProfile(1, profile()), lost)
        older = engine.protocol == "ocpp1.6"
        (then,) = queued(station)
        assert then.kind == ("get_composite_schedule" if older else "get_charging_profiles")
        assert then.params["evse"] == (1 if older else None)
        engine.reply(station, sent(engine, station), ["GenericError", "busy"])
    asked(engine, station, commands.SetChargingProfile(1, profile()), ["NotSupported", "no"])
    assert queued(station) == []


def test_of_a_limit_that_was_sent_by_a_socket_that_ended_the_station_is_asked(engine: Engine, station: Station) -> None:
    for command in (commands.SetChargingProfile(1, profile()), commands.ClearChargingProfile()):
        issue(station, command)
        sent(engine, station)
        with scopes_disabled(), transaction.atomic(), connection.cursor() as cursor:
            commandends.orphan(cursor, [station.pk], now=timezone.now())
        (then,) = queued(station)
        assert then.kind == ("get_composite_schedule" if engine.protocol == "ocpp1.6" else "get_charging_profiles")
        commandends.cancel(command=then)


def test_after_a_restart_each_plug_with_a_limit_is_asked_what_it_may_draw(network: Network, committed: None) -> None:
    engine = Engine("ocpp1.6")
    station = connected(network, engine)
    put(engine, station, 2, limit=8)
    put(engine, station, 0, purpose="ChargingStationMaxProfile", limit=40)
    boot(engine, station)
    for evse, limit in ((0, 40), (2, 64)):
        errand = sent(engine, station)
        assert (errand.action, errand.calls[0]["connectorId"]) == ("GetCompositeSchedule", evse)
        schedule = {"duration": 86400, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}
        answer = {"connectorId": evse, "scheduleStart": written(timezone.now()), "chargingSchedule": schedule}
        engine.reply(station, errand, ACCEPTED | answer)
    assert network.finding(station, "composite_above").subject == "EVSE 2"


def test_a_composite_schedule_without_end_keeps_nobody_waiting(network: Network, committed: None) -> None:
    """1.6 does not say how many periods there may be at most, and a frame has room for thousands."""
    engine = Engine("ocpp1.6")
    station = connected(network, engine)
    put(engine, station, limit=16)
    periods = [{"startPeriod": second, "limit": 16 + second % 2} for second in reversed(range(20_000))]
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    answer = {"status": "Accepted", "connectorId": 1, "scheduleStart": "2026-06-01T00:00:00Z", "chargingSchedule": schedule}
    row = asked(engine, station, commands.GetCompositeSchedule(1, 20_000), answer)
    assert row.status == "confirmed"
    with scopes_disabled():
        told = CompositeSchedule.objects.get(station=station)
    assert len(told.periods) == 1024


def test_a_charger_that_can_do_less_than_it_was_told_is_not_said_to_differ(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    report(newer, station, "Available")
    put(newer, station, limit=32)
    answers = composite(1, 16)
    asked(newer, station, commands.GetCompositeSchedule(1, 600, "A"), answers)
    assert network.findings(station) == ["composite_below"]  # nobody knows yet why
    with scopes_disabled():
        Finding.objects.filter(station=station).delete()
        told = {"operator": station.operator, "station": station, "evse_number": 1, "reported_at": timezone.now()}
        Variable.objects.create(**told, component="EVSE", variable="Power", value="0", highest=3680)
        Variable.objects.create(**told, component="Connector", variable="SupplyPhases", value="1")
    asked(newer, station, commands.GetCompositeSchedule(1, 600, "A"), answers)
    assert network.findings(station) == []
    with scopes_disabled():
        assert CompositeSchedule.objects.get(station=station).difference == ""


def test_needs_told_before_the_session_began_are_met_as_soon_as_it_does(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    report(newer, station, "Occupied")
    needs = {"requestedEnergyTransfer": "DC", "dcChargingParameters": {"evMaxCurrent": 100, "evMaxVoltage": 400}}
    answer = newer.say(station, "NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": needs})
    assert answer == {"status": "Processing"}
    with scopes_disabled():
        assert smartcharging.sweep(now=timezone.now()) == 0
    begin(newer, network, station)
    with scopes_disabled():
        assert smartcharging.sweep(now=timezone.now()) == 1
        assert EvChargingNeeds.objects.get(station=station).state == "offered"
    (call,) = sent(newer, station).calls
    (schedule,) = call["chargingProfile"]["chargingSchedule"]
    assert (schedule["chargingRateUnit"], schedule["chargingSchedulePeriod"][0]["limit"]) == ("W", 40_000)


def test_needs_that_nobody_can_meet_are_refused_or_given_up(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    report(newer, station, "Occupied")
    nothing = {"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "DC"}}
    assert newer.say(station, "NotifyEVChargingNeeds", nothing) == {"status": "Rejected"}
    assert newer.say(station, "NotifyEVChargingNeeds", nothing | {"evseId": 9}) == {"status": "Rejected"}
    ac = {"energyAmount": 1, "evMinCurrent": 6, "evMaxCurrent": 16, "evMaxVoltage": 230}
    needs = {"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "AC_three_phase", "acChargingParameters": ac}}
    assert newer.say(station, "NotifyEVChargingNeeds", needs) == {"status": "Processing"}
    with scopes_disabled():
        assert smartcharging.sweep(now=datetime.now(UTC) + timedelta(minutes=2)) == 1
        assert EvChargingNeeds.objects.get(station=station).state == "late"
