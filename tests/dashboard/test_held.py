"""What id tags are held to, on the pages; and of which types plugs are."""

from typing import Any

from django.test import Client
from django.urls import reverse
from django_scopes import scope

from accounts.models import IdToken
from stations.models import Connector, Site, Station, TokenTerms
from tests.dashboard.rows import finished, plug
from tests.network import Network


def terms(network: Network) -> list[TokenTerms]:
    with scope(operator=network.operator):
        return list(TokenTerms.objects.select_related("token"))


def test_a_tag_is_held_to_places_and_plugs_where_it_is_made_and_let_go_where_it_is_changed(ada: Client, amber: Network) -> None:
    station: Station = amber.station()
    site = Site.objects.create(operator=amber.operator, name="Harbour")
    data: dict[str, Any] = {"value": "CARD", "type": "ISO14443", "status": "Accepted"}
    held = {"restricted": "yes", "sites": [str(site.pk)], "places": f"{station.identity}/2", "connector_types": ["sType2"]}
    assert ada.post(reverse("id_tag_add"), data | held).status_code == 302
    (one,) = terms(amber)
    assert one.places == {"sites": [site.pk], "stations": [], "evses": [[station.pk, 2]]}
    assert one.connector_types == ["sType2"]
    assert "restricted" in ada.get(reverse("id_tags")).content.decode()
    shown = ada.get(reverse("id_tag", args=[one.token_id])).content.decode()
    assert f"{station.identity}/2</textarea>" in shown
    assert '<option value="sType2" selected>Type 2 (sType2)</option>' in shown
    # What it is held to stays if only something else changes.
    address = reverse("id_tag", args=[one.token_id])
    assert ada.post(address, data | held | {"note": "Van 7"}).status_code == 302
    assert len(terms(amber)) == 1
    assert ada.post(address, data).status_code == 302
    assert terms(amber) == []


def test_a_tag_that_is_held_to_nonsense_is_not_kept_and_the_page_says_why(ada: Client, amber: Network) -> None:
    data = {"value": "CARD", "type": "ISO14443", "status": "Accepted", "restricted": "yes"}
    for more, why in (({}, "Choose where it may charge"), ({"places": "NOWHERE"}, "There is no charger or plug NOWHERE.")):
        answer = ada.post(reverse("id_tag_add"), data | more)
        assert (answer.status_code, why in answer.content.decode()) == (422, True)
    with scope(operator=amber.operator):
        assert not IdToken.objects.exists()


def test_the_types_of_plugs_are_said_on_a_page_of_the_charger(ada: Client, ben: Client, cleo: Client, amber: Network) -> None:
    connector: Connector = plug(amber)
    station = connector.evse.station
    address = reverse("plug_types", args=[station.identity])
    assert address in ada.get(reverse("station", args=[station.identity])).content.decode()
    assert address not in ben.get(reverse("station", args=[station.identity])).content.decode()
    field = f"plug-{connector.evse.number}-{connector.number}"
    assert f'name="{field}"' in ada.get(address).content.decode()
    assert ada.post(address, {field: "cType9"}).status_code == 422
    assert ada.post(address, {field: "cCCS2"}).status_code == 302
    connector.refresh_from_db()
    assert connector.type == "cCCS2"
    assert "CCS 2" in ada.get(reverse("station", args=[station.identity])).content.decode()
    assert ben.get(address).status_code == 403
    assert cleo.get(address).status_code == 404


def test_a_charger_that_told_of_no_plug_says_so(ada: Client, amber: Network) -> None:
    answer = ada.get(reverse("plug_types", args=[amber.station().identity]))
    assert "has not told what plugs it has" in answer.content.decode()


def test_the_page_of_a_session_shows_what_was_read_with_its_tag(ada: Client, amber: Network) -> None:
    one = finished(plug(amber), additional_id_tags=[{"id_tag": "DE-8AA", "type": "eMAID"}])
    shown = ada.get(reverse("transaction", args=[one.pk])).content.decode()
    assert "Read with the id tag" in shown
    assert "<code>DE-8AA</code>" in shown
