"""The device model of a simulated 2.0.1 station, without a station."""

import pytest

from csms.simulator.battery import AC_11KW, CCS_150KW
from csms.simulator.configuration import Configuration
from csms.simulator.connector import Connector
from csms.simulator.v201.devicemodel import DeviceModel

FACTS = (
    "Model",
    "VendorName",
    "SerialNumber",
    "FirmwareVersion",
    "AvailabilityState",
    "DateTime",
    "Identity",
    "AvailabilityState 1",
    "AvailabilityState 2",
    *("MonitoringBase", "MonitoringLevel", "Temperature 1", "Temperature 2", "Problem 1", "Problem 2"),
)


@pytest.fixture
def configuration():
    return Configuration(connectors=2)


@pytest.fixture
def model(configuration):
    connectors = [Connector(1, AC_11KW, 0), Connector(2, CCS_150KW, 0)]
    return DeviceModel(configuration, connectors, {name: lambda name=name: f"the {name}" for name in FACTS})


def named(component, variable, evse=None, **more):
    instance = {"instance": more.pop("instance")} if "instance" in more else {}
    where = {"name": component} | ({"evse": evse} if evse else {})
    return {"component": where, "variable": {"name": variable} | instance} | more


def test_a_setting_is_read_and_changed_under_the_name_of_each_version(model, configuration):
    wanted = named("TxCtrlr", "EVConnectionTimeOut", attribute_value="90")
    result, changed = model.set(wanted)
    assert (result["attribute_status"], changed) == ("Accepted", "ConnectionTimeOut")
    assert configuration["ConnectionTimeOut"] == "90"
    assert model.get(named("txctrlr", "evconnectiontimeout"))["attribute_value"] == "90"


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        (named("OCPPCommCtrlr", "WebSocketPingInterval", attribute_value="20"), "RebootRequired"),
        (named("OCPPCommCtrlr", "HeartbeatInterval", attribute_value="soon"), "Rejected"),
        (named("ChargingStation", "Model", attribute_value="Mine"), "Rejected"),
        (named("SecurityCtrlr", "BasicAuthPassword", attribute_value="short"), "Rejected"),
        (named("CoffeeCtrlr", "Enabled", attribute_value="true"), "UnknownComponent"),
        (named("TxCtrlr", "Mood", attribute_value="good"), "UnknownVariable"),
        (named("TxCtrlr", "StopTxOnInvalidId", attribute_value="true", attribute_type="Target"), "NotSupportedAttributeType"),
    ],
)
def test_what_cannot_be_set_is_said(model, wanted, status):
    result, changed = model.set(wanted)
    assert result == {"attribute_status": status} | {k: v for k, v in wanted.items() if k != "attribute_value"}
    assert bool(changed) == (status == "RebootRequired")


def test_a_password_is_never_told(model, configuration):
    configuration.change("AuthorizationKey", "0123456789abcdef")
    assert model.get(named("SecurityCtrlr", "BasicAuthPassword")) == {
        "attribute_status": "Rejected",
        **named("SecurityCtrlr", "BasicAuthPassword"),
    }
    assert "0123456789abcdef" not in str(model.report("FullInventory"))


def test_instances_and_evses_are_told_apart(model):
    assert model.get(named("DeviceDataCtrlr", "ItemsPerMessage", instance="GetVariables"))["attribute_value"] == "20"
    assert model.get(named("DeviceDataCtrlr", "ItemsPerMessage"))["attribute_status"] == "UnknownVariable"
    assert model.get(named("EVSE", "Power", {"id": 2}))["attribute_value"] == "150000"
    assert model.get(named("Connector", "ConnectorType", {"id": 1, "connector_id": 1}))["attribute_value"] == "sType2"
    assert model.get(named("EVSE", "Power", {"id": 3}))["attribute_status"] == "UnknownComponent"


def test_the_highest_power_of_a_plug_is_told(model):
    powers = [one for one in model.report("FullInventory") if one["variable"]["name"] == "Power"]
    assert [one["variableCharacteristics"]["maxLimit"] for one in powers] == [11040, 150000]


def test_reports_tell_all_or_what_can_be_changed_or_the_state(model):
    full, changeable, summary = (model.report(f"{base}Inventory") for base in ("Full", "Configuration", "Summary"))
    assert len(full) > len(changeable) > len(summary) == 5
    assert all(entry["variableAttribute"][0]["mutability"] != "ReadOnly" for entry in changeable)
    assert {entry["variable"]["name"] for entry in summary} == {"AvailabilityState"}
    assert model.report("NoInventory") is None
