"""The operator's receipts: the list, one of them, and what they say of who issues them."""

from pathlib import Path

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from accounts import drivers
from billing import receipts as reads
from billing.models import Issuer, Receipt
from csms.dashboard import receipts
from stations.models import OutboxEntry
from tests.dashboard.conftest import browser_of
from tests.dashboard.rows import bill, finished, issued, plug
from tests.network import Network


def made(network: Network, count: int = 1) -> list[Receipt]:
    """Receipts of sessions of Dee, the first one first."""
    dee = drivers.sign_up(
        email=f"dee.{network.tag}@example.org", password="charge-it-all-night", operator=network.operator, name="Dee"
    )
    tariff, one, token = network.tariff(), plug(network), drivers.token_of(dee)
    return [issued(bill(finished(one, id_token=token), tariff)) for _ in range(count)]


def html(client: Client, path: str = "/receipts/") -> str:
    return client.get(path).content.decode()


def test_without_a_receipt_the_list_says_where_they_come_from(ada: Client) -> None:
    page = html(ada)
    assert "No receipts yet" in page
    assert "Complete the details" in page


def test_the_list_names_number_customer_session_and_total(ada: Client, amber: Network) -> None:
    (receipt,) = made(amber)
    page = html(ada)
    for word in (
        receipt.label,
        "Dee",
        f'href="/transactions/{receipt.record.transaction_id}/"',
        "4.71\u202fEUR",
        f"/receipts/{receipt.pk}/pdf/",
    ):
        assert word in page, word


@pytest.mark.parametrize(
    ("query", "shown"), [("q=2", [2]), ("q=2&month=2001-01", []), ("q={label}", [1]), ("month={month}", [1, 2, 3])]
)
def test_the_list_is_narrowed_by_number_and_month(ada: Client, amber: Network, query: str, shown: list[int]) -> None:
    found = made(amber, 3)
    page = html(ada, "/receipts/?" + query.format(label=found[0].label, month=f"{found[0].created_at:%Y-%m}"))
    assert [one.number for one in found if f">{one.label}<" in page] == shown


def test_the_list_goes_on_page_by_page_and_costs_the_same(
    ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: object
) -> None:
    found = made(amber, 5)
    monkeypatch.setattr(receipts, "PAGE", 2)
    seen, path = [], "/receipts/"
    while path:
        page = html(ada, path)
        seen += [one.number for one in reversed(found) if f">{one.label}<" in page]
        path = page.split('class="further"><a href="')[-1].split('"')[0] if ">More <" in page else ""
    assert seen == [5, 4, 3, 2, 1]
    with django_assert_num_queries(6):  # type: ignore[operator]  # session, user, operator, receipts, those that wait, issuer
        html(ada)


def test_what_is_still_to_be_made_is_told_and_why_it_was_not(ada: Client, amber: Network) -> None:
    (receipt,) = made(amber)
    assert "still to be made" not in html(ada)
    with scopes_disabled():
        reads.call_for(record=receipt.record)
        waiting = OutboxEntry.objects.filter(subscriber=reads.SUBSCRIBER)
        assert "1 receipt is still to be made." in html(ada)
        waiting.update(attempts=2, error="ValueError: no such zone")
    page = html(ada)
    assert f'href="/billing/{receipt.pk}/"' in page
    assert "ValueError: no such zone" in page
    with scopes_disabled():
        waiting.delete()


def test_the_page_of_one_prints_it_and_has_a_link_for_whoever_has_no_account(ada: Client, amber: Network, client: Client) -> None:
    (receipt,) = made(amber)
    page = html(ada, f"/receipts/{receipt.pk}/")
    assert '<article class="receipt" lang="en"' in page
    link = page.split('href="http://testserver')[1].split('"')[0]
    assert receipt.label in client.get(link).content.decode()
    assert f'href="/receipts/{receipt.pk}/"' in html(ada, f"/transactions/{receipt.record.transaction_id}/")


@pytest.mark.long
def test_without_pango_the_operator_reads_what_to_install(
    ada: Client, amber: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (receipt,) = made(amber)
    assert ada.get(f"/receipts/{receipt.pk}/pdf/").content.startswith(b"%PDF-")
    (tmp_path / "libpango-1.0.so.0").write_text("none")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    answer = ada.get(f"/receipts/{receipt.pk}/pdf/")
    assert answer.status_code == 503
    assert "apt install libpango-1.0-0" in answer.content.decode()


def test_the_details_are_changed_and_hold_from_the_next_receipt_on(ada: Client, amber: Network) -> None:
    details = {
        "legal_name": "Amber Grid GmbH",
        "address": "Am Hafen 1\r\n20457 Hamburg",
        "vat_id": "DE123456789",
        "series": "A{year}-",
        "language": "de",
    }
    assert ada.post("/receipts/details/", details)["Location"] == "/receipts/"
    assert "The next receipt says so." in html(ada)
    (receipt,) = made(amber)
    assert (receipt.series[0], receipt.language) == ("A", "de")
    assert receipt.content["issuer"]["lines"][:2] == ["Am Hafen 1", "20457 Hamburg"]
    assert "Complete the details" not in html(ada)
    assert 'value="DE123456789"' in html(ada, "/receipts/details/")


def test_a_series_that_cannot_be_is_refused_at_its_field(ada: Client) -> None:
    answer = ada.post("/receipts/details/", {"series": "R2026"})
    assert answer.status_code == 422
    assert 'id="id_series_error"' in answer.content.decode()
    with scopes_disabled():
        assert not Issuer.objects.exists()


def test_who_may_not_see_receipts_sees_none(amber: Network) -> None:
    (receipt,) = made(amber)
    for role, status in (("viewer", 403), ("technician", 403), ("support", 200), ("manager", 200), ("finance", 200)):
        client = browser_of(amber, role, role=role)
        assert client.get("/receipts/").status_code == client.get(f"/receipts/{receipt.pk}/").status_code == status, role
        assert (f"/receipts/{receipt.pk}/" in html(client, f"/transactions/{receipt.record.transaction_id}/")) == (status == 200), (
            role
        )
        assert client.get("/receipts/details/").status_code == (200 if role == "finance" else 403), role
