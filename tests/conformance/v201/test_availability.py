"""G: out of service and back, and a lock that fails."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201, ago
from tests.network import Network

#: What a command names, and what the CALL then has.
EVSE: tuple[dict[str, Any], Any] = ({"evse": 1}, {"id": 1})
STATION: tuple[dict[str, Any], Any] = ({}, None)
CONNECTOR: tuple[dict[str, Any], Any] = ({"evse": 1, "connector": 1}, {"id": 1, "connectorId": 1})


def ask(station: Station201, api: Api, what: tuple[dict[str, Any], Any], *, operative: bool, status: str = "Accepted") -> int:
    params, evse = what
    asked = api.command(station, "change_availability", {"operative": operative} | params)
    said = station.expect("ChangeAvailability", operationalStatus="Operative" if operative else "Inoperative")
    assert said.get("evse") == evse
    station.answer(status=status)
    return asked


def change(station: Station201, api: Api, what: tuple[dict[str, Any], Any], *, operative: bool) -> None:
    """The change is seen by what the connectors say of themselves."""
    before, after = ("Unavailable", "Available") if operative else ("Available", "Unavailable")
    station.status(before)
    assert api.connector(station)["status"] == before
    asked = ask(station, api, what, operative=operative)
    api.becomes(asked, "accepted")
    station.status(after)
    api.becomes(asked, "confirmed")
    assert api.connector(station)["status"] == after


@case("2.0.1", "TC_G_03_CSMS", requirement="OCPP 2.0.1 G03")
def test_an_evse_goes_out_of_service(station: Station201, api: Api) -> None:
    change(station, api, EVSE, operative=False)


@case("2.0.1", "TC_G_04_CSMS", requirement="OCPP 2.0.1 G03")
def test_an_evse_comes_back_into_service(station: Station201, api: Api) -> None:
    change(station, api, EVSE, operative=True)


@case("2.0.1", "TC_G_05_CSMS", requirement="OCPP 2.0.1 G04")
def test_a_station_goes_out_of_service(station: Station201, api: Api) -> None:
    change(station, api, STATION, operative=False)


@case("2.0.1", "TC_G_06_CSMS", requirement="OCPP 2.0.1 G04")
def test_a_station_comes_back_into_service(station: Station201, api: Api) -> None:
    change(station, api, STATION, operative=True)


@case("2.0.1", "TC_G_07_CSMS", requirement="OCPP 2.0.1 G03")
def test_a_connector_goes_out_of_service(station: Station201, api: Api) -> None:
    change(station, api, CONNECTOR, operative=False)


@case("2.0.1", "TC_G_08_CSMS", requirement="OCPP 2.0.1 G03")
def test_a_connector_comes_back_into_service(station: Station201, api: Api) -> None:
    change(station, api, CONNECTOR, operative=True)


def scheduled(station: Station201, api: Api, network: Network, what: tuple[dict[str, Any], Any]) -> None:
    """Whoever charges goes on; then it goes out of service."""
    network.token("CARD")
    station.status("Occupied", timestamp=ago(90))
    charging = station.transaction()
    charging.started("Authorized", token="CARD", state="Charging", wh=1000)
    asked = ask(station, api, what, operative=False, status="Scheduled")
    assert api.becomes(asked, "accepted")["detail"] == "Scheduled"
    charging.updated("MeterValuePeriodic", wh=1500)
    assert (api.transaction(station)["status"], api.connector(station)["status"]) == ("active", "Charging")
    charging.ended("StopAuthorized", "Local", token="CARD", wh=2000)
    station.status("Unavailable")
    api.becomes(asked, "confirmed")
    assert (api.transaction(station)["energy_wh"], api.connector(station)["status"]) == (1000, "Unavailable")


@case("2.0.1", "TC_G_11_CSMS", requirement="OCPP 2.0.1 G03")
def test_an_evse_that_charges_goes_out_of_service_after_that(station: Station201, api: Api, network: Network) -> None:
    scheduled(station, api, network, EVSE)


@case("2.0.1", "TC_G_14_CSMS", requirement="OCPP 2.0.1 G04")
def test_a_station_that_charges_goes_out_of_service_after_that(station: Station201, api: Api, network: Network) -> None:
    scheduled(station, api, network, STATION)


@case("2.0.1", "TC_G_17_CSMS", requirement="OCPP 2.0.1 G03")
def test_a_connector_that_charges_goes_out_of_service_after_that(station: Station201, api: Api, network: Network) -> None:
    scheduled(station, api, network, CONNECTOR)


@case("2.0.1", "TC_G_20_CSMS", inferred=True)
def test_a_lock_that_fails(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    assert station.authorize("CARD")["status"] == "Accepted"
    lock = {"name": "ConnectorPlugRetentionLock", "evse": {"id": 1, "connectorId": 1}}
    event = {"eventId": 1, "timestamp": ago(0), "trigger": "Alerting", "actualValue": "true", "component": lock}
    event |= {"variable": {"name": "Problem"}, "eventNotificationType": "HardWiredNotification"}
    assert station.call("NotifyEvent", generatedAt=ago(0), seqNo=0, eventData=[event]) == {}
    alert = api.one(station, "monitor-events/", open="true")
    assert (alert["component"], alert["variable"], alert["value"]) == ("ConnectorPlugRetentionLock", "Problem", "true")
    assert (alert["evse"], alert["connector"], alert["trigger"]) == (1, 1, "Alerting")
    # Nothing is charged without the lock.
    assert api.of(station, "transactions/") == []
