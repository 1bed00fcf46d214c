"""Labels to print: every plug's code leads to its page."""

import re
from typing import Any

import pytest
import segno
from django.test import Client
from django.urls import reverse
from django_scopes import scopes_disabled

from csms.dashboard import labels
from stations.models import Evse, Site
from tests.dashboard.rows import plug
from tests.network import Network


def addresses(answer: Any) -> list[str]:
    return re.findall(r'class="label-url"><a href="([^"]+)"', answer.content.decode())


def test_a_charger_has_a_label_for_each_plug_that_opens_its_page(ada: Client, amber: Network) -> None:
    station = plug(amber).evse.station
    plug(amber, station=station)
    plug(amber)
    answer = ada.get(f"/stations/{station.identity}/labels/")
    assert addresses(answer) == [f"http://testserver/charge/{station.identity}/{number}" for number in (1, 2)]
    assert ada.get(addresses(answer)[0]).status_code == 200
    assert f'href="/stations/{station.identity}/labels/"' in ada.get(f"/stations/{station.identity}/").content.decode()


def test_the_code_holds_the_address(ada: Client, amber: Network) -> None:
    station = plug(amber, station=amber.station(identity=f"{amber.prefix}/A B%2F.")).evse.station
    with scopes_disabled():
        evse = Evse.objects.get(station=station)
    answer = ada.get(reverse("station_labels", args=[station.identity]))
    (url,) = addresses(answer)
    label = labels.Label(evse, url)
    assert label.code in answer.content.decode()
    drawn = re.search(r'd="([^"]+)"[^>]*stroke', label.code) or re.search(r'stroke[^>]*d="([^"]+)"', label.code)
    wanted = segno.make_qr(url, error="q").svg_inline(omitsize=True, border=2)
    assert drawn is not None
    assert drawn[1] in wanted
    assert ada.get(url).status_code == 200


def test_a_sheet_has_the_chargers_that_are_ticked_or_filtered(ada: Client, amber: Network) -> None:
    with scopes_disabled():
        site = Site.objects.create(operator=amber.operator, name="Harbour")
    stations = [plug(amber, station=amber.station(site=site if n else None)).evse.station for n in range(3)]
    names = [station.identity for station in stations]

    def shown(query: str) -> list[str]:
        return [url.split("/")[-2] for url in addresses(ada.get(f"/labels/?{query}"))]

    assert shown("") == [*names[1:], names[0]]
    assert shown(f"station={stations[0].pk}&station={stations[2].pk}") == [names[2], names[0]]
    assert shown(f"site={site.pk}") == names[1:]
    assert shown("q=NOTHING") == []


def test_a_sheet_has_a_bound_and_says_so(ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "MOST", 2)
    for _ in range(3):
        plug(amber)
    answer = ada.get("/labels/")
    assert len(addresses(answer)) == 2
    assert "Only the first 2 are shown" in answer.content.decode()


def test_a_charger_that_told_of_no_plugs_has_nothing_to_label(ada: Client, amber: Network) -> None:
    answer = ada.get(f"/stations/{amber.station().identity}/labels/")
    assert "has not told what plugs it has" in answer.content.decode()


def test_a_sheet_costs_the_same_for_one_and_for_many(ada: Client, amber: Network, django_assert_max_num_queries: Any) -> None:
    for _ in range(12):
        plug(amber)
    with django_assert_max_num_queries(4):
        ada.get("/labels/")
