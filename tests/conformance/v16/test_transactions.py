"""Sessions, online and offline."""

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station16, ago
from tests.network import Network


def statuses(station: Station16, api: Api) -> list[str]:
    """What connector 1 was told to be, the oldest first."""
    return [row["status"] for row in reversed(api.of(station, "events/"))]


def charge(station: Station16, api: Api) -> None:
    """A session from its start to its end: 1000 Wh, as the API tells it then."""
    answer = station.start("CARD", timestamp=ago(60))
    assert answer["idTagInfo"]["status"] == "Accepted"
    station.status("Charging")
    running = api.transaction(station)
    assert (running["status"], running["id_tag"], running["evse"]) == ("active", "CARD", 1)
    assert (running["ocpp_transaction_id"], running["meter_start_wh"]) == (str(answer["transactionId"]), 1000)
    station.meter(answer["transactionId"], 1500, at=ago(30))
    assert api.transaction(station)["energy_wh"] == 500
    assert station.call("Authorize", idTag="CARD")["idTagInfo"]["status"] == "Accepted"
    stopped = station.stop(answer["transactionId"], 2000, idTag="CARD")
    assert stopped["idTagInfo"]["status"] == "Accepted"
    station.status("Finishing")
    station.status("Available")
    ended = api.transaction(station)
    assert (ended["status"], ended["stop_reason"], ended["energy_wh"], ended["findings"]) == ("ended", "Local", 1000, [])
    assert [row["energy_wh"] for row in api.of(station, "meter-samples/", transaction=ended["id"])] == [1500]
    assert api.connector(station)["status"] == "Available"


@case("1.6", "TC_003_CSMS", requirement="OCPP 1.6 4.8, 4.10")
def test_a_session_plugged_in_first(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    station.status("Preparing")
    assert api.connector(station)["status"] == "Preparing"
    assert station.call("Authorize", idTag="CARD")["idTagInfo"]["status"] == "Accepted"
    charge(station, api)
    assert statuses(station, api) == ["Preparing", "Charging", "Finishing", "Available"]


@case("1.6", "TC_004_1_CSMS", requirement="OCPP 1.6 4.1, 4.8")
def test_a_session_identified_first(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    assert station.call("Authorize", idTag="CARD")["idTagInfo"]["status"] == "Accepted"
    assert api.of(station, "transactions/") == []
    station.status("Preparing")
    charge(station, api)


@case("1.6", "TC_004_2_CSMS", inferred=True)
def test_identified_first_and_never_plugged_in(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    assert station.call("Authorize", idTag="CARD")["idTagInfo"]["status"] == "Accepted"
    station.status("Preparing")
    station.status("Available")
    assert api.connector(station)["status"] == "Available"
    assert statuses(station, api) == ["Preparing", "Available"]
    # An Authorize makes no transaction (OCPP 1.6 4.1).
    assert api.of(station, "transactions/") == []


@case("1.6", "TC_005_1_CSMS", requirement="OCPP 1.6 4.10")
def test_unplugged_at_the_car(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    transaction = station.start("CARD")["transactionId"]
    station.status("Charging")
    station.status("SuspendedEV")
    assert api.connector(station)["status"] == "SuspendedEV"
    assert station.stop(transaction, 1800, reason="EVDisconnected") == {}
    station.status("Finishing")
    station.status("Available")
    kept = api.transaction(station)
    assert (kept["stop_reason"], kept["energy_wh"], kept["status"]) == ("EVDisconnected", 800, "ended")
    assert api.connector(station)["status"] == "Available"


@case("1.6", "TC_007_CSMS", requirement="OCPP 1.6 4.8")
def test_a_session_of_a_cached_tag_is_checked_at_its_start(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD", group="FLEET")
    station.status("Preparing")
    info = station.start("CARD")["idTagInfo"]
    # What the station keeps of it comes with the answer.
    assert (info["status"], info["parentIdTag"]) == ("Accepted", "FLEET")
    kept = api.transaction(station)
    assert (kept["id_tag"], kept["authorization_status"], kept["status"]) == ("CARD", "Accepted", "active")


@case("1.6", "TC_024_CSMS", inferred=True)
def test_a_lock_that_fails(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    assert station.call("Authorize", idTag="CARD")["idTagInfo"]["status"] == "Accepted"
    station.status("Faulted", errorCode="ConnectorLockFailure")
    shown = api.connector(station)
    assert (shown["status"], shown["error_code"]) == ("Faulted", "ConnectorLockFailure")
    assert api.of(station, "transactions/") == []


@case("1.6", "TC_037_1_CSMS", requirement="OCPP 1.6 4.8")
def test_a_session_that_began_offline(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    station.close()
    began = ago(900)
    station.dial()
    assert station.start("CARD", timestamp=began)["idTagInfo"]["status"] == "Accepted"
    station.status("Charging")
    kept = api.transaction(station)
    assert (kept["started_at"][:19], kept["status"], kept["authorization_status"]) == (began[:19], "active", "Accepted")
    assert api.connector(station)["status"] == "Charging"


@case("1.6", "TC_037_3_CSMS", requirement="OCPP 1.6 4.8")
def test_a_session_that_began_offline_with_a_tag_that_may_not(station: Station16, api: Api) -> None:
    station.close()
    station.dial()
    answer = station.start("NOBODY", timestamp=ago(900))
    assert (answer["idTagInfo"]["status"], answer["transactionId"] > 0) == ("Invalid", True)
    station.stop(answer["transactionId"], 1001, reason="DeAuthorized")
    kept = api.transaction(station)
    assert (kept["status"], kept["stop_reason"], kept["authorization_status"]) == ("ended", "DeAuthorized", "Unknown")
    assert (kept["id_tag"], kept["energy_wh"]) == ("NOBODY", 1)


@case("1.6", "TC_039_CSMS", requirement="OCPP 1.6 4.8, 4.10")
def test_a_session_that_was_offline_from_its_start_to_its_end(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    station.close()
    began, ended = ago(1800), ago(900)
    station.dial()
    transaction = station.start("CARD", timestamp=began)["transactionId"]
    station.meter(transaction, 1400, at=ago(1200))
    station.stop(transaction, 2500, timestamp=ended, idTag="CARD")
    kept = api.transaction(station)
    assert (kept["started_at"][:19], kept["stopped_at"][:19], kept["status"]) == (began[:19], ended[:19], "ended")
    assert (kept["energy_wh"], kept["stop_reason"], kept["stopped_by"]) == (1500, "Local", "CARD")
