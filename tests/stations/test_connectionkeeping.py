"""Connections of stations go after their term; the newest of each stays, and what is to stay is not searched."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from accounts.models import Operator
from stations import tasks
from stations.models import Connection, ConnectionHistory, Station
from stations.services import connectionkeeping
from tests.network import Network

NOW = datetime(2026, 11, 20, tzinfo=UTC)
LONG_AGO, LATELY = datetime(2024, 9, 30, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def station(network: Network) -> Station:
    return network.station()


def connected(station: Station, *times: datetime) -> None:
    """One after the other; the last one is the newest that there is."""
    first = ConnectionHistory.objects.filter(station=station).count() + 1
    for fence, at in enumerate(times, first):
        ConnectionHistory.objects.create(operator=station.operator, station=station, fence=fence, opened_at=at)
        Connection.objects.filter(station=station).update(fence=fence)


def left(station: Station) -> list[datetime]:
    return list(ConnectionHistory.objects.filter(station=station).order_by("pk").values_list("opened_at", flat=True))


def let_go(budget_s: float = 60) -> int:
    return connectionkeeping.let_go(now=NOW, budget_s=budget_s)


def test_connections_go_after_their_term_in_pieces(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connectionkeeping, "BATCH", 2)
    with scopes_disabled():
        connected(station, *[LONG_AGO + timedelta(hours=n) for n in range(5)], LATELY)
        assert let_go(budget_s=0) == 0
        assert let_go() >= 5
        assert left(station) == [LATELY]
        assert tasks.let_go_of_connections() >= 0


def test_the_newest_connection_of_each_station_stays(station: Station, network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connectionkeeping, "BATCH", 1)
    other = network.station()
    with scopes_disabled():
        connected(station, LONG_AGO)
        connected(other, LONG_AGO, LATELY)
        let_go()
        assert (left(station), left(other)) == ([LONG_AGO], [LATELY])


def test_an_operator_may_keep_connections_for_a_shorter_time(station: Station, network: Network) -> None:
    longer = Network().station()
    Operator.objects.filter(pk=network.operator.pk).update(keep_connections_days=10)
    recent = NOW - timedelta(days=9)
    with scopes_disabled():
        for one in (station, longer):
            connected(one, LATELY, recent)
        let_go()
        assert (left(station), left(longer)) == ([recent], [LATELY, recent])


def test_connections_that_stay_are_not_searched_for_old_ones(station: Station) -> None:
    with scopes_disabled():
        connected(station, LATELY, LATELY)
        with CaptureQueriesContext(connection) as ran:
            let_go()
    conditions = [one["sql"].partition("WHERE")[2] for one in ran if "stations_connectionhistory" in one["sql"]]
    assert conditions
    assert not [one for one in conditions if "opened_at" in one]
