"""Receipts: one for each charge record, numbered without gaps, in the driver's language, and frozen."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts import drivers
from accounts.models import AuditEntry, FormerIdTag, IdToken, Operator, User
from billing import issued, receipts, tariffs, tasks
from billing.models import ChargeRecord, Issuer, Receipt, ReceiptCustomer, Tariff
from csms import receipts as print_out
from stations import outbox
from stations.models import OutboxEntry, Station
from tests.billing import make
from tests.database import may_not_be_emptied
from tests.empty import empty_database

__all__ = ["empty_database"]

GERMAN = {
    "legal_name": "Amber Grid GmbH",
    "address": "Am Hafen 1\n20457 Hamburg",
    "vat_id": "DE123456789",
    "register": "Amtsgericht Hamburg, HRB 12345",
}


@pytest.fixture
def dee(amber: Operator) -> User:
    return drivers.sign_up(email="dee@example.org", password="charge-it-all-night", operator=amber, name="Dee", language="de")


@pytest.fixture
def records(station: Station, tariff: Tariff) -> list[ChargeRecord]:
    return billed(station, 3)


def billed(station: Station, count: int, **fields: object) -> list[ChargeRecord]:
    """Charge records of sessions of 10 kWh and half an hour, made as they are made."""
    ended = make.transactions(station, [10_000] * count, **fields)
    make.ended(ended)
    tasks.make_charge_records()
    with scopes_disabled():
        return list(ChargeRecord.objects.filter(transaction__in=ended).order_by("pk"))


def issue(record: ChargeRecord) -> Receipt:
    with scope(operator=record.operator):
        return receipts.issue(record=record)


def labels() -> list[str]:
    with scopes_disabled():
        return list(Receipt.objects.order_by("number").values_list("label", flat=True))


def waiting() -> list[OutboxEntry]:
    with scopes_disabled():
        return list(OutboxEntry.objects.filter(subscriber=receipts.SUBSCRIBER))


def year() -> int:
    return timezone.localtime().year


def values(receipt: Receipt) -> dict[str, str]:
    return dict(receipt.content["facts"])


# Numbers


def test_the_job_gives_each_record_one_receipt_with_the_next_number(records: list[ChargeRecord]) -> None:
    assert tasks.make_receipts() == 3
    assert labels() == [f"R{year()}-0000{number}" for number in (1, 2, 3)]
    assert waiting() == []
    assert tasks.make_receipts() == 0
    with scopes_disabled():
        assert set(Receipt.objects.values_list("pk", flat=True)) == {record.pk for record in records}


def test_a_record_that_is_told_twice_has_one_receipt(records: list[ChargeRecord]) -> None:
    first = issue(records[0])
    assert issue(records[0]) == first
    tasks.make_receipts()
    assert len(labels()) == 3


def test_networks_and_series_are_numbered_by_themselves(records: list[ChargeRecord], station: Station, amber: Operator) -> None:
    other = make.operator("Cobalt")
    place = make.station(other, "COBALT-01")
    tariffs.add_tariff(operator=other, name="C", price_per_kwh=Decimal("0.10"), is_default=True)
    (theirs,) = billed(place, 1)
    assert (issue(records[0]).number, issue(theirs).number, issue(records[1]).number) == (1, 1, 2)
    receipts.set_issuer(operator=amber, series="A-")
    assert issue(records[2]).label == "A-00001"
    receipts.set_issuer(operator=amber, series="R{year}-")
    (later,) = billed(station, 1)
    assert issue(later).label == f"R{year()}-00003"


def test_what_fails_leaves_no_gap(records: list[ChargeRecord]) -> None:
    with transaction.atomic():
        issue(records[0])
        transaction.set_rollback(True)
    assert issue(records[1]).number == 1
    assert issue(records[0]).number == 2


def test_an_entry_whose_record_is_gone_is_done(amber: Operator) -> None:
    now = timezone.now()
    with scopes_disabled():
        OutboxEntry.objects.bulk_create(OutboxEntry(**row) for row in outbox.entries("charge_record.made", amber.pk, 10**12, now))
    assert tasks.make_receipts() == 1
    assert waiting() == labels() == []


def test_a_record_from_before_there_were_receipts_gets_one_when_it_is_asked_for(records: list[ChargeRecord]) -> None:
    with scopes_disabled():
        OutboxEntry.objects.all().delete()
    with scope(operator=records[0].operator):
        for _ in range(2):
            receipts.call_for(record=records[0])
    assert [entry.object_id for entry in waiting()] == [records[0].pk]
    tasks.make_receipts()
    assert len(labels()) == 1


# What it says


def test_a_receipt_says_all_that_is_needed_and_adds_up(records: list[ChargeRecord], amber: Operator) -> None:
    receipts.set_issuer(operator=amber, footer="Thank you.", contact="help@amber.example", **GERMAN)
    receipt = issue(records[0])
    content = receipt.content
    assert (content["version"], content["language"], receipt.language, content["heading"]) == (1, "en", "en", "Receipt")
    assert content["issuer"] == {
        "name": "Amber Grid GmbH",
        "lines": ["Am Hafen 1", "20457 Hamburg", "Amber Grid"],
        "details": [
            ["VAT number", "DE123456789"],
            ["Company register", "Amtsgericht Hamburg, HRB 12345"],
            ["Contact", "help@amber.example"],
        ],
        "footer": "Thank you.",
        "complete": True,
    }
    told = values(receipt)
    assert told["Charger"] == "AMBER-01, plug 1"
    assert told["From"] == "2 November 2026 09:00:00 CET"
    assert (told["Duration"], told["Energy"]) == ("30 min", "10.00\u202fkWh")
    assert told["Meter"] == "from 1.00\u202fkWh to 11.00\u202fkWh"
    table = content["table"]
    assert ["Energy", "10\u202fkWh", "0.40", "4.00"] in table["rows"]
    assert ["Charging time", "30\u202fmin", "0.02", "0.60"] in table["rows"]
    assert table["sums"][0] == ["Without tax", "4.60"]
    assert table["sums"][-1][1] == "1.15"
    assert table["total"] == ["Total", "5.75\u202fEUR"]
    assert any("0.50\u202fEUR per kWh" in note for note in content["notes"])
    assert content["data"]["total_incl_tax"] == "5.75"


def test_a_receipt_without_the_issuers_details_says_so(records: list[ChargeRecord]) -> None:
    content = issue(records[0]).content
    assert content["issuer"]["name"] == "Amber Grid"
    assert not content["issuer"]["complete"]
    assert any("Not all details of the issuer are known" in note for note in content["notes"])


@pytest.mark.parametrize(
    ("drivers_own", "networks", "expected"), [("nl", "de", "nl"), ("", "de", "de"), ("", "", "en"), ("de", "", "de")]
)
def test_it_is_in_the_drivers_language_else_the_networks(
    station: Station, tariff: Tariff, amber: Operator, dee: User, drivers_own: str, networks: str, expected: str
) -> None:
    User.objects.filter(pk=dee.pk).update(language=drivers_own)
    receipts.set_issuer(operator=amber, language=networks)
    (record,) = billed(station, 1, id_token=drivers.token_of(dee))
    receipt = issue(record)
    assert receipt.language == receipt.content["language"] == expected


def test_numbers_and_dates_are_written_as_the_language_writes_them(station: Station, tariff: Tariff, dee: User) -> None:
    (record,) = billed(station, 1, id_token=drivers.token_of(dee))
    content = issue(record).content
    assert content["table"]["total"][1] == "5,75\u202fEUR"
    assert any(value.startswith("2. November 2026 09:00:00") for _label, value in content["facts"])


def test_an_hour_that_comes_twice_is_told_apart(station: Station, tariff: Tariff) -> None:
    at = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    (record,) = billed(station, 1, started_at=at, stopped_at=at + timedelta(hours=1))
    told = values(issue(record))
    assert (told["From"][-13:], told["Until"][-13:]) == ("02:30:00 CEST", " 02:30:00 CET")


@pytest.mark.parametrize(("currency", "total"), [("JPY", "575"), ("KWD", "5.750"), ("EUR", "5.75")])
def test_amounts_have_the_decimals_of_their_currency(records: list[ChargeRecord], currency: str, total: str) -> None:
    record = records[0]
    record.currency = currency
    if currency == "JPY":
        record.total_excl_tax, record.total_incl_tax = Decimal(460), Decimal(575)
    assert issue(record).content["table"]["total"][1] == f"{total}\u202f{currency}"


def test_taxes_stand_by_their_rate(records: list[ChargeRecord]) -> None:
    record = records[0]
    record.taxes = [{"percent": "19", "net": "4.00", "tax": "0.76"}, {"percent": "7.5", "net": "0.60", "tax": "0.05"}]
    record.taxes.append({"percent": "0", "net": "-1.00", "tax": "-0.00"})
    sums = issue(record).content["table"]["sums"]
    assert sums[1:] == [["Tax 19\u202f% of 4.00", "0.76"], ["Tax 7.5\u202f% of 0.60", "0.05"], ["Tax 0\u202f% of -1.00", "0.00"]]


# Credit notes


def credit_of(record: ChargeRecord, **fields: Any) -> ChargeRecord:
    """The record that takes another back, as corrections make it."""
    with scopes_disabled():
        made = ChargeRecord.objects.get(pk=record.pk)
        made.pk, made.revision = None, record.revision + 1
        made.total_excl_tax, made.total_incl_tax = -record.total_excl_tax, -record.total_incl_tax
        made.lines = [line | {name: str(-Decimal(line[name])) for name in ("volume", "cost_excl_tax")} for line in record.lines]
        for name, value in ({"kind": "credit", "credits": record, "reason": "The meter was wrong."} | fields).items():
            setattr(made, name, value)
        made.save(force_insert=True)
    return made


def test_a_credit_note_names_the_receipt_that_it_takes_back_and_has_a_number_of_the_same_series(
    records: list[ChargeRecord],
) -> None:
    charged = issue(records[0])
    note = issue(credit_of(records[0]))
    assert (note.content["kind"], note.content["heading"], note.number) == ("credit", "Credit note", 2)
    told = values(note)
    assert told["Takes back"].startswith(f"receipt {charged.label} of ")
    assert told["Reason"] == "The meter was wrong."
    assert note.content["table"]["total"][1] == "-5.75\u202fEUR"
    assert note.content["data"]["credits"] == charged.label


def test_a_credit_note_whose_receipt_is_not_issued_yet_issues_it_first(records: list[ChargeRecord]) -> None:
    note = issue(credit_of(records[0]))
    assert (note.number, issue(records[0]).number) == (2, 1)


def test_what_is_billed_anew_says_in_place_of_what(records: list[ChargeRecord]) -> None:
    charged = issue(records[0])
    credit = credit_of(records[0])
    issue(credit)
    again = credit_of(credit, kind="charge", credits=None, reason="")
    assert values(issue(again))["In place of"].startswith(f"receipt {charged.label} of ")


# Frozen


def test_nothing_that_changes_afterwards_changes_a_receipt(station: Station, tariff: Tariff, amber: Operator, dee: User) -> None:
    (record,) = billed(station, 1, id_token=drivers.token_of(dee))
    made = issue(record)
    before, html = made.content, print_out.printed(made)
    with scopes_disabled():
        Station.objects.update(identity="RENAMED", name="x")
        station.site.operator.sites.update(name="Elsewhere", time_zone="Asia/Tokyo", address="x")
        Tariff.objects.update(name="Dear")
        Operator.objects.filter(pk=amber.pk).update(name="Sold")
        User.objects.filter(pk=dee.pk).update(name="Renamed", language="nl", email="new@example.org")
    receipts.set_issuer(operator=Operator.objects.get(pk=amber.pk), language="nl", **GERMAN)
    with scopes_disabled():
        after = Receipt.objects.get(pk=record.pk)
        record.refresh_from_db()
    assert issue(record) == after
    assert (after.content, print_out.printed(after)) == (before, html)
    assert "RENAMED" not in html
    assert "dee@example.org" in html


@pytest.mark.parametrize(
    "statement", ["UPDATE billing_receipt SET language = 'nl'", "DELETE FROM billing_receipt", "TRUNCATE billing_receipt CASCADE"]
)
def test_the_database_refuses_to_change_a_receipt(records: list[ChargeRecord], statement: str) -> None:
    issue(records[0])
    may_not_be_emptied()
    with pytest.raises(IntegrityError, match="never changed or deleted"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


# Who it is for


def test_who_deletes_their_account_leaves_the_receipt_as_nobodys(station: Station, tariff: Tariff, dee: User) -> None:
    (record,) = billed(station, 1, id_token=drivers.token_of(dee))
    made = issue(record)
    assert "dee@example.org" in print_out.printed(made)
    drivers.delete_account(driver=dee)
    with scopes_disabled():
        left = Receipt.objects.get(pk=made.pk)
        assert not ReceiptCustomer.objects.exists()
        assert "dee" not in str(left.content).lower()
        assert "dee@" not in print_out.printed(left)
    assert left.label == made.label


def test_it_is_for_whom_the_card_was_then(station: Station, tariff: Tariff, amber: Operator, dee: User) -> None:
    other = drivers.sign_up(email="dan@example.org", password="charge-it-all-night", operator=amber)
    with scopes_disabled():
        card = IdToken.objects.create(
            operator=amber, value="C1", key="C1", driver=other, driver_since=make.START + timedelta(days=1)
        )
        FormerIdTag.objects.create(
            driver=dee, token=card, since=make.START - timedelta(days=1), until=make.START + timedelta(hours=1)
        )
        times = (make.START, make.START + timedelta(hours=2), make.START + timedelta(days=2))
        before, between, now = (make.transaction(station, started_at=at) for at in times)
        for one in (before, between, now):
            one.id_token = card
        assert [receipts.driver_of(one) for one in (before, between, now)] == [dee, None, other]


# Who issues it


def test_the_details_are_kept_line_by_line_and_told_to_the_audit(amber: Operator) -> None:
    issuer = receipts.set_issuer(operator=amber, **GERMAN)
    assert (issuer.complete, issuer.series) == (True, "R{year}-")
    receipts.set_issuer(operator=amber, vat_id="")
    with scopes_disabled():
        assert not Issuer.objects.get().complete
        last = AuditEntry.objects.filter(action="issuer.changed").latest("pk")
    assert (last.before, last.after) == ({"vat_id": "DE123456789"}, {"vat_id": ""})


@pytest.mark.parametrize("series", ["", "R2026", "{year}", "R {year}-", "R{month}-", "Ä-", "x" * 20 + "-", "R\n-"])
def test_a_series_in_which_numbers_could_be_misread_is_refused(amber: Operator, series: str) -> None:
    with pytest.raises(ValidationError) as refused:
        receipts.set_issuer(operator=amber, series=series)
    assert set(refused.value.message_dict) == {"series"}


@pytest.mark.parametrize("details", [{"language": "xx"}, {"legal_name": "a\x00b"}, {"footer": "x" * 1001}])
def test_what_cannot_be_printed_is_refused(amber: Operator, details: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        receipts.set_issuer(operator=amber, **details)
    assert set(refused.value.message_dict) == set(details)


def test_a_receipt_is_found_by_its_number(records: list[ChargeRecord]) -> None:
    for record in records:
        issue(record)
    with scope(operator=records[0].operator):
        for text in ("2", " 00002 ", f"R{year()}-00002", f"r{year()}-00002"):
            assert [one.number for one in Receipt.objects.filter(issued.numbered(text))] == [2], text
        for text in ("9", "R-2", "9" * 40, "²"):
            assert not Receipt.objects.filter(issued.numbered(text)).exists(), text


def test_a_link_opens_one_receipt_and_no_other(records: list[ChargeRecord]) -> None:
    made, other = issue(records[0]), issue(records[1])
    token = issued.token_of(made)
    assert issued.by_token(token) == made
    signature = token.partition(":")[2]
    for wrong in (f"{other.pk}:{signature}", token[:-1], "", "x:y"):
        assert issued.by_token(wrong) is None, wrong
