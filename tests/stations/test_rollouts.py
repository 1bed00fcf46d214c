"""Roll-outs: whom they take, wave by wave, when they hold by themselves, and what people may do meanwhile."""

from datetime import time, timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from stations import rollouts as reads
from stations.domain.commands import BadCommand
from stations.domain.rollouts import Selection, StopRule
from stations.models import Command, Connection, Firmware, FirmwareUpdate, Rollout, Site, Station
from stations.services import firmware as updates
from stations.services import rollouts
from stations.tasks import advance_rollouts
from tests.dashboard.rows import plug, session
from tests.network import Network
from tests.stations.rollingout import NEW, advance, all_end, chargers, ends, image, now_is, plan, states, steps

LENIENT = StopRule(failed_percent=100, after=100, lost=100)


@pytest.fixture
def amber(db: None) -> Network:
    return Network()


@pytest.fixture
def firmware(amber: Network) -> Firmware:
    return image(amber)


def preview(firmware: Firmware, **chosen: object) -> reads.Preview:
    with scope(operator=firmware.operator):
        return reads.preview(firmware, Selection(**chosen))  # type: ignore[arg-type]  # by name


# Whom it takes


def test_it_takes_whom_the_image_fits_and_says_why_it_leaves_out_the_others(amber: Network, firmware: Firmware) -> None:
    here = chargers(amber, 2)
    chargers(amber, 1, vendor="Northlight")
    chargers(amber, 1, model="AG-11")
    chargers(amber, 3, firmware_version=NEW)
    away = chargers(amber, 4, online=False)
    chargers(amber, 1, accepted_at=None)
    found = preview(firmware)
    assert found.identities == [one.identity for one in here]
    assert found.left_out == {"make": 2, "version": 3, "accepted": 1, "offline": 4}
    assert preview(firmware, offline=True).identities == [one.identity for one in (*here, *away)]


def test_a_selection_narrows_by_model_version_site_and_name(amber: Network) -> None:
    every = image(amber, model="")
    with scopes_disabled():
        site = Site.objects.create(operator=amber.operator, name="Harbour")
    one, two, three = chargers(amber, 1, site=site)[0], *chargers(amber, 2, model="AG-11", firmware_version="0.9")
    assert preview(every).total == 3
    assert preview(every, models=("AG-11",)).identities == [two.identity, three.identity]
    assert preview(every, versions=("1.0.0",)).identities == [one.identity]
    assert preview(every, sites=(site.pk,)).identities == [one.identity]
    assert preview(every, stations=(three.identity,), models=("AG-11",)).identities == [three.identity]


def test_of_another_operator_nobody_is_taken(amber: Network, firmware: Firmware) -> None:
    chargers(Network(), 3)
    assert preview(firmware).total == 0
    with pytest.raises(BadCommand, match="No charger is taken"):
        plan(firmware)


def test_a_station_is_in_one_roll_out_at_a_time(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 3)
    first = plan(firmware)
    other = image(amber, version="3.0")
    assert preview(other).left_out == {"elsewhere": 3}
    with scope(operator=amber.operator):
        assert rollouts.cancel(rollout=first)
    assert preview(other).total == 3


def test_what_was_looked_at_is_what_is_started(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 2)
    draft = plan(firmware, start=False)
    seal = preview(firmware).seal
    with scopes_disabled():
        Connection.objects.filter(station__firmware_version="1.0.0").update(seen_at=timezone.now() - timedelta(days=1))
    # Who is offline for a moment changes nothing of it; who came does.
    assert preview(firmware).seal == seal
    chargers(amber, 1)
    with scope(operator=amber.operator), pytest.raises(BadCommand, match="have changed"):
        rollouts.start(rollout=draft, seal=seal)
    assert now_is(draft).state == "draft"


def test_the_same_key_makes_one_roll_out(amber: Network, firmware: Firmware) -> None:
    one, two = plan(firmware, start=False, idempotency_key="k"), plan(firmware, start=False, idempotency_key="k")
    assert one.pk == two.pk


