"""Numbers of receipts while several real workers give them out at once, one is killed, and some fail."""

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection
from django_scopes import scopes_disabled

from accounts.models import Operator
from billing import receipts, tariffs, tasks
from billing.models import Receipt, Tariff
from stations.models import OutboxEntry, Station
from tests.billing import make
from tests.billing.conftest import Worker, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
COUNT = 250


@pytest.fixture
def billed(station: Station, tariff: Tariff) -> list[Operator]:
    """Charge records of two networks, in turns."""
    cobalt = make.operator("Cobalt")
    place = make.station(cobalt, "COBALT-01")
    tariffs.add_tariff(operator=cobalt, name="C", price_per_kwh=1, is_default=True)
    ours, theirs = (make.transactions(at, [1000] * COUNT) for at in (station, place))
    make.ended([one for pair in zip(ours, theirs, strict=True) for one in pair])
    tasks.make_charge_records()
    assert waiting() == 2 * COUNT
    return [station.operator, cobalt]


def waiting() -> int:
    with scopes_disabled():
        return OutboxEntry.objects.filter(subscriber=receipts.SUBSCRIBER).count()


def numbers(operator: Operator) -> list[int]:
    with scopes_disabled():
        return list(Receipt.objects.filter(operator=operator).order_by("number").values_list("number", flat=True))


def ring(worker: Worker) -> None:
    tasks.make_receipts.apply_async(queue=worker.queue)


@contextmanager
def another() -> Any:
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        yield other


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return bool(cursor.fetchone()[0])


def test_workers_at_once_of_which_one_is_killed_leave_no_gap_and_no_double(
    billed: list[Operator], start_worker: Callable[[], Worker]
) -> None:
    amber, _cobalt = billed
    doomed, second, third = start_worker(), start_worker(), start_worker()
    with another() as other:
        # Whoever numbers Amber's receipts waits, in the middle of its round.
        receipts.set_issuer(operator=amber, contact="x")
        other.execute("SELECT 1 FROM billing_issuer WHERE operator_id = %s FOR UPDATE", [amber.pk])
        ring(doomed)
        until(somebody_waits)
        doomed.kill()
    for _ in range(3):
        ring(second)
        ring(third)
    until(lambda: waiting() == 0 or bool(ring(second)))
    for operator in billed:
        assert numbers(operator) == list(range(1, COUNT + 1))


def test_receipts_that_fail_at_first_leave_no_gap(billed: list[Operator], start_worker: Callable[[], Worker]) -> None:
    amber, cobalt = billed
    with connection.cursor() as cursor:
        # Every seventh record cannot be frozen, after its number was chosen.
        cursor.execute(
            "CREATE FUNCTION refuse_some() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF NEW.record_id %% 7 = 0 THEN RAISE EXCEPTION 'not now'; END IF; RETURN NEW; END $$;"
            "CREATE TRIGGER refuse_some BEFORE INSERT ON billing_receipt FOR EACH ROW EXECUTE FUNCTION refuse_some()",
            [],
        )
    workers = start_worker(), start_worker()
    try:
        for worker in workers:
            ring(worker)
        refused = 2 * COUNT // 7
        until(lambda: waiting() in (refused, refused + 1))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER refuse_some ON billing_receipt; DROP FUNCTION refuse_some()")
    for operator in billed:
        found = numbers(operator)
        assert found == list(range(1, len(found) + 1))
    with scopes_disabled():
        OutboxEntry.objects.update(due_at="2000-01-01T00:00:00Z")
    for worker in workers:
        ring(worker)
    until(lambda: waiting() == 0)
    assert [numbers(one) for one in (amber, cobalt)] == [list(range(1, COUNT + 1))] * 2
