"""The pages of tariffs: the list, one of them with its versions, and where and for whom it applies."""

import json
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django_scopes import scopes_disabled

from accounts.models import IdTokenGroup
from billing import tariffs
from billing.models import Tariff, TariffAssignment, TariffVersion
from stations.models import Evse, Site
from tests.dashboard.conftest import browser_of
from tests.dashboard.rows import plug
from tests.dashboard.tariffrows import NIGHT, RESERVED
from tests.database import tables
from tests.network import Network


@tables
def night(network: Network, **fields: Any) -> Tariff:
    with scopes_disabled():
        return tariffs.add_tariff(operator=network.operator, **{"name": "Nights", "ocpi": NIGHT} | fields)


@tables
def version(of: Tariff, **fields: Any) -> TariffVersion:
    with scopes_disabled():
        return tariffs.add_version(tariff=of, **{"ocpi": RESERVED} | fields)


@tables
def assigned(network: Network) -> list[tuple[str, str, str, str]]:
    with scopes_disabled():
        rows = TariffAssignment.objects.filter(operator=network.operator).select_related("tariff", "site", "station", "evse")
        return [
            (one.tariff.name, str(one.site or one.station or one.evse or ""), one.audience, str(one.group or "")) for one in rows
        ]


@tables
def site(network: Network, name: str = "Pier") -> Site:
    with scopes_disabled():
        return Site.objects.create(operator=network.operator, name=name)


def test_a_network_without_a_tariff_is_led_to_the_first(ada: Client, ben: Client, amber: Network) -> None:
    html = ada.get(reverse("tariffs")).content.decode()
    assert "Without one no session is billed" in html
    assert reverse("tariff_add") in html
    assert reverse("tariff_add") not in ben.get(reverse("tariffs")).content.decode()


def test_the_list_says_what_each_costs_where_and_what_comes(
    ada: Client, amber: Network, django_assert_max_num_queries: Any
) -> None:
    standard = amber.tariff()
    other = night(amber)
    version(other, valid_from=timezone.now() + timedelta(days=3))
    with scopes_disabled():
        tariffs.assign(tariff=other, site=site(amber))
        for number in range(5):
            tariffs.assign(tariff=other, station=amber.station(), audience="drivers")
            night(amber, name=f"Tariff {number}")
    with django_assert_max_num_queries(10):
        html = ada.get(reverse("tariffs")).content.decode()
    row = html.split(f'id="tariff-{other.pk}"')[1].split("</tr>")[0]
    assert "0.25\u202fEUR per kWh from 22:00 to 06:00 and otherwise 0.50\u202fEUR per kWh, tax included." in row
    assert "Pier<br>" in row
    assert "6 places in all" in row
    assert "to reserve" in row
    row = html.split(f'id="tariff-{standard.pk}"')[1].split("</tr>")[0]
    assert ">default<" in row
    assert "Everywhere else" in row
    assert "Nights" not in ada.get(reverse("tariffs"), {"q": "stand"}).content.decode()
    assert "No tariff fits" in ada.get(reverse("tariffs"), {"q": "nothing"}).content.decode()


def test_a_network_whose_tariffs_none_is_the_default_is_told(ada: Client, amber: Network) -> None:
    night(amber)
    assert "No tariff is the default" in ada.get(reverse("tariffs")).content.decode()


def test_a_tariff_shows_its_versions_coming_valid_and_past(ada: Client, amber: Network) -> None:
    one = night(amber)
    with scopes_disabled():
        TariffVersion.objects.filter(tariff=one).update(valid_from=timezone.now() - timedelta(days=9))
    version(one, note="Cheaper")
    coming = version(one, ocpi=NIGHT, valid_from=timezone.now() + timedelta(days=9))
    html = ada.get(reverse("tariff", args=[one.pk])).content.decode()
    rows = {number: html.split(f'id="version-{number}"')[1].split("</tr>")[0] for number in (1, 2, 3)}
    for number, state in {1: "past", 2: "valid", 3: "coming"}.items():
        assert f">{state}<" in rows[number]
    assert "Cheaper" in rows[2]
    assert ["Take back" in rows[number] for number in (1, 2, 3)] == [False, False, True]
    assert "What applied at a session" in html
    do = reverse("tariff_do", args=[one.pk])
    ada.post(do, {"do": "withdraw", "version": coming.pk})
    assert "Take back" not in ada.get(reverse("tariff", args=[one.pk])).content.decode()
    with scopes_disabled():
        valid = TariffVersion.objects.get(tariff=one, number=2)
    html = ada.post(do, {"do": "withdraw", "version": valid.pk}, follow=True).content.decode()
    assert "what applied stays applied" in html


def test_its_changes_stand_on_its_page_and_lead_to_it(ada: Client, amber: Network) -> None:
    one = night(amber)
    html = ada.get(reverse("tariff", args=[one.pk])).content.decode()
    assert "added the tariff" in html
    assert f'href="{reverse("tariff", args=[one.pk])}"' in ada.get(reverse("audit")).content.decode()


