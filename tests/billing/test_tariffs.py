"""Tariffs as an operator has them: versions, and where and for whom each applies."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry, IdToken, IdTokenGroup, Operator
from billing import choosing, sentences, tariffs, tasks
from billing import tariff as engine
from billing.models import ChargeRecord, Tariff, TariffAssignment, TariffVersion
from billing.tariff import Dimension
from stations.models import Evse, Transaction
from tests.billing import make

pytestmark = pytest.mark.django_db


def ocpi(price, **restrictions):
    element = {"price_components": [{"type": "ENERGY", "price": price, "vat": 19, "step_size": 1}]}
    return {"elements": [element | ({"restrictions": restrictions} if restrictions else {})]}


def default_tariff():
    return Tariff.objects.filter(is_default=True).first()


def engine_tariff(of):
    with scopes_disabled():
        return engine.parse(choosing.as_ocpi(TariffVersion.objects.select_related("tariff").get(tariff=of)))


def records():
    with scopes_disabled():
        return list(ChargeRecord.objects.order_by("transaction_id"))


def billed(transaction):
    make.ended([transaction])
    tasks.make_charge_records()
    return next(record for record in records() if record.transaction_id == transaction.pk)


def test_a_new_default_replaces_the_old_one(amber, tariff):
    new = tariffs.add_tariff(operator=amber, name="New", is_default=True)
    with scope(operator=amber):
        assert list(Tariff.objects.filter(is_default=True)) == [new]
        tariffs.set_default_tariff(tariff=tariff)
        assert default_tariff() == tariff


def test_the_default_of_another_operator_is_left_alone(amber, tariff):
    tariffs.add_tariff(operator=make.operator("Cobalt Charge"), name="Theirs", is_default=True)
    with scope(operator=amber):
        assert default_tariff() == tariff


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"price_per_kwh": Decimal("-0.01")}, "price_per_kwh"),
        ({"tax_percent": Decimal(101)}, "tax_percent"),
        ({"price_per_minute": "a lot"}, "price_per_minute"),
        ({"currency": "eur"}, "currency"),
        ({"currency": "KWD"}, "currency"),
        ({"name": ""}, "name"),
    ],
)
def test_a_tariff_with_bad_values_is_refused_and_names_the_field(amber, fields, field):
    with pytest.raises(ValidationError) as refused:
        tariffs.add_tariff(**({"operator": amber, "name": "Standard"} | fields))
    assert list(refused.value.message_dict) == [field]
    with scope(operator=amber):
        assert not Tariff.objects.exists()


def test_prices_keep_every_digit_as_ocpi(amber):
    tariff = tariffs.add_tariff(
        operator=amber,
        name="Long",
        price_per_kwh=Decimal("12345678.9123"),
        price_per_minute=Decimal("12345678.9123"),
        price_per_session=Decimal("0.0001"),
        tax_percent=Decimal("19.99"),
    )
    components = {one.dimension: one for one in engine_tariff(tariff).elements[0].components}
    assert components[Dimension.ENERGY].price == Decimal("12345678.9123")
    assert components[Dimension.TIME].price == Decimal("740740734.738")
    assert components[Dimension.FLAT].price == Decimal("0.0001")
    assert {one.vat for one in components.values()} == {Decimal("19.99")}


def test_a_tariff_without_prices_is_free_of_charge(amber, station):
    tariffs.add_tariff(operator=amber, name="Free", is_default=True)
    make.ended([make.transaction(station)])
    tasks.make_charge_records()
    (record,) = records()
    assert (record.total_excl_tax, record.total_incl_tax) == (0, 0)
    assert [line["dimension"] for line in record.lines] == ["FLAT"]


# Versions


def test_what_applied_when_a_session_started_stays_applied(amber: Operator, station) -> None:
    with time_machine.travel(make.START - timedelta(days=2), tick=False):
        tariff = tariffs.add_tariff(operator=amber, name="Standard", ocpi=ocpi(0.40), is_default=True)
    with time_machine.travel(make.START - timedelta(days=1), tick=False):
        tariffs.add_version(tariff=tariff, ocpi=ocpi(0.50), valid_from=make.START + timedelta(minutes=1), note="Dearer")
    before = billed(make.transaction(station))
    after = billed(make.transaction(station, started_at=make.START + timedelta(minutes=2)))
    assert (before.total_excl_tax, before.choice["version"]) == (Decimal("4.00"), 1)
    assert (after.total_excl_tax, after.choice["version"]) == (Decimal("5.00"), 2)
    assert after.tariff_snapshot["elements"][0]["price_components"][0]["price"] == 0.5


def test_a_session_before_the_first_version_has_the_first(amber: Operator, station) -> None:
    tariffs.add_tariff(operator=amber, name="Standard", ocpi=ocpi(0.40), is_default=True)
    assert billed(make.transaction(station, started_at=timezone.now() - timedelta(days=40))).choice["version"] == 1


def test_a_tariff_does_not_change_in_the_past_nor_before_a_later_version(amber: Operator) -> None:
    tariff = tariffs.add_tariff(operator=amber, name="Standard", ocpi=ocpi(0.40))
    now = timezone.now()
    with pytest.raises(ValidationError, match="cannot change in the past"):
        tariffs.add_version(tariff=tariff, ocpi=ocpi(0.50), valid_from=now - timedelta(hours=1))
    later = tariffs.add_version(tariff=tariff, ocpi=ocpi(0.50), valid_from=now + timedelta(days=2))
    with pytest.raises(ValidationError, match="later version is there already"):
        tariffs.add_version(tariff=tariff, ocpi=ocpi(0.45), valid_from=now + timedelta(days=1))
    assert tariffs.withdraw_version(version=later)
    tariffs.add_version(tariff=tariff, ocpi=ocpi(0.45), valid_from=now + timedelta(days=1))
    with scope(operator=amber):
        assert [version.number for version in TariffVersion.objects.order_by("number")] == [1, 2]
        assert not tariffs.withdraw_version(version=TariffVersion.objects.get(number=1))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"elements": []}, "elements must be a list"),
        (ocpi(-1), "price must be a number"),
        (ocpi(1, start_time="25:00"), "start_time must be a time"),
        (ocpi(1) | {"currency": "CHF"}, "is in EUR"),
    ],
)
def test_a_version_that_cannot_be_priced_is_refused_with_the_place(amber: Operator, body, says) -> None:
    tariff = tariffs.add_tariff(operator=amber, name="Standard", ocpi=ocpi(0.40))
    with pytest.raises(ValidationError, match=says):
        tariffs.add_version(tariff=tariff, ocpi=body)


# Where and for whom


@pytest.fixture
def prices(amber: Operator) -> dict[str, Tariff]:
    names = ("network", "site", "station", "evse", "group", "drivers", "ad_hoc")
    return {name: tariffs.add_tariff(operator=amber, name=name, ocpi=ocpi(price / 10)) for price, name in enumerate(names, start=1)}


def chosen(transaction: Transaction) -> tuple[str, str, str] | None:
    with scopes_disabled():
        full = Transaction.objects.select_related("station__site", "id_token").get(pk=transaction.pk)
        found = choosing.Book([full.operator_id]).choose(choosing.case_of(full))
        return (found.version.tariff.name, found.place, found.audience) if found else None


def test_the_nearest_place_wins(amber: Operator, station, prices) -> None:
    transaction = make.transaction(station)
    with scope(operator=amber):
        evse = Evse.objects.select_related("station").get(station=station)
    assert chosen(transaction) is None
    tariffs.set_default_tariff(tariff=prices["network"])
    assert chosen(transaction) == ("network", "", "")
    for place, where in (("site", station.site), ("station", station), ("evse", evse)):
        tariffs.assign(tariff=prices[place], **{place: where})
        assert chosen(transaction) == (place, place, "")


def test_for_whom_goes_before_where(amber: Operator, station, prices) -> None:
    with scope(operator=amber):
        group = IdTokenGroup.objects.create(operator=amber, name="Fleet")
        token = IdToken.objects.create(operator=amber, value="CARD", key="CARD", group=group)
    carded, stranger = make.transaction(station, id_token=token), make.transaction(station)
    tariffs.assign(tariff=prices["station"], station=station)
    tariffs.assign(tariff=prices["ad_hoc"], audience="ad_hoc")
    tariffs.assign(tariff=prices["group"], audience="group", group=group)
    assert chosen(carded) == ("group", "", "group")
    assert chosen(stranger) == ("ad_hoc", "", "ad_hoc")


def test_an_assignment_takes_the_place_of_the_one_before_and_both_are_told(amber: Operator, station, prices) -> None:
    tariffs.assign(tariff=prices["site"], station=station)
    tariffs.assign(tariff=prices["station"], station=station)
    with scope(operator=amber):
        (one,) = TariffAssignment.objects.all()
        assert one.tariff == prices["station"]
        told = AuditEntry.objects.filter(action="tariff.assigned").order_by("-id").first()
        assert told
        assert told.before == {"tariff": "site"}
    tariffs.unassign(assignment=one)
    assert chosen(make.transaction(station)) is None


def test_a_place_of_another_network_cannot_be_assigned(amber: Operator, prices) -> None:
    theirs = make.station(make.operator("Cobalt Charge"), "COBALT-01")
    with pytest.raises(ValidationError, match="not in your network"):
        tariffs.assign(tariff=prices["site"], station=theirs)


def test_a_group_is_named_for_a_group_only(amber: Operator, prices) -> None:
    with pytest.raises(ValidationError, match="group of id tags"):
        tariffs.assign(tariff=prices["group"], audience="group")


# In words


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"elements": [
            {"price_components": [{"type": "ENERGY", "price": 0.2, "vat": 0, "step_size": 1}],
             "restrictions": {"start_time": "22:00", "end_time": "06:00"}},
            {"price_components": [{"type": "ENERGY", "price": 0.39, "step_size": 1}]},
            {"price_components": [{"type": "TIME", "price": 6, "step_size": 1}], "restrictions": {"min_duration": 14400}},
        ]}, "0.20 EUR per kWh from 22:00 to 06:00, otherwise 0.39 EUR per kWh and 0.10 EUR per minute after 4 h, tax included."),
        ({"elements": [{"price_components": [{"type": "PARKING_TIME", "price": 5, "step_size": 300}],
          "restrictions": {"day_of_week": ["SATURDAY", "SUNDAY"]}}], "max_price": {"excl_vat": 20, "incl_vat": 24.2}},
         "5.00 EUR per hour parked after charging (by every 5 min begun) on Saturday and Sunday and at most 20.00 EUR in all, "
         "tax included."),
        ({"elements": [{"price_components": [{"type": "ENERGY", "price": 0.5, "step_size": 1}], "restrictions": {"max_kwh": 10.5}},
          {"price_components": [{"type": "ENERGY", "price": 0.6, "step_size": 1}], "restrictions": {"min_power": 50}}]},
         "0.50 EUR per kWh for the first 10.5 kWh and 0.60 EUR per kWh at 50 kW or more, tax included."),
        ({"elements": [{"price_components": [{"type": "FLAT", "price": 0, "step_size": 1}]}]}, "Charging here is free."),
        ({"elements": [{"price_components": [{"type": "TIME", "price": 3, "step_size": 60}],
           "restrictions": {"reservation": "RESERVATION"}},
          {"price_components": [{"type": "FLAT", "price": 1, "step_size": 1}]}]},
         "1.00 EUR per session and 0.05 EUR per minute reserved, tax included."),
        ({"elements": [{"price_components": [{"type": "TIME", "price": 3, "step_size": 60},
                                             {"type": "FLAT", "price": 4, "step_size": 1}],
           "restrictions": {"reservation": "RESERVATION_EXPIRES"}}]},
         "0.05 EUR per minute of a reservation that is not used and 4.00 EUR for a reservation that is not used, tax included."),
        ({"elements": [{"price_components": [{"type": "TIME", "price": 6, "step_size": 1}], "restrictions": {"min_duration": 30}},
          {"price_components": [{"type": "ENERGY", "price": 1, "step_size": 500}], "restrictions": {"max_duration": 5405}}]},
         "1.00 EUR per kWh (by every 0.5 kWh begun) in the first 1 h 30 min 5 s and 0.10 EUR per minute after 30 s, tax included."),
        ({"elements": [{"price_components": [{"type": "ENERGY", "price": 1, "vat": 20, "step_size": 1}],
           "restrictions": {"min_kwh": 0, "min_duration": 0}}], "max_price": {"excl_vat": 10}},
         "1.20 EUR per kWh and at most 12.00 EUR in all, tax included."),
        ({"elements": [{"price_components": [{"type": "ENERGY", "price": 1, "vat": 20, "step_size": 1},
                                             {"type": "FLAT", "price": 1, "step_size": 1}]}],
          "min_price": {"excl_vat": 5}, "max_price": {"excl_vat": 10}},
         "1.20 EUR per kWh, 1.00 EUR per session, at least 5.00 EUR before tax in all and at most 10.00 EUR before tax in all, "
         "tax included."),
        ({"elements": [{"price_components": [{"type": "ENERGY", "price": 1, "step_size": 1}]}], "max_price": {"excl_vat": 0}},
         "1.00 EUR per kWh and at most 0.00 EUR in all, tax included."),
    ],
)  # fmt: skip
def test_a_tariff_is_one_sentence(body, said) -> None:
    sentence = sentences.sentence(engine.parse({"currency": "EUR"} | body))
    assert sentence.replace("\u202f", " ").replace("\u00a0", " ") == said
