"""Logs: asked for, followed by what the station says, and ended when nothing comes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from stations import outbox, topics
from stations.domain.commands import BadCommand, GetLog
from stations.models import Command, LogUpload, Station
from stations.services import commandends, diagnostics, loguploads
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import PROTOCOLS, connected, issue, now_of, sent


@pytest.fixture(params=PROTOCOLS)
def engine(request: pytest.FixtureRequest, committed: None) -> Engine:
    return Engine(request.param)


@pytest.fixture
def old(committed: None) -> Engine:
    """Of a station whose statuses carry no number."""
    return Engine("ocpp1.6")


@pytest.fixture
def station(network: Network, engine: Engine) -> Iterator[Station]:
    station = connected(network, engine)
    with scope(operator=station.operator):
        yield station


def request(station: Station, **options: Any) -> LogUpload:
    with scope(operator=station.operator):
        return diagnostics.request_log(station=station, **options)


def elsewhere(station: Station, **fields: Any) -> LogUpload:
    """A log that is sent to an address of somebody else's."""
    row = issue(station, GetLog(location="ftp://ada:s3cret@files.example.com/in", **fields))
    with scopes_disabled():
        return LogUpload.objects.get(command=row)


def now(upload: LogUpload) -> LogUpload:
    with scopes_disabled():
        return LogUpload.objects.select_related("command", "station").get(pk=upload.pk)


def command_of(upload: LogUpload) -> Command:
    assert upload.command is not None
    return now_of(upload.command)


def agree(engine: Engine, station: Station) -> dict[str, Any]:
    """The station is asked and agrees; what it was sent."""
    errand = sent(engine, station)
    engine.reply(station, errand, {"fileName": "d.zip"} if errand.action == "GetDiagnostics" else {"status": "Accepted"})
    return dict(errand.calls[0])


def said(engine: Engine, station: Station, status: str, number: int | None = None) -> None:
    if engine.protocol == "ocpp1.6":
        assert engine.say(station, "DiagnosticsStatusNotification", {"status": status}) == {}
    else:
        payload = {"status": status} | ({} if number is None else {"requestId": number})
        assert engine.say(station, "LogStatusNotification", payload) == {}


def sweep(station: Station, minutes: int = 0) -> int:
    """The sweep, so many minutes from now, of this network alone."""
    with scope(operator=station.operator):
        return diagnostics.sweep(now=timezone.now() + timedelta(minutes=minutes))


def token_of(call: dict[str, Any]) -> str:
    return str(call.get("location") or call["log"]["remoteLocation"]).rstrip("/").rpartition("/")[2]


def expected(call: dict[str, Any]) -> loguploads.Expected:
    from csms.files import tokens

    return loguploads.expected(tokens.digest(token_of(call)), now=timezone.now())


def test_a_log_is_asked_for_with_an_address_of_its_own_and_its_file_confirms_it(station: Station, engine: Engine) -> None:
    upload = request(station)
    call = agree(engine, station)
    assert len(token_of(call)) == 40
    assert (command_of(upload).status, now(upload).status) == ("accepted", "requested")
    said(engine, station, "Uploading", call.get("requestId"))
    assert now(upload).status == "uploading"

    here = expected(call)
    assert loguploads.came(here, 10, now=timezone.now())
    about = {"size": 20, "sha256": "0" * 64, "filename": "", "content_type": "text/plain", "now": timezone.now()}
    assert loguploads.arrived(here, **about)
    assert not loguploads.arrived(here, **about), "twice"

    upload = now(upload)
    assert (upload.status, upload.size, upload.path) == ("uploaded", 20, here.path)
    assert upload.filename == ("d.zip" if engine.protocol == "ocpp1.6" else "")
    assert command_of(upload).status == "confirmed"
    said(engine, station, "Uploaded", call.get("requestId"))
    assert now(upload).status == "uploaded"
    with pytest.raises(loguploads.Here):
        expected(call)


