"""B: boot, settings and restarts."""

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.conftest import Dial
from tests.conformance.station import Station201


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
