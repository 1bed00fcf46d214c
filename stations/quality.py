"""Which findings stations show, how many of them and how often, in the scope of the caller.

Everything is summed up from the counts of days (`FindingDay`), of which there is at most one for each station, code, firmware and
day. A list reads those of its days (30 at most, 90 for one code) along `findingday_operator_day` or `findingday_operator_code`,
the first without looking at a row. With 10,000 stations that show five codes each every day, 30 days are 1.5 million entries: some
four seconds for a list on two busy cores, one for a code; what a network really shows is far less. Findings themselves and messages
are read by their keys, a bounded number of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Max, Min, Q, QuerySet, Sum

from stations.models import Finding, FindingDay, MessageLogEntry, Station

#: What is told of stations and is no fault of theirs.
NO_FAULT = (
    *("token_unknown", "firmware_changed", "handler_failed", "repaired", "signature_unchecked", "signature_unvouched"),
    *("protocol_changed", "contract_certificate_failed", "certificate_status_failed", "contract_unverifiable"),
    "plug_type_unsaid",
)
WEEK, MONTH, QUARTER = 7, 30, 90
#: Rows of a list, stations of a code, and examples of it.
MOST, STATIONS, EXAMPLES = 100, 50, 5
#: What a list has a row for, and the columns that tell rows apart.
GROUPS: dict[str, tuple[str, ...]] = {
    "code": (),
    "model": ("station__vendor", "station__model"),
    "firmware": ("station__vendor", "station__model", "firmware_version"),
    "station": ("station__identity",),
}
#: The same columns where the counts of a station are joined with it.
COLUMNS = {
    "station__vendor": "s.vendor",
    "station__model": "s.model",
    "station__identity": "s.identity",
    "firmware_version": "d.firmware_version",
}
SORTS = {
    "stations": "stations DESC, month DESC",
    "week": "week DESC, month DESC",
    "month": "month DESC, stations DESC",
    "last": "last DESC, month DESC",
    "code": "code, stations DESC",
}
# Of each station first, and of the groups then: to tell stations apart among all days would be to sort all of these.
GROUPED = """
SELECT d.code, {group} count(DISTINCT d.station_id) AS stations, sum(d.week) AS week, sum(d.month) AS month,
       min(d.first) AS first, max(d.last) AS last
