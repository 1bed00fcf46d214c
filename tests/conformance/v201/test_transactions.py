"""E: how transactions begin. A TransactionEvent is always answered, and all of them make one record (E01)."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Events, Station201, ago
from tests.network import Network


def shows(api: Api, station: Station201, **fields: Any) -> None:
    """The only transaction, as the API tells it now."""
    kept = api.transaction(station)
    assert {name: kept[name] for name in fields} == fields


def finishes(api: Api, station: Station201, charging: Events, energy_wh: int) -> None:
    """It goes on to its end, and nothing of it is missing."""
    charging.updated("MeterValuePeriodic", wh=1000 + energy_wh / 2)
    charging.ended("StopAuthorized", "Local", token="CARD", wh=1000 + energy_wh)
    shows(api, station, status="ended", stop_reason="Local", energy_wh=energy_wh, stopped_by="CARD", doubt="", findings=[])


@case("2.0.1", "TC_E_01_CSMS", inferred=True)
def test_it_begins_when_the_power_path_is_closed(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    station.status("Occupied", timestamp=ago(90))
    assert station.authorize("CARD")["status"] == "Accepted"
    assert api.of(station, "transactions/") == []
    charging = station.transaction()
    assert charging.started("ChargingStateChanged", token="CARD", state="Charging", wh=1000)["idTokenInfo"]["status"] == "Accepted"
    shows(api, station, status="active", id_tag="CARD", evse=1, charging_state="Charging", ocpp_transaction_id=charging.id)
    assert api.connector(station)["status"] == "Charging"
    finishes(api, station, charging, 800)


@case("2.0.1", "TC_E_02_CSMS", inferred=True)
def test_it_begins_when_energy_flows(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    station.status("Occupied")
    assert station.authorize("CARD")["status"] == "Accepted"
    charging = station.transaction()
    charging.started("ChargingStateChanged", token="CARD", state="Charging", wh=1000, context="Transaction.Begin")
    shows(api, station, status="active", charging_state="Charging", meter_start_wh=1000)
    finishes(api, station, charging, 500)


@case("2.0.1", "TC_E_03_CSMS", requirement="OCPP 2.0.1 E02")
def test_plugged_in_first(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    station.status("Occupied")
    charging = station.transaction()
    charging.started("CablePluggedIn", state="EVConnected", wh=1000)
    shows(api, station, status="active", id_tag="", charging_state="EVConnected")
    assert station.authorize("CARD")["status"] == "Accepted"
    assert charging.updated("Authorized", token="CARD")["idTokenInfo"]["status"] == "Accepted"
    charging.updated("ChargingStateChanged", state="Charging")
    shows(api, station, id_tag="CARD", authorization_status="Accepted", charging_state="Charging")
    finishes(api, station, charging, 400)


@case("2.0.1", "TC_E_04_CSMS", requirement="OCPP 2.0.1 E03")
def test_identified_first(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    assert station.authorize("CARD")["status"] == "Accepted"
    charging = station.transaction()
    charging.started("Authorized", token="CARD", wh=1000)
    shows(api, station, status="active", id_tag="CARD", charging_state="")
    station.status("Occupied")
    charging.updated("CablePluggedIn", state="EVConnected")
    charging.updated("ChargingStateChanged", state="Charging")
    shows(api, station, charging_state="Charging")
    finishes(api, station, charging, 400)


@case("2.0.1", "TC_E_09_CSMS", inferred=True)
def test_it_begins_when_a_car_is_connected(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    charging = station.transaction()
    assert charging.started("CablePluggedIn", state="EVConnected", wh=1000) == {}
    shows(api, station, status="active", id_tag="", evse=1, charging_state="EVConnected")
    charging.updated("Authorized", token="CARD")
    shows(api, station, id_tag="CARD")


@case("2.0.1", "TC_E_10_CSMS", inferred=True)
def test_it_begins_when_somebody_is_authorised(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    charging = station.transaction()
    # Which EVSE it will be is not known yet.
    answer = charging.tell("Started", "Authorized", token="CARD")
    assert answer["idTokenInfo"]["status"] == "Accepted"
    shows(api, station, status="active", id_tag="CARD", evse=None)
    charging.updated("CablePluggedIn", state="EVConnected", evse={"id": 2, "connectorId": 1}, wh=1000)
    shows(api, station, evse=2, connector=1, charging_state="EVConnected")


@case("2.0.1", "TC_E_11_CSMS", inferred=True)
def test_it_begins_when_signed_data_came(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    signed = {"signedMeterData": "AAEC", "signingMethod": "ECDSA", "encodingMethod": "OCMF", "publicKey": "Zm9v"}
    value = {"value": 1000, "context": "Transaction.Begin", "signedMeterValue": signed}
    charging = station.transaction()
    at = charging.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    charging.started("SignedDataReceived", token="CARD", meterValue=[{"timestamp": at, "sampledValue": [value]}])
    shows(api, station, status="active", meter_start_wh=1000)
    assert api.one(station, "signed-readings/")["data"] == "AAEC"


@case("2.0.1", "TC_E_12_CSMS", inferred=True)
def test_it_begins_when_a_bay_is_taken(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    charging = station.transaction()
    charging.started("EVDetected")
    shows(api, station, status="active", id_tag="", evse=1)
    charging.updated("CablePluggedIn", state="EVConnected", wh=1000)
    charging.updated("Authorized", token="CARD")
    shows(api, station, id_tag="CARD", charging_state="EVConnected")
    finishes(api, station, charging, 200)


@case("2.0.1", "TC_E_38_CSMS", inferred=True)
def test_a_car_that_is_not_ready(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    charging = station.transaction()
    charging.started("Authorized", token="CARD", wh=1000)
    charging.updated("CablePluggedIn", state="EVConnected")
    charging.updated("ChargingStateChanged", state="SuspendedEV")
    shows(api, station, status="active", charging_state="SuspendedEV", energy_wh=0)
    charging.updated("ChargingStateChanged", state="Charging")
    shows(api, station, charging_state="Charging")
    finishes(api, station, charging, 300)


@case("2.0.1", "TC_E_53_CSMS", requirement="OCPP 2.0.1 E01")
def test_events_are_numbered_from_0_in_each_transaction(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    for energy, first in ((300, 0), (200, 0), (100, 4711)):
        charging = station.transaction(seconds_ago=energy, first=first)
        charging.started("Authorized", token="CARD", wh=1000)
        charging.updated("MeterValuePeriodic", wh=1050)
        charging.ended("StopAuthorized", "Local", wh=1000 + energy)
    kept = api.of(station, "transactions/")
    assert sorted((row["status"], row["doubt"], row["energy_wh"]) for row in kept) == [
        ("ended", "", energy) for energy in (100, 200, 300)
    ]
