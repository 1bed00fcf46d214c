"""Asking stations through the API: who may, what makes sense, what is shown. Sockets answer in tests/sockets."""

from typing import Any

import pytest
from django_scopes import scope

from accounts import services
from accounts.models import Role
from stations.models import Command, Connection
from tests.api.conftest import AT, KeyClient, Network, Person, asked, minutes, person

JSON = "application/json"
COMMANDS = "/api/v1/stations/AMBER-01/commands/"
RAW = "/api/v1/stations/AMBER-01/ocpp"


def post(who: Person, path: str = COMMANDS, *, key: str = "", **body: Any) -> Any:
    return who.client.post(path, body, JSON, headers={"Idempotency-Key": key} if key else {})


def test_a_command_is_queued_and_shown(ada: Person, amber: Network) -> None:
    params = {"id_token": "DEE-CARD", "evse": 1}
    answer = post(ada, command="remote_start", params=params, expires_in=45, reason="Dee called")
    assert answer.status_code == 201
    made = answer.json()
    times = [made.pop(name) for name in ("created_at", "expires_at")]
    assert all(time.endswith("Z") for time in times)
    nothing = dict.fromkeys(("sent_at", "answered_at", "finished_at", "error", "response"))
    assert made == nothing | {
        "id": made["id"],
        "station": "AMBER-01",
        "command": "remote_start",
        "params": params | {"id_token_type": "ISO14443", "group": "", "charging_profile": None},
        "status": "queued",
        "reason": "Dee called",
        "requested_by": "ada@example.org",
        "detail": "",
        "action": "",
        "run": None,
        "asked_then": None,
    }
    assert ada.client.get(f"/api/v1/commands/{made['id']}/").json()["id"] == made["id"]


def test_commands_are_listed_newest_first_and_narrowed(ada: Person, amber: Network) -> None:
    with scope(operator=ada.operator):
        asked(amber.station, kind="reset", status="rejected", created_at=AT + minutes(1))
    for path in ("commands/", "stations/AMBER-01/commands/"):
        assert [row["command"] for row in ada.client.rows(path)] == ["reset", "clear_cache"]
        assert [row["command"] for row in ada.client.rows(path, page_size=1)] == ["reset"]
        assert [row["command"] for row in ada.client.rows(path, status="queued")] == ["clear_cache"]
        assert [row["command"] for row in ada.client.rows(path, kind="reset")] == ["reset"]
        assert [row["command"] for row in ada.client.rows(path, since="2026-11-20T12:00:30Z")] == ["reset"]
    assert ada.client.get("/api/v1/stations/AMBER-99/commands/").status_code == 404