FROM ({days}) d JOIN stations_station s ON s.id = d.station_id
GROUP BY d.code{by} ORDER BY {sort}, d.code{by} LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at: a row for each `group` (of GROUPS) and code, of these stations alone."""

    group: str = "code"
    code: str = ""
    station: str = ""
    vendor: str | None = None
    model: str | None = None
    firmware: str | None = None
    sort: str = "stations"

    def days(self, today: date, days: int = MONTH) -> QuerySet[FindingDay]:
        found = FindingDay.objects.order_by().filter(day__gt=today - timedelta(days=days), day__lte=today)
        found = found.filter(code=self.code) if self.code else found.exclude(code__in=NO_FAULT)
        if self.station:
            found = found.filter(station__identity=self.station)
        if self.vendor is not None:
            found = found.filter(station__vendor=self.vendor)
        if self.model is not None:
            found = found.filter(station__model=self.model)
        if self.firmware is not None:
            found = found.filter(firmware_version=self.firmware)
        return found


@dataclass(slots=True)
class Row:
    """How many stations of a group showed a code, and how often: within a week, and within a month. `trend`: day by day."""

    key: tuple[str, ...]
    code: str
    stations: int
    week: int
    month: int
    first: date
    last: date
    trend: list[int] = field(default_factory=list)

    @property
    def before(self) -> int:
        """In the week before the last."""
        return sum(self.trend[-2 * WEEK : -WEEK])


def rows(asked: Asked, today: date, *, most: int = MOST, trends: bool = True) -> list[Row]:
    """The rows of a list, one more than `most` if there are more; a query, and one for the trends."""
    group = GROUPS[asked.group]
    days = asked.days(today).values("station_id", "code", "firmware_version")
    week = Q(day__gt=today - timedelta(days=WEEK))
    counted = days.annotate(month=Sum("count"), week=Sum("count", filter=week, default=0), first=Min("day"), last=Max("day"))
    try:
        inner, params = counted.query.sql_with_params()
    except EmptyResultSet:  # in nobody's scope
        return []
    names = [COLUMNS[name] for name in group]
    told = {"group": "".join(f"{name}, " for name in names), "by": "".join(f", {name}" for name in names)}
    with connection.cursor() as cursor:
        cursor.execute(GROUPED.format(days=inner, sort=SORTS[asked.sort], **told), [*params, most + 1])
        found = cursor.fetchall()
    made = [
        Row(tuple(one[1 : 1 + len(names)]), one[0], int(one[-5]), int(one[-4]), int(one[-3]), one[-2], one[-1]) for one in found
    ]
    if trends:
        _trends(asked, today, made, MONTH)
    return made


def _trends(asked: Asked, today: date, rows: Sequence[Row], days: int) -> None:
    group = GROUPS[asked.group]
    shown = {(row.code, row.key): row for row in rows}
    for row in rows:
        row.trend = [0] * days
    daily = asked.days(today, days).filter(code__in={row.code for row in rows}).values_list("code", *group, "day")
    for code, *key, day, count in daily.annotate(n=Sum("count")):
        if one := shown.get((code, tuple(key))):
            one.trend[days - 1 - (today - day).days] = count


def trend(asked: Asked, today: date, days: int = QUARTER) -> list[tuple[date, int]]:
    """How often each of the last days; one query."""
    known = dict(asked.days(today, days).values_list("day").annotate(n=Sum("count")))
    return [(day, known.get(day, 0)) for day in (today - timedelta(days=n) for n in range(days - 1, -1, -1))]


def stations_of(asked: Asked, today: date, *, most: int = STATIONS) -> list[dict[str, Any]]:
    """The stations that show it most often within a month, with what they are; two queries."""
    counted = asked.days(today).values("station").annotate(n=Sum("count"), last=Max("day")).order_by("-n", "station")[: most + 1]
    found: list[Any] = list(counted)
    known = Station.objects.select_related("site").in_bulk([one["station"] for one in found])
    return [{"station": known[one["station"]], "times": one["n"], "last": one["last"]} for one in found if one["station"] in known]


@dataclass(frozen=True, slots=True)
class Example:
    """A finding and the exchange that showed it last; None: it is not kept any more, or was none."""

    finding: Finding
    message: MessageLogEntry | None


def examples(code: str, stations: Sequence[Station], *, most: int = EXAMPLES) -> list[Example]:
    """The newest findings of a code at these stations, at most one of each of the first, with their exchanges; two queries."""
    each = [Finding.objects.filter(station=one, code=code).order_by("-last_at")[:1] for one in stations[:most]]
    if not each:
        return []
    found = list(each[0].union(*each[1:], all=True)) if len(each) > 1 else list(each[0])
    by_pk = {one.pk: one for one in stations}
    # A finding has the time of receipt of the message that showed it, which the log is searched by.
    wanted = Q(pk__in=[])
    for one in found:
        one.station = by_pk[one.station_id]
        if one.message_id:
            wanted |= Q(station=one.station_id, received_at=one.last_at, message_id=one.message_id)
    messages = MessageLogEntry.objects.filter(wanted, direction="in") if any(one.message_id for one in found) else []
    heard: dict[tuple[int, datetime], MessageLogEntry] = {(one.station_id, one.received_at): one for one in messages}
    for message in heard.values():
        message.station = by_pk[message.station_id]
    return [
        Example(one, heard.get((one.station_id, one.last_at))) for one in sorted(found, key=lambda one: one.last_at, reverse=True)
    ]


def seen(code: str, stations: Sequence[Station]) -> tuple[datetime | None, datetime | None]:
    """When these stations showed it first and last."""
    told = Finding.objects.filter(station__in=stations, code=code).aggregate(first=Min("first_at"), last=Max("last_at"))
    return told["first"], told["last"]


def makes() -> list[tuple[str, str, str]]:
    """Vendor, model and firmware of the stations there are, for the choices of a form."""
    found = Station.objects.exclude(vendor="", model="").order_by("vendor", "model", "firmware_version")
    return list(found.values_list("vendor", "model", "firmware_version").distinct()[:500])
