"""What a logged exchange belongs to, read from the exchange itself by the translators of its version."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scope, scopes_disabled

from csms.ocpp import links
from stations.domain import commands
from stations.models import MessageLogEntry, Station
from tests import v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, asked, connected
from tests.v16 import meters, start, status, stop


def log(network: Network, station: Station) -> list[MessageLogEntry]:
    """The station's messages with what they belong to, in the order in which they came."""
    with scope(operator=network.operator):
        return list(links.attach(list(MessageLogEntry.objects.filter(station=station).order_by("received_at", "id"))))


def test_every_message_of_a_session_leads_to_it(network: Network, engine: Engine) -> None:
    known = network.station(accepted=True)
    network.token("CARD")
    number = engine.say(known, "StartTransaction", start())["transactionId"]
    engine.say(known, "StartTransaction", start())
    engine.say(known, "MeterValues", meters(2000, transaction=number))
    engine.say(known, "StopTransaction", stop(number))
    engine.say(known, "Heartbeat", {})
    (charged,) = network.transactions(known)[:1]
    assert [entry.of_transaction for entry in log(network, known)][2:] == [charged.pk, charged.pk, None]


def test_events_of_the_newer_version_lead_to_theirs(network: Network, committed: None) -> None:
    engine, known = Engine("ocpp2.0.1"), network.station(accepted=True)
    for event in v201.session():
        engine.say(known, "TransactionEvent", event)
    (charged,) = network.transactions(known)
    assert {entry.of_transaction for entry in log(network, known)} == {charged.pk}


def test_a_stop_whose_start_never_came_leads_to_what_was_kept_of_it(network: Network, engine: Engine) -> None:
    known = network.station(accepted=True)
    engine.say(known, "StopTransaction", stop(4711))
    (kept,) = network.transactions(known)
    (entry,) = log(network, known)
    assert (entry.of_transaction, entry.findings) == (kept.pk, ("start_missing",))


def test_readings_that_were_attached_lead_where_they_were_attached(network: Network, engine: Engine) -> None:
    known = network.station(accepted=True)
    network.token("CARD")
    engine.say(known, "StartTransaction", start())
    engine.say(known, "MeterValues", meters(2000, transaction=-1))
    (charged,) = network.transactions(known)
    *_, entry = log(network, known)
    assert (entry.of_transaction, entry.findings) == (charged.pk, ("transaction_attached",))


def test_what_is_odd_in_a_message_is_told_of_each_and_not_of_the_newest_alone(network: Network, engine: Engine) -> None:
    known = network.station(accepted=True)
    for _ in range(2):
        engine.say(known, "StatusNotification", status("available"))
    engine.say(known, "StatusNotification", status("Available"))
    assert [entry.findings for entry in log(network, known)] == [("mended_enum",), ("mended_enum",), ()]


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])
def test_a_call_of_ours_leads_to_its_command_and_a_stop_to_the_session_too(protocol: str, network: Network) -> None:
    engine = Engine(protocol)
    known = connected(network, engine)
    network.token("CARD")
    if protocol == "ocpp1.6":
        engine.say(known, "StartTransaction", start())
    else:
        engine.say(known, "TransactionEvent", v201.started())
    (charged,) = network.transactions(known)
    row = asked(engine, known, commands.RemoteStop(charged.ocpp_transaction_id), ACCEPTED)
    *_, entry = log(network, known)
    assert (entry.direction, entry.of_command, entry.of_transaction) == ("out", row.pk, charged.pk)


def test_an_answer_that_had_to_be_mended_is_told_with_the_call(network: Network, engine: Engine) -> None:
    known = connected(network, engine)
    asked(engine, known, commands.ClearCache(), {"status": "accepted"})
    (entry,) = log(network, known)
    assert entry.findings == ("mended_enum",)


def test_a_command_of_another_station_is_not_its_own(network: Network, engine: Engine) -> None:
    known, other = connected(network, engine), network.station()
    row = asked(engine, known, commands.ClearCache(), ACCEPTED)
    with scopes_disabled():
        MessageLogEntry.objects.filter(station=known).update(station_id=other.pk)
    (entry,) = log(network, other)
    assert (entry.message_id, entry.of_command) == (f"csms-{row.pk}-1", None)


@pytest.mark.parametrize(
    "fields",
    [
        {"call": "[2,"},
        {"call": ""},
        {"call": '[3,"1",{}]'},
        {"protocol": "ocpp9"},
        {"answer": "***"},
        {"direction": "out", "message_id": "csms-x"},
        {"direction": "out", "call": '[2,"1","RemoteStopTransaction",[]]', "message_id": "csms-999999999999-1"},
        {"call": '[2,"1","StartTransaction",{"connectorId":{}}]'},
    ],
)
def test_whatever_stands_in_the_log_can_be_looked_at(fields: dict[str, Any], network: Network, engine: Engine) -> None:
    known = network.station(accepted=True)
    engine.say(known, "Heartbeat", {})
    with scopes_disabled():
        MessageLogEntry.objects.filter(station=known).update(**fields)
    (entry,) = log(network, known)
    assert (entry.of_transaction, entry.of_command) == (None, None)


def test_all_rows_of_a_page_are_looked_up_together(network: Network, engine: Engine) -> None:
    known = connected(network, engine)
    network.token("CARD")
    for number in range(5):
        engine.say(known, "StartTransaction", start(seconds=600 - number))
        asked(engine, known, commands.ClearCache(), ACCEPTED)
    with scope(operator=network.operator):
        entries = list(MessageLogEntry.objects.filter(station=known))
        with CaptureQueriesContext(connection) as queries:
            links.attach(entries)
            assert links.attach([]) == []
    assert len(queries) == 3
