"""The wall as a plain page."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from stations.models import Refusal, Site, Station
from tests.dashboard.rows import bill, finding, finished, plug, seen, session
from tests.network import Network


def page(client: Client) -> str:
    answer = client.get("/")
    assert answer.status_code == 200
    return answer.content.decode().replace("\u202f", " ")


def part(html: str, pk: str) -> str:
    """The element with this id, as text."""
    match = re.search(rf'<(\w+)[^>]* id="{pk}".*?</\1>', html, re.DOTALL)
    assert match, f"no {pk} on the page"
    return " ".join(re.sub(r"<[^>]+>", " ", match[0]).split())


def test_a_stranger_is_sent_to_the_login(client: Client, amber: Network) -> None:
    assert client.get("/")["Location"] == "/login/?next=/"


def test_a_charging_plug_shows_power_energy_and_cost(ada: Client, amber: Network) -> None:
    amber.tariff(price_per_minute=0, price_per_session=0)
    connector = plug(amber, "Charging")
    session(connector)
    shown = part(page(ada), f"connector-{connector.pk}")
    assert "Charging" in shown
    assert "11.0 kW" in shown
    assert "7.50 kWh" in shown
    assert "3.75 EUR" in shown
    assert "metered 0 s ago" in shown


def test_without_a_tariff_the_page_says_so(ada: Client, amber: Network) -> None:
    connector = plug(amber, "Charging")
    session(connector)
    html = page(ada)
    assert "no tariff" in part(html, f"connector-{connector.pk}")
    assert "no tariff" in part(html, "running")


def test_a_station_that_is_silent_for_three_heartbeats_is_offline_and_its_numbers_are_not_shown_as_fresh(
    ada: Client, amber: Network
) -> None:
    connector = plug(amber, "Charging")
    session(connector)
    station = connector.evse.station
    seen(station, ago=timedelta(seconds=3 * station.heartbeat_interval_s - 10))
    assert "Charging" in part(page(ada), f"connector-{connector.pk}")
    seen(station, ago=timedelta(seconds=3 * station.heartbeat_interval_s + 10))
    html = page(ada)
    shown = part(html, f"connector-{connector.pk}")
    assert "Offline" in shown
    assert "last heard 15 min ago" in shown
    assert "– kW" in shown
    assert "11.0" not in shown
    assert "– kW without 1 session that has not said lately" in part(html, "summary")


def test_an_old_power_reading_is_not_shown_as_the_power_now(ada: Client, amber: Network) -> None:
    connector = plug(amber, "Charging")
    session(connector, meter_last_at=timezone.now() - timedelta(minutes=40))
    shown = part(page(ada), f"connector-{connector.pk}")
    assert "– kW" in shown
    assert "metered 40 min ago" in shown


def test_a_station_that_hung_up_is_offline_at_once(ada: Client, amber: Network) -> None:
    connector = plug(amber)
    with scopes_disabled():
        connection = connector.evse.station.connection
        connection.disconnected_at = timezone.now()
        connection.save()
    assert "Offline" in part(page(ada), f"connector-{connector.pk}")


def test_the_first_sentence_counts_what_needs_you(ada: Client, amber: Network) -> None:
    plug(amber, "Charging")
    plug(amber, "Faulted", error_code="GroundFailure", info="RCD tripped")
    seen(plug(amber).evse.station, ago=timedelta(days=2))
    html = page(ada)
    assert "2 of 3 plugs need you" in part(html, "headline")
    assert "<title>(2) Network" in html
    assert "GroundFailure – RCD tripped" in html


def test_when_all_is_well_the_first_sentence_says_so(ada: Client, amber: Network) -> None:
    for _ in range(3):
        plug(amber)
    html = page(ada)
    assert "All 3 plugs are well" in part(html, "headline")
    assert "<title>Network" in html


def test_a_fault_of_the_whole_charger_is_a_fault_of_its_plugs(ada: Client, amber: Network) -> None:
    connector = plug(amber)
    with scopes_disabled():
        Station.objects.filter(pk=connector.evse.station_id).update(status="Faulted", error_code="InternalError")
    shown = part(page(ada), f"connector-{connector.pk}")
    assert "Faulted" in shown
    assert "InternalError" in shown


def test_the_counters_sum_power_and_the_energy_of_today(ada: Client, amber: Network) -> None:
    session(plug(amber, "Charging"), started_at=timezone.now())
    session(plug(amber, "Charging"), started_at=timezone.now())
    finished(plug(amber), started_at=timezone.now() - timedelta(days=3))
    session(plug(amber, "Charging"), started_at=timezone.now(), doubt="register", energy_wh=Decimal(10**9), power_w=None)
    summary = part(page(ada), "summary")
    assert "22.1 kW" in summary
    assert "15.0 kWh" in summary


def test_money_today_is_told_by_currency_and_is_a_dash_while_nothing_has_its_price(ada: Client, amber: Network) -> None:
    tariff, now = amber.tariff(), timezone.now()
    first, second, foreign = (finished(plug(amber), started_at=now) for _ in range(3))
    yesterday = finished(plug(amber), started_at=now - timedelta(days=2))
    bill(yesterday, tariff, "99.00")
    assert "Billed today –" in part(page(ada), "summary")
    bill(first, tariff, "4.71")
    taken_back = bill(second, tariff, "5.00")
    bill(foreign, tariff, "70", currency="SEK")
    bill(second, tariff, "-5.00", revision=2, kind="credit", credits=taken_back)
    bill(second, tariff, "1.00", revision=3)
    assert "Billed today 5.71 EUR 70.00 SEK" in part(page(ada), "summary")


def test_no_data_is_not_shown_as_nought(ada: Client, amber: Network) -> None:
    connector = plug(amber, "Charging")
    assert "0.0 kW Energy" in (idle := part(page(ada), "summary")).replace("Power now ", "")
    assert "Energy today 0.0 kWh" in idle
    session(connector, started_at=timezone.now(), power_w=None, energy_wh=None)
    unknown = part(page(ada), "summary")
    assert "Power now – kW" in unknown
    assert "Energy today – kWh" in unknown


def test_every_counter_leads_to_its_filtered_list(ada: Client, amber: Network) -> None:
    charging = session(plug(amber, "Charging"), started_at=timezone.now())
    broken, away = plug(amber, "Faulted"), plug(amber)
    seen(away.evse.station, ago=timedelta(days=1))
    old = finished(plug(amber), started_at=timezone.now() - timedelta(days=3))
    summary = page(ada).split('id="summary"')[1].split("</section>")[0]
    links = dict(re.findall(r'<a href="(/[^"]+)">([^<]+)</a>', summary))
    lists = {word: ada.get(link.replace("&amp;", "&")).content.decode() for link, word in links.items()}
    assert set(lists) == {"Charging now", "Power now", "Energy today", "Billed today", "Faulted", "Offline"}
    assert f">{charging.station.identity}<" in lists["Charging now"]
    assert f"/transactions/{charging.pk}/" in lists["Power now"]
    assert f"/transactions/{charging.pk}/" in lists["Energy today"]
    assert f"/transactions/{old.pk}/" not in lists["Energy today"]
    assert f">{broken.evse.station.identity}<" in lists["Faulted"]
    assert f">{away.evse.station.identity}<" in lists["Offline"]
    assert f">{broken.evse.station.identity}<" not in lists["Offline"]


def test_a_charging_plug_shows_who_charges_and_for_how_long(ada: Client, amber: Network) -> None:
    labelled, bare = plug(amber, "Charging"), plug(amber, "Charging")
    session(labelled, id_token=amber.token("DEE-CARD", note="Dee's van"), started_at=timezone.now() - timedelta(minutes=72))
    session(bare)
    html = page(ada)
    assert "Dee&#x27;s van · 1 h 12 min" in part(html, f"connector-{labelled.pk}")
    assert "DEE-CARD · 1 h 00 min" in part(html, f"connector-{bare.pk}")


def test_two_sites_of_the_same_name_keep_their_plugs(client: Client, amber: Network, cobalt: Network) -> None:
    connectors = []
    for network in (amber, cobalt, amber, cobalt):
        with scopes_disabled():
            site = Site.objects.get_or_create(operator=network.operator, name="Harbour")[0]
            connectors.append(connector := plug(network))
            # Their chargers stand in turn by identity.
            Station.objects.filter(pk=connector.evse.station_id).update(site=site, identity=f"TURN-{len(connectors)}-{network.tag}")
    client.force_login(amber.user("root", operator=None, is_superuser=True))
    html = page(client)
    assert all(html.count(f'id="connector-{connector.pk}"') == 1 for connector in connectors)


def test_finished_sessions_show_their_final_price_and_what_is_to_be_looked_at(ada: Client, amber: Network) -> None:
    tariff = amber.tariff()
    billed, doubtful, unbilled = (finished(plug(amber), **more) for more in ({}, {"doubt": "stop_missing"}, {}))
    bill(billed, tariff, "4.71")
    finding(billed)
    html = page(ada)
    assert "4.71 EUR" in part(html, f"transaction-{billed.pk}")
    assert "1 finding" in part(html, f"transaction-{billed.pk}")
    assert "not billed: in doubt" in part(html, f"transaction-{doubtful.pk}")
    assert "Its end was never reported" in part(html, f"transaction-{doubtful.pk}")
    assert "not priced yet" in part(html, f"transaction-{unbilled.pk}")


def test_only_the_last_twenty_finished_sessions_are_shown(ada: Client, amber: Network) -> None:
    connector = plug(amber)
    now = timezone.now()
    sessions = [finished(connector, stopped_at=now - timedelta(minutes=n)) for n in range(22)]
    html = page(ada)
    assert [f'id="transaction-{s.pk}"' in html for s in sessions] == [True] * 20 + [False] * 2


def test_plugs_stand_at_their_site(ada: Client, amber: Network) -> None:
    with scopes_disabled():
        site = Site.objects.create(operator=amber.operator, name="Harbour")
    connector = plug(amber)
    with scopes_disabled():
        Station.objects.filter(pk=connector.evse.station_id).update(site=site)
    plug(amber)
    html = page(ada)
    assert html.index(">Harbour<") < html.index(f"connector-{connector.pk}") < html.index("Without a site")


def test_an_empty_network_says_how_to_connect_the_first_charger(ada: Client) -> None:
    html = page(ada)
    assert "ws://testserver/ocpp/<em>" in html
    assert "manage.py station add" in html


def test_a_station_that_never_dialled_in_waits_with_its_address(ada: Client, amber: Network) -> None:
    station = amber.station()
    shown = part(page(ada), f"station-{station.pk}")
    assert "Waiting for its first connection" in shown
    assert f"ws://testserver/ocpp/{station.identity}" in shown


def refuse(network: Network, identity: str, reason: str, **fields: Any) -> None:
    now = timezone.now()
    given = {"detail": "", "first_at": now, "last_at": now} | fields
    with scopes_disabled():
        Refusal.objects.create(operator=network.operator, identity=identity, reason=reason, **given)


def test_who_was_turned_away_in_the_last_hour_stands_there_with_reason_and_remedy(ada: Client, amber: Network) -> None:
    refuse(amber, "EV BOX 1", "unknown_station", detail="No station with this identity is registered.")
    refuse(amber, "OLD", "wrong_password", last_at=timezone.now() - timedelta(hours=2))
    shown = part(page(ada), "refusals")
    assert "EV BOX 1 No charger with this identity is registered." in shown
    assert "manage.py station add &#x27;EV BOX 1&#x27;" in shown
    assert "OLD" not in shown


def test_what_a_station_says_of_itself_cannot_put_markup_on_the_page(ada: Client, amber: Network) -> None:
    refuse(amber, "<script>alert(1)</script>", "unknown_station")
    plug(amber, "Faulted", error_code="OtherError", info="<b>x</b>")
    session(plug(amber, "Charging"), id_tag='"><img src=x>')
    html = page(ada)
    assert "<script>alert" not in html
    assert "<b>x</b>" not in html
    assert "<img" not in html


def test_a_viewer_sees_the_same(ada: Client, ben: Client, amber: Network) -> None:
    session(plug(amber, "Charging"))
    wall = re.compile(r'<div id="wall">.*</main>', re.DOTALL)
    stamp = re.compile(r'(data-now|datetime)="[^"]*"| data-ago>[^<]*')
    pages = [stamp.sub("", wall.findall(page(client))[0]) for client in (ada, ben)]
    assert pages[0] == pages[1]


def test_another_operator_sees_nothing_of_it(cleo: Client, amber: Network) -> None:
    connector = plug(amber, "Charging")
    session(connector)
    refuse(amber, "AMBER-KNOCK", "wrong_password")
    html = page(cleo)
    assert connector.evse.station.identity not in html
    assert "AMBER-KNOCK" not in html
    assert "No plugs yet" in html


def test_somebody_without_an_operator_is_told_so_and_sees_nothing(client: Client, amber: Network) -> None:
    plug(amber)
    client.force_login(amber.user("nobody", operator=None))
    answer = client.get("/")
    assert answer.status_code == 403
    assert "Your account belongs to no network yet" in answer.content.decode()


def test_a_superuser_sees_every_network(client: Client, amber: Network, cobalt: Network) -> None:
    plugs = [plug(amber), plug(cobalt)]
    client.force_login(amber.user("root", operator=None, is_superuser=True))
    html = page(client)
    assert all(f"connector-{connector.pk}" in html for connector in plugs)


def test_the_number_of_queries_does_not_depend_on_the_size_of_the_network(
    ada: Client, amber: Network, django_assert_num_queries: Callable[..., Any]
) -> None:
    amber.tariff()
    for count in (1, 12):
        for _ in range(count):
            session(plug(amber, "Charging"))
            finished(plug(amber))
            amber.station()
        page(ada)  # reads the tariffs, which are kept
        # Login, user, operator; four counters; running with findings, places, the version of the prices, records; connectors;
        # seventeen of the work list; sites; waiting; finished with findings and records; refusals.
        with django_assert_num_queries(36):
            page(ada)


def test_the_page_allows_no_script_or_style_but_its_own(ada: Client, amber: Network) -> None:
    session(plug(amber, "Charging"))
    answer = ada.get("/")
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    html = answer.content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html)
