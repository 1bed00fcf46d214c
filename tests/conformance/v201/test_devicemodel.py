"""B: variables and reports of them."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201, ago

CTRLR = "OCPPCommCtrlr"


def named(variable: str, component: str = CTRLR, **more: Any) -> dict[str, Any]:
    return {"component": {"name": component}, "variable": {"name": variable} | more}


def entry(variable: str, component: str = CTRLR, **more: Any) -> dict[str, Any]:
    return {"component": component, "variable": variable} | more


def told(variable: str, value: str, component: str = CTRLR, **traits: Any) -> dict[str, Any]:
    """As a report tells it."""
    attribute = {"type": "Actual", "value": value, "mutability": "ReadWrite"}
    return (
        named(variable, component) | {"variableAttribute": [attribute], "variableCharacteristics": traits}
        if traits
        else (named(variable, component) | {"variableAttribute": [attribute]})
    )


def report(station: Station201, number: int, request_id: int, *data: dict[str, Any], more: bool = False) -> Any:
    page = {"requestId": request_id, "seqNo": number, "generatedAt": ago(0), "tbc": more}
    return station.call("NotifyReport", page | ({"reportData": list(data)} if data else {}))


def limit(station: Station201, message: str, items: int) -> None:
    """The station tells how many it takes at once."""
    variable = {"name": "ItemsPerMessage", "instance": message}
    one = {"component": {"name": "DeviceDataCtrlr"}, "variable": variable, "variableAttribute": [{"value": str(items)}]}
    report(station, 0, 99, one)


@case("2.0.1", "TC_B_06_CSMS", requirement="OCPP 2.0.1 B06")
def test_get_one_variable(station: Station201, api: Api) -> None:
    asked = api.command(station, "get_variables", {"variables": [entry("OfflineThreshold")]})
    call = station.expect("GetVariables")
    assert call["getVariableData"] == [named("OfflineThreshold")]
    station.answer(getVariableResult=[named("OfflineThreshold") | {"attributeStatus": "Accepted", "attributeValue": "60"}])
    api.becomes(asked, "confirmed")
    assert api.variable(station, "OfflineThreshold")["value"] == "60"


@case("2.0.1", "TC_B_07_CSMS", requirement="OCPP 2.0.1 B06")
def test_get_several_variables(station: Station201, api: Api) -> None:
    wanted = [entry("OfflineThreshold"), entry("AuthorizeRemoteStart", "AuthCtrlr"), entry("Odd")]
    asked = api.command(station, "get_variables", {"variables": wanted})
    assert len(station.expect("GetVariables")["getVariableData"]) == 3
    results = [
        named("OfflineThreshold") | {"attributeStatus": "Accepted", "attributeValue": "60"},
        named("AuthorizeRemoteStart", "AuthCtrlr") | {"attributeStatus": "Accepted", "attributeValue": "true"},
        named("Odd") | {"attributeStatus": "UnknownVariable"},
    ]
    station.answer(getVariableResult=results)
    assert "Odd: UnknownVariable" in api.becomes(asked, "confirmed")["detail"]
    assert api.variable(station, "AuthorizeRemoteStart")["value"] == "true"
    assert (api.variable(station, "Odd")["known"], api.variable(station, "Odd")["value"]) == (False, None)


@case("2.0.1", "TC_B_08_CSMS", requirement="OCPP 2.0.1 B06 (DeviceDataCtrlr.ItemsPerMessage)")
def test_get_no_more_variables_than_the_station_takes(station: Station201, api: Api) -> None:
    limit(station, "GetVariables", 2)
    asked = api.command(station, "get_variables", {"variables": [entry(f"V{n}") for n in range(5)]})
    for size in (2, 2, 1):
        data = station.expect("GetVariables")["getVariableData"]
        assert len(data) == size
        station.answer(getVariableResult=[one | {"attributeStatus": "Accepted", "attributeValue": "7"} for one in data])
    api.becomes(asked, "confirmed")
    assert [api.variable(station, f"V{n}")["value"] for n in range(5)] == ["7"] * 5


@case("2.0.1", "TC_B_09_CSMS", requirement="OCPP 2.0.1 B05")
def test_set_one_variable(station: Station201, api: Api) -> None:
    asked = api.command(station, "set_variables", {"variables": [entry("OfflineThreshold", value="120")]})
    call = station.expect("SetVariables")
    assert call["setVariableData"] == [named("OfflineThreshold") | {"attributeValue": "120"}]
    station.answer(setVariableResult=[named("OfflineThreshold") | {"attributeStatus": "Accepted"}])
    api.becomes(asked, "confirmed")
    assert api.variable(station, "OfflineThreshold")["value"] == "120"


@case("2.0.1", "TC_B_10_CSMS", requirement="OCPP 2.0.1 B05")
def test_set_several_variables(station: Station201, api: Api) -> None:
    limit(station, "SetVariables", 2)
    values = {"A": "1", "B": "2", "C": "3"}
    asked = api.command(station, "set_variables", {"variables": [entry(name, value=value) for name, value in values.items()]})
    for size in (2, 1):
        data = station.expect("SetVariables")["setVariableData"]
        assert len(data) == size
        results = [{name: one[name] for name in ("component", "variable")} | {"attributeStatus": "Accepted"} for one in data]
        station.answer(setVariableResult=results)
    api.becomes(asked, "confirmed")
    assert {name: api.variable(station, name)["value"] for name in values} == values


def base_report(station: Station201, api: Api, base: str) -> None:
    """Pages out of order; the one that is missing is seen to be, until it comes."""
    asked = api.command(station, "get_base_report", {"report": base})
    number = station.expect("GetBaseReport", reportBase=base)["requestId"]
    station.answer(status="Accepted")
    api.becomes(asked, "accepted")
    report(station, 0, number, told("A", "1", dataType="integer", unit="s", supportsMonitoring=False), more=True)
    report(station, 2, number, told("C", "3", dataType="integer", minLimit=1, maxLimit=9, supportsMonitoring=True))
    row = api.get(f"reports/{asked}/")
    assert (row["status"], row["request_id"], row["pages"], row["missing"]) == ("receiving", number, 2, "1")
    assert api.get(f"commands/{asked}/")["status"] == "accepted"
    report(station, 1, number, told("B", "2"), more=True)
    api.becomes(asked, "confirmed")
    row = api.get(f"reports/{asked}/")
    assert (row["status"], row["pages"], row["missing"], row["items"]) == ("complete", 3, "", 3)
    assert [api.variable(station, name)["value"] for name in "ABC"] == ["1", "2", "3"]
    last = api.variable(station, "C")
    assert (last["lowest"], last["highest"], last["monitorable"], last["data_type"]) == (1, 9, True, "integer")


@case("2.0.1", "TC_B_12_CSMS", requirement="OCPP 2.0.1 B07")
def test_configuration_inventory(station: Station201, api: Api) -> None:
    base_report(station, api, "ConfigurationInventory")


@case("2.0.1", "TC_B_13_CSMS", requirement="OCPP 2.0.1 B07")
def test_full_inventory(station: Station201, api: Api) -> None:
    report(station, 0, 1, told("Gone", "1"))
    base_report(station, api, "FullInventory")
    assert api.variable(station, "Gone")["known"] is False


@case("2.0.1", "TC_B_14_CSMS", requirement="OCPP 2.0.1 B07")
def test_summary_inventory(station: Station201, api: Api) -> None:
    report(station, 0, 1, told("Kept", "1"))
    base_report(station, api, "SummaryInventory")
    assert api.variable(station, "Kept")["known"] is True
    asked = api.command(station, "get_base_report", {"report": "SummaryInventory"})
    station.expect("GetBaseReport")
    station.answer(status="EmptyResultSet")
    assert api.becomes(asked, "confirmed")["detail"] == "EmptyResultSet"
    assert api.get(f"reports/{asked}/")["status"] == "empty"


@case("2.0.1", "TC_B_18_CSMS", requirement="OCPP 2.0.1 B08")
def test_a_report_by_criteria_and_variables(station: Station201, api: Api) -> None:
    params = {"criteria": ["Problem"], "variables": [entry("Available", "EVSE", evse=1), {"component": "ChargingStation"}]}
    asked = api.command(station, "get_report", params)
    component = {"name": "EVSE", "evse": {"id": 1}}
    wanted = [{"component": component, "variable": {"name": "Available"}}, {"component": {"name": "ChargingStation"}}]
    call = station.expect("GetReport", componentCriteria=["Problem"], componentVariable=wanted)
    station.answer(status="Accepted")
    attribute = {"variableAttribute": [{"value": "false"}]}
    report(station, 0, call["requestId"], {"component": component, "variable": {"name": "Available"}} | attribute)
    api.becomes(asked, "confirmed")
    row = api.get(f"reports/{asked}/")
    assert (row["status"], row["about"]["criteria"], row["items"]) == ("complete", ["Problem"], 1)
    found = api.variable(station, "Available")
    assert (found["component"], found["evse"], found["value"]) == ("EVSE", 1, "false")
