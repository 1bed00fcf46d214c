"""Days that somebody chose, as the moments between which they lie, in the time of whoever looks."""

from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils import timezone

Row = TypeVar("Row", bound=Model)


def begins(day: date | None) -> datetime | None:
    return None if day is None else timezone.make_aware(datetime.combine(day, time.min))


def ends(day: date | None) -> datetime | None:
    """When it is over. None: no day was chosen, or the last one that there is."""
    return None if day is None or day == date.max else begins(day + timedelta(days=1))


def span(since: date, until: date) -> tuple[datetime, datetime]:
    """From the first moment of a day to where another one is over; the last day that there is has no end, only its midnight."""
    first, last = (timezone.make_aware(datetime.combine(day, time.min)) for day in (since, until))
    return first, ends(until) or last


def within(rows: QuerySet[Row], field: str, chosen: dict[str, Any]) -> QuerySet[Row]:
    """Those of the days `since` to `until`, both included, as far as they were chosen."""
    if start := begins(chosen["since"]):
        rows = rows.filter(**{f"{field}__gte": start})
    if end := ends(chosen["until"]):
        rows = rows.filter(**{f"{field}__lt": end})
    return rows
