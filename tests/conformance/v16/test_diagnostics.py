"""Diagnostics, and the security log of the security extension."""

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station16


@case("1.6", "TC_045_1_CSMS", requirement="OCPP 1.6 4.4, 5.9")
def test_diagnostics_are_fetched(station: Station16, api: Api) -> None:
    asked = api.command(station, "get_log", {"log": "diagnostics"})
    location = station.expect("GetDiagnostics")["location"]
    station.answer(fileName="diag.log")
    station.call("DiagnosticsStatusNotification", status="Uploading")
    assert api.one(station, "logs/")["status"] == "uploading"
    api.upload(location + "diag.log", b"all is well")
    station.call("DiagnosticsStatusNotification", status="Uploaded")
    api.becomes(asked, "confirmed")
    log = api.one(station, "logs/")
    assert (log["status"], log["size"], log["filename"]) == ("uploaded", 11, "diag.log")
    assert api.station(station)["log_status"] == "Uploaded"


@case("1.6", "TC_045_2_CSMS", requirement="OCPP 1.6 4.4")
def test_diagnostics_that_cannot_be_sent(station: Station16, api: Api) -> None:
    asked = api.command(station, "get_log", {"log": "diagnostics"})
    station.expect("GetDiagnostics")
    station.answer(fileName="diag.log")
    station.call("DiagnosticsStatusNotification", status="Uploading")
    station.call("DiagnosticsStatusNotification", status="UploadFailed")
    api.becomes(asked, "no_effect")
    log = api.one(station, "logs/")
    assert (log["status"], "could not send" in log["reason"]) == ("failed", True)


@case("1.6", "TC_079_CSMS", requirement="OCPP 1.6 security whitepaper, GetLog")
def test_the_security_log_is_fetched(station: Station16, api: Api) -> None:
    asked = api.command(station, "get_log", {"log": "security"})
    payload = station.expect("GetLog", logType="SecurityLog")
    station.answer(status="Accepted", filename="security.log")
    station.call("LogStatusNotification", status="Uploading", requestId=payload["requestId"])
    assert api.one(station, "logs/")["status"] == "uploading"
    api.upload(payload["log"]["remoteLocation"] + "security.log", b"nobody came")
    station.call("LogStatusNotification", status="Uploaded", requestId=payload["requestId"])
    api.becomes(asked, "confirmed")
    log = api.one(station, "logs/", kind="security")
    assert (log["status"], log["size"]) == ("uploaded", 11)
