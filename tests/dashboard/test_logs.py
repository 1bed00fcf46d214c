"""Logs on the pages: got with one click, followed, downloaded, deleted."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import AuditEntry
from csms.dashboard import fragments
from csms.dashboard.worklist import Rights
from csms.files import storage
from stations.models import Command, LogUpload, Station
from tests.dashboard.world import one_of_each
from tests.network import Network


@pytest.fixture
def station(amber: Network) -> Station:
    return amber.station(accepted=True)


def logs(station: Station) -> list[LogUpload]:
    with scopes_disabled():
        return list(LogUpload.objects.filter(station=station).select_related("command", "requested_by").order_by("id"))


def row(station: Station, **fields: Any) -> LogUpload:
    now = timezone.now()
    given = {"operator": station.operator, "station": station, "kind": "diagnostics", "status": "failed", "created_at": now}
    given |= {"expires_at": now, "due_at": now + timedelta(hours=1), "token_hash": str(LogUpload.objects.count())}
    return LogUpload.objects.create(**given | fields)


def test_one_click_gets_the_log(ada: Client, station: Station) -> None:
    page = ada.get(f"/stations/{station.identity}/").content.decode()
    assert f'action="/stations/{station.identity}/logs/"' in page, "on the overview, too"
    answer = ada.post(f"/stations/{station.identity}/logs/")
    (log,) = logs(station)
    assert (answer.status_code, answer["Location"]) == (302, f"/stations/{station.identity}/?tab=logs#log-{log.pk}")
    assert log.command is not None
    assert (log.kind, log.status, log.command.kind, log.command.status) == ("diagnostics", "requested", "get_log", "queued")
    assert log.requested_by is not None
    page = ada.get(answer["Location"]).content.decode()
    assert "The charger will be asked as soon as it can be." in page
    # A second click makes no second request.
    again = ada.post(f"/stations/{station.identity}/logs/")
    assert (again.status_code, len(logs(station))) == (422, 1)
    assert "is being asked for this log already" in again.content.decode()


def test_a_charger_that_names_no_file_is_said_to_have_none_perhaps(ada: Client, station: Station) -> None:
    ada.post(f"/stations/{station.identity}/logs/")
    page = f"/stations/{station.identity}/?tab=logs"
    for facts, sentence in (({"filename": ""}, "but names no file"), ({"filename": "d.zip"}, "agreed to send it"),
                            ({"filename": "", "request_id": 7}, "agreed to send it")):  # fmt: skip
        with scopes_disabled():
            Command.objects.filter(station=station).update(status="accepted", facts=facts)
        assert sentence in ada.get(page).content.decode()


def test_the_security_log_of_a_certain_time_is_asked_for_by_the_form(ada: Client, station: Station) -> None:
    ada.post(f"/stations/{station.identity}/logs/", {"kind": "security", "since": "2026-11-01T10:00", "until": "2026-11-02T10:00"})
    (log,) = logs(station)
    assert log.kind == "security"
    assert log.command is not None
    assert log.command.params["since"] == "2026-11-01T10:00:00+00:00"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"since": "2026-11-02T10:00", "until": "2026-11-01T10:00"}, "exchange the two"),
        ({"since": "2999-01-01T00:00"}, "in the future"),
        ({"since": "soon"}, "Enter a valid date/time."),
        ({"kind": "secrets"}, "not one of the available choices"),
    ],
)
def test_what_makes_no_sense_is_said_beside_the_field(ada: Client, station: Station, data: dict[str, str], said: str) -> None:
    answer = ada.post(f"/stations/{station.identity}/logs/", data)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert logs(station) == []


def test_the_address_is_shown_on_no_page(ada: Client, station: Station) -> None:
    ada.post(f"/stations/{station.identity}/logs/")
    with scopes_disabled():
        location = Command.objects.get(station=station).params["location"]
    token = re.findall(r"[0-9a-f]{40}", location)[0]
    for tab in ("logs", "commands", "messages"):
        assert token not in ada.get(f"/stations/{station.identity}/?tab={tab}").content.decode()


def test_a_log_is_downloaded_as_a_file_and_that_is_noted(ada: Client, amber: Network) -> None:
    world = one_of_each(amber)
    answer = ada.get(f"/logs/{world.log.pk}/download/")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert re.fullmatch(r'attachment; filename="[\w-]+-diag\.zip"', answer["Content-Disposition"])
    entry = AuditEntry.objects.with_scopes_disabled().get(action="log.downloaded")
    assert (entry.object_id, entry.object_type) == (str(world.log.pk), "logupload")
    assert ada.get(f"/logs/{world.awaited.pk}/download/").status_code == 404, "it is not here yet"
    storage.delete([world.log.path])
    assert ada.get(f"/logs/{world.log.pk}/download/").status_code == 404


def test_one_that_is_sent_elsewhere_says_where_and_offers_no_file(ada: Client, station: Station) -> None:
    with scopes_disabled():
        row(station, status="uploaded", finished_at=timezone.now(), location="ftp://***@files.example.com/in", token_hash=None)
        Station.objects.filter(pk=station.pk).update(log_status="Uploaded", log_status_at=timezone.now())
    page = ada.get(f"/stations/{station.identity}/?tab=logs").content.decode()
    assert "Sent there, says the charger" in page
    assert "sent to ftp://***@files.example.com/in" in page
    assert "/download/" not in page
    assert "What the charger said last of its logs: <strong>Uploaded</strong>" in page
    with scopes_disabled():
        parts = {part["id"]: part["html"] for part in fragments.of_station("en", station.pk, Rights(fetch=True))}
    assert "<strong>Uploaded</strong>" in parts["log-status"], "live, too"


def test_a_log_is_deleted_with_its_file(ada: Client, amber: Network, django_capture_on_commit_callbacks: Any) -> None:
    world = one_of_each(amber)
    with django_capture_on_commit_callbacks(execute=True):
        answer = ada.post(f"/logs/{world.log.pk}/delete/?in=status%3Duploaded")
    assert (answer.status_code, answer["Location"]) == (302, "/logs/?status=uploaded")
    assert storage.size(world.log.path) is None
    with scopes_disabled():
        assert not LogUpload.objects.filter(pk=world.log.pk).exists()
        assert AuditEntry.objects.get(action="log.deleted").before["filename"] == "diag.zip"


def test_one_that_is_awaited_is_given_up(ada: Client, amber: Network) -> None:
    world = one_of_each(amber)
    answer = ada.post(f"/logs/{world.awaited.pk}/give-up/")
    assert answer["Location"] == f"/stations/{world.station.identity}/?tab=logs"
    world.awaited.refresh_from_db()
    assert (world.awaited.status, world.awaited.reason) == ("failed", "It was given up.")
    assert "too late" in ada.post(f"/logs/{world.awaited.pk}/give-up/", follow=True).content.decode()


def test_the_list_is_narrowed_and_goes_on_by_pages(ada: Client, station: Station, django_assert_max_num_queries: Any) -> None:
    with scopes_disabled():
        newest = [row(station, filename=f"n{number}.log") for number in range(53)][-1]
        row(station, kind="security", status="expired", reason="Nothing came.")
    with django_assert_max_num_queries(9):
        first = ada.get("/logs/").content.decode()
    assert first.count('class="command log-row') == 50
    older = re.findall(r'href="/logs/\?(before=\d+)"', first)[0]
    assert ada.get(f"/logs/?{older}").content.decode().count('class="command log-row') == 4
    assert f"log-{newest.pk}" in first
    assert "Nothing came." in ada.get("/logs/?kind=security&status=expired").content.decode()
    assert "No log fits" in ada.get(f"/logs/?station={station.identity}&until=2020-01-01").content.decode()
    assert ada.get("/logs/?before=x").status_code == 400


def test_a_page_of_a_charger_is_told_of_its_logs_as_they_change(amber: Network) -> None:
    world = one_of_each(amber)
    with scopes_disabled():
        parts = {part["id"]: part for part in fragments.of_station("en", world.station.pk, Rights(fetch=True))}
        bare = {part["id"]: part for part in fragments.of_station("en", world.station.pk, Rights())}
    part = parts[f"log-{world.awaited.pk}"]
    assert part["list"] == "logs"
    assert "Give up" in part["html"]
    assert "2.9" in part["html"], "how much has come"
    assert "Give up" not in bare[f"log-{world.awaited.pk}"]["html"]
    assert "Download" not in bare[f"log-{world.log.pk}"]["html"]
