"""Tariffs, their versions and where they apply, as programs change them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.api.conftest import Network, Person

PATH = "/api/v1/tariffs/"
PART = {"type": "ENERGY", "price": 0.3, "vat": 20, "step_size": 1}


def post(who: Person, path: str, body: Any) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return who.client.post(path, text, content_type="application/json")


def within(**restrictions: Any) -> dict[str, Any]:
    return {"elements": [{"price_components": [PART], "restrictions": restrictions}]}


def of(**part: Any) -> dict[str, Any]:
    return {"elements": [{"price_components": [PART | part]}]}


def test_one_is_made_of_prices_or_of_an_ocpi_object(ada: Person) -> None:
    simple = post(ada, PATH, {"name": "Simple", "price_per_kwh": "0.4", "tax_percent": "25"}).json()
    assert (simple["price_per_kwh"], simple["sentence"]) == ("0.4000", "0.50\u202fEUR per kWh, tax included.")
    made = post(ada, PATH, {"name": "OCPI", "ocpi": of(note="cheap") | {"id": "x", "energy_mix": {}}}).json()
    assert made["ocpi"]["elements"] == of()["elements"]
    assert "energy_mix" not in made["ocpi"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"name": "x" * 120 + " ", "price_per_kwh": "0.4"}, "no more than 120 characters"),
        ({"name": "Both", "price_per_kwh": "0.4", "ocpi": of()}, "send one of the two"),
        ({"name": "Empty", "ocpi": {}}, "elements must be a list"),
        ({"name": "Dear", "ocpi": of(price=1e9)}, "below 100000000"),
        ({"name": "Taxed", "ocpi": of(vat=1000)}, "100 percent at most"),
        ({"name": "Followed", "ocpi": of(price_series=["Day-ahead"])}, "name of a price series"),
        ({"name": "Zoned", "ocpi": within(start_time="12+01")}, "17:30"),
        (
            {"name": "Misspelt", "ocpi": {"elements": [of()["elements"][0] | {"restrictions": {"max_kWh": 9}}]}},
            "not known: max_kWh",
        ),
        ('{"name": "Endless", "ocpi": {"elements": [{"price_components": [], "x": 1e999}]}}', "number is too large"),
        ({"name": "Half", "ocpi": of() | {"tariff_alt_text": [{"language": "en", "text": "\ud800"}]}}, "surrogate"),
    ],
)
def test_what_is_no_price_is_refused_with_the_reason_and_the_list_stays_readable(
    ada: Person, amber: Network, body: Any, says: str
) -> None:
    before = len(ada.client.rows("tariffs/"))
    answer = post(ada, PATH, body)
    assert (answer.status_code, says in answer.content.decode()) == (400, True), answer.content
    assert len(ada.client.rows("tariffs/")) == before


def test_a_version_comes_is_taken_back_and_never_begins_in_the_past(ada: Person, ben: Person, cleo: Person) -> None:
    made = post(ada, PATH, {"name": "OCPI", "ocpi": of()}).json()
    path = f"{PATH}{made['id']}/versions/"
    past, later = ((timezone.now() + timedelta(days=days)).isoformat() for days in (-1, 1))
    assert "cannot change in the past" in post(ada, path, {"ocpi": of(price=1), "valid_from": past}).content.decode()
    coming = post(ada, path, {"ocpi": of(price=1), "valid_from": later, "note": "New year"})
    assert (coming.status_code, coming.json()["number"]) == (201, 2)
    assert ada.client.get(f"{PATH}{made['id']}/").json()["version"] == 1
    assert post(ben, path, {"ocpi": of()}).status_code == 403
    assert post(cleo, path, {"ocpi": of()}).status_code == 404
    one = f"/api/v1/tariff-versions/{coming.json()['id']}/"
    assert [who.client.delete(one).status_code for who in (cleo, ben, ada, ada)] == [404, 403, 204, 404]
    first = next(row for row in ada.client.rows("tariff-versions/") if row["tariff"] == made["id"])
    assert ada.client.delete(f"/api/v1/tariff-versions/{first['id']}/").status_code == 409


def test_it_is_assigned_within_the_own_network(ada: Person, ben: Person, cleo: Person, amber: Network) -> None:
    made = post(ada, PATH, {"name": "OCPI", "ocpi": of()}).json()
    path = "/api/v1/tariff-assignments/"
    wish = {"tariff": made["id"], "station": amber.station.identity}
    assert post(cleo, path, wish).status_code == 400
    assert post(ben, path, wish).status_code == 403
    assert post(ada, path, wish | {"audience": "group"}).status_code == 400
    assert post(ada, path, wish | {"station": "NONE-01"}).status_code == 400
    given = post(ada, path, wish).json()
    assert (given["station"], given["audience"]) == ("AMBER-01", "")
    assert cleo.client.get(f"{path}{given['id']}/").status_code == 404
    assert ada.client.delete(f"{path}{given['id']}/").status_code == 204
