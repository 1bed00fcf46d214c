"""Security events on the pages: those of the whole network, those of one charger, and that somebody has seen them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.permissions import may
from csms.dashboard import securitywords
from csms.dashboard.days import within
from csms.dashboard.station import Head
from stations.models import SecurityEvent, Station

MAY_CHANGE = "stations.change"
SHOWN = 10
#: How many events a filter without an index looks through at once; and stations that a part of a name may mean.
SCAN, STATIONS = 10_000, 200
#: A place in the list: time and key of an event.
Mark = tuple[datetime, int]
#: What is told so long after it happened happened while the charger was away.
LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class EventRow:
    event: SecurityEvent

    @property
    def word(self) -> str:
        return securitywords.event(self.event.type)

    @property
    def slug(self) -> str:
        """Its shape: it waits for somebody, or does not."""
        return "bad" if self.waits else "done"

    @property
    def waits(self) -> bool:
        return self.event.critical and self.event.acknowledged_at is None

    @property
    def late(self) -> bool:
        return self.event.received_at - self.event.at > LATE


class EventFilters(forms.Form):
    """What the list can be narrowed by. Nothing is required: an empty form is the whole list."""

    station = forms.CharField(label=gettext_lazy("Charger"), required=False, max_length=48)
    which = forms.ChoiceField(
        label=gettext_lazy("Which"),
        required=False,
        choices=[
            ("", gettext_lazy("All")),
            ("unseen", gettext_lazy("Critical, not seen yet")),
            ("critical", gettext_lazy("Critical")),
        ],
    )
    type = forms.CharField(label=gettext_lazy("Type"), required=False, max_length=50)
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(label=gettext_lazy("To"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))

    def rows(self) -> tuple[QuerySet[SecurityEvent], Q]:
        """What an index finds, the newest first, and the filters that no index serves; nothing while the form is wrong."""
        found, rest = events(), Q()
        if not self.is_valid():
            return found.none(), rest
        wanted = self.cleaned_data
        if name := wanted["station"]:
            exact = Station.objects.filter(identity=name).values_list("pk", flat=True)
            alike = Station.objects.filter(identity__icontains=name).order_by("identity").values_list("pk", flat=True)
            stations = list(exact) or list(alike[:STATIONS])
            if len(stations) == 1:
                found = found.filter(station=stations[0])
            else:
                rest &= Q(station__in=stations)
        if wanted["type"]:
            rest &= Q(type__icontains=wanted["type"])
        if wanted["which"] == "critical":
            rest &= Q(critical=True)
        if wanted["which"] == "unseen":
            # They have an index of their own, in which only those are that still wait.
            waiting = SecurityEvent.objects.filter(critical=True, acknowledged_at=None).order_by("-pk").values("pk")
            found = found.filter(pk__in=waiting[:SCAN])
        return within(found, "at", wanted), rest

    def read(self, before: Mark | None, size: int) -> tuple[list[SecurityEvent], Mark | None]:
        """Up to `size` events behind a place, and where to look further if `SCAN` events held fewer."""
        found, rest = self.rows()
        if before is not None:
            at, pk = before
            found = found.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk), at__lte=at)
        horizon = None
        if rest:
            last = found.values_list("at", "pk")[SCAN : SCAN + 1].first()
            if last is not None:
                found, horizon = found.filter(Q(at__gt=last[0]) | Q(at=last[0], pk__gte=last[1]), at__gte=last[0]), last
            found = found.filter(rest)
        rows = list(found[:size])
        return rows, horizon if len(rows) < size else None

    def query(self, **more: str) -> str:
        """The filters as they stand in an address."""
        return urlencode({name: value for name in self.fields if (value := self.data.get(name))} | more)


def events() -> QuerySet[SecurityEvent]:
    return SecurityEvent.objects.select_related("station", "acknowledged_by").order_by("-at", "-id")


def part(request: HttpRequest, head: Head) -> dict[str, Any]:
    """The newest of one charger."""
    rows = [EventRow(event) for event in events().filter(station=head.station)[:SHOWN]]
    unseen = SecurityEvent.objects.filter(station=head.station, critical=True, acknowledged_at=None)
    newest = unseen.order_by("-pk").values_list("pk", flat=True).first()
    return {"rows": rows, "upto": newest, "may_change": may(request.user, MAY_CHANGE)}
