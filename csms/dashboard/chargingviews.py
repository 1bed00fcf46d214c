"""What one may do about the power of a charger: limit it, clear what limits it, set it again, read it back."""

from collections.abc import Iterable, Sequence

from django.contrib import messages as notices
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from csms.dashboard import charging, chargingwords, exports, parts
from csms.dashboard import station as stationpage
from csms.dashboard.access import action, page
from csms.dashboard.stationviews import back_to_part, render_part, station_of
from csms.dashboard.words import in_words
from csms.ocpp import reading
from stations import charginglists
from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.models import ChargingProfile, Evse, Station
from stations.services import commands as life

PART = next(part for part in parts.PARTS if part.name == "charging")
HEADER = (
    *("evse", "purpose", "kind", "stack_level", "profile_id", "source", "transaction", "state", "wanted", "reported"),
    *("set_at", "reported_at", "checked_at"),
)


@action("commands.send")
def set_limit(request: HttpRequest, identity: str) -> HttpResponse:
    """At most so much, at a plug or in all."""
    station = station_of(identity)
    form = charging.LimitForm(stationpage.of(station), request.POST)
    if form.is_valid():
        try:
            _ask(request, station, form.command())
            notices.success(request, _("The limit is on its way. It stands below as soon as the charger has accepted it."))
            return back_to_part(station, PART)
        except BadCommand as error:
            form.refuse(error)
    return render_part(request, station, PART, form=form)


@action("commands.send")
def do_about_profile(request: HttpRequest, identity: str) -> HttpResponse:
    """Clear one or all of ours, set one again, or ask what the charger holds."""
    station = station_of(identity)
    do, pk = request.POST.get("do", ""), request.POST.get("profile", "")
    try:
        if do == "read":
            for command in _reading(station):
                _ask(request, station, command)
        elif do == "clear_all":
            _ask(request, station, commands.ClearChargingProfile())
        else:
            row = get_object_or_404(
                ChargingProfile, station=station, pk=int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 19 else 0
            )
            if do == "clear":
                _ask(request, station, commands.ClearChargingProfile(row.profile_id))
            elif do == "again" and row.wanted is not None:
                _ask(request, station, commands.SetChargingProfile(row.evse_number, row.wanted))
            else:
                raise Http404(do)
        notices.success(request, _("The charger is asked. What comes of it stands here and under Commands."))
    except BadCommand as error:
        notices.error(request, _("This was not asked: %(why)s") % {"why": in_words(error)})
    return back_to_part(station, PART)


def _reading(station: Station) -> list[commands.Command]:
    """What it holds, where its version can tell; and what it would draw, of the whole and of each plug."""
    can = reading.sayable(station.connection.protocol if hasattr(station, "connection") else "")
    asked: list[commands.Command] = [commands.GetChargingProfiles()] if "get_charging_profiles" in can else []
    numbers = Evse.objects.filter(station=station).order_by("number").values_list("number", flat=True)[:8]
    return asked + [commands.GetCompositeSchedule(number) for number in (0, *numbers)]


def _ask(request: HttpRequest, station: Station, command: commands.Command) -> None:
    command.check()
    life.issue(station=station, command=command, user=request.user if isinstance(request.user, User) else None)


@page
def export_profiles(request: HttpRequest, identity: str) -> HttpResponseBase:
    """The profiles of a charger as a file."""
    station = station_of(identity)
    found = ChargingProfile.objects.filter(station=station).order_by("pk")

    def chunk(last: ChargingProfile | None, size: int) -> Sequence[ChargingProfile]:
        return list((found if last is None else found.filter(pk__gt=last.pk))[:size])

    def cells(row: ChargingProfile) -> Iterable[object]:
        limits = (chargingwords.limits(one or {}) for one in (row.wanted, row.reported))
        told = (row.evse_number, row.purpose, row.kind, row.stack_level, row.profile_id, row.source, row.ocpp_transaction_id)
        return (*told, charginglists.state_of(row), *limits, row.set_at, row.reported_at, row.checked_at)

    return exports.stream_csv(request, f"charging-profiles-{slugify(station.identity) or 'charger'}", HEADER, chunk, cells)
