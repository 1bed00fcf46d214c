"""What is downloaded from the pages about chargers. On committed rows: a download reads them on a thread of its own."""

import csv
import json
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from billing import services, tariffs
from csms.dashboard import exports
from stations.models import (
    DisplayMessage,
    LocalList,
    LocalListEntry,
    LocalListRule,
    MessageLogEntry,
    Refusal,
    Station,
    Variable,
)
from tests.billing import make
from tests.dashboard.monitoredrows import monitored
from tests.dashboard.reservationrows import kept, made_reservation
from tests.dashboard.securityrows import secured
from tests.database import tables
from tests.firmware import made_image, made_update
from tests.network import Network
from tests.stations.runs import brought_on, heard


@tables
def browser_of(network: Network) -> Client:
    client = Client()
    client.force_login(network.user())
    return client


@tables
def download(browser: Client, address: str) -> Any:
    return browser.get(address)


@tables
def logged(station: Station, count: int) -> None:
    """Exchanges of one and the same moment: pages must not lose or repeat any."""
    now = timezone.now() - timedelta(minutes=1)
    with scopes_disabled():
        MessageLogEntry.objects.bulk_create(
            MessageLogEntry(
                operator_id=station.operator_id,
                station_id=station.pk,
                direction="in",
                protocol="ocpp1.6",
                message_id=f"m{number}",
                action="Heartbeat",
                event="HeartbeatReceived",
                outcome="result",
                call=f'[2,"m{number}","Heartbeat",{{}}]',
                answer=f'[3,"m{number}",{{}}]',
                received_at=now,
                handling_us=1500,
            )
            for number in range(count)
        )


async def text(answer: Any) -> str:
    return b"".join([part async for part in answer.streaming_content]).decode("utf-8-sig")


async def test_the_updates_of_a_charger_are_a_file_whatever_was_asked_for(network: Network) -> None:
    station, now = network.station(), timezone.now()
    made_update(station, made_image(network.operator), status="done", finished_at=now)
    made_update(station, None, location="https://files.example.com/x.bin", token_hash=None)
    answer = await text(download(browser_of(network), f"/stations/{station.identity}/?tab=firmware&format=csv"))
    rows = [(row["firmware"], row["version"], row["status"]) for row in csv.DictReader(answer.splitlines())]
    assert rows == [("https://files.example.com/x.bin", "", "sent"), ("Acme 2.0", "2.0", "done")]


async def test_the_filtered_list_of_chargers_is_a_file_too(network: Network) -> None:
    network.station(identity=f"{network.prefix}-A", vendor="=HYPERLINK(1)")
    network.station(identity=f"{network.prefix}-B", vendor="Alfen")
    browser = browser_of(network)
    answer = download(browser, "/stations/?format=csv")
    assert answer["Content-Type"].startswith("text/csv")
    lines = (await text(answer)).splitlines()
    assert [line.split(",")[0] for line in lines] == ["identity", f"{network.prefix}-A", f"{network.prefix}-B"]
    assert "'=HYPERLINK(1)" in lines[1]
    assert len((await text(download(browser, "/stations/?format=csv&q=alfen"))).splitlines()) == 2


async def test_the_filtered_list_of_tariffs_is_a_file_too(network: Network) -> None:
    for name in ("Days", "Nights"):
        tables(network.tariff)(name=name, is_default=False)
    lines = (await text(download(browser_of(network), "/tariffs/?format=csv&q=night"))).splitlines()
    assert [line.split(",")[1] for line in lines] == ["name", "Nights"]


async def test_messages_are_downloaded_chunk_by_chunk_and_none_is_lost(network: Network, monkeypatch: Any) -> None:
    monkeypatch.setattr(exports, "CHUNK", 10)
    station = network.station()
    logged(station, 25)
    browser = browser_of(network)
    address = f"/stations/{station.identity}/?tab=messages"
    answer = download(browser, f"{address}&format=ndjson")
    entries = [json.loads(line) for line in (await text(answer)).splitlines()]
    assert sorted(entry["message_id"] for entry in entries) == sorted(f"m{number}" for number in range(25))
    assert entries[0]["call"][2] == "Heartbeat"
    assert entries[0]["handling_ms"] == 1.5
    assert len((await text(download(browser, f"{address}&format=csv"))).splitlines()) == 26
    assert (await text(download(browser, f"{address}&format=ndjson&action=BootNotification"))) == ""


async def test_what_was_billed_is_a_file_with_a_row_for_each_rate_of_tax(network: Network, monkeypatch: Any) -> None:
    monkeypatch.setattr(exports, "CHUNK", 2)
    billed(network, 3)
    header, *lines = csv.reader((await text(download(browser_of(network), "/billing/?format=csv"))).splitlines())
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    names = ("tax_percent", "net", "tax", "gross", "energy_wh")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("7", "1", "0.07", "1.07", "10000"),
        ("19", "4", "0.76", "4.76", ""),
    ] * 3
    assert len({row["session"] for row in rows}) == 3


