"""Quirks by the API: one's own, the shipped ones, and how strict a station is held."""

from typing import Any

import pytest
from django_scopes import scopes_disabled

from stations.models import Connection, Quirk, Station
from tests.api.conftest import Network, Person

JSON = "application/json"
OWN = {
    "name": "Times of its own",
    "vendor": "Acme*",
    "firmware_to": "1.10",
    "adjustments": [{"do": "local_time_zone", "zone": "Europe/Copenhagen"}],
}


def ask(who: Person, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answered = getattr(who.client, method)(f"/api/v1/{path}", body if body is not None else {}, JSON)
    assert answered.status_code == status, answered.content
    return answered.json() if answered.content else None


def shipped() -> Quirk:
    return Quirk.shipped.get(code="growatt-local-time")


def test_ones_own_are_added_changed_and_removed(ada: Person) -> None:
    added = ask(ada, "post", "quirks/", OWN, 201)
    assert {name: added[name] for name in OWN} == OWN
    assert (added["shipped"], added["active"], added["stations"], added["code"]) == (False, True, 0, "")
    path = f"quirks/{added['id']}/"
    changed = ask(ada, "patch", path, {"active": False, "model": "One"})
    assert (changed["active"], changed["model"], changed["name"]) == (False, "One", OWN["name"])
    assert ask(ada, "put", path, OWN)["model"] == "One"
    ask(ada, "delete", path, status=204)
    assert ada.client.get(f"/api/v1/{path}").status_code == 404
    told = [row["action"] for row in ada.client.rows("audit/", kind="quirk")]
    assert sorted(set(told)) == ["quirk.added", "quirk.changed", "quirk.removed"]


def test_a_shipped_one_is_switched_for_ones_own_network_and_never_changed(ada: Person, cleo: Person) -> None:
    path = f"quirks/{shipped().pk}/"
    assert ada.client.get(f"/api/v1/{path}").json()["active"] is True
    assert ask(ada, "patch", path, {"active": False})["active"] is False
    assert cleo.client.get(f"/api/v1/{path}").json()["active"] is True
    assert {row["active"] for row in ada.client.rows("quirks/", active="false")} == {False}
    ask(ada, "patch", path, {"vendor": "Acme"}, 409)
    ask(ada, "delete", path, status=409)
    assert shipped().vendor == "Growatt*"
    assert ask(ada, "patch", path, {"active": True})["active"] is True


def test_the_list_is_narrowed_and_counts_stations(ada: Person, amber: Network) -> None:
    with scopes_disabled():
        Station.objects.filter(pk=amber.station.pk).update(vendor="Alfen")
    ask(ada, "post", "quirks/", OWN | {"vendor": "Alfen", "firmware_to": ""}, 201)
    (own,) = ada.client.rows("quirks/", shipped="false")
    assert own["stations"] == 1
    assert {row["code"] for row in ada.client.rows("quirks/", vendor="growatt")} == {
        "growatt-local-time",
        "growatt-begin-in-every-sample",
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"vendor": "", "model": ""}, "vendor"),
        ({"vendor": "*"}, "vendor"),
        ({"firmware_from": "2", "firmware_to": "1.9"}, "firmware_to"),
        ({"firmware_from": "???"}, "firmware_from"),
        ({"source": "javascript:alert(1)"}, "source"),
        ({"protocol": "ocpp1.5"}, "protocol"),
        ({"name": ""}, "name"),
        ({"adjustments": []}, "adjustments"),
        ({"adjustments": "all"}, "adjustments"),
        ({"adjustments": [{"do": "dance"}]}, "adjustments"),
        ({"adjustments": ["id_tag_plain"]}, "adjustments"),
        ({"adjustments": [{"do": "id_tag_plain", "how": "well"}]}, "adjustments"),
        ({"adjustments": [{"do": "register_unit"}]}, "adjustments"),
        ({"adjustments": [{"do": "register_unit", "unit": "MWh"}]}, "adjustments"),
        ({"adjustments": [{"do": "ignore_samples"}]}, "adjustments"),
        ({"adjustments": [{"do": "local_time_zone", "zone": "Mars/Olympus"}]}, "adjustments"),
        ({"adjustments": [{"do": "local_time_zone", "zone": "../../etc/passwd"}]}, "adjustments"),
        ({"adjustments": [{"do": "local_time_zone", "also_z": "yes"}]}, "adjustments"),
        ({"adjustments": [{"do": "start_stop_factor", "factor": 0}]}, "adjustments"),
        ({"adjustments": [{"do": "start_stop_factor", "factor": "NaN"}]}, "adjustments"),
        ({"adjustments": [{"do": "connector_zero_is", "connector": 65}]}, "adjustments"),
        ({"adjustments": [{"do": "connector_zero_is", "connector": True}]}, "adjustments"),
        ({"adjustments": [{"do": "measurands_allowed", "measurands": [1]}]}, "adjustments"),
        ({"adjustments": [{"do": "replace_value", "property": "a\nb", "said_value": "1", "meant": "2"}]}, "adjustments"),
        ({"protocol": "ocpp2.0.1", "adjustments": [{"do": "empty_stop_answer"}]}, "adjustments"),
        ({"adjustments": [{"do": "id_tag_plain"}] * 21}, "adjustments"),
        ({"mood": "good"}, ""),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(ada: Person, change: dict[str, Any], field: str) -> None:
    problem = ask(ada, "post", "quirks/", OWN | change, 400)
    assert list(problem["errors"]) == [field]
    assert "%(" not in str(problem["errors"])


def test_what_is_typed_as_text_is_kept_as_what_it_is(ada: Person) -> None:
    typed = [
        {"do": "connector_zero_is", "connector": "2"},
        {"do": "measurands_allowed", "measurands": "SoC, Voltage"},
        {"do": "start_stop_factor", "factor": "0,5"},
        {"do": "local_time_zone", "zone": "", "also_z": False},
    ]
    assert ask(ada, "post", "quirks/", OWN | {"adjustments": typed}, 201)["adjustments"] == [
        {"do": "connector_zero_is", "connector": 2},
        {"do": "measurands_allowed", "measurands": ["SoC", "Voltage"]},
        {"do": "start_stop_factor", "factor": "0.5"},
        {"do": "local_time_zone"},
    ]


def test_a_station_is_held_strictly_and_not(ada: Person, ben: Person, amber: Network) -> None:
    def version() -> int:
        return Connection.objects.with_scopes_disabled().get(station=amber.station).state_version

    path, before = f"stations/{amber.station.identity}/", version()
    assert ask(ada, "patch", path, {"strict": True})["strict"] is True
    assert version() == before + 1
    assert ask(ada, "patch", path, {"strict": False})["strict"] is False
    ask(ben, "patch", path, {"strict": True}, 403)
    assert list(ask(ada, "patch", path, {"identity": "X"}, 400)["errors"]) == [""]
    assert list(ask(ada, "patch", path, {}, 400)["errors"]) == [""]
