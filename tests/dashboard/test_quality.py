"""What chargers say that they should not: the lists, one rule, and the report for their maker."""

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from csms.dashboard import qualityreport
from stations.models import Finding, FindingDay, MessageLogEntry, Station
from stations.quality import Asked
from tests.network import Network

TAG = "04A1B2C3D4E5"


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html.partition("<main")[2])).split())


def page(client: Client, path: str = "/quality/", status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


def found(station: Station, code: str = "mended_enum", count: int = 3, **fields: Any) -> Finding:
    """A finding of now, with the message that showed it, which carries a tag and a secret."""
    now = timezone.now()
    call = f'[2,"m1","StatusNotification",{{"status":"available","idTag":"{TAG}"}}]'
    with scopes_disabled():
        MessageLogEntry.objects.bulk_create(
            [
                MessageLogEntry(
                    operator=station.operator, station=station, direction="in", protocol="ocpp1.6", message_id="m1",
                    action="StatusNotification", call=call, answer='[3,"m1",{}]', received_at=now, handling_us=9,
                )
            ]
        )  # fmt: skip
        given = {"subject": "status", "detail": "'available' read as 'Available'", "severity": "info", "message_id": "m1"} | fields
        return Finding.objects.create(
            operator=station.operator, station=station, code=code, count=count, first_at=now, last_at=now, **given
        )


@pytest.fixture
def station(amber: Network) -> Station:
    return amber.station(vendor="Alfen", model="Eve", firmware_version="5.1", serial_number="SN-7", accepted=True)


def test_the_list_says_how_many_chargers_break_which_rule_and_how_often(ada: Client, amber: Network, station: Station) -> None:
    found(station)
    found(amber.station(vendor="FoxESS", model="A022"), count=4)
    found(station, "token_unknown")
    html = page(ada)
    assert "A word that is not on the list mended_enum 2 7 7" in text(html)
    assert "token_unknown" not in html
    assert "7 times this week, 0 the week before" in html


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("by=model", "Alfen Eve 1 3 3"),
        ("by=firmware", "Alfen Eve 5.1 1 3 3"),
        ("by=station", "{identity} 3 3"),
        ("by=station&vendor=Alfen&model=Eve&firmware=5.1&sort=last", "{identity} 3 3"),
    ],
)
def test_it_is_told_by_make_and_narrowed(ada: Client, amber: Network, station: Station, query: str, row: str) -> None:
    found(station)
    found(amber.station(vendor="FoxESS", model="A022"))
    html = text(page(ada, f"/quality/?{query}"))
    assert row.format(identity=station.identity) in html
    assert ("FoxESS A022" in html) is (query in ("by=model", "by=firmware"))


def test_nothing_found_and_nothing_fitting_are_told_apart(ada: Client, station: Station) -> None:
    assert "Nothing was found within 30 days" in page(ada)
    found(station)
    assert "No finding fits" in page(ada, "/quality/?vendor=Nobody")
    assert "Select a valid choice" in text(page(ada, "/quality/?sort=nonsense"))


def test_a_rule_is_told_in_words_with_who_breaks_it_and_the_frames(ada: Client, station: Station) -> None:
    finding = found(station)
    html = page(ada, "/quality/mended_enum/")
    said = text(html)
    assert "An enumerated property has one of the values of the schema" in said
    assert "Use the values of the specification with their capitals" in said
    assert f"{station.identity} Alfen Eve 5.1 3" in said
    assert f"at={finding.last_at.isoformat().replace(':', '%3A').replace('+', '%2B')}" in html
    assert TAG in html
    assert page(ada, "/quality/mended_enum/?firmware=5.1")
    assert "Not seen within 90 days" in page(ada, "/quality/mended_enum/?firmware=9")
    page(ada, "/quality/never_seen/", 404)


def test_who_may_not_see_id_tags_sees_none_in_the_frames(ben: Client, station: Station) -> None:
    found(station)
    html = page(ben, "/quality/mended_enum/")
    assert TAG not in html
    assert "***D4E5" in html


def test_the_pages_take_as_many_queries_as_ever(ada: Client, amber: Network) -> None:
    counts: dict[str, set[int]] = {}
    for _ in range(2):
        for _ in range(6):
            found(amber.station(vendor="Alfen", model="Eve", firmware_version="5.1"))
        for path in ("/quality/", "/quality/?by=firmware", "/quality/mended_enum/"):
            with CaptureQueriesContext(connection) as asked:
                page(ada, path)
            counts.setdefault(path, set()).add(len(asked))
    assert all(len(one) == 1 for one in counts.values()), counts


def report(network: Network, **asked: Any) -> str:
    with scope(operator=network.operator):
        return qualityreport.report(Asked(**asked), timezone.now())


def test_the_report_is_for_an_engineer_of_the_maker(amber: Network, station: Station) -> None:
    found(station)
    found(amber.station(vendor="FoxESS", model="A022"), "time_without_zone")
    told = report(amber, vendor="Alfen")
    assert "# OCPP findings" in told
    assert "- Vendor: Alfen" in told
    assert "The rule: An enumerated property has one of the values of the schema, written exactly so." in told
    assert "What to change: Use the values of the specification" in told
    assert "Stations: 1; times within 7 days: 3, within 30 days: 3" in told
    assert "| Alfen | Eve | 5.1 | 1 | 3 | 3 |" in told
    assert re.search(rf"### \S+, {station.identity}, SN-7, 5.1", told)
    assert '"status": "available"' in told
    assert "FoxESS" not in told
    assert "time_without_zone" not in told


def test_the_report_holds_no_secret_and_no_id_tag(amber: Network, station: Station) -> None:
    found(station, detail=f'"idTag": "{TAG}" was odd')
    told = report(amber)
    assert TAG not in told
    assert "***D4E5" in told


def test_the_report_of_nothing_is_a_line(amber: Network) -> None:
    assert report(amber).count("\n") == 1


def test_the_report_stays_english_and_its_name_is_one_for_every_system(ada: Client, amber: Network, station: Station) -> None:
    ada.cookies["django_language"] = "de"
    found(station)
    answer = ada.get("/quality/report/?vendor=Alfen/../x&code=mended_enum")
    assert answer["Content-Disposition"] == 'attachment; filename="findings-Alfen-..-x.md"'
    assert answer["Content-Type"].startswith("text/markdown")


def test_a_frame_that_is_gone_is_told(amber: Network, station: Station) -> None:
    found(station)
    with scopes_disabled(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM stations_messagelogentry WHERE station_id = %s", [station.pk])
        assert FindingDay.objects.get(station=station).day == datetime.now(UTC).date()
    assert "The frame is not kept any more." in report(amber)
