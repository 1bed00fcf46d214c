"""The message log of a charger: what a URL asks for, page by page, and one exchange in full."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

import orjson
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from csms.dashboard.commandrows import pretty
from stations.models import Finding, MessageLogEntry, Station

PAGE = 50
NEARBY = timedelta(minutes=1)
RESULT = "result"
#: Where a page ends: time and key of its last row.
Mark = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters. `since` is a moment; `before` is where the page before ended."""

    action: str = ""
    direction: str = ""
    errors: bool = False
    q: str = ""
    since: datetime | None = None
    since_text: str = ""
    before: Mark | None = None

    @classmethod
    def of(cls, query: QueryDict) -> "Asked":
        direction = query.get("direction", "")
        since_text = query.get("since", "")[:40]
        return cls(
            action=_clean(query.get("action", ""))[:50],
            direction=direction if direction in ("in", "out") else "",
            errors=query.get("errors") == "1",
            q=_clean(query.get("q", ""))[:100],
            since=_moment(since_text),
            since_text=since_text,
            before=_mark(query.get("before", "")),
        )

    @property
    def narrowed(self) -> bool:
        return bool(self.action or self.direction or self.errors or self.q or self.since)

    @property
    def query(self) -> str:
        """The filters as a URL's query, without the place."""
        parts = {
            "action": self.action,
            "direction": self.direction,
            "errors": "1" if self.errors else "",
            "q": self.q,
            "since": self.since_text,
        }
        return urlencode({name: value for name, value in parts.items() if value})

    def found(self, station: Station, before: Mark | None) -> QuerySet[MessageLogEntry]:
        """The newest first. Reads the index (station, time, key) backwards from where the page before ended."""
        found = MessageLogEntry.objects.filter(station=station).order_by("-received_at", "-id")
        if self.action:
            found = found.filter(action__iexact=self.action)
        if self.direction:
            found = found.filter(direction=self.direction)
        if self.errors:
            found = found.exclude(outcome__in=(RESULT, ""))
        if self.since:
            found = found.filter(received_at__gte=self.since)
        if self.q:
            found = found.filter(Q(call__icontains=self.q) | Q(answer__icontains=self.q))
        if before:
            at, pk = before
            found = found.filter(Q(received_at__lt=at) | Q(received_at=at, id__lt=pk), received_at__lte=at)
        return found


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[MessageLogEntry]
    next: str


def page(station: Station, asked: Asked) -> Page:
    """One page, by one query whose cost does not depend on how long the log is or how far back one has gone."""
    found = list(asked.found(station, asked.before)[: PAGE + 1])
    more = len(found) > PAGE
    rows = found[:PAGE]
    return Page(rows, urlencode({"before": mark(rows[-1])}) if more else "")


def mark(entry: MessageLogEntry) -> str:
    return f"{entry.received_at.isoformat()}~{entry.pk}"


COLUMNS = ("received_at", "direction", "protocol", "message_id", "action", "event", "outcome", "handling_ms", "call", "answer")


def cells(e: MessageLogEntry) -> tuple[object, ...]:
    """A line of the CSV file."""
    return (
        e.received_at,
        e.direction,
        e.protocol,
        e.message_id,
        e.action,
        e.event,
        e.outcome,
        e.handling_us / 1000,
        e.call,
        e.answer,
    )


def ndjson(rows: Sequence[MessageLogEntry]) -> Iterator[bytes]:
    """A line for each exchange; frames as JSON where they are."""
    for entry in rows:
        yield orjson.dumps(
            {
                "received_at": entry.received_at,
                "direction": entry.direction,
                "protocol": entry.protocol,
                "message_id": entry.message_id,
                "action": entry.action,
                "event": entry.event,
                "outcome": entry.outcome,
                "handling_ms": entry.handling_us / 1000,
                "call": _frame(entry.call),
                "answer": _frame(entry.answer),
            },
            option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z,
        )


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange in full."""

    entry: MessageLogEntry
    call: str
    answer: str
    findings: list[Finding]


def exchange(station: Station, pk: int) -> Exchange | None:
    """None: there is no such exchange of this station."""
    entry = MessageLogEntry.objects.filter(station=station, pk=pk).first()
    if entry is None:
        return None
    near = Q(message_id=entry.message_id) | Q(last_at__gte=entry.received_at - NEARBY, last_at__lte=entry.received_at + NEARBY)
    findings = Finding.objects.filter(near, station=station).order_by("-last_at")[:20]
    return Exchange(entry, _pretty(entry.call), _pretty(entry.answer), list(findings))


def _frame(text: str) -> object:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return text


def _pretty(text: str) -> str:
    frame = _frame(text)
    return text if frame is None or isinstance(frame, str) else pretty(frame)


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()


def _moment(text: str) -> datetime | None:
    """A time as a form's datetime-local or a link gives it, in the pages' zone unless it says otherwise."""
    try:
        at = parse_datetime(text)
    except ValueError:
        return None
    return timezone.make_aware(at) if at is not None and timezone.is_naive(at) else at


def _mark(text: str) -> Mark | None:
    when, _, pk = text.partition("~")
    at = _moment(when.replace(" ", "+"))
    return (at, int(pk)) if at is not None and pk.isascii() and pk.isdigit() and len(pk) < 19 else None