@pytest.mark.parametrize(
    "options",
    [
        {"waves": ["0"]},
        {"at_once": 0},
        {"at_once": 501},
        {"window_start": time(1)},
        {"window_start": time(1), "window_end": time(1)},
        {"window_days": [7]},
        {"rule": StopRule(failed_percent=101)},
        {"rule": StopRule(after=0)},
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(firmware: Firmware, options: dict[str, object]) -> None:
    with pytest.raises(BadCommand):
        plan(firmware, start=False, **options)


# Waves


def test_each_wave_begins_when_the_one_before_is_over(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 10)
    rollout = plan(firmware, at_once=3)
    rollout = advance(rollout)
    assert states(rollout) == {"updating": 1, "waiting": 9}
    # Nothing happens until it has ended, however often one looks.
    assert states(advance(rollout)) == {"updating": 1, "waiting": 9}
    all_end(rollout)
    rollout = advance(rollout)
    # A tenth of ten is the one that is done; half of them are four more, three at once.
    assert (rollout.wave, states(rollout)) == (2, {"done": 1, "updating": 3, "waiting": 6})
    ends(steps(rollout, state="updating")[0])
    assert states(advance(rollout)) == {"done": 2, "updating": 3, "waiting": 5}
    all_end(rollout)
    rollout = advance(rollout)
    assert (rollout.wave, states(rollout)) == (3, {"done": 5, "updating": 3, "waiting": 2})
    all_end(rollout)
    all_end(advance(rollout))
    rollout = advance(rollout)
    assert (rollout.state, states(rollout), rollout.due_at) == ("done", {"done": 10}, None)
    with scopes_disabled():
        assert FirmwareUpdate.objects.filter(firmware=firmware).count() == 10
        assert Command.objects.filter(kind="update_firmware").count() == 10


def test_the_job_finds_what_ended_and_what_is_due(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 2)
    rollout = plan(firmware)
    advance_rollouts()
    assert states(rollout) == {"updating": 1, "waiting": 1}
    all_end(rollout)
    advance_rollouts()
    assert states(rollout) == {"done": 1, "updating": 1}
    assert [entry for entry in amber.outbox() if entry.subscriber == rollouts.SUBSCRIBER] == []


def test_a_roll_out_that_cannot_be_brought_on_keeps_no_other_waiting(amber: Network, firmware: Firmware) -> None:
    with scopes_disabled():
        site = Site.objects.create(operator=amber.operator, name="Nowhere", time_zone="Nowhere/Land")
    chargers(amber, 1, site=site)
    stuck = plan(firmware)
    chargers(amber, 1, model="AG-11")
    good = plan(image(amber, model="AG-11"))
    advance_rollouts()
    assert (states(stuck), states(good)) == ({"waiting": 1}, {"updating": 1})
    all_end(good)
    advance_rollouts()
    assert now_is(good).state == "done"
    with scopes_disabled():
        Site.objects.filter(pk=site.pk).update(time_zone="UTC")
    advance_rollouts()
    assert states(stuck) == {"updating": 1}


def test_batches_do_not_wait_for_a_roll_out_that_starts(network: Network) -> None:
    firmware = image(network)
    chargers(network, 1)
    draft = plan(firmware, start=False)
    params = connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}
    with transaction.atomic(), scope(operator=network.operator), psycopg.connect(**params) as other:
        assert rollouts.start(rollout=draft)
        # What each new row that names the operator asks of it.
        other.execute("SELECT FROM accounts_operator WHERE id = %s FOR KEY SHARE NOWAIT", [network.operator.pk])
        transaction.set_rollback(True)


def test_a_station_that_got_there_by_itself_is_left_out(amber: Network, firmware: Firmware) -> None:
    one, two, three = chargers(amber, 3)
    rollout = plan(firmware, waves=["100%"])
    with scopes_disabled():
        Station.objects.filter(pk=one.pk).update(firmware_version=NEW)
        Station.objects.filter(pk=two.pk).update(model="AG-11")
    rollout = advance(rollout)
    assert [(step.state, step.reason) for step in steps(rollout)] == [("skipped", "version"), ("skipped", "make"), ("updating", "")]
    assert three.pk == steps(rollout)[2].station_id


# What they wait for


def test_nobody_is_asked_while_somebody_charges_unless_it_is_forced(amber: Network, firmware: Firmware) -> None:
    (one,) = chargers(amber, 1)
    running = session(plug(amber, station=one))
    rollout = advance(plan(firmware))
    assert [(step.state, step.reason) for step in steps(rollout)] == [("waiting", "charging")]
    with scopes_disabled():
        type(running).objects.filter(pk=running.pk).update(status="ended", stopped_at=timezone.now())
    assert states(advance(rollout)) == {"updating": 1}
    (two,) = chargers(amber, 1)
    session(plug(amber, station=two))
    assert states(advance(plan(firmware, forced=True))) == {"updating": 1}


def test_nobody_is_asked_outside_the_window_of_its_own_site(amber: Network, firmware: Firmware) -> None:
    now = timezone.now()
    with scopes_disabled():
        here = Site.objects.create(operator=amber.operator, name="Here", time_zone="UTC")
        there = Site.objects.create(operator=amber.operator, name="There", time_zone="Pacific/Kiritimati")  # fourteen hours on
    chargers(amber, 1, site=here)
    chargers(amber, 1, site=there)
    start, end = (now - timedelta(hours=1)).time(), (now + timedelta(hours=1)).time()
    rollout = advance(plan(firmware, waves=["100%"], window_start=start, window_end=end))
    assert [(step.state, step.reason) for step in steps(rollout)] == [("updating", ""), ("waiting", "window")]
    waits = steps(rollout)[1].due_at - now
    assert timedelta(hours=8) < waits < timedelta(hours=10)


def test_whoever_is_offline_or_being_updated_already_waits(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 1, online=False)
    (busy,) = chargers(amber, 1)
    other = image(amber, version="1.5")
    with scope(operator=amber.operator):
        updates.start(station=busy, firmware=other)
    rollout = advance(plan(firmware, waves=["100%"], selection=Selection(offline=True)))
    assert sorted(step.reason for step in steps(rollout)) == ["busy", "offline"]
    assert rollout.due_at is not None


# What people may do


def test_paused_it_begins_with_nobody_but_follows_what_runs(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 4)
    rollout = advance(plan(firmware))
    with scope(operator=amber.operator):
        assert rollouts.pause(rollout=rollout)
        assert not rollouts.pause(rollout=rollout)
    all_end(rollout)
    rollout = advance(rollout)
    assert (rollout.state, states(rollout), rollout.due_at) == ("paused", {"done": 1, "waiting": 3}, None)
    with scope(operator=amber.operator):
        assert rollouts.resume(rollout=rollout)
    assert states(advance(rollout)) == {"done": 1, "updating": 1, "waiting": 2}


def test_cancelled_it_asks_nobody_more_and_lets_what_was_asked_come_to_its_end(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 4)
    rollout = advance(plan(firmware, waves=["100%"], at_once=3))
    fetching, sent, unsent = steps(rollout, state="updating")
    with scopes_disabled():
        FirmwareUpdate.objects.filter(pk=fetching.update_id).update(status="downloading")
        FirmwareUpdate.objects.filter(pk=sent.update_id).update(status="sent")
        Command.objects.filter(pk=sent.update.command_id).update(status="confirmed")  # type: ignore[union-attr]  # it runs
    with scope(operator=amber.operator):
        assert rollouts.cancel(rollout=rollout)
    rollout = advance(rollout)
    # What was not sent yet is never sent; who was sent it and has nothing yet finds the address closed.
    assert states(rollout) == {"updating": 1, "cancelled": 3}
    with scopes_disabled():
        details = {one.pk: one.detail for one in FirmwareUpdate.objects.filter(status="failed", reason="cancelled")}
    assert details == {
        sent.update_id: "Given up; the address it was sent is good no more.",
        unsent.update_id: "Taken back before it was sent.",
    }
    assert rollout.due_at is not None
    ends(fetching)
    rollout = advance(rollout)
    assert (rollout.state, states(rollout), rollout.due_at) == ("cancelled", {"done": 1, "cancelled": 3}, None)
    with scope(operator=amber.operator):
        assert not rollouts.resume(rollout=rollout)
        assert rollouts.retry(rollout=rollout) == 0


def test_one_that_was_taken_back_by_hand_can_be_tried_again(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 2)
    rollout = advance(plan(firmware, waves=["100%"]))
    one = steps(rollout)[0]
    with scope(operator=amber.operator):
        assert updates.cancel(update=one.update)  # type: ignore[arg-type]  # it runs
    rollout = advance(rollout)
    assert states(rollout) == {"cancelled": 1, "updating": 1}
    with scope(operator=amber.operator):
        assert rollouts.retry(rollout=rollout) == 0
        assert rollouts.retry(rollout=rollout, step=one) == 1
    assert states(advance(rollout)) == {"updating": 2}


def test_what_failed_is_tried_again_and_a_roll_out_that_was_done_runs_again(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 3)
    rollout = advance(plan(firmware, waves=["100%"], rule=LENIENT))
    bad, worse, good = steps(rollout)
    ends(bad, "download")
    ends(worse, "install")
    ends(good)
    rollout = advance(rollout)
    assert (rollout.state, states(rollout)) == ("done", {"failed": 2, "done": 1})
    with scope(operator=amber.operator):
        assert rollouts.retry(rollout=rollout, step=bad) == 1
    rollout = advance(rollout)
    assert (rollout.state, states(rollout)) == ("running", {"updating": 1, "failed": 1, "done": 1})
    assert steps(rollout)[0].attempt == 2
    with scope(operator=amber.operator):
        assert rollouts.retry(rollout=rollout) == 1
    all_end(advance(rollout))
    assert (advance(rollout).state, states(rollout)) == ("done", {"done": 3})


def test_a_station_that_waits_can_be_left_out(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 2, online=False)
    rollout = advance(plan(firmware, waves=["100%"], selection=Selection(offline=True)))
    for step in steps(rollout):
        with scope(operator=amber.operator):
            assert rollouts.skip(step=step)
            assert not rollouts.skip(step=step)
    assert advance(rollout).state == "done"


def test_a_draft_is_thrown_away_but_not_what_has_begun(amber: Network, firmware: Firmware) -> None:
    chargers(amber, 1)
    draft, begun = plan(firmware, start=False), plan(firmware)
    with scope(operator=amber.operator):
        assert rollouts.discard(rollout=draft)
        assert not rollouts.discard(rollout=begun)
        assert not rollouts.start(rollout=begun)
        assert list(Rollout.objects.all()) == [begun]
