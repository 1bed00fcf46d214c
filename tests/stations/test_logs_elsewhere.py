"""Logs that are sent elsewhere than to us, followed by what the station says alone."""

from collections.abc import Iterator

import pytest
from django_scopes import scope, scopes_disabled

from stations.domain.commands import GetLog
from stations.models import LogUpload, Station
from stations.services import diagnostics
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import PROTOCOLS, connected, issue
from tests.stations.test_diagnostics import agree, command_of, elsewhere, now, said, sweep
from tests.stations.test_diagnostics import request as request_log


@pytest.fixture(params=PROTOCOLS)
def engine(request: pytest.FixtureRequest, committed: None) -> Engine:
    return Engine(request.param)


@pytest.fixture
def station(network: Network, engine: Engine) -> Iterator[Station]:
    station = connected(network, engine)
    with scope(operator=station.operator):
        yield station


def test_a_log_that_is_sent_elsewhere_is_followed_by_what_the_station_says(station: Station, engine: Engine) -> None:
    upload = elsewhere(station, since="2026-11-20T00:00:00Z")
    assert (upload.location, upload.token_hash) == ("ftp://***@files.example.com/in", None)
    assert (upload.kind, str(upload.since)) == ("diagnostics", "2026-11-20 00:00:00+00:00")
    call = agree(engine, station)
    assert "s3cret" in str(call)
    assert (command_of(upload).status, now(upload).status) == ("accepted", "requested")
    said(engine, station, "Uploading", call.get("requestId"))
    assert now(upload).status == "uploading"
    assert sweep(station, 23 * 60) == 0
    said(engine, station, "Uploaded", call.get("requestId"))
    assert (command_of(upload).status, now(upload).status, now(upload).path) == ("confirmed", "uploaded", "")
    assert now(upload).finished_at is not None
    assert now(upload).filename == ("d.zip" if engine.protocol == "ocpp1.6" else "")


def test_what_could_not_be_sent_elsewhere_has_failed_and_nothing_of_ours_is_blamed(station: Station, engine: Engine) -> None:
    upload = elsewhere(station)
    call = agree(engine, station)
    said(engine, station, "UploadFailed" if engine.protocol == "ocpp1.6" else "UploadFailure", call.get("requestId"))
    assert (now(upload).status, now(upload).reason) == ("failed", diagnostics.NOT_THERE)
    assert (command_of(upload).status, command_of(upload).detail) == ("no_effect", diagnostics.NOT_THERE)


def test_one_sent_elsewhere_of_which_nothing_is_said_is_given_up(station: Station, engine: Engine) -> None:
    upload = elsewhere(station)
    agree(engine, station)
    assert sweep(station, 61) == 1
    assert (now(upload).status, now(upload).reason, command_of(upload).status) == ("expired", diagnostics.NO_MORE, "no_effect")


def test_one_sent_elsewhere_is_in_nobodys_way(station: Station, engine: Engine) -> None:
    logs = [elsewhere(station), elsewhere(station), request_log(station)]
    assert {now(log).status for log in logs} == {"requested"}
    assert diagnostics.give_up(upload=now(logs[0]))
    assert command_of(logs[0]).status == "cancelled"


def test_a_call_with_a_number_of_its_own_is_followed_by_that_number(network: Network) -> None:
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine)
    log = {"remoteLocation": "https://files.example.com/in", "oldestTimestamp": "2026-11-20T00:00:00Z"}
    payload = {"logType": "SecurityLog", "requestId": 4711, "log": log}
    command = GetLog("security", log["oldestTimestamp"], None, log["remoteLocation"])
    row = issue(station, command, raw={"action": "GetLog", "payload": payload})
    assert agree(engine, station) == payload
    said(engine, station, "Uploaded", 4711)
    with scopes_disabled():
        assert [(one.kind, one.status) for one in LogUpload.objects.filter(command=row)] == [("security", "uploaded")]