def test_it_is_exported_as_ocpi(ada: Client, amber: Network) -> None:
    one = night(amber)
    version(one, valid_from=timezone.now() + timedelta(days=9))
    answer = ada.get(reverse("tariff_ocpi", args=[one.pk]))
    assert "attachment" in answer["Content-Disposition"]
    assert json.loads(answer.content)["elements"] == NIGHT["elements"]
    later = ada.get(reverse("tariff_ocpi", args=[one.pk]), {"version": "2"})
    assert json.loads(later.content)["elements"] == RESERVED["elements"]
    assert ada.get(reverse("tariff_ocpi", args=[one.pk]), {"version": "9"}).status_code == 404


def test_it_is_assigned_to_the_network_a_site_a_charger_a_plug_and_to_whom(ada: Client, amber: Network) -> None:
    one, pier = night(amber), site(amber)
    connector = plug(amber)
    station = connector.evse.station
    amber.token("CARD", group="FLEET")
    with scopes_disabled():
        group = IdTokenGroup.objects.get(operator=amber.operator).pk
    assign = reverse("tariff_assign", args=[one.pk])
    for wish in (
        {},
        {"site": pier.pk, "audience": "ad_hoc"},
        {"station": station.identity, "audience": "drivers"},
        {"station": station.identity, "plug": "1"},
        {"audience": "group", "group": group},
    ):
        assert ada.post(assign, wish).status_code == 302
    with scopes_disabled():
        evse = str(Evse.objects.get(station=station))
    assert assigned(amber) == [
        ("Nights", "", "", ""),
        ("Nights", str(pier), "ad_hoc", ""),
        ("Nights", str(station), "drivers", ""),
        ("Nights", evse, "", ""),
        ("Nights", "", "group", "FLEET"),
    ]
    html = ada.get(reverse("tariff", args=[one.pk])).content.decode()
    for words in ("The whole network", "Pier", f"{station.identity}, plug 1", "Id tags of the group FLEET"):
        assert escape(words) in html
    with scopes_disabled():
        known = TariffAssignment.objects.filter(tariff=one).first()
    assert known is not None
    ada.post(reverse("tariff_do", args=[one.pk]), {"do": "unassign", "assignment": known.pk})
    assert len(assigned(amber)) == 4


def test_what_applies_there_already_is_told_before_it_is_replaced(ada: Client, amber: Network) -> None:
    standard, one, pier = amber.tariff(), night(amber), site(amber)
    with scopes_disabled():
        tariffs.assign(tariff=standard, site=pier)
    assign = reverse("tariff_assign", args=[one.pk])
    answer = ada.post(assign, {"site": pier.pk})
    assert answer.status_code == 422
    assert "The tariff Standard applies just there" in answer.content.decode()
    assert assigned(amber) == [("Standard", str(pier), "", "")]
    html = ada.post(assign, {"site": pier.pk, "replace": "yes"}, follow=True).content.decode()
    assert "It applies now instead of Standard" in html
    assert assigned(amber) == [("Nights", str(pier), "", "")]


def test_what_cannot_be_assigned_is_told_at_its_field(ada: Client, cleo: Client, amber: Network, cobalt: Network) -> None:
    one, theirs = night(amber), site(cobalt, "Theirs")
    station = amber.station()
    assign = reverse("tariff_assign", args=[one.pk])
    for wish, says in (
        ({"station": "NOBODY"}, "There is no charger of this name."),
        ({"station": station.identity, "plug": "7"}, "This charger has no plug of this number."),
        ({"plug": "1"}, "Say of which charger."),
        ({"site": theirs.pk}, "Select a valid choice"),
        ({"site": site(amber).pk, "station": station.identity}, "Name one place"),
        ({"audience": "group"}, "Name the group of id tags"),
    ):
        answer = ada.post(assign, wish)
        assert answer.status_code == 422
        assert says in answer.content.decode()
    assert assigned(amber) == []


def test_another_becomes_the_default(ada: Client, amber: Network) -> None:
    amber.tariff()
    one = night(amber)
    page, do = reverse("tariff", args=[one.pk]), reverse("tariff_do", args=[one.pk])
    assert "in the place of Standard" in ada.get(page).content.decode()
    assert "applies from now on wherever no other" in ada.post(do, {"do": "default"}, follow=True).content.decode()
    with scopes_disabled():
        assert [row.name for row in Tariff.objects.filter(operator=amber.operator, is_default=True)] == ["Nights"]
    assert "by a new version" in ada.post(do, {"do": "dance"}, follow=True).content.decode()


def test_finance_may_and_a_technician_may_not(amber: Network) -> None:
    one = night(amber)
    for role, status in (("finance", 200), ("technician", 403)):
        assert browser_of(amber, role, role=role).get(reverse("tariff_change", args=[one.pk])).status_code == status


def test_the_file_is_asked_of_what_the_list_shows(ada: Client, amber: Network) -> None:
    amber.tariff()
    night(amber)
    page = reverse("tariffs")
    assert 'href="?q=night&amp;format=csv"' in ada.get(page, {"q": "night"}).content.decode()
