"""The outbox: nothing lost, nothing doubled, and what fails is tried again."""

from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_scopes import get_scope, scopes_disabled

from accounts.models import Operator
from stations import outbox
from stations.models import OutboxEntry


@pytest.fixture(autouse=True)
def topics(monkeypatch):
    """A registry of the test's own."""
    monkeypatch.setattr(outbox, "_subscribers", {})
    outbox.subscribe("lamp_lit", "moths")


@pytest.fixture
def amber(db):
    return Operator.objects.create(name="Amber Grid")


def write(operator, *object_ids):
    now = timezone.now()
    with scopes_disabled():
        return OutboxEntry.objects.bulk_create(
            OutboxEntry(**row) for object_id in object_ids for row in outbox.entries("lamp_lit", operator.pk, object_id, now)
        )


def left():
    with scopes_disabled():
        return {entry.object_id: entry for entry in OutboxEntry.objects.all()}


def work(handle, subscriber="moths", limit=10):
    with outbox.claim(subscriber, limit=limit) as entries:
        for entry in entries:
            with outbox.handling(entry):
                handle(entry)
    return [entry.object_id for entry in entries]


def fail(entry):
    raise LookupError(f"no lamp {entry.object_id}")


def test_every_subscriber_of_a_topic_gets_an_entry(amber):
    outbox.subscribe("lamp_lit", "bats")
    write(amber, 7)
    with scopes_disabled():
        assert set(OutboxEntry.objects.values_list("subscriber", "object_id")) == {("moths", 7), ("bats", 7)}


def test_a_topic_nobody_subscribed_to_makes_no_entries():
    assert outbox.entries("lamp_broken", 1, 1, timezone.now()) == []


def test_subscribing_twice_raises():
    with pytest.raises(ValueError, match="subscribed to 'lamp_lit' already"):
        outbox.subscribe("lamp_lit", "moths")


def test_handled_entries_are_gone(amber):
    write(amber, 1, 2, 3)
    assert work(lambda entry: None) == [1, 2, 3]
    assert left() == {}


def test_entries_are_claimed_oldest_first_and_no_more_than_asked_for(amber):
    write(amber, 3, 1, 2)
    assert work(lambda entry: None, limit=2) == [3, 1]
    assert list(left()) == [2]


def test_another_subscribers_entries_are_left_alone(amber):
    write(amber, 1)
    assert work(lambda entry: None, subscriber="bats") == []
    assert list(left()) == [1]


def test_an_entry_is_handled_in_the_scope_of_its_operator(amber):
    write(amber, 1)
    seen = []
    work(lambda entry: seen.append(get_scope()["operator"]))
    assert seen == [amber]


def test_a_failure_is_noted_and_tried_again_later_and_the_others_are_handled(amber):
    write(amber, 1, 2, 3)
    before = timezone.now()
    work(lambda entry: fail(entry) if entry.object_id == 2 else None)
    assert list(left()) == [2]
    entry = left()[2]
    assert (entry.attempts, entry.error) == (1, "LookupError: no lamp 2")
    assert before + outbox.FIRST_DELAY <= entry.due_at <= timezone.now() + outbox.FIRST_DELAY
    assert work(fail) == []


def test_what_a_failing_handler_wrote_is_undone(amber):
    write(amber, 1)

    def write_and_fail(entry):
        Operator.objects.create(name="Half done")
        fail(entry)

    work(write_and_fail)
    assert not Operator.objects.filter(name="Half done").exists()


def test_a_statement_that_the_database_refuses_spoils_only_its_own_entry(amber):
    write(amber, 1, 2)
    work(lambda entry: Operator.objects.create(name="Amber Grid") if entry.object_id == 1 else None)
    assert list(left()) == [1]
    assert left()[1].error.startswith("IntegrityError: ")


def test_the_delay_doubles_up_to_an_hour(amber):
    write(amber, 1)
    delays = []
    for _ in range(12):
        with scopes_disabled():
            OutboxEntry.objects.update(due_at=timezone.now())
        work(fail)
        delays.append(round((left()[1].due_at - timezone.now()) / timedelta(seconds=15)))
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 240, 240, 240, 240]


def test_what_has_to_wait_says_so_in_plain_words(amber):
    write(amber, 1)

    def wait(entry):
        raise outbox.NotYet("No flame: light the lamp.")

    work(wait)
    assert left()[1].error == "No flame: light the lamp."


def test_waking_makes_an_operators_waiting_entries_due_and_nobody_elses(amber):
    other = Operator.objects.create(name="Cobalt Charge")
    write(amber, 1)
    write(other, 2)
    work(fail)
    outbox.wake("moths", operator_id=amber.pk)
    assert work(lambda entry: None) == [1]


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_claim_the_same_entry(amber):
    write(amber, 1, 2, 3, 4)
    # The second worker, with a connection of its own, holds what it claimed first.
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        claimed = other.execute("SELECT object_id FROM stations_outboxentry ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED").fetchall()
        assert [row[0] for row in claimed] == [1, 2]
        assert work(lambda entry: None) == [3, 4]
    assert list(left()) == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_what_happens_again_while_it_is_handled_waits_and_is_not_lost(amber):
    write(amber, 1)
    again = (
        "INSERT INTO stations_outboxentry (operator_id, topic, subscriber, object_id, created_at, due_at, attempts, error) "
        "VALUES (%s, 'lamp_lit', 'moths', 1, now(), now(), 0, '') ON CONFLICT (topic, subscriber, object_id) DO NOTHING"
    )
    with psycopg.connect(
        **connection.get_connection_params() | {"cursor_factory": psycopg.Cursor, "options": "-c lock_timeout=100"}
    ) as batch:

        def happen(entry):
            # Content with the entry that is just going, it would be forgotten.
            with pytest.raises(psycopg.errors.LockNotAvailable):
                batch.execute(again, [amber.pk])
            batch.rollback()

        work(happen)
        assert left() == {}


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_leaves_its_entries_as_they_were(amber):
    write(amber, 1, 2)

    class Killed(BaseException):
        pass

    def die(entry):
        if entry.object_id == 2:
            raise Killed

    with pytest.raises(Killed):
        work(die)
    assert {pk: entry.attempts for pk, entry in left().items()} == {1: 0, 2: 0}


def test_an_entry_of_a_batch_that_is_rolled_back_was_never_there(amber):
    def batch():
        with transaction.atomic():
            write(amber, 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        batch()
    assert left() == {}


def test_what_is_told_outside_a_batch_reaches_who_subscribed_at_import_and_for_the_network(amber):
    outbox.want("bats", ["lamp_lit"], operator=amber)
    for expected in ({"moths", "bats"}, set()):
        with connection.cursor() as cursor:
            assert outbox.tell(cursor, "lamp_lit", [(amber.pk, 7, None)], now=timezone.now()) == expected
    with scopes_disabled():
        assert set(OutboxEntry.objects.values_list("subscriber", "object_id")) == {("moths", 7), ("bats", 7)}
