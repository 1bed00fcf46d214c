"""One command for many stations: chosen by rows, asked a few at a time, held, gone on with, cancelled, asked again."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from csms.dashboard import runwords
from stations.domain import commands
from stations.domain.commandruns import Pace, Said, StopRule
from stations.domain.commands import BadCommand
from stations.models import Command, CommandRun, CommandRunStep, Connection, LogUpload
from stations.services import commandruns, commandrunsteps
from tests.network import Network
from tests.stations.runs import ask, brought_on, chargers, end, heard, now_is, states


@pytest.fixture(autouse=True)
def alone(committed: None) -> None:
    """What the tests before have left under way is not brought on by each that follows."""
    with scopes_disabled():
        CommandRun.objects.filter(due_at__isnull=False).update(due_at=None)


def test_no_more_than_so_many_are_under_way_at_once(network: Network) -> None:
    run = ask(network, chargers(network, 5))
    brought_on()
    assert states(run) == ["asked", "asked", "waiting", "waiting", "waiting"]
    brought_on()
    assert states(run).count("asked") == 2
    assert end(run, limit=1) == 1
    brought_on()
    assert states(run) == ["done", "asked", "asked", "waiting", "waiting"]
    for _ in range(3):
        end(run)
        brought_on()
    assert states(run) == ["done"] * 5
    assert (now_is(run).state, now_is(run).due_at) == ("done", None)
    assert now_is(run).finished_at is not None


def test_all_that_match_a_filter_are_chosen_by_a_worker_in_pieces(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commandrunsteps, "CHUNK", 3)
    chargers(network, 7, firmware_version="1.0")
    chargers(network, 2, firmware_version="2.0")
    run = ask(network, selection={"filter": {"firmware": "1.0"}})
    assert states(run) == []
    brought_on(2)
    assert (now_is(run).state, len(states(run))) == ("choosing", 6)
    brought_on()
    assert (now_is(run).state, len(states(run))) == ("running", 7)


def test_if_others_match_than_was_believed_nobody_is_asked(network: Network) -> None:
    chargers(network, 3)
    run = ask(network, expected=2)
    brought_on(2)
    assert now_is(run).held == {"by": "rule", "code": "changed", "found": 3, "expected": 2}
    assert states(run) == ["waiting"] * 3
    with scope(operator=network.operator):
        assert commandruns.resume(run=run)
    brought_on()
    assert states(run).count("asked") == 2


@pytest.mark.parametrize(
    ("rule", "held"),
    [
        (StopRule(failed_percent=40, after=2), {"by": "rule", "code": "failed", "failed": 1, "ended": 2, "percent": 40}),
        (StopRule(most_failed=0), {"by": "rule", "code": "most_failed", "failed": 1, "allowed": 0}),
        (StopRule(failed_percent=50, after=2), {}),
    ],
)
def test_it_holds_by_its_stop_rule_counted_over_those_that_ended(network: Network, rule: StopRule, held: dict[str, Any]) -> None:
    run = ask(network, chargers(network, 6), rule=rule)
    brought_on()
    end(run, "confirmed", limit=1)
    end(run, "rejected")
    brought_on()
    assert now_is(run).held == held
    assert states(run).count("asked") == (0 if held else 2)


def test_whoever_goes_on_has_seen_what_failed(network: Network) -> None:
    run = ask(network, chargers(network, 4), rule=StopRule(most_failed=0))
    brought_on()
    end(run, "rejected", limit=1)
    brought_on(2)
    assert now_is(run).state == "paused"
    with scope(operator=network.operator):
        assert commandruns.resume(run=now_is(run))
        assert not commandruns.resume(run=now_is(run))
    brought_on()
    assert (now_is(run).state, states(run)) == ("running", ["failed", "asked", "asked", "waiting"])


def test_what_is_paused_asks_nobody_else_and_ends_what_was_sent(network: Network) -> None:
    run = ask(network, chargers(network, 3))
    brought_on()
    with scope(operator=network.operator):
        assert commandruns.pause(run=run)
    end(run)
    brought_on(2)
    assert states(run) == ["done", "done", "waiting"]
    assert now_is(run).state == "paused"


def test_cancelling_takes_back_what_was_not_sent(network: Network) -> None:
    run = ask(network, chargers(network, 4))
    brought_on()
    with scopes_disabled():
        first = Command.objects.filter(run=run).earliest("id")
        Command.objects.filter(pk=first.pk).update(status="sent", sent_at=timezone.now())
    with scope(operator=network.operator):
        assert commandruns.cancel(run=run)
        assert not commandruns.cancel(run=run)
    brought_on()
    assert states(run) == ["asked", "cancelled", "cancelled", "cancelled"]
    end(run)
    brought_on()
    assert states(run)[0] == "done"
    assert now_is(run).finished_at is not None


def test_those_of_which_it_came_to_nothing_are_asked_again_in_a_run_of_their_own(network: Network) -> None:
    stations = chargers(network, 3)
    run = ask(network, stations, pace=Pace(5, 0), reason="New firmware")
    brought_on()
    with scope(operator=network.operator):
        assert commandruns.retry(run=now_is(run)) is None
    end(run, "confirmed", limit=1)
    end(run, "timed_out")
    brought_on()
    with scope(operator=network.operator):
        again = commandruns.retry(run=now_is(run))
        assert again == commandruns.retry(run=now_is(run))
    assert again is not None
    brought_on()
    with scopes_disabled():
        asked = Command.objects.filter(run=again).order_by("id")
        assert [one.station_id for one in asked] == [one.pk for one in stations[1:]]
        assert {one.reason for one in asked} == {"New firmware"}


def test_one_that_is_offline_waits_for_its_turn_and_is_left_out_when_it_does_not_come_back(network: Network) -> None:
    (there,) = chargers(network, 1)
    back, gone = chargers(network, 2, online=False)
    run = ask(network, [there, back, gone], wait_s=3600)
    brought_on()
    assert sorted(states(run)) == ["asked", "waiting", "waiting"]
    heard(back)
    brought_on()
    assert states(run).count("asked") == 2
    end(run)
    brought_on()
    commandrunsteps.advance(run_id=run.pk, now=timezone.now() + timedelta(seconds=3700))
    with scopes_disabled():
        (left,) = CommandRunStep.objects.filter(run=run).exclude(state="done")
    assert (left.station_id, left.state, left.reason) == (gone.pk, "skipped", "offline")
    assert now_is(run).state == "done"


def test_one_that_went_away_before_it_was_sent_is_no_failure(network: Network) -> None:
    stations = chargers(network, 2)
    run = ask(network, stations, rule=StopRule(most_failed=0))
    brought_on()
    with scopes_disabled():
        Connection.objects.filter(station=stations[0]).update(disconnected_at=timezone.now())
    end(run, "expired")
    brought_on()
    assert sorted(states(run)) == ["failed", "waiting"]


def test_one_that_agreed_and_is_not_seen_to_do_it_gives_up_its_place(network: Network) -> None:
    run = ask(network, chargers(network, 3), command=commands.Reset("idle"))
    brought_on()
    with scopes_disabled():
        Command.objects.filter(run=run).update(status="accepted", answered_at=timezone.now() - timedelta(minutes=11))
    brought_on()
    assert states(run) == ["asked"] * 3


def test_stations_are_locked_in_the_order_of_batches_whoever_is_due_first(network: Network) -> None:
    """Else a run and a batch wait for each other: what goes with some commands locks the station's connection."""
    run = ask(network, chargers(network, 3), pace=Pace(3, 60))
    brought_on()
    with scopes_disabled():
        now = timezone.now()
        for place, step in enumerate(CommandRunStep.objects.filter(run=run).order_by("-station")):
            CommandRunStep.objects.filter(pk=step.pk).update(due_at=now - timedelta(minutes=9 - place))
    brought_on()
    with scopes_disabled():
        asked = list(Command.objects.filter(run=run).order_by("id").values_list("station", flat=True))
    assert (len(asked), asked) == (3, sorted(asked))


