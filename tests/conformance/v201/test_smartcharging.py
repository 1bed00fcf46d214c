"""Chapter K: charging profiles set, cleared and read."""

from datetime import UTC, datetime

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201
from tests.conformance.v201.charging import charging, get_them, limit_of, profile, set_it, wire
from tests.network import Network

OURS = {"evseId": 1, "chargingProfile": [wire()]}


@case("2.0.1", "TC_K_01_CSMS", inferred=True)
def test_a_default_profile_at_one_evse(station: Station201, api: Api) -> None:
    station.status("Available")
    asked, sent = set_it(station, api, 1, profile(limit=10))
    assert sent["chargingProfilePurpose"] == "TxDefaultProfile"
    assert "transactionId" not in sent
    api.becomes(asked, "confirmed")
    kept = api.one(station, "charging-profiles/")
    assert (kept["evse"], kept["purpose"], kept["profile_id"], kept["state"]) == (1, "TxDefaultProfile", sent["id"], "set")
    assert limit_of(station, api) == [10]


@case("2.0.1", "TC_K_02_CSMS", inferred=True)
def test_a_profile_of_a_session_where_none_runs(station: Station201, api: Api) -> None:
    body = {"command": "set_charging_profile", "params": {"evse": 1, "profile": profile("TxProfile")}}
    status, problem = api.ask("POST", f"stations/{station.identity}/commands/", body)
    assert status == 400
    assert "TxDefaultProfile" in problem["detail"]
    # Sent as it is all the same, the station refuses it, and nothing is kept.
    asked = api.raw(station, "SetChargingProfile", {"evseId": 1, "chargingProfile": wire("TxProfile", transactionId="tx-9")})
    station.expect("SetChargingProfile", evseId=1)
    station.answer(status="Rejected", statusInfo={"reasonCode": "TxNotFound"})
    assert "TxNotFound" in api.becomes(asked, "rejected")["detail"]
    assert api.of(station, "charging-profiles/") == []


@case("2.0.1", "TC_K_03_CSMS", inferred=True)
def test_the_limit_of_the_whole_station(station: Station201, api: Api) -> None:
    station.status("Available")
    asked, sent = set_it(station, api, 0, profile("ChargingStationMaxProfile", 25))
    assert sent["chargingProfilePurpose"] == "ChargingStationMaxProfile"
    api.becomes(asked, "confirmed")
    assert api.one(station, "charging-profiles/")["evse"] == 0
    assert limit_of(station, api, 0) == limit_of(station, api, 1) == [25]


@case("2.0.1", "TC_K_04_CSMS", requirement="OCPP 2.0.1 K01")
def test_a_profile_replaced_by_its_id(station: Station201, api: Api) -> None:
    first, sent = set_it(station, api, 1, profile(limit=10))
    api.becomes(first, "confirmed")
    second, again = set_it(station, api, 1, profile(limit=8, id=sent["id"]))
    assert again["id"] == sent["id"]
    api.becomes(second, "confirmed")
    assert api.one(station, "charging-profiles/")["wanted"]["schedules"][0]["periods"] == [{"start_s": 0, "limit": 8}]


@case("2.0.1", "TC_K_05_CSMS", requirement="OCPP 2.0.1 K10")
def test_clearing_a_profile_by_its_id(station: Station201, api: Api) -> None:
    asked, sent = set_it(station, api, 1, profile())
    api.becomes(asked, "confirmed")
    found = get_them(station, api, {}, {}, {"evseId": 1, "chargingProfile": [wire(id=sent["id"])]})
    assert [one["state"] for one in found] == ["confirmed"]
    asked = api.command(station, "clear_charging_profile", {"profile_id": sent["id"]})
    station.expect("ClearChargingProfile", chargingProfileId=sent["id"], chargingProfileCriteria=None)
    station.answer(status="Accepted")
    api.becomes(asked, "confirmed")
    assert api.of(station, "charging-profiles/") == []


@case("2.0.1", "TC_K_06_CSMS", requirement="OCPP 2.0.1 K10")
def test_clearing_the_profile_of_a_purpose_and_stack_level(station: Station201, api: Api) -> None:
    for evse, wanted in ((1, profile()), (1, profile(stack_level=1, limit=8))):
        api.becomes(set_it(station, api, evse, wanted)[0], "confirmed")
    criteria = {"evse": 1, "purpose": "TxDefaultProfile", "stack_level": 1}
    asked = api.command(station, "clear_charging_profile", criteria)
    named = {"evseId": 1, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 1}
    station.expect("ClearChargingProfile", chargingProfileCriteria=named)
    station.answer(status="Accepted")
    api.becomes(asked, "confirmed")
    assert api.one(station, "charging-profiles/")["stack_level"] == 0


@case("2.0.1", "TC_K_08_CSMS", requirement="OCPP 2.0.1 K10")
def test_clearing_a_profile_that_is_not_there(station: Station201, api: Api) -> None:
    asked = api.command(station, "clear_charging_profile", {"profile_id": 77})
    station.expect("ClearChargingProfile", chargingProfileId=77)
    station.answer(status="Unknown")
    assert api.becomes(asked, "rejected")["detail"] == "Unknown"
    assert api.of(station, "charging-profiles/") == []


