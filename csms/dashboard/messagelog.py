"""The message log, of one charger or of a whole network: what a URL asks for, page by page.

No look reads more than a bounded number of rows, however long the log is. What an index finds (a network's messages, a
charger's, a network's errors) is read from there; any other filter looks through `SCAN` messages at a time, and the page says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

import orjson
from django.db.models import F, Func, Q, QuerySet, TextField, Value, prefetch_related_objects
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime, parse_time

from csms.ocpp import links
from csms.ocpp.masking import TAGS, without_tags
from stations.models import MessageLogEntry, Station

PAGE = 50
#: Messages before and after a moment that somebody jumps to.
HALF = PAGE // 2
#: How many messages a filter without an index looks through at once.
SCAN = 10_000
#: A call of ours is logged when its answer is there, but stands where it was sent: how far back new rows may turn up.
LATE = timedelta(minutes=2)
#: Processes number their rows before they commit them: rows younger than this are asked for again, and known by their key.
SETTLED = timedelta(seconds=3)
#: Chargers whose identity holds what was typed, beyond which they are not told apart.
STATIONS = 200
RESULT = "result"
#: A place in the log: time and key of a row.
Mark = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters. `before` is where the page before ended, `after` what a live page has already, `at` the moment to jump to.

    `clear`: whoever asks may see id tags; else a search must not find them either.
    """

    action: str = ""
    direction: str = ""
    errors: bool = False
    q: str = ""
    station: str = ""
    since: datetime | None = None
    since_text: str = ""
    until: datetime | None = None
    until_text: str = ""
    before: Mark | None = None
    after: Mark | None = None
    at: datetime | None = None
    clear: bool = True

    @classmethod
    def of(cls, query: QueryDict, *, clear: bool) -> "Asked":
        direction = query.get("direction", "")
        since, until = query.get("since", "")[:40], query.get("until", "")[:40]
        return cls(
            action=_clean(query.get("action", ""))[:50],
            direction=direction if direction in ("in", "out") else "",
            errors=query.get("errors") == "1",
            q=_clean(query.get("q", ""))[:100],
            station=_clean(query.get("station", ""))[:48],
            since=moment(since),
            since_text=since,
            until=moment(until),
            until_text=until,
            before=_mark(query.get("before", "")),
            after=_mark(query.get("after", "")),
            at=jump(query.get("at", "")[:40], query.get("day", "")[:40]),
            clear=clear,
        )

    @property
    def narrowed(self) -> bool:
        return bool(self.query)

    @property
    def query(self) -> str:
        """The filters as a URL's query, without the place."""
        parts = {
            "q": self.q,
            "station": self.station,
            "action": self.action,
            "direction": self.direction,
            "since": self.since_text if self.since else "",
            "until": self.until_text if self.until else "",
            "errors": "1" if self.errors else "",
        }
        return urlencode({name: value for name, value in parts.items() if value})


