"""Charging profiles."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station16, ago
from tests.network import Network

START = "2026-01-01T00:00:00Z"


def profile(purpose: str = "TxDefaultProfile", limit: float = 16, **fields: Any) -> dict[str, Any]:
    schedule = {"unit": "A", "periods": [{"start_s": 0, "limit": limit}], "start": START}
    return {"purpose": purpose, "kind": "Absolute", "stack_level": 0, "schedules": [schedule]} | fields


def set_it(station: Station16, api: Api, evse: int, wanted: dict[str, Any], status: str = "Accepted") -> tuple[int, Any]:
    """The command, and what the station was sent."""
    asked = api.command(station, "set_charging_profile", {"evse": evse, "profile": wanted})
    sent = station.expect("SetChargingProfile", connectorId=evse)["csChargingProfiles"]
    station.answer(status=status)
    return asked, sent


@case("1.6", "TC_056_CSMS", requirement="OCPP 1.6 5.16")
def test_a_default_profile(station: Station16, api: Api) -> None:
    asked, sent = set_it(station, api, 1, profile(limit=10))
    assert sent["chargingProfilePurpose"] == "TxDefaultProfile"
    assert "transactionId" not in sent
    assert sent["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10}]
    api.becomes(asked, "confirmed")
    kept = api.one(station, "charging-profiles/")
    assert (kept["evse"], kept["purpose"], kept["profile_id"]) == (1, "TxDefaultProfile", sent["chargingProfileId"])
    assert kept["wanted"]["schedules"][0]["periods"] == [{"start_s": 0, "limit": 10}]


@case("1.6", "TC_057_CSMS", requirement="OCPP 1.6 5.16")
def test_a_profile_of_a_session(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    transaction = station.start("CARD", timestamp=ago(5))["transactionId"]
    asked, sent = set_it(station, api, 1, profile("TxProfile", 6))
    # It names the session that runs there, though nobody did.
    assert (sent["chargingProfilePurpose"], sent["transactionId"]) == ("TxProfile", transaction)
    api.becomes(asked, "confirmed")
    assert api.one(station, "charging-profiles/")["transaction"] == str(transaction)
    (found,) = api.one(station, "composite-schedules/", evse=1)["schedules"]
    assert [one["limit"] for one in found["periods"]] == [6]


@case("1.6", "TC_059_CSMS", requirement="OCPP 1.6 5.11")
def test_a_start_with_a_profile(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    station.status("Preparing")
    wanted = {"purpose": "TxProfile", "kind": "Relative", "stack_level": 1}
    wanted["schedules"] = [{"unit": "A", "periods": [{"start_s": 0, "limit": 8}]}]
    asked = api.command(station, "remote_start", {"id_token": "CARD", "evse": 1, "charging_profile": wanted})
    sent = station.expect("RemoteStartTransaction", idTag="CARD", connectorId=1)["chargingProfile"]
    assert sent["chargingProfilePurpose"] == "TxProfile"
    assert "transactionId" not in sent
    station.answer(status="Accepted")
    station.start("CARD")
    api.becomes(asked, "confirmed")
    kept = api.one(station, "charging-profiles/")
    assert (kept["purpose"], kept["evse"], kept["profile_id"]) == ("TxProfile", 1, sent["chargingProfileId"])
    (found,) = api.one(station, "composite-schedules/", evse=1)["schedules"]
    assert [one["limit"] for one in found["periods"]] == [8]


@case("1.6", "TC_066_CSMS", requirement="OCPP 1.6 5.7")
def test_the_composite_schedule(station: Station16, api: Api) -> None:
    set_it(station, api, 1, profile(limit=16))
    asked = api.command(station, "get_composite_schedule", {"evse": 1, "duration_s": 300, "unit": "A"})
    station.expect("GetCompositeSchedule", connectorId=1, duration=300, chargingRateUnit="A")
    told = {"chargingRateUnit": "A", "duration": 300, "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}]}
    station.answer(status="Accepted", connectorId=1, scheduleStart=ago(0), chargingSchedule=told)
    api.becomes(asked, "confirmed")
    (found,) = api.one(station, "composite-schedules/", evse=1)["schedules"] or [{}]
    assert found["reported"]["periods"] == [{"start_s": 0, "limit": 16}]
    assert found["reported"]["difference"] == ""
    assert found["reported"]["ours"] == [{"start_s": 0, "limit": 16}]


@case("1.6", "TC_067_CSMS", requirement="OCPP 1.6 5.5")
def test_clearing_profiles(station: Station16, api: Api) -> None:
    first, sent = set_it(station, api, 1, profile())
    api.becomes(first, "confirmed")
    second, _ = set_it(station, api, 0, profile("ChargingStationMaxProfile", 32))
    api.becomes(second, "confirmed")
    assert len(api.of(station, "charging-profiles/")) == 2
    asked = api.command(station, "clear_charging_profile", {"profile_id": sent["chargingProfileId"]})
    station.expect("ClearChargingProfile", id=sent["chargingProfileId"])
    station.answer(status="Accepted")
    api.becomes(asked, "confirmed")
    assert api.one(station, "charging-profiles/")["purpose"] == "ChargingStationMaxProfile"
    asked = api.command(station, "clear_charging_profile", {"purpose": "ChargingStationMaxProfile", "stack_level": 0})
    station.expect("ClearChargingProfile", chargingProfilePurpose="ChargePointMaxProfile", stackLevel=0)
    # It knows none such: then none is there.
    station.answer(status="Unknown")
    api.becomes(asked, "rejected")
    assert api.of(station, "charging-profiles/") == []
