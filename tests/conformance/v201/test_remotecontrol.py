"""F: starts, unlocking and triggers from afar."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Events, Station201, ago
from tests.conformance.v201.test_transactions import shows
from tests.network import Network

TOKEN = {"idToken": "CARD", "type": "ISO14443"}


def ask_for_start(station: Station201, api: Api, network: Network) -> tuple[int, int]:
    """The command's id, and the number by which the transaction will be known as the one."""
    network.token("CARD")
    asked = api.command(station, "remote_start", {"id_token": "CARD", "evse": 1})
    payload = station.expect("RequestStartTransaction", idToken=TOKEN, evseId=1)
    station.answer(status="Accepted")
    api.becomes(asked, "accepted")
    return asked, payload["remoteStartId"]


def confirmed(station: Station201, api: Api, asked: int, number: int, charging: Events) -> None:
    api.becomes(asked, "confirmed")
    shows(api, station, remote_start_id=number, id_tag="CARD", evse=1, ocpp_transaction_id=charging.id)


@case("2.0.1", "TC_F_01_CSMS", requirement="OCPP 2.0.1 F01")
def test_a_remote_start_with_the_cable_plugged_in(station: Station201, api: Api, network: Network) -> None:
    station.status("Occupied")
    charging = station.transaction()
    charging.started("CablePluggedIn", state="EVConnected", wh=1000)
    asked, number = ask_for_start(station, api, network)
    charging.updated("RemoteStart", token="CARD", info={"remoteStartId": number})
    confirmed(station, api, asked, number, charging)
    charging.updated("ChargingStateChanged", state="Charging")
    shows(api, station, charging_state="Charging")


def remote_first(station: Station201, api: Api, network: Network, *, authorize: bool) -> None:
    asked, number = ask_for_start(station, api, network)
    if authorize:
        assert station.authorize("CARD")["status"] == "Accepted"
    charging = station.transaction()
    answer = charging.started("RemoteStart", token="CARD", info={"remoteStartId": number}, wh=1000)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    confirmed(station, api, asked, number, charging)
    station.status("Occupied")
    charging.updated("CablePluggedIn", state="EVConnected")
    charging.updated("ChargingStateChanged", state="Charging")
    shows(api, station, charging_state="Charging", status="active")


@case("2.0.1", "TC_F_02_CSMS", requirement="OCPP 2.0.1 F02")
def test_a_remote_start_that_the_station_has_authorised(station: Station201, api: Api, network: Network) -> None:
    remote_first(station, api, network, authorize=True)


@case("2.0.1", "TC_F_03_CSMS", requirement="OCPP 2.0.1 F02")
def test_a_remote_start_that_is_authority_enough(station: Station201, api: Api, network: Network) -> None:
    remote_first(station, api, network, authorize=False)


@case("2.0.1", "TC_F_04_CSMS", inferred=True)
def test_a_remote_start_after_which_nobody_plugs_in(station: Station201, api: Api, network: Network) -> None:
    asked, number = ask_for_start(station, api, network)
    charging = station.transaction()
    charging.started("RemoteStart", token="CARD", info={"remoteStartId": number}, wh=1000)
    api.becomes(asked, "confirmed")
    charging.ended("EVConnectTimeout", "Timeout", wh=1000)
    shows(api, station, status="ended", stop_reason="Timeout", energy_wh=0, remote_start_id=number)


@case("2.0.1", "TC_F_06_CSMS", requirement="OCPP 2.0.1 F05")
def test_a_connector_is_unlocked(station: Station201, api: Api) -> None:
    asked = api.command(station, "unlock_connector", {"evse": 1, "connector": 1})
    assert station.expect("UnlockConnector") == {"evseId": 1, "connectorId": 1}
    station.answer(status="Unlocked")
    assert api.becomes(asked, "confirmed")["response"] == {"status": "Unlocked"}


# Triggers


def trigger(station: Station201, api: Api, message: str, **params: Any) -> int:
    """Ask for a message. The evse of the CALL is as asked."""
    asked = api.command(station, "trigger_message", {"message": message} | params)
    evse = {"id": params["evse"]} if "evse" in params else None
    if evse and "connector" in params:
        evse["connectorId"] = params["connector"]
    station.expect("TriggerMessage", requestedMessage=message, evse=evse)
    station.answer(status="Accepted")
    api.becomes(asked, "accepted")
    return asked


def meter(station: Station201, evse: int, wh: float) -> None:
    value = {"timestamp": ago(0), "sampledValue": [{"value": wh, "context": "Trigger"}]}
    assert station.call("MeterValues", evseId=evse, meterValue=[value]) == {}


