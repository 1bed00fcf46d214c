"""D: the local authorisation list."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201

CARD, VAN = {"id_token": "CARD", "group": "FAMILY"}, {"id_token": "VAN", "type": "eMAID"}


def local_list(station: Station201, api: Api, **expected: Any) -> Any:
    found = api.one(station, "local-lists/")
    assert {name: found[name] for name in expected} == expected
    return found


def tags(found: Any, api: Api) -> dict[str, tuple[str, str, str]]:
    rows = api.rows(f"local-lists/{found['id']}/entries/")
    return {row["id_tag"]: (row["type"], row["status"], row["group"]) for row in rows}


def sent(station: Station201, api: Api, update: str, *entries: dict[str, Any]) -> Any:
    asked = api.command(station, "send_local_list", {"update": update, "entries": list(entries)})
    call = station.expect("SendLocalList", updateType=update.capitalize())
    station.answer(status="Accepted")
    api.becomes(asked, "confirmed")
    return call


@case("2.0.1", "TC_D_01_CSMS", requirement="OCPP 2.0.1 D01")
def test_the_whole_list_is_sent_and_known(station: Station201, api: Api) -> None:
    call = sent(station, api, "full", CARD, VAN)
    assert call["versionNumber"] > 0
    assert call["localAuthorizationList"] == [
        {
            "idToken": {"idToken": "CARD", "type": "ISO14443"},
            "idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": "FAMILY", "type": "Central"}},
        },
        {"idToken": {"idToken": "VAN", "type": "eMAID"}, "idTokenInfo": {"status": "Accepted"}},
    ]
    found = local_list(station, api, state="in_step", version=call["versionNumber"], entries=2)
    assert tags(found, api) == {"CARD": ("ISO14443", "Accepted", "FAMILY"), "VAN": ("eMAID", "Accepted", "")}


@case("2.0.1", "TC_D_02_CSMS", requirement="OCPP 2.0.1 D01")
def test_a_difference_adds_and_changes(station: Station201, api: Api) -> None:
    first = sent(station, api, "full", CARD)
    second = sent(station, api, "differential", CARD | {"status": "Blocked"}, VAN)
    assert second["versionNumber"] > first["versionNumber"]
    found = local_list(station, api, state="in_step", version=second["versionNumber"], entries=2)
    assert tags(found, api) == {"CARD": ("ISO14443", "Blocked", "FAMILY"), "VAN": ("eMAID", "Accepted", "")}


@case("2.0.1", "TC_D_03_CSMS", requirement="OCPP 2.0.1 D01")
def test_a_difference_takes_off(station: Station201, api: Api) -> None:
    first = sent(station, api, "full", CARD, VAN)
    second = sent(station, api, "differential", {"id_token": "VAN", "type": "eMAID", "remove": True})
    assert second["versionNumber"] > first["versionNumber"]
    assert second["localAuthorizationList"] == [{"idToken": {"idToken": "VAN", "type": "eMAID"}}]
    assert list(tags(local_list(station, api, version=second["versionNumber"], entries=1), api)) == ["CARD"]


@case("2.0.1", "TC_D_04_CSMS", requirement="OCPP 2.0.1 D01")
def test_an_empty_whole_list_clears_it(station: Station201, api: Api) -> None:
    first = sent(station, api, "full", CARD)
    second = sent(station, api, "full")
    assert "localAuthorizationList" not in second
    assert second["versionNumber"] > first["versionNumber"]
    assert tags(local_list(station, api, version=second["versionNumber"], entries=0), api) == {}


@case("2.0.1", "TC_D_08_CSMS", requirement="OCPP 2.0.1 D02")
def test_the_version_is_asked_and_compared(station: Station201, api: Api) -> None:
    call = sent(station, api, "full", CARD)
    asked = api.command(station, "get_local_list_version")
    station.expect("GetLocalListVersion")
    station.answer(versionNumber=call["versionNumber"])
    api.becomes(asked, "confirmed")
    local_list(station, api, reported_version=call["versionNumber"], state="in_step", error="")


@case("2.0.1", "TC_D_09_CSMS", requirement="OCPP 2.0.1 D02")
def test_a_station_without_a_list_has_version_0(station: Station201, api: Api) -> None:
    call = sent(station, api, "full", CARD)
    asked = api.command(station, "get_local_list_version")
    station.expect("GetLocalListVersion")
    station.answer(versionNumber=0)
    api.becomes(asked, "confirmed")
    # It has lost what it was sent, which is due again.
    found = local_list(station, api, reported_version=0, state="waiting", version=call["versionNumber"])
    assert found["due_at"]
