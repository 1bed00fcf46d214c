"""Many charge records priced anew: worked out first, then done once, however often workers are stopped or come twice."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from billing import corrections, rebilling, services, tariffs, tasks
from billing.models import ChargeRecord, Rebilling
from stations.models import Transaction
from tests.billing import make

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def other(amber):
    """Half the price of a kWh, nothing for the time: 10 kWh cost 2.00, with tax 2.50."""
    return tariffs.add_tariff(operator=amber, name="Fleet", price_per_kwh=Decimal("0.20"), tax_percent=Decimal(25))


@pytest.fixture
def billed(station, tariff):
    """Five sessions at 5.75, and one of the day after."""
    rows = make.transactions(station, [10_000] * 5)
    rows += make.transactions(station, [10_000], started_at=make.START + DAY, stopped_at=make.START + DAY + timedelta(minutes=30))
    with scopes_disabled():
        services.make_charge_records(transaction_ids=[t.pk for t in rows])
    return rows


def plan(tariff, under=None, token="t1", **more):  # noqa: S107  (no secret)
    given = {"since": make.START, "until": make.START + DAY, "reason": "A wrong price"} | more
    return rebilling.plan(operator=tariff.operator, token=token, tariff=tariff, under=under, **given)


def now_of(row):
    with scopes_disabled():
        return Rebilling.objects.get(pk=row.pk)


def kinds():
    with scopes_disabled():
        return sorted(ChargeRecord.objects.values_list("kind", flat=True))


def test_what_would_change_is_worked_out_and_nothing_is_changed(billed, tariff, other):
    row = plan(tariff, other)
    assert (row.total, row.state) == (0, "checking")
    tasks.advance_rebillings()
    row = now_of(row)
    assert (row.total, row.state, row.looked_at, row.would_change, row.would_differ) == (5, "ready", 5, 5, {"EUR": "-16.25"})
    assert kinds() == ["charge"] * 6


def test_nobody_waits_for_a_count_when_it_is_asked_for(billed, tariff, other):
    with scopes_disabled(), CaptureQueriesContext(connection) as asked:
        plan(tariff, other)
    counted = [one["sql"] for one in asked if "billing_chargerecord" in one["sql"]]
    assert [sql for sql in counted if "LIMIT 1" not in sql and "MAX(" not in sql] == []
    (largest,) = [sql for sql in counted if "MAX(" in sql]
    assert "WHERE" not in largest, "the end of an index"


def test_how_many_there_are_comes_out_while_it_is_worked_out(billed, tariff, other, monkeypatch):
    monkeypatch.setattr(rebilling, "CHUNK", 2)
    row = plan(tariff, other)
    found = []
    while rebilling.advance(row.pk):
        found.append((now_of(row).total, now_of(row).state))
    assert [*found, (now_of(row).total, now_of(row).state)] == [(2, "checking"), (4, "checking"), (5, "ready")]
    assert rebilling.start(rebilling=row)
    assert rebilling.advance(row.pk)
    assert (now_of(row).total, now_of(row).looked_at) == (5, 2)


def test_it_is_done_once_and_done_again_it_makes_nothing(billed, tariff, other):
    row = plan(tariff, other)
    tasks.advance_rebillings()
    assert rebilling.start(rebilling=row)
    tasks.advance_rebillings()
    row = now_of(row)
    assert (row.state, row.changed, row.difference, row.failures) == ("done", 5, {"EUR": "-16.25"}, 0)
    assert kinds() == ["charge"] * 11 + ["credit"] * 5
    assert not rebilling.start(rebilling=row)
    tasks.advance_rebillings()
    again = plan(tariff, other, token="t2")
    tasks.advance_rebillings()
    assert (now_of(again).total, now_of(again).would_change) == (0, 0)
    with scopes_disabled():
        actions = AuditEntry.objects.filter(object_type="rebilling", object_id=str(row.pk)).order_by("pk")
        assert list(actions.values_list("action", flat=True)) == ["rebilling.planned", "rebilling.started", "rebilling.done"]


def test_it_goes_on_where_it_was_stopped(billed, tariff, other, monkeypatch):
    monkeypatch.setattr(rebilling, "CHUNK", 2)
    row = plan(tariff, other)
    tasks.advance_rebillings()
    rebilling.start(rebilling=row)
    assert rebilling.advance(row.pk)
    assert (now_of(row).looked_at, kinds().count("credit")) == (2, 2)

    # Killed in the middle of a piece: nothing of it is left.
    class Killed(BaseException):
        pass

    def killed(**_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(services, "write", killed)
        with pytest.raises(Killed):
            rebilling.advance(row.pk)
    assert (now_of(row).looked_at, kinds().count("credit")) == (2, 2)

    assert rebilling.pause(rebilling=row)
    tasks.advance_rebillings()
    assert (now_of(row).state, now_of(row).looked_at) == ("paused", 2)
    assert rebilling.resume(rebilling=row)
    tasks.advance_rebillings()
    assert (now_of(row).state, now_of(row).changed, kinds().count("credit")) == ("done", 5, 5)


def test_what_was_cancelled_stays_as_far_as_it_came(billed, tariff, other, monkeypatch):
    monkeypatch.setattr(rebilling, "CHUNK", 2)
    row = plan(tariff, other)
    tasks.advance_rebillings()
    rebilling.start(rebilling=row)
    rebilling.advance(row.pk)
    assert rebilling.cancel(rebilling=row)
    tasks.advance_rebillings()
    assert (now_of(row).state, kinds().count("credit")) == ("cancelled", 2)
    assert not rebilling.resume(rebilling=row)


def test_what_somebody_corrected_meanwhile_is_left_alone(billed, tariff, other):
    row = plan(tariff, other)
    tasks.advance_rebillings()
    with scope(operator=tariff.operator):
        corrections.correct(record=ChargeRecord.objects.get(transaction=billed[0]), reason="Refund", pricing="none")
    rebilling.start(rebilling=row)
    tasks.advance_rebillings()
    assert now_of(row).changed == 4
    with scopes_disabled():
        assert ChargeRecord.objects.filter(transaction=billed[0]).count() == 2


def test_what_cannot_be_priced_is_told_and_the_others_are_none_the_worse(billed, tariff, other):
    with scopes_disabled():
        Transaction.objects.filter(pk=billed[1].pk).update(doubt="register")
    row = plan(tariff, other)
    tasks.advance_rebillings()
    rebilling.start(rebilling=row)
    tasks.advance_rebillings()
    row = now_of(row)
    assert (row.state, row.changed, row.failures) == ("done", 4, 1)
    assert (row.failed[0]["session"], row.failed[0]["error"].startswith("Its session is not trusted")) == (billed[1].pk, True)


def test_without_another_tariff_it_is_what_is_assigned_now(billed, tariff, other, station):
    tariffs.assign(tariff=other, station=station)
    row = plan(tariff)
    tasks.advance_rebillings()
    assert (now_of(row).would_change, now_of(row).would_differ) == (5, {"EUR": "-16.25"})


def test_a_site_narrows_it(billed, tariff, other, amber):
    elsewhere = make.station(amber, "AMBER-02")
    row = plan(tariff, other, site=elsewhere.site)
    tasks.advance_rebillings()
    assert (now_of(row).total, now_of(row).state) == (0, "ready")


def test_the_same_form_sent_twice_makes_one(billed, tariff, other):
    assert plan(tariff, other) == plan(tariff, other)


@pytest.mark.parametrize(
    "more", [{"reason": " "}, {"until": make.START}, {"until": make.START + 400 * DAY}], ids=["no reason", "no time", "too long"]
)
def test_a_plan_that_makes_no_sense_is_refused(tariff, more):
    with pytest.raises(ValidationError):
        plan(tariff, **more)
