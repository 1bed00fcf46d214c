"""What happened at 14:03? The log jumps to a time, and a message shows what came before and after it."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.dashboard import messagelog
from stations.models import Command, Finding, MessageLogEntry, Station, Transaction
from tests.dashboard.test_messages import entry
from tests.network import Network

NOON = datetime.fromisoformat("2026-11-19T12:00:00+00:00")


@pytest.fixture
def hour(amber: Network) -> Station:
    """A station that says something each minute from 12:00 to 12:59, of odd minutes with an error."""
    station = amber.station()
    with scopes_disabled():
        MessageLogEntry.objects.bulk_create(
            MessageLogEntry(
                operator_id=station.operator_id,
                station_id=station.pk,
                direction="in",
                protocol="ocpp1.6",
                message_id=f"m{minute}",
                action="Heartbeat",
                event="HeartbeatReceived",
                outcome="InternalError" if minute % 2 else "result",
                call=f'[2,"m{minute}","Heartbeat",{{}}]',
                answer="",
                received_at=NOON + timedelta(minutes=minute),
                handling_us=1000,
            )
            for minute in range(60)
        )
    return station


def page(browser: Client, query: str) -> messagelog.Page:
    answer = browser.get(f"/messages/?{query}")
    assert answer.status_code == 200
    found: messagelog.Page = answer.context["log"]
    return found


def minutes(found: messagelog.Page) -> list[int]:
    return [int(row.message_id[1:]) for row in found.rows]


def test_a_time_shows_what_came_before_and_after_it(ada: Client, hour: Station) -> None:
    found = page(ada, "at=2026-11-19T12:30:30Z")
    assert minutes(found) == list(range(55, 5, -1))
    (here,) = [row for row in found.rows if row.pk == found.here]
    assert here.message_id == "m31"
    html = ada.get("/messages/?at=2026-11-19T12:30:30Z").content.decode()
    (marked,) = re.findall(r'<tr id="message-(\d+)"[^>]*is-here', html)
    assert int(marked) == here.pk
    assert len(re.findall(r"<a [^>]*autofocus", html)) == 1
    # A page of the past does not grow by itself.
    assert "data-newest" not in html


def test_one_goes_on_in_both_directions(ada: Client, hour: Station) -> None:
    found = page(ada, "at=2026-11-19T12:30:00Z")
    assert minutes(page(ada, found.next)) == list(range(4, -1, -1))
    later = page(ada, found.later)
    assert minutes(later) == list(range(59, 28, -1))
    assert later.later == ""


@pytest.mark.parametrize(("at", "first", "here"), [("2026-11-19T11:00:00Z", 24, 0), ("2026-11-19T20:00:00Z", 59, 59)])
def test_before_the_first_message_and_after_the_last(at: str, first: int, here: int, ada: Client, hour: Station) -> None:
    found = page(ada, f"at={at}")
    assert minutes(found)[0] == first
    assert next(int(row.message_id[1:]) for row in found.rows if row.pk == found.here) == here


def test_the_filters_hold_at_a_time_too(ada: Client, hour: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(minutes(page(ada, "at=2026-11-19T12:30:00Z&errors=1"))) == set(range(1, 60, 2))
    assert minutes(page(ada, "at=2026-11-19T12:30:00Z&q=m7")) == [7]
    assert minutes(page(ada, f"at=2026-11-19T12:58:00Z&errors=1&station={hour.identity}")) == list(range(59, 8, -2))
    monkeypatch.setattr(messagelog, "SCAN", 10)
    found = page(ada, "at=2026-11-19T12:30:00Z&q=m7")
    assert (minutes(found), found.horizon) == ([], NOON + timedelta(minutes=19))


def test_a_time_of_day_is_in_the_readers_zone_and_of_the_day_that_is_named(ada: Client, hour: Station) -> None:
    assert messagelog.jump("14:03", "2026-11-19") == timezone.make_aware(datetime(2026, 11, 19, 14, 3))  # noqa: DTZ001
    with timezone.override("Europe/Amsterdam"):
        assert messagelog.jump("13:30", "2026-11-19") == NOON + timedelta(minutes=30)
    assert next(row.message_id for row in page(ada, "at=12:30&day=2026-11-19").rows if row.received_at.minute == 30) == "m30"


def test_a_time_of_day_without_a_day_is_the_last_one(ada: Client) -> None:
    for clock in ("00:00", "23:59:59"):
        at = messagelog.jump(clock, "")
        assert at is not None
        assert timedelta() <= timezone.now() - at < timedelta(days=1, seconds=1)


@pytest.mark.parametrize("query", ["at=noon", "at=25:00", "at=12:00&day=2026-13-01", "at=", "day=2026-11-19"])
def test_a_time_that_is_none_is_left_out(query: str, ada: Client, hour: Station) -> None:
    found = page(ada, query)
    assert (minutes(found)[0], found.here) == (59, None)


def test_a_message_stands_among_those_around_it(ada: Client, cleo: Client, hour: Station, amber: Network) -> None:
    other = entry(amber.station(), 99, at=NOON + timedelta(minutes=30, seconds=1))
    with scopes_disabled():
        known = MessageLogEntry.objects.get(station=hour, message_id="m30")
    address = f"/stations/{hour.identity}/messages/{known.pk}/"
    answer = ada.get(address)
    assert [row.message_id for row in answer.context["around"]] == [f"m{minute}" for minute in range(35, 24, -1)]
    html = answer.content.decode()
    assert f'id="message-{other.pk}"' not in html
    assert "?tab=messages&amp;at=2026-11-19T12%3A30%3A00" in html
    more = ada.get(f"/stations/{hour.identity}/?tab=messages&at=2026-11-19T12:30:00Z")
    assert more.context["log"].here == known.pk
    assert cleo.get(address).status_code == 404


def test_those_around_it_hide_id_tags_too(ben: Client, amber: Network) -> None:
    station = amber.station()
    known = entry(station, 1, call='[2,"m1","Authorize",{"idTag":"04A1B2C3D4"}]', action="Authorize")
    entry(station, 2, at=known.received_at + timedelta(seconds=1), call='[2,"m2","Authorize",{"idTag":"04A1B2C3D4"}]')
    html = ben.get(f"/stations/{station.identity}/messages/{known.pk}/").content.decode()
    assert "04A1B2C3D4" not in html


def test_a_row_leads_to_its_session_its_command_and_its_findings(ada: Client, amber: Network) -> None:
    station = amber.station()
    now = timezone.now()
    with scopes_disabled():
        told = {"operator": amber.operator, "station": station}
        charged = Transaction.objects.create(**told, ocpp_transaction_id="42", started_at=now, received_at=now)
        asked = Command.objects.create(**told, kind="clear_cache", created_at=now, expires_at=now, status="confirmed")
        for number in range(25):
            Command.objects.create(**told, kind="reset", created_at=now, expires_at=now, status="expired", reason=f"{number}")
    call = '[2,"m1","StopTransaction",{"transactionId":42,"meterStop":9,"timestamp":"2026-11-21T10:00:00Z"}]'
    known = entry(station, 1, call=call, action="StopTransaction", event="TransactionEnded")
    entry(station, 2, direction="out", message_id=f"csms-{asked.pk}-1", action="ClearCache", call='[2,"x","ClearCache",{}]')
    with scopes_disabled():
        Finding.objects.create(
            **told,
            code="transaction_unknown",
            severity="info",
            message_id="m1",
            first_at=known.received_at,
            last_at=known.received_at,
        )
    for address in ("/messages/", f"/stations/{station.identity}/?tab=messages"):
        html = ada.get(address).content.decode()
        assert f'href="/transactions/{charged.pk}/"' in html
        assert "1 finding<" in html.replace("2 findings<", "1 finding<")
        (there,) = set(re.findall(r'href="([^"]+#command-\d+)"', html))
    # Older than those that stand on the page, and there all the same.
    assert f'id="command-{asked.pk}"' in ada.get(there.replace("&amp;", "&")).content.decode()
    assert ada.get(f"/stations/{station.identity}/?{urlencode({'tab': 'commands', 'command': '9' * 30})}").status_code == 200