def test_the_address_is_kept_nowhere_once_it_was_said(station: Station, engine: Engine, network: Network) -> None:
    upload = request(station)
    token = token_of(agree(engine, station))
    assert command_of(upload).params["location"].endswith("/files/logs/***/")
    assert token not in str(now(upload).__dict__)
    assert all(token not in entry.call for entry in network.log(station))


@pytest.mark.parametrize(
    ("protocol", "status"),
    [
        *(("ocpp2.0.1", status) for status in ("UploadFailure", "PermissionDenied", "NotSupportedOperation", "BadMessage")),
        ("ocpp1.6", "UploadFailed"),
    ],
)
def test_what_the_station_could_not_send_has_failed_with_the_reason(network: Network, protocol: str, status: str) -> None:
    engine = Engine(protocol)
    station = connected(network, engine)
    upload = request(station)
    call = agree(engine, station)
    said(engine, station, status, call.get("requestId"))
    assert (now(upload).status, now(upload).reason) == ("failed", diagnostics.FAILURES[status])
    assert (command_of(upload).status, command_of(upload).detail) == ("no_effect", diagnostics.FAILURES[status])
    # Its file is the proof: it may come all the same.
    about = {"size": 1, "sha256": "0" * 64, "filename": "late.log", "content_type": "", "now": timezone.now()}
    assert loguploads.arrived(expected(call), **about)
    assert now(upload).status == "uploaded"


def test_a_station_that_says_it_has_sent_the_log_is_believed_for_some_minutes(station: Station, engine: Engine) -> None:
    upload = request(station)
    call = agree(engine, station)
    said(engine, station, "Uploaded", call.get("requestId"))
    assert sweep(station, 4) == 0
    assert sweep(station, 6) == 1
    assert now(upload).status == "expired"
    assert now(upload).reason.startswith("The charger says that it has sent the log")
    assert command_of(upload).status == "no_effect"


def test_a_station_that_agrees_and_then_is_silent_is_given_up(station: Station, engine: Engine) -> None:
    upload = request(station)
    agree(engine, station)
    assert sweep(station, 59) == 0
    assert sweep(station, 61) == 1
    assert sweep(station, 61) == 0, "again"
    assert now(upload).status == "expired"
    assert now(upload).reason == "The charger agreed to send the log, but nothing came."
    # Nothing is awaited any more, in the memory of whoever holds the station either.
    said(engine, station, "Uploading")
    assert now(upload).status == "expired"


def test_a_status_of_another_request_changes_nothing(network: Network) -> None:
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine)
    upload = request(station)
    call = agree(engine, station)
    said(engine, station, "UploadFailure", call["requestId"] + 1)
    assert now(upload).status == "requested"


@pytest.mark.parametrize("first", ["here", "elsewhere"])
def test_a_log_that_is_dropped_for_another_ends_with_the_answer(network: Network, first: str) -> None:
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine)
    older = elsewhere(station) if first == "elsewhere" else request(station)
    agree(engine, station)
    newer = request(station, kind="security")
    engine.reply(station, sent(engine, station), {"status": "AcceptedCanceled", "statusInfo": {"reasonCode": "Busy"}})
    assert (now(older).status, now(older).reason) == ("failed", diagnostics.FAILURES["AcceptedCanceled"])
    assert (command_of(older).status, command_of(newer).status, now(newer).status) == ("no_effect", "accepted", "requested")


@pytest.mark.parametrize("answered", [True, False])
def test_after_one_that_was_given_up_nothing_is_asked(station: Station, engine: Engine, answered: bool) -> None:
    upload = request(station)
    errand = sent(engine, station)
    agreed = {"fileName": "d.zip"} if errand.action == "GetDiagnostics" else {"status": "Accepted"}
    if answered:
        engine.reply(station, errand, agreed)
    diagnostics.give_up(upload=now(upload))
    if not answered:
        engine.reply(station, errand, agreed)
        sweep(station)
    assert command_of(upload).status == "no_effect"
    assert engine.claim(station) == []


def test_after_one_that_did_not_come_the_station_is_asked_how_it_stands(station: Station, engine: Engine) -> None:
    request(station)
    agree(engine, station)
    sweep(station, 61)
    assert sent(engine, station).action in ("TriggerMessage", "ExtendedTriggerMessage")


