"""Chapter K: limits that others set, and what cars that speak ISO 15118 need and choose."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201, ago
from tests.conformance.v201.charging import charging, get_them, limit_of, profile, set_it, wire
from tests.network import Network

AC = {"energyAmount": 20_000, "evMinCurrent": 6, "evMaxCurrent": 16, "evMaxVoltage": 230}
NEEDS = {"requestedEnergyTransfer": "AC_three_phase", "acChargingParameters": AC}


def schedule(limit: float, **fields: Any) -> dict[str, Any]:
    return {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]} | fields


def limited(station: Station201, limit: float, **fields: Any) -> None:
    told = {"chargingLimit": {"chargingLimitSource": "SO", "isGridCritical": True}, "chargingSchedule": [schedule(limit)]}
    assert station.call("NotifyChargingLimit", told | fields) == {}


def need(station: Station201, current: int = 16, **fields: Any) -> Any:
    needs = NEEDS | {"acChargingParameters": AC | {"evMaxCurrent": current}}
    return station.call("NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": needs, "maxScheduleTuples": 3} | fields)["status"]


def offered(station: Station201, transaction: str) -> Any:
    """The limit of the first period that the car is offered."""
    sent = station.expect("SetChargingProfile", evseId=1)["chargingProfile"]
    station.answer(status="Accepted")
    assert (sent["chargingProfilePurpose"], sent["transactionId"]) == ("TxProfile", transaction)
    return sent["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"]


def choose(station: Station201, limit: float) -> None:
    told = {"evseId": 1, "timeBase": ago(0), "chargingSchedule": schedule(limit, duration=3600)}
    # That it was understood says nothing of whether it is agreed to.
    assert station.call("NotifyEVChargingSchedule", told) == {"status": "Accepted"}


@case("2.0.1", "TC_K_48_CSMS", requirement="OCPP 2.0.1 K12")
def test_a_limit_that_somebody_else_set(station: Station201, api: Api) -> None:
    station.status("Available")
    limited(station, 20)
    kept = api.one(station, "charging-limits/")
    assert (kept["evse"], kept["source"], kept["grid_critical"], kept["cleared_at"]) == (0, "SO", True, None)
    assert limit_of(station, api, 0) == [20]
    limited(station, 12)
    assert api.one(station, "charging-limits/")["schedules"][0]["periods"] == [{"start_s": 0, "limit": 12}]
    assert limit_of(station, api, 1) == [12]


@case("2.0.1", "TC_K_50_CSMS", requirement="OCPP 2.0.1 K13")
def test_a_limit_of_somebody_else_released(station: Station201, api: Api) -> None:
    station.status("Available")
    limited(station, 20)
    assert station.call("ClearedChargingLimit", chargingLimitSource="SO") == {}
    assert api.one(station, "charging-limits/")["cleared_at"] is not None
    assert limit_of(station, api, 0) == [None]


@case("2.0.1", "TC_K_51_CSMS", requirement="OCPP 2.0.1 K13")
def test_a_limit_of_somebody_else_released_while_a_car_charges(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    events = charging(station, api)
    limited(station, 8, evseId=1)
    assert limit_of(station, api) == [8]
    assert station.call("ClearedChargingLimit", chargingLimitSource="SO", evseId=1) == {}
    events.updated("ChargingRateChanged", state="Charging")
    assert api.one(station, "charging-limits/")["cleared_at"] is not None
    assert limit_of(station, api) == [None]
    assert api.transaction(station)["charging_state"] == "Charging"


@case("2.0.1", "TC_K_52_CSMS", requirement="OCPP 2.0.1 K12")
def test_a_limit_of_somebody_else_in_a_report(station: Station201, api: Api) -> None:
    station.status("Available")
    external = wire("ChargingStationExternalConstraints", 14, id=9)
    page = {"evseId": 0, "chargingLimitSource": "SO", "chargingProfile": [external]}
    purpose = "ChargingStationExternalConstraints"
    (found,) = get_them(station, api, {"purpose": purpose}, {"chargingProfilePurpose": purpose}, page)
    assert (found["source"], found["purpose"], found["wanted"]) == ("SO", purpose, None)
    assert limit_of(station, api, 1) == [14]
    # It is not ours to clear.
    body = {"command": "clear_charging_profile", "params": {"purpose": purpose}}
    assert api.ask("POST", f"stations/{station.identity}/commands/", body)[0] == 400


@case("2.0.1", "TC_K_53_CSMS", requirement="OCPP 2.0.1 K15")
def test_a_car_that_tells_what_it_needs(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    events = charging(station, api)
    assert need(station) == "Accepted"
    assert offered(station, events.id) == 16
    kept = api.one(station, "ev-charging-needs/")
    assert (kept["mode"], kept["needs"]["energy_wh"], kept["state"]) == ("AC_three_phase", 20_000, "offered")
    choose(station, 16)
    events.updated("ChargingRateChanged", state="Charging")
    chosen = api.one(station, "ev-charging-schedules/")
    assert (chosen["transaction"], chosen["exceeds"]) == (events.id, False)
    api.until(lambda: api.of(station, "charging-profiles/"))
    assert limit_of(station, api) == [16]


@case("2.0.1", "TC_K_55_CSMS", inferred=True)
def test_a_car_that_chooses_more_than_it_may(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    api.becomes(set_it(station, api, 0, profile("ChargingStationMaxProfile", 10))[0], "confirmed")
    charging(station, api)
    choose(station, 16)
    assert api.one(station, "ev-charging-schedules/")["exceeds"] is True
    assert "ev_schedule_above" in [one["code"] for one in api.of(station, "findings/")]
    # It is offered a schedule within the limits.
    assert offered(station, api.transaction(station)["ocpp_transaction_id"]) == 10


@case("2.0.1", "TC_K_57_CSMS", requirement="OCPP 2.0.1 K17")
def test_a_car_that_needs_something_else(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    events = charging(station, api)
    assert need(station, 16) == "Accepted"
    assert offered(station, events.id) == 16
    assert need(station, 10) == "Accepted"
    assert offered(station, events.id) == 10
    choose(station, 10)
    assert api.one(station, "ev-charging-needs/")["needs"]["max_a"] == 10
    assert api.one(station, "ev-charging-schedules/")["exceeds"] is False
    api.until(lambda: limit_of(station, api) == [10])
    assert len(api.of(station, "charging-profiles/")) == 1


@case("2.0.1", "TC_K_58_CSMS", requirement="OCPP 2.0.1 K16")
def test_a_schedule_renegotiated_by_us(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    events = charging(station, api)
    assert need(station) == "Accepted"
    assert offered(station, events.id) == 16
    api.until(lambda: api.of(station, "charging-profiles/"))
    asked, sent = set_it(station, api, 1, profile("TxProfile", 8))
    assert sent["transactionId"] == events.id
    api.becomes(asked, "confirmed")
    choose(station, 8)
    assert api.one(station, "ev-charging-schedules/")["exceeds"] is False
    assert limit_of(station, api) == [8]


@case("2.0.1", "TC_K_59_CSMS", requirement="OCPP 2.0.1 K16")
def test_a_schedule_renegotiated_by_us_after_which_the_car_tells_its_needs(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    events = charging(station, api)
    asked, _ = set_it(station, api, 1, profile("TxProfile", 8))
    api.becomes(asked, "confirmed")
    assert need(station, 16) == "Accepted"
    # What was set for the session stays the most.
    assert offered(station, events.id) == 8
    choose(station, 8)
    assert api.one(station, "ev-charging-needs/")["state"] == "offered"
    assert api.one(station, "ev-charging-schedules/")["schedule"]["periods"] == [{"start_s": 0, "limit": 8}]
