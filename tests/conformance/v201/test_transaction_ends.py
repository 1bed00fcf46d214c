"""E: how transactions end, and what is asked about one."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Events, Station201
from tests.conformance.v201.test_transactions import shows
from tests.network import Network


def under_way(station: Station201, network: Network, **fields: Any) -> Events:
    """Somebody charges, since a minute ago, from 1000 to 1500 Wh."""
    network.token("CARD")
    station.status("Occupied")
    charging = station.transaction()
    charging.started("Authorized", token="CARD", state="EVConnected", wh=1000)
    charging.updated("ChargingStateChanged", state="Charging", wh=1500, **fields)
    return charging


def ends(api: Api, station: Station201, charging: Events, trigger: str, reason: str, **fields: Any) -> Any:
    """The answer to its end. A Local one may be left out, and is left out here."""
    answer = charging.ended(trigger, "" if reason == "Local" else reason, wh=2000, context="Transaction.End", **fields)
    shows(api, station, status="ended", stop_reason=reason, energy_wh=1000, doubt="")
    return answer


@case("2.0.1", "TC_E_07_CSMS", inferred=True)
def test_it_ends_when_the_power_path_opens(station: Station201, api: Api, network: Network) -> None:
    charging = under_way(station, network)
    assert station.authorize("CARD")["status"] == "Accepted"
    answer = ends(api, station, charging, "StopAuthorized", "Local", token="CARD", state="EVConnected")
    assert answer["idTokenInfo"]["status"] == "Accepted"
    shows(api, station, stopped_by="CARD")


@case("2.0.1", "TC_E_08_CSMS", inferred=True)
def test_it_ends_when_energy_stops_after_a_stop(station: Station201, api: Api, network: Network) -> None:
    charging = under_way(station, network)
    answer = ends(api, station, charging, "StopAuthorized", "Local", token="CARD", state="EVConnected")
    assert answer["idTokenInfo"]["status"] == "Accepted"


@case("2.0.1", "TC_E_14_CSMS", inferred=True)
def test_it_ends_when_the_cable_leaves_the_station(station: Station201, api: Api, network: Network) -> None:
    charging = under_way(station, network)
    charging.updated("StopAuthorized", token="CARD", state="EVConnected")
    shows(api, station, status="active", stopped_by="CARD")
    station.status("Available")
    ends(api, station, charging, "EVCommunicationLost", "Local", state="Idle")
    assert api.connector(station)["status"] == "Available"


@case("2.0.1", "TC_E_15_CSMS", inferred=True)
def test_it_ends_when_somebody_stops_it(station: Station201, api: Api, network: Network) -> None:
    charging = under_way(station, network)
    answer = ends(api, station, charging, "StopAuthorized", "Local", token="CARD")
    assert answer["idTokenInfo"]["status"] == "Accepted"
    shows(api, station, stopped_by="CARD")


@case("2.0.1", "TC_E_16_CSMS", requirement="OCPP 2.0.1 E06")
def test_it_ends_when_its_token_turns_out_to_be_invalid(station: Station201, api: Api) -> None:
    charging = station.transaction()
    answer = charging.started("Authorized", token="NOBODY", state="Charging", wh=1000)
    assert answer["idTokenInfo"]["status"] in ("Invalid", "Unknown")
    ends(api, station, charging, "Deauthorized", "DeAuthorized")
    shows(api, station, id_tag="NOBODY", authorization_status="Unknown")


@case("2.0.1", "TC_E_17_CSMS", inferred=True)
def test_it_ends_when_the_car_lets_go(station: Station201, api: Api, network: Network) -> None:
    charging = under_way(station, network)
    ends(api, station, charging, "EVCommunicationLost", "EVDisconnected", state="Idle")
    station.status("Available")
    assert api.connector(station)["status"] == "Available"


@case("2.0.1", "TC_E_19_CSMS", inferred=True)
def test_it_ends_when_the_bay_is_left(station: Station201, api: Api, network: Network) -> None:
    charging = under_way(station, network)
    charging.updated("StopAuthorized", token="CARD", state="EVConnected")
    charging.updated("EVCommunicationLost", state="Idle")
    shows(api, station, status="active", charging_state="Idle")
    ends(api, station, charging, "EVDeparted", "Local")


@case("2.0.1", "TC_E_20_CSMS", inferred=True)
def test_it_ends_when_the_cable_is_pulled_from_the_car(station: Station201, api: Api, network: Network) -> None:
    charging = under_way(station, network)
    charging.updated("ChargingStateChanged", state="SuspendedEV")
    shows(api, station, status="active", charging_state="SuspendedEV")
    ends(api, station, charging, "EVCommunicationLost", "EVDisconnected", state="Idle")


@case("2.0.1", "TC_E_21_CSMS", requirement="OCPP 2.0.1 F03")
def test_it_ends_when_it_is_stopped_from_afar(station: Station201, api: Api, network: Network) -> None:
    charging = under_way(station, network)
    asked = api.command(station, "remote_stop", {"transaction": charging.id})
    assert station.expect("RequestStopTransaction") == {"transactionId": charging.id}
    station.answer(status="Accepted")
    api.becomes(asked, "accepted")
    ends(api, station, charging, "RemoteStop", "Remote")
    api.becomes(asked, "confirmed")


@case("2.0.1", "TC_E_22_CSMS", inferred=True)
def test_it_ends_when_the_car_takes_no_more(station: Station201, api: Api, network: Network) -> None:
    charging = under_way(station, network)
    ends(api, station, charging, "ChargingStateChanged", "StoppedByEV", state="SuspendedEV")


@case("2.0.1", "TC_E_26_CSMS", inferred=True)
def test_it_goes_on_when_the_cable_is_plugged_in_again(station: Station201, api: Api, network: Network) -> None:
    charging = under_way(station, network)
    charging.updated("EVCommunicationLost", state="Idle")
    shows(api, station, status="active", charging_state="Idle")
    charging.updated("CablePluggedIn", state="EVConnected")
    charging.updated("ChargingStateChanged", state="Charging", wh=1600)
    shows(api, station, status="active", charging_state="Charging", energy_wh=600)


@case("2.0.1", "TC_E_39_CSMS", inferred=True)
def test_it_ends_when_nobody_plugs_in(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    charging = station.transaction()
    charging.started("Authorized", token="CARD", wh=1000)
    shows(api, station, status="active", id_tag="CARD")
    charging.ended("EVConnectTimeout", "Timeout", wh=1000)
    shows(api, station, status="ended", stop_reason="Timeout", energy_wh=0)


# GetTransactionStatus


def ask(station: Station201, api: Api, transaction: str | None, answer: dict[str, bool]) -> str:
    """What the API tells of it."""
    asked = api.command(station, "get_transaction_status", {"transaction": transaction} if transaction else {})
    assert station.expect("GetTransactionStatus") == ({"transactionId": transaction} if transaction else {})
    station.answer(answer)
    done = api.becomes(asked, "confirmed")
    assert done["response"] == answer
    return str(done["detail"])


@case("2.0.1", "TC_E_29_CSMS", requirement="OCPP 2.0.1 E14")
def test_one_that_goes_on_has_messages_waiting(station: Station201, api: Api, network: Network) -> None:
    charging = under_way(station, network)
    told = ask(station, api, charging.id, {"ongoingIndicator": True, "messagesInQueue": True})
    assert told == "ongoing, messages are waiting"
    charging.updated("MeterValuePeriodic", wh=1700, offline=True)
    shows(api, station, status="active", energy_wh=700)


@case("2.0.1", "TC_E_30_CSMS", requirement="OCPP 2.0.1 E14")
def test_one_that_goes_on_has_none_waiting(station: Station201, api: Api, network: Network) -> None:
    charging = under_way(station, network)
    told = ask(station, api, charging.id, {"ongoingIndicator": True, "messagesInQueue": False})
    assert told == "ongoing, no messages are waiting"
    shows(api, station, status="active")


@case("2.0.1", "TC_E_31_CSMS", requirement="OCPP 2.0.1 E14")
def test_one_that_has_ended_has_messages_waiting(station: Station201, api: Api, network: Network) -> None:
    charging = under_way(station, network)
    told = ask(station, api, charging.id, {"ongoingIndicator": False, "messagesInQueue": True})
    assert told == "not ongoing, messages are waiting"
    ends(api, station, charging, "StopAuthorized", "Local", token="CARD", offline=True)


@case("2.0.1", "TC_E_33_CSMS", requirement="OCPP 2.0.1 E14")
def test_messages_are_waiting_of_some_transaction(station: Station201, api: Api) -> None:
    assert ask(station, api, None, {"messagesInQueue": True}) == "messages are waiting"


@case("2.0.1", "TC_E_34_CSMS", requirement="OCPP 2.0.1 E14")
def test_no_messages_are_waiting_of_any_transaction(station: Station201, api: Api) -> None:
    assert ask(station, api, None, {"messagesInQueue": False}) == "no messages are waiting"