def test_a_refusal_ends_it_with_what_the_station_said(network: Network) -> None:
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine)
    upload = request(station)
    engine.reply(station, sent(engine, station), {"status": "Rejected", "statusInfo": {"reasonCode": "Busy"}})
    assert sweep(station) == 1
    assert (now(upload).status, now(upload).reason) == ("failed", "The charger refused: Rejected Busy.")


@pytest.mark.parametrize(
    ("kind", "action", "instead"), [("security", "GetLog", "diagnostics"), ("diagnostics", "GetDiagnostics", "security")]
)
def test_a_station_that_does_not_know_the_message_is_told_of_in_a_sentence(
    network: Network, old: Engine, kind: str, action: str, instead: str
) -> None:
    station = connected(network, old)
    upload = request(station, kind=kind)
    errand = sent(old, station)
    assert errand.action == action
    old.reply(station, errand, ["NotImplemented", "what?"])
    sweep(station)
    assert now(upload).status == "failed"
    assert f"Ask for its {instead}" in now(upload).reason


@pytest.mark.parametrize("kinds", [("diagnostics", "security"), ("security", "diagnostics")])
@pytest.mark.parametrize("about", ["diagnostics", "security"])
def test_of_two_logs_a_status_is_of_the_one_it_names(network: Network, old: Engine, kinds: tuple[str, str], about: str) -> None:
    station = connected(network, old)
    logs, numbers = {}, {}
    for kind in kinds:
        logs[kind] = request(station, kind=kind)
        numbers[kind] = agree(old, station).get("requestId")
    if about == "diagnostics":
        said(old, station, "UploadFailed")
    else:
        old.say(station, "LogStatusNotification", {"status": "UploadFailure", "requestId": numbers["security"]})
    assert {kind: now(log).status for kind, log in logs.items()} == dict.fromkeys(kinds, "requested") | {about: "failed"}


@pytest.mark.parametrize(("kind", "number"), [("security", None), ("diagnostics", 4711)])
def test_of_the_only_log_it_is_whatever_number_it_names(network: Network, old: Engine, kind: str, number: int | None) -> None:
    station = connected(network, old)
    upload = request(station, kind=kind)
    agree(old, station)
    old.say(station, "LogStatusNotification", {"status": "Uploading"} | ({} if number is None else {"requestId": number}))
    assert now(upload).status == "uploading"


def test_one_of_each_kind_is_open_at_a_time(station: Station, engine: Engine) -> None:
    upload = request(station)
    with pytest.raises(BadCommand, match="is being asked for this log already"):
        request(station)
    request(station, kind="security")
    assert diagnostics.give_up(upload=now(upload))
    assert not diagnostics.give_up(upload=now(upload))
    assert (now(upload).status, command_of(upload).status) == ("failed", "cancelled")
    request(station)


def test_a_request_that_came_to_nothing_is_in_nobodys_way(station: Station, engine: Engine) -> None:
    first = request(station)
    commandends.cancel(command=command_of(first))
    second = request(station)
    assert (now(first).status, now(first).reason) == ("failed", "The request was taken back before it was sent.")
    assert now(second).status == "requested"


def test_an_address_that_was_given_up_takes_nothing(station: Station, engine: Engine) -> None:
    upload = request(station)
    call = agree(engine, station)
    here = expected(call)
    diagnostics.give_up(upload=now(upload))
    assert not loguploads.came(here, 5, now=timezone.now())
    assert not loguploads.arrived(here, size=5, sha256="", filename="", content_type="", now=timezone.now())
    with pytest.raises(loguploads.Closed):
        expected(call)
    assert command_of(upload).status == "no_effect"


def test_an_upload_that_broke_may_be_tried_again(station: Station, engine: Engine) -> None:
    upload = request(station)
    here = expected(agree(engine, station))
    loguploads.came(here, 5_000_000, now=timezone.now())
    loguploads.broke(here, "It broke off.", now=timezone.now())
    assert (now(upload).status, now(upload).reason, now(upload).size) == ("requested", "It broke off.", None)
    assert sweep(station, 50) == 0
    assert loguploads.came(here, 1, now=timezone.now())
    assert (now(upload).status, now(upload).reason) == ("uploading", "")


