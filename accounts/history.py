"""Reads of the audit: who changed what. No look reads more than a bounded number of entries, however many there are.

One condition that an index serves leads (the thing, the person, the action, or none); all others are looked for among `SCAN`
entries at a time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from accounts.models import AuditEntry, User

#: Entries that are looked through at once for what no index finds.
SCAN = 10_000
#: Entries are numbered when they are written, and dated a moment before, by clocks of several machines.
SLACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """`thing` is the key of a thing of this `kind`; `text` stands in its name, in the reason, or in what was before or after."""

    person: str = ""
    action: str = ""
    kind: str = ""
    thing: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


def within(found: QuerySet[AuditEntry], since: datetime | None, until: datetime | None) -> QuerySet[AuditEntry]:
    """Those from `since` on and before `until`: by their numbers too, which is what the other indexes are read by."""
    by_time = AuditEntry.objects.order_by("at", "id")
    if since:
        last = by_time.filter(at__lt=_moved(since, -SLACK)).reverse().values_list("pk", flat=True).first()
        found = found.filter(at__gte=since, **({} if last is None else {"pk__gt": last}))
    if until:
        first = by_time.filter(at__gte=_moved(until, SLACK)).values_list("pk", flat=True).first()
        found = found.filter(at__lt=until, **({} if first is None else {"pk__lt": first}))
    return found


def _moved(at: datetime, by: timedelta) -> datetime:
    """Before the first moment there is, and after the last, there is none."""
    try:
        return at + by
    except OverflowError:
        return at


class History:
    """The entries of the operator in scope that are asked for, the newest first."""

    def __init__(self, asked: Asked, *, everything: bool = False) -> None:
        """`everything`: those of all operators at once, for which there is no index but the entries' numbers."""
        found: QuerySet[AuditEntry] = AuditEntry.objects.order_by("-id")
        rest = []
        leading: list[Q] = []
        if asked.kind and asked.thing:
            leading.append(Q(object_type=asked.kind, object_id=asked.thing))
        elif asked.kind:
            rest.append(Q(object_type=asked.kind))
        if asked.person:
            known = User.objects.filter(email=asked.person.strip().lower()).values_list("pk", flat=True).first()
            if known is None:
                rest.append(Q(actor_label__icontains=asked.person))
            else:
                leading.append(Q(actor=known))
        if asked.action:
            leading.append(Q(action=asked.action))
        if asked.text:
            rest.append(mentions(asked.text))
        if everything:
            rest += leading
            for name, moment in (("at__gte", asked.since), ("at__lt", asked.until)):
                if moment:
                    rest.append(Q(**{name: moment}))
        else:
            found = within(found, asked.since, asked.until)
            if leading:
                found = found.filter(leading[0])
            rest += leading[1:]
        self.found, self.rest = found, rest

    def read(self, before: int | None, size: int) -> tuple[list[AuditEntry], int | None]:
        """Up to `size` entries below a number, and the number to look on from if `SCAN` entries held fewer."""
        found = self.found if before is None else self.found.filter(pk__lt=before)
        horizon = None
        if self.rest:
            last = found.values_list("pk", flat=True)[SCAN : SCAN + 1].first()
            if last is not None:
                found, horizon = found.filter(pk__gt=last), last + 1
            found = texts(found).filter(*self.rest)
        rows = list(found[:size])
        return rows, horizon if len(rows) < size else None

    def chunk(self, last: AuditEntry | None, size: int) -> list[AuditEntry]:
        """The next entries of a download: fewer than `size` only at the end."""
        rows: list[AuditEntry] = []
        place = last.pk if last else None
        while True:
            found, place = self.read(place, size - len(rows))
            rows += found
            if place is None or len(rows) >= size:
                return rows


def texts(found: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    """With what was before and after as text, for `mentions`."""
    as_text: dict[str, Any] = {f"{name}_text": Cast(name, TextField()) for name in ("before", "after")}
    return found.alias(**as_text)


def mentions(text: str) -> Q:
    """Entries of `texts` in which it stands, in capitals or not."""
    places = ("object_label", "actor_label", "note", "before_text", "after_text")
    found = Q()
    for place in places:
        found |= Q(**{f"{place}__icontains": text})
    return found
