"""Reservations on the pages: in words, on a charger's tab with the form that asks for one, and as the list of the network's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import IdTokenType
from accounts.permissions import may
from csms.dashboard.access import page
from csms.dashboard.days import within
from csms.dashboard.evses import TYPES
from csms.dashboard.exports import stream_csv
from csms.dashboard.station import Head
from csms.ocpp.masking import MASK
from stations.domain.commands import BadCommand, ReserveNow
from stations.models import Command, Reservation, ReservationStatus, Station, Variable
from stations.models.command import OPEN
from stations.models.reservation import RESERVATION_OPEN

ASK = "commands.send"
PAGE = 50
#: How many that have ended stand on a charger's page.
SHOWN = 20
COLUMNS = (
    *("id", "charger", "number", "plug", "connector_type", "id_tag", "group", "until", "status", "detail", "session"),
    *("by", "asked_at", "ended_at"),
)
STATUS: dict[str, str | Promise] = {
    ReservationStatus.REQUESTED: pgettext_lazy("reservation", "Asked for"),
    ReservationStatus.ACTIVE: pgettext_lazy("reservation", "Reserved"),
    ReservationStatus.USED: pgettext_lazy("reservation", "Used"),
    ReservationStatus.CANCELLED: pgettext_lazy("reservation", "Given up"),
    ReservationStatus.EXPIRED: pgettext_lazy("reservation", "Not used in time"),
    ReservationStatus.REMOVED: pgettext_lazy("reservation", "Lost"),
    ReservationStatus.REFUSED: pgettext_lazy("reservation", "Refused"),
}
#: Shapes: done, now or bad.
SLUGS: dict[str, str] = {
    ReservationStatus.REQUESTED: "now",
    ReservationStatus.ACTIVE: "now",
    ReservationStatus.USED: "done",
    ReservationStatus.CANCELLED: "done",
    ReservationStatus.EXPIRED: "done",
}
#: What a charger's own word for a refusal means.
REFUSALS: dict[str, str | Promise] = {
    "Faulted": gettext_lazy("The charger refused: the plug is faulted."),
    "Occupied": gettext_lazy("The charger refused: the plug is in use, or reserved."),
    "Unavailable": gettext_lazy("The charger refused: the plug is out of service."),
    "Rejected": gettext_lazy("The charger refused: it does not reserve. Look among its settings whether reservations are on."),
}


@dataclass(frozen=True, slots=True)
class ReservationRow:
    """`cancelling`: the charger has been asked to give it up."""

    reservation: Reservation
    cancelling: bool = False

    @property
    def word(self) -> str:
        return str(STATUS[self.reservation.status])

    @property
    def slug(self) -> str:
        return SLUGS.get(self.reservation.status, "bad")

    @property
    def open(self) -> bool:
        return self.reservation.status in RESERVATION_OPEN

    @property
    def plug(self) -> str:
        row = self.reservation
        if row.evse_number is not None:
            return _("Plug %(number)s") % {"number": row.evse_number}
        if row.connector_type:
            return _("Any plug of type %(type)s") % {"type": TYPES.get(row.connector_type, row.connector_type)}
        return _("Any plug")

    @property
    def tag(self) -> str:
        return tag_of(self.reservation)

    @property
    def sentence(self) -> str:
        row = self.reservation
        match row.status:
            case ReservationStatus.REQUESTED:
                return _("The charger has not answered yet.")
            case ReservationStatus.ACTIVE if self.cancelling:
                return _("The charger is asked to give it up.")
            case ReservationStatus.REFUSED:
                return str(REFUSALS.get(row.detail, "")) or row.detail
            case ReservationStatus.REMOVED:
                return row.detail
        return ""


def tag_of(reservation: Reservation) -> str:
    """For whom it is: what the id tag's note says, else the tag; a code that is typed in is nobody's to read."""
    if reservation.id_token_type == IdTokenType.KEY_CODE:
        return MASK
    token = reservation.id_token
    return (token.note if token else "") or reservation.id_tag


class Reserve(forms.Form):
    """Which plug, for whom, and until when. The rules are those of `stations.services.reserving`."""

    plug = forms.ChoiceField(label=gettext_lazy("Plug"), required=False)
    id_tag = forms.CharField(
        label=gettext_lazy("Id tag"), max_length=36, widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"})
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Until"), widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M")
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=200, required=False)
    names = {"id_token": "id_tag", "evse": "plug", "expires_at": "until", "connector_type": "plug"}

    def __init__(self, head: Head, data: Any = None) -> None:
        in_an_hour = timezone.localtime() + timedelta(hours=1)
        super().__init__(data, initial={"until": in_an_hour.replace(second=0, microsecond=0)})
        numbers = sorted({plug.connector.evse.number for plug in head.plugs})
        choices: list[tuple[str, str | Promise]] = [(str(number), _("Plug %(number)s") % {"number": number}) for number in numbers]
        choices.append(("", _("Whichever the charger keeps")))
        choices += [(kind, _("Any plug of type %(type)s") % {"type": TYPES.get(kind, kind)}) for kind in _types(head.station)]
        field = self.fields["plug"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
        if numbers:
            self.initial["plug"] = str(numbers[0])

    def command(self) -> ReserveNow:
        """The command, from clean fields."""
        data = self.cleaned_data
        where = {"evse": int(data["plug"])} if data["plug"].isdigit() else {"connector_type": data["plug"]}
        return ReserveNow.of({"id_token": data["id_tag"].strip(), "expires_at": data["until"].isoformat()} | where)

    def refuse(self, error: BadCommand, text: str) -> None:
        """Show why it makes no sense beside the field it is about."""
        self.add_error(self.names.get(str(error).split(" ", 1)[0]), text)


def _types(station: Station) -> list[str]:
    """The types of connectors the charger has told of, if there is more than one to choose from."""
    told = Variable.objects.filter(station=station, component="Connector", variable="ConnectorType", attribute="Actual", known=True)
    found = sorted({value for value in told.values_list("value", flat=True) if value})
    return found if len(found) > 1 else []


def context(request: HttpRequest, head: Head) -> dict[str, Any]:
    """The part of a charger's page."""
    found = _reservations().filter(station=head.station)
    rows = [*found.filter(status__in=RESERVATION_OPEN), *found.exclude(status__in=RESERVATION_OPEN)[:SHOWN]]
    may_reserve = may(request.user, ASK)
    return {
        "rows": _rows(rows),
        "form": Reserve(head) if may_reserve else None,
        "may_reserve": may_reserve,
        "any": bool(rows),
        "all": "?" + urlencode({"station": head.station.identity}),
    }


