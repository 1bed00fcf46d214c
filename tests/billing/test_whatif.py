"""What if: a session that took place costs what its charge record says, and under other tariffs what they say."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from django_scopes import scopes_disabled

from billing import choosing, tariffs, tasks, whatif
from billing import tariff as tariff_engine
from billing.models import ChargeRecord, TariffVersion
from stations.models import Transaction
from tests.billing import make

pytestmark = pytest.mark.django_db


def past(transaction):
    with scopes_disabled():
        return whatif.past(Transaction.objects.select_related("station__site").get(pk=transaction.pk))


def object_of(one):
    with scopes_disabled():
        return choosing.as_ocpi(TariffVersion.objects.select_related("tariff").get(tariff=one))


def test_what_if_is_what_the_charge_record_says(amber, station, tariff):
    made = make.transaction(station, 12_345)
    make.sample(made, 7, 4_000)
    make.sample(made, 20, 9_999)
    make.ended([made])
    tasks.make_charge_records()
    with scopes_disabled():
        record = ChargeRecord.objects.get()
    session = past(made)
    for _again in range(2):
        found = whatif.priced(object_of(tariff), session, operator_id=amber.pk)
        assert (found.total_excl_tax, found.total_incl_tax) == (record.total_excl_tax, record.total_incl_tax)
        assert [f"{line.volume:f}" for line in found.lines] == [line["volume"] for line in record.lines]


def test_under_another_tariff_it_costs_what_that_one_says(amber, station):
    other = tariffs.add_tariff(operator=amber, name="Other", price_per_session=Decimal(3))
    found = whatif.priced(object_of(other), past(make.transaction(station)), operator_id=amber.pk)
    assert found.total_excl_tax == Decimal(3)


def test_a_session_that_runs_is_priced_until_now(amber, station, tariff):
    began = timezone.now() - timedelta(hours=1)
    made = make.transaction(station, 5_000, status="active", started_at=began, stopped_at=None)
    session = past(made)
    assert timedelta(hours=1) <= session.end - session.start < timedelta(hours=1, minutes=1)


def test_what_would_take_minutes_is_refused(amber, station):
    hours = [f"{n // 60:02}:{n % 60:02}" for n in range(500)]
    part = {"price_components": [{"type": "TIME", "price": 1, "step_size": 1}]}
    many = {"currency": "EUR", "elements": [part | {"restrictions": {"start_time": at}} for at in hours]}
    session = past(make.transaction(station))
    assert whatif.priced(many, session, operator_id=amber.pk).total_excl_tax == Decimal("0.50")
    year = tariff_engine.Session(session.start, session.start + whatif.LONGEST, "UTC", (), session.start)
    with pytest.raises(tariff_engine.InvalidSession, match="too much to work out"):
        whatif.priced(many, year, operator_id=amber.pk)


@pytest.mark.parametrize(
    ("energy_wh", "fields", "says"),
    [
        (None, {}, "not known"),
        (-1, {}, "not known"),
        (1000, {"stopped_at": make.START + timedelta(days=400)}, "366 days at most"),
    ],
)
def test_what_nobody_can_price_is_refused(station, energy_wh, fields, says):
    with pytest.raises(tariff_engine.InvalidSession, match=says):
        past(make.transaction(station, energy_wh, **fields))


def test_without_its_samples_a_session_is_priced_only_where_it_does_not_matter_when_its_energy_flowed(amber, station, tariff):
    long_ago = make.START - timedelta(days=3000)
    made = make.transaction(station, started_at=long_ago, stopped_at=long_ago + timedelta(hours=9))
    night = {"type": "ENERGY", "price": 0.2, "step_size": 1}
    by_hour = {"currency": "EUR", "elements": [{"price_components": [night], "restrictions": {"start_time": "12:00"}}]}
    assert whatif.priced(by_hour, past(made), operator_id=amber.pk).lines, "they are kept until it is billed"
    make.ended([made])
    tasks.make_charge_records()
    session = past(made)
    assert whatif.priced(object_of(tariff), session, operator_id=amber.pk).total_excl_tax == Decimal("14.80")
    with pytest.raises(tariff_engine.InvalidSession, match="samples were let go"):
        whatif.priced(by_hour, session, operator_id=amber.pk)