def test_a_run_that_is_tried_again_is_no_run_of_a_caller(network: Network) -> None:
    """Whose key may be anything."""
    first = ask(network, chargers(network, 1))
    brought_on()
    end(first, "rejected")
    brought_on()
    other = ask(network, chargers(network, 1), token=f"retry-{first.pk}")
    with scope(operator=network.operator):
        again = commandruns.retry(run=now_is(first))
    assert again is not None
    assert (again.pk != other.pk, again.repeated, again.selection) == (True, False, {"failed_of": first.pk})


def test_they_are_asked_at_random_moments_within_the_jitter(network: Network) -> None:
    run = ask(network, chargers(network, 20), pace=Pace(20, 60))
    commandrunsteps.advance(run_id=run.pk)
    with scopes_disabled():
        due = set(CommandRunStep.objects.filter(run=run, state="waiting").values_list("due_at", flat=True))
    assert len(due) > 15
    assert states(run).count("asked") < 5
    commandrunsteps.advance(run_id=run.pk, now=timezone.now() + timedelta(seconds=30))
    assert 0 < states(run).count("asked") < 20
    commandrunsteps.advance(run_id=run.pk, now=timezone.now() + timedelta(seconds=61))
    assert states(run) == ["asked"] * 20


def test_each_is_asked_in_the_words_of_its_version_and_who_has_none_is_left_out(network: Network) -> None:
    (old,) = chargers(network, 1, protocol="one")
    (new,) = chargers(network, 1, protocol="two")
    (other,) = chargers(network, 1, protocol="three")
    said = {"one": Said("get_variables", {"variables": []}), "two": Said("get_base_report", {"report": "FullInventory"})}
    run = ask(network, [old, new, other], command=commands.GetVariables(), wordings=said, pace=Pace(5, 0))
    brought_on()
    assert states(run) == ["asked", "asked", "skipped"]
    with scopes_disabled():
        kinds = dict(Command.objects.filter(run=run).values_list("station", "kind"))
    assert kinds == {old.pk: "get_variables", new.pk: "get_base_report"}


