"""The pages of groups of id tags."""

from typing import Any

from django.test import Client
from django.urls import reverse
from django_scopes import scope

from accounts.models import IdTokenGroup
from stations.models import GroupTerms, Site, Station
from tests.network import Network


def group(network: Network) -> IdTokenGroup:
    network.token("CARD", group="FLEET")
    with scope(operator=network.operator):
        return IdTokenGroup.objects.get(name="FLEET")


def send(client: Client, one: IdTokenGroup, **data: Any) -> Any:
    return client.post(reverse("id_tag_group", args=[one.pk]), data)


def test_a_group_is_held_to_places_and_shown_with_them(ada: Client, amber: Network) -> None:
    one, station = group(amber), amber.station()
    site = Site.objects.create(operator=amber.operator, name="Harbour")
    text = f"{station.identity}/2\n\n{station.identity}"
    data = {"restricted": "yes", "sites": [str(site.pk)], "places": text, "priority": "5", "only_stops": "on"}
    assert send(ada, one, **data).status_code == 302
    with scope(operator=amber.operator):
        terms = GroupTerms.objects.get(group=one)
    assert (terms.priority, terms.only_stops) == (5, True)
    assert terms.places == {"sites": [site.pk], "stations": [station.pk], "evses": [[station.pk, 2]]}
    shown = ada.get(reverse("id_tag_groups")).content.decode()
    assert f"Harbour, {station.identity}, {station.identity}/2" in shown
    form = ada.get(reverse("id_tag_group", args=[one.pk])).content.decode()
    assert f"{station.identity}\n{station.identity}/2" in form
    assert send(ada, one, restricted="", priority="").status_code == 302
    with scope(operator=amber.operator):
        terms.refresh_from_db()
    assert (terms.places, terms.priority, terms.only_stops) == (None, None, False)


def test_a_line_that_names_nothing_is_said_and_what_was_entered_stays(ada: Client, amber: Network) -> None:
    one = group(amber)
    other: Station = Network().station()
    for line in ("NOWHERE", f"{amber.station().identity}/0", f"{amber.station().identity}/x", other.identity):
        answer = send(ada, one, restricted="yes", places=line)
        assert answer.status_code == 422
        assert f"There is no charger or plug {line}." in answer.content.decode()
    answer = send(ada, one, restricted="yes")
    assert "Choose where it may charge" in answer.content.decode()
