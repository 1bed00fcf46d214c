"""Chapter H: reservations of an EVSE, of any, of a type of connector."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201
from tests.network import Network

TOKEN = {"idToken": "CARD", "type": "ISO14443"}


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def reserve(station: Station201, api: Api, status: str = "Accepted", **params: Any) -> tuple[int, dict[str, Any]]:
    """Ask for an EVSE, and let the station answer: the command, and what the station was told."""
    asked = api.command(station, "reserve_now", {"id_token": "CARD", "expires_at": in_an_hour()} | params)
    told = station.expect("ReserveNow", idToken=TOKEN | {"idToken": params.get("id_token", "CARD")})
    assert told.get("evseId") == params.get("evse")
    station.answer(status=status)
    return asked, told


def kept(station: Station201, api: Api, told: dict[str, Any]) -> Any:
    """The reservation, once the station keeps it."""
    row = api.until(lambda: api.of(station, "reservations/", status="active", number=told["id"]))[0]
    assert (row["id_tag"], row["expires_at"][:19]) == (told["idToken"]["idToken"], told["expiryDateTime"][:19])
    return row


def ended(station: Station201, api: Api, status: str) -> Any:
    api.until(lambda: api.one(station, "reservations/")["status"] == status)
    return api.one(station, "reservations/")


def use(station: Station201, api: Api, told: dict[str, Any], token: str = "CARD", evse: int = 1) -> None:  # noqa: S107  (an id tag)
    assert station.authorize(token)["status"] == "Accepted"
    events = station.transaction(evse=evse, seconds_ago=0)
    events.started("Authorized", token=token, reservationId=told["id"])
    events.updated("CablePluggedIn", state="EVConnected")
    assert ended(station, api, "used")["transaction"] == api.transaction(station)["id"]


@case("2.0.1", "TC_H_01_CSMS", requirement="OCPP 2.0.1 H01, H03")
def test_an_evse_is_kept_and_used(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    asked, told = reserve(station, api, evse=1)
    assert kept(station, api, told)["evse"] == 1
    station.status("Reserved")
    api.becomes(asked, "confirmed")
    assert api.connector(station)["status"] == "Reserved"
    use(station, api, told)


@case("2.0.1", "TC_H_07_CSMS", requirement="OCPP 2.0.1 H01, H04")
def test_a_reservation_that_nobody_uses_ends(station: Station201, api: Api) -> None:
    _, told = reserve(station, api, evse=1)
    kept(station, api, told)
    station.status("Reserved")
    assert station.call("ReservationStatusUpdate", reservationId=told["id"], reservationUpdateStatus="Expired") == {}
    assert ended(station, api, "expired")["transaction"] is None
    station.status("Available")
    assert api.connector(station)["status"] == "Available"


@case("2.0.1", "TC_H_08_CSMS", requirement="OCPP 2.0.1 H01, H03")
def test_any_evse_is_kept_and_used(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    asked, told = reserve(station, api)
    assert kept(station, api, told)["evse"] is None
    api.becomes(asked, "confirmed")
    use(station, api, told, evse=2)


@case("2.0.1", "TC_H_14_CSMS", inferred=True)
def test_as_many_reservations_as_evses_leave_none_free(station: Station201, api: Api) -> None:
    for evse in (1, 2):
        station.status("Available", evse)
    numbers = []
    for tag in ("CARD", "OTHER"):
        _, told = reserve(station, api, id_token=tag)
        numbers.append(kept(station, api, told)["number"])
    # No EVSE is left for anybody else, so each says that it is reserved.
    for evse in (1, 2):
        station.status("Reserved", evse)
    assert [api.connector(station, evse)["status"] for evse in (1, 2)] == ["Reserved", "Reserved"]
    asked, _ = reserve(station, api, "Occupied", id_token="THIRD")
    api.becomes(asked, "rejected")
    assert sorted(row["number"] for row in api.of(station, "reservations/", status="active")) == sorted(numbers)
    assert [row["detail"] for row in api.of(station, "reservations/", status="refused")] == ["Occupied"]


@case("2.0.1", "TC_H_15_CSMS", requirement="OCPP 2.0.1 H01, H03")
def test_a_type_of_connector_is_kept_and_used(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD")
    _, told = reserve(station, api, connector_type="cCCS2")
    assert told["connectorType"] == "cCCS2"
    row = kept(station, api, told)
    assert (row["evse"], row["connector_type"]) == (None, "cCCS2")
    use(station, api, told)


@case("2.0.1", "TC_H_17_CSMS", requirement="OCPP 2.0.1 H02")
def test_a_reservation_is_cancelled(station: Station201, api: Api) -> None:
    _, told = reserve(station, api, evse=1)
    kept(station, api, told)
    station.status("Reserved")
    asked = api.command(station, "cancel_reservation", {"reservation": told["id"]})
    station.expect("CancelReservation", reservationId=told["id"])
    station.answer(status="Accepted")
    api.becomes(asked, "confirmed")
    ended(station, api, "cancelled")
    station.status("Available")
    assert api.connector(station)["status"] == "Available"


@case("2.0.1", "TC_H_19_CSMS", requirement="OCPP 2.0.1 H01, H03")
def test_a_reserved_evse_is_used_by_another_token_of_the_group(station: Station201, api: Api, network: Network) -> None:
    network.token("CARD", group="FLEET")
    network.token("OTHER", group="FLEET")
    _, told = reserve(station, api, evse=1)
    assert told["groupIdToken"]["idToken"] == "FLEET"
    assert kept(station, api, told)["group"] == "FLEET"
    assert station.authorize("OTHER")["groupIdToken"]["idToken"] == "FLEET"
    use(station, api, told, token="OTHER")


@case("2.0.1", "TC_H_20_CSMS", requirement="OCPP 2.0.1 H01")
def test_a_reservation_ends_when_the_evse_is_faulted(station: Station201, api: Api) -> None:
    _, told = reserve(station, api, evse=1)
    kept(station, api, told)
    station.status("Reserved")
    assert station.call("ReservationStatusUpdate", reservationId=told["id"], reservationUpdateStatus="Removed") == {}
    station.status("Faulted")
    ended(station, api, "removed")
    assert api.connector(station)["status"] == "Faulted"


@case("2.0.1", "TC_H_22_CSMS", requirement="OCPP 2.0.1 H01")
def test_a_station_that_reserves_nothing_rejects(station: Station201, api: Api) -> None:
    asked, _ = reserve(station, api, "Rejected", evse=1)
    assert api.becomes(asked, "rejected")["response"] == {"status": "Rejected"}
    assert ended(station, api, "refused")["detail"] == "Rejected"