def test_what_goes_with_a_command_is_made_for_each(network: Network) -> None:
    stations = chargers(network, 2)
    run = ask(network, stations, command=commands.GetLog(since="2026-01-01T00:00:00Z"))
    brought_on()
    with scopes_disabled():
        logs = LogUpload.objects.filter(station__in=stations)
        assert {log.command.run_id for log in logs if log.command} == {run.pk}
        assert len({log.token_hash for log in logs}) == 2


def test_a_run_that_cannot_be_brought_on_is_held_for_all_to_see_and_stops_no_other(network: Network) -> None:
    odd = ask(network, chargers(network, 1), token="odd")
    fine = ask(network, chargers(network, 1))
    with scopes_disabled():
        # As after a step back to a release that does not know its command.
        CommandRun.objects.filter(pk=odd.pk).update(kind="of_tomorrow")
    brought_on()
    held = now_is(odd)
    assert (held.state, held.held["code"], states(fine)) == ("paused", "trouble", ["asked"])
    assert held.due_at is None or held.due_at > timezone.now() + timedelta(seconds=30)
    assert "the log of the server says why" in runwords.held(held.held)
    with scopes_disabled():
        CommandRun.objects.filter(pk=odd.pk).update(kind="clear_cache")
    with scope(operator=network.operator):
        assert commandruns.resume(run=odd)
    brought_on(2)
    assert states(odd) == ["asked"]


def test_what_makes_no_sense_at_a_station_fails_there_alone(network: Network) -> None:
    run = ask(network, chargers(network, 2), command=commands.RemoteStop("17"))
    brought_on(2)
    assert states(run) == ["failed", "failed"]
    with scopes_disabled():
        assert "has no transaction 17" in CommandRunStep.objects.filter(run=run)[0].detail
    assert now_is(run).state == "done"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"selection": {}}, "has one of"),
        ({"selection": {"stations": []}}, "1 to 10000 identities"),
        ({"selection": {"stations": ["NOBODY"]}}, "There is no station NOBODY"),
        ({"selection": {"filter": {"status": "Blue"}}}, "status must be one of"),
        ({"selection": {"filter": {"colour": "blue"}}}, "any of q, status"),
        ({"selection": {"filter": {"site": "x"}}}, "number of a site"),
        ({"pace": Pace(0)}, "at_once"),
        ({"pace": Pace(1, 9999)}, "jitter_s"),
        ({"rule": StopRule(failed_percent=101)}, "failed_percent"),
        ({"wait_s": -1}, "wait_s"),
        ({"command": commands.SetVariables([{"variable": "AuthorizationKey", "value": "0123456789abcdef"}])}, "secret"),
    ],
)
def test_a_run_that_makes_no_sense_is_refused_with_a_sentence(network: Network, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadCommand, match=sentence):
        ask(network, **options)


def test_the_same_token_makes_one_run_and_what_was_done_is_told(network: Network) -> None:
    run = ask(network, chargers(network, 1), reason="Why not")
    assert ask(network, token="t") == run
    brought_on()
    with scope(operator=network.operator):
        commandruns.pause(run=run)
        commandruns.resume(run=run)
        commandruns.cancel(run=run)
        told = list(AuditEntry.objects.filter(action__startswith="run.").order_by("id").values_list("action", "note"))
        asked = AuditEntry.objects.get(action="command.asked")
    assert [action for action, _ in told] == ["run.started", "run.paused", "run.resumed", "run.cancelled"]
    assert (told[0][1], asked.note, asked.via) == ("Why not", "Why not", "job")


def test_stations_of_others_are_neither_found_nor_asked(network: Network) -> None:
    other = Network()
    (theirs,) = chargers(other, 1)
    (ours,) = chargers(network, 1)
    with pytest.raises(BadCommand, match="There is no station"):
        ask(network, [theirs])
    run = ask(network)
    brought_on()
    with scopes_disabled():
        assert set(CommandRunStep.objects.filter(run=run).values_list("station", flat=True)) == {ours.pk}


@pytest.mark.long
def test_three_thousand_are_asked_in_minutes_of_work_at_most(network: Network) -> None:
    chargers(network, 3000)
    run = ask(network, pace=Pace(500, 0))
    begun = timezone.now()
    while now_is(run).state != "done":
        brought_on()
        end(run)
    assert states(run) == ["done"] * 3000
    assert timezone.now() - begun < timedelta(minutes=2)


def test_those_that_stay_offline_count_as_failed_if_the_rule_says_so(network: Network) -> None:
    for counted in (False, True):
        gone = chargers(network, 2, online=False)
        rule = StopRule(most_failed=1, count_offline=counted)
        run = ask(network, [*gone, *chargers(network, 6)], token=str(counted), wait_s=0, rule=rule)
        brought_on(2)
        assert states(run).count("skipped") == 2
        assert now_is(run).held == ({"by": "rule", "code": "most_failed", "failed": 2, "allowed": 1} if counted else {})
