"""A charger's page: its head, its tabs, and who may see them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from csms.dashboard import fragments
from csms.dashboard.worklist import Rights
from stations.domain.commands import ClearCache
from stations.services.commands import issue
from tests.dashboard.rows import finding, plug, sample, seen, session
from tests.network import Network

TABS = ["overview", "commands", "configuration", "messages"]


@pytest.mark.parametrize("tail", ["a b", "a/b", "a%2Fb", "50%", "ä?#&", "..", "."])
def test_every_identity_has_its_page(ada: Client, amber: Network, tail: str) -> None:
    identity = tail if tail.strip(".") == "" else f"{amber.tag} {tail}"
    amber.station(identity=identity)
    address = reverse("station", args=[identity])
    assert address.count("/") == 3
    answer = ada.get(address)
    assert answer.status_code == 200
    assert answer.context["station"].identity == identity


def test_the_head_says_what_it_is_and_how_it_is(ada: Client, amber: Network) -> None:
    connector = plug(amber, "Faulted", error_code="GroundFailure")
    station = connector.evse.station
    type(station).objects.with_scopes_disabled().filter(pk=station.pk).update(
        vendor="Alfen", model="Eve", serial_number="SN-1", firmware_version="6.5.0"
    )
    seen(station, protocol="ocpp1.6")
    html = ada.get(reverse("station", args=[station.identity])).content.decode()
    for said in ("Faulted", "GroundFailure", "online since", "OCPP 1.6", "Alfen Eve", "SN-1", "6.5.0"):
        assert said in html


def test_the_head_says_why_the_charger_started_and_what_else_it_told_of_itself(ada: Client, amber: Network) -> None:
    station = plug(amber).evse.station
    address = reverse("station", args=[station.identity])
    assert "Last start" not in ada.get(address).content.decode()
    told = {"serial_number": "SN-1", "box_serial_number": "BOX-1", "boot_reason": "Watchdog", "booted_at": timezone.now()}
    told |= {"iccid": "8949", "imsi": "262", "meter_type": "Elster A3", "meter_serial_number": "M-77"}
    type(station).objects.with_scopes_disabled().filter(pk=station.pk).update(**told)
    html = ada.get(address).content.decode()
    for said in ("Last start", *(str(text) for name, text in told.items() if name != "booted_at")):
        assert said in html
    type(station).objects.with_scopes_disabled().filter(pk=station.pk).update(box_serial_number="SN-1")
    assert ada.get(address).content.decode().count("<code>SN-1</code>") == 1


def test_the_overview_draws_the_power_of_the_day_beside_a_table(ada: Client, amber: Network) -> None:
    charging = session(plug(amber, "Charging"))
    now = timezone.now()
    sample(charging, now - timedelta(hours=2), 0)
    sample(charging, now - timedelta(hours=1), 4000)
    sample(charging, now - timedelta(hours=1, seconds=1), 8000)
    sample(charging, now - timedelta(hours=30), 22_000)
    finding(charging)
    answer = ada.get(reverse("station", args=[charging.station.identity]))
    chart = answer.context["chart"]
    assert 2 <= len(chart.bars) <= 3
    assert chart.bars[0].mean_w == 0
    assert 4000 <= chart.top_w <= 8000
    html = answer.content.decode()
    assert html.count("<rect") == len(chart.bars)
    assert "DEE-CARD" in html
    assert "The clock is 12 minutes behind." in html


def test_a_charger_that_told_nothing_leads_on(ada: Client, amber: Network) -> None:
    address = reverse("station", args=[amber.station().identity])
    assert "has not told what plugs it has" in ada.get(address).content.decode()
    configuration = ada.get(f"{address}?tab=configuration").content.decode()
    assert "Nothing is known of this charger" in configuration
    assert configuration.count("Read now") == 2
    assert "has said nothing yet" in ada.get(f"{address}?tab=messages").content.decode()


def test_whoever_may_only_look_sees_no_forms(ben: Client, ada: Client, amber: Network) -> None:
    address = reverse("station", args=[plug(amber).evse.station.identity])
    for tab in TABS:
        html = ben.get(f"{address}?tab={tab}&do=restart").content.decode()
        assert html.count('method="post"') == 2  # logging out, and the language
        assert "Do…" not in html
        assert "Read now" not in html
    assert ada.get(f"{address}?tab=commands").content.decode().count('method="post"') == 3
    assert ben.post(f"{address}commands/", {"do": "clear"}).status_code == 403
    assert ben.post(f"{address}settings/", {"do": "read"}).status_code == 403


@pytest.mark.parametrize(("tab", "most"), [("overview", 23), ("commands", 11), ("configuration", 14), ("messages", 12)])
def test_no_tab_costs_more_for_more_plugs_and_sessions(ada: Client, amber: Network, tab: str, most: int) -> None:
    connector = plug(amber, "Charging")
    station = connector.evse.station
    session(connector)
    address = f"{reverse('station', args=[station.identity])}?tab={tab}"
    ada.get(address)  # reads the tariffs, which are kept
    with CaptureQueriesContext(connection) as one:
        ada.get(address)
    for _ in range(3):
        session(plug(amber, "Charging", station=station))
    with CaptureQueriesContext(connection) as many:
        ada.get(address)
    assert len(many) == len(one) <= most


def test_titles_tell_the_pages_apart(ada: Client, amber: Network) -> None:
    address = reverse("station", args=[amber.station().identity])
    titles = {ada.get(f"{address}?tab={tab}").content.decode().split("<title>")[1].split("</title>")[0] for tab in TABS}
    assert len(titles) == len(TABS)


def test_live_parts_of_a_charger_are_its_own_operators_alone(amber: Network, cobalt: Network) -> None:
    connector = plug(amber)
    station = connector.evse.station
    with scope(operator=amber.operator):
        issue(station=station, command=ClearCache())
        ids = [part["id"] for part in fragments.of_station("en", station.pk, Rights())]
    assert ids[:2] == ["station-head", f"connector-{connector.pk}"]
    assert len(ids) == 6
    with scope(operator=cobalt.operator):
        assert fragments.of_station("en", station.pk, Rights(command=True)) == []


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "not known yet"),
        (-290, "right"),
        (3600, "1 h 00 min ahead"),
        (-93_600, "26 h 00 min behind"),
        (200_000, "2 days ahead"),
        (-1_774_000_000, "56 years behind"),
    ],
)
def test_the_head_says_what_the_clock_is_off_by(ada: Client, amber: Network, seconds: int | None, said: str) -> None:
    station = amber.station()
    type(station).objects.with_scopes_disabled().filter(pk=station.pk).update(clock_offset_s=seconds)
    assert f"<dt>Clock</dt><dd>{said}</dd>" in ada.get(reverse("station", args=[station.identity])).content.decode()
