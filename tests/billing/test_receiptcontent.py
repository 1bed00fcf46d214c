"""What a receipt prints: words, numbers and dates with which an accountant finds no fault."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from django.utils.formats import date_format
from django_scopes import scope, scopes_disabled

from accounts import drivers
from accounts.models import Operator, User
from billing import receipts, tariffs, tasks
from billing.models import ChargeRecord, Receipt, Tariff
from stations.models import Station, Transaction
from tests.billing import make

pytestmark = pytest.mark.django_db


def billed(station: Station, **fields: object) -> ChargeRecord:
    session = make.transaction(station, **fields)
    make.ended([session])
    tasks.make_charge_records()
    with scopes_disabled():
        return ChargeRecord.objects.get(transaction=session)


def issue(record: ChargeRecord) -> Receipt:
    with scope(operator=record.operator):
        return receipts.issue(record=record)


def rows(receipt: Receipt) -> list[list[str]]:
    found: list[list[str]] = receipt.content["table"]["rows"]
    return found


def facts(receipt: Receipt) -> dict[str, str]:
    return dict(receipt.content["facts"])


def put_right(record: ChargeRecord, **values: object) -> list[Receipt]:
    """Its session is another one now: the credit note, and what comes in its place."""
    with scopes_disabled():
        Transaction.objects.filter(pk=record.transaction_id).update(**values)
    make.ended([record.transaction])
    tasks.make_charge_records()
    with scopes_disabled():
        new = list(ChargeRecord.objects.filter(transaction=record.transaction_id, revision__gt=1).order_by("revision"))
    return [issue(one) for one in new]


def test_what_a_limit_adds_has_a_name(station: Station, amber: Operator) -> None:
    parts = [{"type": "ENERGY", "price": 0.4, "step_size": 1}]
    ocpi = {"elements": [{"price_components": parts}], "min_price": {"excl_vat": 6.0}}
    tariffs.add_tariff(operator=amber, name="At least six", ocpi=ocpi, is_default=True)
    table = issue(billed(station)).content["table"]
    assert table["rows"] == [
        ["Energy", "10\u202fkWh", "0.40", "4.00"],
        ["Up to the minimum price", "1", "2.00", "2.00"],
    ]
    assert table["sums"][0] == ["Without tax", "6.00"]


def test_what_a_limit_adds_is_taxed_though_it_names_no_price_with_tax(station: Station, amber: Operator) -> None:
    parts = [{"type": "ENERGY", "price": 0.4, "vat": 25, "step_size": 1}]
    ocpi = {"elements": [{"price_components": parts}], "min_price": {"excl_vat": 6.0}}
    tariffs.add_tariff(operator=amber, name="At least six", ocpi=ocpi, is_default=True)
    content = issue(billed(station)).content
    assert (content["data"]["total_excl_tax"], content["data"]["total_incl_tax"]) == ("6.00", "7.50")
    assert content["data"]["taxes"] == [{"percent": "25", "net": "6.00", "tax": "1.50"}]
    assert any("at least 7.50" in note for note in content["notes"])


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        # A market's price of a kWh has five decimals.
        (("ENERGY", "10", "kWh", "0.12345", "1.2345"), ["Energy", "10\u202fkWh", "0.12345", "1.2345"]),
        (("TIME", "0.5", "h", "1.2", "0.6"), ["Charging time", "30\u202fmin", "0.02", "0.60"]),
        # By the minute it would be 0.083333, and thirty of those are not what it cost.
        (("TIME", "0.5", "h", "5", "2.5"), ["Charging time", "0.5\u202fh", "5.00", "2.50"]),
    ],
)
def test_amount_times_price_is_what_it_cost(station: Station, tariff: Tariff, line: tuple[str, ...], printed: list[str]) -> None:
    record = billed(station)
    record.lines = [dict(zip(("dimension", "volume", "unit", "price", "cost_excl_tax"), line, strict=True))]
    assert rows(issue(record)) == [printed]


def test_what_a_market_drives_is_told_in_words_too(station: Station, tariff: Tariff) -> None:
    record = billed(station)
    part = {"type": "ENERGY", "price": 0.1, "vat": 20, "step_size": 1, "price_series": "day-ahead"}
    record.tariff_snapshot = {"currency": "EUR", "elements": [{"price_components": [part]}]}
    (words,) = [note for note in issue(record).content["notes"] if "market" in note]
    assert words.startswith("the market's price plus 0.12")


def test_where_there_are_several_rates_each_line_says_its_own(station: Station, tariff: Tariff) -> None:
    record = billed(station)
    assert [row[0] for row in rows(issue(record))] == ["Energy", "Charging time"]
    other = billed(station)
    other.lines[1]["vat_percent"] = "7.50"
    other.taxes = [{"percent": "25", "net": "4.00", "tax": "1.00"}, {"percent": "7.5", "net": "0.60", "tax": "0.05"}]
    assert [row[0] for row in rows(issue(other))] == ["Energy (25\u202f%)", "Charging time (7.5\u202f%)"]


def test_the_meter_on_a_credit_note_is_that_of_what_it_takes_back(station: Station, tariff: Tariff) -> None:
    record = billed(station)
    charged = issue(record)
    note, again = put_right(record, meter_start_wh=Decimal(3000), energy_wh=Decimal(8000))
    assert facts(charged)["Meter"] == facts(note)["Meter"] == "from 1.00\u202fkWh to 11.00\u202fkWh"
    assert facts(again)["Meter"] == "from 3.00\u202fkWh to 11.00\u202fkWh"
    assert note.content["data"]["meter_start_wh"] == charged.content["data"]["meter_start_wh"] == "1000.000"


def test_whichever_of_them_a_worker_takes_first_they_are_numbered_in_their_order(station: Station, tariff: Tariff) -> None:
    record = billed(station)
    with scopes_disabled():
        Transaction.objects.filter(pk=record.transaction_id).update(energy_wh=Decimal(8000))
    make.ended([record.transaction])
    tasks.make_charge_records()
    with scopes_disabled():
        chain = list(ChargeRecord.objects.filter(transaction=record.transaction_id).order_by("revision"))
    again, note, charged = (issue(one) for one in reversed(chain))
    assert [one.number for one in (charged, note, again)] == [1, 2, 3]
    assert facts(again)["In place of"].startswith(f"receipt {charged.label} of ")


def test_a_meter_that_says_another_energy_is_not_printed_beside_it(station: Station, tariff: Tariff) -> None:
    """The session was put right before its receipt was made."""
    record = billed(station)
    with scopes_disabled():
        Transaction.objects.filter(pk=record.transaction_id).update(meter_start_wh=Decimal(3000))
    receipt = issue(record)
    assert "Meter" not in facts(receipt)
    assert receipt.content["data"]["meter_stop_wh"] is None


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_day_of_issue_is_of_the_clock_by_which_numbers_have_their_year(amber: Operator, tariff: Tariff, zone: str) -> None:
    """At any hour it is another day in one of the two."""
    receipt = issue(billed(make.station(amber, time_zone=zone)))
    day = timezone.localtime(receipt.created_at, timezone.get_default_timezone())
    assert receipt.content["date"][1] == date_format(day, "j F Y")
    assert str(day.year) in receipt.label


def test_a_language_that_there_is_no_more_stops_no_receipt(station: Station, tariff: Tariff, amber: Operator) -> None:
    dee = drivers.sign_up(email="dee@example.org", password="charge-it-all-night", operator=amber, name="Dee", language="de")
    User.objects.filter(pk=dee.pk).update(language="xx")
    fields: dict[str, Any] = {"id_token": drivers.token_of(dee)}
    assert issue(billed(station, **fields)).language == "en"


def test_it_says_since_when_the_plug_was_kept_and_the_vehicle_parked_and_so_does_its_credit_note(
    station: Station, tariff: Tariff
) -> None:
    kept = {"reserved_at": make.START - timedelta(minutes=31), "charging_ended_at": make.START + timedelta(minutes=25)}
    receipt = issue(record := billed(station, **kept))
    assert facts(receipt)["Reserved since"] == "2 November 2026 08:29:00 CET"
    assert facts(receipt)["Only parked since"] == "2 November 2026 09:25:00 CET"
    assert receipt.content["data"]["reserved_at"] == "2026-11-02T07:29:00+00:00"
    note, again = put_right(record, energy_wh=Decimal(5000), reserved_at=None, charging_ended_at=None)
    assert facts(note)["Reserved since"] == facts(receipt)["Reserved since"]
    assert "Only parked since" not in facts(again)
    assert again.content["data"]["charging_ended_at"] is None
