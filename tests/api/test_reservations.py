"""Reservations for programs."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_scopes import scope

from stations.models import Command, Reservation
from tests.api.conftest import KeyClient, Network, Person, person

PATH = "/api/v1/reservations/"


def wish(**fields: Any) -> dict[str, Any]:
    until = (timezone.now() + timedelta(hours=1)).isoformat()
    return {"station": "AMBER-01", "id_tag": "DEE-CARD", "evse": 1, "expires_at": until} | fields


def reserve(who: Person, body: dict[str, Any] | None = None, **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return who.client.post(PATH, body or wish(), content_type="application/json", headers=given)


def cancel(client: KeyClient, pk: int) -> Any:
    return client.post(f"{PATH}{pk}/cancel/", content_type="application/json")


def test_a_plug_is_asked_for_and_stands_in_the_list(ada: Person, amber: Network) -> None:
    answer = reserve(ada)
    assert answer.status_code == 201, answer.json()
    row = answer.json()
    told = (row["station"], row["evse"], row["id_tag"], row["status"], row["requested_by"], row["transaction"])
    assert told == ("AMBER-01", 1, "DEE-CARD", "requested", ada.user.email, None)
    assert ada.client.get(f"{PATH}{row['id']}/").json() == row
    asked = ada.client.get(f"/api/v1/commands/{row['command']}/").json()
    assert (asked["command"], asked["params"]["id_token"], asked["status"]) == ("reserve_now", "DEE-CARD", "queued")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"station": "AMBER-01"}, True),
        ({"station": "NOBODY"}, False),
        ({"status": "requested", "id_tag": "dee-card"}, True),
        ({"status": "active"}, False),
        ({"open": "true", "evse": "1"}, True),
        ({"open": "false"}, False),
        ({"since": "2999-01-01"}, False),
    ],
)
def test_the_list_is_narrowed(ada: Person, amber: Network, asked: dict[str, str], found: bool) -> None:
    reserve(ada)
    assert bool(ada.client.rows("reservations/", **asked)) is found


def test_the_same_idempotency_key_asks_once(ada: Person, amber: Network) -> None:
    body = wish()
    first, again = (reserve(ada, body, Idempotency_Key="k1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert reserve(ada, wish(evse=2), Idempotency_Key="k1").status_code == 409


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"station": "NOBODY"}, "station: There is no such station in your network."),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at is in the past: choose a time from now on."),
        ({"plug": 1}, "Unknown: plug."),
        ({"connector_type": "Schuko"}, "connector_type: "),
        ({"evse": 0}, "evse: "),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(ada: Person, amber: Network, fields: dict[str, Any], said: str) -> None:
    answer = reserve(ada, wish(**fields))
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(said)


def test_a_request_that_was_not_sent_is_taken_back(ada: Person, amber: Network) -> None:
    row = reserve(ada).json()
    answer = cancel(ada.client, row["id"])
    assert (answer.status_code, answer.json()["status"]) == (202, "refused")
    again = cancel(ada.client, row["id"])
    assert (again.status_code, again.json()["detail"]) == (409, f"Reservation {row['id']} has ended already: it is refused.")


def test_what_is_kept_is_given_up_by_asking_the_station_once(ada: Person, amber: Network) -> None:
    row = reserve(ada).json()
    with scope(operator=ada.operator):
        Command.objects.filter(pk=row["command"]).update(status="confirmed")
        Reservation.objects.filter(pk=row["id"]).update(status="active")
    for _ in range(2):
        assert ada.client.delete(f"{PATH}{row['id']}/").status_code == 202
    (asked,) = ada.client.rows("commands/", kind="cancel_reservation")
    assert asked["params"] == {"reservation": row["number"]}


def test_only_who_may_send_commands_reserves(ada: Person, ben: Person, cleo: Person, amber: Network) -> None:
    row = reserve(ada).json()
    reader = person("eve", ada.operator, "owner", ("read",))
    for who in (ben, reader):
        assert [reserve(who).status_code, cancel(who.client, row["id"]).status_code] == [403, 403]
        assert who.client.get(f"{PATH}{row['id']}/").status_code == 200
    assert cancel(cleo.client, row["id"]).status_code == 404
    assert reserve(cleo).status_code == 400
    assert cleo.client.rows("reservations/") == []
