"""Charge records, and the sessions they are made of."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from django_scopes import scope, scopes_disabled
from structlog.testing import capture_logs

from billing import choosing, drafts, ledger, sessions, tariffs, tasks, whatif
from billing.models import ChargeRecord, TariffVersion
from billing.tariff import Sample
from stations import outbox, ports
from stations.models import OutboxEntry, Transaction
from tests.billing import make

pytestmark = pytest.mark.django_db


class RecordingBell(ports.Silence):
    def __init__(self):
        self.rung = []

    def changed(self, operator_id, *, stations, transactions):
        self.rung.append((operator_id, list(stations), list(transactions)))

    def work(self, subscriber):
        self.rung.append(subscriber)


@pytest.fixture
def bell(monkeypatch):
    recording = RecordingBell()
    monkeypatch.setattr(ports, "bell", recording)
    return recording


def records():
    with scopes_disabled():
        return list(ChargeRecord.objects.order_by("transaction_id"))


def entries():
    with scopes_disabled():
        return list(OutboxEntry.objects.filter(subscriber="billing").order_by("id"))


# Charge records


@pytest.mark.django_db(transaction=True)
def test_an_ended_transaction_gets_a_charge_record_that_explains_itself(station, tariff, bell):
    transaction = make.transaction(station)
    make.ended([transaction])
    assert tasks.make_charge_records() == 1
    (record,) = records()
    assert (record.operator_id, record.transaction_id, record.revision) == (station.operator_id, transaction.pk, 1)
    assert (record.energy_wh, record.duration_s, record.currency) == (10_000, 1800, "EUR")
    assert (record.total_excl_tax, record.total_incl_tax) == (Decimal("4.60"), Decimal("5.75"))
    assert record.lines == [
        {"dimension": "ENERGY", "volume": "10", "unit": "kWh", "price": "0.4", "cost_excl_tax": "4", "vat_percent": "25"},
        {"dimension": "TIME", "volume": "0.5", "unit": "h", "price": "1.2", "cost_excl_tax": "0.6", "vat_percent": "25"},
    ]
    assert record.taxes == [{"percent": "25", "net": "4.60", "tax": "1.15"}]
    assert (record.kind, record.started_at, record.stopped_at) == ("charge", transaction.started_at, transaction.stopped_at)
    assert (record.trust, record.findings, record.credits_id, record.reason) == ("measured", [], None, "")
    assert record.tariff_id == tariff.pk
    assert record.tariff_snapshot["elements"] == [
        {
            "price_components": [
                {"type": "ENERGY", "price": 0.4, "vat": 25.0, "step_size": 1},
                {"type": "TIME", "price": 1.2, "vat": 25.0, "step_size": 1},
            ]
        }
    ]
    assert entries() == []
    assert bell.rung == ["receipts", (station.operator_id, [], [transaction.pk])]


def test_each_operator_bills_with_its_own_tariff(station, tariff, bell):
    cobalt = make.operator("Cobalt Charge")
    tariffs.add_tariff(operator=cobalt, name="Theirs", price_per_session=Decimal(3), currency="CHF", is_default=True)
    ours, theirs = make.transaction(station), make.transaction(make.station(cobalt, "COBALT-01"))
    make.ended([ours, theirs])
    tasks.make_charge_records()
    assert [(record.operator_id, record.total_incl_tax, record.currency) for record in records()] == [
        (ours.operator_id, Decimal("5.75"), "EUR"),
        (theirs.operator_id, Decimal("3.00"), "CHF"),
    ]


def test_the_same_transaction_is_billed_once_even_after_the_tariff_changed(station, tariff, amber):
    transaction = make.transaction(station)
    make.ended([transaction])
    tasks.make_charge_records()
    tariffs.add_tariff(operator=amber, name="Dear", price_per_kwh=Decimal(9), is_default=True)
    make.ended([transaction])
    tasks.make_charge_records()
    assert [record.total_incl_tax for record in records()] == [Decimal("5.75")]


@pytest.mark.django_db(transaction=True)
def test_without_a_tariff_the_entry_waits_and_is_billed_soon_after_one_is_set(station, amber, bell):
    transaction = make.transaction(station)
    make.ended([transaction])
    tasks.make_charge_records()
    (entry,) = entries()
    assert entry.error.startswith("No tariff: ")
    assert entry.due_at > timezone.now()
    assert (records(), bell.rung) == ([], [])

    tariffs.add_tariff(operator=amber, name="Late", price_per_kwh=Decimal("0.50"), is_default=True)
    assert bell.rung == ["billing"]
    tasks.make_charge_records()
    assert [record.total_incl_tax for record in records()] == [Decimal("5.00")]


@pytest.mark.parametrize(
    "fields",
    [
        {"doubt": "start_missing"},
        {"doubt": "register"},
        {"energy_wh": None},
        {"energy_wh": Decimal(-1)},
        {"status": "active"},
        {"stopped_at": None},
    ],
)
def test_a_transaction_that_cannot_be_trusted_is_not_billed(station, tariff, fields):
    make.ended([make.transaction(station, **fields)])
    tasks.make_charge_records()
    assert (records(), entries()) == ([], [])


def test_a_transaction_that_is_gone_is_not_waited_for(station, tariff):
    transaction = make.transaction(station)
    make.ended([transaction])
    with scopes_disabled():
        transaction.delete()
    tasks.make_charge_records()
    assert (records(), entries()) == ([], [])


def test_a_run_goes_on_until_nothing_is_due(station, tariff, monkeypatch, bell):
    monkeypatch.setattr(tasks, "CLAIM", 2)
    make.ended(make.transactions(station, [1000] * 5))
    assert tasks.make_charge_records() == 5
    assert len(records()) == 5
    assert "billing" not in bell.rung


def test_a_run_that_has_gone_on_long_enough_calls_for_another(station, tariff, monkeypatch, bell):
    monkeypatch.setattr(tasks, "CLAIM", 2)
    monkeypatch.setattr(tasks, "MAX_CLAIMS", 2)
    make.ended(make.transactions(station, [1000] * 5))
    assert tasks.make_charge_records() == 4
    assert bell.rung == ["billing"]
    assert tasks.make_charge_records() == 1
    assert len(records()) == 5


def test_a_failure_keeps_its_entry_and_the_others_are_billed(station, tariff):
    # More money than a total can hold.
    ruinous, usual = make.transactions(station, [Decimal(999_999_990_000), Decimal(1000)])
    with scopes_disabled():
        dear = {"type": "ENERGY", "price": 99999999, "vat": 25, "step_size": 1}
        TariffVersion.objects.update(ocpi={"elements": [{"price_components": [dear]}]})
    make.ended([ruinous, usual])
    tasks.make_charge_records()
    assert [record.transaction_id for record in records()] == [usual.pk]
    assert [(entry.object_id, entry.attempts) for entry in entries()] == [(ruinous.pk, 1)]


# Sessions


def session_of(transaction):
    with scope(operator=transaction.operator):
        session = sessions.ended(transaction, energy_wh=transaction.energy_wh, end=transaction.stopped_at)
        return session, list(session.samples)


def test_a_session_has_the_samples_between_its_start_and_its_stop(station):
    transaction, other = make.transactions(station, [10_000, 10_000])
    make.sample(transaction, 20, 6000)
    make.sample(transaction, 10, 3000)
    make.sample(transaction, 0, 1000, context="Transaction.Begin")
    make.sample(transaction, 30, 11_000, context="Transaction.End")
    make.sample(transaction, 15, 1, energy_wh=None)
    make.sample(transaction, 40, 11_000)
    make.sample(other, 5, 9000)
    session, samples = session_of(transaction)
    assert session.time_zone == "Europe/Amsterdam"
    assert session.charging_end == session.end == transaction.stopped_at
    assert [((one.at - make.START) / timedelta(minutes=1), one.energy_wh) for one in samples] == [
        (0, 0),
        (10, 2000),
        (20, 5000),
        (30, 10_000),
    ]


def test_a_register_that_jumps_never_makes_the_series_fall(station):
    transaction = make.transaction(station)
    for minutes, register in [(5, 4000), (10, 500), (15, 90_000), (20, 6000)]:
        make.sample(transaction, minutes, register)
    _, samples = session_of(transaction)
    # What is above all of the session and comes back is no reading: the energy between is spread over its time.
    assert [one.energy_wh for one in samples] == [0, 3000, 3000, 5000, 10_000]


def test_a_clock_set_back_in_between_makes_a_session_without_length(station, tariff):
    transaction = make.transaction(station, stopped_at=make.START - timedelta(hours=1))
    session, samples = session_of(transaction)
    assert session.start == session.end
    assert samples == [Sample(make.START, Decimal(0)), Sample(make.START, Decimal(10_000))]
    make.ended([transaction])
    tasks.make_charge_records()
    (record,) = records()
    assert (record.total_excl_tax, record.duration_s) == (Decimal("4.00"), 0)


def test_a_station_without_a_site_is_in_utc(station):
    station.site = None
    assert session_of(make.transaction(station))[0].time_zone == "UTC"


def test_samples_are_found_by_the_index_of_station_and_time(station):
    transaction = make.transaction(station)
    with scope(operator=station.operator), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO stations_metersample (operator_id, station_id, transaction_id, evse_number, at, context, energy_wh)"
            " SELECT %s, %s + n %% 50, %s + n %% 50, 1, %s::timestamptz + n * interval '1 second', 'Sample.Periodic', 1000 + n"
            " FROM generate_series(1, 5000) AS n",
            [station.operator_id, station.pk, transaction.pk, make.START - timedelta(minutes=20)],
        )
        cursor.execute("ANALYZE stations_metersample")
        plan = sessions.registers(transaction, transaction.stopped_at).explain()
    assert "station_id_at" in plan
    assert "Seq Scan" not in plan


# Prices by power and by current


def by(limit, **fields):
    """0.50 a kWh from a limit on, 0.10 below."""
    price = {"type": "ENERGY", "step_size": 1}
    parts = [{"price_components": [price | {"price": 0.5}], "restrictions": {f"min_{limit}": 10}}]
    return {"elements": [*parts, {"price_components": [price | {"price": 0.1}], "restrictions": {f"max_{limit}": 10}}]} | fields


def test_a_price_by_current_goes_by_what_the_readings_say(station, amber):
    tariffs.add_tariff(operator=amber, name="By current", ocpi=by("current"), is_default=True)
    transaction = make.transaction(station)
    for minutes, register, current, of_phases in [(5, 3000, 6, 18), (10, 5000, None, None), (20, 9000, 6, None)]:
        make.sample(transaction, minutes, register, current_a=current, current_sum_a=of_phases)
    make.ended([transaction])
    tasks.make_charge_records()
    (record,) = records()
    # 8 kWh until it fell to 6 A, and 2 from then on.
    assert record.total_excl_tax == Decimal("4.20")
    with scopes_disabled():
        past = whatif.past(Transaction.objects.select_related("operator", "station__site").get(pk=transaction.pk))
        assert whatif.priced(record.tariff_snapshot, past, operator_id=amber.pk).total_excl_tax == record.total_excl_tax


def test_a_session_whose_current_nobody_says_waits_with_the_cause_until_a_reading_says_it(station, amber):
    tariffs.add_tariff(operator=amber, name="By current", ocpi=by("current"), is_default=True)
    transaction = make.transaction(station)
    make.sample(transaction, 10, 5000)
    make.ended([transaction])
    tasks.make_charge_records()
    assert records() == []
    (entry,) = entries()
    assert "priced by the current" in entry.error
    assert "no reading says it" in entry.error
    with scope(operator=amber):
        assert ledger.waiting().failed == 1
    make.sample(transaction, 20, 8000, current_a=16)
    with scopes_disabled():
        OutboxEntry.objects.update(due_at=timezone.now())
    tasks.make_charge_records()
    assert [record.total_excl_tax for record in records()] == [Decimal("5.00")]


def test_power_is_that_between_two_readings_and_known_without_any(station, amber):
    tariffs.add_tariff(operator=amber, name="By power", ocpi=by("power"), is_default=True)
    fast, unread = make.transactions(station, [10_000, 4000])
    make.sample(fast, 15, 2000)
    make.ended([fast, unread])
    tasks.make_charge_records()
    # 1 kWh at 4 kW and 9 at 36; 4 kWh in half an hour.
    assert [record.total_excl_tax for record in records()] == [Decimal("4.60"), Decimal("0.40")]


def test_a_session_without_energy_under_a_price_by_current_is_billed_nothing(station, amber):
    tariffs.add_tariff(operator=amber, name="By current", ocpi=by("current"), is_default=True)
    make.ended([make.transaction(station, 0)])
    tasks.make_charge_records()
    assert [record.total_excl_tax for record in records()] == [Decimal(0)]


# Running cost


def test_running_transactions_cost_what_they_have_used_until_now(station, tariff, django_assert_num_queries):
    now = timezone.now()
    running = make.transactions(station, [5000, None], status="active", started_at=now - timedelta(minutes=10), stopped_at=None)
    with django_assert_num_queries(6):  # the sessions, the version of the prices, and what is read once: four of tariffs
        ports.running_cost(running)
    with django_assert_num_queries(2):
        costs = ports.running_cost(running)
    # 2.00 + a little over 0.20, plus 25 percent; time goes on meanwhile, so the last cent is not pinned.
    assert Decimal("2.75") <= costs[running[0].pk][0] <= Decimal("2.90")
    assert Decimal("0.25") <= costs[running[1].pk][0] <= Decimal("0.40")
    assert {currency for _, currency in costs.values()} == {"EUR"}


def test_each_operators_running_transactions_are_priced_by_its_own_tariff(station, tariff):
    cobalt = make.operator("Cobalt Charge")
    tariffs.add_tariff(operator=cobalt, name="Theirs", price_per_session=Decimal(3), currency="CHF", is_default=True)
    ours = make.transaction(station, 1000, status="active", started_at=timezone.now())
    theirs = make.transaction(make.station(cobalt, "COBALT-01"), 1000, status="active")
    costs = ports.running_cost([ours, theirs])
    assert costs[ours.pk][1] == "EUR"
    assert costs[theirs.pk] == (Decimal("3.00"), "CHF")


def test_there_is_no_running_cost_without_a_tariff_or_after_the_end(station, amber, django_assert_num_queries):
    assert ports.running_cost([make.transaction(station, status="active")]) == {}
    tariffs.add_tariff(operator=amber, name="Standard", is_default=True)
    ended = make.transaction(station)
    with django_assert_num_queries(0):
        assert ports.running_cost([ended]) == {}


def test_billing_hears_of_ended_transactions():
    assert [row["subscriber"] for row in outbox.entries("transaction_ended", 1, 2, timezone.now())] == ["billing"]


def test_a_fault_of_ours_is_told_of_its_session_and_keeps_no_other_from_its_price(station, tariff, monkeypatch):
    odd, fine = make.transaction(station), make.transaction(station)
    draft = drafts._draft

    def fails_for_one(t, *args):
        if t.pk == odd.pk:
            raise KeyError("nobody thought of this")
        return draft(t, *args)

    monkeypatch.setattr(drafts, "_draft", fails_for_one)
    with scope(operator=station.operator), capture_logs() as told:
        cases = [drafts.Case(one) for one in drafts.rows([odd.pk, fine.pk])]
        found = drafts.price(cases, choosing.Book({station.operator_id}))
    assert isinstance(found[odd.pk], KeyError)
    assert isinstance(found[fine.pk], ChargeRecord)
    (line,) = [one for one in told if one["event"] == "a session could not be priced"]
    assert (line["transaction"], line["log_level"]) == (odd.pk, "error")


def test_a_fault_of_the_database_is_nobodys_missing_price(station, tariff, monkeypatch):
    transaction = make.transaction(station)

    def fails(*_):
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(drafts, "_draft", fails)
    with scope(operator=station.operator):
        cases, book = [drafts.Case(one) for one in drafts.rows([transaction.pk])], choosing.Book({station.operator_id})
        with pytest.raises(OperationalError):
            drafts.price(cases, book)
