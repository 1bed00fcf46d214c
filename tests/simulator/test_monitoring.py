"""Monitors, reports and customers of a simulated 2.0.1 station (OCPP 2.0.1 B08, N), against a foreign CSMS."""

import pytest
from ocpp.v201 import call

from tests.simulator.test_v201 import TOKEN, station

HOT = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Temperature"}}
MONITOR = HOT | {"type": "UpperThreshold", "value": 30.0, "severity": 4}


@pytest.fixture
async def sim(central201):
    async with station(central201) as running:
        await running.boot()
        yield running


async def sets(central, *monitors):
    answer = await central.peer.call(call.SetVariableMonitoring(list(monitors)))
    return [(one["status"], one.get("id")) for one in answer.set_monitoring_result]


def noticed(central):
    return [event for payload in central.payloads("NotifyEvent") for event in payload["eventData"]]


async def monitors_of(central, request_id=5, **narrowed):
    """The numbers of the monitors that a report tells of, and the answer."""
    answer = await central.peer.call(call.GetMonitoringReport(request_id, **narrowed))
    if answer.status != "Accepted":
        return answer.status
    ended = lambda: any(p["requestId"] == request_id and not p["tbc"] for p in central.payloads("NotifyMonitoringReport"))  # noqa: E731
    await central.until(ended)
    pages = [p for p in central.payloads("NotifyMonitoringReport") if p["requestId"] == request_id]
    return sorted(one["id"] for page in pages for entry in page["monitor"] for one in entry["variableMonitoring"])


async def test_a_threshold_that_is_crossed_is_told_and_cleared(central201, sim):
    assert await sets(central201, MONITOR) == [("Accepted", 1000)]
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    await sim.charge(1, seconds=20)
    await sim.stop(1)
    sim.advance(1)
    await central201.until(lambda: len(noticed(central201)) == 2)
    begun, over = noticed(central201)
    assert (begun["trigger"], begun["variableMonitoringId"], "cleared" in begun, over["cleared"]) == ("Alerting", 1000, False, True)
    assert (float(begun["actualValue"]) > 30, over["actualValue"]) == (True, "20.0")
    assert begun["transactionId"]


async def test_a_fault_is_told_by_what_is_built_in(central201, sim):
    await sim.fault(2, "GroundFailure")
    await sim.recover(2)
    await central201.until(lambda: len(noticed(central201)) == 2)
    begun, over = noticed(central201)
    assert (begun["eventNotificationType"], begun["actualValue"], begun["techCode"]) == (
        "HardWiredMonitor",
        "true",
        "GroundFailure",
    )
    assert (over["cleared"], over["actualValue"]) == (True, "false")


async def test_what_is_less_severe_than_the_level_is_not_told(central201, sim):
    assert (await central201.peer.call(call.SetMonitoringLevel(1))).status == "Accepted"
    assert (await central201.peer.call(call.SetMonitoringLevel(10))).status == "Rejected"
    await sim.fault(2, "GroundFailure")
    await sim.heartbeat()
    assert noticed(central201) == []


async def test_differences_and_intervals_are_told(central201, sim):
    await sets(central201, MONITOR | {"type": "Delta", "value": 10.0}, MONITOR | {"type": "Periodic", "value": 30.0, "severity": 9})
    sim.advance(1)
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    await sim.charge(1, seconds=120)
    await central201.until(lambda: len(noticed(central201)) >= 4)
    triggers = [event["trigger"] for event in noticed(central201)]
    assert triggers.count("Delta") == 1
    assert triggers.count("Periodic") >= 3


async def test_monitors_that_make_no_sense_are_refused(central201, sim):
    elsewhere, unknown = HOT | {"component": {"name": "EVSE", "evse": {"id": 7}}}, {"variable": {"name": "Mood"}}
    problem = {"variable": {"name": "Problem"}, "type": "LowerThreshold"}
    wanted = [MONITOR, MONITOR, MONITOR | elsewhere, MONITOR | unknown, MONITOR | problem, MONITOR | {"id": 1}]
    statuses = [status for status, _ in await sets(central201, *wanted)]
    assert statuses == ["Accepted", "Duplicate", "UnknownComponent", "UnknownVariable", "UnsupportedMonitorType", "Rejected"]
    assert await sets(central201, MONITOR | {"id": 1000, "value": 50.0}) == [("Accepted", 1000)]


async def test_monitors_are_reported_cleared_and_left_by_the_base(central201, sim):
    await sets(central201, MONITOR, MONITOR | {"type": "Delta"})
    assert await monitors_of(central201) == [1, 2, 101, 102, 1000, 1001]
    assert await monitors_of(central201, 6, monitoring_criteria=["DeltaMonitoring"]) == [1001]
    assert await monitors_of(central201, 7, component_variable=[HOT]) == [101, 1000, 1001]
    assert await monitors_of(central201, 8, monitoring_criteria=["PeriodicMonitoring"]) == "EmptyResultSet"
    cleared = await central201.peer.call(call.ClearVariableMonitoring([1, 77, 1001]))
    assert [one["status"] for one in cleared.clear_monitoring_result] == ["Rejected", "NotFound", "Accepted"]
    for base, left in (("FactoryDefault", [1, 2, 101, 102]), ("HardWiredOnly", [1, 2]), ("All", [1, 2, 101, 102])):
        assert (await central201.peer.call(call.SetMonitoringBase(base))).status == "Accepted"
        assert await monitors_of(central201, len(central201.calls) + 100) == left


async def test_settings_are_reported_by_criteria_and_names(central201, sim):
    assert (await central201.peer.call(call.GetReport(3, component_criteria=["Problem"]))).status == "EmptyResultSet"
    await sim.fault(1, "GroundFailure")
    answer = await central201.peer.call(call.GetReport(4, [{"component": {"name": "EVSE"}}], ["Problem"]))
    assert answer.status == "Accepted"
    await central201.until(lambda: central201.payloads("NotifyReport"))
    (page,) = central201.payloads("NotifyReport")
    assert {entry["component"]["evse"]["id"] for entry in page["reportData"]} == {1}
    told = {entry["variable"]["name"]: entry for entry in page["reportData"]}
    assert told["Temperature"]["variableCharacteristics"]["supportsMonitoring"] is True
    answer = await central201.peer.call(
        call.GetReport(5, [{"component": {"name": "ClockCtrlr"}, "variable": {"name": "TimeSource"}}])
    )
    assert answer.status == "Accepted"
    await central201.until(lambda: len(central201.payloads("NotifyReport")) == 2)
    assert [one["variable"]["name"] for one in central201.payloads("NotifyReport")[1]["reportData"]] == ["TimeSource"]


async def test_a_customer_is_told_and_forgotten(central201, sim):
    await sim.plug_in(1)
    await sim.start(1, "DEE")
    for number, (report, clear) in enumerate([(True, False), (True, True), (True, False)], start=1):
        answer = await central201.peer.call(call.CustomerInformation(number, report, clear, id_token=TOKEN))
        assert answer.status == "Accepted"
        await central201.until(lambda number=number: len(central201.payloads("NotifyCustomerInformation")) == number)
    texts = [payload["data"] for payload in central201.payloads("NotifyCustomerInformation")]
    assert texts == ["Id token DEE: 1 sessions at SIM-0201."] * 2 + [""]
    nobody = {"idToken": "", "type": "NoAuthorization"}
    assert (await central201.peer.call(call.CustomerInformation(9, True, False, id_token=nobody))).status == "Invalid"
