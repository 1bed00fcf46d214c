"""Charging profiles at a simulated station: kept, obeyed, told of."""

from typing import Any

import pytest
from ocpp.v16 import call
from ocpp.v201 import call as call201

from csms.simulator import SimulatedStation

START = "2026-01-01T00:00:00Z"


@pytest.fixture
async def sim(central):
    async with SimulatedStation(central.url, "SIM-0001", configuration={"TransactionMessageRetryInterval": "0"}) as station:
        await station.boot()
        yield station


def profile(limit: float, purpose: str = "TxDefaultProfile", pk: int = 1, level: int = 0, **fields: Any) -> dict[str, Any]:
    schedule = {"charging_rate_unit": "A", "start_schedule": START}
    schedule["charging_schedule_period"] = [{"start_period": 0, "limit": limit}]
    found = {"charging_profile_id": pk, "stack_level": level, "charging_profile_purpose": purpose}
    return found | {"charging_profile_kind": "Absolute", "charging_schedule": schedule} | fields


async def test_a_limit_is_obeyed_and_cleared(central, sim):
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    await sim.charge(1, seconds=10)
    free = sim.find(1).draw().power_w
    assert (await central.peer.call(call.SetChargingProfile(1, profile(10.0)))).status == "Accepted"
    await central.until(lambda: sim.find(1).limit_w is not None)
    assert sim.find(1).draw().power_w == pytest.approx(3 * 230 * 10)
    assert sim.find(1).draw().power_w < free
    assert (await central.peer.call(call.ClearChargingProfile(id=1))).status == "Accepted"
    await central.until(lambda: sim.find(1).limit_w is None)
    assert sim.find(1).draw().power_w == free
    assert (await central.peer.call(call.ClearChargingProfile(id=1))).status == "Unknown"


async def test_a_limit_of_nothing_suspends_the_session(central, sim):
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    await central.peer.call(call.SetChargingProfile(0, profile(0, "ChargePointMaxProfile")))
    await central.until(lambda: central.statuses(1)[-1] == "SuspendedEVSE")
    assert sim.find(1).draw().power_w == 0


async def test_the_same_place_is_taken_over_and_a_session_needs_one_that_runs(central, sim):
    await central.peer.call(call.SetChargingProfile(1, profile(10, pk=1)))
    await central.peer.call(call.SetChargingProfile(1, profile(12, pk=2)))
    assert [one.profile.id for one in sim.profiles.installed] == [2]
    refused = await central.peer.call(call.SetChargingProfile(1, profile(10, "TxProfile", pk=3)))
    assert refused.status == "Rejected"
    told = await central.peer.call(call.GetCompositeSchedule(1, 600, "A"))
    assert told.charging_schedule["charging_schedule_period"] == [{"start_period": 0, "limit": 12}]
    assert (await central.peer.call(call.GetCompositeSchedule(9, 600))).status == "Rejected"


async def test_a_profile_that_came_with_a_start_is_that_of_its_session_and_ends_with_it(central, sim):
    await sim.plug_in(1)
    wanted = profile(8, "TxProfile", charging_profile_kind="Relative")
    del wanted["charging_schedule"]["start_schedule"]
    assert (await central.peer.call(call.RemoteStartTransaction("DEE", 1, wanted))).status == "Accepted"
    await central.until(lambda: central.statuses(1)[-1] == "Charging")
    sim.advance(1)
    assert sim.find(1).draw().power_w == pytest.approx(3 * 230 * 8)
    await sim.stop(1)
    assert sim.profiles.named() == []


async def test_profiles_are_reported_in_pages(central201):
    central = central201
    async with SimulatedStation(central.url, "SIM-0002", protocol="ocpp2.0.1") as station:
        await station.boot()
        for pk in range(1, 4):
            schedule = {"id": 1, "charging_rate_unit": "A", "start_schedule": START}
            schedule["charging_schedule_period"] = [{"start_period": 0, "limit": 10}]
            wanted = {"id": pk, "stack_level": pk, "charging_profile_purpose": "TxDefaultProfile"}
            wanted |= {"charging_profile_kind": "Absolute", "charging_schedule": [schedule]}
            assert (await central.peer.call(call201.SetChargingProfile(1, wanted))).status == "Accepted"
        twin = await central.peer.call(call201.SetChargingProfile(1, wanted | {"id": 9}))
        assert (twin.status, twin.status_info["reason_code"]) == ("Rejected", "DuplicateProfile")
        assert (await central.peer.call(call201.GetChargingProfiles(7, {}))).status == "Accepted"
        await central.until(lambda: len(central.payloads("ReportChargingProfiles")) == 2)
        first, last = central.payloads("ReportChargingProfiles")
        assert [one["id"] for page in (first, last) for one in page["chargingProfile"]] == [1, 2, 3]
        assert (first["tbc"], last["tbc"], last["requestId"]) == (True, False, 7)
        none = await central.peer.call(call201.GetChargingProfiles(8, {"charging_limit_source": ["SO"]}))
        assert none.status == "NoProfiles"
