"""Logs come to their one-time addresses, on both servers."""

import asyncio
import errno
import hashlib
import os
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.files import tokens, uploads
from stations.models import LogUpload
from stations.services import loguploads
from tests.database import tables
from tests.files.conftest import Awaited, send
from tests.network import Network
from tests.servers import Server, Servers, until

Ask = Callable[..., Awaited]
MB = 1024 * 1024


@pytest.fixture(params=["uvicorn", pytest.param("daphne", marks=pytest.mark.long)])
def either(request: pytest.FixtureRequest, servers: Servers) -> Server:
    """Where the code is ours alone, the second server is for the long run."""
    return servers.get(request.param)


def lying() -> list[Path]:
    """Every file of the run's folder."""
    return [one for one in Path(settings.FILES_DIR).rglob("*") if one.is_file()]


def test_a_log_is_put_and_lies_there_whole(server: Server, awaited: Ask) -> None:
    log, body = awaited(), os.urandom(3 * MB + 17)
    status, text, _ = send(server, "PUT", log.path + "diag.tar.gz", body, content_type="application/gzip; x=y")
    assert (status, text) == (201, f"{len(body)} bytes, sha256 {hashlib.sha256(body).hexdigest()}\n")
    row = log.now
    assert (row.status, row.size, row.filename, row.content_type) == ("uploaded", len(body), "diag.tar.gz", "application/gzip")
    assert row.sha256 == hashlib.sha256(body).hexdigest()
    assert log.content == body
    # One time: what is here is here.
    assert send(server, "PUT", log.path + "diag.tar.gz", b"other")[0] == 409
    assert log.content == body


@pytest.mark.parametrize("chunked", [False, True])
def test_a_log_is_posted_as_the_file_of_a_form(either: Server, awaited: Ask, chunked: bool) -> None:
    log, content = awaited(), os.urandom(MB)
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="C:\\logs\\ev.log"\r\nContent-Type: text/plain\r\n\r\n'
    form = head + content + b"\r\n--b--\r\n"
    pieces = (form[at : at + 50_000] for at in range(0, len(form), 50_000))
    status, *_ = send(
        either, "POST", log.path.rstrip("/"), pieces if chunked else form, content_type="multipart/form-data; boundary=b"
    )
    assert (status, log.now.filename, log.now.content_type, log.content) == (200, "ev.log", "text/plain", content)


