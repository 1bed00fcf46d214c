"""Publishing firmware: a local controller fetches a file, tells where it hands it on, and takes it back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_scopes import scopes_disabled

from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.models import Command, FirmwarePublication, Station
from stations.services import commandends, publishing
from tests.engine import Engine
from tests.firmware import made_image
from tests.network import Network
from tests.stations.asking import ACCEPTED, asked, connected, issue, now_of, sent

MD5 = "d41d8cd98f00b204e9800998ecf8427e"
FILE = commands.PublishFirmware(location="https://user:secret@files.example.com/a.bin", checksum=MD5)


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def publication(station: Station) -> FirmwarePublication:
    with scopes_disabled():
        return FirmwarePublication.objects.filter(station=station).latest("id")


def say(engine: Engine, station: Station, status: str, **more: Any) -> None:
    payload = {"status": status, "requestId": publication(station).request_id} | more
    assert engine.say(station, "PublishFirmwareStatusNotification", payload) == {}


def test_a_file_is_published_step_by_step(engine: Engine, station: Station) -> None:
    row = asked(engine, station, FILE)
    assert (row.status, publication(station).status) == ("accepted", "sent")
    for status, step in (("Downloading", "downloading"), ("Downloaded", "downloaded"), ("ChecksumVerified", "verified")):
        say(engine, station, status)
        assert publication(station).status == step
        assert now_of(row).status == "accepted"
    say(engine, station, "Published", location=["http://192.0.2.1/a.bin", "ftp://192.0.2.1/a.bin"])
    done = publication(station)
    assert (done.status, done.locations) == ("published", ["http://192.0.2.1/a.bin", "ftp://192.0.2.1/a.bin"])
    assert done.finished_at
    assert now_of(row).status == "confirmed"
    assert "secret" not in done.location + str(now_of(row).params)


@pytest.mark.parametrize("status", ["DownloadFailed", "InvalidChecksum", "PublishFailed"])
def test_a_failure_ends_it_and_says_why(engine: Engine, station: Station, status: str) -> None:
    row = asked(engine, station, FILE)
    say(engine, station, "Downloading")
    say(engine, station, status)
    failed = publication(station)
    assert (failed.status, now_of(row).status) == ("failed", "no_effect")
    assert failed.detail == now_of(row).detail != ""
    say(engine, station, "Published")
    assert publication(station).status == "failed"


def test_a_station_that_refuses_or_is_never_asked_ends_it(engine: Engine, station: Station) -> None:
    assert asked(engine, station, FILE, {"status": "Rejected"}).status == "rejected"
    assert publication(station).status == "failed"
    row = issue(station, FILE)
    with scopes_disabled():
        assert commandends.cancel(command=row)
    assert (publication(station).status, publication(station).detail) == ("failed", "It did not reach the station.")


def test_a_station_that_does_not_answer_can_be_asked_again(engine: Engine, station: Station) -> None:
    assert asked(engine, station, FILE, None).status == "timed_out"
    assert (publication(station).status, publication(station).detail) == ("failed", "The station did not answer in time.")
    assert asked(engine, station, FILE).status == "accepted"


def test_a_status_that_comes_before_the_answer_stands(engine: Engine, station: Station) -> None:
    issue(station, FILE)
    errand = sent(engine, station)
    say(engine, station, "Downloading")
    engine.reply(station, errand, ACCEPTED)
    assert publication(station).status == "downloading"


@pytest.mark.parametrize(
    ("status", "command", "publication_status"),
    [("Published", "confirmed", "published"), ("DownloadFailed", "no_effect", "failed")],
)
def test_an_end_that_comes_before_the_answer_is_that_of_the_command(
    engine: Engine, station: Station, status: str, command: str, publication_status: str
) -> None:
    row = issue(station, FILE)
    errand = sent(engine, station)
    say(engine, station, status, **({"location": ["http://192.0.2.1/a.bin"]} if status == "Published" else {}))
    engine.reply(station, errand, ACCEPTED)
    assert (now_of(row).status, publication(station).status) == (command, publication_status)
    assert now_of(row).finished_at is not None
    assert command == "confirmed" or now_of(row).detail == publication(station).detail


def raw(number: int) -> dict[str, Any]:
    return {"action": "PublishFirmware", "payload": {"location": FILE.location, "checksum": MD5, "requestId": number}}


def test_a_call_with_a_number_of_its_own_is_followed_by_that_number(engine: Engine, station: Station) -> None:
    # Twice: a number may be used again once it is over.
    for _ in range(2):
        row = asked(engine, station, FILE, raw=raw(4711))
        assert publication(station).request_id == 4711
        say(engine, station, "Downloading")
        say(engine, station, "Published", location=["http://192.0.2.1/a.bin"])
        assert (publication(station).status, now_of(row).status) == ("published", "confirmed")
    asked(engine, station, FILE)
    other = commands.PublishFirmware(location="https://files.example.com/b.bin", checksum="0" * 32)
    with pytest.raises(BadCommand, match="choose another requestId"):
        issue(station, other, raw=raw(publication(station).request_id))
    with pytest.raises(BadCommand, match="requestId must be a whole number"):
        issue(station, other, raw=raw(-1))


def test_what_has_no_number_is_of_the_newest_alone(engine: Engine, station: Station) -> None:
    first = asked(engine, station, FILE)
    second = asked(engine, station, commands.PublishFirmware(location="https://files.example.com/b.bin", checksum="0" * 32))
    told = {"status": "Published", "location": ["http://192.0.2.1/b.bin"]}
    engine.say(station, "PublishFirmwareStatusNotification", told)
    assert (now_of(first).status, now_of(second).status, publication(station).status) == ("accepted", "confirmed", "published")


@pytest.mark.parametrize("gone", [False, True])
def test_one_that_nothing_is_heard_of_is_in_nobodys_way_for_ever(engine: Engine, station: Station, gone: bool) -> None:
    row = asked(engine, station, FILE)
    long_after = datetime.now(UTC) + timedelta(hours=9)
    with scopes_disabled():
        publishing.sweep(now=long_after)
        assert publication(station).finished_at is None, "its command still waits"
        ended = Command.objects.filter(pk=row.pk)
        ended.delete() if gone else ended.update(status="confirmed", finished_at=row.answered_at)
        publishing.sweep(now=datetime.now(UTC) + timedelta(hours=7))
        assert publication(station).finished_at is None
        publishing.sweep(now=long_after)
    assert (publication(station).status, publication(station).detail) == ("failed", publishing.NO_MORE)
    assert asked(engine, station, FILE).status == "accepted"


def test_idle_and_another_request_say_nothing_of_it(engine: Engine, station: Station) -> None:
    asked(engine, station, FILE)
    engine.say(station, "PublishFirmwareStatusNotification", {"status": "Idle"})
    engine.say(station, "PublishFirmwareStatusNotification", {"status": "Published", "requestId": 1, "location": ["http://x/"]})
    assert publication(station).status == "sent"


def test_an_image_of_the_library_goes_by_an_address_of_its_own(network: Network, engine: Engine, station: Station) -> None:
    image = made_image(network.operator)
    issue(station, commands.PublishFirmware(firmware=image.pk))
    (call,) = sent(engine, station).calls
    assert call["checksum"] == image.md5
    assert "/files/firmware/" in call["location"]
    row = publication(station)
    assert (row.firmware_id, row.request_id) == (image.pk, call["requestId"])
    with pytest.raises(BadCommand, match="already"):
        issue(station, commands.PublishFirmware(firmware=image.pk))
    with pytest.raises(BadCommand, match="no firmware"):
        issue(connected(Network(), engine), commands.PublishFirmware(firmware=image.pk))


@pytest.mark.parametrize(
    ("status", "outcome", "then"),
    [
        ("Unpublished", "confirmed", "unpublished"),
        ("NoFirmware", "confirmed", "unpublished"),
        ("DownloadOngoing", "rejected", "published"),
    ],
)
def test_a_file_is_taken_back(engine: Engine, station: Station, status: str, outcome: str, then: str) -> None:
    asked(engine, station, FILE)
    say(engine, station, "Published", location=["http://192.0.2.1/a.bin"])
    row = asked(engine, station, commands.UnpublishFirmware(MD5.upper()), {"status": status})
    assert (row.status, row.detail) == (outcome, status)
    assert publication(station).status == then


def test_a_version_without_words_for_it_says_so(committed: None, network: Network) -> None:
    engine = Engine("ocpp1.6")
    station = connected(network, engine)
    row = issue(station, FILE)
    assert engine.claim(station) == []
    assert now_of(row).status == "failed"
    assert publication(station).status == "failed"
