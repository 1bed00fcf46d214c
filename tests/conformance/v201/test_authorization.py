"""C: tokens that may and that may not, groups, and the station's cache."""

from datetime import UTC, datetime
from typing import Any

from tests.certificates import hash_data, root
from tests.conformance.api import Api
from tests.conformance.cases import case, later
from tests.conformance.station import Station201
from tests.network import Network


def refused(station: Station201, api: Api, token: str, *statuses: str) -> None:
    """Neither alone nor with a transaction; what was begun all the same is kept, and ends (OCPP 2.0.1 E05)."""
    assert station.authorize(token)["status"] in statuses
    assert api.of(station, "transactions/") == []
    charging = station.transaction()
    answer = charging.started("Authorized", token=token, wh=1000)
    assert answer["idTokenInfo"]["status"] in statuses
    charging.ended("Deauthorized", "DeAuthorized", wh=1000)
    kept = api.transaction(station)
    assert (kept["authorization_status"] in statuses, kept["stop_reason"], kept["energy_wh"]) == (True, "DeAuthorized", 0)


@case("2.0.1", "TC_C_02_CSMS", requirement="OCPP 2.0.1 C01, C04, C06")
def test_a_token_that_nobody_has(station: Station201, api: Api) -> None:
    refused(station, api, "NOBODY", "Invalid", "Unknown")
    assert "token_unknown" in [one["code"] for one in api.of(station, "findings/")]


@case("2.0.1", "TC_C_06_CSMS", requirement="OCPP 2.0.1 C01")
def test_a_blocked_token(station: Station201, api: Api, network: Network) -> None:
    network.token("LOST", status="Blocked")
    refused(station, api, "LOST", "Blocked")


