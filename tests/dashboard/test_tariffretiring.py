"""Tariffs renamed, removed and brought back on their pages."""

import re
from html import unescape

from django.test import Client
from django.urls import reverse
from django_scopes import scopes_disabled

from billing import tariffs
from billing.models import Tariff
from stations.models import Site
from tests.dashboard.rows import bill, finished, plug
from tests.dashboard.tariffrows import NIGHT
from tests.network import Network


def night(network: Network) -> Tariff:
    with scopes_disabled():
        return tariffs.add_tariff(operator=network.operator, name="Nights", ocpi=NIGHT)


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html.partition("<main")[2])).split())


def do(client: Client, one: Tariff, status: int = 200, **posted: str) -> str:
    answer = client.post(reverse("tariff_do", args=[one.pk]), posted, follow=True)
    assert answer.status_code == status
    return answer.content.decode()


def test_it_is_renamed_and_a_name_that_is_none_is_told_at_its_field(ada: Client, amber: Network) -> None:
    one = night(amber)
    said = do(ada, one, do="rename", name="Dark hours")
    assert "It is called Dark hours now." in text(said)
    assert "<h1>Dark hours" in said
    said = do(ada, one, 422, do="rename", name="")
    assert 'aria-invalid="true"' in said
    assert "<title>Error:" in said
    assert "renamed the tariff" in do(ada, one, do="rename", name="Nights")


def test_one_that_was_never_used_is_deleted(ada: Client, amber: Network) -> None:
    one = night(amber)
    assert "It has never applied." in text(ada.get(reverse("tariff", args=[one.pk])).content.decode())
    assert "The tariff Nights is deleted." in text(do(ada, one, do="remove"))
    assert ada.get(reverse("tariff", args=[one.pk])).status_code == 404


def test_one_that_was_used_is_retired_hidden_and_brought_back(ada: Client, amber: Network) -> None:
    one = night(amber)
    record = bill(finished(plug(amber)), one)
    said = do(ada, one, do="remove")
    assert "is retired. Records and what-if still have it." in text(said)
    assert "Retired since" in said
    for gone in ("New version", "Make it the default", "Have it apply"):
        assert gone not in said
    listed = ada.get(reverse("tariffs")).content.decode()
    assert "Nights" not in listed
    assert "1 retired tariff" in listed
    assert "Nights" in ada.get(reverse("tariffs"), {"retired": "1"}).content.decode()
    assert "Nights" in ada.get(reverse("billing")).content.decode()
    what_if = ada.get(reverse("tariff_what_if")).content.decode()
    assert re.search(r'Nights <span class="tag is-unavailable">retired', what_if)
    correct = ada.get(reverse("billing_record", args=[record.pk])).content.decode()
    assert f'<option value="{one.pk}">' not in correct
    assert "It can be assigned again." in text(do(ada, one, do="bring_back"))
    assert "Nights" in ada.get(reverse("tariffs")).content.decode()


def test_while_it_applies_the_page_says_where_and_leads_there(ada: Client, amber: Network) -> None:
    one, station = night(amber), amber.station()
    with scopes_disabled():
        site = Site.objects.create(operator=amber.operator, name="Pier")
        tariffs.assign(tariff=one, station=station)
        tariffs.assign(tariff=one, site=site, audience="drivers")
    said = do(ada, one, 422, do="remove")
    told = said.split('id="remove"')[1]
    assert "It is still assigned. End its assignments first." in told
    for place in (f'href="/stations/{station.identity}/"', f'href="/stations/?site={site.pk}"', 'href="#places"'):
        assert place in told
    assert 'value="remove"' not in told
    standard = amber.tariff()
    said = do(ada, standard, 422, do="remove")
    assert "Make another tariff the default first" in said


def test_ben_sees_that_it_is_retired_and_no_button(ada: Client, ben: Client, amber: Network) -> None:
    one = night(amber)
    bill(finished(plug(amber)), one)
    do(ada, one, do="remove")
    html = ben.get(reverse("tariff", args=[one.pk])).content.decode()
    assert "Retired since" in html
    assert "Bring it back" not in html
    assert ben.post(reverse("tariff_do", args=[one.pk]), {"do": "bring_back"}).status_code == 403


def test_without_a_retired_one_their_list_says_so(ada: Client, amber: Network) -> None:
    night(amber)
    assert "No tariff is retired" in ada.get(reverse("tariffs"), {"retired": "1"}).content.decode()