def test_the_same_idempotency_key_is_the_same_command(ada: Person, cleo: Person, amber: Network, cobalt: Network) -> None:
    first = post(ada, key="once", command="reset", params={"when": "idle"})
    again = post(ada, key="once", command="reset", params={"when": "idle"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert post(ada, key="once", command="clear_cache").status_code == 409
    assert post(ada, key="twice", command="reset").status_code == 201
    hers = post(cleo, "/api/v1/stations/COBALT-01/commands/", key="once", command="clear_cache")
    assert hers.status_code == 201
    assert post(ada, key="k" * 101, command="clear_cache").status_code == 400


def test_a_command_asked_again_with_its_key_need_not_make_sense_any_more(ada: Person, amber: Network) -> None:
    with scope(operator=ada.operator):
        type(amber.transaction).objects.update(status="active")
    body = {"command": "remote_stop", "params": {"transaction": amber.transaction.ocpp_transaction_id}}
    first = post(ada, key="stop", **body)
    assert first.status_code == 201
    with scope(operator=ada.operator):
        type(amber.transaction).objects.update(status="ended")
    again = post(ada, key="stop", **body)
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert "has ended already" in post(ada, **body).json()["detail"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "command: This field is required."),
        ({"command": "explode"}, 'There is no command "explode". There are clear_cache, '),
        ({"command": "remote_start"}, "remote_start needs id_token."),
        ({"command": "remote_start", "params": {"id_token": "A", "evse": 0}}, "evse must be a whole number from 1 to 255."),
        ({"command": "reset", "params": {"colour": "red"}}, "reset has no parameter colour"),
        ({"command": "reset", "params": []}, "params: "),
        ({"command": "get_variables", "params": {"variables": 5}}, "variables must be a list"),
        ({"command": "get_variables", "params": {"variables": [{"variable": "A", "evse": "x"}]}}, "evse must be"),
        ({"command": "reset", "expires_in": 0}, "expires_in: "),
        ({"command": "reset", "expires_in": 10**9}, "expires_in: "),
        ({"command": "reset", "reason": "x" * 201}, "reason: "),
        ({"command": "reset", "expire_in": 45}, "Unknown: expire_in. Known: command, params, expires_in, reason."),
        ({"command": "remote_start", "params": {"id_token": "A\x00"}}, "NUL"),
        ({"command": "remote_stop", "params": {"transaction": "nonsense"}}, "AMBER-01 has no transaction nonsense."),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(ada: Person, amber: Network, body: dict[str, Any], says: str) -> None:
    answer = post(ada, **body)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert says in answer.json()["detail"]


@pytest.mark.parametrize("body", ['{"a":1e999}', '{"a":"\\ud800"}', '{"a":99999999999999999999}', "[" * 40 + "]" * 40, "[" * 99999])
def test_a_body_that_cannot_be_kept_is_a_problem(ada: Person, amber: Network, body: str) -> None:
    for path in (COMMANDS, f"{RAW}/ClearCache/"):
        assert ada.client.post(path, body, JSON).status_code == 400


@pytest.mark.parametrize("role", Role.values)
def test_owners_managers_technicians_and_support_may_ask(ada: Person, amber: Network, role: str) -> None:
    eve = person("eve", ada.operator, role)
    may = role in ("owner", "manager", "technician", "support")
    assert post(eve, command="clear_cache").status_code == (201 if may else 403)
    assert eve.client.get(COMMANDS).status_code == 200


def test_a_viewer_cannot_ask_take_back_or_use_the_raw_door(ben: Person, amber: Network) -> None:
    (row,) = ben.client.rows("commands/")
    for path in (COMMANDS, f"{RAW}/ClearCache/", f"/api/v1/commands/{row['id']}/cancel/"):
        answer = post(ben, path, command="clear_cache")
        assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert ben.client.delete(f"/api/v1/commands/{row['id']}/").status_code == 403
    assert ben.client.rows("commands/") == [row]


def test_a_key_is_limited_to_its_scopes(ada: Person, amber: Network) -> None:
    for scopes, status in ((["read"], 403), (["tags.change"], 403), (["commands.send"], 201)):
        program = KeyClient(services.create_api_key(user=ada.user, scopes=scopes)[1])
        assert program.post(COMMANDS, {"command": "clear_cache"}, JSON).status_code == status, scopes


def test_a_command_is_taken_back_while_it_waits(ada: Person, amber: Network) -> None:
    first, second = (post(ada, command="clear_cache").json()["id"] for _ in range(2))
    answer = ada.client.post(f"/api/v1/commands/{first}/cancel/")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["finished_at"]
    assert ada.client.delete(f"/api/v1/commands/{second}/").status_code == 204
    assert ada.client.get(f"/api/v1/commands/{second}/").json()["status"] == "cancelled"


@pytest.mark.parametrize("status", ["sent", "accepted", "confirmed", "cancelled"])
def test_what_was_sent_cannot_be_taken_back(ada: Person, amber: Network, status: str) -> None:
    with scope(operator=ada.operator):
        row = asked(amber.station, status=status)
    for answer in (ada.client.post(f"/api/v1/commands/{row.pk}/cancel/"), ada.client.delete(f"/api/v1/commands/{row.pk}/")):
        assert (answer.status_code, "too late" in answer.json()["detail"]) == (409, True)
    assert ada.client.get(f"/api/v1/commands/{row.pk}/").json()["status"] == status


def test_secrets_are_not_shown(ada: Person, amber: Network) -> None:
    variables = [
        {"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": "do-not-tell"},
        {"component": "", "variable": "AuthorizationKey", "value": "do-not-tell"},
        {"component": "", "variable": "HeartbeatInterval", "value": "60"},
    ]
    made = post(ada, command="set_variables", params={"variables": variables}).json()
    assert [one["value"] for one in made["params"]["variables"]] == ["***", "***", "60"]
    with scope(operator=ada.operator):
        assert "do-not-tell" not in str(list(Command.objects.values("params")))  # sealed until it is sent
    # One change of a password at a time.
    ada.client.post(f"/api/v1/commands/{made['id']}/cancel/")
    made = post(ada, command="remote_start", params={"id_token": "4711", "id_token_type": "KeyCode"}).json()
    assert made["params"]["id_token"] == "***"
    secret = {"key": "AuthorizationKey", "value": "do-not-tell"}
    raw = ada.client.post(f"{RAW}/ChangeConfiguration/?wait=0", secret, JSON)
    assert raw.status_code == 202
    assert "do-not-tell" not in ada.client.get(COMMANDS).content.decode()
    with scope(operator=ada.operator):
        assert "do-not-tell" not in str(list(Command.objects.values("params", "facts")))


def test_a_failure_has_its_code(ada: Person, amber: Network) -> None:
    with scope(operator=ada.operator):
        row = asked(amber.station, status="failed", error_code="NotSupported", detail="no cache here")
    shown = ada.client.get(f"/api/v1/commands/{row.pk}/").json()
    assert (shown["error"], shown["detail"]) == ({"code": "NotSupported", "description": "no cache here"}, "no cache here")


@pytest.mark.parametrize(
    ("action", "payload", "says"),
    [
        ("Reset", {}, "1.6 Reset: the payload lacks the required property 'type'."),
        ("Reset", {"type": "Gently"}, "type is none of the values allowed."),
        ("Reset", {"type": "Hard", "colour": "red"}, "unknown properties 'colour'"),
        ("UnlockConnector", {"connectorId": "1"}, "connectorId must be of type integer."),
        ("UnlockConnector", {"connectorId": 0}, "evse must be a whole number from 1 to 255."),
        ("ClearCache", [], "must be of type object"),
    ],
)
def test_a_payload_that_breaks_the_schema_is_refused(ada: Person, amber: Network, action: str, payload: Any, says: str) -> None:
    answer = ada.client.post(f"{RAW}/{action}/", payload, JSON)
    assert (answer.status_code, says in answer.json()["detail"]) == (400, True), answer.json()


def test_the_raw_door_answers_by_the_last_version_the_station_spoke(ada: Person, amber: Network) -> None:
    answer = post(ada, f"{RAW}/Reset/?wait=0", type="Hard")
    assert (answer.status_code, answer.json()) == (
        202,
        {"command": ada.client.rows("commands/")[0]["id"], "status": "queued", "response": None, "error": None},
    )
    with scope(operator=ada.operator):
        row = Command.objects.first()
        assert row is not None
        assert (row.kind, row.params["when"], row.facts["raw"]) == (
            *("reset", "immediate"),
            {"action": "Reset", "payload": {"type": "Hard"}},
        )
        Connection.objects.update(protocol="ocpp2.0.1")
    assert post(ada, f"{RAW}/Reset/?wait=0", type="Hard").status_code == 400
    assert post(ada, f"{RAW}/Reset/?wait=0", type="OnIdle").status_code == 202
    with scope(operator=ada.operator):
        Connection.objects.update(protocol="")
    assert post(ada, f"{RAW}/Reset/?wait=0", type="OnIdle").status_code == 409


def test_the_raw_door_is_for_posting(ada: Person, amber: Network) -> None:
    assert ada.client.get(f"{RAW}/Reset/").status_code == 405
