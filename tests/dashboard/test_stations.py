"""The list of chargers: what the URL asks for, what it counts, and what it costs."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_scopes import scope

from stations.models import Site
from tests.dashboard.rows import plug, seen, session
from tests.network import Network


def page(browser: Client, query: str = "") -> str:
    answer = browser.get(f"/stations/?{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_network_without_chargers_is_told_how_to_connect_one(ada: Client) -> None:
    assert "Connect your first charger" in page(ada)


@pytest.mark.parametrize(
    "q",
    [
        *("HARBOUR", "second", "sn-77", "alfen", "eve single", "alfen sn-77", "5.8.1", "8931081", "20404"),
        *("iskra", "m-123", "quay", "kade 7", "rotterdam"),
    ],
)
def test_a_charger_is_found_by_what_is_known_of_it(ada: Client, amber: Network, q: str) -> None:
    with scope(operator=amber.operator):
        site = Site.objects.create(operator=amber.operator, name="Quay", address="Kade 7", city="Rotterdam")
    amber.station(
        identity=f"{amber.prefix}-HARBOUR",
        name="The second one",
        serial_number="SN-77",
        vendor="Alfen",
        model="Eve Single",
        firmware_version="5.8.1",
        iccid="8931081520000000001",
        imsi="204046200000001",
        meter_type="Iskra WM3",
        meter_serial_number="M-123",
        site=site,
    )
    amber.station(identity=f"{amber.prefix}-OTHER")
    html = page(ada, f"q={q}")
    assert "-HARBOUR" in html
    assert "-OTHER" not in html


def test_chips_count_what_matches_by_status(ada: Client, amber: Network) -> None:
    plug(amber, "Faulted")
    plug(amber, "Charging")
    both = plug(amber, "Available").evse.station
    plug(amber, "Charging", station=both)
    away = amber.station(accepted=True)
    seen(away, ago=timedelta(hours=2))
    amber.station()
    response = ada.get("/stations/")
    assert {chip.status: chip.count for chip in response.context["chips"]} == {
        "Faulted": 1,
        "Charging": 2,
        "Offline": 1,
        "Waiting": 1,
    }
    only = ada.get("/stations/?status=Charging")
    assert [row.station.pk for row in only.context["rows"]][-1] == both.pk
    assert len(only.context["rows"]) == 2
    assert [row.station.pk for row in ada.get("/stations/?online=no&status=Offline").context["rows"]] == [away.pk]


def test_site_and_protocol_narrow_the_list(ada: Client, amber: Network) -> None:
    with scope(operator=amber.operator):
        site = Site.objects.create(operator=amber.operator, name="Harbour")
    here = amber.station(site=site)
    seen(here, protocol="ocpp2.0.1")
    there = amber.station()

    def found(query: str) -> list[int]:
        return [row.station.pk for row in ada.get(f"/stations/?{query}").context["rows"]]

    assert found(f"site={site.pk}") == [here.pk]
    assert found("site=none") == [there.pk]
    assert found("protocol=ocpp2.0.1") == [here.pk]
    assert found("sort=-identity") == [there.pk, here.pk]
    assert "No charger matches." in page(ada, "q=nothing-of-the-kind")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("vendor=Alfen", [0, 1]),
        ("model=Eve", [0]),
        ("firmware=1.0", [0, 2]),
        ("vendor=Alfen&firmware=1.0", [0]),
        ("vendor=Nobody", []),
    ],
)
def test_what_chargers_tell_of_themselves_narrows_the_list(ada: Client, amber: Network, query: str, wanted: list[int]) -> None:
    told = [("Alfen", "Eve", "1.0"), ("Alfen", "Twin", "2.0"), ("Wallbox", "Pulsar", "1.0")]
    stations = [amber.station(vendor=vendor, model=model, firmware_version=firmware) for vendor, model, firmware in told]
    response = ada.get(f"/stations/?{query}")
    assert [row.station.pk for row in response.context["rows"]] == [stations[n].pk for n in wanted]
    assert response.context["options"]["model"] == ["Eve", "Pulsar", "Twin"]


def test_columns_are_chosen_in_the_url_and_cost_nothing_when_left_out(ada: Client, amber: Network) -> None:
    session(plug(amber, "Charging", station=amber.station(iccid="8931", serial_number="SN-1")))
    with CaptureQueriesContext(connection) as usual:
        html = page(ada)
    assert "8931" not in html
    with CaptureQueriesContext(connection) as other:
        html = page(ada, "cols=iccid&cols=serial&cols=nonsense&sort=serial")
    assert "8931" in html
    assert "SN-1" in html
    assert ">Make</th>" not in html
    assert len(other) == len(usual) - 2  # neither plugs nor power
    assert 'name="cols" value="iccid"' in html  # searching keeps them


@pytest.mark.parametrize(
    "query", ["status=Blue", "sort=drop", "page=x", "site=%00", "q=%00", "protocol=%00", "site=99999999999999999999"]
)
def test_what_makes_no_sense_is_left_out(ada: Client, amber: Network, query: str) -> None:
    amber.station()
    assert ada.get(f"/stations/?{query}").status_code == 200


def test_the_list_costs_the_same_for_one_charger_and_for_many(ada: Client, amber: Network) -> None:
    session(plug(amber, "Charging"))
    with CaptureQueriesContext(connection) as one:
        page(ada)
    for _ in range(5):
        session(plug(amber, "Charging"))
    with CaptureQueriesContext(connection) as many:
        page(ada)
    assert len(many) == len(one) <= 10


def test_the_list_goes_on_after_fifty(ada: Client, amber: Network) -> None:
    for _ in range(51):
        amber.station()
    first = ada.get("/stations/")
    assert len(first.context["rows"]) == 50
    assert "Page 1 of 2" in first.content.decode()
    assert len(ada.get("/stations/?page=2").context["rows"]) == 1


def test_nobody_sees_the_chargers_of_others(cleo: Client, amber: Network) -> None:
    amber.station()
    assert amber.prefix not in page(cleo)


def test_the_list_is_for_those_who_log_in() -> None:
    assert Client().get("/stations/")["Location"].startswith("/login/")
