"""Logs that stations send: PUT or POST to /files/logs/<token>/<name>, as the whole body or as the file of a form.

An application of its own beside Django, which would spool the body before anybody looks at it. Here the address is checked
first, and the body goes to the disk as it comes: the next piece is read when this one is written, on both servers.
"""

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from csms.db import run_in_db
from csms.files import storage, tokens
from csms.files.multipart import BadForm, FirstFile
from stations.services import diagnostics, loguploads

PREFIX = "/files/logs/"
#: At once in one process, and those of one operator's stations; each may hold a piece in memory and a thread while it is written.
MOST, OPERATORS_MOST = 32, 16
PIECE_BYTES = 256 * 1024
#: What a form may have around its file.
FORM_BYTES = 64 * 1024
#: A peer may be silent for so long, a little less than the servers bear it.
SILENCE_S = 50
#: How often we look whether somebody still waits for it, and say how far it is.
LOOK_S = 5
#: After a refusal the peer is heard for a while: closing on what it still sends would cost it our answer.
LINGER_S, LINGER_BYTES = 5, 8 * 1024 * 1024

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

log = structlog.get_logger(__name__)
_disk = ThreadPoolExecutor(max_workers=4, thread_name_prefix="logs")
#: Whose each is; None until its address was looked at.
_under_way: dict[object, int | None] = {}


class Answer(Exception):
    """The end of a request, with what to tell the station. `after` are headers."""

    def __init__(self, status: HTTPStatus, text: str, **after: str) -> None:
        super().__init__(text)
        self.status, self.text, self.after = status, text, after


class Gone(Exception):
    """The peer hung up in the middle."""


async def take(scope: Any, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    body = Body(receive)
    try:
        if len(_under_way) >= MOST:
            raise _too_many()
        _under_way[body] = None
        await _take(scope, body)
    except Answer as answer:
        await _answer(answer, body, send)
    except Gone:
        pass
    except DatabaseError:
        log.warning("a log could not be taken in: the database does not answer", exc_info=True)
        text = "The database does not answer. Try again in a minute."
        await _answer(Answer(HTTPStatus.SERVICE_UNAVAILABLE, text, retry_after="60"), body, send)
    finally:
        _under_way.pop(body, None)


class Body:
    """The body of a request, a message at a time. `whole`: it has come to its end."""

    def __init__(self, receive: Receive) -> None:
        self.receive, self.whole = receive, False

    async def read(self) -> bytes:
        """What came next; empty at the end. Raises Gone, and Answer when the peer falls silent."""
        piece = b""
        while not piece and not self.whole:
            try:
                async with asyncio.timeout(SILENCE_S):
                    message = await self.receive()
            except TimeoutError:
                raise Answer(HTTPStatus.REQUEST_TIMEOUT, f"Nothing came for {SILENCE_S} seconds.") from None
            if message["type"] != "http.request":
                raise Gone
            self.whole = not message.get("more_body", False)
            piece = message.get("body", b"")
        return piece


async def _take(scope: Any, body: Body) -> None:
    """One request, up to the answer, which is raised.

    1. Look whether its address awaits a log, and whether it will be too large. 2. Write it as it comes. 3. Note that it is here.
    """
    if scope["method"] not in ("PUT", "POST"):
        raise Answer(HTTPStatus.METHOD_NOT_ALLOWED, "Send the log by PUT or POST.", allow="PUT, POST")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if "content-range" in headers:
        raise Answer(HTTPStatus.BAD_REQUEST, "Send the log whole: parts of it are not put together here.")
    token, _, rest = scope["path"].removeprefix(PREFIX).partition("/")
    expected = await _expected(token)
    if sum(whose == expected.operator_id for whose in _under_way.values()) >= OPERATORS_MOST:
        raise _too_many()
    _under_way[body] = expected.operator_id
    kind = headers.get("content-type", "")
    try:
        form = FirstFile(kind) if kind.lower().startswith("multipart/form-data") else None
    except BadForm as error:
        raise Answer(HTTPStatus.BAD_REQUEST, str(error)) from None
    declared = headers.get("content-length", "")
    room = settings.MAX_LOG_BYTES + (FORM_BYTES if form else 0)
    if declared.isdigit() and int(declared) > room:
        raise await _too_large(expected)
    writer = None
    try:
        writer = await _on_disk(storage.Writer, expected.path, limit=settings.MAX_LOG_BYTES)
        await _write(writer, body, form, expected)
        if form is not None and not form.whole:
            raise BadForm("The file in the form has no end.")
        if writer.size == 0:
            raise Answer(HTTPStatus.BAD_REQUEST, "The body is empty. Send the log in it.")
        await _on_disk(writer.finish)
    except (Answer, BadForm, Gone, OSError, storage.TooLarge) as error:
        raise await _broke(error, expected, writer.size if writer else 0) from None
    finally:
        if writer is not None:
            writer.abandon()
    here = await run_in_db(
        loguploads.arrived,
        expected,
        size=writer.size,
        sha256=writer.sha256,
        filename=diagnostics.plain_name(form.filename if form else rest),
        content_type=(form.content_type if form else kind).split(";")[0].strip(),
        now=timezone.now(),
    )
    if not here:
        await _on_disk(storage.delete, [expected.path])
        raise Answer(HTTPStatus.CONFLICT, "This log is here already, or nobody waits for it any more.")
    log.info("a log came", upload=expected.id, bytes=writer.size)
    status = HTTPStatus.CREATED if scope["method"] == "PUT" else HTTPStatus.OK
    raise Answer(status, f"{writer.size} bytes, sha256 {writer.sha256}")


def _too_many() -> Answer:
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, "Too many logs come at once. Try again in a minute.", retry_after="60")


