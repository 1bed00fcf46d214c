"""What stations show, as programs read it; and how they set it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_scopes import scope

from stations.models import Connection, DisplayMessage
from tests.api.conftest import Network, Person

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def _messages(ada: Person, amber: Network) -> None:
    shown: dict[str, Any] = {"operator": ada.operator, "station": amber.station, "format": "UTF8", "set_at": NOW}
    with scope(operator=ada.operator):
        DisplayMessage.objects.create(**shown, number=1, priority="InFront", state="Idle", content="Welcome", language="en")
        DisplayMessage.objects.create(**shown, number=2, priority="NormalCycle", content="Soon", start_at=NOW + timedelta(days=1))
        DisplayMessage.objects.create(**shown, number=3, priority="NormalCycle", content="Was", end_at=NOW - timedelta(days=1))
        DisplayMessage.objects.create(**shown, number=4, priority="NormalCycle", content="Gone", removed_at=NOW)


@pytest.mark.usefixtures("_messages")
def test_a_message_is_told_as_the_station_has_it(ada: Person) -> None:
    (row,) = ada.client.rows("display-messages/", station="AMBER-01", number=1)
    at = NOW.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    assert row == {
        **{"id": row["id"], "station": "AMBER-01", "number": 1, "status": "shown", "priority": "InFront", "state": "Idle"},
        **{"format": "UTF8", "language": "en", "content": "Welcome", "start_at": None, "end_at": None, "transaction": ""},
        **{"component": "", "component_instance": "", "evse": 0, "connector": 0, "set_at": at, "removed_at": None},
    }


@pytest.mark.usefixtures("_messages")
@pytest.mark.parametrize(("status", "number"), [("shown", 1), ("waiting", 2), ("over", 3), ("removed", 4)])
def test_what_it_is_now_is_seen_when_it_is_read(ada: Person, status: str, number: int) -> None:
    assert [row["number"] for row in ada.client.rows("display-messages/", status=status)] == [number]


@pytest.mark.usefixtures("_messages")
def test_another_operator_sees_none_of_it(cleo: Person) -> None:
    assert cleo.client.rows("display-messages/") == []


def test_what_makes_no_sense_is_refused_with_the_reason(ada: Person, amber: Network) -> None:
    with scope(operator=ada.operator):
        Connection.objects.update(protocol="ocpp2.0.1")
    body = {"command": "set_display_message", "params": {"content": "Hi", "priority": "Highest"}}
    answer = ada.client.post("/api/v1/stations/AMBER-01/commands/", body, content_type="application/json")
    assert (answer.status_code, "priority must be one of" in answer.json()["detail"]) == (400, True)
    raw = ada.client.post("/api/v1/stations/AMBER-01/ocpp/ClearDisplayMessage/?wait=0", {"id": 4}, content_type="application/json")
    assert raw.status_code == 202
