"""Charging profiles set, cleared and read: the mirror follows what stations accept and report."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from csms.ocpp.errands import Errand
from stations import charginglists, limits
from stations.domain import commands
from stations.domain.chargingprofiles import written
from stations.domain.commands import BadCommand
from stations.models import ChargingProfile, Command, CompositeSchedule, EvChargingNeeds, Finding, Station, Variable
from stations.services import commandends, smartcharging
from stations.services import commands as life
from tests import v16
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, PROTOCOLS, asked, boot, connected, issue, now_of, report, sent
from tests.v201 import ended, started

START = "2026-01-01T00:00:00Z"
UNKNOWN = {"status": "Unknown"}


@pytest.fixture(params=PROTOCOLS)
def engine(committed: None, request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


@pytest.fixture
def newer(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


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


def test_another_in_the_same_place_is_refused_before_it_is_sent(engine: Engine, station: Station) -> None:
    put(engine, station)
    with pytest.raises(BadCommand, match="Clear it first, use another stack level, or replace it"):
        issue(station, commands.SetChargingProfile(1, profile(id=99)))
    # One for every plug counts at this plug, too.
    with pytest.raises(BadCommand, match="at EVSE 1 is a TxDefaultProfile of stack level 0, too"):
        issue(station, commands.SetChargingProfile(0, profile()))
    put(engine, station, 0, stack_level=1, limit=8)
    assert may_draw(station) == [8]


def test_one_that_stands_in_the_way_is_found_among_thousands(engine: Engine, station: Station) -> None:
    with scopes_disabled():
        kept = {"operator": station.operator, "station": station, "purpose": "TxDefaultProfile", "kind": "Absolute"}
        levels = [ChargingProfile(**kept, profile_id=n, stack_level=n, evse_number=1, wanted=profile()) for n in range(1, 1002)]
        ChargingProfile.objects.bulk_create(
            [*levels, ChargingProfile(**kept, profile_id=5000, stack_level=0, evse_number=2, wanted=profile())]
        )
    with pytest.raises(BadCommand, match="Profile 5000 at EVSE 2 is a TxDefaultProfile of stack level 0, too"):
        issue(station, commands.SetChargingProfile(2, profile(id=99)))


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


def test_a_newer_wish_for_the_same_place_replaces_one_that_is_still_on_its_way(engine: Engine, station: Station) -> None:
    rows = [issue(station, commands.SetChargingProfile(1, profile(limit=limit))) for limit in (16, 10)]
    assert len({one.facts["fixed"]["profile"]["id"] for one in rows}) == 1
    first = sent(engine, station)
    # That it was sent changes nothing.
    issue(station, commands.SetChargingProfile(1, profile(limit=8)))
    engine.reply(station, first, ACCEPTED)
    later = []
    for _limit in (10, 8):
        later.append(sent(engine, station))
        engine.reply(station, later[-1], ACCEPTED)
    assert len(set(ids(first, *later))) == 1
    assert may_draw(station) == [8]


def test_what_is_on_its_way_to_another_place_is_none_of_its_business(engine: Engine, station: Station) -> None:
    here, there, above = (
        issue(station, commands.SetChargingProfile(evse, profile(stack_level=level))) for evse, level in ((1, 0), (2, 0), (1, 1))
    )
    assert len({one.facts["fixed"]["profile"]["id"] for one in (here, there, above)}) == 3
    with pytest.raises(BadCommand, match=f"Profile {here.facts['fixed']['profile']['id']} at EVSE 1"):
        issue(station, commands.SetChargingProfile(1, profile(id=99)))
    commandends.cancel(command=here)
    issue(station, commands.SetChargingProfile(1, profile(id=99)))


def test_two_who_set_a_limit_at_the_same_moment_set_the_same_profile(engine: Engine, station: Station) -> None:
    def wish(limit: float) -> int:
        try:
            with scope(operator=station.operator):
                row = life.issue(station=station, command=commands.SetChargingProfile(1, profile(limit=limit)))
            return int(row.facts["fixed"]["profile"]["id"])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(wish, (6, 8, 10, 16)))) == 1


def test_without_an_id_what_is_valid_at_another_time_is_left_alone(engine: Engine, station: Station) -> None:
    """But in 1.6 it is replaced by the station itself (5.16.1)."""
    put(engine, station, id=7, valid_to="2030-01-01T00:00:00Z", limit=16)
    put(engine, station, valid_from="2030-01-01T00:00:00Z", limit=5)
    kept = {one.profile_id: one.wanted["schedules"][0]["periods"][0]["limit"] for one in held(station)}
    if engine.protocol == "ocpp1.6":
        assert kept == {7: 5}
        return
    assert (kept[7], sorted(kept.values()), may_draw(station)) == (16, [5, 16], [16])
    # Of two the one in whose time it is is replaced.
    put(engine, station, valid_from="2031-01-01T00:00:00Z", limit=4)
    assert [one.wanted["schedules"][0]["periods"][0]["limit"] for one in held(station) if one.profile_id != 7] == [4]
    with pytest.raises(BadCommand, match=r"stack level 0, too. Clear it first, or use another stack level.$"):
        issue(station, commands.SetChargingProfile(1, profile()))


def test_where_there_is_no_room_one_that_is_on_its_way_counts(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    with scopes_disabled():
        told = {"operator": station.operator, "station": station, "reported_at": timezone.now(), "value": "0", "highest": 1}
        Variable.objects.create(**told, component="SmartChargingCtrlr", variable="Entries", variable_instance="ChargingProfiles")
    issue(station, commands.SetChargingProfile(1, profile()))
    issue(station, commands.SetChargingProfile(1, profile(limit=8)))
    with pytest.raises(BadCommand, match="holds 1 profiles at most"):
        issue(station, commands.SetChargingProfile(2, profile()))


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


@pytest.mark.parametrize(
    ("variable", "value", "fields", "why"),
    [
        (("", "ChargeProfileMaxStackLevel", ""), "3", {"stack_level": 4}, "takes stack levels up to 3, not 4"),
        (("SmartChargingCtrlr", "ProfileStackLevel", ""), "3", {"stack_level": 4}, "takes stack levels up to 3, not 4"),
        (("", "ChargingScheduleAllowedChargingRateUnit", ""), "Current", {"unit": "W"}, "takes limits in A, not in W"),
        (("SmartChargingCtrlr", "RateUnit", ""), "W", {}, "takes limits in W, not in A"),
        (("", "MaxChargingProfilesInstalled", ""), "0", {}, "holds 0 profiles at most"),
        (("SmartChargingCtrlr", "Entries", "ChargingProfiles"), "0", {}, "holds 0 profiles at most"),
        (("", "ChargingScheduleMaxPeriods", ""), "0", {}, "takes 0 periods in a schedule, not 1"),
        (("SmartChargingCtrlr", "Enabled", ""), "false", {}, "has smart charging switched off"),
    ],
)
def test_what_a_station_says_it_does_not_take_is_not_sent(
    network: Network, newer: Engine, variable: tuple[str, str, str], value: str, fields: dict[str, Any], why: str
) -> None:
    station = connected(network, newer)
    component, name, instance = variable
    with scopes_disabled():
        Variable.objects.create(
            operator=station.operator, station=station, component=component, variable=name, variable_instance=instance,
            value=value, highest=float(value) if name == "Entries" else None, reported_at=timezone.now(),
        )  # fmt: skip
    with pytest.raises(BadCommand, match=why):
        issue(station, commands.SetChargingProfile(1, profile(**fields)))


def test_how_many_profiles_a_station_has_is_not_how_many_it_can_have(network: Network, newer: Engine) -> None:
    """OCPP 2.0.1 SmartChargingCtrlr.Entries: the value counts those there are, and its limit those there may be."""
    station = connected(network, newer)
    named = {"component": "SmartChargingCtrlr", "variable": "Entries", "variable_instance": "ChargingProfiles"}
    with scopes_disabled():
        Variable.objects.create(
            operator=station.operator, station=station, value="0", highest=1, reported_at=timezone.now(), **named
        )
    put(newer, station)
    with pytest.raises(BadCommand, match="holds 1 profiles at most"):
        issue(station, commands.SetChargingProfile(1, profile(stack_level=3)))


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


def test_a_report_says_what_is_there_what_differs_and_what_is_missing(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    for evse in (1, 2, 3):
        put(newer, station, evse)
    pks = [one.profile_id for one in held(station)]
    row = asked(newer, station, commands.GetChargingProfiles())
    assert row.status == "accepted"
    number = row.facts["request_id"]
    wire = {"stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute"}

    def page(evse: int, pk: int, limit: float, *, more: bool) -> None:
        schedule = {"id": 4, "chargingRateUnit": "A", "startSchedule": START}
        schedule["chargingSchedulePeriod"] = [{"startPeriod": 0, "limit": limit}]
        told = {"requestId": number, "chargingLimitSource": "CSO", "evseId": evse, "tbc": more}
        told["chargingProfile"] = [wire | {"id": pk, "chargingSchedule": [schedule]}]
        assert newer.say(station, "ReportChargingProfiles", told) == {}

    page(1, pks[0], 16, more=True)
    assert now_of(row).status == "accepted"
    page(2, pks[1], 20, more=False)
    assert now_of(row).status == "confirmed"
    assert [charginglists.state_of(one) for one in held(station)] == ["confirmed", "differs", "missing"]
    # Asked again, it has none at all.
    asked(newer, station, commands.GetChargingProfiles(), {"status": "NoProfiles"})
    assert {charginglists.state_of(one) for one in held(station)} == {"missing"}


def test_a_profile_that_cannot_be_is_left_out_with_a_finding(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    wire = {"id": 2**40, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute"}
    wire["chargingSchedule"] = [{"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}]}]
    told = {"requestId": 1, "chargingLimitSource": "CSO", "evseId": 1, "chargingProfile": [wire]}
    assert newer.say(station, "ReportChargingProfiles", told) == {}
    assert held(station) == []
    with scopes_disabled():
        assert Finding.objects.get(station=station).code == "charging_profile_impossible"


def test_a_report_of_a_number_that_nobody_gave_is_kept_all_the_same(network: Network, newer: Engine) -> None:
    station = connected(network, newer)
    wire = {"id": 3, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute"}
    wire["chargingSchedule"] = [{"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}]}]
    told = {"requestId": 2**40, "chargingLimitSource": "CSO", "evseId": 1, "chargingProfile": [wire]}
    assert newer.say(station, "ReportChargingProfiles", told) == {}
    assert [(one.profile_id, one.report_id) for one in held(station)] == [(3, None)]


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
