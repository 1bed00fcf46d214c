"""What can be told: each kind once, as the documentation says it, with what the API says of the thing."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django_scopes import scopes_disabled

from billing import receipts
from billing.services import CREDIT_TOPIC, RECORD_TOPIC, make_charge_record
from csms.webhooks import catalogue, dispatch, services
from csms.webhooks.models import Webhook, WebhookEvent
from stations import outbox, ports, topics
from stations.domain import commands as domain
from stations.models import OutboxEntry, Station
from stations.services import commands, presence
from tests import v16
from tests.dashboard.rows import seen
from tests.engine import Engine
from tests.network import Network
from tests.servers import until
from tests.stations.charging import started
from tests.webhooks.conftest import log
from tests.webhooks.receiver import Receiver


def test_every_topic_can_be_told_and_nothing_else() -> None:
    named = {getattr(topics, name) for name in dir(topics) if name.isupper()}
    made = {one for one in named if isinstance(one, str)} - topics.OF_THE_CORE | {RECORD_TOPIC, CREDIT_TOPIC}
    assert set(catalogue.EVENTS) == made
    assert catalogue.PING not in made


def test_the_documents_table_is_that_of_the_code() -> None:
    text = (settings.BASE_DIR / "docs/webhooks.md").read_text()
    section = text.split("| type | when |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z_.]+)` \|", section, re.MULTILINE)) == set(catalogue.EVENTS)


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def waits() -> bool:
    """Each time in a transaction of its own: within one, PostgreSQL says of the others what it said first."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return bool(cursor.fetchone()[0])


@pytest.fixture
def webhook(network: Network) -> Any:
    """To nobody: what is told is looked at in the tables."""
    made = services.add(operator=network.operator, url="http://127.0.0.1:9/", events=list(catalogue.EVENTS))
    yield made
    with scopes_disabled():
        # Nothing is flushed between these tests, and nobody is to call it later.
        services.remove(webhook=Webhook.objects.get(pk=made.pk))


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    network.tariff()
    return network.station(accepted=True)


def told(network: Network) -> dict[str, Any]:
    """The data of each event, by type, once the outbox is empty. What has to wait for its minute does not."""
    with scopes_disabled():
        OutboxEntry.objects.filter(operator=network.operator, subscriber=services.SUBSCRIBER).update(due_at=datetime.now(UTC))
        while dispatch.tell_some():
            pass
        return {event.type: event.data for event in WebhookEvent.objects.filter(operator=network.operator).order_by("id")}


def test_a_session_is_told_as_the_api_tells_it(network: Network, engine: Engine, station: Station, webhook: Webhook) -> None:
    number = started(engine, station)
    engine.say(station, "MeterValues", v16.meters(2000, 200, number))
    data = told(network)
    assert set(data) == {"transaction.started", "transaction.updated"}
    assert data["transaction.updated"]["energy_wh"] == 1000
    assert (data["transaction.started"]["station"], data["transaction.started"]["status"]) == (station.identity, "active")
    engine.say(station, "MeterValues", v16.meters(3000, 100, number))
    engine.say(station, "StopTransaction", v16.stop(number, meter=5000))
    (row,) = network.transactions(station)
    with scopes_disabled():
        make_charge_record(transaction_id=row.pk)
    data = told(network)
    assert data["transaction.ended"]["energy_wh"] == 4000
    # A readings' entry that was due after the end is no news.
    assert data["transaction.updated"]["energy_wh"] == 1000
    assert (data["charge_record.made"]["transaction"], data["charge_record.made"]["currency"]) == (row.pk, "EUR")
    assert [delivery.sequence for delivery in log(webhook)] == [1, 2, 3, 4]


def ours(network: Network) -> list[OutboxEntry]:
    """What webhooks are still to be told of charge records."""
    return [entry for entry in network.outbox() if (entry.topic, entry.subscriber) == (RECORD_TOPIC, services.SUBSCRIBER)]


