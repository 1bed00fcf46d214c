"""Prices of a market, put in by programs."""

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from billing import pricepoints, tariffs
from billing.seriesmodels import PriceSeries
from tests.api.conftest import Person
from tests.dashboard.tariffrows import following

PATH = "/api/v1/price-series/"


def post(who: Person, path: str, body: Any) -> Any:
    return who.client.post(path, json.dumps(body), content_type="application/json")


def made(who: Person) -> PriceSeries:
    return pricepoints.add_series(operator=who.operator, name="Day-ahead")


def test_a_series_is_added_filled_and_read(ada: Person) -> None:
    answer = post(ada, PATH, {"name": "Day-ahead", "resolution_minutes": 15})
    assert answer.status_code == 201
    assert answer.json()["first_at"] is None
    points = f"{PATH}{answer.json()['id']}/points/"
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    given = [{"start": (hour + timedelta(minutes=15 * n)).isoformat(), "price": f"{n - 1}.5"} for n in range(3)]
    assert post(ada, points, {"points": given}).json() == {"added": 3, "changed": 0, "same": 0}
    assert post(ada, points, {"points": given}).json() == {"added": 0, "changed": 0, "same": 3}
    assert [one["price"] for one in ada.client.get(points).json()["results"]] == ["-1.50000", "0.50000", "1.50000"]
    until = (hour + timedelta(minutes=15)).isoformat()
    assert len(ada.client.get(points, {"until": until}).json()["results"]) == 1
    (row,) = ada.client.get(PATH).json()["results"]
    assert row["last_at"].startswith((hour + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M"))


def test_what_is_no_price_is_refused_and_nothing_is_kept(ada: Person) -> None:
    points = f"{PATH}{made(ada).pk}/points/"
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    good = {"start": hour.isoformat(), "price": "1"}
    for body in (
        {},
        {"points": []},
        {"points": [good, {"start": (hour + timedelta(minutes=7)).isoformat(), "price": "1"}]},
        {"points": [good, {"start": hour.isoformat(), "price": "2"}]},
        {"points": [good, {"start": "noon", "price": "2"}]},
        {"points": [good | {"price": "dear"}]},
        {"points": [good | {"unit": "EUR"}]},
    ):
        assert post(ada, points, body).status_code == 400
    assert ada.client.get(points).json()["results"] == []


def test_one_that_a_tariff_follows_cannot_be_removed(ada: Person) -> None:
    one, free = made(ada), pricepoints.add_series(operator=ada.operator, name="Free")
    tariffs.add_tariff(operator=ada.operator, name="Market", ocpi=following())
    assert ada.client.delete(f"{PATH}{one.pk}/").status_code == 409
    assert ada.client.delete(f"{PATH}{free.pk}/").status_code == 204
    assert post(ada, PATH, {"name": "Day-ahead"}).status_code == 409


def test_others_neither_see_nor_fill_it(ada: Person, ben: Person, cleo: Person) -> None:
    one = made(ada)
    assert cleo.client.get(f"{PATH}{one.pk}/").status_code == 404
    assert cleo.client.get(f"{PATH}{one.pk}/points/").status_code == 404
    assert post(cleo, f"{PATH}{one.pk}/points/", {"points": [{"start": "2026-01-01T00:00:00Z", "price": "1"}]}).status_code == 404
    assert ben.client.get(f"{PATH}{one.pk}/").status_code == 200
    assert post(ben, PATH, {"name": "Mine"}).status_code == 403