class Log:
    """The log of one charger, or (None) of all the chargers in scope, through the filters."""

    def __init__(self, asked: Asked, station: Station | None = None, *, everything: bool = False) -> None:
        """`everything`: of all networks at once, which no index serves; then one charger must be named."""
        self.asked, self.station, self.everything = asked, station, everything
        self.stations: list[int] | None = [station.pk] if station else None
        if station is None and asked.station:
            exact = Station.objects.filter(identity=asked.station).values_list("pk", flat=True)
            alike = Station.objects.filter(identity__icontains=asked.station).order_by("identity").values_list("pk", flat=True)
            self.stations = list(exact) or list(alike[:STATIONS])
        if everything and not self.one:
            self.stations = []

    def indexed(self, before: Mark | None) -> QuerySet[MessageLogEntry]:
        """What an index finds, the newest first, from where the page before ended."""
        found = MessageLogEntry.objects.order_by("-received_at", "-id")
        if self.one:
            found = found.filter(station=self.stations[0])  # type: ignore[index]
        elif self.asked.errors:
            found = found.exclude(outcome__in=(RESULT, ""))
        if self.asked.since:
            found = found.filter(received_at__gte=self.asked.since)
        if self.asked.until:
            found = found.filter(received_at__lte=self.asked.until)
        if before:
            at, pk = before
            found = found.filter(Q(received_at__lt=at) | Q(received_at=at, id__lt=pk), received_at__lte=at)
        return found

    @property
    def one(self) -> bool:
        return self.stations is not None and len(self.stations) == 1

    def rest(self) -> Q:
        """The filters that no index serves. Empty: there are none."""
        asked, rest = self.asked, Q()
        if self.stations is not None and not self.one:
            rest &= Q(station__in=self.stations)
        if asked.errors and self.one:
            rest &= ~Q(outcome__in=(RESULT, ""))
        if asked.action:
            rest &= Q(action__iexact=asked.action)
        if asked.direction:
            rest &= Q(direction=asked.direction)
        if asked.q:
            rest &= Q(call__icontains=asked.q) | Q(answer__icontains=asked.q)
            if not asked.clear:
                rest &= Q(call_seen__icontains=asked.q) | Q(answer_seen__icontains=asked.q)
        return rest

    def read(self, before: Mark | None, size: int) -> tuple[list[MessageLogEntry], Mark | None]:
        """Up to `size` rows from a place on, and where to look further if `SCAN` messages held fewer."""
        if self.stations == []:
            return [], None
        found, rest, horizon = self.indexed(before), self.rest(), None
        if rest:
            last = found.values_list("received_at", flat=True)[SCAN : SCAN + 1].first()
            if last is not None:
                found = found.filter(received_at__gte=last)
                horizon = (last, 0)
            found = self._seen(found).filter(rest)
        rows = list(found[:size])
        return self._shown(rows), horizon if len(rows) < size else None

    def later(self, at: datetime, size: int) -> list[MessageLogEntry]:
        """Up to `size` rows from a moment on, those nearest to it, the newest first."""
        if self.stations == []:
            return []
        found, rest = self.indexed(None).filter(received_at__gte=at).order_by("received_at", "id"), self.rest()
        if rest:
            last = found.values_list("received_at", flat=True)[SCAN : SCAN + 1].first()
            if last is not None:
                found = found.filter(received_at__lte=last)
            found = self._seen(found).filter(rest)
        return self._shown(list(found[:size]))[::-1]

    def newer(self) -> list[MessageLogEntry]:
        """What came since, the newest first; one more than a page if it is too much for one."""
        if self.asked.after is None or self.stations == []:
            return []
        at, pk = self.asked.after
        found = self.indexed(None).filter(received_at__gte=at - LATE, id__gt=pk)
        return self._shown(list(self._seen(found).filter(self.rest())[: PAGE + 1]))

    def newest(self) -> str:
        """The mark from which a live page asks on: that of the newest settled message, whether it matches or not."""
        settled = timezone.now() - SETTLED
        if self.stations == []:
            return f"{settled.isoformat()}~0"
        plain = Log(replace(self.asked, errors=False, since=None, until=settled, station=""))
        plain.stations = self.stations if self.one else None
        entry = plain.indexed(None).only("received_at", "id").first()
        return mark(entry) if entry else f"{settled.isoformat()}~0"

    def _seen(self, found: QuerySet[MessageLogEntry]) -> QuerySet[MessageLogEntry]:
        if self.asked.clear or not self.asked.q:
            return found
        hidden = {
            f"{name}_seen": Func(F(name), Value(TAGS), Value(""), Value("gi"), function="regexp_replace", output_field=TextField())
            for name in ("call", "answer")
        }
        return found.alias(**hidden)

    def _shown(self, rows: list[MessageLogEntry]) -> list[MessageLogEntry]:
        """With their charger, what they belong to, and as whoever asks may see them."""
        if self.station is None:
            prefetch_related_objects(rows, "station")
        links.attach(rows)
        for entry in rows:
            if self.station is not None:
                entry.station = self.station
            if not self.asked.clear:
                hide(entry)
        return rows


def hide(entry: MessageLogEntry) -> MessageLogEntry:
    """For those who may not see id tags. The row is never saved."""
    entry.call, entry.answer = without_tags(entry.call), without_tags(entry.answer)
    return entry


@dataclass(frozen=True, slots=True)
class Page:
    """`next` leads on as a URL's query; `horizon` says how far it was looked, if not to the end. `newest` is for the live tail.

    Around a moment `later` leads on the other way, and `here` is the row that stands at it.
    """

    rows: list[MessageLogEntry]
    next: str
    horizon: datetime | None
    newest: str
    later: str = ""
    here: int | None = None


