"""Where stations fetch firmware: GET and HEAD `/files/firmware/<token>/<name>`, an ASGI application of its own.

It needs no login, no name that ALLOWED_HOSTS has and no TLS of ours (stations of security profile 1 have none): the token in
the address is the secret, good for one update at one station until that ends or the address expires. The name is there for the
station to see; what is read is the path that the image's row keeps.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta

import structlog
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.db import run_in_db
from csms.files import ranges, sending, storage, tokens
from csms.server.common import Message, Receive, Send
from stations.models import FirmwarePublication, FirmwareUpdate, UpdateStatus
from stations.services import firmware
from stations.services.firmwareprogress import LIMITS_MIN

PATH = re.compile(r"/files/firmware/([^/]{1,100})/([^/]{0,200})\Z")
#: So often it is written down how much a station has fetched: bytes.
TALLY_BYTES = 4 * 1024 * 1024
#: One that fetches is not silent.
FETCHING = timedelta(minutes=LIMITS_MIN[UpdateStatus.DOWNLOADING])
UNKNOWN = (404, "There is no file at this address.")
GONE = (410, "This address is good no more: its update has ended, or it took too long.")

log = structlog.get_logger(__name__)

#: What an address is for: an update, or the copy of a station that hands it on.
Fetching = FirmwareUpdate | FirmwarePublication


async def serve(scope: Message, receive: Receive, send: Send) -> None:
    if scope["method"] not in ("GET", "HEAD"):
        return await _say(send, 405, "Firmware is fetched with GET.", allow="GET, HEAD")
    found = PATH.match(scope["path"])
    token_hash = tokens.check(found[1]) if found else None
    update = await run_in_db(_update, token_hash) if token_hash else None
    if update is None:
        return await _say(send, *UNKNOWN)
    if update.finished_at is not None or update.expires_at <= timezone.now():
        return await _say(send, *GONE)
    await _serve(scope, receive, send, update)


async def _serve(scope: Message, receive: Receive, send: Send, update: Fetching) -> None:
    image, whole = update.firmware, scope["method"] == "GET"
    assert image is not None, "an address is made for images of the library"
    if await asyncio.to_thread(storage.size, image.path) != image.size:
        log.error("a firmware image is not where it was stored", firmware=image.pk, path=image.path)
        return await _say(send, 500, "The file is missing here. Whoever runs this system finds the reason in its log.")
    etag = f'"{image.sha256}"'
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    try:
        part = ranges.asked(headers, image.size, etag) if whole else None
    except ranges.Unsatisfiable:
        return await _say(send, 416, "The file ends before that.", content_range=f"bytes */{image.size}", etag=etag)
    first, length = part or (0, image.size)
    if whole and not await run_in_db(_begin, update):
        return await _say(send, *GONE)
    said = {
        "content_type": "application/octet-stream",
        "content_length": str(length),
        "content_disposition": f'attachment; filename="{image.name}"',
        "accept_ranges": "bytes",
        "etag": etag,
    }
    if part:
        said["content_range"] = f"bytes {first}-{first + length - 1}/{image.size}"
    await _start(send, 206 if part else 200, **said)
    if whole:
        gone = asyncio.create_task(_until_gone(receive))
        try:
            async with aclosing(sending.pieces(image.path, first, length)) as pieces:
                if not await _stream(send, gone, update, pieces):
                    return  # without an end: half an image must not look like a whole one
        finally:
            gone.cancel()
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _stream(send: Send, gone: "asyncio.Task[None]", update: Fetching, pieces: AsyncGenerator[bytes]) -> bool:
    """A piece at a time, as fast as the station takes them. To one that has hung up uvicorn sends nothing and says nothing.

    False: it has hung up, or its update has ended meanwhile, so that it is sent no more.
    """
    sent = 0
    try:
        async for piece in pieces:
            if gone.done():
                return False
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            sent += len(piece)
            if sent >= TALLY_BYTES:
                done, sent = sent, 0
                if not await run_in_db(_tally, update, done, timezone.now()):
                    log.info("a firmware image is sent no further: its update has ended", update=update.pk)
                    return False
    finally:
        if sent:
            await asyncio.shield(run_in_db(_tally, update, sent, timezone.now()))
    return True


def _update(token_hash: str) -> Fetching | None:
    with scopes_disabled():
        update = FirmwareUpdate.objects.select_related("firmware").filter(token_hash=token_hash).first()
        return update or FirmwarePublication.objects.select_related("firmware").filter(token_hash=token_hash).first()


def _begin(update: Fetching) -> bool:
    """Whether the address is still good, now that the station is noted to fetch: it may have been taken back just now."""
    if isinstance(update, FirmwarePublication):
        return True  # looked up just now; the station tells itself how far it is
    with scopes_disabled():
        return update.status not in firmware.UNFETCHED or firmware.fetched(update=update)


def _tally(update: Fetching, count: int, now: datetime) -> bool:
    """Write down what was fetched. Returns whether the update is still open."""
    with scopes_disabled():
        if isinstance(update, FirmwarePublication):
            copy = FirmwarePublication.objects.filter(pk=update.pk)
            copy.update(bytes_served=F("bytes_served") + count)
            return copy.filter(finished_at__isnull=True).exists()
        own = FirmwareUpdate.objects.filter(pk=update.pk)
        own.update(bytes_served=F("bytes_served") + count)
        own.filter(status=UpdateStatus.DOWNLOADING, finished_at__isnull=True).update(due_at=Greatest("due_at", now + FETCHING))
        return own.filter(finished_at__isnull=True).exists()


async def _say(send: Send, status: int, text: str, **headers: str) -> None:
    body = f"{text}\n".encode()
    await _start(send, status, content_type="text/plain; charset=utf-8", content_length=str(len(body)), **headers)
    await send({"type": "http.response.body", "body": body})


async def _start(send: Send, status: int, **headers: str) -> None:
    said = {"cache_control": "private, no-store", "x_content_type_options": "nosniff"} | headers
    listed = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in said.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
