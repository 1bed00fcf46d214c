"""Tariffs renamed, removed and brought back by programs."""

from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scopes_disabled

from billing import services, tariffs
from billing.models import Tariff
from stations.models import Station
from tests.api.conftest import Network, Person
from tests.billing import make

PATH = "/api/v1/tariffs/"


@pytest.fixture
def fleet(ada: Person) -> Tariff:
    with scopes_disabled():
        return tariffs.add_tariff(operator=ada.operator, name="Fleet", price_per_kwh=Decimal("0.20"))


def patch(who: Person, tariff: Tariff, **body: Any) -> Any:
    return who.client.patch(f"{PATH}{tariff.pk}/", body, content_type="application/json")


def delete(who: Person, tariff: Tariff) -> Any:
    return who.client.delete(f"{PATH}{tariff.pk}/")


def names(who: Person, query: str = "") -> list[str]:
    return [row["name"] for row in who.client.get(PATH + query).json()["results"]]


def billed_by(tariff: Tariff) -> Station:
    with scopes_disabled():
        station = make.station(tariff.operator, "AMBER-77")
        assignment = tariffs.assign(tariff=tariff, station=station)
        services.make_charge_record(transaction_id=make.transaction(station).pk)
        tariffs.unassign(assignment=assignment)
    return station


def test_it_is_renamed(ada: Person, fleet: Tariff) -> None:
    assert patch(ada, fleet, name="Vans").json()["name"] == "Vans"
    assert (patch(ada, fleet, name="").status_code, patch(ada, fleet).status_code) == (400, 400)


def test_unused_it_is_deleted_and_used_it_is_retired_and_brought_back(ada: Person, fleet: Tariff) -> None:
    with scopes_disabled():
        unused = tariffs.add_tariff(operator=ada.operator, name="Never")
    assert delete(ada, unused).status_code == 204
    station = billed_by(fleet)
    answer = delete(ada, fleet)
    assert (answer.status_code, answer.json()["retired_at"] is not None) == (200, True)
    assert (names(ada), names(ada, "?retired=true"), names(ada, "?retired=false")) == ([], ["Fleet"], [])
    assert ada.client.get(f"{PATH}{fleet.pk}/").status_code == 200
    body = {"tariff": fleet.pk, "station": station.identity}
    refused = ada.client.post("/api/v1/tariff-assignments/", body, content_type="application/json")
    assert (refused.status_code, "is retired" in refused.json()["detail"]) == (409, True)
    assert patch(ada, fleet, is_default=True).status_code == 409
    version = {"ocpi": {"elements": []}}
    assert ada.client.post(f"{PATH}{fleet.pk}/versions/", version, content_type="application/json").status_code == 409
    assert patch(ada, fleet, retired=False, is_default=True).json()["is_default"] is True
    assert patch(ada, fleet, retired=True).status_code == 409


def test_while_it_is_assigned_the_refusal_says_where(ada: Person, amber: Network, fleet: Tariff) -> None:
    with scopes_disabled():
        made = tariffs.assign(tariff=fleet, station=amber.station)
    answer = delete(ada, fleet)
    assert answer.status_code == 409
    told = answer.json()["detail"]
    assert f"It is assigned: {amber.station.identity} (id {made.pk})." in told
    assert f"?tariff={fleet.pk}" in told


def test_who_may_not_change_tariffs_changes_none(ben: Person, cleo: Person, fleet: Tariff) -> None:
    assert (patch(ben, fleet, name="X").status_code, delete(ben, fleet).status_code) == (403, 403)
    assert (patch(cleo, fleet, name="X").status_code, delete(cleo, fleet).status_code) == (404, 404)
