"""Tags that may not charge, and the station's cache."""

from datetime import UTC, datetime
from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station16
from tests.network import Network


def refused(station: Station16, api: Api, tag: str, wire: str, stored: str) -> None:
    """Neither alone nor with a start; what was started all the same is kept."""
    assert station.call("Authorize", idTag=tag)["idTagInfo"]["status"] == wire
    assert api.of(station, "transactions/") == []
    answer: Any = station.start(tag)
    assert answer["idTagInfo"]["status"] == wire
    station.stop(answer["transactionId"], 1000, reason="DeAuthorized")
    kept = api.transaction(station)
    assert (kept["authorization_status"], kept["stop_reason"], kept["energy_wh"]) == (stored, "DeAuthorized", 0)


@case("1.6", "TC_023_1_CSMS", requirement="OCPP 1.6 4.1, 4.8")
def test_a_tag_that_nobody_has_is_invalid(station: Station16, api: Api) -> None:
    refused(station, api, "NOBODY", "Invalid", "Unknown")
    assert "token_unknown" in [one["code"] for one in api.of(station, "findings/")]


@case("1.6", "TC_023_2_CSMS", requirement="OCPP 1.6 4.1, 4.8")
def test_an_expired_tag(station: Station16, api: Api, network: Network) -> None:
    network.token("OLD", expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    refused(station, api, "OLD", "Expired", "Expired")


@case("1.6", "TC_023_3_CSMS", requirement="OCPP 1.6 4.1, 4.8")
def test_a_blocked_tag(station: Station16, api: Api, network: Network) -> None:
    network.token("LOST", status="Blocked")
    refused(station, api, "LOST", "Blocked", "Blocked")


@case("1.6", "TC_061_CSMS", requirement="OCPP 1.6 5.4")
def test_the_cache_is_cleared(station: Station16, api: Api) -> None:
    asked = api.raw(station, "ClearCache")
    assert station.expect("ClearCache") == {}
    station.answer(status="Accepted")
    assert api.becomes(asked, "confirmed")["response"] == {"status": "Accepted"}
    asked = api.command(station, "clear_cache")
    station.expect("ClearCache")
    station.answer(status="Rejected")
    api.becomes(asked, "rejected")