@tables
def billed(network: Network, count: int) -> None:
    """Sessions of 10 kWh, with two rates of tax."""
    parts = [{"type": "ENERGY", "price": 0.4, "vat": 19, "step_size": 1}, {"type": "FLAT", "price": 1, "vat": 7, "step_size": 1}]
    body = {"elements": [{"price_components": parts}]}
    with scopes_disabled():
        tariffs.add_tariff(operator=network.operator, name="Two rates", ocpi=body, is_default=True)
        rows = make.transactions(make.station(network.operator, f"{network.prefix}-BILLED"), [10_000] * count)
        services.make_charge_records(transaction_ids=[one.pk for one in rows])


async def test_what_several_were_asked_is_a_file(network: Network) -> None:
    stations = [network.station(), network.station()]
    browser = browser_of(network)
    address = asked(browser, stations)
    header, *lines = (await text(download(browser, f"{address}?format=csv"))).splitlines()
    assert header.startswith("charger,command,state,reason,status")
    assert [line.split(",")[:5] for line in lines] == [[one.identity, "clear_cache", "asked", "", "queued"] for one in stations]
    assert "'=1+1" in lines[0]


@tables
def asked(browser: Client, stations: list[Station]) -> str:
    heard(*stations)
    given = {"station": [one.pk for one in stations], "do": "clear", "token": "t", "sure": "2", "reason": "=1+1", "jitter_s": "0"}
    address = str(browser.post("/commands/start/", given)["Location"])
    brought_on()
    return address


@tables
def turned_away(network: Network, count: int) -> None:
    now = timezone.now()
    with scopes_disabled():
        Refusal.objects.bulk_create(
            Refusal(operator=network.operator, identity=f"KNOCK-{n}", reason="unknown_station", first_at=now, last_at=now)
            for n in range(count)
        )


@tables
def listed(network: Network, station: Station, state: str) -> None:
    with scopes_disabled():
        LocalList.objects.create(operator=network.operator, station=station, state=state, version=3, count=2)


async def test_local_lists_are_a_file_chunk_by_chunk(network: Network, monkeypatch: Any) -> None:
    monkeypatch.setattr(exports, "CHUNK", 2)
    for state in ("in_step", "in_step", "failed"):
        listed(network, network.station(), state)
    browser = browser_of(network)
    header, *lines = (await text(download(browser, "/local-lists/?format=csv"))).splitlines()
    assert header.startswith("station,site,mode,state,version")
    assert [line.split(",")[3:5] for line in lines] == [["in_step", "3"], ["in_step", "3"], ["failed", "3"]]
    assert len((await text(download(browser, "/local-lists/?format=csv&state=failed"))).splitlines()) == 2


@tables
def with_a_list(network: Network, count: int) -> Station:
    """A charger whose list was sent by hand."""
    station = network.station()
    with scopes_disabled():
        one = LocalList.objects.create(operator=network.operator, station=station, state="in_step", by_hand=True, count=count)
        given = {"operator": network.operator, "local_list": one, "type": "ISO14443", "status": "Accepted", "group": "FLEET"}
        LocalListEntry.objects.bulk_create(LocalListEntry(**given, value=f"T{n}", key=f"T{n}") for n in range(count))
    return station


async def test_all_the_tags_on_a_list_are_a_file_however_many_the_page_shows(network: Network, monkeypatch: Any) -> None:
    monkeypatch.setattr(exports, "CHUNK", 50)
    station = with_a_list(network, 120)
    browser = browser_of(network)
    header, *lines = (await text(download(browser, f"/stations/{station.identity}/local-list/export/"))).splitlines()
    assert header == "id_tag,type,status,group,valid_until"
    assert lines == [f"T{n},ISO14443,Accepted,FLEET," for n in range(120)]


@tables
def with_a_rule(network: Network) -> Station:
    """A charger whose list follows the rule that all tags which may charge are on it."""
    station = network.station()
    token, later = network.token("OF-THE-FLEET", group="FLEET"), network.token("LATER")
    with scopes_disabled():
        rule = LocalListRule.objects.create(operator=network.operator, mode="valid", changed_at=timezone.now())
        LocalList.objects.create(
            operator=network.operator, station=station, state="in_step", rule=rule, count=1, highest=later.pk - 1, upto=token.pk
        )
    return station


async def test_the_tags_that_a_rule_put_on_a_list_are_a_file_as_far_as_they_were_sent(network: Network) -> None:
    browser, station = browser_of(network), with_a_rule(network)
    _header, *lines = (await text(download(browser, f"/stations/{station.identity}/local-list/export/"))).splitlines()
    assert [line.split(",")[::3][:2] for line in lines] == [["OF-THE-FLEET", "FLEET"]]


@tables
def with_security(network: Network) -> Station:
    station = network.station()
    with scopes_disabled():
        secured(station, made_image(network.operator))
        kept(station, station)
    return station


