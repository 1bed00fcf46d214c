"""B: boot and restarts."""

from django_scopes import scope

from stations.models import Station as Row
from stations.services import onboarding
from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.conftest import Dial
from tests.conformance.station import Station201
from tests.network import Network


@case("2.0.1", "TC_B_01_CSMS", requirement="OCPP 2.0.1 B01")
def test_cold_boot(dial: Dial, api: Api) -> None:
    station: Station201 = dial()
    answer = station.boot(serialNumber="A-1")
    assert (answer["status"], answer["interval"] > 0) == ("Accepted", True)
    station.status("Available")
    shown = api.station(station)
    assert (shown["vendor"], shown["model"], shown["serial_number"], shown["firmware_version"]) == ("Acme", "Two", "A-1", "1.0")
    assert (shown["registration"], shown["online"], shown["protocol"]) == ("Accepted", True, "ocpp2.0.1")
    assert api.connector(station)["status"] == "Available"


def accept(station: Station201) -> None:
    """An operator lets it charge."""
    row = Row.objects.with_scopes_disabled().select_related("operator").get(identity=station.identity)  # type: ignore[attr-defined]
    with scope(operator=row.operator):
        onboarding.let_charge(station=row)


@case("2.0.1", "TC_B_02_CSMS", requirement="OCPP 2.0.1 B02")
def test_a_boot_that_is_held_may_be_configured_and_is_accepted_later(dial: Dial, api: Api, bells: None) -> None:
    station: Station201 = dial(registration="Pending")
    answer = station.boot()
    assert (answer["status"], answer["interval"] > 0) == ("Pending", True)
    assert (api.station(station)["registration"], api.station(station)["accepted_at"]) == ("Pending", None)
    # It may be configured meanwhile.
    asked = api.command(station, "get_variables", {"variables": [{"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}]})
    (data,) = station.expect("GetVariables")["getVariableData"]
    station.answer(getVariableResult=[data | {"attributeStatus": "Accepted", "attributeValue": "300"}])
    api.becomes(asked, "confirmed")
    assert api.variable(station, "HeartbeatInterval")["value"] == "300"
    accept(station)
    station.expect("TriggerMessage", requestedMessage="BootNotification")
    station.answer(status="Accepted")
    assert station.boot("Triggered")["status"] == "Accepted"
    assert api.station(station)["accepted_at"] is not None


@case("2.0.1", "TC_B_30_CSMS", requirement="OCPP 2.0.1 B02, B03")
def test_before_it_is_accepted_a_station_hears_security_error(dial: Dial, api: Api) -> None:
    for registration in ("Pending", "Rejected"):
        station: Station201 = dial(registration=registration)
        assert station.boot()["status"] == registration
        status = {"timestamp": "2026-11-21T10:00:00Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
        assert station.refused("StatusNotification", status) == "SecurityError"
        assert station.refused("Heartbeat") == "SecurityError"
        assert api.of(station, "connectors/") == []
        assert api.station(station)["registration"] == registration


@case("2.0.1", "TC_B_31_CSMS", requirement="OCPP 2.0.1 B02, F06")
def test_a_boot_is_triggered_to_move_on(dial: Dial, api: Api, bells: None) -> None:
    station: Station201 = dial(registration="Pending")
    assert station.boot()["status"] == "Pending"
    asked = api.raw(station, "TriggerMessage", {"requestedMessage": "BootNotification"})
    station.expect("TriggerMessage", requestedMessage="BootNotification")
    station.answer(status="Accepted")
    api.becomes(asked, "accepted")
    assert station.boot("Triggered")["status"] == "Pending"
    api.becomes(asked, "confirmed")
    assert api.station(station)["registration"] == "Pending"


# Restarts


@case("2.0.1", "TC_B_20_CSMS", requirement="OCPP 2.0.1 B11")
def test_a_station_that_is_idle_is_restarted(station: Station201, api: Api) -> None:
    asked = api.command(station, "reset", {"when": "idle"})
    assert station.expect("Reset") == {"type": "OnIdle"}
    station.answer(status="Accepted")
    api.becomes(asked, "accepted")
    station.dial().boot("RemoteReset")
    station.status("Available")
    api.becomes(asked, "confirmed")
    assert api.station(station)["booted_at"] is not None


@case("2.0.1", "TC_B_21_CSMS", requirement="OCPP 2.0.1 B12")
def test_a_station_that_charges_is_restarted_after_that(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    charging = station.transaction()
    charging.started("Authorized", token="CARD", wh=1000, state="Charging")
    asked = api.command(station, "reset", {"when": "idle"})
    station.expect("Reset", type="OnIdle")
    station.answer(status="Scheduled")
    assert api.becomes(asked, "accepted")["detail"] == "Scheduled"
    charging.updated("MeterValuePeriodic", wh=1500)
    assert api.transaction(station)["status"] == "active"
    charging.ended("StopAuthorized", "Local", token="CARD", wh=2000)
    station.dial().boot("ScheduledReset")
    api.becomes(asked, "confirmed")
    assert (api.transaction(station)["stop_reason"], api.transaction(station)["energy_wh"]) == ("Local", 1000)


@case("2.0.1", "TC_B_22_CSMS", requirement="OCPP 2.0.1 B12")
def test_a_station_that_charges_is_restarted_at_once(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    charging = station.transaction()
    charging.started("Authorized", token="CARD", wh=1000, state="Charging")
    asked = api.command(station, "reset", {"when": "immediate"})
    station.expect("Reset", type="Immediate")
    station.answer(status="Accepted")
    charging.ended("ResetCommand", "ImmediateReset", wh=1400)
    station.dial().boot("RemoteReset")
    api.becomes(asked, "confirmed")
    assert (api.transaction(station)["stop_reason"], api.transaction(station)["energy_wh"]) == ("ImmediateReset", 400)


def reset_evse(station: Station201, api: Api, when: str, kind: str, status: str) -> None:
    asked = api.command(station, "reset", {"when": when, "evse": 1})
    assert station.expect("Reset") == {"type": kind, "evseId": 1}
    station.answer(status=status)
    # An EVSE that restarts says nothing of it: the answer is the effect.
    assert api.becomes(asked, "confirmed")["detail"] == status


@case("2.0.1", "TC_B_25_CSMS", requirement="OCPP 2.0.1 B11")
def test_an_evse_that_is_idle_is_restarted(station: Station201, api: Api) -> None:
    reset_evse(station, api, "immediate", "Immediate", "Accepted")
    station.status("Unavailable")
    station.status("Available")
    assert [row["status"] for row in api.of(station, "events/")] == ["Available", "Unavailable"]


@case("2.0.1", "TC_B_26_CSMS", requirement="OCPP 2.0.1 B12")
def test_an_evse_that_charges_is_restarted_after_that(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    charging = station.transaction()
    charging.started("Authorized", token="CARD", wh=1000)
    reset_evse(station, api, "idle", "OnIdle", "Scheduled")
    assert api.transaction(station)["status"] == "active"
    charging.ended("StopAuthorized", "Local", token="CARD", wh=1300)
    assert (api.transaction(station)["status"], api.transaction(station)["energy_wh"]) == ("ended", 300)


@case("2.0.1", "TC_B_27_CSMS", requirement="OCPP 2.0.1 B12")
def test_an_evse_that_charges_is_restarted_at_once(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    charging = station.transaction()
    charging.started("Authorized", token="CARD", wh=1000)
    reset_evse(station, api, "immediate", "Immediate", "Accepted")
    charging.ended("ResetCommand", "ImmediateReset", wh=1100)
    assert (api.transaction(station)["stop_reason"], api.transaction(station)["energy_wh"]) == ("ImmediateReset", 100)