@case("2.0.1", "TC_K_10_CSMS", inferred=True)
def test_a_default_profile_at_every_evse(station: Station201, api: Api) -> None:
    station.status("Available", 1)
    station.status("Available", 2)
    asked, _ = set_it(station, api, 0, profile(limit=9))
    api.becomes(asked, "confirmed")
    assert limit_of(station, api, 1) == limit_of(station, api, 2) == [9]


@case("2.0.1", "TC_K_15_CSMS", inferred=True)
def test_a_station_that_has_no_smart_charging(station: Station201, api: Api) -> None:
    asked = api.command(station, "set_charging_profile", {"evse": 1, "profile": profile()})
    station.expect("SetChargingProfile", evseId=1)
    station.error("NotSupported", "No smart charging here")
    assert api.becomes(asked, "failed")["error"]["code"] == "NotSupported"
    assert api.of(station, "charging-profiles/") == []


@case("2.0.1", "TC_K_19_CSMS", requirement="OCPP 2.0.1 K01")
def test_a_profile_that_comes_again_every_day(station: Station201, api: Api) -> None:
    station.status("Available")
    periods = [{"start_s": 0, "limit": 8}, {"start_s": 43_200, "limit": 16}]
    schedule = {"unit": "A", "periods": periods, "start": "2026-01-01T00:00:00Z", "duration_s": 86_400}
    wanted = profile(kind="Recurring", recurrency="Daily", schedules=[schedule])
    asked, sent = set_it(station, api, 1, wanted)
    assert (sent["chargingProfileKind"], sent["recurrencyKind"]) == ("Recurring", "Daily")
    assert sent["chargingSchedule"][0]["startSchedule"] == "2026-01-01T00:00:00Z"
    api.becomes(asked, "confirmed")
    # A whole day of it, from now on: morning and afternoon, whenever it begins.
    morning = datetime.now(UTC).hour < 12
    assert limit_of(station, api)[:2] == ([8, 16] if morning else [16, 8])


@case("2.0.1", "TC_K_29_CSMS", requirement="OCPP 2.0.1 K09")
def test_the_profiles_of_the_whole_station(station: Station201, api: Api) -> None:
    page = {"evseId": 0, "chargingProfile": [wire("ChargingStationMaxProfile")]}
    (found,) = get_them(station, api, {"evse": 0}, {}, page)
    assert (found["evse"], found["purpose"], found["state"]) == (0, "ChargingStationMaxProfile", "found")


@case("2.0.1", "TC_K_30_CSMS", requirement="OCPP 2.0.1 K09")
def test_the_profiles_of_an_evse(station: Station201, api: Api) -> None:
    pages = [OURS, {"evseId": 1, "chargingProfile": [wire(id=6, stackLevel=1)]}]
    found = get_them(station, api, {"evse": 1}, {}, *pages)
    assert sorted(one["profile_id"] for one in found) == [5, 6]


@case("2.0.1", "TC_K_31_CSMS", requirement="OCPP 2.0.1 K09")
def test_all_profiles_and_what_is_gone(station: Station201, api: Api) -> None:
    asked, sent = set_it(station, api, 2, profile())
    api.becomes(asked, "confirmed")
    found = get_them(station, api, {}, {}, OURS)
    # What we set and the station does not report is missing there.
    assert {one["profile_id"]: one["state"] for one in found} == {5: "found", sent["id"]: "missing"}


@case("2.0.1", "TC_K_32_CSMS", requirement="OCPP 2.0.1 K09")
def test_a_profile_by_its_id(station: Station201, api: Api) -> None:
    (found,) = get_them(station, api, {"profile_ids": [5]}, {"chargingProfileId": [5]}, OURS)
    assert found["reported"]["schedules"][0]["periods"] == [{"start_s": 0, "limit": 16}]


@case("2.0.1", "TC_K_33_CSMS", requirement="OCPP 2.0.1 K09")
def test_the_profiles_of_an_evse_and_stack_level(station: Station201, api: Api) -> None:
    (found,) = get_them(station, api, {"evse": 1, "stack_level": 0}, {"stackLevel": 0}, OURS)
    assert (found["evse"], found["stack_level"]) == (1, 0)


@case("2.0.1", "TC_K_34_CSMS", requirement="OCPP 2.0.1 K09")
def test_the_profiles_of_an_evse_by_who_set_them(station: Station201, api: Api) -> None:
    page = {"evseId": 1, "chargingLimitSource": "SO", "chargingProfile": [wire("ChargingStationExternalConstraints")]}
    (found,) = get_them(station, api, {"evse": 1, "sources": ["SO"]}, {"chargingLimitSource": ["SO"]}, page)
    assert (found["source"], found["purpose"]) == ("SO", "ChargingStationExternalConstraints")


@case("2.0.1", "TC_K_35_CSMS", requirement="OCPP 2.0.1 K09")
def test_the_profiles_of_an_evse_and_purpose(station: Station201, api: Api) -> None:
    asked = {"evse": 1, "purpose": "TxDefaultProfile"}
    (found,) = get_them(station, api, asked, {"chargingProfilePurpose": "TxDefaultProfile"}, OURS)
    assert found["purpose"] == "TxDefaultProfile"