def test_a_bill_is_told_at_once_and_one_that_exists_not_again(
    network: Network, engine: Engine, station: Station, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.say(station, "StopTransaction", v16.stop(started(engine, station)))
    (row,) = network.transactions(station)
    rung: list[str] = []
    monkeypatch.setattr(ports.bell, "work", rung.append)
    with scopes_disabled():
        for _ in range(2):
            make_charge_record(transaction_id=row.pk)
            assert rung == [receipts.SUBSCRIBER, services.SUBSCRIBER]
        assert len(ours(network)) == 1
        told(network)
        make_charge_record(transaction_id=row.pk)
    assert ours(network) == []


def test_who_comes_and_goes_is_told_as_it_was_then(network: Network, station: Station, webhook: Webhook) -> None:
    seen(station, ago=timedelta(hours=1), told_online=True)
    with scopes_disabled():
        presence.sweep(now=datetime.now(UTC))
        seen(station)
        presence.sweep(now=datetime.now(UTC))
    data = told(network)
    assert (data["station.offline"]["online"], data["station.online"]["online"]) == (False, True)
    assert data["station.offline"]["seen_at"] < data["station.online"]["seen_at"]
    assert data["station.online"]["identity"] == station.identity


def test_a_fault_is_told_as_it_was_reported(network: Network, engine: Engine, station: Station, webhook: Webhook) -> None:
    engine.say(station, "StatusNotification", v16.status("Faulted", 20, error="GroundFailure", vendorErrorCode="E7"))
    engine.say(station, "StatusNotification", v16.status("Available", 10))
    fault = told(network)["station.faulted"]
    assert (fault["station"], fault["evse"], fault["connector"], fault["status"]) == (station.identity, 1, 1, "Faulted")
    assert (fault["error_code"], fault["vendor_error_code"]) == ("GroundFailure", "E7")


def test_a_command_is_told_when_it_has_ended(network: Network, engine: Engine, station: Station, webhook: Webhook) -> None:
    engine.connect(station)
    with scopes_disabled():
        command = commands.issue(station=station, command=domain.ClearCache())
    (errand,) = engine.claim(station)
    engine.reply(station, errand, {"status": "Rejected"})
    data = told(network)["command.finished"]
    assert (data["id"], data["command"], data["status"]) == (command.pk, "clear_cache", "rejected")


def test_what_is_gone_when_it_is_to_be_told_is_let_go(network: Network, webhook: Webhook) -> None:
    with scopes_disabled():
        now = datetime.now(UTC)
        OutboxEntry.objects.bulk_create(
            OutboxEntry(
                operator=network.operator, topic=topic, subscriber="webhooks", object_id=2**60 + n, created_at=now, due_at=now
            )
            for n, topic in enumerate(catalogue.EVENTS)
        )
    assert told(network) == {}
    assert network.outbox() == []


def test_each_webhook_is_told_what_it_wants_and_only_of_its_network(
    network: Network, engine: Engine, station: Station, webhook: Webhook, them: Receiver
) -> None:
    other = Network()
    mine = services.add(operator=network.operator, url=them.url, events=["transaction.ended"])
    theirs = services.add(operator=other.operator, url=them.url, events=list(catalogue.EVENTS))
    engine.say(station, "StopTransaction", v16.stop(started(engine, station)))
    told(network)
    assert [delivery.event.type for delivery in log(webhook)] == ["transaction.started", "transaction.ended"]
    assert [delivery.event.type for delivery in log(mine)] == ["transaction.ended"]
    assert log(theirs) == []
    for one in (mine, theirs):
        services.remove(webhook=one)
    with scopes_disabled():
        assert not outbox.Subscription.objects.filter(operator=other.operator).exists()


def test_while_a_webhook_is_changed_no_station_waits(network: Network, engine: Engine, station: Station, webhook: Webhook) -> None:
    """A change waits for batches, so telling must not hold what batches write while it waits for the change."""
    number = started(engine, station)
    engine.say(station, "MeterValues", v16.meters(2000, 200, number))
    (entry,) = (entry for entry in network.outbox() if entry.topic == topics.TRANSACTION_UPDATED)
    again = (
        "INSERT INTO stations_outboxentry (operator_id, topic, subscriber, object_id, created_at, due_at, attempts, error) "
        "VALUES (%s, %s, %s, %s, now(), now(), 0, '') ON CONFLICT (topic, subscriber, object_id) DO NOTHING"
    )
    settings = connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}
    with psycopg.connect(**settings) as change, psycopg.connect(**settings | {"options": "-c lock_timeout=1000"}) as batch:
        change.execute("SELECT 1 FROM csms_webhook WHERE id = %s FOR UPDATE", [webhook.pk])
        telling = ThreadPoolExecutor(1)
        done = telling.submit(lambda: (told(network), connection.close()))
        until(waits)
        batch.execute(again, [network.operator.pk, entry.topic, entry.subscriber, entry.object_id])
        batch.commit()
        change.rollback()
        done.result()
