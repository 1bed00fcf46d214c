"""What the cases of chapter K share."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.station import Events, Station201

START = "2026-01-01T00:00:00Z"


def profile(purpose: str = "TxDefaultProfile", limit: float = 16, **fields: Any) -> dict[str, Any]:
    """As our commands have it."""
    schedule = {"unit": "A", "periods": [{"start_s": 0, "limit": limit}], "start": START}
    return {"purpose": purpose, "kind": "Absolute", "stack_level": 0, "schedules": [schedule]} | fields


def wire(purpose: str = "TxDefaultProfile", limit: float = 16, **fields: Any) -> dict[str, Any]:
    """As a station reports it."""
    schedule = {"id": 1, "chargingRateUnit": "A", "startSchedule": START}
    schedule["chargingSchedulePeriod"] = [{"startPeriod": 0, "limit": limit}]
    found = {"id": 5, "stackLevel": 0, "chargingProfilePurpose": purpose, "chargingProfileKind": "Absolute"}
    return found | {"chargingSchedule": [schedule]} | fields


def set_it(station: Station201, api: Api, evse: int, wanted: dict[str, Any], **answer: Any) -> tuple[int, Any]:
    """The command, and the profile that the station was sent."""
    asked = api.command(station, "set_charging_profile", {"evse": evse, "profile": wanted})
    sent = station.expect("SetChargingProfile", evseId=evse)["chargingProfile"]
    station.answer({"status": "Accepted"} | answer)
    return asked, sent


def charging(station: Station201, api: Api, evse: int = 1) -> Events:
    """A session that runs."""
    events = station.transaction(evse)
    events.started("Authorized", token="CARD", state="Charging")
    api.until(lambda: api.of(station, "transactions/"))
    return events


def get_them(station: Station201, api: Api, params: dict[str, Any], criteria: dict[str, Any], *reported: dict[str, Any]) -> Any:
    """Ask for profiles, and report these pages, each {"evseId", "chargingLimitSource"?, "chargingProfile"}: the rows then."""
    asked = api.command(station, "get_charging_profiles", params)
    sent = station.expect("GetChargingProfiles", chargingProfile=criteria)
    assert sent.get("evseId") == params.get("evse")
    station.answer(status="Accepted")
    for number, page in enumerate(reported, start=1):
        api.becomes(asked, "accepted")
        fields = {"requestId": sent["requestId"], "chargingLimitSource": "CSO", "tbc": number < len(reported)} | page
        assert station.call("ReportChargingProfiles", fields) == {}
    api.becomes(asked, "confirmed")
    return api.of(station, "charging-profiles/")


def limit_of(station: Station201, api: Api, evse: int = 1) -> list[Any]:
    """What may be drawn at an EVSE from now on, by what we know."""
    (found,) = api.one(station, "composite-schedules/", evse=evse)["schedules"]
    return [one["limit"] for one in found["periods"]]
