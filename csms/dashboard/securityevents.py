"""Security events on the pages: those of the whole network, those of one charger, and that somebody has seen them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.permissions import may
from csms.dashboard import securitywords
from csms.dashboard.days import within
from csms.dashboard.station import Head
from stations.models import SecurityEvent

MAY_CHANGE = "stations.change"
SHOWN = 10
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

    def rows(self) -> QuerySet[SecurityEvent]:
        """The events that fit, the newest first; none while something in the form is wrong."""
        found = events()
        if not self.is_valid():
            return found.none()
        wanted = self.cleaned_data
        if wanted["station"]:
            found = found.filter(station__identity__icontains=wanted["station"])
        if wanted["type"]:
            found = found.filter(type__icontains=wanted["type"])
        if wanted["which"]:
            found = found.filter(critical=True)
        if wanted["which"] == "unseen":
            found = found.filter(acknowledged_at=None)
        return within(found, "at", wanted)

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