@case("2.0.1", "TC_F_11_CSMS", requirement="OCPP 2.0.1 F06")
def test_meter_values_of_one_evse_are_triggered(station: Station201, api: Api) -> None:
    asked = trigger(station, api, "MeterValues", evse=1)
    meter(station, 1, 4711)
    api.becomes(asked, "confirmed")
    kept = api.one(station, "meter-samples/")
    assert (kept["evse"], kept["energy_wh"], kept["context"]) == (1, 4711, "Trigger")


@case("2.0.1", "TC_F_12_CSMS", requirement="OCPP 2.0.1 F06")
def test_meter_values_of_all_evses_are_triggered(station: Station201, api: Api) -> None:
    asked = trigger(station, api, "MeterValues")
    meter(station, 1, 100)
    meter(station, 2, 200)
    api.becomes(asked, "confirmed")
    assert sorted((row["evse"], row["energy_wh"]) for row in api.of(station, "meter-samples/")) == [(1, 100), (2, 200)]


@case("2.0.1", "TC_F_13_CSMS", requirement="OCPP 2.0.1 F06")
def test_an_event_of_one_transaction_is_triggered(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    charging = station.transaction()
    charging.started("Authorized", token="CARD", wh=1000)
    asked = trigger(station, api, "TransactionEvent", evse=1)
    charging.updated("Trigger", state="Charging", wh=1300, context="Trigger")
    api.becomes(asked, "confirmed")
    shows(api, station, energy_wh=300, charging_state="Charging")


@case("2.0.1", "TC_F_14_CSMS", requirement="OCPP 2.0.1 F06")
def test_an_event_of_each_transaction_is_triggered(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    both = [station.transaction(1), station.transaction(2)]
    for charging in both:
        charging.started("Authorized", token="CARD", wh=1000)
    asked = trigger(station, api, "TransactionEvent")
    for charging, wh in zip(both, (1100, 1200), strict=True):
        charging.updated("Trigger", wh=wh)
    api.becomes(asked, "confirmed")
    assert sorted((row["evse"], row["energy_wh"]) for row in api.of(station, "transactions/")) == [(1, 100), (2, 200)]


@case("2.0.1", "TC_F_15_CSMS", requirement="OCPP 2.0.1 F06")
def test_the_status_of_no_log_is_triggered(station: Station201, api: Api) -> None:
    asked = trigger(station, api, "LogStatusNotification")
    assert station.call("LogStatusNotification", status="Idle") == {}
    api.becomes(asked, "confirmed")
    assert api.station(station)["log_status"] == "Idle"


@case("2.0.1", "TC_F_18_CSMS", requirement="OCPP 2.0.1 F06")
def test_the_status_of_no_firmware_is_triggered(station: Station201, api: Api) -> None:
    asked = trigger(station, api, "FirmwareStatusNotification")
    assert station.call("FirmwareStatusNotification", status="Idle") == {}
    api.becomes(asked, "confirmed")
    assert api.station(station)["firmware_status"] == "Idle"


@case("2.0.1", "TC_F_20_CSMS", requirement="OCPP 2.0.1 F06")
def test_a_heartbeat_is_triggered(station: Station201, api: Api) -> None:
    asked = trigger(station, api, "Heartbeat")
    assert "currentTime" in station.call("Heartbeat")
    api.becomes(asked, "confirmed")


def triggered_status(station: Station201, api: Api, status: str, shown: str) -> None:
    # Asked for with its connector (F06).
    asked = trigger(station, api, "StatusNotification", evse=1, connector=1)
    station.status(status)
    api.becomes(asked, "confirmed")
    assert api.connector(station)["status"] == shown


@case("2.0.1", "TC_F_23_CSMS", requirement="OCPP 2.0.1 F06")
def test_the_status_of_a_free_connector_is_triggered(station: Station201, api: Api) -> None:
    triggered_status(station, api, "Available", "Available")


@case("2.0.1", "TC_F_24_CSMS", requirement="OCPP 2.0.1 F06")
def test_the_status_of_an_occupied_connector_is_triggered(station: Station201, api: Api) -> None:
    # Occupied, and nobody charges: somebody has just plugged in.
    triggered_status(station, api, "Occupied", "Preparing")


@case("2.0.1", "TC_F_27_CSMS", requirement="OCPP 2.0.1 F06")
def test_a_trigger_that_the_station_does_not_know(station: Station201, api: Api) -> None:
    asked = api.raw(station, "TriggerMessage", {"requestedMessage": "LogStatusNotification"})
    station.expect("TriggerMessage", requestedMessage="LogStatusNotification")
    station.answer(status="NotImplemented")
    assert api.becomes(asked, "rejected")["detail"] == "NotImplemented"
