"""Charge records for programs, and their correction."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scope

from billing import services, tariffs
from billing.models import ChargeRecord
from stations.models import Transaction
from tests.api.conftest import Network, Person
from tests.billing import make

PATH = "/api/v1/charge-records/"


@pytest.fixture
def record(ada: Person, amber: Network) -> ChargeRecord:
    """10 kWh at 0.40."""
    t = make.transaction(make.station(ada.operator, "AMBER-77"), charging_ended_at=make.START + timedelta(minutes=20))
    with scope(operator=ada.operator):
        tariffs.add_tariff(
            operator=ada.operator, name="Usual", price_per_kwh=Decimal("0.40"), tax_percent=Decimal(19), is_default=True
        )
        assert services.make_charge_record(transaction_id=t.pk)
        made: ChargeRecord = ChargeRecord.objects.get(transaction=t)
        return made


def correct(who: Person, record: ChargeRecord, key: str = "", **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return who.client.post(f"{PATH}{record.pk}/correct/", body, content_type="application/json", headers=headers)


def test_a_record_explains_itself(ada: Person, record: ChargeRecord) -> None:
    row = ada.client.get(f"{PATH}{record.pk}/").json()
    assert (row["kind"], row["revision"], row["credits"], row["credited_by"], row["tariff_version"]) == ("charge", 1, None, None, 1)
    assert (row["site"], row["trust"], row["findings"]) == ("Site of AMBER-77", "measured", [])
    assert row["taxes"] == [{"percent": "19", "net": "4.00", "tax": "0.76"}]
    assert [line["vat_percent"] for line in row["lines"]] == ["19"]
    assert row["started_at"] == "2026-11-02T08:00:00.000000Z"
    assert (row["reserved_at"], row["charging_ended_at"]) == (None, "2026-11-02T08:20:00.000000Z")


def test_a_record_is_credited_and_priced_anew(ada: Person, record: ChargeRecord) -> None:
    with scope(operator=ada.operator):
        other = tariffs.add_tariff(operator=ada.operator, name="Fleet", price_per_kwh=Decimal("0.20"), tax_percent=Decimal(19))
    answer = correct(ada, record, key="k1", reason="Is a fleet card", tariff=other.pk)
    made = answer.json()
    assert (answer.status_code, made["credit"]["credits"], made["credit"]["total_incl_tax"]) == (201, record.pk, "-4.76")
    assert (made["charge"]["revision"], made["charge"]["total_incl_tax"], made["charge"]["reason"]) == (
        3,
        "2.38",
        "Is a fleet card",
    )
    again = correct(ada, record, key="k1", reason="Is a fleet card", tariff=other.pk)
    assert (again.status_code, again.json()["charge"]["id"]) == (200, made["charge"]["id"])
    assert correct(ada, record, key="k2", reason="Once more").status_code == 409
    for query, wanted in (("valid=true", ["charge"]), ("kind=credit", ["credit"]), (f"tariff={other.pk}", ["charge"])):
        found = ada.client.get(f"{PATH}?station=AMBER-77&{query}").json()["results"]
        assert [row["kind"] for row in found] == wanted, query
    (row,) = ada.client.rows("transactions/", station="AMBER-77")
    assert row["cost"]["total_incl_tax"] == "2.38"


def test_where_it_comes_to_the_same_nothing_is_made(ada: Person, record: ChargeRecord) -> None:
    answer = correct(ada, record, reason="To be sure")
    assert (answer.status_code, answer.json()) == (200, {"credit": None, "charge": None})


def test_a_refund_in_full_takes_the_cost_away(ada: Person, record: ChargeRecord) -> None:
    assert correct(ada, record, reason="Free of charge", pricing="none").json()["charge"] is None
    (row,) = ada.client.rows("transactions/", station="AMBER-77")
    assert row["cost"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"reason": ""}, 400),
        ({"reason": "x", "pricing": "dear"}, 400),
        ({"reason": "x", "pricing": "none", "tariff": 1}, 400),
        ({"reason": "x", "tariff": 2**40}, 404),
        ({"reason": "x", "price": 3}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(ada: Person, record: ChargeRecord, body: dict[str, Any], status: int) -> None:
    assert correct(ada, record, **body).status_code == status


def test_a_session_in_doubt_is_not_priced_anew(ada: Person, record: ChargeRecord) -> None:
    with scope(operator=ada.operator):
        Transaction.objects.filter(pk=record.transaction_id).update(doubt="register")
    assert correct(ada, record, reason="x").status_code == 409


def test_others_may_not(ben: Person, cleo: Person, record: ChargeRecord) -> None:
    assert correct(ben, record, reason="x").status_code == 403
    assert correct(cleo, record, reason="x").status_code == 404
