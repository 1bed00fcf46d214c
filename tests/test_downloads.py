"""What is downloaded from the pages about chargers. On committed rows: a download reads them on a thread of its own."""

import json
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.dashboard import exports
from stations.models import MessageLogEntry, Refusal, Station, Variable
from tests.database import tables
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
