"""Webhooks by the API: who may, what is shown once, and the life of a delivery."""

from typing import Any

import pytest
from django_scopes import scopes_disabled

from accounts.models import ApiKey, Role, User
from csms.webhooks import dispatch
from csms.webhooks.models import Webhook
from tests.api.conftest import Network, Person
from tests.webhooks.receiver import Receiver, answer, receiver

JSON = "application/json"


def post(who: Person, path: str, body: Any = None, status: int = 200) -> Any:
    answered = who.client.post(f"/api/v1/{path}", body or {}, JSON)
    assert answered.status_code == status, answered.content
    return answered.json()


def get(who: Person, path: str) -> Any:
    return who.client.get(f"/api/v1/{path}").json()


@pytest.fixture
def them() -> Any:
    with receiver() as found:
        yield found


@pytest.fixture
def added(ada: Person, them: Receiver) -> Any:
    return post(ada, "webhooks/", {"url": them.url + "?key=1", "events": ["station.online"], "description": "The app"}, 201)


def test_the_secret_is_in_the_answer_that_adds_and_in_that_of_a_new_one(ada: Person, added: Any) -> None:
    assert added["secret"].startswith("whsec_")
    path = f"webhooks/{added['id']}/"
    assert get(ada, path) == {name: value for name, value in added.items() if name != "secret"}
    assert "secret" not in get(ada, "webhooks/")["results"][0]
    renewed = post(ada, f"{path}rotate/")
    assert renewed["secret"] not in ("", added["secret"])
    assert renewed["old_secret_until"]


def test_what_makes_no_sense_is_refused_with_the_reason(ada: Person) -> None:
    bodies: list[tuple[dict[str, Any], str]] = [
        ({"url": "ftp://x", "events": ["station.online"]}, "url"),
        ({"url": "https://example.com/", "events": ["lamp.lit"]}, "events"),
        ({"url": "https://example.com/", "events": []}, "events"),
        ({"url": "https://example.com/"}, "events"),
        ({"url": "https://example.com/", "events": ["station.online"], "colour": "red"}, ""),
    ]
    for body, field in bodies:
        problem = post(ada, "webhooks/", body, 400)
        assert list(problem["errors"]) == [field]


def test_it_is_changed_paused_resumed_and_forgotten(ada: Person, added: Any) -> None:
    path = f"webhooks/{added['id']}/"
    changed = ada.client.patch(f"/api/v1/{path}", {"events": ["command.finished", "station.online"]}, JSON).json()
    assert changed["events"] == ["station.online", "command.finished"]
    assert post(ada, f"{path}pause/")["active"] is False
    assert len(get(ada, "webhooks/?active=false")["results"]) == 1
    assert post(ada, f"{path}resume/")["active"] is True
    assert ada.client.delete(f"/api/v1/{path}").status_code == 204
    assert get(ada, "webhooks/")["results"] == []


def test_a_test_is_followed_to_its_answer_and_sent_again(ada: Person, added: Any, them: Receiver) -> None:
    them.behaviour = answer(500, b"oops")
    delivery = post(ada, f"webhooks/{added['id']}/test/", status=202)
    assert (delivery["status"], delivery["event"]["type"], delivery["event"]["data"]["description"]) == (
        "waiting",
        "ping",
        "The app",
    )
    dispatch.run()
    failed = get(ada, f"webhook-deliveries/{delivery['id']}/")
    assert (failed["status"], failed["response_code"], failed["response_body"]) == ("failed", 500, "oops")
    them.behaviour = answer(200)
    assert post(ada, f"webhook-deliveries/{delivery['id']}/replay/", status=202)["status"] == "waiting"
    dispatch.run()
    found = get(ada, f"webhook-deliveries/?webhook={added['id']}&status=delivered")["results"]
    assert [row["id"] for row in found] == [delivery["id"]]


def test_all_that_failed_is_sent_again(ada: Person, added: Any, them: Receiver) -> None:
    them.behaviour = answer(500)
    post(ada, f"webhooks/{added['id']}/test/", status=202)
    dispatch.run()
    path = f"webhooks/{added['id']}/replay/"
    assert post(ada, path, {"since": "2026-01-01T00:00:00Z"}, 202) == {"replayed": 1}
    assert post(ada, path, {}, 400)["errors"] == {"since": ["This field is required."]}


def test_who_may_only_look_sees_no_secret_part_of_an_address(ada: Person, added: Any) -> None:
    User.objects.update(role=Role.VIEWER)
    assert get(ada, f"webhooks/{added['id']}/")["url"].endswith("/hook?…")
    assert ada.client.post("/api/v1/webhooks/", {}, JSON).status_code == 403


def test_a_key_needs_the_scope(ada: Person, added: Any) -> None:
    ApiKey.objects.update(scopes=["read"])
    assert ada.client.post(f"/api/v1/webhooks/{added['id']}/pause/", {}, JSON).status_code == 403
    ApiKey.objects.update(scopes=["webhooks.change"])
    assert ada.client.post(f"/api/v1/webhooks/{added['id']}/pause/", {}, JSON).status_code == 200


def test_cleo_finds_nothing_of_adas(ada: Person, cleo: Person, amber: Network, added: Any) -> None:
    post(ada, f"webhooks/{added['id']}/test/", status=202)
    assert get(cleo, "webhooks/")["results"] == get(cleo, "webhook-deliveries/")["results"] == []
    assert cleo.client.delete(f"/api/v1/webhooks/{added['id']}/").status_code == 404
    with scopes_disabled():
        assert Webhook.objects.filter(pk=added["id"]).exists()
