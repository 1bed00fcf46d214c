"""The pages of local lists: the rules, which chargers are in step, and a charger's own list."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import IdTokenGroup
from stations.models import Command, LocalList, LocalListRule, Station
from tests.dashboard.world import World, one_of_each
from tests.network import Network


@pytest.fixture
def world(amber: Network) -> World:
    return one_of_each(amber)


def rules(network: Network) -> list[LocalListRule]:
    with scopes_disabled():
        return list(LocalListRule.objects.filter(operator=network.operator).order_by("pk"))


def list_page(client: Client, query: str = "") -> str:
    return client.get(reverse("local_lists") + query).content.decode()


def test_the_network_has_a_rule_and_each_charger_its_state(ada: Client, world: World) -> None:
    page = list_page(ada)
    assert "THE-FAMILY-OF-DEE-20" in page
    assert "2 do not fit" in page
    assert "Failed OutOfMemory" in page
    refused = list_page(ada, "?state=failed")
    assert world.offline.identity in refused
    assert f"{world.station.identity}/?tab=access" in page
    assert f"{world.station.identity}/?tab=access" not in refused


def test_a_rule_is_set_for_the_network_and_for_a_site(ada: Client, world: World) -> None:
    path = reverse("local_list_rule")
    answer = ada.post(path, {"network-mode": "valid"})
    assert answer["Location"] == reverse("local_lists")
    ada.post(path, {"network-mode": "off", "site": world.station.site_id})
    assert [(rule.mode, rule.site_id) for rule in rules(world.network)] == [("valid", None), ("off", world.station.site_id)]
    with scopes_disabled():
        assert LocalList.objects.get(station=world.station).rule is None
    ada.post(path, {"remove": rules(world.network)[1].pk})
    assert len(rules(world.network)) == 1


def test_a_rule_of_groups_without_a_group_is_refused_beside_its_field(ada: Client, world: World) -> None:
    answer = ada.post(reverse("local_list_rule"), {"network-mode": "groups"})
    assert answer.status_code == 422
    assert "Choose at least one group" in answer.content.decode()


def test_a_charger_may_have_a_rule_of_its_own(ada: Client, world: World) -> None:
    with scopes_disabled():
        group = IdTokenGroup.objects.filter(operator=world.network.operator).earliest("pk")
    path = reverse("change_list_rule", args=[world.station.identity])
    ada.post(path, {"list-mode": "groups", "list-groups": [group.pk]})
    assert [(rule.station_id, rule.group_ids) for rule in rules(world.network)][1:] == [(world.station.pk, [group.pk])]
    ada.post(path, {"list-mode": ""})
    assert len(rules(world.network)) == 1
    assert ada.post(path, {"list-mode": "groups"}).status_code == 422


def test_a_rule_that_is_kept_as_it_is_keeps_its_groups_however_many_there_are(ada: Client, world: World) -> None:
    operator = world.network.operator
    with scopes_disabled():
        names = [f"A{n:03d}" for n in range(201)] + ["ZEBRA"]
        IdTokenGroup.objects.bulk_create(IdTokenGroup(operator=operator, name=name) for name in names)
        last = IdTokenGroup.objects.get(operator=operator, name="ZEBRA")
        LocalListRule.objects.create(
            operator=operator, station=world.station, mode="groups", group_ids=[last.pk], changed_at=timezone.now()
        )
    path = reverse("station", args=[world.station.identity]) + "?tab=access"
    assert f'<option value="{last.pk}" selected>ZEBRA</option>' in ada.get(path).content.decode()
    ada.post(reverse("change_list_rule", args=[world.station.identity]), {"list-mode": "groups", "list-groups": [last.pk]})
    with scopes_disabled():
        assert LocalListRule.objects.get(station=world.station).group_ids == [last.pk]


def test_the_rules_of_single_chargers_do_not_make_the_page_endless(ada: Client, world: World) -> None:
    operator = world.network.operator
    with scopes_disabled():
        stations = Station.objects.bulk_create(Station(operator=operator, identity=f"{world.network.tag}-R{n}") for n in range(105))
        LocalListRule.objects.bulk_create(
            LocalListRule(operator=operator, station=one, mode="valid", changed_at=timezone.now()) for one in stations
        )
    page = list_page(ada)
    assert page.count('form="list-rules" name="remove"') == 100
    assert "Only the first are shown." in page
    assert page.index("The whole network</th>") < page.index(f"{world.network.tag}-R0")


def test_a_chargers_list_says_how_it_stands(ada: Client, world: World) -> None:
    page = ada.get(reverse("station", args=[world.station.identity]) + "?tab=access").content.decode()
    assert "In step" in page
    assert "2 tags belong on this list and do not fit" in page
    assert "of 1 that it can hold" in page
    offline = ada.get(reverse("station", args=[world.offline.identity]) + "?tab=access").content.decode()
    assert "Failed OutOfMemory" in offline
    none = ada.get(reverse("station", args=[world.unheard.identity]) + "?tab=access").content.decode()
    assert "No list yet" in none


def asked(station: Station) -> list[tuple[str, str]]:
    with scopes_disabled():
        found = Command.objects.filter(station=station, kind__contains="local_list").order_by("pk")
        return [(row.kind, row.params.get("update", "")) for row in found]


def test_a_list_is_sent_and_its_version_asked_by_a_button(ada: Client, world: World) -> None:
    path = reverse("send_list", args=[world.station.identity])
    ada.post(path, {"do": "ask"})
    assert ada.post(path, {"do": "full"}).status_code == 302
    assert asked(world.station) == [("get_local_list_version", ""), ("send_local_list", "full")]
    again = ada.post(path, {"do": "full"})
    assert again.status_code == 422
    assert "is being sent its list already" in again.content.decode()
    assert ada.post(path, {"do": "nonsense"}).status_code == 302


def test_who_may_only_look_sees_no_buttons(ben: Client, world: World) -> None:
    assert "Keep the rule" not in list_page(ben)
    page = ben.get(reverse("station", args=[world.station.identity]) + "?tab=access").content.decode()
    assert "Send now" not in page


def test_an_empty_network_is_told_what_a_list_is_for(cleo: Client) -> None:
    page = list_page(cleo)
    assert "No charger keeps a list yet" in page
    assert "No charger has a list." in page


def test_the_page_costs_the_same_however_many_chargers(ada: Client, world: World, django_assert_max_num_queries: object) -> None:
    with scopes_disabled():
        for _n in range(5):
            LocalList.objects.create(operator=world.network.operator, station=world.network.station(), state="in_step")
    with django_assert_max_num_queries(16):  # type: ignore[operator]
        list_page(ada)
