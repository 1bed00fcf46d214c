"""What a station says of a log that has ended, and of one of which it does nothing."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django_scopes import scope, scopes_disabled

from stations.models import Command, LogUpload, Station
from stations.services import diagnostics
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import PROTOCOLS, connected, sent
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


def numbered(engine: Engine, station: Station, status: str, number: int) -> None:
    """As both versions say it, 1.6 by its security extension."""
    assert engine.say(station, "LogStatusNotification", {"status": status, "requestId": number}) == {}


def ended(engine: Engine, station: Station, **answer: Any) -> tuple[LogUpload, int]:
    """A log of which nothing was heard in time, and its number; another one is awaited since."""
    upload = elsewhere(station, log="security")
    number = agree(engine, station)["requestId"]
    assert sweep(station, 61) == 1
    assert now(upload).status == "expired"
    # Asked what came of it, it says nothing.
    with scopes_disabled():
        Command.objects.filter(station=station, kind="trigger_message").delete()
    return upload, number


@pytest.mark.parametrize(("status", "end"), [("Uploaded", "uploaded"), ("PermissionDenied", "failed"), ("Uploading", "expired")])
def test_what_comes_late_is_of_the_log_that_it_names(engine: Engine, station: Station, status: str, end: str) -> None:
    late, number = ended(engine, station)
    newer = request_log(station)
    agree(engine, station)
    numbered(engine, station, status, number)
    assert (now(late).status, now(newer).status, now(newer).reason) == (end, "requested", "")
    assert (now(late).reason == "") == (end == "uploaded")
    assert command_of(newer).status == "accepted"
    # What was sent is sent, whatever is said of it later.
    numbered(engine, station, "BadMessage", number)
    assert now(late).status == ("uploaded" if end == "uploaded" else "failed")
    assert now(newer).status == "requested"


def test_a_log_whose_answer_was_lost_is_followed_by_its_number(engine: Engine, station: Station) -> None:
    upload = elsewhere(station, log="security")
    errand = sent(engine, station)
    engine.reply(station, errand, None)
    number = errand.calls[0]["requestId"]
    numbered(engine, station, "Uploading", number)
    assert now(upload).status == "uploading"
    numbered(engine, station, "Uploaded", number)
    assert (now(upload).status, command_of(upload).status) == ("uploaded", "timed_out")


def test_of_a_log_that_was_to_come_here_its_file_is_the_proof_also_later(engine: Engine, station: Station) -> None:
    upload = request_log(station, kind="security")
    number = agree(engine, station)["requestId"]
    assert sweep(station, 61) == 1
    numbered(engine, station, "Uploaded", number)
    assert (now(upload).status, now(upload).reason) == ("expired", diagnostics.SAYS_SENT)


def waited(upload: LogUpload, minutes: int) -> None:
    """The station has agreed so many minutes ago."""
    with scopes_disabled():
        Command.objects.filter(pk=upload.command_id).update(answered_at=F("answered_at") - timedelta(minutes=minutes))


@pytest.mark.parametrize("request_one", [request_log, elsewhere])
def test_one_of_which_the_station_says_that_it_sends_none_has_failed(engine: Engine, station: Station, request_one: Any) -> None:
    upload = request_one(station)
    agree(engine, station)
    # It may not have begun yet, and tries three times, a minute after each other.
    said(engine, station, "Idle")
    waited(upload, 7)
    said(engine, station, "Idle")
    assert (now(upload).status, command_of(upload).status) == ("requested", "accepted")
    waited(upload, 2)
    said(engine, station, "Idle")
    assert (now(upload).status, now(upload).reason) == ("failed", diagnostics.FAILURES["Idle"])
    assert (command_of(upload).status, command_of(upload).detail) == ("no_effect", diagnostics.FAILURES["Idle"])


def test_one_that_it_says_to_have_sent_is_waited_for_though_it_sends_no_more(engine: Engine, station: Station) -> None:
    upload = request_log(station)
    call = agree(engine, station)
    waited(upload, 30)
    said(engine, station, "Uploaded", call.get("requestId"))
    said(engine, station, "Idle")
    assert (now(upload).status, now(upload).reason) == ("requested", diagnostics.SAYS_SENT)


def test_a_station_that_sends_none_sends_none_of_two(network: Network) -> None:
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine)
    logs = [request_log(station, kind=kind) for kind in ("diagnostics", "security")]
    for log in logs:
        agree(engine, station)
        waited(log, 30)
    said(engine, station, "Idle")
    assert [now(log).status for log in logs] == ["failed", "failed"]
