"""The life of a command: claimed by the process that holds the socket, sent, answered, its effect seen or not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django_scopes import scopes_disabled
from structlog.testing import capture_logs

from csms.ocpp import errands
from csms.ocpp.doors import Arrival
from stations.domain import commands
from stations.models import Command, Connection, Station
from stations.services import commandends
from stations.services import commands as life
from stations.services.connections import Admitted, Knock
from tests.engine import Engine
from tests.network import PASSWORD, Network
from tests.stations.asking import ACCEPTED, PROTOCOLS, asked, connected, issue, now_of, sent


@pytest.fixture(params=PROTOCOLS)
def engine(committed: None, request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


# Claiming


def test_one_at_a_time_is_under_way_and_the_oldest_first(engine: Engine, station: Station) -> None:
    first, second = (issue(station, commands.ClearCache()) for _ in range(2))
    errand = sent(engine, station)
    assert (errand.claimed.id, now_of(first).status, now_of(second).status) == (first.pk, "sent", "queued")
    assert engine.claim(station) == []
    engine.reply(station, errand, ACCEPTED)
    assert now_of(first).status == "confirmed"
    assert sent(engine, station).claimed.id == second.pk


def test_it_is_one_whatever_the_planner_thinks_of_the_table(network: Network) -> None:
    """The table was analyzed while it had one row, as in a network that has just begun."""
    station = connected(network, Engine())
    rows = [issue(station, commands.ClearCache()) for _ in range(3)]
    params = connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}
    with psycopg.connect(**params) as other, other.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE stations_command (LIKE public.stations_command INCLUDING ALL)")
        copied = "INSERT INTO stations_command SELECT * FROM public.stations_command WHERE id = ANY(%s)"
        cursor.execute(copied, [[rows[0].pk]])
        cursor.execute("ANALYZE pg_temp.stations_command")
        cursor.execute(copied, [[row.pk for row in rows[1:]]])
        claimed = life.claim(cursor, [station.pk], node=settings.NODE, now=datetime.now(UTC))
        other.rollback()
    assert [one.id for one in claimed] == [rows[0].pk]


@pytest.mark.parametrize("change", [{"node": "another"}, {"disconnected_at": datetime(2026, 1, 1, tzinfo=UTC)}])
def test_only_the_process_that_holds_the_socket_takes_it(engine: Engine, station: Station, change: dict[str, Any]) -> None:
    row = issue(station, commands.ClearCache())
    with scopes_disabled():
        Connection.objects.filter(station=station).update(**change)
    assert engine.claim(station) == []
    assert now_of(row).status == "queued"


def test_what_a_missed_bell_left_is_found(engine: Engine, station: Station) -> None:
    row = issue(station, commands.ClearCache())
    assert row.pk in [errand.claimed.id for errand in engine.claim()]


def test_a_station_that_is_pending_is_not_told_to_start(network: Network, engine: Engine) -> None:
    """OCPP 2.0.1 B02; configuring it is what Pending is for."""
    station = connected(network, engine, accepted=False)
    start, trigger = issue(station, commands.RemoteStart("CARD")), issue(station, commands.TriggerMessage("BootNotification"))
    assert sent(engine, station).claimed.id == trigger.pk
    assert now_of(start).status == "queued"


def test_what_waited_too_long_is_not_sent(engine: Engine, station: Station) -> None:
    row = issue(station, commands.RemoteStart("CARD"), expires_in=45)
    Command.objects.with_scopes_disabled().filter(pk=row.pk).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert engine.claim(station) == []
    commandends.sweep(now=datetime.now(UTC))
    assert (now_of(row).status, now_of(row).detail) == ("expired", "The station did not come back in time.")


@pytest.mark.parametrize("seconds", [0, -1, life.LONGEST_WAIT_S + 1])
def test_it_waits_no_impossible_time(engine: Engine, station: Station, seconds: int) -> None:
    with pytest.raises(commands.BadCommand, match="expires_in must be from 1 second"):
        issue(station, commands.ClearCache(), expires_in=seconds)


def test_it_can_be_taken_back_until_it_is_sent(engine: Engine, station: Station) -> None:
    row, other = issue(station, commands.ClearCache()), issue(station, commands.ClearCache())
    sent(engine, station)
    with scopes_disabled():
        assert not commandends.cancel(command=row)
        assert commandends.cancel(command=other)
    assert (now_of(row).status, now_of(other).status) == ("sent", "cancelled")


def test_the_same_key_is_the_same_command_even_when_it_is_done(engine: Engine, station: Station) -> None:
    done = asked(engine, station, commands.ClearCache(), idempotency_key="once")
    again = issue(station, commands.ClearCache(), idempotency_key="once")
    assert (again.pk, again.status) == (done.pk, "confirmed")
    assert issue(station, commands.ClearCache(), idempotency_key="twice").pk != done.pk


def test_a_newer_socket_ends_what_an_older_one_had_asked(engine: Engine, station: Station) -> None:
    row = issue(station, commands.ClearCache())
    sent(engine, station)
    protocol = engine.protocol
    knock = Knock(station.identity, (station.identity.encode(), PASSWORD.encode()), protocol, (protocol,), "192.0.2.1", True)
    with scopes_disabled():
        (verdict,) = engine.thread._attempt_doors([Arrival(knock, None)]).verdicts
    assert isinstance(verdict[1], Admitted)
    assert (now_of(row).status, now_of(row).detail) == ("timed_out", "The connection was lost before the station answered.")


# Answers


def test_a_refusal_says_what_the_station_said(engine: Engine, station: Station) -> None:
    row = asked(engine, station, commands.ClearCache(), {"status": "Rejected"})
    assert (row.status, row.detail, row.response, row.action) == ("rejected", "Rejected", {"status": "Rejected"}, "ClearCache")
    assert row.finished_at is not None


def test_an_error_says_which(engine: Engine, station: Station) -> None:
    row = asked(engine, station, commands.ClearCache(), ["NotSupported", "no cache here"])
    assert (row.status, row.error_code, row.detail) == ("failed", "NotSupported", "no cache here")


def test_silence_ends_it(engine: Engine, station: Station) -> None:
    row = issue(station, commands.ClearCache())
    errand = sent(engine, station)
    engine.reply(station, errand, None)
    assert (now_of(row).status, now_of(row).detail) == ("timed_out", "The station did not answer in time.")
    after = issue(station, commands.ClearCache())
    assert sent(engine, station).claimed.id == after.pk


def test_an_answer_that_was_lost_is_given_up(engine: Engine, station: Station) -> None:
    row = issue(station, commands.ClearCache())
    sent(engine, station)
    commandends.sweep(now=datetime.now(UTC) + commandends.LOST_ANSWER - timedelta(seconds=5))
    assert now_of(row).status == "sent"
    commandends.sweep(now=datetime.now(UTC) + commandends.LOST_ANSWER)
    assert (now_of(row).status, now_of(row).detail) == ("timed_out", "The answer was lost.")


def test_an_answer_that_is_mended_counts(network: Network, engine: Engine, station: Station) -> None:
    assert asked(engine, station, commands.ClearCache(), {"status": "accepted", "colour": "red"}).status == "confirmed"
    assert network.findings(station) == ["mended_additionalProperties", "mended_enum"]


@pytest.mark.parametrize("answer", [{}, {"status": "Perhaps"}, {"status": ["?", "!"]}, "Accepted"])
def test_an_answer_that_makes_no_sense_fails_with_words(engine: Engine, station: Station, answer: Any) -> None:
    row = asked(engine, station, commands.ClearCache(), answer)
    assert (row.status, row.error_code) == ("failed", "InvalidAnswer")
    assert row.detail.startswith("The station's answer cannot be understood:")


def test_an_answer_that_we_fail_at_is_told_to_the_log_with_the_charger_and_the_message(
    engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "settle", lambda answered, batch: 1 / 0)
    with capture_logs() as told:
        row = asked(engine, station, commands.ClearCache(), ACCEPTED)
    (line,) = (line for line in told if line["event"] == "an answer failed")
    assert (line["station"], line["message_id"], line["command"]) == (station.identity, f"csms-{row.pk}-1", row.pk)
    assert (row.status, row.error_code) == ("failed", "InternalError")


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("command", "unsayable"),
    [
        (commands.RemoteStart("x" * 30), {"ocpp1.6": "at most 20 characters"}),
        (commands.RemoteStart("CARD", id_token_type="Card"), {"ocpp2.0.1": "OCPP 2.0.1 cannot say it: idToken.type is none of"}),
        (commands.Reset("idle", evse=1), {"ocpp1.6": "the whole station only"}),
        (commands.GetBaseReport(), {"ocpp1.6": "OCPP 1.6 has no such command."}),
        (commands.GetVariables(), {"ocpp2.0.1": "ask for a report"}),
        (commands.SetVariables([{"variable": "X", "value": "1"}]), {"ocpp2.0.1": "needs the component of X"}),
        (commands.TriggerMessage("Coffee"), {"ocpp1.6": "cannot be asked for Coffee", "ocpp2.0.1": "Coffee cannot be asked for"}),
    ],
    ids=lambda value: value.kind if isinstance(value, commands.Command) else "",
)
def test_what_a_version_cannot_say_fails_with_words(
    network: Network, protocol: str, command: commands.Command, unsayable: dict[str, str]
) -> None:
    engine = Engine(protocol)
    station = connected(network, engine)
    row, after = issue(station, command), issue(station, commands.ClearCache())
    errands = engine.claim(station)
    if protocol not in unsayable:
        assert [errand.claimed.id for errand in errands] == [row.pk]
        return
    assert errands == []
    assert (now_of(row).status, now_of(row).error_code) == ("failed", "NotSupported")
    assert unsayable[protocol] in now_of(row).detail
    assert sent(engine, station).claimed.id == after.pk


@pytest.mark.parametrize(
    ("kind", "params", "why"),
    [
        ("get_variables", {"variables": 5}, "variables must be a list"),
        ("get_variables", {"variables": [{"variable": "X", "evse": "abc"}]}, "evse must be a whole number"),
        ("get_variables", {"variables": [{"variable": "X", "component_instance": 1}]}, "component_instance must be a text"),
        ("set_variables", {"variables": []}, "at least one variable"),
        ("set_variables", {"variables": [{"variable": "X", "value": "1"}] * 2}, "X is named twice"),
        ("set_variables", {"variables": [{"variable": "X", "value": 1}]}, "needs a value"),
    ],
)
def test_parameters_without_sense_are_refused(kind: str, params: dict[str, Any], why: str) -> None:
    with pytest.raises(commands.BadCommand, match=why):
        commands.COMMANDS[kind].of(params)
