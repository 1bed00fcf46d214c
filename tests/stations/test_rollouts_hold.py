"""When a roll-out holds by itself: what its stop rule counts, and what it does not."""

import pytest
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from stations.domain.commands import BadCommand
from stations.domain.rollouts import StopRule
from stations.models import Command, CommandStatus, Connection, Firmware, RolloutStep
from stations.services import rollouts
from tests.dashboard.rows import seen
from tests.network import Network
from tests.stations.rollingout import advance, all_end, chargers, ends, image, plan, states, steps


@pytest.fixture
def amber(db: None) -> Network:
    return Network()


@pytest.fixture
def firmware(amber: Network) -> Firmware:
    return image(amber)


def test_it_holds_when_too_many_have_failed_and_goes_on_when_told_to(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 20)
    rollout = advance(plan(firmware, waves=["100%"], at_once=5, rule=StopRule(failed_percent=20, after=5, lost=9)))
    running = steps(rollout, state="updating")
    for step in running[:2]:
        ends(step, "download")
    for step in running[2:]:
        ends(step)
    rollout = advance(rollout)
    assert (rollout.state, states(rollout)) == ("paused", {"done": 3, "failed": 2, "waiting": 15})
    assert rollout.held == {"by": "rule", "code": "failed", "wave": 1, "failed": 2, "ended": 5, "percent": 20}
    assert states(advance(rollout)) == {"done": 3, "failed": 2, "waiting": 15}
    with scope(operator=amber.operator):
        assert rollouts.resume(rollout=rollout)
    # What failed before is not held against it again.
    rollout = advance(rollout)
    assert (rollout.state, rollout.held, states(rollout)["updating"]) == ("running", {}, 5)
    with scopes_disabled():
        told = list(AuditEntry.objects.filter(operator=amber.operator, action__startswith="rollout.").order_by("id"))
    assert [one.action for one in told] == ["rollout.created", "rollout.started", "rollout.paused", "rollout.resumed"]
    assert (told[2].actor_label, told[2].note) == ("system", "code failed, wave 1, failed 2, ended 5, percent 20")


def test_the_end_of_a_wave_is_judged_however_small_it_is(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 10)
    rollout = advance(plan(firmware))
    all_end(rollout, "install")
    rollout = advance(rollout)
    assert (rollout.state, rollout.held["code"], rollout.wave) == ("paused", "failed", 1)


def test_it_holds_when_too_many_do_not_come_back(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 10)
    rollout = advance(plan(firmware, waves=["100%"], at_once=4, rule=StopRule(failed_percent=100, after=100, lost=1)))
    running = steps(rollout, state="updating")
    with scopes_disabled():
        Connection.objects.filter(station__in=[step.station_id for step in running[:2]]).update(disconnected_at=timezone.now())
    for step in running[:3]:
        ends(step, "timeout")
    rollout = advance(rollout)
    # The third is online: it only fell silent.
    assert [step.reason for step in steps(rollout, state="failed")] == ["lost", "lost", "timeout"]
    assert (rollout.state, rollout.held["code"], rollout.held["lost"]) == ("paused", "lost", 2)
    assert states(rollout)["updating"] == 1


def test_it_holds_when_the_image_is_withdrawn(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 4)
    rollout = advance(plan(firmware))
    with scopes_disabled():
        Firmware.objects.filter(pk=firmware.pk).update(withdrawn_at=timezone.now())
    all_end(rollout)
    rollout = advance(rollout)
    assert (rollout.state, rollout.held["code"], states(rollout)) == ("paused", "withdrawn", {"done": 1, "waiting": 3})
    with scope(operator=amber.operator), pytest.raises(BadCommand, match="withdrawn"):
        rollouts.resume(rollout=rollout)


def test_a_wave_is_judged_by_itself_too(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 20)
    rollout = advance(plan(firmware, waves=["8", "100%"], at_once=8, rule=StopRule(failed_percent=20, after=5, lost=9)))
    all_end(rollout)
    rollout = advance(rollout)
    running = steps(rollout, state="updating")
    for step in running[:2]:
        ends(step, "install")
    for step in running[2:5]:
        ends(step)
    # Of all that ended these are two of thirteen.
    rollout = advance(rollout)
    assert rollout.held == {"by": "rule", "code": "failed", "wave": 2, "failed": 2, "ended": 5, "percent": 20}
    assert states(rollout) == {"done": 11, "failed": 2, "updating": 3, "waiting": 4}


def test_one_that_is_tried_again_takes_back_its_failure_alone(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 20)
    rollout = advance(plan(firmware, waves=["100%"], at_once=4, rule=StopRule(failed_percent=20, after=5, lost=9)))
    first = steps(rollout, state="updating")
    for step in first[:2]:
        ends(step, "download")
    for step in first[2:]:
        ends(step)
    rollout = advance(rollout)
    assert rollout.state == "running"
    with scope(operator=amber.operator):
        assert rollouts.retry(rollout=rollout, step=first[0]) == 1
    second = steps(rollout, state="updating")
    ends(second[0], "download")
    for step in second[1:]:
        ends(step)
    rollout = advance(rollout)
    assert (rollout.state, rollout.held.get("failed"), rollout.held.get("ended")) == ("paused", 2, 7)


def test_what_ended_unseen_before_it_went_on_is_counted(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 10)
    rollout = advance(plan(firmware, waves=["100%"], at_once=5, rule=StopRule(failed_percent=0, after=1, lost=9)))
    with scope(operator=amber.operator):
        assert rollouts.pause(rollout=rollout)
        ends(steps(rollout, state="updating")[0], "download")
        assert rollouts.resume(rollout=rollout)
    rollout = advance(rollout)
    assert (rollout.state, rollout.held.get("failed")) == ("paused", 1)


def never_sent(step: RolloutStep) -> None:
    """The station went away before its update could be sent, and time is over."""
    with scopes_disabled():
        Connection.objects.filter(station=step.station_id).update(disconnected_at=timezone.now())
        Command.objects.filter(pk=step.update.command_id).update(status=CommandStatus.EXPIRED)  # type: ignore[union-attr]  # it runs
    ends(step, "timeout")


def test_one_that_was_never_sent_is_no_failure_and_waits(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 4)
    rollout = advance(plan(firmware, waves=["100%"], at_once=2, rule=StopRule(failed_percent=0, after=1, lost=0)))
    gone, _other = steps(rollout, state="updating")
    never_sent(gone)
    rollout = advance(rollout)
    assert (rollout.state, states(rollout)) == ("running", {"updating": 2, "waiting": 2})
    (now,) = steps(rollout, pk=gone.pk)
    assert (now.state, now.reason, now.attempt, now.update, now.finished_at) == ("waiting", "offline", 0, None, None)
    all_end(rollout)
    seen(gone.station)
    rollout = advance(rollout)
    (now,) = steps(rollout, pk=gone.pk)
    assert (now.state, now.attempt) == ("updating", 1)
    # Once it is cancelled it waits no more.
    never_sent(now)
    with scope(operator=amber.operator):
        assert rollouts.cancel(rollout=rollout)
    assert {step.state for step in steps(advance(rollout), pk=gone.pk)} == {"cancelled"}


def test_paused_to_its_end_it_is_held_no_more(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 1)
    rollout = advance(plan(firmware))
    with scope(operator=amber.operator):
        assert rollouts.pause(rollout=rollout)
    all_end(rollout)
    rollout = advance(rollout)
    assert (rollout.state, rollout.held) == ("done", {})