async def _expected(token: str) -> loguploads.Expected:
    found = tokens.check(token)
    if found is None:
        raise Answer(HTTPStatus.NOT_FOUND, "There is no such address.")
    try:
        return await run_in_db(loguploads.expected, found, now=timezone.now())
    except loguploads.Refused as refused:
        statuses: dict[type[loguploads.Refused], HTTPStatus] = {
            loguploads.Unknown: HTTPStatus.NOT_FOUND,
            loguploads.Here: HTTPStatus.CONFLICT,
            loguploads.Closed: HTTPStatus.GONE,
        }
        raise Answer(statuses[type(refused)], str(refused)) from None


async def _write(writer: storage.Writer, body: Body, form: FirstFile | None, expected: loguploads.Expected) -> None:
    """The body to the disk, a piece at a time; now and then a look whether somebody still waits for it."""
    pieces: list[bytes] = []
    looked = around = 0.0
    waiting = 0
    while data := await body.read():
        piece = form.feed(data) if form else data
        around += len(data) - len(piece)
        if around > FORM_BYTES:
            raise BadForm("There is too much around the file in the form.")
        pieces.append(piece)
        waiting += len(piece)
        if waiting >= PIECE_BYTES:
            await _on_disk(writer.write, b"".join(pieces))
            pieces, waiting = [], 0
        if time.monotonic() - looked >= LOOK_S:
            looked = time.monotonic()
            if not await run_in_db(loguploads.came, expected, writer.size, now=timezone.now()):
                raise Answer(HTTPStatus.GONE, "Nobody waits for this log any more.")
    await _on_disk(writer.write, b"".join(pieces))


async def _on_disk(act: Callable[..., Any], *args: Any, **options: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_disk, lambda: act(*args, **options))


async def _too_large(expected: loguploads.Expected) -> Answer:
    most = f"{settings.MAX_LOG_BYTES / 1_000_000:.0f} MB"
    reason = f"The log is larger than {most}. Ask for a shorter time, or set CSMS_MAX_LOG_BYTES."
    await run_in_db(loguploads.broke, expected, reason, now=timezone.now(), for_good=True)
    return Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A log may have {most} at most.")


async def _broke(error: Exception, expected: loguploads.Expected, size: int) -> Exception:
    """Note why a log did not come whole; returns what to raise."""
    after = f"after {size / 1_000_000:.1f} MB"
    answer: Exception
    match error:
        case storage.TooLarge():
            return await _too_large(expected)
        case Gone():
            reason, answer = f"The charger broke off {after}. It may try again.", error
        case BadForm():
            reason, answer = f"What the charger sent cannot be read: {error}", Answer(HTTPStatus.BAD_REQUEST, str(error))
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            log.error("a log could not be kept: the disk of CSMS_FILES_DIR is full", upload=expected.id)
            reason = f"The disk of this system was full {after}."
            answer = Answer(HTTPStatus.INSUFFICIENT_STORAGE, "There is no room left. Try again later.", retry_after="600")
        case OSError():
            log.error("a log could not be kept in CSMS_FILES_DIR", upload=expected.id, error=str(error))
            reason = "This system could not write the log; its own log says why."
            answer = Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "It could not be written. Try again later.")
        case _:
            reason, answer = f"{error} It broke off {after}.", error
    await run_in_db(loguploads.broke, expected, reason, now=timezone.now())
    return answer


async def _answer(answer: Answer, body: Body, send: Send) -> None:
    text = f"{answer.text}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
    headers += [(name.replace("_", "-").encode(), value.encode()) for name, value in answer.after.items()]
    if not body.whole:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status.value, "headers": headers})
    await send({"type": "http.response.body", "body": text, "more_body": True})
    with suppress(TimeoutError, Answer, Gone):
        async with asyncio.timeout(LINGER_S):
            left = LINGER_BYTES
            while left > 0 and (dropped := await body.read()):
                left -= len(dropped)
    await send({"type": "http.response.body", "body": b""})