def _reservations() -> QuerySet[Reservation]:
    return Reservation.objects.select_related("station", "id_token", "requested_by").order_by("-id")


def _rows(rows: Sequence[Reservation]) -> list[ReservationRow]:
    active = [row for row in rows if row.status == ReservationStatus.ACTIVE]
    asked: set[tuple[int, int]] = set()
    if active:
        cancels = Command.objects.filter(station__in={row.station_id for row in active}, status__in=OPEN, kind="cancel_reservation")
        asked = {(one.station_id, one.params["reservation"]) for one in cancels}
    return [ReservationRow(row, (row.station_id, row.number) in asked) for row in rows]


class ReservationFilters(forms.Form):
    """What the list can be narrowed by. Nothing is required: an empty form is the whole list."""

    station = forms.CharField(label=gettext_lazy("Charger"), required=False, max_length=48)
    status = forms.ChoiceField(
        label=gettext_lazy("Status"),
        required=False,
        choices=[("", gettext_lazy("All")), ("open", pgettext_lazy("reservation", "Not over")), *STATUS.items()],
    )
    id_tag = forms.CharField(label=gettext_lazy("Id tag"), required=False, max_length=255)
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(label=gettext_lazy("To"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))

    def rows(self) -> QuerySet[Reservation]:
        """The reservations that fit, the newest first; none while something in the form is wrong."""
        found = _reservations()
        if not self.is_valid():
            return found.none()
        wanted = self.cleaned_data
        if wanted["station"]:
            found = found.filter(station__identity__icontains=wanted["station"])
        if wanted["status"]:
            found = found.filter(status__in=RESERVATION_OPEN if wanted["status"] == "open" else [wanted["status"]])
        if wanted["id_tag"]:
            found = found.filter(id_key=wanted["id_tag"].strip().upper())
        return within(found, "created_at", wanted)

    def query(self, **more: str) -> str:
        """The filters as they stand in an address."""
        return urlencode({name: value for name in self.fields if (value := self.data.get(name))} | more)


@page
def show_reservations(request: HttpRequest) -> HttpResponseBase:
    """The reservations of the whole network."""
    form = ReservationFilters(request.GET)
    rows = form.rows()
    if request.GET.get("format") == "csv":
        if not form.is_valid():
            raise BadRequest(form.errors.as_json())
        return _export(request, rows)
    before = request.GET.get("before", "")
    if before:
        if not (before.isascii() and before.isdigit() and len(before) < 19):
            raise BadRequest("before")
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    query = form.query()
    return render(
        request,
        "dashboard/reservations.html",
        {
            "form": form,
            "rows": _rows(found[:PAGE]),
            "may_reserve": may(request.user, ASK),
            "now": timezone.now(),
            "filtered": bool(query),
            "newest": query if before else None,
            "older": form.query(before=str(found[PAGE - 1].pk)) if len(found) > PAGE else "",
            "export": form.query(format="csv"),
            "back": "?" + urlencode({"in": query}),
        },
    )


def _export(request: HttpRequest, rows: QuerySet[Reservation]) -> HttpResponseBase:
    def chunk(last: Reservation | None, size: int) -> Sequence[Reservation]:
        return list((rows if last is None else rows.filter(pk__lt=last.pk))[:size])

    def cells(r: Reservation) -> Iterable[object]:
        tag = MASK if r.id_token_type == IdTokenType.KEY_CODE else r.id_tag
        said = (r.pk, r.station.identity, r.number, r.evse_number, r.connector_type, tag, r.group, r.expires_at, r.status, r.detail)
        return (*said, r.transaction_id, str(r.requested_by or ""), r.created_at, r.finished_at)

    return stream_csv(request, "reservations", COLUMNS, chunk, cells)
