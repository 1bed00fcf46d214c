"""What is told of a network to those who subscribed to it: in the transaction of what happened, and nothing to others."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django_scopes import scopes_disabled

from stations import outbox, selectors, topics
from stations.domain import commands as domain
from stations.domain import events
from stations.models import Connection, OutboxEntry, Station
from stations.services import commandends, commands, connections, metervalues, presence
from stations.services.connections import Knock
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.batches import breaking
from tests.stations.charging import started

ALL = [one for name in dir(topics) if name.isupper() and isinstance(one := getattr(topics, name), str)]


@pytest.fixture
def station(network: Network) -> Iterator[Station]:
    network.token("CARD")
    outbox.want("ears", ALL, operator=network.operator)
    yield network.station(accepted=True)
    outbox.want("ears", [], operator=network.operator)


def told(network: Network) -> list[str]:
    return [entry.topic for entry in network.outbox() if entry.subscriber == "ears"]


def entries(network: Network, topic: str) -> list[OutboxEntry]:
    return [entry for entry in network.outbox() if entry.topic == topic]


def sweep(now: datetime | None = None) -> None:
    with scopes_disabled():
        presence.sweep(now=now or datetime.now(UTC))


def arrive(station: Station) -> None:
    knock = Knock(station.identity, None, "ocpp1.6", (), "", False)
    connection.ensure_connection()
    cursor: Any = psycopg.Cursor(connection.connection)
    connections.take_over(cursor, {station.pk: knock}, node="here", now=datetime.now(UTC))


def hang_up(station: Station, ago: timedelta = timedelta(minutes=5)) -> None:
    then = datetime.now(UTC) - ago
    with scopes_disabled():
        Connection.objects.filter(pk=station.pk).update(connected_at=then, disconnected_at=then, seen_at=then)


# Who is told


def test_nothing_is_written_for_an_operator_who_subscribed_to_nothing(network: Network, engine: Engine) -> None:
    network.token("CARD")
    station = network.station(accepted=True)
    started(engine, station)
    assert network.outbox() == []


def test_a_process_that_has_the_state_in_memory_hears_of_a_wish_at_once(network: Network, engine: Engine) -> None:
    network.token("CARD")
    station = network.station(accepted=True)
    engine.say(station, "Heartbeat", {})
    outbox.want("ears", [topics.TRANSACTION_STARTED], operator=network.operator)
    started(engine, station)
    assert told(network) == [topics.TRANSACTION_STARTED]
    outbox.want("ears", [], operator=network.operator)
    started(engine, station, connector=2)
    assert told(network) == [topics.TRANSACTION_STARTED]


def test_wishing_for_what_one_has_makes_no_process_load_anything_anew(network: Network, station: Station) -> None:
    def version() -> int:
        with scopes_disabled():
            return Connection.objects.get(pk=station.pk).state_version

    before = version()
    outbox.want("ears", ALL, operator=network.operator)
    assert version() == before


def test_a_batch_that_is_rolled_back_tells_nothing(
    network: Network, engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking(monkeypatch, events.TransactionStarted, lambda event, batch: True)
    engine.say(station, "StartTransaction", v16.start())
    assert network.transactions(station) == []
    assert told(network) == []


# Sessions


def test_a_session_is_told_when_it_begins_and_when_it_ends(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station)
    engine.say(station, "StopTransaction", v16.stop(number))
    engine.say(station, "StopTransaction", v16.stop(number))
    (row,) = network.transactions(station)
    assert told(network) == [topics.TRANSACTION_STARTED, topics.TRANSACTION_ENDED]
    assert {entry.object_id for entry in network.outbox() if entry.subscriber == "ears"} == {row.pk}


def test_how_far_it_is_is_told_at_the_end_of_a_minute_and_written_once(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station)
    for minute in range(5):
        engine.say(station, "MeterValues", v16.meters(2000 + minute, 300 - minute, number))
    (entry,) = entries(network, topics.TRANSACTION_UPDATED)
    assert entry.due_at - entry.created_at == metervalues.TOLD_EVERY
    # Neither does a process that knows nothing of the first write a second one.
    Engine().say(station, "MeterValues", v16.meters(3000, 200, number))
    assert len(entries(network, topics.TRANSACTION_UPDATED)) == 1


def test_a_session_of_the_other_version_is_told_the_same(network: Network, station: Station) -> None:
    engine = Engine("ocpp2.0.1")
    for payload in (v201.started(), v201.updated(1, wh=2000), v201.ended(2, wh=3000), v201.ended(2, wh=3000)):
        engine.say(station, "TransactionEvent", payload)
    assert told(network) == [topics.TRANSACTION_STARTED, topics.TRANSACTION_UPDATED, topics.TRANSACTION_ENDED]


def test_a_stop_without_a_start_is_told_as_an_end(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "StopTransaction", v16.stop(4711))
    assert told(network) == [topics.TRANSACTION_ENDED]


# Faults


def test_a_fault_is_told_when_it_comes_with_what_was_reported(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "StatusNotification", v16.status("Available", 30))
    engine.say(station, "StatusNotification", v16.status("Faulted", 20, error="GroundFailure", info="pin 3"))
    engine.say(station, "StatusNotification", v16.status("Faulted", 10, error="GroundFailure"))
    (entry,) = entries(network, topics.STATION_FAULTED)
    facts = entry.facts
    assert facts is not None
    assert (facts["station_id"], facts["evse_number"], facts["error_code"], facts["info"]) == (
        station.pk,
        1,
        "GroundFailure",
        "pin 3",
    )
    engine.say(station, "StatusNotification", v16.status("Available", 5))
    engine.say(station, "StatusNotification", v16.status("Faulted", 1, error="OtherError"))
    assert len(entries(network, topics.STATION_FAULTED)) == 2


def test_the_station_as_a_whole_may_have_a_fault(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "StatusNotification", v16.status("Faulted", 2, connector=0))
    engine.say(station, "StatusNotification", v16.status("Faulted", 1, connector=0))
    # A process that has to load the state knows that it was faulted.
    Engine().say(station, "StatusNotification", v16.status("Faulted", 0, connector=0))
    (entry,) = entries(network, topics.STATION_FAULTED)
    assert entry.facts is not None
    assert (entry.facts["evse_number"], entry.facts["connector_number"]) == (0, 0)


# Commands


def test_a_command_is_told_when_it_ends_whatever_came_of_it(network: Network, engine: Engine, station: Station) -> None:
    engine.connect(station)

    def ask(command: domain.Command) -> int:
        with scopes_disabled():
            return commands.issue(station=station, command=command).pk

    cleared, refused, reset, cancelled, expired = (
        *(ask(domain.ClearCache()), ask(domain.ClearCache()), ask(domain.Reset("idle"))),
        *(ask(domain.ClearCache()), ask(domain.ClearCache())),
    )
    for answer in ({"status": "Accepted"}, {"status": "Rejected"}, {"status": "Accepted"}):
        (errand,) = engine.claim(station)
        engine.reply(station, errand, answer)
    assert [entry.object_id for entry in entries(network, topics.COMMAND_FINISHED)] == [cleared, refused]
    # A reset has ended when the station is back.
    engine.say(station, "BootNotification", v16.BOOT)
    with scopes_disabled():
        commandends.cancel(command=commands.Command.objects.get(pk=cancelled))
        commandends.sweep(now=datetime.now(UTC) + timedelta(days=40))
    ended = [entry.object_id for entry in entries(network, topics.COMMAND_FINISHED)]
    assert ended == [cleared, refused, reset, cancelled, expired]


# Coming and going


def test_who_comes_for_the_first_time_is_told_and_who_comes_again_is_not(network: Network, station: Station) -> None:
    arrive(station)
    arrive(station)
    assert told(network) == [topics.STATION_ONLINE]


def test_an_outage_is_told_once_and_so_is_its_end(network: Network, station: Station) -> None:
    arrive(station)
    for _ in range(2):
        hang_up(station)
        sweep()
        sweep()
        arrive(station)
        sweep()
    assert told(network) == [topics.STATION_ONLINE, *[topics.STATION_OFFLINE, topics.STATION_ONLINE] * 2]
    (first, _) = entries(network, topics.STATION_OFFLINE)
    assert first.facts is not None
    assert first.facts["station_id"] == station.pk


def test_an_outage_shorter_than_the_grace_is_not_told(network: Network, station: Station) -> None:
    arrive(station)
    hang_up(station, presence.GRACE / 2)
    sweep()
    arrive(station)
    sweep()
    assert told(network) == [topics.STATION_ONLINE]


def test_a_station_that_falls_silent_is_told_when_its_lease_is_over(network: Network, station: Station) -> None:
    arrive(station)
    lease = max(timedelta(seconds=3 * station.heartbeat_interval_s), selectors.SHORTEST_LEASE)
    now = datetime.now(UTC)
    sweep(now + lease)
    assert told(network) == [topics.STATION_ONLINE]
    sweep(now + lease + presence.GRACE + timedelta(seconds=1))
    assert told(network) == [topics.STATION_ONLINE, topics.STATION_OFFLINE]
    # It is heard again, over the socket it has.
    sweep()
    assert told(network)[2:] == [topics.STATION_ONLINE]


def test_a_station_that_was_never_there_is_not_told_to_be_away(network: Network, station: Station) -> None:
    sweep()
    assert told(network) == []


def test_who_subscribes_during_an_outage_is_told_its_end_only(network: Network) -> None:
    station = network.station(accepted=True)
    arrive(station)
    hang_up(station)
    sweep()
    outbox.want("ears", ALL, operator=network.operator)
    sweep()
    arrive(station)
    assert told(network) == [topics.STATION_ONLINE]
    outbox.want("ears", [], operator=network.operator)
