"""What has no index of its own is looked for in a bounded number of rows a page, and yet all of it is found."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scope

from accounts.models import AuditEntry
from csms.api import pagination
from stations.models import Finding
from tests.api.conftest import AT, Network, Person, message, minutes


def pages(person: Person, path: str) -> list[list[dict[str, Any]]]:
    """All pages of a list, followed to the end."""
    found, address = [], f"/api/v1/{path}"
    while address:
        answer = person.client.get(address)
        assert answer.status_code == 200, answer.content
        found.append(answer.json()["results"])
        address = answer.json()["next"]
    return found


@pytest.fixture
def findings(ada: Person, amber: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty of a common kind, and one of a rare one among the oldest."""
    monkeypatch.setattr(pagination, "LOOKED_THROUGH", 10)
    with scope(operator=ada.operator):
        Finding.objects.all().delete()
        known: dict[str, Any] = {"operator": ada.operator, "station": amber.station, "severity": "warning", "first_at": AT}
        for number in range(40):
            code = "rare" if number == 3 else "common"
            Finding.objects.create(code=code, subject=str(number), last_at=AT + minutes(number // 2), **known)


@pytest.mark.parametrize("ordering", ["-last_at", "last_at"])
def test_a_rare_one_is_found_on_the_page_where_it_stands(ada: Person, findings: None, ordering: str) -> None:
    found = pages(ada, f"findings/?code=rare&ordering={ordering}")
    assert [row["subject"] for page in found for row in page] == ["3"]
    assert len(found) == 4 + 1
    assert bool(found[0]) == (ordering == "last_at")


def test_a_common_one_is_found_once_each_in_order(ada: Person, findings: None) -> None:
    found = pages(ada, "findings/?code=common&page_size=4")
    subjects = [int(row["subject"]) for page in found for row in page]
    assert subjects == [number for number in range(39, -1, -1) if number != 3]
    assert max(map(len, found)) == 4


def test_what_has_an_index_is_found_at_once(ada: Person, findings: None) -> None:
    assert len(pages(ada, "findings/?station=AMBER-01")) == 1


def test_messages_of_a_station_are_looked_through_from_the_newest(
    ada: Person, amber: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagination, "LOOKED_THROUGH", 5)
    with scope(operator=ada.operator):
        for number in range(20):
            message(amber.station, AT + minutes(number), action="BootNotification" if number == 0 else "Heartbeat")
    found = pages(ada, "messages/?station=AMBER-01&action=BootNotification")
    assert [bool(page) for page in found][-2:].count(True) == 1
    assert sum(map(len, found)) == 1


def test_only_who_looks_for_something_pays_for_it(ada: Person, findings: None) -> None:
    ada.client.get("/api/v1/findings/")  # notes that the key was used
    with CaptureQueriesContext(connection) as plain:
        ada.client.get("/api/v1/findings/")
    with CaptureQueriesContext(connection) as looking:
        ada.client.get("/api/v1/findings/?code=rare")
    assert len(looking) == len(plain) + 1


@pytest.mark.parametrize(("asked", "pages_of_it"), [("kind=tariff", 5), ("via=page", 5), ("kind=tariff&thing=7", 1)])
def test_changes_of_a_kind_or_by_a_way_are_looked_through_and_those_of_a_thing_found_at_once(
    ada: Person, monkeypatch: pytest.MonkeyPatch, asked: str, pages_of_it: int
) -> None:
    monkeypatch.setattr(pagination, "LOOKED_THROUGH", 10)
    with scope(operator=ada.operator):
        AuditEntry.objects.all().delete()
        known: dict[str, Any] = {"operator": ada.operator, "action": "tariff.changed", "at": AT}
        for number in range(40):
            rare = number == 3
            thing = {"object_type": "tariff" if rare else "site", "object_id": "7" if rare else "8"}
            AuditEntry.objects.create(actor_label=str(number), via="page" if rare else "api", **known, **thing)
    found = pages(ada, f"audit/?{asked}")
    assert len(found) == pages_of_it
    assert sum(map(len, found)) == 1
