"""What people want in and out of service, and how far stations are with it."""

from typing import Any

import pytest
from django_scopes import scope

from stations import outofservice
from stations.domain.commands import ChangeAvailability
from stations.models import Command, Station
from stations.services import commandends
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import asked, connected, issue


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine()


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def wishes(station: Station) -> list[tuple[int, bool, str]]:
    with scope(operator=station.operator):
        return [(one.evse, one.operative, one.progress) for one in outofservice.wishes(station)]


def reports(engine: Engine, station: Station, status: str, connector: int = 1) -> None:
    payload: dict[str, Any] = {"connectorId": connector, "status": status, "errorCode": "NoError"}
    engine.say(station, "StatusNotification", payload)


def test_a_wish_is_pending_until_a_status_confirms_it(engine: Engine, station: Station) -> None:
    reports(engine, station, "Charging")
    assert wishes(station) == []
    row = issue(station, ChangeAvailability(False, 1))
    assert wishes(station) == [(1, False, "waiting")]
    with scope(operator=station.operator):
        Command.objects.filter(pk=row.pk).delete()
    asked(engine, station, ChangeAvailability(False, 1), {"status": "Scheduled"})
    assert wishes(station) == [(1, False, "pending")]
    reports(engine, station, "Unavailable")
    assert wishes(station) == [(1, False, "in_effect")]


def test_what_the_plugs_say_otherwise_differs_and_what_is_back_in_service_is_told_no_more(engine: Engine, station: Station) -> None:
    reports(engine, station, "Unavailable")
    asked(engine, station, ChangeAvailability(False, 1), {"status": "Accepted"})
    assert wishes(station) == [(1, False, "in_effect")]
    reports(engine, station, "Available")
    assert wishes(station) == [(1, False, "differs")]
    asked(engine, station, ChangeAvailability(True, 1), {"status": "Accepted"})
    assert wishes(station) == []


def test_each_place_has_a_wish_of_its_own_and_a_refusal_is_told(engine: Engine, station: Station) -> None:
    reports(engine, station, "Unavailable")
    asked(engine, station, ChangeAvailability(False, 1), {"status": "Accepted"})
    asked(engine, station, ChangeAvailability(False), {"status": "Rejected"})
    assert wishes(station) == [(0, False, "refused"), (1, False, "in_effect")]


def test_what_is_taken_back_before_it_was_sent_leaves_what_was_wanted_before(engine: Engine, station: Station) -> None:
    reports(engine, station, "Unavailable")
    asked(engine, station, ChangeAvailability(False, 1), {"status": "Accepted"})
    row = issue(station, ChangeAvailability(True, 1))
    assert wishes(station) == [(1, True, "waiting")]
    with scope(operator=station.operator):
        commandends.cancel(command=row)
    assert wishes(station) == [(1, False, "in_effect")]
