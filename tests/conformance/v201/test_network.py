"""Chapter B09: another network connection profile."""

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201

PROFILE = {"slot": 1, "url": "wss://csms.example.com/ocpp", "security_profile": 2, "interface": "Wired0", "message_timeout_s": 30}


def set_profile(station: Station201, api: Api, status: str) -> int:
    asked = api.command(station, "set_network_profile", PROFILE)
    told = station.expect("SetNetworkProfile", configurationSlot=1)["connectionData"]
    assert (told["ocppCsmsUrl"], told["securityProfile"], told["ocppInterface"]) == (PROFILE["url"], 2, "Wired0")
    assert (told["ocppVersion"], told["ocppTransport"], told["messageTimeout"]) == ("OCPP20", "JSON", 30)
    station.answer(status=status)
    return asked


@case("2.0.1", "TC_B_42_CSMS", requirement="OCPP 2.0.1 B09")
def test_a_profile_is_taken(station: Station201, api: Api) -> None:
    api.becomes(set_profile(station, api, "Accepted"), "confirmed")
    kept = api.one(station, "network-profiles/", slot=1)
    assert (kept["url"], kept["security_profile"], kept["interface"]) == (PROFILE["url"], 2, "Wired0")


@case("2.0.1", "TC_B_44_CSMS", requirement="OCPP 2.0.1 B09")
def test_a_profile_that_fails_is_not_kept(station: Station201, api: Api) -> None:
    row = api.becomes(set_profile(station, api, "Failed"), "rejected")
    assert (row["detail"], row["response"]) == ("Failed", {"status": "Failed"})
    assert api.of(station, "network-profiles/") == []
