"""P: outside the standard."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201, ago


def logged(station: Station201, api: Api, action: str) -> str:
    """What the station said, as it was stored."""
    rows: Any = api.until(lambda: api.of(station, "messages/", action=action))
    return str(rows[0]["call"])


@case("2.0.1", "TC_P_02_CSMS", requirement="OCPP 2.0.1 P02")
def test_a_message_of_an_unknown_vendor_is_kept_and_said_to_be_unknown(station: Station201, api: Api) -> None:
    answer = station.call("DataTransfer", vendorId="org.example.unknown", messageId="Blink", data={"times": 2})
    assert answer["status"] in ("UnknownVendorId", "UnknownMessageId", "Rejected")
    assert "org.example.unknown" in logged(station, api, "DataTransfer")


@case("2.0.1", "TC_P_03_CSMS", requirement="OCPP 2.0.1 schemas, CustomDataType")
def test_custom_data_is_taken_and_kept(station: Station201, api: Api) -> None:
    custom = {"vendorId": "org.example.custom", "colour": "green"}
    assert station.status("Available", customData=custom) == {}
    assert api.connector(station)["status"] == "Available"
    assert "green" in logged(station, api, "StatusNotification")
    payload = {"idToken": {"idToken": "CARD", "type": "ISO14443", "customData": custom}, "customData": custom}
    assert station.call("Authorize", payload)["idTokenInfo"]["status"] in ("Unknown", "Invalid")
    assert "org.example.custom" in logged(station, api, "Authorize")
    assert [row["at"][:10] for row in api.of(station, "events/")] == [ago(0)[:10]]
