"""N: what a station watches, and what it noticed. Its logs are in `test_diagnostics`."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201, ago

EVSE: dict[str, Any] = {"name": "EVSE", "evse": {"id": 1}}
TEMPERATURE: dict[str, Any] = {"component": EVSE, "variable": {"name": "Temperature"}}
POWER: dict[str, Any] = {"component": {"name": "ChargingStation"}, "variable": {"name": "Power"}}
ENTRY: dict[str, Any] = {"component": "EVSE", "evse": 1, "variable": "Temperature"}


def monitor(number: int, *, type: str = "UpperThreshold", value: float = 70, severity: int = 3, **name: Any) -> dict[str, Any]:
    one = {"id": number, "type": type, "value": value, "severity": severity, "transaction": False}
    return TEMPERATURE | name | {"variableMonitoring": [one]}


def page(station: Station201, request_id: int, number: int, *monitors: dict[str, Any], more: bool = False) -> None:
    payload = {"requestId": request_id, "seqNo": number, "generatedAt": ago(0), "tbc": more}
    assert station.call("NotifyMonitoringReport", payload | ({"monitor": list(monitors)} if monitors else {})) == {}


def has(station: Station201, api: Api, *monitors: dict[str, Any]) -> None:
    """The station is asked for its monitors, and has these."""
    asked = api.command(station, "get_monitoring_report")
    number = station.expect("GetMonitoringReport")["requestId"]
    station.answer(status="Accepted")
    page(station, number, 0, *monitors)
    api.becomes(asked, "confirmed")


def notify(station: Station201, number: int, value: str, *, trigger: str = "Alerting", monitor: int = 1, **more: Any) -> None:
    data = {
        **TEMPERATURE,
        **{"eventId": number, "timestamp": ago(60 - number), "trigger": trigger, "actualValue": value},
        **{"eventNotificationType": "CustomMonitor", "variableMonitoringId": monitor},
    }
    assert station.call("NotifyEvent", generatedAt=ago(0), seqNo=0, eventData=[data | more]) == {}


def reported(station: Station201, api: Api, params: dict[str, Any], **call: Any) -> None:
    """A report of monitors that is narrowed so: in the CALL, and in what the API then has."""
    asked = api.command(station, "get_monitoring_report", params)
    said = station.expect("GetMonitoringReport", **call)
    assert {"monitoringCriteria", "componentVariable"} & said.keys() == set(call)
    station.answer(status="Accepted")
    api.becomes(asked, "accepted")
    page(station, said["requestId"], 1, monitor(2, type="LowerThreshold", value=-5, variable={"name": "Current"}))
    assert api.get(f"reports/{asked}/")["missing"] == "0"
    page(station, said["requestId"], 0, monitor(1), more=True)
    api.becomes(asked, "confirmed")
    assert api.get(f"reports/{asked}/")["status"] == "complete"
    first, second = sorted(api.of(station, "monitors/"), key=lambda row: row["monitor_id"])
    assert (first["monitor_id"], first["component"], first["evse"], first["variable"]) == (1, "EVSE", 1, "Temperature")
    assert (first["type"], first["value"], first["severity"], first["known"]) == ("UpperThreshold", 70, 3, True)
    assert (second["type"], second["value"], second["variable"]) == ("LowerThreshold", -5, "Current")


@case("2.0.1", "TC_N_01_CSMS", requirement="OCPP 2.0.1 N02")
def test_monitors_by_criteria(station: Station201, api: Api) -> None:
    criteria = ["ThresholdMonitoring", "DeltaMonitoring", "PeriodicMonitoring"]
    reported(station, api, {"criteria": criteria}, monitoringCriteria=criteria)


@case("2.0.1", "TC_N_02_CSMS", requirement="OCPP 2.0.1 N02")
def test_monitors_of_a_variable(station: Station201, api: Api) -> None:
    reported(station, api, {"variables": [ENTRY]}, componentVariable=[TEMPERATURE])


@case("2.0.1", "TC_N_03_CSMS", requirement="OCPP 2.0.1 N02")
def test_monitors_by_criteria_of_a_variable(station: Station201, api: Api) -> None:
    params = {"criteria": ["ThresholdMonitoring"], "variables": [ENTRY]}
    reported(station, api, params, monitoringCriteria=["ThresholdMonitoring"], componentVariable=[TEMPERATURE])


@case("2.0.1", "TC_N_60_CSMS", requirement="OCPP 2.0.1 N02")
def test_monitors_by_criteria_of_several_variables(station: Station201, api: Api) -> None:
    params = {"criteria": ["DeltaMonitoring"], "variables": [ENTRY, {"component": "ChargingStation", "variable": "Power"}]}
    reported(station, api, params, monitoringCriteria=["DeltaMonitoring"], componentVariable=[TEMPERATURE, POWER])


@case("2.0.1", "TC_N_47_CSMS", requirement="OCPP 2.0.1 N02")
def test_all_monitors(station: Station201, api: Api) -> None:
    reported(station, api, {})
    # What a report of all has no more is gone.
    has(station, api, monitor(1))
    assert {row["monitor_id"]: row["known"] for row in api.of(station, "monitors/")} == {1: True, 2: False}


@case("2.0.1", "TC_N_05_CSMS", requirement="OCPP 2.0.1 N03")
def test_a_monitoring_base(station: Station201, api: Api) -> None:
    for base in ("All", "FactoryDefault", "HardWiredOnly"):
        asked = api.command(station, "set_monitoring_base", {"base": base})
        station.expect("SetMonitoringBase", monitoringBase=base)
        station.answer(status="Accepted")
        api.becomes(asked, "confirmed")
        assert api.one(station, "monitoring/")["base"] == base
    asked = api.command(station, "set_monitoring_base", {"base": "All"})
    station.expect("SetMonitoringBase")
    station.answer(status="NotSupported")
    api.becomes(asked, "rejected")
    assert api.one(station, "monitoring/")["base"] == "HardWiredOnly"


WANTED: dict[str, Any] = ENTRY | {"type": "UpperThreshold", "value": 80.5, "severity": 4}
CALLED: dict[str, Any] = TEMPERATURE | {"type": "UpperThreshold", "value": 80.5, "severity": 4}


def result(called: dict[str, Any], status: str = "Accepted", **more: Any) -> dict[str, Any]:
    return {name: called[name] for name in ("component", "variable", "type", "severity")} | {"status": status} | more


@case("2.0.1", "TC_N_08_CSMS", requirement="OCPP 2.0.1 N04")
def test_one_monitor_is_set(station: Station201, api: Api) -> None:
    asked = api.command(station, "set_variable_monitoring", {"monitors": [WANTED]})
    station.expect("SetVariableMonitoring", setMonitoringData=[CALLED])
    station.answer(setMonitoringResult=[result(CALLED, id=31)])
    api.becomes(asked, "confirmed")
    row = api.one(station, "monitors/")
    assert (row["monitor_id"], row["value"], row["severity"], row["origin"]) == (31, 80.5, 4, "custom")


@case("2.0.1", "TC_N_09_CSMS", requirement="OCPP 2.0.1 N04")
def test_several_monitors_are_set(station: Station201, api: Api) -> None:
    other = {"component": "ChargingStation", "variable": "Power", "type": "Delta", "value": 500, "severity": 8}
    asked = api.command(station, "set_variable_monitoring", {"monitors": [WANTED, other]})
    first, second = station.expect("SetVariableMonitoring")["setMonitoringData"]
    assert (first, second["component"], second["type"]) == (CALLED, {"name": "ChargingStation"}, "Delta")
    station.answer(setMonitoringResult=[result(first, "UnknownVariable"), result(second, id=32)])
    assert "Temperature: UnknownVariable" in api.becomes(asked, "rejected")["detail"]
    row = api.one(station, "monitors/")
    assert (row["monitor_id"], row["variable"], row["value"]) == (32, "Power", 500)


@case("2.0.1", "TC_N_16_CSMS", requirement="OCPP 2.0.1 N05")
def test_a_monitoring_level(station: Station201, api: Api) -> None:
    asked = api.command(station, "set_monitoring_level", {"severity": 4})
    station.expect("SetMonitoringLevel", severity=4)
    station.answer(status="Accepted")
    api.becomes(asked, "confirmed")
    assert api.one(station, "monitoring/")["level"] == 4


@case("2.0.1", "TC_N_17_CSMS", inferred=True)
def test_a_monitoring_level_out_of_range(station: Station201, api: Api) -> None:
    """It is refused here, with its reason, before a station hears of it; and a station may refuse one, too."""
    path = f"stations/{station.identity}/commands/"
    refused = api.post(path, {"command": "set_monitoring_level", "params": {"severity": 10}}, status=400)
    assert "from 0 to 9" in refused["detail"]
    asked = api.command(station, "set_monitoring_level", {"severity": 9})
    station.expect("SetMonitoringLevel", severity=9)
    station.answer(status="Rejected", statusInfo={"reasonCode": "ValueOutOfRange"})
    assert api.becomes(asked, "rejected")["detail"] == "Rejected ValueOutOfRange"
    assert api.one(station, "monitoring/")["level"] is None


@case("2.0.1", "TC_N_18_CSMS", requirement="OCPP 2.0.1 N06 (MonitoringCtrlr.ItemsPerMessage)")
def test_no_more_monitors_are_cleared_at_once_than_the_station_takes(station: Station201, api: Api) -> None:
    has(station, api, *(monitor(number) for number in (1, 2, 3)))
    name = {"component": "MonitoringCtrlr", "variable": "ItemsPerMessage", "variable_instance": "ClearVariableMonitoring"}
    read = api.command(station, "get_variables", {"variables": [name]})
    (wanted,) = station.expect("GetVariables")["getVariableData"]
    station.answer(getVariableResult=[wanted | {"attributeStatus": "Accepted", "attributeValue": "2"}])
    api.becomes(read, "confirmed")
    asked = api.command(station, "clear_variable_monitoring", {"ids": [1, 2, 3]})
    for ids in ([1, 2], [3]):
        station.expect("ClearVariableMonitoring", id=ids)
        station.answer(clearMonitoringResult=[{"id": number, "status": "Accepted"} for number in ids])
    api.becomes(asked, "confirmed")
    assert [row["known"] for row in api.of(station, "monitors/")] == [False] * 3


@case("2.0.1", "TC_N_44_CSMS", requirement="OCPP 2.0.1 N06")
def test_a_monitor_that_cannot_be_cleared(station: Station201, api: Api) -> None:
    has(station, api, monitor(1), monitor(2))
    asked = api.command(station, "clear_variable_monitoring", {"ids": [1, 2]})
    station.expect("ClearVariableMonitoring", id=[1, 2])
    station.answer(clearMonitoringResult=[{"id": 1, "status": "Rejected"}, {"id": 2, "status": "Accepted"}])
    assert api.becomes(asked, "rejected")["detail"] == "1: Rejected"
    assert {row["monitor_id"]: row["known"] for row in api.of(station, "monitors/")} == {1: True, 2: False}


@case("2.0.1", "TC_N_21_CSMS", requirement="OCPP 2.0.1 N07")
def test_an_alert_of_a_hard_wired_monitor(station: Station201, api: Api) -> None:
    has(station, api, monitor(1, severity=1))
    notify(station, 1, "91", eventNotificationType="HardWiredMonitor", techCode="E7", techInfo="Fan", transactionId="tx-1")
    row = api.one(station, "monitor-events/")
    assert (row["open"], row["severity"], row["value"], row["notification"]) == (True, 1, "91", "HardWiredMonitor")
    assert (row["event_id"], row["tech_code"], row["tech_info"], row["ocpp_transaction_id"]) == (1, "E7", "Fan", "tx-1")
    assert api.one(station, "monitors/")["origin"] == "hard_wired"
    notify(station, 2, "50", eventNotificationType="HardWiredMonitor", cleared=True, cause=1)
    assert api.of(station, "monitor-events/", open="true") == []
    newest, first = api.of(station, "monitor-events/")
    assert (newest["cleared"], newest["cause_id"], first["closed_because"]) == (True, 1, "cleared")


def periodic(station: Station201, api: Api, type: str) -> None:
    wanted = ENTRY | {"type": type, "value": 60, "severity": 9}
    asked = api.command(station, "set_variable_monitoring", {"monitors": [wanted]})
    (called,) = station.expect("SetVariableMonitoring")["setMonitoringData"]
    assert (called["type"], called["value"]) == (type, 60)
    station.answer(setMonitoringResult=[result(called, id=7)])
    api.becomes(asked, "confirmed")
    for number, value in enumerate(("20", "21"), start=1):
        notify(station, number, value, trigger="Periodic", monitor=7)
    rows = api.of(station, "monitor-events/")
    assert [(row["value"], row["trigger"], row["severity"], row["open"]) for row in rows] == [
        ("21", "Periodic", 9, False),
        ("20", "Periodic", 9, False),
    ]


@case("2.0.1", "TC_N_24_CSMS", requirement="OCPP 2.0.1 N08")
def test_periodic_events_of_a_monitor_that_was_set(station: Station201, api: Api) -> None:
    periodic(station, api, "Periodic")


@case("2.0.1", "TC_N_50_CSMS", requirement="OCPP 2.0.1 N07")
def test_periodic_events_by_the_clock(station: Station201, api: Api) -> None:
    periodic(station, api, "PeriodicClockAligned")


@case("2.0.1", "TC_N_48_CSMS", inferred=True)
def test_an_alert_about_a_variable_that_can_only_be_written(station: Station201, api: Api) -> None:
    """Its value is not told: the event says that something happened to it."""
    has(station, api, monitor(5, type="Delta", value=1, component={"name": "SecurityCtrlr"}, variable={"name": "Password"}))
    named = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "Password"}}
    notify(station, 1, "", trigger="Delta", monitor=5, **named)
    row = api.one(station, "monitor-events/")
    assert (row["component"], row["variable"], row["value"], row["severity"]) == ("SecurityCtrlr", "Password", "", 3)


@case("2.0.1", "TC_N_49_CSMS", inferred=True)
def test_a_threshold_alert_that_is_over_after_a_restart(station: Station201, api: Api) -> None:
    """The station comes back and says that it is over, by a monitor that has another number now."""
    has(station, api, monitor(1))
    notify(station, 1, "91")
    assert api.one(station, "monitor-events/", open="true")["monitor_id"] == 1
    station.dial().boot("RemoteReset")
    notify(station, 1, "22", cleared=True, monitor=14, timestamp=ago(0))
    assert api.of(station, "monitor-events/", open="true") == []
    has(station, api, monitor(14))
    assert {row["monitor_id"]: row["known"] for row in api.of(station, "monitors/")} == {1: False, 14: True}
