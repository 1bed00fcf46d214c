"""Boot, settings and restarts."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.conftest import Dial
from tests.conformance.station import Station16
from tests.network import Network


@case("1.6", "TC_001_CSMS", requirement="OCPP 1.6 4.2")
def test_cold_boot(dial: Dial, api: Api) -> None:
    station: Station16 = dial()
    answer = station.boot(chargePointSerialNumber="A-1")
    assert (answer["status"], answer["interval"] > 0) == ("Accepted", True)
    station.status("Available", 0)
    station.status("Available", 1)
    shown = api.station(station)
    assert (shown["vendor"], shown["model"], shown["serial_number"], shown["firmware_version"]) == ("Acme", "One", "A-1", "1.0")
    assert (shown["registration"], shown["online"], shown["status"]) == ("Accepted", True, "Available")
    assert api.connector(station)["status"] == "Available"


def reset(station: Station16, api: Api, when: str, kind: str, reason: str) -> None:
    """A restart with a session under way, which the station stops before."""
    transaction = station.start("CARD")["transactionId"]
    asked = api.command(station, "reset", {"when": when})
    station.expect("Reset", type=kind)
    station.answer(status="Accepted")
    api.becomes(asked, "accepted")
    station.stop(transaction, 1500, reason=reason)
    assert (api.transaction(station)["stop_reason"], api.transaction(station)["energy_wh"]) == (reason, 500)
    station.dial().boot()
    station.status("Available")
    api.becomes(asked, "confirmed")
    assert api.connector(station)["status"] == "Available"


@case("1.6", "TC_013_CSMS", requirement="OCPP 1.6 5.14")
def test_hard_reset(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    reset(station, api, "immediate", "Hard", "HardReset")


@case("1.6", "TC_014_CSMS", requirement="OCPP 1.6 5.14")
def test_soft_reset(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    reset(station, api, "idle", "Soft", "SoftReset")


def key(name: str, value: str, readonly: bool = False) -> dict[str, Any]:
    return {"key": name, "value": value, "readonly": readonly}


@case("1.6", "TC_019_1_CSMS", requirement="OCPP 1.6 5.8")
def test_all_configuration_keys_are_read(station: Station16, api: Api) -> None:
    asked = api.command(station, "get_variables")
    assert station.expect("GetConfiguration") == {}
    keys = [key("HeartbeatInterval", "300"), key("NumberOfConnectors", "2", True), key("AuthorizationKey", "0123456789abcdef")]
    station.answer(configurationKey=keys)
    api.becomes(asked, "confirmed")
    kept = {row["variable"]: (row["value"], row["mutability"]) for row in api.of(station, "variables/")}
    assert kept["HeartbeatInterval"] == ("300", "ReadWrite")
    assert kept["NumberOfConnectors"] == ("2", "ReadOnly")
    assert "0123456789abcdef" not in str(kept)


@case("1.6", "TC_019_2_CSMS", requirement="OCPP 1.6 5.8")
def test_one_configuration_key_is_read_and_an_unknown_one_is_known_to_be(station: Station16, api: Api) -> None:
    names = [{"variable": "SupportedFeatureProfiles"}, {"variable": "Nonsense"}]
    asked = api.command(station, "get_variables", {"variables": names})
    station.expect("GetConfiguration", key=["SupportedFeatureProfiles", "Nonsense"])
    station.answer(configurationKey=[key("SupportedFeatureProfiles", "Core", True)], unknownKey=["Nonsense"])
    api.becomes(asked, "confirmed")
    assert api.variable(station, "SupportedFeatureProfiles")["value"] == "Core"
    assert api.variable(station, "Nonsense")["known"] is False


def change(station: Station16, api: Api, status: str) -> int:
    """A setting is changed, to which the station says this."""
    asked = api.command(station, "set_variables", {"variables": [{"variable": "MeterValueSampleInterval", "value": "60"}]})
    station.expect("ChangeConfiguration", key="MeterValueSampleInterval", value="60")
    station.answer(status=status)
    return asked


@case("1.6", "TC_021_CSMS", requirement="OCPP 1.6 5.3")
def test_a_configuration_key_is_changed_and_read_again(station: Station16, api: Api) -> None:
    api.becomes(change(station, api, "Accepted"), "confirmed")
    # What the station made of it counts (ocpp-rules 1.1: after Accepted re-read the key).
    station.expect("GetConfiguration", key=["MeterValueSampleInterval"])
    station.answer(configurationKey=[key("MeterValueSampleInterval", "30")])
    api.until(lambda: api.variable(station, "MeterValueSampleInterval")["value"] == "30")


@case("1.6", "TC_040_1_CSMS", requirement="OCPP 1.6 5.3")
def test_a_configuration_key_that_is_not_supported(station: Station16, api: Api) -> None:
    done = api.becomes(change(station, api, "NotSupported"), "rejected")
    assert "NotSupported" in done["detail"]
    assert api.variable(station, "MeterValueSampleInterval")["known"] is False


@case("1.6", "TC_040_2_CSMS", requirement="OCPP 1.6 5.3")
def test_a_configuration_key_whose_value_is_refused(station: Station16, api: Api) -> None:
    done = api.becomes(change(station, api, "Rejected"), "rejected")
    assert "Rejected" in done["detail"]
    known = api.variable(station, "MeterValueSampleInterval")
    assert known is None or known["value"] != "60"


@case("1.6", "TC_032_1_CSMS", inferred=True)
def test_a_power_failure_after_which_the_station_stops_what_ran(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    transaction = station.start("CARD")["transactionId"]
    station.dial().boot()
    station.stop(transaction, 1700, reason="PowerLoss")
    station.status("Available")
    kept = api.transaction(station)
    assert (kept["status"], kept["stop_reason"], kept["energy_wh"]) == ("ended", "PowerLoss", 700)
    assert api.station(station)["booted_at"] is not None
    assert api.connector(station)["status"] == "Available"
