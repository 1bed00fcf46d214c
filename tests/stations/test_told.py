"""What is done to stations, as the audit tells it."""

from collections.abc import Iterator

import pytest
from django.utils import timezone
from django_scopes import scope

from accounts import audit
from accounts.models import AuditEntry, Operator, User
from accounts.services import add_operator, add_user
from stations.domain.commandruns import Pace
from stations.domain.commands import ClearCache, RemoteStart, Reset, SetVariables
from stations.models import Connection, Station, Variable
from stations.services import commandends, commandruns, commandrunsteps, commands, configuration, registry


@pytest.fixture
def amber(db: None) -> Iterator[Operator]:
    operator = add_operator(name="Amber Grid that is told")
    with scope(operator=operator):
        yield operator


@pytest.fixture
def station(amber: Operator) -> Station:
    return registry.add_station(operator=amber, identity="AMBER-TOLD-01", site=registry.site_named(operator=amber, name="Harbour"))[
        0
    ]


@pytest.fixture
def ada(amber: Operator) -> User:
    return add_user(email="ada@told.example", operator=amber, role="owner")[0]


def told(number: int = 1) -> list[AuditEntry]:
    return list(AuditEntry.objects.order_by("-id")[:number])


def test_a_station_that_comes_and_goes_is_told(amber: Operator, station: Station) -> None:
    station_came, site_came = told(2)
    assert (station_came.action, site_came.action) == ("station.added", "site.added")
    assert station_came.after == {"identity": "AMBER-TOLD-01", "site": "Harbour", "security_profile": 1}
    registry.site_named(operator=amber, name="Harbour")
    assert told() == [station_came]
    registry.remove_station(station=station)
    assert (told()[0].action, told()[0].before) == ("station.removed", station_came.after)


def test_what_is_changed_of_a_station_is_told_once(station: Station) -> None:
    registry.set_registration(station=station, registration="Rejected")
    entry = told()[0]
    assert (entry.action, entry.before, entry.after) == (
        "station.changed",
        {"registration": "Accepted"},
        {"registration": "Rejected"},
    )
    registry.set_registration(station=station, registration="Rejected")
    assert told() == [entry]
    registry.set_password(station=station)
    assert (told()[0].action, told()[0].after) == ("station.password_changed", {"password_hash": "***"})


def test_a_command_is_told_of_its_station_with_its_reason_and_once(station: Station, ada: User) -> None:
    with audit.acting(ada, via="page"):
        for _ in range(2):
            commands.issue(station=station, command=Reset("idle"), user=ada, reason="Ground failure", idempotency_key="k")
    entry, before = told(2)
    assert (entry.action, entry.object_id, entry.note, entry.actor) == ("command.asked", str(station.pk), "Ground failure", ada)
    assert entry.after == {"command": "reset", "when": "idle", "evse": None}
    assert before.action == "user.added"


def test_no_secret_of_a_command_is_told(station: Station) -> None:
    secret = {"component": "", "variable": "AuthorizationKey", "value": "open-sesame"}
    commands.issue(station=station, command=SetVariables([secret]))
    assert "open-sesame" not in str(told()[0].after)
    commands.issue(station=station, command=RemoteStart("123456", id_token_type="KeyCode"))
    assert (told()[0].after["id_token"], "123456" in str(told()[0].after)) == ("***", False)


def test_taking_back_is_told_if_it_was_in_time(station: Station) -> None:
    row = commands.issue(station=station, command=ClearCache())
    assert commandends.cancel(command=row)
    entry = told()[0]
    assert (entry.action, entry.object_id, entry.before, entry.after) == (
        "command.cancelled",
        str(station.pk),
        {"command": "clear_cache"},
        {},
    )
    assert not commandends.cancel(command=row)
    assert told() == [entry]


def test_what_is_asked_of_many_is_told_of_each_and_of_all(amber: Operator, station: Station, ada: User) -> None:
    other, _ = registry.add_station(operator=amber, identity="AMBER-TOLD-02")
    Connection.objects.filter(operator=amber).update(seen_at=timezone.now(), connected_at=timezone.now())
    chosen = {"stations": [station.identity, other.identity]}
    asked = {"operator": amber, "token": "t", "selection": chosen, "command": Reset("immediate"), "pace": Pace(2, 0)}
    for _ in range(2):
        run = commandruns.start(**asked, user=ada, reason="New firmware")
    assert commandrunsteps.advance(run_id=run.pk)
    second, first, whole, before = told(4)
    assert {(one.action, one.object_id, one.note, one.actor, one.via) for one in (first, second)} == {
        ("command.asked", str(one.pk), "New firmware", ada, "job") for one in (station, other)
    }
    assert (whole.action, whole.object_id, whole.after["selection"]) == ("run.started", str(run.pk), "2 named")
    assert before.action == "station.added"


def test_a_wish_for_a_setting_is_told_with_what_was_wanted_before(amber: Operator, station: Station) -> None:
    variable = Variable.objects.create(operator=amber, station=station, variable="HeartbeatInterval", value="300", wanted="60")
    configuration.want(variable=variable, value="90")
    asked, wish = told(2)
    assert (asked.action, wish.action) == ("command.asked", "setting.wanted")
    assert (wish.before, wish.after) == ({"HeartbeatInterval": "60"}, {"HeartbeatInterval": "90"})
    variable.refresh_from_db()
    configuration.forget(variable=variable)
    assert (told()[0].before, told()[0].after) == ({"HeartbeatInterval": "90"}, {"HeartbeatInterval": None})
