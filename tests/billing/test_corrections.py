"""Charge records that stay as they are, and what takes them back: once, whoever asks and however often."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from billing import corrections, drafts, selectors, tariffs, tasks
from billing.models import ChargeRecord
from stations import outbox
from stations.models import OutboxEntry, Repair, Transaction
from tests.billing import make
from tests.database import may_not_be_emptied

pytestmark = pytest.mark.django_db


@pytest.fixture
def billed(station, tariff):
    """A session of 10 kWh in half an hour: 4.60, with tax 5.75."""
    t = make.transaction(station)
    make.ended([t])
    tasks.make_charge_records()
    return t


def chain(t):
    with scopes_disabled():
        return list(ChargeRecord.objects.filter(transaction=t).order_by("revision"))


def correct(record, reason="A wrong price", **how):
    with scope(operator=record.operator):
        return corrections.correct(record=record, reason=reason, **how)


def changed(t, **values):
    """What puts a session right leaves it, and writes the outbox."""
    with scopes_disabled():
        Transaction.objects.filter(pk=t.pk).update(**values)
    make.ended([t])
    tasks.make_charge_records()
    return chain(t)


def fixed(t, **fields):
    with scopes_disabled():
        return Repair.objects.create(
            operator_id=t.operator_id, transaction=t, fix="close", before={}, after={}, made_at=timezone.now(), **fields
        )


# The database keeps them


@pytest.mark.parametrize(
    "values", [{"total_incl_tax": 1}, {"reason": "x"}, {"lines": []}, {"market": {"a": 1}}, {"kind": "credit"}]
)
def test_the_database_refuses_to_change_a_record(billed, values):
    (record,) = chain(billed)
    with scopes_disabled(), pytest.raises(IntegrityError, match="never changed or deleted"), transaction.atomic():
        ChargeRecord.objects.filter(pk=record.pk).update(**values)


def test_the_database_refuses_to_delete_a_record(billed):
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="never changed or deleted"), transaction.atomic():
        cursor.execute("DELETE FROM billing_chargerecord")


def test_the_database_refuses_to_empty_the_table(billed):
    may_not_be_emptied()
    for table in ("billing_chargerecord", "accounts_operator"):
        with connection.cursor() as cursor, pytest.raises(IntegrityError, match="never changed or deleted"), transaction.atomic():
            cursor.execute(f"TRUNCATE {table} CASCADE")
    assert chain(billed)


def test_what_changes_nothing_is_let_pass(billed):
    (record,) = chain(billed)
    record.save()


def test_a_credit_without_a_charge_cannot_be_written(billed):
    (record,) = chain(billed)
    record.pk, record.revision, record.kind = None, 2, "credit"
    with pytest.raises(IntegrityError, match="chargerecord_credit_of"), transaction.atomic():
        record.save(force_insert=True)


# The session was put right


def test_a_session_corrected_after_it_was_billed_gets_a_credit_and_a_new_record(billed, amber):
    fixed(billed, reason="Read at the meter")
    first, credit, second = changed(billed, energy_wh=Decimal(5000))
    assert [one.kind for one in (first, credit, second)] == ["charge", "credit", "charge"]
    assert (credit.credits_id, credit.reason, second.reason) == (first.pk, "Read at the meter", "Read at the meter")
    assert (credit.energy_wh, credit.total_excl_tax, credit.total_incl_tax) == (-10_000, Decimal("-4.60"), Decimal("-5.75"))
    assert [line["cost_excl_tax"] for line in credit.lines] == ["-4", "-0.6"]
    assert credit.taxes == [{"percent": "25", "net": "-4.60", "tax": "-1.15"}]
    assert (second.energy_wh, second.total_excl_tax) == (5000, Decimal("2.60"))
    with scopes_disabled():
        assert list(selectors.valid()) == [second]
        assert selectors.billed_since(make.START) == [("EUR", Decimal("3.25"))]
        entry = AuditEntry.objects.get(action="charge_record.corrected")
    assert (entry.before, entry.after, entry.note) == ({"charge": "5.75 EUR"}, {"charge": "3.25 EUR"}, "Read at the meter")


def test_it_keeps_the_version_that_it_had(billed, amber):
    tariffs.add_tariff(operator=amber, name="Dear", price_per_kwh=Decimal(9), is_default=True)
    assert changed(billed, energy_wh=Decimal(5000))[-1].total_excl_tax == Decimal("2.60")


def test_a_session_told_again_as_it_was_makes_nothing(billed):
    assert len(changed(billed)) == 1
    assert len(changed(billed, stop_reason="Other")) == 1


def test_what_is_written_off_after_it_was_billed_is_credited_in_full_and_stays_so(billed):
    assert [one.kind for one in changed(billed, doubt="set_aside")] == ["charge", "credit"]
    assert len(changed(billed)) == 2
    assert not changed_back_is_charged(billed)


def changed_back_is_charged(t):
    """Nobody has put it right since: told again, a session whose bill was taken back is not billed."""
    return len(changed(t, doubt="")) > 2


def test_what_somebody_puts_right_after_a_credit_is_billed_again(billed):
    changed(billed, doubt="set_aside")
    fixed(billed, reason="It was no test after all")
    assert [one.kind for one in changed(billed, doubt="")] == ["charge", "credit", "charge"]


def test_what_was_billed_stays_while_somebody_has_still_to_decide(billed):
    assert len(changed(billed, doubt="register", energy_wh=None)) == 1


# A person corrects it


def test_a_person_prices_a_session_by_another_tariff(billed, amber):
    other = tariffs.add_tariff(operator=amber, name="Fleet", price_per_kwh=Decimal("0.20"), tax_percent=Decimal(25))
    made = correct(chain(billed)[0], tariff=other)
    first, credit, charge = chain(billed)
    assert (made.credit, made.charge, made.repeated) == (credit, charge, False)
    assert (charge.tariff, charge.total_excl_tax, charge.total_incl_tax) == (other, Decimal("2.00"), Decimal("2.50"))
    assert first.total_incl_tax + credit.total_incl_tax == 0


def test_where_it_comes_to_the_same_nothing_is_made(billed):
    assert correct(chain(billed)[0]) == corrections.Corrected()
    assert correct(chain(billed)[0], pricing="assigned") == corrections.Corrected()
    assert len(chain(billed)) == 1


def test_by_what_is_assigned_now_is_not_by_what_was_assigned_when_it_started(amber, station, tariff, billed):
    dear = tariffs.add_tariff(operator=amber, name="Dear", price_per_kwh=Decimal(2))
    with time_machine.travel(make.START - timedelta(days=1), tick=False):
        tariffs.assign(tariff=dear, station=station)
    with time_machine.travel(make.START + timedelta(days=1), tick=False):
        tariffs.assign(tariff=tariff, station=station)
    assert correct(chain(billed)[0], pricing="assigned") == corrections.Corrected()


def test_a_refund_in_full_is_a_credit_alone(billed):
    made = correct(chain(billed)[0], pricing="none")
    assert (made.credit.total_incl_tax, made.charge) == (Decimal("-5.75"), None)
    with scopes_disabled():
        assert not selectors.billed(billed.pk)
    assert len(changed(billed)) == 2


def test_a_record_is_corrected_once(billed, tariff):
    (record,) = chain(billed)
    correct(record, pricing="none", request_key="k1")
    assert correct(record, pricing="none", request_key="k1").repeated
    for other in ({"reason": "Another"}, {"pricing": "same"}, {"pricing": "same", "tariff": tariff}):
        with pytest.raises(ValidationError, match="used for another correction") as refused:
            correct(record, **{"pricing": "none", "request_key": "k1"} | other)
        assert refused.value.code == corrections.STATE
    for key in ("", "k2"):
        with pytest.raises(ValidationError, match="credited before"):
            correct(record, pricing="none", request_key=key)
    with pytest.raises(ValidationError, match="A credit is not corrected"):
        correct(chain(billed)[1])
    assert len(chain(billed)) == 2


def test_whoever_corrects_says_why(billed):
    with pytest.raises(ValidationError, match="Say why"):
        correct(chain(billed)[0], reason=" \x00 ")


def test_a_session_in_doubt_can_only_be_credited(billed):
    with scopes_disabled():
        Transaction.objects.filter(pk=billed.pk).update(doubt="register")
    with pytest.raises(ValidationError, match="not trusted as it is now"):
        correct(chain(billed)[0])
    assert correct(chain(billed)[0], pricing="none").credit


@pytest.mark.django_db(transaction=True)
def test_many_who_correct_the_same_at_once_make_one_correction(billed):
    (record,) = chain(billed)

    def one(number):
        try:
            return correct(record, pricing="none", request_key=f"k{number}").repeated
        except ValidationError:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(map(str, pool.map(one, range(4)))) == ["False", "None", "None", "None"]
    assert len(chain(billed)) == 2


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_make_one_correction(billed):
    with scopes_disabled():
        Transaction.objects.filter(pk=billed.pk).update(energy_wh=5000)

    def one(_):
        from billing import services

        try:
            with scopes_disabled():
                return services.make_charge_record(transaction_id=billed.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(4))) == [True] * 4
    assert [one.kind for one in chain(billed)] == ["charge", "credit", "charge"]


# What comes late

#: Dearer within the first five minutes.
AT_FIRST = {
    "elements": [
        {"price_components": [{"type": "ENERGY", "price": 1, "step_size": 1}], "restrictions": {"max_duration": 300}},
        {"price_components": [{"type": "ENERGY", "price": 0.1, "step_size": 1}]},
    ]
}
KINDS = {
    "elements": [
        {"price_components": [{"type": "TIME", "price": 6, "step_size": 1}], "restrictions": {"reservation": "RESERVATION"}},
        {
            "price_components": [
                {"type": "TIME", "price": 6, "step_size": 1},
                {"type": "PARKING_TIME", "price": 60, "step_size": 1},
            ]
        },
    ]
}


def kinds(t):
    return [(one.kind, one.total_excl_tax) for one in chain(t)]


def test_a_late_reading_that_changes_the_price_corrects_the_record_once(station, amber):
    tariffs.add_tariff(operator=amber, name="At first", ocpi=AT_FIRST, is_default=True)
    t = make.transaction(station)
    changed(t)
    # A sixth of it in the first five minutes.
    assert kinds(t) == [("charge", Decimal("2.50"))]
    make.sample(t, 5, 11_000)
    changed(t)
    assert kinds(t) == [("charge", Decimal("2.50")), ("credit", Decimal("-2.50")), ("charge", Decimal("10.00"))]
    assert len(changed(t)) == 3


@pytest.mark.parametrize(
    ("values", "price"),
    [
        ({"charging_ended_at": make.START + timedelta(minutes=10)}, Decimal("21.00")),
        ({"reserved_at": make.START - timedelta(minutes=20)}, Decimal("5.00")),
    ],
    ids=["parked", "reserved"],
)
def test_what_is_known_late_of_parking_and_reserving_corrects_the_record(station, amber, values, price):
    tariffs.add_tariff(operator=amber, name="Kinds", ocpi=KINDS, is_default=True)
    t = make.transaction(station)
    changed(t)
    changed(t, **values)
    assert kinds(t) == [("charge", Decimal("3.00")), ("credit", Decimal("-3.00")), ("charge", price)]
    assert len(changed(t)) == 3


def test_a_tariff_that_changed_meanwhile_changes_no_record_that_is_told_again(station, amber):
    tariff = tariffs.add_tariff(operator=amber, name="At first", ocpi=AT_FIRST, is_default=True)
    t = make.transaction(station)
    changed(t)
    with scope(operator=amber):
        tariffs.assign(tariff=tariffs.add_tariff(operator=amber, name="Dear", price_per_kwh=Decimal(9)), station=station)
    assert len(changed(t)) == 1
    assert chain(t)[0].tariff == tariff


# Samples that were let go


def test_what_was_priced_by_the_hour_is_not_priced_again_without_its_samples(station, amber, settings):
    night = {
        "price_components": [{"type": "ENERGY", "price": 0.2, "step_size": 1}],
        "restrictions": {"start_time": "22:00", "end_time": "06:00"},
    }
    tariffs.add_tariff(operator=amber, name="By the hour", ocpi={"elements": [night]}, is_default=True)
    long_ago = make.START - timedelta(days=3000)
    t = make.transaction(station, started_at=long_ago, stopped_at=long_ago + timedelta(hours=9))
    make.ended([t])
    tasks.make_charge_records()
    with pytest.raises(ValidationError, match="samples were let go"):
        correct(chain(t)[0])
    assert len(changed(t)) == 1
    with scopes_disabled():
        assert not OutboxEntry.objects.filter(object_id=t.pk).exists()
    assert len(changed(t, energy_wh=Decimal(5000))) == 1
    with scopes_disabled():
        assert "samples were let go" in OutboxEntry.objects.get(object_id=t.pk).error
    with scope(operator=amber), pytest.raises(drafts.ReadingsGone):
        selectors.would_cost(t, energy_wh=Decimal(5000), started_at=t.started_at, stopped_at=t.stopped_at)
    assert correct(chain(t)[0], pricing="none").credit


def test_what_would_be_put_right_is_priced_by_what_applied_at_its_new_start(station, amber):
    flat, dear = (tariffs.add_tariff(operator=amber, name=name, price_per_session=n) for name, n in (("A", 1), ("B", 3)))
    for after, tariff in ((-60, flat), (10, dear)):
        with time_machine.travel(make.START + timedelta(minutes=after), tick=False):
            tariffs.assign(tariff=tariff, station=station)
    t = make.transaction(station, started_at=make.START + timedelta(minutes=20))
    with scope(operator=amber):
        known = {"energy_wh": Decimal(1000), "stopped_at": t.stopped_at}
        assert selectors.would_cost(t, started_at=t.started_at, **known)[0] == 3
        assert selectors.would_cost(t, started_at=make.START, **known)[0] == 1


# Who is told


def test_a_correction_is_told_and_the_credit_once_more(billed, amber):
    topics = ("charge_record.made", "charge_record.credited")
    outbox.want("webhooks", topics, operator=amber)
    correct(chain(billed)[0], pricing="none")
    (_, credit) = chain(billed)
    with scopes_disabled():
        told = OutboxEntry.objects.filter(subscriber="webhooks").order_by("id").values_list("topic", "object_id")
        assert list(told) == [(topic, credit.pk) for topic in topics]


def test_whoever_subscribed_for_all_networks_is_told_too(station, tariff, monkeypatch):
    monkeypatch.setitem(outbox._subscribers, "charge_record.made", ["receipts"])
    t = make.transaction(station, started_at=make.START + timedelta(days=1), stopped_at=make.START + timedelta(days=1, hours=1))
    make.ended([t])
    tasks.make_charge_records()
    with scopes_disabled():
        assert OutboxEntry.objects.get(subscriber="receipts").object_id == chain(t)[0].pk