def page(log: Log) -> Page:
    """One page, by queries whose cost does not depend on how long the log is or how far back one has gone."""
    if log.asked.at is not None and log.asked.before is None:
        return _around(log, log.asked.at)
    newest = "" if log.asked.before else log.newest()
    found, horizon = log.read(log.asked.before, PAGE + 1)
    return Page(found[:PAGE], _further(found, PAGE, horizon), horizon[0] if horizon else None, newest)


def _around(log: Log, at: datetime) -> Page:
    """What happened at a moment: the messages before and after it."""
    later = log.later(at, HALF + 1)
    # Before any message of that moment.
    earlier, horizon = log.read((at, 0), HALF + 1)
    rows = [*later[-HALF:], *earlier[:HALF]]
    here = later[-1] if later else earlier[0] if earlier else None
    return Page(
        rows,
        _further(earlier, HALF, horizon),
        horizon[0] if horizon else None,
        newest="",
        later=urlencode({"at": rows[0].received_at.isoformat()}) if len(later) > HALF else "",
        here=here.pk if here else None,
    )


def _further(found: list[MessageLogEntry], size: int, horizon: Mark | None) -> str:
    """Where the next page begins, as a URL's query; empty if there is none."""
    further = mark(found[size - 1]) if len(found) > size else f"{horizon[0].isoformat()}~{horizon[1]}" if horizon else ""
    return urlencode({"before": further}) if further else ""


def context(station: Station, entry: MessageLogEntry, *, clear: bool, size: int = 5) -> list[MessageLogEntry]:
    """A message among those before and after it of the same charger, the newest first."""
    log = Log(Asked(clear=clear), station)
    place = (entry.received_at, entry.pk)
    rising = log.indexed(None).order_by("received_at", "id").filter(received_at__gte=entry.received_at)
    later = list(rising.filter(Q(received_at__gt=entry.received_at) | Q(id__gte=entry.pk))[: size + 1])
    return [*log._shown(later)[::-1], *log.read(place, size)[0]]


def chunk(log: Log, last: MessageLogEntry | None, size: int) -> list[MessageLogEntry]:
    """The next rows of a download: fewer than `size` only at the end of the log."""
    rows: list[MessageLogEntry] = []
    place: Mark | None = (last.received_at, last.pk) if last else None
    while True:
        found, place = log.read(place, size - len(rows))
        rows += found
        if place is None or len(rows) >= size:
            return rows


def mark(entry: MessageLogEntry) -> str:
    return f"{entry.received_at.isoformat()}~{entry.pk}"


COLUMNS = (
    *("received_at", "station", "direction", "protocol", "message_id", "action", "event", "outcome", "handling_ms"),
    *("call", "answer", "transaction", "command", "findings"),
)


def cells(e: MessageLogEntry) -> tuple[object, ...]:
    """A line of the CSV file."""
    known = (e.received_at, e.station.identity, e.direction, e.protocol, e.message_id, e.action, e.event, e.outcome)
    return (*known, e.handling_us / 1000, e.call, e.answer, e.of_transaction, e.of_command, " ".join(e.findings))


def ndjson(rows: Sequence[MessageLogEntry]) -> Iterator[bytes]:
    """A line for each exchange; frames as JSON where they are."""
    for entry in rows:
        line = dict(zip(COLUMNS, cells(entry), strict=True)) | {"call": frame(entry.call), "answer": frame(entry.answer)}
        line["findings"] = entry.findings
        yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)


def frame(text: str) -> object:
    """A frame as JSON; text that is none as it is."""
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return text


def moment(text: str) -> datetime | None:
    """A time as a form's datetime-local or a link gives it, in the pages' zone unless it says otherwise."""
    try:
        # The "+" of a zone that was not escaped arrives as a space.
        at = parse_datetime(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        return None
    return timezone.make_aware(at) if at is not None and timezone.is_naive(at) else at


def jump(text: str, day: str) -> datetime | None:
    """A moment, or a time of day ("14:03") of a day: of today, or of yesterday if that is still to come, unless it says which."""
    try:
        clock, date = parse_time(text), parse_date(day)
    except ValueError:
        return None
    if clock is None or "T" in text:
        return moment(text)
    at = timezone.make_aware(datetime.combine(date or timezone.localdate(), clock))
    return at - timedelta(days=1) if date is None and at > timezone.now() else at


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()


def _mark(text: str) -> Mark | None:
    when, _, pk = text.partition("~")
    at = moment(when)
    return (at, int(pk)) if at is not None and pk.isascii() and pk.isdigit() and len(pk) < 19 else None
