"""Charge records made by real Celery workers: exactly once, whoever is killed and however often they are called."""

from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from django.db import connection
from django.db.models import Sum
from django_scopes import scopes_disabled

from billing import rebilling, services, tariffs, tasks
from billing.models import ChargeRecord, Rebilling
from stations.models import OutboxEntry
from tests.billing import make
from tests.billing.conftest import until

pytestmark = pytest.mark.django_db(transaction=True)


def billed() -> int:
    with scopes_disabled():
        return ChargeRecord.objects.count()


def waiting() -> int:
    with scopes_disabled():
        return OutboxEntry.objects.filter(subscriber="billing").count()


@contextmanager
def another_connection():
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        yield other


@contextmanager
def obstacle(transaction):
    """Whoever makes this transaction's record waits until the end of the block: in the middle of its run, for sure."""
    with another_connection() as other:
        other.execute(
            "INSERT INTO billing_chargerecord (operator_id, transaction_id, revision, tariff_id, tariff_snapshot, currency,"
            " energy_wh, duration_s, lines, total_excl_tax, total_incl_tax, created_at)"
            " SELECT operator_id, %s, 1, id, '{}', currency, 0, 0, '[]', 0, 0, now() FROM billing_tariff",
            [transaction.pk],
        )
        yield
        other.rollback()


@contextmanager
def obstacle_at_commit(transaction):
    """Whoever made this transaction's record waits with its commit, because foreign keys are checked there."""
    with another_connection() as other:
        other.execute("SELECT 1 FROM stations_transaction WHERE id = %s FOR UPDATE", [transaction.pk])
        yield


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return cursor.fetchone()[0] > 0


def nobody_claims() -> bool:
    with another_connection() as other:
        ours = "SELECT 1 FROM stations_outboxentry WHERE subscriber = 'billing' FOR UPDATE SKIP LOCKED"
        free = len(other.execute(ours).fetchall())
    return free == waiting()


def assert_each_has_exactly_one_right_record(transactions):
    with scopes_disabled():
        records = list(ChargeRecord.objects.all())
    assert Counter(record.transaction_id for record in records) == Counter(row.pk for row in transactions)
    # 0.40 a kWh and half an hour at 0.02 a minute; the energies are whole multiples of 100 Wh.
    expected = {row.pk: Decimal("0.40") * row.energy_wh / 1000 + Decimal("0.60") for row in transactions}
    assert {record.transaction_id: record.total_excl_tax for record in records} == expected
    assert waiting() == 0


def energies(count):
    return [Decimal(100 * number) for number in range(1, count + 1)]


def test_bells_make_the_record_and_further_ones_change_nothing(station, tariff, start_worker):
    worker = start_worker()
    one, two = make.transactions(station, [10_000, 5_000])
    make.ended([one])
    worker.works_until(lambda: waiting() == 0)
    with scopes_disabled():
        record = ChargeRecord.objects.get()
    assert (record.transaction_id, record.total_excl_tax, record.total_incl_tax) == (one.pk, Decimal("4.60"), Decimal("5.75"))

    # The same end told twice, together with a new one that shows when the worker is through.
    make.ended([one, two])
    worker.ring()
    worker.works_until(lambda: waiting() == 0)
    with scopes_disabled():
        assert ChargeRecord.objects.filter(pk=record.pk).values().get() == {
            field.attname: getattr(record, field.attname) for field in ChargeRecord._meta.concrete_fields
        }
    assert_each_has_exactly_one_right_record([one, two])


@pytest.mark.long
@pytest.mark.parametrize(("block", "committed"), [(obstacle, 100), (obstacle_at_commit, 200)])
def test_a_worker_killed_in_the_middle_loses_nothing_and_doubles_nothing(station, tariff, start_worker, block, committed):
    transactions = make.transactions(station, energies(300))
    make.ended(transactions)
    first = start_worker()
    with block(transactions[149]):
        first.works_until(somebody_waits)
        first.kill()
    until(nobody_claims)
    # The first hundred were committed. Of the second hundred nothing is left behind if it was half done, and all of it if only
    # the commit's answer was missing.
    assert (billed(), waiting()) == (committed, 300 - committed)
    second = start_worker()
    second.works_until(lambda: waiting() == 0)
    assert_each_has_exactly_one_right_record(transactions)


@pytest.mark.long
def test_two_workers_at_once_share_the_work(station, tariff, start_worker):
    transactions = make.transactions(station, energies(300))
    make.ended(transactions)
    workers = start_worker(), start_worker()
    with obstacle(transactions[49]):
        # One claims the first hundred and waits at the obstacle; the other does all the rest meanwhile.
        workers[0].works_until(somebody_waits)
        workers[1].works_until(lambda: billed() == 200)
    until(lambda: waiting() == 0)
    assert_each_has_exactly_one_right_record(transactions)


@pytest.mark.long
def test_a_worker_killed_while_it_prices_anew_loses_nothing_and_doubles_nothing(station, tariff, amber, start_worker):
    transactions = make.transactions(station, energies(300))
    with scopes_disabled():
        services.make_charge_records(transaction_ids=[row.pk for row in transactions])
    other = tariffs.add_tariff(operator=amber, name="Fleet", price_per_kwh=Decimal("0.20"))
    span = {"since": make.START, "until": make.START + timedelta(days=1)}
    row = rebilling.plan(operator=amber, token="t1", tariff=tariff, under=other, reason="A wrong price", **span)

    def state():
        with scopes_disabled():
            return Rebilling.objects.get(pk=row.pk)

    first = start_worker()
    first.works_until(lambda: state().state == "ready", task=tasks.advance_rebillings)
    assert (state().would_change, billed()) == (300, 300)
    rebilling.start(rebilling=row)
    with another_connection() as other_one:
        # Whoever corrects the last hundred waits.
        other_one.execute("SELECT 1 FROM billing_chargerecord WHERE transaction_id = %s FOR UPDATE", [transactions[250].pk])
        first.works_until(somebody_waits, task=tasks.advance_rebillings)
        first.kill()
        other_one.rollback()
    assert (state().looked_at, billed()) == (200, 700)
    second = start_worker()
    second.works_until(lambda: state().state == "done", task=tasks.advance_rebillings)
    assert (state().changed, state().failures, billed()) == (300, 0, 900)
    with scopes_disabled():
        sums = ChargeRecord.objects.values("transaction").annotate(total=Sum("total_excl_tax")).values_list("transaction", "total")
        assert dict(sums) == {one.pk: (Decimal("0.20") * one.energy_wh / 1000).quantize(Decimal("0.01")) for one in transactions}
