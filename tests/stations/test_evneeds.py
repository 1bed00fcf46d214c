"""What cars are offered by themselves (OCPP 2.0.1 K15): as much as is allowed, in the way that the station takes it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_scopes import scopes_disabled

from stations.domain import commands
from stations.models import ChargingProfile, EvChargingNeeds, Station, Variable
from stations.services import evneeds
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, connected, issue, report, sent
from tests.stations.test_smartcharging import begin, profile, put
from tests.v201 import started

AC = {"energyAmount": 1, "evMinCurrent": 6, "evMaxCurrent": 16, "evMaxVoltage": 400}
DC = {"requestedEnergyTransfer": "DC", "dcChargingParameters": {"evMaxCurrent": 100, "evMaxVoltage": 400, "evMaxPower": 40_000}}
SPEAKS = ("ocpp2.0.1",)


def takes(station: Station, **of: str) -> None:
    """As it says in its settings."""
    with scopes_disabled():
        for name, value in of.items():
            named = {"component": "SmartChargingCtrlr", "variable": name, "value": value, "reported_at": timezone.now()}
            Variable.objects.create(operator=station.operator, station=station, **named)


def has(station: Station, *settings: tuple[str, str, str, float | None]) -> None:
    """What its first EVSE can do: component, variable, value and the highest value."""
    told = {"operator": station.operator, "station": station, "evse_number": 1, "reported_at": timezone.now()}
    with scopes_disabled():
        for component, variable, value, highest in settings:
            Variable.objects.create(**told, component=component, variable=variable, value=value, highest=highest)


def holds_at_most(station: Station, profiles: int) -> None:
    named = {"component": "SmartChargingCtrlr", "variable": "Entries", "variable_instance": "ChargingProfiles"}
    told = {"operator": station.operator, "value": "0", "highest": profiles, "reported_at": timezone.now()}
    with scopes_disabled():
        Variable.objects.update_or_create(station=station, **named, defaults=told)


def tells(engine: Engine, station: Station, needs: dict[str, Any]) -> str:
    return str(engine.say(station, "NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": needs})["status"])


def offered(engine: Engine, station: Station) -> tuple[dict[str, Any], list[tuple[int, float]]]:
    """The profile and its periods."""
    profile = sent(engine, station).calls[0]["chargingProfile"]
    (schedule,) = profile["chargingSchedule"]
    periods = [(one["startPeriod"], one["limit"]) for one in schedule["chargingSchedulePeriod"]]
    return profile | {"unit": schedule["chargingRateUnit"]}, periods


@pytest.mark.parametrize(
    ("needs", "unit", "limit"),
    [(DC, "A", 100), ({"requestedEnergyTransfer": "AC_three_phase", "acChargingParameters": AC}, "W", 6400)],
)
def test_a_car_is_offered_limits_in_the_unit_that_the_station_takes(
    network: Network, engine: Engine, station: Station, needs: dict[str, Any], unit: str, limit: float
) -> None:
    takes(station, RateUnit=unit)
    begin(engine, network, station)
    assert tells(engine, station, needs) == "Accepted"
    profile, periods = offered(engine, station)
    assert (profile["unit"], periods) == (unit, [(0, limit)])


def test_what_has_no_place_in_a_schedule_counts_with_its_lowest_limit(network: Network, engine: Engine, station: Station) -> None:
    takes(station, PeriodsPerSchedule="2")
    begin(engine, network, station)
    start = datetime.now(UTC).replace(microsecond=0)
    periods = [{"start_s": 0, "limit": 14}, {"start_s": 3600, "limit": 12}]
    schedule = {"unit": "A", "periods": periods, "start": start.isoformat()}
    later = {"unit": "A", "periods": [{"start_s": 0, "limit": 8}], "start": (start + timedelta(hours=2)).isoformat()}
    put(engine, station, schedules=[schedule])
    put(engine, station, stack_level=1, schedules=[later])
    assert tells(engine, station, {"requestedEnergyTransfer": "AC_three_phase", "acChargingParameters": AC}) == "Accepted"
    _profile, told = offered(engine, station)
    assert [limit for _start, limit in told] == [14, 8]


def test_a_profile_of_the_stations_own_number_is_outranked(network: Network, engine: Engine, station: Station) -> None:
    begin(engine, network, station)
    own = {"purpose": "TxProfile", "kind": "Absolute", "stack_level": 2, "id": -1, "transaction": "tx-1"}
    schedule = {"unit": "A", "periods": [{"start_s": 0, "limit": 10}], "start": "2026-01-01T00:00:00Z"}
    with scopes_disabled():
        ChargingProfile.objects.create(
            operator=station.operator, station=station, profile_id=-1, evse_number=1, purpose="TxProfile", kind="Absolute",
            stack_level=2, ocpp_transaction_id="tx-1", reported=own | {"schedules": [schedule]}, reported_at=timezone.now(),
        )  # fmt: skip
    tells(engine, station, {"requestedEnergyTransfer": "AC_three_phase", "acChargingParameters": AC})
    profile, periods = offered(engine, station)
    assert (profile["id"] >= evneeds.FIRST_ID, profile["stackLevel"], periods) == (True, 3, [(0, 10)])


@pytest.mark.parametrize("on_its_way", ["queued", "sent"])
def test_a_limit_that_is_on_its_way_for_the_session_is_kept_to_and_replaced(
    network: Network, engine: Engine, station: Station, on_its_way: str
) -> None:
    begin(engine, network, station)
    put(engine, station, purpose="TxProfile", id=77, stack_level=2, limit=12)
    issue(station, commands.SetChargingProfile(1, profile(purpose="TxProfile", id=77, stack_level=3, limit=9)))
    first = sent(engine, station) if on_its_way == "sent" else None
    assert tells(engine, station, {"requestedEnergyTransfer": "AC_three_phase", "acChargingParameters": AC}) == "Accepted"
    engine.reply(station, first or sent(engine, station), ACCEPTED)
    told, periods = offered(engine, station)
    assert (told["id"], told["stackLevel"], periods) == (77, 3, [(0, 9)])


def test_what_is_on_its_way_for_all_sessions_is_kept_to(network: Network, engine: Engine, station: Station) -> None:
    begin(engine, network, station)
    issue(station, commands.SetChargingProfile(0, profile(limit=7)))
    assert tells(engine, station, {"requestedEnergyTransfer": "AC_three_phase", "acChargingParameters": AC}) == "Accepted"
    engine.reply(station, sent(engine, station), ACCEPTED)
    _profile, periods = offered(engine, station)
    assert periods == [(0, 7)]


def test_a_car_is_offered_nothing_where_what_is_on_its_way_takes_the_last_room(
    network: Network, engine: Engine, station: Station
) -> None:
    holds_at_most(station, 1)
    begin(engine, network, station)
    issue(station, commands.SetChargingProfile(1, profile()))
    assert tells(engine, station, DC) == "Rejected"
    assert "charging_profiles_full" in network.findings(station)


def test_a_station_without_smart_charging_is_sent_nothing(network: Network, engine: Engine, station: Station) -> None:
    takes(station, Enabled="false")
    begin(engine, network, station)
    assert tells(engine, station, DC) == "Rejected"
    assert engine.claim(station) == []


def test_a_car_is_offered_nothing_where_there_is_no_room_for_one_more_profile(
    network: Network, engine: Engine, station: Station
) -> None:
    holds_at_most(station, 1)
    put(engine, station, purpose="TxDefaultProfile")
    begin(engine, network, station)
    assert tells(engine, station, DC) == "Rejected"
    assert engine.claim(station) == []
    assert "charging_profiles_full" in network.findings(station)
    holds_at_most(station, 2)
    # What was offered is replaced by what is offered next: that needs no more room.
    for _again in range(2):
        assert tells(engine, station, DC) == "Accepted"
        engine.reply(station, sent(engine, station), {"status": "Accepted"})


def test_a_car_that_waited_is_refused_where_there_is_no_room(network: Network, engine: Engine, station: Station) -> None:
    network.token("CARD")
    report(engine, station, "Occupied")
    assert tells(engine, station, DC) == "Processing"
    holds_at_most(station, 0)
    engine.say(station, "TransactionEvent", started())
    with scopes_disabled():
        evneeds.sweep(now=timezone.now())
        assert EvChargingNeeds.objects.get(station=station).state == "rejected"
    assert engine.claim(station) == []


def test_a_car_that_cannot_be_offered_anything_keeps_no_other_waiting(
    network: Network, engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = connected(network, engine)
    network.token("CARD")
    for one in (station, other):
        report(engine, one, "Occupied")
        assert tells(engine, one, DC) == "Processing"
        engine.say(one, "TransactionEvent", started())
    offer = evneeds._offer

    def fails_for_one(batch: Any, *args: Any) -> bool:
        if batch.station.id == station.pk:
            raise RuntimeError("nothing to be done")
        return offer(batch, *args)

    monkeypatch.setattr(evneeds, "_offer", fails_for_one)
    with scopes_disabled():
        evneeds.sweep(now=timezone.now())
        states = [EvChargingNeeds.objects.get(station=one).state for one in (station, other)]
    assert states == ["waiting", "offered"]


def test_a_car_at_a_plug_of_one_phase_is_offered_all_that_it_has(network: Network, engine: Engine, station: Station) -> None:
    has(station, ("EVSE", "Power", "0", 7360), ("EVSE", "SupplyPhases", "1", None))
    begin(engine, network, station)
    needs = {"requestedEnergyTransfer": "AC_single_phase", "acChargingParameters": AC | {"evMaxCurrent": 32, "evMaxVoltage": 230}}
    assert tells(engine, station, needs) == "Accepted"
    profile, periods = offered(engine, station)
    assert (profile["unit"], periods) == ("A", [(0, 32)])