async def test_requests_for_certificates_publications_and_moves_are_files_chunk_by_chunk(
    network: Network, monkeypatch: Any
) -> None:
    monkeypatch.setattr(exports, "CHUNK", 2)
    browser, station = browser_of(network), with_security(network)
    found = {}
    for where in ("certificates/requests", "firmware/published", "network"):
        answer = await text(download(browser, f"/stations/{station.identity}/{where}/export/"))
        found[where] = list(csv.DictReader(answer.splitlines()))
    asked, handed_on, moves = found.values()
    assert [row["status"] for row in asked] == ["rejected", "rejected", "refused", "received", "installed"]
    assert (asked[1]["problems"], asked[2]["common_name"], asked[2]["count"]) == ("No.", "SN-77", "3")
    assert [(row["status"], row["locations"], row["detail"]) for row in handed_on] == [
        ("published", "http://192.0.2.1/a.bin", ""),
        ("failed", "", "It could not."),
    ]
    ends = ["watching", "cancelled", "failed", "lost", "returned", "gone", "arrived"]
    assert [(row["status"], row["order"], row["order_before"]) for row in moves] == [(status, "1,0", "0") for status in ends]


async def test_who_was_turned_away_is_a_file_chunk_by_chunk(network: Network, monkeypatch: Any) -> None:
    monkeypatch.setattr(exports, "CHUNK", 10)
    turned_away(network, 25)
    lines = (await text(download(browser_of(network), "/onboarding/export/"))).splitlines()
    assert sorted(line.split(",")[0] for line in lines[1:]) == sorted(f"KNOCK-{n}" for n in range(25))


@tables
def told(station: Station) -> None:
    with scopes_disabled():
        for name, value in (("HeartbeatInterval", "300"), ("AuthorizationKey", "hunter2"), ("MeterInterval", "60")):
            Variable.objects.create(operator=station.operator, station=station, component="C", variable=name, value=value)


async def test_settings_and_commands_of_a_charger_are_files_and_secrets_stay(network: Network, monkeypatch: Any) -> None:
    monkeypatch.setattr(exports, "CHUNK", 2)
    station = network.station()
    told(station)
    browser = browser_of(network)
    asked(browser, [station, network.station()])
    address = f"/stations/{station.identity}/"
    settings = await text(download(browser, f"{address}?tab=configuration&format=csv"))
    assert len(settings.splitlines()) == 4
    assert "hunter2" not in settings
    assert len((await text(download(browser, f"{address}?tab=configuration&format=csv&q=heartbeat"))).splitlines()) == 2
    header, line = (await text(download(browser, f"{address}?tab=commands&format=csv"))).splitlines()
    assert header.startswith("id,command,status")
    assert ",clear_cache,queued," in line


@tables
def reserved(station: Station) -> None:
    with scopes_disabled():
        made_reservation(station, id_tag="VAN-7")
        made_reservation(station, id_tag="0000", id_token_type="KeyCode", number=2, evse_number=None)


async def test_reservations_are_a_file_without_key_codes(network: Network) -> None:
    reserved(network.station())
    header, *lines = (await text(download(browser_of(network), "/reservations/?format=csv"))).splitlines()
    assert header.startswith("id,charger,number,plug,connector_type,id_tag,")
    assert [line.split(",")[3:6] for line in lines] == [["", "", "***"], ["1", "", "VAN-7"]]


@tables
def watching(station: Station) -> None:
    with scopes_disabled():
        monitored(station)


async def test_what_a_charger_watches_noticed_and_told_are_files(network: Network, monkeypatch: Any) -> None:
    monkeypatch.setattr(exports, "CHUNK", 2)
    station = network.station()
    watching(station)
    browser, address = browser_of(network), f"/stations/{station.identity}"
    found = {name: await text(download(browser, f"{address}/monitoring/{name}/")) for name in ("monitors", "events", "reports")}
    found["customers"] = await text(download(browser, f"{address}/customers/export/"))
    lines = {name: len(lines.splitlines()) for name, lines in found.items()}
    assert lines == {"monitors": 4, "events": 5, "reports": 5, "customers": 3}
    assert "UpperThreshold,70.5,2" in found["monitors"]
    assert "The fan stands still." in found["events"]
    assert "FullInventory" in found["reports"]
    assert "Two sessions." in found["customers"]


@tables
def shown(station: Station) -> None:
    with scopes_disabled():
        fields = {"operator": station.operator, "station": station, "priority": "NormalCycle", "format": "UTF8"}
        DisplayMessage.objects.create(**fields, number=4, content="=SUM(A1)", set_at=timezone.now())
        DisplayMessage.objects.create(**fields, number=5, content="Closed", set_at=timezone.now(), removed_at=timezone.now())


async def test_what_a_charger_shows_is_a_file_with_what_is_over_too(network: Network) -> None:
    station = network.station()
    shown(station)
    lines = (await text(download(browser_of(network), f"/stations/{station.identity}/display/export/"))).splitlines()
    assert [line.split(",")[:3] for line in lines[1:]] == [["5", "removed", "Closed"], ["4", "shown", "'=SUM(A1)"]]
