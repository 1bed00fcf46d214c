"""The message log: pairs in rows, filters, pages by key, and one exchange in full."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_scopes import scopes_disabled

from stations.models import MessageLogEntry, Station
from tests.network import Network


def entry(station: Station, number: int = 1, *, at: datetime | None = None, **fields: Any) -> MessageLogEntry:
    given = {
        "direction": "in",
        "protocol": "ocpp1.6",
        "message_id": f"m{number}",
        "action": "Heartbeat",
        "event": "HeartbeatReceived",
        "outcome": "result",
        "call": f'[2,"m{number}","Heartbeat",{{}}]',
        "answer": f'[3,"m{number}",{{"currentTime":"2026-01-01T00:00:00Z"}}]',
        "received_at": at or timezone.now(),
        "handling_us": 2400,
    }
    with scopes_disabled():
        made = MessageLogEntry(operator_id=station.operator_id, station_id=station.pk, **given | fields)
        MessageLogEntry.objects.bulk_create([made])
        return MessageLogEntry.objects.get(station=station, message_id=made.message_id)


def rows(browser: Client, station: Station, query: str = "") -> list[str]:
    answer = browser.get(f"{reverse('station', args=[station.identity])}?tab=messages&{query}")
    assert answer.status_code == 200
    return [row.message_id for row in answer.context["log"].rows]


def test_filters_narrow_the_log(ada: Client, amber: Network) -> None:
    station = amber.station()
    now = timezone.now()
    entry(station, 1, at=now - timedelta(hours=3))
    entry(station, 2, at=now, action="Reset", direction="out", outcome="NotSupported", call='[2,"m2","Reset",{"type":"Hard"}]')
    assert rows(ada, station) == ["m2", "m1"]
    assert rows(ada, station, "action=reset") == ["m2"]
    assert rows(ada, station, "direction=in") == ["m1"]
    assert rows(ada, station, "errors=1") == ["m2"]
    assert rows(ada, station, "q=Hard") == ["m2"]
    assert rows(ada, station, f"since={(now - timedelta(hours=1)).strftime('%Y-%m-%dT%H:%M')}Z") == ["m2"]
    assert rows(ada, station, "q=nothing") == []


@pytest.mark.parametrize("query", ["since=yesterday", "since=2026-13-45T00:00", "before=x", "before=~1", "direction=up", "q=%00"])
def test_what_makes_no_sense_is_left_out(ada: Client, amber: Network, query: str) -> None:
    station = amber.station()
    entry(station)
    assert rows(ada, station, query) == ["m1"]


def test_pages_go_on_where_the_last_one_ended(ada: Client, amber: Network) -> None:
    station = amber.station()
    at = timezone.now()
    for number in range(60):
        # Many of one moment: time alone would lose or repeat some.
        entry(station, number, at=at - timedelta(seconds=number // 20))
    address = f"{reverse('station', args=[station.identity])}?tab=messages"
    first = ada.get(address)
    log = first.context["log"]
    assert len(log.rows) == 50
    with CaptureQueriesContext(connection) as queries:
        second = rows(ada, station, log.next)
    assert len(second) == 10
    assert not {row.message_id for row in log.rows} & set(second)
    assert len([one for one in queries if "stations_messagelogentry" in one["sql"]]) == 1


def test_an_exchange_is_shown_in_full_with_what_was_found(ada: Client, cleo: Client, amber: Network) -> None:
    from stations.models import Finding

    station = amber.station()
    known = entry(station, call='[2,"m1","Heartbeat",{"odd":1}]')
    now = timezone.now()
    with scopes_disabled():
        Finding.objects.create(
            operator=amber.operator,
            station=station,
            code="mended_x",
            severity="info",
            detail="Odd was left out.",
            message_id="m1",
            first_at=now,
            last_at=now,
        )
    address = reverse("station_message", args=[station.identity, known.pk])
    html = ada.get(f"{address}?errors=1").content.decode()
    assert "&quot;odd&quot;: 1" in html
    assert "Odd was left out." in html
    assert f"?tab=messages&amp;errors=1#message-{known.pk}" in html
    assert cleo.get(address).status_code == 404
    assert ada.get(reverse("station_message", args=[amber.station().identity, known.pk])).status_code == 404


def test_a_frame_that_is_no_json_is_shown_as_it_is(ada: Client, amber: Network) -> None:
    station = amber.station()
    known = entry(station, call="[2,<script>", answer="", outcome="")
    html = ada.get(reverse("station_message", args=[station.identity, known.pk])).content.decode()
    assert "[2,&lt;script&gt;" in html
    assert "There was no answer." in html
