"""Events told in several messages (OCPP 2.0.1 N07-N08): what is missing and what has a number twice is noticed; all are kept."""

import pytest
from django_scopes import scopes_disabled

from stations.models import MonitorEvent, Station
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import boot, connected
from tests.stations.monitored import event, events

AT, LATER = "2026-11-20T10:00:00Z", "2026-11-20T10:00:05Z"


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def tells(engine: Engine, station: Station, number: int, *ids: int, more: bool = False, at: str = AT) -> None:
    told = (event(pk, trigger="Delta", timestamp=at) for pk in ids)
    assert engine.say(station, "NotifyEvent", events(*told, number=number, more=more)) == {}


def kept(station: Station) -> list[int]:
    with scopes_disabled():
        return list(MonitorEvent.objects.filter(station=station).order_by("id").values_list("event_id", flat=True))


def test_a_whole_series_is_no_finding(network: Network, engine: Engine, station: Station) -> None:
    for first in (0, 10):
        for number in range(3):
            tells(engine, station, number, first + number, more=number < 2)
    tells(engine, station, 0, 20)
    assert network.findings(station) == []
    assert len(kept(station)) == 7


def test_a_gap_is_noticed_and_what_came_is_kept(network: Network, engine: Engine, station: Station) -> None:
    tells(engine, station, 0, 1, more=True)
    tells(engine, station, 3, 4)
    found = network.finding(station, "event_message_missing")
    assert (found.detail, found.count) == ("When message 3 of a series of events came, 1 to 2 had not come.", 1)
    assert kept(station) == [1, 4]
    tells(engine, station, 1, 5)
    found = network.finding(station, "event_message_missing")
    assert (found.detail, found.count) == ("When message 1 of a series of events came, 0 had not come.", 2)


def test_a_series_that_was_not_ended_is_noticed(network: Network, engine: Engine, station: Station) -> None:
    tells(engine, station, 0, 1, more=True)
    tells(engine, station, 0, 2)
    assert network.finding(station, "event_message_missing").detail.startswith("The messages from 1 on of a series")


def test_what_is_told_again_is_no_finding(network: Network, engine: Engine, station: Station) -> None:
    tells(engine, station, 0, 1, more=True)
    tells(engine, station, 1, 2)
    tells(engine, station, 1, 2)
    assert network.findings(station) == []
    assert kept(station) == [1, 2]


def test_the_first_message_that_is_heard_may_be_any(network: Network, engine: Engine, station: Station) -> None:
    tells(engine, station, 4, 9)
    assert network.findings(station) == []


def test_a_number_that_two_events_have_is_noticed_and_both_are_kept(network: Network, engine: Engine, station: Station) -> None:
    tells(engine, station, 0, 1)
    tells(engine, station, 0, 1, at=LATER)
    assert "Event 1 is of EVSE.Temperature" in network.finding(station, "event_id_twice").detail
    assert kept(station) == [1, 1]


def test_after_a_restart_numbers_may_begin_anew(network: Network, engine: Engine, station: Station) -> None:
    tells(engine, station, 0, 1, more=True)
    boot(engine, station)
    tells(engine, station, 0, 1, at=LATER)
    assert network.findings(station) == []
