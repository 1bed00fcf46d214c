"""The pages of quirks: what there is, for whom, and what becomes of a frame; and how strict one charger is held."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_scopes import scopes_disabled

from csms.dashboard.quirkform import ticked
from stations.models import Connection, Quirk, QuirkSwitch, Station
from stations.services import quirks
from tests.database import tables
from tests.network import Network

FRAME = (
    '[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"2026-07-01T12:00:00"}]'
)
POSTED = {
    "name": "Times of its own",
    "vendor": "Acme*",
    "frame": FRAME,
    "local_time_zone-0": "on",
    "local_time_zone-0-zone": "Europe/Copenhagen",
}


@tables
def own(network: Network, **fields: Any) -> Quirk:
    with scopes_disabled():
        known = {"name": "Times of its own", "vendor": "Acme*", "adjustments": [{"do": "local_time_zone"}]}
        return quirks.add(operator=network.operator, **known | fields)


def of(network: Network) -> list[Quirk]:
    with scopes_disabled():
        return list(Quirk.objects.filter(operator=network.operator))


def test_the_list_says_what_is_done_for_how_many_chargers(ada: Client, amber: Network, django_assert_max_num_queries: Any) -> None:
    for firmware in ("1.9", "1.10", "2.0"):
        amber.station(vendor="ACME GmbH", model="One", firmware_version=firmware)
    quirk = own(amber, firmware_to="1.10")
    with django_assert_max_num_queries(9):
        html = ada.get(reverse("quirks")).content.decode()
    row = html.split(f'id="quirk-{quirk.pk}"')[1].split("</tr>")[0]
    assert "Its times are those of a time zone, not UTC." in row
    assert "Acme* · … – 1.10" in row
    assert '<td class="number">2</td>' in row
    assert "Known in the field" in html
    assert "Growatt*" in html
    assert "Growatt*" not in ada.get(reverse("quirks"), {"q": "acme"}).content.decode()
    assert "None of your own fits" in ada.get(reverse("quirks"), {"q": "nothing such"}).content.decode()


def test_one_is_added_by_its_form_and_looked_at(ada: Client, amber: Network) -> None:
    known = amber.station(vendor="Acme", model="One")
    answer = ada.post(reverse("quirk_add"), POSTED, follow=True)
    (quirk,) = of(amber)
    assert quirk.adjustments == [{"do": "local_time_zone", "zone": "Europe/Copenhagen"}]
    html = answer.content.decode()
    # What its frame becomes, and which chargers it is about.
    assert "2026-07-01T10:00:00Z" in html
    assert known.identity in html


def test_a_preview_keeps_nothing(ada: Client, amber: Network) -> None:
    known = amber.station(vendor="Acme", model="One")
    html = ada.post(reverse("quirk_add"), POSTED | {"do": "preview"}).content.decode()
    assert "1 of your chargers is of this make" in html
    assert known.identity in html
    assert "2026-07-01T10:00:00Z" in html
    assert of(amber) == []


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(ada: Client, amber: Network) -> None:
    answer = ada.post(reverse("quirk_add"), POSTED | {"local_time_zone-0-zone": "Mars", "firmware_from": "2", "firmware_to": "1"})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "is a time zone such as Europe/Copenhagen" in html
    assert 'value="Mars"' in html
    assert of(amber) == []
    assert ada.post(reverse("quirk_add"), POSTED | {"vendor": ""}).status_code == 422
    assert ada.post(reverse("quirk_add"), {"name": "x", "vendor": "y"}).status_code == 422


def test_a_copy_of_a_shipped_one_takes_its_place(ada: Client, amber: Network) -> None:
    shipped = Quirk.shipped.get(code="growatt-local-time")
    address = f"{reverse('quirk_add')}?copy={shipped.pk}"
    html = ada.get(address).content.decode()
    assert 'value="Growatt*"' in html
    assert "switched off in your network when you save" in html
    ada.post(address, POSTED | {"vendor": "Growatt*"})
    assert [quirk.vendor for quirk in of(amber)] == ["Growatt*"]
    with scopes_disabled():
        assert list(QuirkSwitch.objects.filter(operator=amber.operator).values_list("quirk_id", "active")) == [(shipped.pk, False)]


def test_one_is_changed_switched_and_removed(ada: Client, amber: Network) -> None:
    quirk = own(amber)
    change, do = reverse("quirk_change", args=[quirk.pk]), reverse("quirk_do", args=[quirk.pk])
    assert 'name="local_time_zone-0" id="id_local_time_zone-0" checked' in ada.get(change).content.decode()
    ada.post(change, POSTED | {"name": "Renamed", "id_tag_plain-0": "on"})
    (changed,) = of(amber)
    assert (changed.name, [one["do"] for one in changed.adjustments]) == ("Renamed", ["local_time_zone", "id_tag_plain"])
    ada.post(do, {"do": "off"})
    assert [one.active for one in of(amber)] == [False]
    ada.post(do, {"do": "on"})
    ada.post(do, {"do": "dance"})
    assert [one.active for one in of(amber)] == [True]
    assert ada.post(do, {"do": "remove"})["Location"] == reverse("quirks")
    assert of(amber) == []


def test_a_shipped_one_can_be_switched_and_neither_changed_nor_removed(ada: Client, cleo: Client, amber: Network) -> None:
    shipped = Quirk.shipped.get(code="openevse-kwh")
    page, do = reverse("quirk", args=[shipped.pk]), reverse("quirk_do", args=[shipped.pk])
    assert "came with the release" in ada.get(page).content.decode()
    assert ada.get(reverse("quirk_change", args=[shipped.pk])).status_code == 404
    assert "came with the release: switch it off" in ada.post(do, {"do": "remove"}, follow=True).content.decode()
    ada.post(do, {"do": "on"})
    assert "Switch off" in ada.get(page).content.decode()
    assert "Switch on" in cleo.get(page).content.decode()


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"frame": '[2,"1","heartbeat"]'}, "mended_action"),
        ({"frame": "nonsense"}, "It cannot be understood"),
        ({"frame": '[3,"1",{}]'}, "This is an answer"),
        ({"frame": FRAME, "protocol": "ocpp2.0.1"}, "It cannot be understood"),
        ({"frame": FRAME, "station": "NOBODY"}, "There is no charger of this name"),
        ({"frame": '[2,"1","TriggerMessage",{"requestedMessage":"MeterValues"}]'}, "requestedMessage"),
        ({"frame": "[2," * 4000}, "It cannot be understood"),
        ({}, "Nobody is answered"),
    ],
)
def test_a_frame_is_tried(ada: Client, amber: Network, asked: dict[str, str], shown: str) -> None:
    answer = ada.get(reverse("quirk_try"), asked)
    assert answer.status_code == 200
    assert shown in answer.content.decode()


def test_a_frame_is_tried_as_a_chargers_own(ada: Client, cleo: Client, amber: Network) -> None:
    known = amber.station(vendor="Acme", model="One")
    own(amber, adjustments=[{"do": "local_time_zone", "zone": "Europe/Copenhagen"}])
    asked = {"frame": FRAME, "station": known.identity}
    assert "2026-07-01T10:00:00Z" in ada.get(reverse("quirk_try"), asked).content.decode()
    assert "There is no charger of this name" in cleo.get(reverse("quirk_try"), asked).content.decode()


def test_one_charger_is_held_strictly_and_leniently_again(ada: Client, ben: Client, amber: Network) -> None:
    known = amber.station()

    def strict() -> tuple[bool, int]:
        with scopes_disabled():
            return Station.objects.get(pk=known.pk).strict, Connection.objects.get(station=known).state_version

    page, button = reverse("station", args=[known.identity]), reverse("station_strict", args=[known.identity])
    before = strict()[1]
    assert "Be strict with it" in ada.get(page).content.decode()
    ada.post(button, {"strict": "yes"})
    assert strict() == (True, before + 1)
    assert "energy can be lost" in ada.get(page).content.decode()
    assert "Be lenient again" not in ben.get(page).content.decode()
    assert ben.post(button, {"strict": "no"}).status_code == 403
    ada.post(button, {"strict": "no"})
    assert strict() == (False, before + 2)


def test_a_form_says_what_it_ticks() -> None:
    post = {"measurand_factor-0": "on", "measurand_factor-0-measurand": "Voltage", "measurand_factor-0-factor": "0.1"}
    post |= {"measurand_factor-1": "on", "measurand_factor-1-measurand": "SoC", "measurand_factor-1-factor": ""}
    post |= {"local_time_zone-0-zone": "not ticked", "dance-0": "on", "local_time_zone-3": "on", "local_time_zone-3-also_z": "yes"}
    assert ticked(post) == [
        {"do": "local_time_zone", "also_z": True},
        {"do": "measurand_factor", "measurand": "Voltage", "factor": "0.1"},
        {"do": "measurand_factor", "measurand": "SoC"},
    ]
