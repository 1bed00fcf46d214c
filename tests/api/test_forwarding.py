"""Forwarding by the API: who may, what is never shown, and how stations do."""

from typing import Any

import pytest
from django_scopes import scopes_disabled

from csms.forwarding import keeping
from csms.forwarding.models import Forward
from tests.api.conftest import Network, Person
from tests.forwarding.backend import backend

JSON = "application/json"
BODY = {"name": "Fleet", "url": "wss://ocpp.example.com/ocpp?key=1", "password": "open-sesame-of-20-ch"}


def post(who: Person, path: str, body: Any = None, status: int = 200) -> Any:
    answered = who.client.post(f"/api/v1/{path}", body or {}, JSON)
    assert answered.status_code == status, answered.content
    return answered.json()


@pytest.fixture
def added(ada: Person, amber: Network) -> Any:
    return post(ada, "forwards/", BODY, 201)


def test_the_password_is_taken_and_never_shown(ada: Person, ben: Person, added: Any) -> None:
    assert (added["has_password"], added["identity"], added["style"], added["which"]) == (True, "{identity}", "ocpp", "all")
    with scopes_disabled():
        assert Forward.objects.get(pk=added["id"]).password == "open-sesame-of-20-ch"
    assert ada.client.rows("forwards/") == [added]
    assert "password" not in added
    # Who may not change it does not see what may be secret in its address.
    assert ben.client.rows("forwards/")[0]["url"] == "wss://ocpp.example.com/ocpp?…"
    post(ben, "forwards/", BODY, 403)


def test_what_makes_no_sense_is_refused_with_the_reason(ada: Person) -> None:
    bodies: list[tuple[dict[str, Any], str]] = [
        (BODY | {"url": "https://x"}, "url"),
        (BODY | {"only": ["Heartbit"]}, "only"),
        (BODY | {"which": "site", "site": 999_999}, "site"),
        (BODY | {"which": "chosen", "stations": ["NOBODY"]}, "stations"),
        (BODY | {"colour": "red"}, ""),
    ]
    for body, field in bodies:
        assert list(post(ada, "forwards/", body, 400)["errors"]) == [field]


def test_it_is_changed_paused_resumed_and_forgotten(ada: Person, added: Any, amber: Network) -> None:
    path = f"forwards/{added['id']}/"
    changes = {"which": "chosen", "stations": [amber.station.identity], "identity": "ONE", "never": ["Heartbeat"], "password": ""}
    changed = ada.client.patch(f"/api/v1/{path}", changes, JSON).json()
    assert (changed["stations"], changed["identity"], changed["has_password"]) == ([amber.station.identity], "ONE", False)
    assert changed["url"] == BODY["url"]
    assert post(ada, f"{path}pause/")["active"] is False
    assert len(ada.client.rows("forwards/", active="false")) == 1
    assert post(ada, f"{path}resume/")["active"] is True
    assert ada.client.delete(f"/api/v1/{path}").status_code == 204
    assert ada.client.rows("forwards/") == []


def test_a_test_says_whether_it_works(ada: Person, added: Any, amber: Network) -> None:
    with backend(status=401) as them:
        path = f"forwards/{added['id']}/"
        ada.client.patch(f"/api/v1/{path}", {"url": them.url}, JSON)
        failed = post(ada, f"{path}test/")
        assert (failed["works"], failed["identity"]) == (False, "")
        assert failed["error"].startswith(f"{amber.station.identity}: It answered 401:")
        them.status = 0
        assert post(ada, f"{path}test/") == {"works": True, "identity": amber.station.identity, "error": ""}


def test_how_stations_do_is_listed(ada: Person, cleo: Person, added: Any, amber: Network) -> None:
    with scopes_disabled():
        keeping.match()
    (link,) = ada.client.rows("forward-links/", forward=added["id"], station=amber.station.identity, state="idle")
    assert (link["station"], link["sent"], link["error"]) == (amber.station.identity, 0, "")
    assert ada.client.rows("forward-links/", state="failing") == []
    assert cleo.client.rows("forward-links/") == []
    assert cleo.client.get(f"/api/v1/forward-links/{link['id']}/").status_code == 404
