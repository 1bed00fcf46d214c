"""Roll-outs over the API: planned, previewed, started, led, and read station by station."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scopes_disabled

from stations.models import Connection, Firmware, Rollout, RolloutStep, Station
from stations.services import registry
from tests.api.conftest import KeyClient, Network, Person, person


@pytest.fixture
def image(ada: Person) -> Firmware:
    with scopes_disabled():
        return Firmware.objects.create(
            operator=ada.operator, vendor="Amber", model="AG-22", version="2.1.0", name="ag.bin", path="none", size=10,
            sha256="0" * 64, md5="0" * 32, created_at=timezone.now(),
        )  # fmt: skip


@pytest.fixture
def chargers(ada: Person) -> list[Station]:
    now, made = timezone.now(), []
    with scopes_disabled():
        for number in range(1, 5):
            station, _ = registry.add_station(operator=ada.operator, identity=f"AMBER-{number:02d}")
            made.append(station)
        of_ada = Station.objects.filter(operator=ada.operator)
        of_ada.update(vendor="Amber", model="AG-22", firmware_version="1.0", accepted_at=now)
        Connection.objects.filter(operator=ada.operator).update(seen_at=now, connected_at=now, protocol="ocpp1.6")
        Connection.objects.filter(station__identity="AMBER-04").update(disconnected_at=timezone.now())
    return made


def post(client: KeyClient, path: str, data: Any = None, **headers: str) -> Any:
    return client.post(f"/api/v1/{path}", data if data is not None else {}, content_type="application/json", headers=headers)


def test_it_is_planned_looked_at_started_and_led(ada: Person, image: Firmware, chargers: list[Station]) -> None:
    asked = {
        "firmware": image.pk, "name": "Nightly", "selection": {"models": ["AG-22"]}, "waves": ["1", "100%"], "at_once": 2,
        "window": {"start": "22:00", "end": "05:00", "days": [0, 1]}, "stop_rule": {"failed_percent": 10, "after": 3, "lost": 0},
    }  # fmt: skip
    answer = post(ada.client, "rollouts/", asked)
    assert answer.status_code == 201, answer.content
    row = answer.json()
    path = f"rollouts/{row['id']}/"
    assert {name: row[name] for name in asked} == asked
    assert (row["state"], row["image"], row["made_by"], row["counts"]["total"]) == (
        "draft", "Amber AG-22 2.1.0", "ada@example.org", 0,
    )  # fmt: skip
    assert ada.client.get(f"/api/v1/{path}preview/").json() == {
        "total": 3,
        "waves": [1, 2],
        "stations": ["AMBER-01", "AMBER-02", "AMBER-03"],
        "left_out": [{"reason": "offline", "stations": 1}],
    }
    started = post(ada.client, f"{path}start/").json()
    assert (started["state"], started["wave"], started["counts"]["waiting"]) == ("running", 1, 3)
    assert [one["station"] for one in ada.client.rows(f"{path}steps/")] == ["AMBER-01", "AMBER-02", "AMBER-03"]
    assert ada.client.rows(f"{path}steps/", state="failed") == []
    (step,) = ada.client.rows(f"{path}steps/", station="AMBER-02")
    assert (step["wave"], step["state"], step["log"], step["update_status"]) == (2, "waiting", [], None)
    assert post(ada.client, f"{path}leave-out/", {"station": "AMBER-02"}).json()["counts"]["left_out"] == 1
    assert post(ada.client, f"{path}leave-out/", {"station": "AMBER-04"}).status_code == 404
    assert post(ada.client, f"{path}pause/").json()["held"] == {"by": "person", "who": "ada@example.org"}
    assert post(ada.client, f"{path}resume/").json()["state"] == "running"
    with scopes_disabled():
        RolloutStep.objects.filter(rollout=row["id"], station__identity="AMBER-01").update(state="failed", reason="install")
    assert post(ada.client, f"{path}retry/", {"station": "AMBER-01"}).json()["counts"]["failed"] == 0
    assert post(ada.client, f"{path}cancel/").json()["state"] == "cancelled"
    conflict = post(ada.client, f"{path}start/")
    assert (conflict.status_code, conflict.json()["detail"]) == (
        409, f"Roll-out {row['id']} is cancelled: this cannot be done now.",
    )  # fmt: skip
    assert [one["id"] for one in ada.client.rows("rollouts/", state="cancelled")] == [row["id"]]
    assert ada.client.rows("rollouts/", firmware=image.pk + 1) == []


def test_a_draft_is_thrown_away(ada: Person, image: Firmware) -> None:
    row = post(ada.client, "rollouts/", {"firmware": image.pk}).json()
    assert row["waves"] == ["1", "10%", "50%", "100%"]
    assert ada.client.delete(f"/api/v1/rollouts/{row['id']}/").status_code == 204
    assert ada.client.rows("rollouts/") == []


def test_one_that_would_take_nobody_is_not_started(ada: Person, image: Firmware) -> None:
    row = post(ada.client, "rollouts/", {"firmware": image.pk}).json()
    answer = post(ada.client, f"rollouts/{row['id']}/start/")
    assert (answer.status_code, answer.json()["detail"]) == (409, "No charger is taken: widen the choice.")


def test_the_same_idempotency_key_makes_one(ada: Person, image: Firmware) -> None:
    answers = [post(ada.client, "rollouts/", {"firmware": image.pk}, **{"Idempotency-Key": "night-7"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "firmware"),
        ({"firmware": 10**9}, "firmware"),
        ({"firmware": 10**30}, "firmware"),
        ({"waves": ["x"]}, ""),
        ({"waves": "1"}, "waves"),
        ({"selection": {"model": ["A"]}}, "selection"),
        ({"selection": {"sites": [10**30]}}, "selection"),
        ({"window": {"start": "25:00", "end": "01:00"}}, "window"),
        ({"window": {"start": "22:00"}}, ""),
        ({"window": {"days": [9]}}, "window"),
        ({"stop_rule": {"failed_percent": 101}}, "stop_rule"),
        ({"at_once": 0}, "at_once"),
        ({"colour": "blue"}, ""),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_with_a_sentence(
    ada: Person, image: Firmware, body: dict[str, Any], field: str
) -> None:
    given = body if "firmware" in body or not body else {"firmware": image.pk} | body
    answer = post(ada.client, "rollouts/", given)
    assert answer.status_code == 400, answer.content
    problem = answer.json()
    assert problem["detail"]
    assert not field or field in problem["errors"]
    with scopes_disabled():
        assert not Rollout.objects.exists()


def test_cleo_neither_takes_adas_image_nor_leads_her_roll_outs(ada: Person, cleo: Person, image: Firmware) -> None:
    row = post(ada.client, "rollouts/", {"firmware": image.pk}).json()
    assert post(cleo.client, "rollouts/", {"firmware": image.pk}).status_code == 400
    assert post(cleo.client, f"rollouts/{row['id']}/start/").status_code == 404


def test_support_may_look_but_not_roll_out(ada: Person, amber: Network, image: Firmware) -> None:
    sue = person("sue", ada.operator, "support")
    assert post(sue.client, "rollouts/", {"firmware": image.pk}).status_code == 403
    assert sue.client.rows("rollouts/") == []


def test_a_list_costs_the_same_for_one_and_for_many(ada: Person, image: Firmware) -> None:
    post(ada.client, "rollouts/", {"firmware": image.pk})
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            ada.client.rows("rollouts/")
        counts.append(len(queries))
        for _ in range(4):
            post(ada.client, "rollouts/", {"firmware": image.pk})
    assert counts[0] == counts[1]
