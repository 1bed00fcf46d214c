"""P: outside the standard."""

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201


@case("2.0.1", "TC_P_02_CSMS", requirement="OCPP 2.0.1 P02")
def test_data_of_an_unknown_vendor(station: Station201, api: Api) -> None:
    data = {"myKey": [1, {"snake_key": None}]}
    answer = station.call("DataTransfer", vendorId="com.example", messageId="Hello", data=data)
    assert answer["status"] in ("Rejected", "UnknownVendorId", "UnknownMessageId")
    (row,) = api.of(station, "messages/", action="DataTransfer")
    assert (row["call"][3]["data"], row["answer"][2]) == (data, answer)


@case("2.0.1", "TC_P_03_CSMS", inferred=True)
def test_custom_data_is_taken_and_kept(station: Station201, api: Api) -> None:
    custom = {"vendorId": "com.example", "myKey": [1, 2]}
    assert station.call("Heartbeat", customData=custom)["currentTime"]
    station.status("Available", customData=custom)
    assert api.connector(station)["status"] == "Available"
    (row,) = api.of(station, "messages/", action="StatusNotification")
    assert row["call"][3]["customData"] == custom
