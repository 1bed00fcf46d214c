"""What a station would not take of a charging profile, and which one it replaces, is known before it is sent."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.models import ChargingProfile, Station, Variable
from stations.services import commandends
from stations.services import commands as life
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, PROTOCOLS, connected, issue, sent
from tests.stations.test_smartcharging import held, ids, may_draw, profile, put

SPEAKS = PROTOCOLS


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
