"""The pages of the message log: a network's, a charger's, the rows that a live page asks for, files, and one exchange."""

from collections.abc import AsyncIterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.permissions import may
from csms.dashboard import exports, messagedetail, messagelog
from csms.dashboard.access import page
from csms.dashboard.messagelog import Asked, Log
from csms.db import run_in_scope
from csms.tenancy import scope_of
from stations.models import MessageLogEntry, Station

#: Who looks after id tags sees them here.
SEES_TAGS = "tags.change"


def log_of(request: HttpRequest, station: Station | None = None) -> Log:
    everything = station is None and getattr(request.user, "operator_id", None) is None
    return Log(Asked.of(request.GET, clear=may(request.user, SEES_TAGS)), station, everything=everything)


def context(log: Log, station: Station | None = None) -> dict[str, Any]:
    found = messagelog.page(log)
    # The page asks for more of itself by adding to this.
    base = "?" + "".join(f"{part}&" for part in ("tab=messages" if station else "", log.asked.query) if part)
    return {
        "asked": log.asked,
        "log": found,
        "rows": found.rows,
        "of": station,
        "base": base,
        "everything": "?tab=messages" if station else "?",
        "tails": log.asked.before is None and log.asked.at is None,
        "scan": messagelog.SCAN,
        "must_name": log.everything and not log.one,
    }


def other_than_page(request: HttpRequest, log: Log, station: Station | None = None) -> HttpResponseBase | None:
    """What the address asks for if it is not the page: a file, or the rows that are new."""
    kind = request.GET.get("format", "")
    if kind in ("csv", "ndjson"):
        return _file(request, log, station, kind)
    return _newer(request, log, station) if kind == "newer" else None


@page
def show_messages(request: HttpRequest) -> HttpResponseBase:
    """What all the chargers of a network say and are told."""
    log = log_of(request)
    return other_than_page(request, log) or render(request, "dashboard/messages.html", context(log))


def _newer(request: HttpRequest, log: Log, station: Station | None) -> HttpResponse:
    """The rows a page does not have yet, and from where to ask on. `behind`: there are more than fit."""
    # Read first: what comes in between is asked for again and not lost.
    newest = log.newest()
    rows = log.newer()
    shown = {
        "rows": rows[: messagelog.PAGE],
        "behind": len(rows) > messagelog.PAGE,
        "newest": newest,
        "asked": log.asked,
        "of": station,
    }
    return render(request, "dashboard/_message_rows.html", shown)


def _file(request: HttpRequest, log: Log, station: Station | None, kind: str) -> HttpResponseBase:
    name = "messages" + (f"-{slugify(station.identity) or 'charger'}" if station else "")

    def chunk(last: MessageLogEntry | None, size: int) -> list[MessageLogEntry]:
        return messagelog.chunk(log, last, size)

    if kind == "csv":
        return exports.stream_csv(request, name, messagelog.COLUMNS, chunk, messagelog.cells)

    # Async, because ASGI would collect a plain iterator whole before it sends any of it.
    async def body() -> AsyncIterator[bytes]:
        last: MessageLogEntry | None = None
        while rows := await run_in_scope(scope_of(request.user), chunk, last, exports.CHUNK):
            yield b"".join(messagelog.ndjson(rows))
            last = rows[-1]

    headers = {"Content-Disposition": f'attachment; filename="{name}.ndjson"'}
    return StreamingHttpResponse(body(), content_type="application/x-ndjson", headers=headers)


def _exchange(request: HttpRequest, identity: str, pk: int) -> tuple[Station, messagedetail.Exchange]:
    station = get_object_or_404(Station, identity=identity)
    entry = messagedetail.entry(station, pk, messagelog.moment(request.GET.get("at", "")[:40]))
    if entry is None:
        raise Http404(_("There is no such message. Messages are kept for a limited time."))
    seal = messagedetail.seal(station, entry)
    if not may(request.user, SEES_TAGS):
        entry = messagelog.hide(entry)
    address = request.build_absolute_uri(f"/api/v1/stations/{identity}/ocpp/")
    exchange = messagedetail.exchange(station, entry, address)
    exchange.seal = seal
    return station, exchange


@page
def show_message(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """One exchange in full, with what was found about it."""
    station, exchange = _exchange(request, identity, pk)
    back = reverse("messages") + "?" if request.GET.get("of") == "all" else reverse("station", args=[identity]) + "?tab=messages&"
    asked = Asked.of(request.GET, clear=True)
    shown = {
        "station": station,
        "exchange": exchange,
        "clear": may(request.user, SEES_TAGS),
        "back": f"{back}{asked.query}#message-{pk}",
        "fixture": messagedetail.fixture_file(exchange).decode() if exchange.fixture else "",
        "why_not": messagedetail.why_no_fixture(exchange),
        "around": messagelog.context(station, exchange.entry, clear=may(request.user, SEES_TAGS)),
    }
    return render(request, "dashboard/message.html", shown)


@page
def save_message_test(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """The exchange as a file for tests/wire."""
    _station, exchange = _exchange(request, identity, pk)
    if exchange.fixture is None:
        raise Http404(messagedetail.why_no_fixture(exchange))
    headers = {"Content-Disposition": f'attachment; filename="{exchange.entry.action}.json"'}
    return HttpResponse(messagedetail.fixture_file(exchange), content_type="application/json", headers=headers)
