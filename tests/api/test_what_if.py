"""What a session would cost, asked by programs."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing import tariffs
from billing.models import Tariff
from tests.api.conftest import Network, Person

PATH = "/api/v1/tariffs/what-if/"
CASES = [json.loads(line) for line in (Path(__file__).parent.parent / "billing/cases.jsonl").read_text().splitlines()]


def asked(who: Person, body: Any) -> Any:
    return who.client.post(PATH, json.dumps(body), content_type="application/json")


@pytest.fixture
def tariff(ada: Person) -> Tariff:
    return tariffs.add_tariff(operator=ada.operator, name="Standard", price_per_kwh=Decimal("0.40"))


def changed(**session: Any) -> dict[str, Any]:
    body = CASES[0]["body"]
    return {"tariff": body["tariff"], "session": body["session"] | session}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_worked_case_is_answered_with_its_totals_and_lines(ada: Person, case: dict[str, Any]) -> None:
    answer = asked(ada, case["body"])
    assert answer.status_code == 200
    told, expect = answer.json(), case["expect"]
    assert {name: told[name] for name in told if name != "lines"} == {name: expect[name] for name in expect if name != "lines"}

    def as_set(lines: list[dict[str, str]]) -> set[tuple[str, str, Decimal, Decimal, Decimal]]:
        def number(text: str) -> Decimal:
            return round(Decimal(text), 6).normalize()

        return {
            (line["dimension"], line["unit"], *(number(line[name]) for name in ("volume", "price", "cost_excl_tax")))
            for line in lines
        }

    assert as_set(told["lines"]) == as_set(expect["lines"])


def test_a_tariff_of_the_own_network_is_named_by_its_id(ada: Person, tariff: Tariff) -> None:
    answer = asked(ada, {"tariff": {"id": tariff.pk}, "session": CASES[0]["body"]["session"]})
    assert answer.status_code == 200
    assert answer.json()["currency"] == "EUR"


def test_a_tariff_of_another_network_is_not_found(cleo: Person, tariff: Tariff) -> None:
    assert asked(cleo, {"tariff": {"id": tariff.pk}, "session": CASES[0]["body"]["session"]}).status_code == 404


def test_a_viewer_may_ask_too(ben: Person) -> None:
    assert asked(ben, CASES[0]["body"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({}, "tariff", "required"),
        (CASES[0]["body"] | {"tariff": {"currency": "EUR"}}, "tariff", "elements must be a list"),
        (CASES[0]["body"] | {"tariff": {"id": "one"}}, "id", "whole number"),
        (changed(time_zone="Atlantis"), "session", "no time zone"),
        (changed(end="2028-01-13T15:30:00Z"), "session", "366 days at most"),
        (changed(end="2026-01-13T14:00:00Z"), "session", "must follow each other"),
        (changed(samples=[{"at": "2026-01-13T14:30:00Z", "energy_wh": -1}]), "session", "greater than or equal to 0"),
        (changed(samples=[{"at": "2026-01-13T14:00:00Z", "energy_wh": 1}]), "session", "earlier"),
        (changed(sample=[]), "session", "Unknown: sample"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_place_and_the_reason(ada: Person, body: Any, field: str, says: str) -> None:
    answer = asked(ada, body)
    assert answer.status_code == 400
    assert says in json.dumps(answer.json()["errors"][field])


def test_a_past_session_is_named_by_its_id(ada: Person, cleo: Person, amber: Network, tariff: Tariff) -> None:
    asking = {"tariff": {"id": tariff.pk}, "transaction": amber.transaction.pk}
    answer = asked(ada, asking)
    assert answer.status_code == 200
    assert [line["dimension"] for line in answer.json()["lines"]] == ["ENERGY"]
    described = {"tariff": CASES[0]["body"]["tariff"], "transaction": amber.transaction.pk}
    assert asked(cleo, described).status_code == 404
    for body in ({"tariff": {"id": tariff.pk}}, asking | {"session": CASES[0]["body"]["session"]}):
        refused = asked(ada, body)
        assert refused.status_code == 400
        assert "one of the two" in json.dumps(refused.json())
