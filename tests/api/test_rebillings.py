"""Sessions priced anew over the API: worked out, started, led, and read with what failed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scopes_disabled

from billing import services, tariffs, tasks
from billing.models import Rebilling, Tariff
from stations.models import Transaction
from tests.api.conftest import Network, Person, person
from tests.billing import make

PATH = "/api/v1/rebillings/"


@pytest.fixture
def usual(ada: Person, amber: Network) -> Tariff:
    """What three sessions of 10 kWh were billed by, at 0.40; one of these is not trusted any more."""
    with scopes_disabled():
        tariff = tariffs.add_tariff(operator=ada.operator, name="Usual", price_per_kwh=Decimal("0.40"), is_default=True)
        rows = make.transactions(make.station(ada.operator, "AMBER-77"), [10_000] * 3)
        services.make_charge_records(transaction_ids=[one.pk for one in rows])
        Transaction.objects.filter(pk=rows[1].pk).update(doubt="register")
    return tariff


@pytest.fixture
def other(ada: Person) -> Tariff:
    with scopes_disabled():
        return tariffs.add_tariff(operator=ada.operator, name="Fleet", price_per_kwh=Decimal("0.20"))


def asked(usual: Tariff, **more: Any) -> dict[str, Any]:
    until = make.START + timedelta(days=1)
    return {"tariff": usual.pk, "since": make.START.isoformat(), "until": until.isoformat(), "reason": "A wrong price"} | more


def post(who: Person, path: str = "", body: Any = None, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return who.client.post(f"{PATH}{path}", body, content_type="application/json", headers=headers)


def test_it_is_worked_out_started_and_tells_what_failed(ada: Person, usual: Tariff, other: Tariff) -> None:
    answer = post(ada, body=asked(usual, under=other.pk))
    row = answer.json()
    assert (answer.status_code, row["state"], row["total"], row["requested_by"]) == (201, "checking", 0, "ada@example.org")
    assert post(ada, f"{row['id']}/start/").status_code == 409
    tasks.advance_rebillings()
    row = ada.client.get(f"{PATH}{row['id']}/").json()
    assert (row["state"], row["would_change"], row["would_differ"], row["changed"]) == ("ready", 2, {"EUR": "-4.00"}, 0)
    assert (row["failures"], [one["error"][:26] for one in row["failed"]]) == (1, ["Its session is not trusted"])
    assert post(ada, f"{row['id']}/start/").json()["state"] == "running"
    assert post(ada, f"{row['id']}/pause/").json()["state"] == "paused"
    assert post(ada, f"{row['id']}/resume/").json()["state"] == "running"
    tasks.advance_rebillings()
    row = ada.client.get(f"{PATH}{row['id']}/").json()
    assert (row["state"], row["changed"], row["difference"], row["looked_at"]) == ("done", 2, {"EUR": "-4.00"}, 3)
    refused = post(ada, f"{row['id']}/cancel/")
    assert (refused.status_code, refused.json()["detail"]) == (409, f"Re-billing {row['id']} is done: this cannot be done now.")


def test_asked_again_with_the_same_key_it_is_the_same(ada: Person, usual: Tariff, other: Tariff) -> None:
    first = post(ada, body=asked(usual, under=other.pk), key="k1")
    again = post(ada, body=asked(usual, under=other.pk), key="k1")
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 200, first.json()["id"])
    assert post(ada, body=asked(usual), key="k1").status_code == 409
    assert post(ada, body=asked(usual), key="k2").status_code == 201
    with scopes_disabled():
        assert Rebilling.objects.count() == 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"tariff": 0}, "tariff"),
        ({"tariff": 2**63 - 1}, "tariff"),
        ({"under": 2**63 - 1}, "under"),
        ({"site": 2**63 - 1}, "site"),
        ({"until": "2026-01-01T00:00:00Z"}, "until"),
        ({"since": "2024-01-01T00:00:00Z"}, "until"),
        ({"reason": ""}, "reason"),
        ({"tarif": 1}, ""),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(ada: Person, usual: Tariff, wrong: dict[str, Any], field: str) -> None:
    answer = post(ada, body=asked(usual, **wrong))
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_the_list_is_paged_and_narrowed(ada: Person, usual: Tariff, other: Tariff) -> None:
    ids = [post(ada, body=asked(usual)).json()["id"] for _ in range(3)]
    post(ada, f"{ids[0]}/cancel/")
    page = ada.client.get(f"{PATH}?page_size=2").json()
    assert [row["id"] for row in page["results"]] == [ids[2], ids[1]]
    assert [row["id"] for row in ada.client.get(page["next"]).json()["results"]] == [ids[0]]
    for query, found in (("state=cancelled", [ids[0]]), (f"tariff={other.pk}", []), (f"tariff={usual.pk}", ids[::-1])):
        assert [row["id"] for row in ada.client.get(f"{PATH}?{query}").json()["results"]] == found


def test_who_may_not_correct_bills_looks_and_nobody_else_finds_it(ada: Person, ben: Person, cleo: Person, usual: Tariff) -> None:
    pk = post(ada, body=asked(usual)).json()["id"]
    limited = person("finn", ada.operator, "finance", ("read",))
    for who in (ben, limited):
        assert who.client.get(f"{PATH}{pk}/").status_code == 200
        assert (post(who, body=asked(usual)).status_code, post(who, f"{pk}/cancel/").status_code) == (403, 403)
    assert (cleo.client.get(f"{PATH}{pk}/").status_code, post(cleo, f"{pk}/cancel/").status_code) == (404, 404)
    assert list(post(cleo, body=asked(usual)).json()["errors"]) == ["tariff"]
