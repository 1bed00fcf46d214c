"""Telling: at least once, in time, and nobody waits for somebody else."""

import threading
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.webhooks import dispatch, outcomes, sending, services, tasks
from csms.webhooks.models import Webhook, WebhookDelivery, WebhookEvent
from tests.network import Network
from tests.servers import until
from tests.webhooks import receiver as other
from tests.webhooks.conftest import Tell, again, later, log
from tests.webhooks.receiver import Receiver, answer, receiver
from tests.webhooks.test_signing import documented


def statuses(webhook: Webhook) -> list[str]:
    return [delivery.status for delivery in log(webhook)]


def test_what_happened_is_delivered_with_a_signature_that_verifies(webhook: Webhook, them: Receiver, tell: Tell) -> None:
    tell(webhook, 3)
    assert dispatch.run() == 3
    assert statuses(webhook) == ["delivered"] * 3
    assert sorted(call.payload["sequence"] for call in them.calls) == [1, 2, 3]
    for call in them.calls:
        assert documented()(webhook.secret, call.headers, call.body)
        assert call.payload["id"] == call.headers["Webhook-Id"]
        assert call.payload["type"] == "station.online"
    first = log(webhook)[0]
    assert (first.response_code, first.response_body, first.error, first.attempts) == (200, "thanks", "", 1)
    assert again(webhook).delivered_at == max(one.delivered_at for one in log(webhook) if one.delivered_at)
    # What was delivered is not sent again.
    assert dispatch.run() == 0


def test_what_failed_is_sent_again_as_it_was_under_the_same_id(webhook: Webhook, them: Receiver, tell: Tell) -> None:
    them.behaviour = answer(500, b"oh no")
    tell(webhook)
    dispatch.run()
    (failed,) = log(webhook)
    assert (failed.status, failed.response_code, failed.response_body) == ("failed", 500, "oh no")
    assert failed.due_at > timezone.now()
    assert dispatch.run() == 0
    them.behaviour = answer(200)
    later(webhook)
    assert statuses(webhook) == ["delivered"]
    first, second = them.calls
    assert (first.body, first.headers["Webhook-Id"]) == (second.body, second.headers["Webhook-Id"])


def test_pauses_grow_up_to_a_day_and_then_it_is_given_up(webhook: Webhook, them: Receiver, tell: Tell) -> None:
    them.behaviour = answer(500)
    tell(webhook)
    for pause_s in outcomes.PAUSES_S:
        later(webhook)
        (failed,) = log(webhook)
        assert failed.attempted_at is not None
        assert 0.8 * pause_s <= (failed.due_at - failed.attempted_at).total_seconds() <= 1.2 * pause_s
    later(webhook)
    assert statuses(webhook) == ["given_up"]
    assert log(webhook)[0].attempts == len(outcomes.PAUSES_S) + 1
    assert later(webhook) == 0


@pytest.mark.long
def test_an_address_that_is_dead_is_asked_now_and_then_and_told_all_when_it_is_back(
    webhook: Webhook, them: Receiver, tell: Tell
) -> None:
    them.behaviour = other.hang_up
    tell(webhook, 40)
    for _ in range(5):
        assert 1 <= (later(webhook) or 0) <= outcomes.RESTS_AFTER + dispatch.SLOTS_EACH
    assert again(webhook).failures >= outcomes.RESTS_AFTER
    # It rests: nothing is sent, whatever is due.
    with scopes_disabled():
        Webhook.objects.filter(pk=webhook.pk).update(rests_until=timezone.now() + timedelta(minutes=1))
        WebhookDelivery.objects.filter(webhook=webhook).update(due_at=timezone.now())
    assert dispatch.run() == 0
    them.behaviour = answer(200)
    with scopes_disabled():
        Webhook.objects.filter(pk=webhook.pk).update(rests_until=None)
        # Those that were tried have long pauses, which they need not wait out.
        WebhookDelivery.objects.filter(webhook=webhook, status="failed").update(due_at=timezone.now() + timedelta(hours=9))
    dispatch.run()
    assert statuses(webhook) == ["delivered"] * 40
    assert (again(webhook).failures, again(webhook).failing_since) == (0, None)


@pytest.mark.long
def test_one_delivery_that_is_never_taken_does_not_keep_the_others(webhook: Webhook, them: Receiver, tell: Tell) -> None:
    def behave(handler: object, call: other.Call) -> None:
        answer(500 if call.payload["data"].get("poison") else 200)(handler, call)  # type: ignore[arg-type]

    them.behaviour = behave
    tell(webhook, poison=True)
    tell(webhook, 30)
    dispatch.run()
    dispatch.run()
    assert statuses(webhook) == ["failed"] + ["delivered"] * 30


