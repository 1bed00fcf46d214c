"""Every command is followed to its effect, or says why its answer is all; what is asked when nothing is seen of it."""

from datetime import timedelta
from typing import Any

import pytest
from django_scopes import scopes_disabled

from csms.dashboard.commandrows import WORDS, CommandRow
from stations import ports
from stations.domain import commands
from stations.domain.commands import COMMANDS
from stations.models import Command
from stations.services import commandends, effects, followups
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, PROTOCOLS, asked, connected, issue, now_of, sent


@pytest.mark.parametrize("kind", COMMANDS)
def test_every_command_has_an_effect_and_what_is_asked_without_it_or_its_answer_is_all(kind: str) -> None:
    if kind in effects.OF:
        assert (kind in followups.FOLLOW_UPS) != (kind in followups.NOTHING_TO_ASK)
    else:
        assert followups.ANSWER_IS_ALL.get(kind), f"{kind} has no effect: say in ANSWER_IS_ALL why its answer is all there is."


def test_nothing_is_asked_more_than_once() -> None:
    params = {"transaction": "1", "evse": 1}
    then = {one.kind for ask in followups.FOLLOW_UPS.values() for one in ask(params)}
    assert not then & set(followups.FOLLOW_UPS)
    assert then <= set(COMMANDS)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", followups.FOLLOW_UPS)
def test_every_version_has_words_for_what_is_asked_then(kind: str, protocol: str) -> None:
    sayable = kind in ports.sayable(protocol)
    assert (followups.next_of(kind, {"transaction": "1"}, followups.NO_EFFECT, protocol) is not None) == sayable
    assert followups.next_of(kind, {"transaction": "1"}, "rejected", protocol) is None


def then_asked(row: Command) -> Command:
    with scopes_disabled():
        (then,) = Command.objects.filter(station=row.station_id, pk__gt=row.pk)
    assert then.reason == f"To see what came of command {row.pk}."
    return then


@pytest.mark.parametrize(
    ("protocol", "command", "kind", "params"),
    [
        ("ocpp1.6", commands.Reset("immediate"), "trigger_message", {"message": "BootNotification"}),
        ("ocpp2.0.1", commands.Reset("immediate"), "trigger_message", {"message": "BootNotification"}),
        ("ocpp1.6", commands.RemoteStart("CARD", 2), "trigger_message", {"message": "StatusNotification", "evse": 2}),
        ("ocpp2.0.1", commands.ChangeAvailability(False), "trigger_message", {"message": "StatusNotification", "evse": None}),
    ],
)
def test_a_station_that_is_not_seen_to_do_it_is_asked_how_it_stands(
    network: Network, protocol: str, command: commands.Command, kind: str, params: dict[str, Any]
) -> None:
    engine = Engine(protocol)
    station = connected(network, engine)
    row = asked(engine, station, command)
    assert row.effect_due_at is not None
    commandends.sweep(now=row.effect_due_at)
    row, then = now_of(row), then_asked(row)
    assert (row.status, row.facts["asked_then"]) == ("no_effect", kind)
    assert CommandRow(row, online=True).asked_then == WORDS[kind]
    assert then.kind == kind
    assert {name: then.params[name] for name in params} == params
    # It is sent, and nothing is asked when nothing comes of that.
    engine.reply(station, sent(engine, station), ACCEPTED)
    then = now_of(then)
    assert then.effect_due_at is not None
    commandends.sweep(now=then.effect_due_at)
    assert now_of(then).status == "no_effect"
    with scopes_disabled():
        assert Command.objects.filter(station=station).count() == 2


@pytest.mark.parametrize(("protocol", "kind"), [("ocpp1.6", "trigger_message"), ("ocpp2.0.1", "get_transaction_status")])
def test_what_is_asked_is_what_the_version_has_words_for(protocol: str, kind: str) -> None:
    then = followups.next_of("remote_stop", {"transaction": "tx-1"}, followups.NO_EFFECT, protocol)
    assert then is not None
    assert then.kind == kind
    assert kind in ports.sayable(protocol)


def test_one_that_did_not_answer_is_asked_too_where_it_would_tell_nothing_by_itself(network: Network) -> None:
    engine = Engine("ocpp1.6")
    station = connected(network, engine)
    row = asked(engine, station, commands.UnlockConnector(1), None)
    assert (row.status, row.facts) == ("timed_out", {"asked_then": "trigger_message"})
    assert then_asked(row).params["evse"] == 1


def test_of_a_restart_that_was_not_answered_the_boot_tells_by_itself(network: Network) -> None:
    engine = Engine("ocpp1.6")
    station = connected(network, engine)
    row = asked(engine, station, commands.Reset("immediate"), None)
    assert (row.status, row.facts) == ("timed_out", {})


def test_an_answer_that_was_lost_with_its_process_is_asked_after(network: Network) -> None:
    engine = Engine("ocpp1.6")
    station = connected(network, engine)
    row = issue(station, commands.ChangeAvailability(False, 1))
    sent(engine, station)
    sent_at = now_of(row).sent_at
    assert sent_at is not None
    commandends.sweep(now=sent_at + commandends.LOST_ANSWER + timedelta(seconds=1))
    assert now_of(row).status == "timed_out"
    assert then_asked(row).params["message"] == "StatusNotification"