@pytest.mark.parametrize(
    ("method", "tail", "body", "headers", "status", "said"),
    [
        ("GET", "", b"", {}, 405, "PUT or POST"),
        ("PUT", "", b"", {}, 400, "empty"),
        ("PUT", "", b"x", {"content_range": "bytes 0-0/9"}, 400, "whole"),
        ("POST", "", b"--b--", {"content_type": "multipart/form-data; boundary=b"}, 400, "no file"),
        ("POST", "", b"x", {"content_type": "multipart/form-data"}, 400, "boundary"),
    ],
)
def test_what_is_no_log_is_refused_and_the_address_goes_on(
    either: Server, awaited: Ask, method: str, tail: str, body: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    log = awaited()
    answer = send(either, method, log.path + tail, body, **headers)
    assert (answer[0], said in answer[1]) == (status, True), answer
    assert send(either, "PUT", log.path, b"log")[0] == 201


def test_an_address_of_nobody_and_one_that_has_expired_take_nothing(either: Server, awaited: Ask) -> None:
    for path in ("/files/logs/", "/files/logs/x", f"/files/logs/{tokens.make()[0]}/a.log", f"/files/logs/{'.' * 40}"):
        assert send(either, "PUT", path, b"log")[0] == 404
    log = awaited()
    expire(log)
    assert send(either, "PUT", log.path, b"log")[0] == 410
    assert (log.now.status, log.now.path) == ("requested", "")


@tables
def expire(log: Awaited) -> None:
    with scopes_disabled():
        LogUpload.objects.filter(pk=log.upload.pk).update(expires_at=timezone.now())


def test_an_address_is_that_of_one_station(either: Server, awaited: Ask) -> None:
    mine, other = awaited(), awaited()
    assert send(either, "PUT", mine.path + other.path.split("/")[-2] + "/a.log", b"log")[0] == 201
    assert (mine.now.status, other.now.status) == ("uploaded", "requested")


@pytest.mark.parametrize("name", ["../../../escape.log", "..%2f..%2f..%2fescape.log", "%2fetc%2fescape.log", "a%00b/escape.log"])
def test_no_name_leads_out_of_the_folder(either: Server, awaited: Ask, name: str) -> None:
    log = awaited()
    assert send(either, "PUT", log.path + name, b"log")[0] == 201
    assert log.now.filename == "escape.log"
    assert Path(settings.FILES_DIR, log.now.path).read_bytes() == b"log"
    assert not [one for one in lying() if "escape" in one.name]


def test_one_that_is_said_to_be_too_large_is_refused_before_it_comes(server: Server, awaited: Ask) -> None:
    log = awaited()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        line.sendall(f"PUT {log.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {settings.MAX_LOG_BYTES + 1}\r\n\r\n".encode())
        assert line.recv(4096).startswith(b"HTTP/1.1 413")
    assert log.now.status == "failed"
    assert "larger than 537 MB" in log.now.reason


def test_one_that_breaks_off_leaves_nothing_and_is_taken_the_next_time(server: Server, awaited: Ask) -> None:
    log, before = awaited(), set(lying())
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        line.sendall(f"PUT {log.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n".encode() + b"x" * MB)
        until(lambda: log.now.status == "uploading")
    until(lambda: log.now.status == "requested")
    assert "broke off after" in log.now.reason
    assert set(lying()) == before
    assert send(server, "PUT", log.path, b"the whole")[0] == 201
    assert (log.content, log.now.reason) == (b"the whole", "")


def test_a_connection_goes_on_after_a_log(server: Server, awaited: Ask) -> None:
    first, second = awaited(), awaited()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        for log in (first, second):
            line.sendall(f"PUT {log.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nlog".encode())
            assert line.recv(4096).startswith(b"HTTP/1.1 201")
    assert (first.now.status, second.now.status) == ("uploaded", "uploaded")


def resident(server: Server) -> int:
    """Bytes of memory that the web process holds."""
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def grown(server: Server, log: Awaited, megabytes: int, *, length: bool) -> int:
    """By how much memory was larger at its highest while a log of so many megabytes came."""
    piece, before, highest = os.urandom(MB), resident(server), 0

    def pieces() -> Iterator[bytes]:
        nonlocal highest
        for _ in range(megabytes):
            yield piece
            highest = max(highest, resident(server))

    headers = {"content_length": str(megabytes * MB)} if length else {}
    assert send(server, "PUT", log.path, pieces(), **headers)[0] == 201
    assert log.now.size == megabytes * MB
    return max(highest, resident(server)) - before


def test_a_log_costs_no_memory(server: Server, awaited: Ask) -> None:
    send(server, "PUT", awaited().path, b"x" * 2 * MB)  # what is loaded for the first one
    assert grown(server, awaited(), 32, length=False) < 16 * MB


@pytest.mark.long
@pytest.mark.parametrize("length", [False, True])
def test_a_log_of_200_megabytes_costs_no_memory(server: Server, awaited: Ask, length: bool) -> None:
    send(server, "PUT", awaited().path, b"x" * 2 * MB)
    growth = grown(server, awaited(), 200, length=length)
    print(f"{server.kind}: 200 MB came, memory grew by {growth / MB:.1f} MB")
    assert growth < 16 * MB


@pytest.mark.long
def test_a_server_cuts_off_what_grows_too_large_and_tells_of_the_disk(awaited: Ask, tmp_path: Path) -> None:
    small = Server("uvicorn", CSMS_MAX_LOG_BYTES=str(2 * MB), CSMS_FILES_DIR=str(tmp_path / "files"))
    try:
        log = awaited()
        assert send(small, "PUT", log.path, iter([b"x" * MB] * 3))[0] == 413
        assert (log.now.status, "larger than 2 MB" in log.now.reason) == ("failed", True)
        # Not even the folder can be made.
        (tmp_path / "files" / "logs").rename(tmp_path / "gone")
        (tmp_path / "files" / "logs").write_text("no folder")
        log = awaited()
        assert send(small, "PUT", log.path, b"x")[0] == 500
        assert (log.now.status, log.now.reason) == ("requested", "This system could not write the log; its own log says why.")
    finally:
        small.stop()


def test_a_full_disk_is_told_to_the_charger_and_to_people(awaited: Ask) -> None:
    log = awaited()
    expected = loguploads.expected(log.upload.token_hash, now=timezone.now())
    answer = asyncio.run(uploads._broke(OSError(errno.ENOSPC, "No space left on device"), expected, 3_000_000))
    assert isinstance(answer, uploads.Answer)
    assert (answer.status, answer.after) == (507, {"retry_after": "600"})
    assert log.now.reason == "The disk of this system was full after 3.0 MB."
    assert log.now.due_at > timezone.now() + timedelta(minutes=50)


async def take(log: Awaited, *pieces: bytes, when: asyncio.Event | None = None) -> int:
    """As a server would call us, with the body in pieces; the status of the answer. `when`: its first piece waits for that."""
    answers, left = [], list(pieces)

    async def receive() -> dict[str, Any]:
        if when is not None:
            await when.wait()
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Any) -> None:
        answers.append(message)

    await uploads.take({"type": "http", "method": "PUT", "path": log.path, "headers": []}, receive, send)
    return int(answers[0]["status"])


async def test_one_that_grows_too_large_on_the_way_is_cut_off_and_leaves_nothing(
    awaited: Ask, settings: Any, tmp_path: Path
) -> None:
    settings.MAX_LOG_BYTES, settings.FILES_DIR = 2 * MB, str(tmp_path)
    log = awaited()
    assert await take(log, *[b"x" * MB] * 3) == 413
    assert (log.now.status, "larger than 2 MB" in log.now.reason) == ("failed", True)
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []
    assert await take(awaited(), b"x" * MB, b"x" * MB) == 201


async def test_the_logs_of_one_network_leave_room_for_those_of_others(awaited: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "OPERATORS_MOST", 1)
    ended = asyncio.Event()
    stranger = tables(lambda: Network().station(accepted=True))()
    first, second, others = awaited(), awaited(), awaited(stranger)
    coming = asyncio.create_task(take(first, b"log", when=ended))
    while first.upload.operator_id not in uploads._under_way.values():
        await asyncio.sleep(0.01)
    assert await take(second, b"log") == 503
    assert await take(others, b"log") == 201
    ended.set()
    assert await coming == 201
    assert await take(second, b"log") == 201
