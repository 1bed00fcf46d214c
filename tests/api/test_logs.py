"""Logs for programs: asked for as a command, listed, downloaded, deleted."""

from typing import Any

import pytest
from django.utils import timezone
from django_scopes import scope

from accounts import services
from csms.files import storage
from stations.models import LogUpload
from stations.services import loguploads
from tests.api.conftest import KeyClient, Network, Person

ASK = "/api/v1/stations/AMBER-01/commands/"


def ask(who: Person, params: dict[str, Any] | None = None, **headers: str) -> Any:
    body = {"command": "get_log"} | ({} if params is None else {"params": params})
    return who.client.post(ASK, body, content_type="application/json", headers={k.replace("_", "-"): v for k, v in headers.items()})


def here(ada: Person) -> LogUpload:
    """A log that has come."""
    with scope(operator=ada.operator):
        upload = LogUpload.objects.get(pk=ask(ada).json()["params"]["upload"])
        expected = loguploads.expected(upload.token_hash, now=timezone.now())
        with storage.Writer(expected.path, limit=100) as writer:
            writer.write(b"what was written")
            writer.finish()
        about = {"size": writer.size, "sha256": writer.sha256, "filename": "a.log", "content_type": "", "now": timezone.now()}
        assert loguploads.arrived(expected, **about)
        upload.refresh_from_db()
    return upload


def test_how_often_a_station_tries_again_can_be_said(ada: Person, amber: Network) -> None:
    said = {"retries": 5, "retry_interval_s": 600}
    answer = ask(ada, said, Idempotency_Key="log-1")
    assert {name: answer.json()["params"][name] for name in said} == said
    assert ask(ada, said, Idempotency_Key="log-1").json()["id"] == answer.json()["id"]
    assert ask(ada, said | {"retries": 2}, Idempotency_Key="log-1").status_code == 409
    for bad in ({"retries": -1}, {"retry_interval_s": "60"}, {"retries": 86_401}):
        assert ask(ada, {"log": "security"} | bad).status_code == 400


def test_a_log_is_asked_for_as_a_command_and_stands_in_the_list(ada: Person, amber: Network) -> None:
    answer = ask(ada, {"log": "security", "since": "2026-11-20", "until": "2026-11-21T00:00:00Z"})
    assert answer.status_code == 201, answer.json()
    row = answer.json()
    assert row["params"]["location"].endswith("/files/logs/***/")
    (log,) = ada.client.rows("logs/", station="AMBER-01", kind="security", status="requested")
    assert (log["id"], log["command"], log["station"]) == (row["params"]["upload"], row["id"], "AMBER-01")
    assert (log["since"], log["size"], log["requested_by"]) == ("2026-11-20T00:00:00.000000Z", None, ada.user.email)
    assert ada.client.get(f"/api/v1/logs/{log['id']}/").json() == log


def test_the_same_idempotency_key_asks_once(ada: Person, amber: Network) -> None:
    first = ask(ada, Idempotency_Key="k1")
    again = ask(ada, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert ask(ada, {"log": "security"}, Idempotency_Key="k1").status_code == 409


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"upload": 1}, "upload is not for you to say."),
        ({"upload": 1, "location": "https://x.example.com/"}, "upload is not for you to say."),
        ({"log": "all"}, "log must be one of diagnostics, security."),
        ({"since": "soon"}, "since must be a time such as 2026-11-21T04:00:00Z."),
        ({"since": "2999-01-01T00:00:00Z"}, "since is in the future: no log has that yet."),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(ada: Person, amber: Network, params: dict[str, Any], said: str) -> None:
    answer = ask(ada, params)
    assert (answer.status_code, answer.json()["detail"]) == (400, said)


def test_a_log_may_be_sent_elsewhere_and_stands_in_the_list_without_a_file(ada: Person, amber: Network) -> None:
    there = {"location": "ftp://ada:s3cret@files.example.com/in"}
    answer = ask(ada, there, Idempotency_Key="k1")
    (log,) = ada.client.rows("logs/", status="requested")
    assert (log["id"], log["command"]) == (answer.json()["params"]["upload"], answer.json()["id"])
    assert answer.json()["params"]["location"] == log["location"] == "ftp://***@files.example.com/in"
    again = ask(ada, there, Idempotency_Key="k1")
    assert (again.status_code, again.json()["id"]) == (200, answer.json()["id"])
    assert ask(ada, there | {"log": "security"}, Idempotency_Key="k1").status_code == 409
    with scope(operator=ada.operator):
        LogUpload.objects.filter(pk=log["id"]).update(status="uploaded", finished_at=timezone.now())
    assert ada.client.get(f"/api/v1/logs/{log['id']}/download/").status_code == 404
    assert ada.client.delete(f"/api/v1/logs/{log['id']}/").status_code == 204


def test_only_who_may_fetch_logs_asks_for_them_and_downloads_them(ada: Person, ben: Person, amber: Network) -> None:
    log = here(ada)
    path = f"/api/v1/logs/{log.pk}/download/"
    for scopes in (("commands.send",), ("read",)):
        _, text = services.create_api_key(user=ada.user, scopes=scopes)
        limited = KeyClient(text)
        assert limited.get(path).status_code == 403
        asked = {"command": "get_log", "params": {"location": "https://x.example.com/"}}
        for body in ({"command": "get_log"}, asked):
            assert limited.post(ASK, body, content_type="application/json").status_code == 403
    raw = {"location": "https://x.example.com/"}
    _, text = services.create_api_key(user=ada.user, scopes=("commands.send",))
    door = "/api/v1/stations/AMBER-01/ocpp/GetDiagnostics/?wait=0"
    assert KeyClient(text).post(door, raw, content_type="application/json").status_code == 403
    assert ben.client.get(path).status_code == 403
    answer = ada.client.get(path, headers={"Accept": "application/octet-stream"})
    assert (answer.status_code, answer["Content-Length"]) == (200, "16")
    assert answer["Content-Disposition"].startswith("attachment; ")


def test_a_log_is_deleted(ada: Person, amber: Network, django_capture_on_commit_callbacks: Any) -> None:
    log = here(ada)
    with django_capture_on_commit_callbacks(execute=True):
        assert ada.client.delete(f"/api/v1/logs/{log.pk}/").status_code == 204
    assert ada.client.get(f"/api/v1/logs/{log.pk}/").status_code == 404
    assert storage.size(log.path) is None