def test_a_file_that_comes_before_the_answer_confirms_the_command_when_that_has_come(station: Station, engine: Engine) -> None:
    upload = request(station)
    errand = sent(engine, station)
    here = expected(dict(errand.calls[0]))
    assert loguploads.arrived(here, size=1, sha256="", filename="a.log", content_type="", now=timezone.now())
    engine.reply(station, errand, {} if errand.action == "GetDiagnostics" else {"status": "Accepted"})
    sweep(station)
    assert (command_of(upload).status, now(upload).status) == ("confirmed", "uploaded")


@pytest.mark.parametrize("end", ["it comes", "the station cannot", "nothing comes", "given up"])
def test_the_end_of_the_command_is_told_however_it_ends(station: Station, engine: Engine, network: Network, end: str) -> None:
    outbox.want("ears", [topics.COMMAND_FINISHED], operator=network.operator)
    upload = request(station)
    call = agree(engine, station)
    assert network.outbox() == []
    if end == "it comes":
        assert loguploads.arrived(expected(call), size=1, sha256="", filename="a", content_type="", now=timezone.now())
    elif end == "the station cannot":
        said(engine, station, "UploadFailed" if engine.protocol == "ocpp1.6" else "UploadFailure", call.get("requestId"))
    elif end == "nothing comes":
        sweep(station, 61)
    else:
        diagnostics.give_up(upload=now(upload))
    assert [(entry.topic, entry.object_id) for entry in network.outbox()] == [(topics.COMMAND_FINISHED, upload.command_id)]
    assert command_of(upload).status == ("confirmed" if end == "it comes" else "no_effect")
    outbox.want("ears", [], operator=network.operator)


def test_the_same_idempotency_key_asks_once(station: Station, engine: Engine) -> None:
    first = request(station, idempotency_key="k")
    again = request(station, idempotency_key="k")
    assert again.pk == first.pk
    assert again.command is not None
    assert again.command.repeated


def test_who_asked_and_who_gave_up_stands_in_the_audit(station: Station, engine: Engine, network: Network) -> None:
    user = network.user()
    upload = request(station, user=user, reason="It restarts")
    diagnostics.give_up(upload=now(upload))
    entries = AuditEntry.objects.filter(object_type="logupload", object_id=str(upload.pk)).order_by("id")
    assert [(entry.action, entry.object_label) for entry in entries] == [
        ("log.requested", station.identity),
        ("log.given_up", station.identity),
    ]
    assert entries[0].note == "It restarts"


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"log": "all"}, "log must be one of diagnostics, security"),
        ({"since": "yesterday"}, "since must be a time"),
        ({"since": "2026-11-21T00:00:00Z", "until": "2026-11-20"}, "since must be before until"),
        ({"location": "x" * 600}, "at most 512"),
        ({"location": "gopher://files"}, "location must be an address"),
        ({"location": 7}, "location must be an address"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(params: dict[str, Any], why: str) -> None:
    with pytest.raises(BadCommand, match=why):
        GetLog.of(params)


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("https://csms.example.com/files/logs/" + "0a" * 20 + "/", "https://csms.example.com/files/logs/***/"),
        ("ftp://ada:s3cret@files.example.com/in", "ftp://***@files.example.com/in"),
        ("https://files.example.com/in", "https://files.example.com/in"),
    ],
)
def test_what_opens_an_address_is_masked(location: str, kept: str) -> None:
    assert GetLog(location=location).without_secrets()["location"] == kept


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/passwd", "passwd"), ("..\\boot.ini", "boot.ini"), ("a\x00b\n.log", "ab.log"), ("..", ""), ("é.log", "é.log")],
)
def test_of_a_files_name_only_the_harmless_is_left(name: str, kept: str) -> None:
    assert diagnostics.plain_name(name) == kept
