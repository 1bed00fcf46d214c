"""Reservations: a connector or the whole charge point is kept, used, given up, lost."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django_scopes import scopes_disabled

from stations.services import reserving
from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station16
from tests.network import Network


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def reserve(station: Station16, api: Api, status: str = "Accepted", **params: Any) -> tuple[int, dict[str, Any]]:
    """Ask for connector 1, and let the station answer: the command, and what the station was told."""
    asked = api.command(station, "reserve_now", {"id_token": "CARD", "evse": 1, "expires_at": in_an_hour()} | params)
    told = station.expect("ReserveNow", idTag="CARD")
    assert told["connectorId"] == (params.get("evse", 1) or 0)
    station.answer(status=status)
    return asked, told


def kept(station: Station16, api: Api, told: dict[str, Any]) -> Any:
    """The reservation, once the station keeps it."""
    row = api.until(lambda: api.of(station, "reservations/", status="active"))[0]
    assert (row["number"], row["id_tag"], row["expires_at"][:19]) == (told["reservationId"], "CARD", told["expiryDate"][:19])
    return row


def ended(station: Station16, api: Api, status: str) -> Any:
    api.until(lambda: api.one(station, "reservations/")["status"] == status)
    return api.one(station, "reservations/")


@case("1.6", "TC_046_CSMS", requirement="OCPP 1.6 5.13, 4.8")
def test_a_connector_is_kept_and_used_by_a_transaction(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    asked, told = reserve(station, api)
    assert kept(station, api, told)["evse"] == 1
    station.status("Reserved")
    api.becomes(asked, "confirmed")
    assert api.connector(station)["status"] == "Reserved"
    assert station.call("Authorize", idTag="CARD")["idTagInfo"]["status"] == "Accepted"
    station.status("Preparing")
    station.start("CARD", reservationId=told["reservationId"])
    station.status("Charging")
    assert ended(station, api, "used")["transaction"] == api.transaction(station)["id"]


@case("1.6", "TC_047_CSMS", requirement="OCPP 1.6 5.13")
def test_a_reservation_that_nobody_uses_expires(station: Station16, api: Api) -> None:
    _, told = reserve(station, api)
    row = kept(station, api, told)
    station.status("Reserved")
    # No message tells of it: the CSMS has to see itself that the time is over.
    with scopes_disabled():
        reserving.sweep(now=datetime.fromisoformat(row["expires_at"]))
    assert ended(station, api, "expired")["transaction"] is None
    station.status("Available")
    assert api.connector(station)["status"] == "Available"


def refused(station: Station16, api: Api, status: str) -> None:
    asked, _ = reserve(station, api, status)
    assert api.becomes(asked, "rejected")["response"] == {"status": status}
    assert ended(station, api, "refused")["detail"] == status


@case("1.6", "TC_048_1_CSMS", requirement="OCPP 1.6 5.13")
def test_a_faulted_connector_is_not_reserved(station: Station16, api: Api) -> None:
    station.status("Faulted", errorCode="GroundFailure")
    refused(station, api, "Faulted")


@case("1.6", "TC_048_2_CSMS", requirement="OCPP 1.6 5.13")
def test_an_occupied_connector_is_not_reserved(station: Station16, api: Api) -> None:
    station.status("Preparing")
    refused(station, api, "Occupied")


@case("1.6", "TC_048_3_CSMS", requirement="OCPP 1.6 5.13")
def test_an_unavailable_connector_is_not_reserved(station: Station16, api: Api) -> None:
    asked = api.command(station, "change_availability", {"operative": False, "evse": 1})
    station.expect("ChangeAvailability", connectorId=1, type="Inoperative")
    station.answer(status="Accepted")
    station.status("Unavailable")
    api.becomes(asked, "confirmed")
    refused(station, api, "Unavailable")


@case("1.6", "TC_048_4_CSMS", requirement="OCPP 1.6 5.13")
def test_a_reservation_is_rejected(station: Station16, api: Api) -> None:
    refused(station, api, "Rejected")


@case("1.6", "TC_049_CSMS", requirement="OCPP 1.6 5.13, 4.8")
def test_the_charge_point_is_reserved_and_used_by_a_transaction(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD")
    asked = api.command(station, "get_variables", {"variables": [{"variable": "ReserveConnectorZeroSupported"}]})
    station.expect("GetConfiguration", key=["ReserveConnectorZeroSupported"])
    station.answer(configurationKey=[{"key": "ReserveConnectorZeroSupported", "readonly": True, "value": "true"}])
    api.becomes(asked, "confirmed")
    asked, told = reserve(station, api, evse=None)
    assert kept(station, api, told)["evse"] is None
    api.becomes(asked, "confirmed")
    station.start("CARD", 2, reservationId=told["reservationId"])
    assert ended(station, api, "used")["transaction"] == api.transaction(station)["id"]


@case("1.6", "TC_051_CSMS", requirement="OCPP 1.6 5.1")
def test_a_reservation_is_cancelled(station: Station16, api: Api) -> None:
    _, told = reserve(station, api)
    kept(station, api, told)
    station.status("Reserved")
    asked = api.command(station, "cancel_reservation", {"reservation": told["reservationId"]})
    station.expect("CancelReservation", reservationId=told["reservationId"])
    station.answer(status="Accepted")
    api.becomes(asked, "confirmed")
    ended(station, api, "cancelled")
    station.status("Available")
    assert api.connector(station)["status"] == "Available"


@case("1.6", "TC_052_CSMS", requirement="OCPP 1.6 5.1")
def test_a_cancelling_is_rejected(station: Station16, api: Api) -> None:
    _, told = reserve(station, api)
    row = kept(station, api, told)
    api.post(f"reservations/{row['id']}/cancel/", status=202)
    station.expect("CancelReservation", reservationId=told["reservationId"])
    station.answer(status="Rejected")
    # The station has no reservation of that number (5.1): nobody has it any more.
    ended(station, api, "removed")
    (asked,) = api.of(station, "commands/", kind="cancel_reservation")
    assert asked["status"] == "rejected"


@case("1.6", "TC_053_CSMS", requirement="OCPP 1.6 5.13")
def test_a_reserved_connector_is_used_by_another_tag_of_the_group(station: Station16, api: Api, network: Network) -> None:
    network.token("CARD", group="FLEET")
    network.token("OTHER", group="FLEET")
    _, told = reserve(station, api)
    assert told["parentIdTag"] == "FLEET"
    assert kept(station, api, told)["group"] == "FLEET"
    info = station.call("Authorize", idTag="OTHER")["idTagInfo"]
    assert (info["status"], info["parentIdTag"]) == ("Accepted", "FLEET")
    station.start("OTHER", reservationId=told["reservationId"])
    assert ended(station, api, "used")["transaction"] == api.transaction(station)["id"]
