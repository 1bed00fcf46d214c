"""What is done from afar: starts, stops, unlocking, triggers."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station16, ago
from tests.network import Network


def ask_for_start(station: Station16, api: Api, status: str = "Accepted") -> int:
    asked = api.command(station, "remote_start", {"id_token": "CARD", "evse": 1})
    station.expect("RemoteStartTransaction", idTag="CARD", connectorId=1)
    station.answer(status=status)
    return asked


def began(station: Station16, api: Api, asked: int) -> None:
    assert station.start("CARD")["idTagInfo"]["status"] == "Accepted"
    station.status("Charging")
    api.becomes(asked, "confirmed")
    kept = api.transaction(station)
    assert (kept["status"], kept["id_tag"], kept["evse"]) == ("active", "CARD", 1)


@case("1.6", "TC_010_CSMS", requirement="OCPP 1.6 5.11")
def test_a_remote_start_with_the_cable_plugged_in(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    station.status("Preparing")
    asked = ask_for_start(station, api)
    api.becomes(asked, "accepted")
    assert station.call("Authorize", idTag="CARD")["idTagInfo"]["status"] == "Accepted"
    began(station, api, asked)


@case("1.6", "TC_011_1_CSMS", requirement="OCPP 1.6 5.11")
def test_a_remote_start_before_the_cable(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    station.status("Available")
    asked = ask_for_start(station, api)
    station.status("Preparing")
    assert api.becomes(asked, "accepted")["status"] == "accepted"
    began(station, api, asked)


@case("1.6", "TC_011_2_CSMS", inferred=True)
def test_a_remote_start_after_which_nobody_plugs_in(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    asked = ask_for_start(station, api)
    station.status("Preparing")
    station.status("Available")
    # Accepted only means that it will try: no transaction, and the command waits for one until its time is over.
    api.becomes(asked, "accepted")
    assert api.of(station, "transactions/") == []
    assert api.connector(station)["status"] == "Available"


@case("1.6", "TC_012_CSMS", requirement="OCPP 1.6 5.12")
def test_a_remote_stop(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    transaction = station.start("CARD", timestamp=ago(60))["transactionId"]
    asked = api.command(station, "remote_stop", {"transaction": str(transaction)})
    station.expect("RemoteStopTransaction", transactionId=transaction)
    station.answer(status="Accepted")
    api.becomes(asked, "accepted")
    station.stop(transaction, 1900, reason="Remote")
    api.becomes(asked, "confirmed")
    kept = api.transaction(station)
    assert (kept["status"], kept["stop_reason"], kept["energy_wh"]) == ("ended", "Remote", 900)


@case("1.6", "TC_026_CSMS", requirement="OCPP 1.6 5.11")
def test_a_remote_start_that_is_rejected(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    asked = ask_for_start(station, api, "Rejected")
    assert api.becomes(asked, "rejected")["response"] == {"status": "Rejected"}
    assert api.of(station, "transactions/") == []


@case("1.6", "TC_028_CSMS", requirement="OCPP 1.6 5.12")
def test_a_remote_stop_that_is_rejected(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    transaction = station.start("CARD")["transactionId"]
    asked = api.raw(station, "RemoteStopTransaction", {"transactionId": transaction})
    station.expect("RemoteStopTransaction", transactionId=transaction)
    station.answer(status="Rejected")
    api.becomes(asked, "rejected")
    assert api.transaction(station)["status"] == "active"


def unlock(station: Station16, api: Api, connector: int, status: str, becomes: str) -> None:
    asked = api.command(station, "unlock_connector", {"evse": connector})
    station.expect("UnlockConnector", connectorId=connector)
    station.answer(status=status)
    done = api.becomes(asked, becomes)
    assert (done["response"], done["finished_at"] is not None) == ({"status": status}, True)


@case("1.6", "TC_017_1_CSMS", requirement="OCPP 1.6 5.18")
def test_a_connector_is_unlocked(station: Station16, api: Api) -> None:
    station.status("Available")
    unlock(station, api, 1, "Unlocked", "confirmed")


@case("1.6", "TC_017_2_CSMS", requirement="OCPP 1.6 5.18")
def test_a_fixed_cable_cannot_be_unlocked(station: Station16, api: Api) -> None:
    station.status("Available")
    unlock(station, api, 1, "NotSupported", "rejected")


@case("1.6", "TC_018_1_CSMS", requirement="OCPP 1.6 5.18")
def test_a_connector_is_unlocked_while_it_charges(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    transaction = station.start("CARD")["transactionId"]
    unlock(station, api, 1, "Unlocked", "confirmed")
    station.stop(transaction, 1200, reason="UnlockCommand")
    station.status("Finishing")
    kept = api.transaction(station)
    assert (kept["status"], kept["stop_reason"], kept["energy_wh"]) == ("ended", "UnlockCommand", 200)
    assert api.connector(station)["status"] == "Finishing"


@case("1.6", "TC_030_CSMS", requirement="OCPP 1.6 5.18")
def test_a_connector_that_stays_locked(station: Station16, api: Api) -> None:
    unlock(station, api, 1, "UnlockFailed", "rejected")


@case("1.6", "TC_031_CSMS", requirement="OCPP 1.6 5.18")
def test_an_unknown_connector_cannot_be_unlocked(station: Station16, api: Api) -> None:
    unlock(station, api, 5, "NotSupported", "rejected")


def trigger(station: Station16, api: Api, message: str, payload: dict[str, Any], connector: int | None = None) -> None:
    params = {"message": message} | ({"evse": connector} if connector else {})
    asked = api.command(station, "trigger_message", params)
    station.expect("TriggerMessage", requestedMessage=message, connectorId=connector)
    station.answer(status="Accepted")
    api.becomes(asked, "accepted")
    station.call(message, payload)
    api.becomes(asked, "confirmed")


@case("1.6", "TC_054_CSMS", requirement="OCPP 1.6 5.17")
def test_messages_are_triggered(station: Station16, api: Api) -> None:
    sampled = [{"timestamp": ago(0), "sampledValue": [{"value": "4711"}]}]
    trigger(station, api, "MeterValues", {"connectorId": 1, "meterValue": sampled}, 1)
    assert api.one(station, "meter-samples/")["energy_wh"] == 4711
    trigger(station, api, "Heartbeat", {})
    trigger(station, api, "StatusNotification", {"connectorId": 1, "status": "Available", "errorCode": "NoError"}, 1)
    assert api.connector(station)["status"] == "Available"
    trigger(station, api, "DiagnosticsStatusNotification", {"status": "Idle"})
    assert api.station(station)["log_status"] == "Idle"
    trigger(station, api, "FirmwareStatusNotification", {"status": "Idle"})
    assert api.station(station)["firmware_status"] == "Idle"


@case("1.6", "TC_055_CSMS", requirement="OCPP 1.6 5.17")
def test_a_trigger_that_is_rejected(station: Station16, api: Api) -> None:
    for status in ("Rejected", "NotImplemented"):
        asked = api.raw(station, "TriggerMessage", {"requestedMessage": "MeterValues"})
        station.expect("TriggerMessage", requestedMessage="MeterValues")
        station.answer(status=status)
        assert api.becomes(asked, "rejected")["detail"] == status