@case("2.0.1", "TC_K_36_CSMS", requirement="OCPP 2.0.1 K09")
def test_the_profiles_of_an_evse_purpose_and_stack_level(station: Station201, api: Api) -> None:
    asked = {"evse": 1, "purpose": "TxDefaultProfile", "stack_level": 0}
    criteria = {"chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 0}
    (found,) = get_them(station, api, asked, criteria, OURS)
    assert (found["purpose"], found["stack_level"]) == ("TxDefaultProfile", 0)


@case("2.0.1", "TC_K_37_CSMS", requirement="OCPP 2.0.1 K05")
def test_a_start_with_a_profile(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    station.status("Occupied")
    wanted = {"purpose": "TxProfile", "kind": "Relative", "stack_level": 1}
    wanted["schedules"] = [{"unit": "A", "periods": [{"start_s": 0, "limit": 7}]}]
    asked = api.command(station, "remote_start", {"id_token": "CARD", "evse": 1, "charging_profile": wanted})
    sent = station.expect("RequestStartTransaction", evseId=1)
    assert sent["chargingProfile"]["chargingProfilePurpose"] == "TxProfile"
    assert "transactionId" not in sent["chargingProfile"]
    station.answer(status="Accepted")
    station.transaction(1).started("RemoteStart", token="CARD", info={"remoteStartId": sent["remoteStartId"]})
    api.becomes(asked, "confirmed")
    assert api.one(station, "charging-profiles/")["profile_id"] == sent["chargingProfile"]["id"]
    assert limit_of(station, api) == [7]


def ask_for_composite(station: Station201, api: Api, evse: int, limit: float) -> None:
    asked = api.command(station, "get_composite_schedule", {"evse": evse, "duration_s": 300, "unit": "A"})
    station.expect("GetCompositeSchedule", evseId=evse, duration=300, chargingRateUnit="A")
    told = {"evseId": evse, "duration": 300, "scheduleStart": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    told |= {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}
    station.answer(status="Accepted", schedule=told)
    api.becomes(asked, "confirmed")


@case("2.0.1", "TC_K_43_CSMS", requirement="OCPP 2.0.1 K08")
def test_the_composite_schedule_of_an_evse(station: Station201, api: Api) -> None:
    station.status("Available")
    api.becomes(set_it(station, api, 1, profile(limit=16))[0], "confirmed")
    ask_for_composite(station, api, 1, 16)
    (found,) = api.one(station, "composite-schedules/", evse=1)["schedules"]
    assert found["reported"]["periods"] == [{"start_s": 0, "limit": 16}]
    assert found["reported"]["difference"] == ""
    # It would allow more than it was told to: a finding with both.
    ask_for_composite(station, api, 1, 32)
    (found,) = api.one(station, "composite-schedules/", evse=1)["schedules"]
    assert "16 A" in found["reported"]["difference"]
    assert "32 A" in found["reported"]["difference"]
    assert [one["code"] for one in api.of(station, "findings/") if one["code"].startswith("composite")] == ["composite_above"]


@case("2.0.1", "TC_K_44_CSMS", requirement="OCPP 2.0.1 K08")
def test_the_composite_schedule_of_the_whole_station(station: Station201, api: Api) -> None:
    ask_for_composite(station, api, 0, 63)
    (found,) = api.one(station, "composite-schedules/", evse=0)["schedules"]
    assert found["reported"]["periods"] == [{"start_s": 0, "limit": 63}]


@case("2.0.1", "TC_K_60_CSMS", requirement="OCPP 2.0.1 K01")
def test_a_profile_of_a_session_that_runs(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    events = charging(station, api)
    asked, sent = set_it(station, api, 1, profile("TxProfile", 6))
    assert (sent["chargingProfilePurpose"], sent["transactionId"]) == ("TxProfile", events.id)
    api.becomes(asked, "confirmed")
    assert api.one(station, "charging-profiles/")["transaction"] == events.id
    assert limit_of(station, api) == [6]


@case("2.0.1", "TC_K_70_CSMS", inferred=True)
def test_several_profiles(station: Station201, api: Api) -> None:
    station.status("Available")
    for evse, wanted in (
        (0, profile("ChargingStationMaxProfile", 20)),
        (1, profile(limit=16)),
        (1, profile(limit=10, stack_level=1)),
    ):
        api.becomes(set_it(station, api, evse, wanted)[0], "confirmed")
    kept = api.of(station, "charging-profiles/")
    assert len({one["profile_id"] for one in kept}) == 3
    # The highest stack level counts, below the limit of the whole.
    assert limit_of(station, api) == [10]
    # Another of the same place is refused before it is sent: the station would.
    body = {"command": "set_charging_profile", "params": {"evse": 1, "profile": profile(limit=12, id=999_999)}}
    status, problem = api.ask("POST", f"stations/{station.identity}/commands/", body)
    assert (status, "stack level" in problem["detail"]) == (400, True)
