"""The local authorisation list."""

from typing import Any

from django_scopes import scope, scopes_disabled

from stations.services import localauthlist, locallistwork
from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station16
from tests.network import Network

CARD = {"id_token": "CARD"}


def local_list(station: Station16, api: Api, **expected: Any) -> Any:
    found = api.one(station, "local-lists/")
    assert {name: found[name] for name in expected} == expected
    return found


def tags(found: Any, api: Api) -> dict[str, str]:
    return {row["id_tag"]: row["status"] for row in api.rows(f"local-lists/{found['id']}/entries/")}


def sent(station: Station16, api: Api, update: str, *entries: dict[str, Any], status: str, becomes: str = "confirmed") -> Any:
    asked = api.command(station, "send_local_list", {"update": update, "entries": list(entries)})
    call = station.expect("SendLocalList", updateType=update.capitalize())
    station.answer(status=status)
    api.becomes(asked, becomes)
    return call


@case("1.6", "TC_042_1_CSMS", requirement="OCPP 1.6 5.10")
def test_a_station_that_keeps_no_list_says_so_by_its_version(station: Station16, api: Api) -> None:
    asked = api.command(station, "get_local_list_version")
    station.expect("GetLocalListVersion")
    station.answer(listVersion=-1)
    api.becomes(asked, "confirmed")
    local_list(station, api, reported_version=-1, state="unsupported", version=0)


@case("1.6", "TC_042_2_CSMS", requirement="OCPP 1.6 5.10")
def test_a_station_with_an_empty_list_has_version_0(station: Station16, api: Api) -> None:
    asked = api.command(station, "get_local_list_version")
    station.expect("GetLocalListVersion")
    station.answer(listVersion=0)
    api.becomes(asked, "confirmed")
    local_list(station, api, reported_version=0, entries=0, state="off")


@case("1.6", "TC_043_1_CSMS", requirement="OCPP 1.6 5.15")
def test_a_station_that_keeps_no_list_is_remembered(station: Station16, api: Api) -> None:
    sent(station, api, "full", CARD, status="NotSupported", becomes="rejected")
    found = local_list(station, api, state="unsupported", version=0, entries=0, due_at=None)
    assert "NotSupported" in found["error"]
    assert tags(found, api) == {}


@case("1.6", "TC_043_3_CSMS", requirement="OCPP 1.6 5.15")
def test_after_a_failed_difference_the_whole_list_is_sent(station: Station16, api: Api, network: Network, bells: None) -> None:
    sent(station, api, "full", CARD, status="Accepted")
    sent(station, api, "differential", {"id_token": "VAN"}, status="Failed", becomes="rejected")
    found = local_list(station, api, state="waiting", version=1)
    assert "Failed" in found["error"]
    with scopes_disabled():
        locallistwork.of_operator(operator_id=network.operator.pk)
    call = station.expect("SendLocalList", updateType="Full", listVersion=3)
    assert sorted(one["idTag"] for one in call["localAuthorizationList"]) == ["CARD", "VAN"]
    station.answer(status="Accepted")
    api.until(lambda: api.one(station, "local-lists/")["state"] == "in_step")
    assert tags(local_list(station, api, version=3, entries=2, error=""), api) == {"CARD": "Accepted", "VAN": "Accepted"}


@case("1.6", "TC_043_4_CSMS", requirement="OCPP 1.6 5.15")
def test_the_whole_list_is_sent_and_known(station: Station16, api: Api, network: Network, bells: None) -> None:
    network.token("CARD", group="FAMILY")
    with scope(operator=network.operator):
        localauthlist.set_rule(operator=network.operator, mode="valid")
    with scopes_disabled():
        locallistwork.of_operator(operator_id=network.operator.pk)
    station.expect("GetLocalListVersion")
    station.answer(listVersion=0)
    api.until(lambda: api.one(station, "local-lists/")["reported_version"] == 0)
    with scopes_disabled():
        locallistwork.of_operator(operator_id=network.operator.pk)
    call = station.expect("SendLocalList", updateType="Full")
    assert call["listVersion"] > 0
    assert call["localAuthorizationList"] == [{"idTag": "CARD", "idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}}]
    station.answer(status="Accepted")
    api.until(lambda: api.one(station, "local-lists/")["state"] == "in_step")
    found = local_list(station, api, version=call["listVersion"], entries=1, mode="valid", left_out=0)
    assert tags(found, api) == {"CARD": "Accepted"}


@case("1.6", "TC_043_5_CSMS", requirement="OCPP 1.6 5.15")
def test_a_difference_has_a_higher_version_and_is_known(station: Station16, api: Api) -> None:
    first = sent(station, api, "full", CARD, {"id_token": "OLD"}, status="Accepted")
    asked = api.command(station, "get_local_list_version")
    station.expect("GetLocalListVersion")
    station.answer(listVersion=first["listVersion"])
    api.becomes(asked, "confirmed")
    local_list(station, api, reported_version=first["listVersion"], state="in_step")
    changes = ({"id_token": "OLD", "remove": True}, {"id_token": "CARD", "status": "Blocked"}, {"id_token": "NEW"})
    second = sent(station, api, "differential", *changes, status="Accepted")
    assert second["listVersion"] > first["listVersion"]
    assert {"idTag": "OLD"} in second["localAuthorizationList"]
    found = local_list(station, api, version=second["listVersion"], entries=2)
    assert tags(found, api) == {"CARD": "Blocked", "NEW": "Accepted"}
