"""Messages outside the standard."""

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station16


@case("1.6", "TC_064_CSMS", requirement="OCPP 1.6 4.3")
def test_a_message_of_an_unknown_vendor_is_kept_and_said_to_be_unknown(station: Station16, api: Api) -> None:
    answer = station.call("DataTransfer", vendorId="org.example.unknown", messageId="Blink", data="twice")
    assert answer == {"status": "UnknownVendorId"}
    kept = api.until(lambda: api.of(station, "messages/", action="DataTransfer"))
    assert "org.example.unknown" in str(kept[0]["call"])