@case("2.0.1", "TC_C_07_CSMS", requirement="OCPP 2.0.1 C01")
def test_an_expired_token(station: Station201, api: Api, network: Network) -> None:
    network.token("OLD", expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    refused(station, api, "OLD", "Expired")


@case("2.0.1", "TC_C_08_CSMS", requirement="OCPP 2.0.1 C12")
def test_a_cached_token_is_checked_with_the_transaction(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD", expires_at=datetime(2036, 1, 1, tzinfo=UTC))
    answer = station.transaction().started("Authorized", token="CARD", wh=1000)
    # How long the station may keep it comes with the answer.
    assert (answer["idTokenInfo"]["status"], answer["idTokenInfo"]["cacheExpiryDateTime"][:4]) == ("Accepted", "2036")
    kept = api.transaction(station)
    assert (kept["id_tag"], kept["authorization_status"], kept["status"]) == ("CARD", "Accepted", "active")


@case("2.0.1", "TC_C_20_CSMS", inferred=True)
def test_a_token_that_is_cached_as_invalid_is_asked_for_again(station: Station201, api: Api, network: Network) -> None:
    assert station.authorize("CARD")["status"] in ("Invalid", "Unknown")
    network.token("CARD")
    assert station.authorize("CARD")["status"] == "Accepted"
    station.transaction().started("Authorized", token="CARD", wh=1000)
    assert api.transaction(station)["authorization_status"] == "Accepted"


def clear(station: Station201, api: Api, status: str, becomes: str) -> None:
    asked = api.command(station, "clear_cache")
    assert station.expect("ClearCache") == {}
    station.answer(status=status)
    assert api.becomes(asked, becomes)["response"] == {"status": status}


@case("2.0.1", "TC_C_37_CSMS", requirement="OCPP 2.0.1 C11")
def test_the_cache_is_cleared(station: Station201, api: Api) -> None:
    clear(station, api, "Accepted", "confirmed")


@case("2.0.1", "TC_C_38_CSMS", requirement="OCPP 2.0.1 C11")
def test_a_cache_that_is_not_cleared(station: Station201, api: Api) -> None:
    clear(station, api, "Rejected", "rejected")


def of_group(info: dict[str, Any], name: str = "FLEET") -> tuple[bool, str]:
    """Whether the group is named (OCPP 2.0.1 C09), and the status."""
    return info.get("groupIdToken", {}).get("idToken") == name, info["status"]


def by_a_group(station: Station201, api: Api, network: Network, *, asks: bool) -> None:
    """One member starts, another stops; the station `asks` whether the other one may, or knows."""
    for name in ("CARD", "OTHER"):
        network.token(name, group="FLEET")
    charging = station.transaction()
    assert of_group(charging.started("Authorized", token="CARD", wh=1000)["idTokenInfo"]) == (True, "Accepted")
    if asks:
        assert of_group(station.authorize("OTHER")) == (True, "Accepted")
    ended = charging.ended("StopAuthorized", "Local", token="OTHER", wh=1600)
    assert of_group(ended["idTokenInfo"]) == (True, "Accepted")
    kept = api.transaction(station)
    assert (kept["id_tag"], kept["stopped_by"], kept["energy_wh"], kept["status"]) == ("CARD", "OTHER", 600, "ended")


@case("2.0.1", "TC_C_39_CSMS", requirement="OCPP 2.0.1 C09")
def test_a_member_of_the_group_stops(station: Station201, api: Api, network: Network) -> None:
    assert station.authorize("CARD")["status"] != "Accepted"
    by_a_group(station, api, network, asks=True)


@case("2.0.1", "TC_C_40_CSMS", inferred=True)
def test_a_member_of_the_group_that_the_station_knows_by_its_list_stops(station: Station201, api: Api, network: Network) -> None:
    # Its own list decides at the station: nobody is authorised here.
    by_a_group(station, api, network, asks=False)


@case("2.0.1", "TC_C_43_CSMS", inferred=True)
def test_a_member_of_the_group_that_is_blocked_does_not_stop(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD", group="FLEET")
    network.token("LOST", group="FLEET", status="Blocked")
    charging = station.transaction()
    charging.started("Authorized", token="CARD", wh=1000)
    assert of_group(station.authorize("LOST")) == (True, "Blocked")
    charging.updated("MeterValuePeriodic", wh=1200)
    kept = api.transaction(station)
    assert (kept["status"], kept["id_tag"], kept["energy_wh"]) == ("active", "CARD", 200)


def by_a_master_pass(station: Station201, api: Api, network: Network, evses: tuple[int, ...], stopped: tuple[int, ...]) -> None:
    """A token of the group that the station knows as its master pass stops what somebody else began."""
    network.token("CARD")
    network.token("MASTER", group="MASTERPASS")
    running = {evse: station.transaction(evse) for evse in evses}
    for charging in running.values():
        charging.started("CablePluggedIn", token="CARD", wh=1000)
    assert of_group(station.authorize("MASTER"), "MASTERPASS") == (True, "Accepted")
    for evse in stopped:
        ended = running[evse].ended("StopAuthorized", "MasterPass", token="MASTER", wh=1300)
        assert of_group(ended["idTokenInfo"], "MASTERPASS") == (True, "Accepted")
    kept = {row["evse"]: row for row in api.of(station, "transactions/")}
    assert {evse: kept[evse]["status"] for evse in evses} == {evse: "ended" if evse in stopped else "active" for evse in evses}
    for evse in stopped:
        assert (kept[evse]["stop_reason"], kept[evse]["stopped_by"], kept[evse]["id_tag"]) == ("MasterPass", "MASTER", "CARD")


@case("2.0.1", "TC_C_47_CSMS", inferred=True)
def test_a_master_pass_stops_all(station: Station201, api: Api, network: Network) -> None:
    by_a_master_pass(station, api, network, (1, 2), (1, 2))


@case("2.0.1", "TC_C_48_CSMS", inferred=True)
def test_a_master_pass_stops_one_of_them(station: Station201, api: Api, network: Network) -> None:
    by_a_master_pass(station, api, network, (1, 2), (2,))


@case("2.0.1", "TC_C_49_CSMS", inferred=True)
def test_a_master_pass_stops_all_where_there_is_nothing_to_choose_by(station: Station201, api: Api, network: Network) -> None:
    by_a_master_pass(station, api, network, (1,), (1,))


@case("2.0.1", "TC_C_51_CSMS", inferred=True)
def test_a_contract_that_the_station_checked_and_nobody_vouches_for(station: Station201, api: Api, network: Network) -> None:
    network.token("NL-AMB-C12345678-9", type="eMAID")
    named = hash_data(root("A provider")) | {"responderURL": "https://ocsp.example.com/"}
    presented = {"idToken": {"idToken": "NL-AMB-C12345678-9", "type": "eMAID"}, "iso15118CertificateHashData": [named]}
    answer = station.call("Authorize", presented)
    assert (answer["idTokenInfo"]["status"], answer["certificateStatus"]) == ("Invalid", "CertChainError")
    assert "contract_unverifiable" in [one["code"] for one in api.of(station, "findings/")]
    assert api.of(station, "transactions/") == []


CONTRACTS = "Authorize answers that the contract cannot be checked; none is accepted before there is a back end for ISO 15118."
later("2.0.1", "TC_C_50_CSMS", CONTRACTS)
later("2.0.1", "TC_C_52_CSMS", CONTRACTS)