@pytest.mark.parametrize(
    "behaviour", [answer(302, Location="/x"), answer(500, b"x" * 100_000), other.hang_up, answer(204), other.huge]
)
def test_whatever_it_answers_the_log_says_so(webhook: Webhook, them: Receiver, tell: Tell, behaviour: other.Behaviour) -> None:
    them.behaviour = behaviour
    tell(webhook)
    dispatch.run()
    (delivery,) = log(webhook)
    assert (delivery.status == "delivered") is (delivery.error == "")
    assert len(delivery.response_body) <= sending.BODY_BYTES
    assert delivery.response_ms is not None


def test_an_address_that_answers_late_is_told_again(
    webhook: Webhook, them: Receiver, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies: it has taken what it was told, and says so when nobody listens any more."""
    monkeypatch.setattr(sending, "READ_S", 0.2)
    them.behaviour = them.slow
    tell(webhook)
    dispatch.run()
    assert log(webhook)[0].error.startswith("No complete answer came")
    them.released.set()
    later(webhook)
    assert statuses(webhook) == ["delivered"]
    assert len(set(them.ids())) == 1


def test_slow_addresses_hold_up_nobody_else(amber: Network, webhook: Webhook, them: Receiver, tell: Tell) -> None:
    with receiver() as slow:
        slow.behaviour = slow.slow
        lame = services.add(operator=amber.operator, url=slow.url, events=["station.online"])
        tell(lame, 60)
        tell(webhook, 60)
        releasing = threading.Thread(target=lambda: _when(lambda: len(them.calls) == 60, slow.released.set))
        releasing.start()
        dispatch.run()
        releasing.join()
        # Two at once and no more, and while they took their time all others were told.
        assert slow.most_at_once <= dispatch.SLOTS_EACH
        assert statuses(webhook) == ["delivered"] * 60


def _when(condition: object, act: object) -> None:
    try:
        until(condition, patience_s=10)  # type: ignore[arg-type]
    finally:
        act()  # type: ignore[operator]


@pytest.mark.long
def test_slow_addresses_of_one_network_leave_room_for_those_of_others(
    amber: Network, cobalt: Network, tell: Tell, them: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "SLOTS", 3)
    monkeypatch.setattr(dispatch, "OPERATOR_SLOTS", 2)
    with receiver() as slow:
        slow.behaviour = slow.slow
        for _ in range(4):
            tell(services.add(operator=amber.operator, url=slow.url, events=["station.online"]), 3)
        good = services.add(operator=cobalt.operator, url=them.url, events=["station.online"])
        tell(good, 30)
        releasing = threading.Thread(target=lambda: _when(lambda: len(them.calls) == 30, slow.released.set))
        releasing.start()
        dispatch.run()
        releasing.join()
        assert slow.most_at_once == 2
        assert statuses(good) == ["delivered"] * 30


@pytest.mark.long
def test_addresses_that_were_slow_have_a_part_of_the_calls_only(db: None, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although they work: each takes what it is told, after a while."""
    monkeypatch.setattr(dispatch, "SLOW_MS", 100)
    monkeypatch.setattr(dispatch, "SLOW_SLOTS", 2)
    with receiver() as slow:

        def late(handler: object, call: other.Call) -> None:
            threading.Event().wait(0.15)
            answer(200)(handler, call)  # type: ignore[arg-type]

        slow.behaviour = late
        webhooks = [services.add(operator=Network().operator, url=slow.url, events=["station.online"]) for _ in range(4)]
        for webhook in webhooks:
            tell(webhook)
        dispatch.run()
        slow.most_at_once = 0
        for webhook in webhooks:
            tell(webhook, 2)
        dispatch.run()
        assert slow.most_at_once == 2
        assert [statuses(webhook) for webhook in webhooks] == [["delivered"] * 3] * 4


def test_a_thread_begins_nothing_more_after_its_time_and_the_rest_is_for_the_next(
    webhook: Webhook, them: Receiver, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that what is in hand is never so for longer than is reckoned with."""
    monkeypatch.setattr(dispatch, "LANE_S", 0.0)
    tell(webhook, 3)
    with scopes_disabled():
        found = dispatch._Run(threading.Event())
        (lane,) = found._new_lanes()
        lane.run()
        found.lanes.append(lane)
        found._wait()
    assert them.calls == []
    assert max(one.due_at for one in log(webhook)) <= timezone.now()
    monkeypatch.undo()
    assert dispatch.run() == 3


def test_a_run_that_is_to_stop_begins_nothing_and_waits_for_nobody(
    webhook: Webhook, them: Receiver, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "STOP_S", 0.1)
    them.behaviour = them.slow
    tell(webhook, 3)
    stop = threading.Event()
    stopping = threading.Thread(target=lambda: _when(lambda: them.at_once, stop.set))
    stopping.start()
    dispatch.run(stop)
    stopping.join()
    assert (len(them.calls), statuses(webhook)) == (1, ["waiting"] * 3)
    assert dispatch.run(stop) == 0
    # What was under way is due again when its time in hand is over.
    them.released.set()
    later(webhook)
    assert statuses(webhook) == ["delivered"] * 3


def test_nothing_is_sent_with_a_secret_that_cannot_be_read(webhook: Webhook, them: Receiver, tell: Tell, settings: Any) -> None:
    known, settings.STATION_SECRET_KEYS = settings.STATION_SECRET_KEYS, [("new", "k" * 40)]
    tell(webhook)
    dispatch.run()
    assert them.calls == []
    assert "CSMS_STATION_SECRET_KEYS" in log(webhook)[0].error
    # Neither is it lost: the key may come back.
    services.change(webhook=again(webhook), description="still there")
    services.pause(webhook=again(webhook))
    settings.STATION_SECRET_KEYS = [("new", "k" * 40), *known]
    assert again(webhook).secret == webhook.secret


@pytest.mark.django_db(transaction=True)
def test_two_runs_are_never_at_it_at_once() -> None:
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as elsewhere:
        elsewhere.execute("SELECT pg_advisory_lock(hashtext(%s))", [dispatch.LOCK])
        assert dispatch.run() is None
    until(lambda: dispatch.run() == 0)


def test_what_a_killed_run_had_in_hand_is_due_again_soon(webhook: Webhook, them: Receiver, tell: Tell) -> None:
    tell(webhook, 3)
    now = timezone.now()
    with scopes_disabled():
        jobs = dispatch.take(webhook, now=now)
    assert len(jobs) == 3
    assert dispatch.run() == 0
    assert {one.due_at for one in log(webhook)} == {now + dispatch.IN_HAND}
    later(webhook)
    assert statuses(webhook) == ["delivered"] * 3


def test_a_webhook_that_failed_for_days_is_switched_off_with_a_reason(webhook: Webhook, them: Receiver, tell: Tell) -> None:
    them.behaviour = answer(500)
    tell(webhook, 2)
    dispatch.run()
    with scopes_disabled():
        Webhook.objects.filter(pk=webhook.pk).update(
            failing_since=timezone.now() - outcomes.OFF_AFTER, failures=outcomes.OFF_FAILURES
        )
    later(webhook)
    off = again(webhook)
    assert (off.active, off.disabled_because[:39]) == (False, "Nothing was delivered for 3 days; the l"[:39])
    # Nothing is lost: what waited is sent when it is resumed.
    assert later(webhook) == 0
    them.behaviour = answer(200)
    services.resume(webhook=off)
    dispatch.run()
    assert statuses(webhook) == ["delivered"] * 2


def test_gone_is_gone(webhook: Webhook, them: Receiver, tell: Tell) -> None:
    them.behaviour = answer(410)
    tell(webhook)
    dispatch.run()
    assert not again(webhook).active


def test_an_address_that_asks_to_wait_is_left_alone_for_so_long(webhook: Webhook, them: Receiver, tell: Tell) -> None:
    them.behaviour = answer(503, Retry_After="600")
    tell(webhook)
    dispatch.run()
    rests = again(webhook).rests_until
    assert rests is not None
    assert rests > timezone.now() + timedelta(seconds=590)


def test_letting_go_ends_when_its_time_is_up(webhook: Webhook, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(webhook, 3)
    with scopes_disabled():
        WebhookEvent.objects.update(created_at=timezone.now() - timedelta(days=31))
    monkeypatch.setattr(tasks, "BATCH", 1)
    monkeypatch.setattr(tasks, "BUDGET_S", -1)
    assert [tasks.let_go() for _ in range(4)] == [1, 1, 1, 0]


def test_what_is_older_than_its_term_is_let_go(webhook: Webhook, tell: Tell) -> None:
    tell(webhook, 3)
    with scopes_disabled():
        old = WebhookEvent.objects.order_by("id").first()
        WebhookEvent.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
        assert tasks.let_go() == 1
        assert WebhookEvent.objects.filter(operator=webhook.operator).count() == 2
    assert len(log(webhook)) == 2
