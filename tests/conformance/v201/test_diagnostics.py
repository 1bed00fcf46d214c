"""N: logs."""

from datetime import UTC, datetime
from typing import Any

from django_scopes import scopes_disabled

from stations.services import diagnostics
from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201


def ask(station: Station201, api: Api, kind: str, log_type: str, status: str = "Accepted") -> tuple[int, Any]:
    """The command, and the payload of the CALL."""
    asked = api.command(station, "get_log", {"log": kind, "since": "2026-11-01T00:00:00Z"})
    payload = station.expect("GetLog", logType=log_type)
    assert payload["log"]["oldestTimestamp"] == "2026-11-01T00:00:00Z"
    station.answer(status=status, **({"filename": f"{kind}.log"} if status != "Rejected" else {}))
    return asked, payload


def says(station: Station201, status: str, payload: Any) -> None:
    assert station.call("LogStatusNotification", status=status, requestId=payload["requestId"]) == {}


def fetched(station: Station201, api: Api, kind: str, log_type: str) -> None:
    asked, payload = ask(station, api, kind, log_type)
    says(station, "Uploading", payload)
    assert api.one(station, "logs/")["status"] == "uploading"
    api.upload(f"{payload['log']['remoteLocation']}{kind}.log", b"nobody came")
    says(station, "Uploaded", payload)
    api.becomes(asked, "confirmed")
    log = api.one(station, "logs/")
    assert (log["status"], log["kind"], log["size"], log["filename"]) == ("uploaded", kind, 11, f"{kind}.log")
    assert api.station(station)["log_status"] == "Uploaded"


@case("2.0.1", "TC_N_25_CSMS", requirement="OCPP 2.0.1 N01")
def test_the_diagnostics_are_fetched(station: Station201, api: Api) -> None:
    fetched(station, api, "diagnostics", "DiagnosticsLog")


@case("2.0.1", "TC_N_35_CSMS", requirement="OCPP 2.0.1 N01")
def test_the_security_log_is_fetched(station: Station201, api: Api) -> None:
    fetched(station, api, "security", "SecurityLog")


@case("2.0.1", "TC_N_34_CSMS", requirement="OCPP 2.0.1 N01")
def test_a_log_that_the_station_refuses(station: Station201, api: Api, bells: None) -> None:
    asked, _ = ask(station, api, "diagnostics", "DiagnosticsLog", "Rejected")
    assert api.becomes(asked, "rejected")["response"] == {"status": "Rejected"}
    with scopes_disabled():
        diagnostics.sweep(now=datetime.now(UTC))
    log = api.one(station, "logs/")
    assert (log["status"], log["reason"]) == ("failed", "The charger refused: Rejected.")


@case("2.0.1", "TC_N_36_CSMS", requirement="OCPP 2.0.1 N01")
def test_a_second_request_takes_the_place_of_the_first(station: Station201, api: Api) -> None:
    first, payload = ask(station, api, "diagnostics", "DiagnosticsLog")
    says(station, "Uploading", payload)
    second, other = ask(station, api, "security", "SecurityLog", "AcceptedCanceled")
    assert other["requestId"] != payload["requestId"]
    says(station, "AcceptedCanceled", payload)
    api.becomes(first, "no_effect")
    assert "newer one" in api.of(station, "logs/", kind="diagnostics")[0]["reason"]
    says(station, "Uploading", other)
    api.upload(f"{other['log']['remoteLocation']}security.log", b"nobody came")
    api.becomes(second, "confirmed")
    assert {row["kind"]: row["status"] for row in api.of(station, "logs/")} == {"diagnostics": "failed", "security": "uploaded"}
