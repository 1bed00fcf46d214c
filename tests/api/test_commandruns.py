"""Commands for many stations through the API: asked of a list or of a filter, led, and looked at."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scopes_disabled

from stations.domain.commands import COMMANDS
from stations.models import Command, CommandRun, Connection
from stations.services import commandrunsteps, registry
from tests.api.conftest import KeyClient, Network, Person, person

ALL: dict[str, Any] = {"command": "clear_cache", "selection": {"filter": {}}, "pace": {"at_once": 2, "jitter_s": 0}}


def post(client: KeyClient, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers)


@pytest.fixture
def three(ada: Person, amber: Network) -> list[str]:
    """Identities of stations that are online."""
    names = [amber.station.identity, "AMBER-02", "AMBER-03"]
    for name in names[1:]:
        registry.add_station(operator=ada.operator, identity=name)
    with scopes_disabled():
        now = timezone.now()
        Connection.objects.filter(operator=ada.operator).update(seen_at=now, connected_at=now, protocol="ocpp1.6")
        Command.objects.all().delete()
    return names


def brought_on(run: int) -> None:
    commandrunsteps.advance(run_id=run)
    commandrunsteps.advance(run_id=run)


def test_many_are_asked_a_few_at_a_time_and_led(ada: Person, three: list[str]) -> None:
    body = ALL | {"stop_rule": {"most_failed": 0}, "expected": 3, "reason": "Cards were stolen"}
    answer = post(ada.client, "command-runs/", body)
    assert answer.status_code == 201, answer.content
    row = answer.json()
    assert (row["state"], row["counts"]["total"], row["params"], row["requested_by"]) == ("choosing", 0, {}, "ada@example.org")
    path = f"command-runs/{row['id']}/"
    brought_on(row["id"])
    shown = ada.client.get(f"/api/v1/{path}").json()
    assert (shown["state"], shown["counts"]["asked"], shown["counts"]["waiting"]) == ("running", 2, 1)
    steps = ada.client.rows(f"{path}steps/")
    assert [(one["station"], one["state"], one["status"]) for one in steps] == [
        (three[0], "asked", "queued"), (three[1], "asked", "queued"), (three[2], "waiting", None),
    ]  # fmt: skip
    assert ada.client.rows(f"{path}steps/", station=three[2])[0]["state"] == "waiting"
    command = ada.client.get(f"/api/v1/commands/{steps[0]['command']}/").json()
    assert (command["run"], command["reason"]) == (row["id"], "Cards were stolen")
    assert post(ada.client, f"{path}pause/").json()["held"] == {"by": "person", "who": "ada@example.org"}
    assert post(ada.client, f"{path}resume/").json()["state"] == "running"
    with scopes_disabled():
        Command.objects.filter(pk=command["id"]).update(status="rejected", finished_at=timezone.now())
    brought_on(row["id"])
    held = ada.client.get(f"/api/v1/{path}").json()
    assert (held["state"], held["held"]["code"]) == ("paused", "most_failed")
    assert post(ada.client, f"{path}retry/").status_code == 409
    assert post(ada.client, f"{path}cancel/").json()["counts"] == {
        "waiting": 0, "asked": 1, "done": 0, "failed": 1, "skipped": 0, "cancelled": 1, "total": 3,
    }  # fmt: skip
    conflict = post(ada.client, f"{path}resume/")
    assert (conflict.status_code, conflict.json()["detail"]) == (409, f"Run {row['id']} is cancelled: this cannot be done now.")
    again = post(ada.client, f"{path}retry/").json()
    assert again["selection"] == {"failed_of": row["id"]}
    assert [one["id"] for one in ada.client.rows("command-runs/", state="cancelled")] == [row["id"]]
    assert [one["id"] for one in ada.client.rows("command-runs/", station=three[0])] == [row["id"]]


def test_every_kind_of_command_may_be_asked_of_many(ada: Person, three: list[str]) -> None:
    for kind, command in COMMANDS.items():
        try:
            params = command.of({}).params()
        except ValueError:
            continue
        given = {name: value for name, value in params.items() if name not in command.ours and value is not None}
        given.pop("location", None)
        answer = post(ada.client, "command-runs/", {"command": kind, "params": given, "selection": {"stations": three[:1]}})
        assert answer.status_code == 201, (kind, answer.content)


def test_the_same_idempotency_key_makes_one(ada: Person, three: list[str]) -> None:
    answers = [post(ada.client, "command-runs/", ALL, **{"Idempotency-Key": "night-7"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    other = post(ada.client, "command-runs/", ALL | {"command": "reset"}, **{"Idempotency-Key": "night-7"})
    assert other.status_code == 409


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"selection": {}}, "A selection has one of filter, stations."),
        ({"selection": {"filter": {}, "stations": ["AMBER-02"]}}, "A selection has one of filter, stations."),
        ({"selection": {"stations": ["NOBODY"]}}, "There is no station NOBODY."),
        ({"selection": {"filter": {"colour": "blue"}}}, "Unknown: colour"),
        ({"selection": {"filter": {"site": "x"}}}, "site must be the number of a site"),
        ({"command": "dance"}, "dance"),
        ({"params": {"loud": True}}, "has no parameter loud"),
        ({"pace": {"at_once": 0}}, "at_once"),
        ({"stop_rule": {"failed_percent": 101}}, "failed_percent"),
        ({"command": "get_log", "params": {"upload": 1}}, "not for you to say"),
        ({"command": "set_variables", "params": {"variables": [{"variable": "AuthorizationKey", "value": "0123"}]}}, "secret"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_with_a_sentence(
    ada: Person, three: list[str], body: dict[str, Any], said: str
) -> None:
    answer = post(ada.client, "command-runs/", ALL | body)
    assert answer.status_code == 400, answer.content
    assert said in answer.content.decode()
    with scopes_disabled():
        assert not CommandRun.objects.exists()


def test_nobody_asks_or_sees_what_they_may_not(ada: Person, cleo: Person, three: list[str]) -> None:
    row = post(ada.client, "command-runs/", ALL).json()
    assert post(cleo.client, "command-runs/", ALL | {"selection": {"stations": three[:1]}}).status_code == 400
    for name in ("pause", "resume", "cancel", "retry"):
        assert post(cleo.client, f"command-runs/{row['id']}/{name}/").status_code == 404
    assert cleo.client.get(f"/api/v1/command-runs/{row['id']}/steps/").status_code == 404
    ben = person("ben", ada.operator, "viewer")
    assert post(ben.client, "command-runs/", ALL).status_code == 403
    sue = person("sue", ada.operator, "support")
    firmware = ALL | {"command": "update_firmware", "params": {"firmware": 1}}
    assert post(sue.client, "command-runs/", firmware).status_code == 403
    run = post(ada.client, "command-runs/", firmware).json()["id"]
    assert [post(sue.client, f"command-runs/{run}/{do}/").status_code for do in ("resume", "retry", "pause")] == [403, 403, 200]


def test_a_list_costs_the_same_for_one_and_for_many(ada: Person, three: list[str]) -> None:
    post(ada.client, "command-runs/", ALL)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            ada.client.rows("command-runs/")
        counts.append(len(queries))
        for _ in range(4):
            post(ada.client, "command-runs/", ALL)
    assert counts[0] == counts[1]


def test_a_station_is_put_behind_a_local_controller(ada: Person, cleo: Person, three: list[str]) -> None:
    def change(body: Any, client: KeyClient = ada.client) -> Any:
        return client.patch(f"/api/v1/stations/{three[1]}/", body, content_type="application/json")

    assert change({"controller": three[0]}).json()["controller"] == three[0]
    assert [one["identity"] for one in ada.client.rows("stations/", controller=three[0])] == [three[1]]
    assert change({"controller": "NOBODY"}).status_code == 400
    assert change({}).status_code == 400
    assert change({"signing_key": "x"}).status_code == 400
    assert change({"strict": True, "controller": None}).json()["controller"] is None
    assert change({"strict": True}, cleo.client).status_code == 404
    assert "nothing to allow" in change({"allow_lower_profile": "Old modem"}).content.decode()


def test_the_same_idempotency_key_for_other_stations_is_a_conflict(ada: Person, three: list[str]) -> None:
    key = {"Idempotency-Key": "night-8"}
    named = ALL | {"selection": {"stations": three[:1]}}
    assert post(ada.client, "command-runs/", named, **key).status_code == 201
    assert post(ada.client, "command-runs/", named, **key).status_code == 200
    other = post(ada.client, "command-runs/", ALL | {"selection": {"stations": three[1:]}}, **key)
    assert (other.status_code, "used for another run" in other.json()["detail"]) == (409, True)


def test_a_code_that_is_typed_in_is_not_told_of_a_run(ada: Person, three: list[str]) -> None:
    params = {"id_token": "4711", "id_token_type": "KeyCode"}
    body = {"command": "remote_start", "params": params, "selection": {"stations": three[:1]}}
    row = post(ada.client, "command-runs/", body).json()
    assert row["params"]["id_token"] == "***"
