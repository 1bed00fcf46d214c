"""Tariffs renamed, removed, retired and brought back."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from billing import corrections, rebilling, retiring, services, tariffs
from billing.models import ChargeRecord, Rebilling, Tariff, TariffVersion
from tests.billing import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(amber, tariff):
    return tariffs.add_tariff(operator=amber, name="Fleet", price_per_kwh=Decimal("0.20"))


def actions(of):
    with scopes_disabled():
        found = AuditEntry.objects.filter(object_type="tariff", object_id=str(of)).order_by("pk")
        return [action.removeprefix("tariff.") for action in found.values_list("action", flat=True)]


def billed_by(tariff, station):
    """A record of a session that it was assigned to, and then no more."""
    assignment = tariffs.assign(tariff=tariff, station=station)
    t = make.transaction(station)
    with scope(operator=tariff.operator):
        assert services.make_charge_record(transaction_id=t.pk)
    tariffs.unassign(assignment=assignment)
    with scopes_disabled():
        return ChargeRecord.objects.get(transaction=t)


def test_a_tariff_is_renamed_with_a_trace_and_to_the_same_name_without(other):
    retiring.rename(tariff=other, name="  Vans ")
    retiring.rename(tariff=other, name="Vans")
    with scopes_disabled():
        assert Tariff.objects.get(pk=other.pk).name == "Vans"
    assert actions(other.pk) == ["added", "renamed"]


@pytest.mark.parametrize("name", ["", " ", "x" * 121, "a\x00b"])
def test_a_name_that_is_none_is_refused(other, name):
    with pytest.raises(ValidationError) as refused:
        retiring.rename(tariff=other, name=name)
    assert list(refused.value.message_dict) == ["name"]


def test_one_that_was_never_used_is_deleted_with_its_versions(other):
    pk = other.pk
    assert not retiring.remove(tariff=other)
    with scopes_disabled():
        assert not Tariff.objects.filter(pk=pk).exists()
        assert not TariffVersion.objects.filter(tariff=pk).exists()
    assert actions(pk) == ["added", "removed"]


def test_one_that_sessions_were_billed_by_is_retired_and_brought_back(other, station):
    record = billed_by(other, station)
    assert retiring.remove(tariff=other)
    with scopes_disabled():
        assert Tariff.objects.get(pk=other.pk).retired_at == other.retired_at is not None
        record.refresh_from_db()
    assert record.tariff_id == other.pk
    assert retiring.remove(tariff=other)
    assert retiring.bring_back(tariff=other)
    assert not retiring.bring_back(tariff=other)
    assert tariffs.assign(tariff=other, station=station)
    assert actions(other.pk) == ["added", "assigned", "unassigned", "retired", "brought_back", "assigned"]


def test_one_that_applied_is_retired_and_bills_a_session_of_that_time_that_is_told_later(other, station):
    with time_machine.travel(make.START - timedelta(hours=1), tick=False):
        assignment = tariffs.assign(tariff=other, station=station)
    with time_machine.travel(make.START + timedelta(hours=9), tick=False):
        tariffs.unassign(assignment=assignment)
    assert retiring.remove(tariff=other)
    t = make.transaction(station)
    with scope(operator=other.operator):
        assert services.make_charge_record(transaction_id=t.pk)
        assert ChargeRecord.objects.get(transaction=t).tariff_id == other.pk


def test_one_that_only_a_rebilling_names_is_retired(amber, tariff, other):
    rebilling.plan(
        operator=amber, token="t", tariff=tariff, under=other, since=make.START, until=make.START.replace(day=3), reason="x"
    )
    assert retiring.remove(tariff=other)


def test_while_it_applies_somewhere_it_stays_and_it_says_why(tariff, other, station):
    with pytest.raises(ValidationError, match="Make another tariff the default first"):
        retiring.remove(tariff=tariff)
    assignment = tariffs.assign(tariff=other, station=station)
    for refused in (retiring.remove, retiring.retire):
        with pytest.raises(ValidationError, match="still assigned") as told:
            refused(tariff=other)
        assert told.value.code == retiring.STATE
    tariffs.unassign(assignment=assignment)
    assert retiring.remove(tariff=other)


def test_a_retired_tariff_is_chosen_for_nothing(amber, tariff, other, station):
    retiring.retire(tariff=other)
    record = billed_by(tariff, station)
    given = {"operator": amber, "token": "t", "since": make.START, "until": make.START.replace(day=3), "reason": "x"}
    for choose in (
        lambda: tariffs.assign(tariff=other, station=station),
        lambda: tariffs.set_default_tariff(tariff=other),
        lambda: tariffs.add_version(tariff=other, ocpi={"elements": []}),
        lambda: corrections.correct(record=record, reason="x", tariff=other),
        lambda: rebilling.plan(**given, tariff=tariff, under=other),
    ):
        with pytest.raises(ValidationError, match="is retired: bring it back first") as refused:
            choose()
        assert refused.value.code == retiring.STATE
    with scopes_disabled():
        assert not Rebilling.objects.exists()


def test_one_that_is_used_at_the_moment_it_is_removed_is_retired(other, station, monkeypatch):
    """The session is billed between the look and the deletion."""
    record = billed_by(other, station)
    with monkeypatch.context() as patch:
        patch.setattr(retiring, "used", lambda tariff: False)
        assert retiring.remove(tariff=other)
    with scopes_disabled(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert Tariff.objects.get(pk=record.tariff_id).retired_at is not None
