"""Boot, settings and restarts."""

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.conftest import Dial
from tests.conformance.station import Station16


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


@case("1.6", "TC_013_CSMS", requirement="OCPP 1.6 5.14")
def test_hard_reset(station: Station16, api: Api) -> None:
    asked = api.command(station, "reset", {"when": "immediate"})
    station.expect("Reset", type="Hard")
    station.answer(status="Accepted")
    api.becomes(asked, "accepted")
    station.dial().boot()
    api.becomes(asked, "confirmed")
