"""Receipts for programs: what they say, finding them, their PDFs; and who issues them."""

from typing import Any

import pytest
from django_scopes import scope

from billing.models import ChargeRecord, Receipt
from tests.api.conftest import Network, Person, person
from tests.dashboard.rows import issued

PATH = "/api/v1/receipts/"
ISSUERS = "/api/v1/receipt-issuers/"


@pytest.fixture
def receipt(ada: Person, amber: Network) -> Receipt:
    with scope(operator=ada.operator):
        return issued(ChargeRecord.objects.order_by("pk")[0])


def test_a_receipt_is_listed_as_it_was_issued(ada: Person, amber: Network, receipt: Receipt) -> None:
    (row,) = ada.client.rows("receipts/")
    assert row == ada.client.get(f"{PATH}{receipt.pk}/").json()
    assert (row["id"], row["number"], row["kind"], row["credits"]) == (receipt.pk, receipt.label, "charge", None)
    assert (row["session"], row["station"], row["energy_wh"]) == (amber.transaction.pk, amber.station.identity, 7500)
    assert (row["total_excl_tax"], row["total_incl_tax"], row["currency"]) == ("1.00", "3.57", "EUR")
    assert row["taxes"] == [{"percent": None, "net": "1.00", "tax": "2.57"}]
    assert (row["language"], row["customer"]) == ("en", None)
    assert row["started_at"].endswith("Z")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"number": "1"}, True),
        ({"number": "{label}"}, True),
        ({"number": "R-1"}, False),
        ({"session": "{session}"}, True),
        ({"session": "999999"}, False),
        ({"since": "2999-01-01"}, False),
        ({"until": "2999-01-01"}, True),
    ],
)
def test_the_list_is_narrowed(ada: Person, amber: Network, receipt: Receipt, asked: dict[str, str], found: bool) -> None:
    told = {name: text.format(label=receipt.label, session=amber.transaction.pk) for name, text in asked.items()}
    assert bool(ada.client.rows("receipts/", **told)) is found


def test_the_pdf_is_a_file(ada: Person, receipt: Receipt) -> None:
    answer = ada.client.get(f"{PATH}{receipt.pk}/pdf/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")


def test_without_pango_the_answer_says_what_to_install(
    ada: Person, receipt: Receipt, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "libpango-1.0.so.0").write_text("none")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    answer = ada.client.get(f"{PATH}{receipt.pk}/pdf/")
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert "apt install libpango-1.0-0" in answer.json()["detail"]


def test_a_key_needs_the_scope_to_read_receipts(ada: Person, ben: Person, receipt: Receipt) -> None:
    assert ben.client.get(PATH).status_code == 403
    assert person("reader", ada.operator, "owner", ("read",)).client.get(PATH).status_code == 403
    assert person("books", ada.operator, "finance", ("receipts.view",)).client.get(PATH).status_code == 200


def test_who_issues_receipts_is_changed_field_by_field(ada: Person) -> None:
    assert ada.client.rows("receipt-issuers/") == []
    change = {"legal_name": "Amber Grid GmbH", "address": "Am Hafen 1\n20457 Hamburg", "vat_id": "DE123456789"}
    answer = ada.client.post(ISSUERS, change, content_type="application/json")
    assert answer.status_code == 201
    ada.client.post(ISSUERS, {"language": "de"}, content_type="application/json")
    (row,) = ada.client.rows("receipt-issuers/")
    assert row | {"changed_at": ""} == change | {
        **{"operator": ada.operator.name, "register": "", "contact": "", "footer": "", "series": "R{year}-"},
        **{"language": "de", "complete": True, "changed_at": ""},
    }


@pytest.mark.parametrize("change", [{"series": "R2026"}, {"language": "xx"}, {"vat_id": 1}, {"vat": "x"}, {"footer": "x" * 1001}])
def test_a_wrong_detail_is_refused(ada: Person, change: dict[str, Any]) -> None:
    assert ada.client.post(ISSUERS, change, content_type="application/json").status_code == 400


def test_only_owners_and_finance_change_who_issues_them(ada: Person) -> None:
    for role, status in (("manager", 403), ("finance", 201)):
        client = person(role, ada.operator, role).client
        assert client.post(ISSUERS, {"contact": "x"}, content_type="application/json").status_code == status, role
