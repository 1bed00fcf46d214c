"""What one may do about reservations: ask for one at a charger, and give one up."""

from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from csms.dashboard import parts, reservations, stationviews
from csms.dashboard import station as stationpage
from csms.dashboard.access import action
from csms.dashboard.words import in_words
from stations.domain.commands import BadCommand
from stations.models import Reservation
from stations.services import reserving


@action(reservations.ASK)
def reserve(request: HttpRequest, identity: str) -> HttpResponse:
    """Ask a charger to keep a plug."""
    station = stationviews.station_of(identity)
    form = reservations.Reserve(stationpage.of(station), request.POST)
    user = request.user if isinstance(request.user, User) else None
    if form.is_valid():
        try:
            made = reserving.reserve(station=station, command=form.command(), user=user, reason=form.cleaned_data["reason"])
        except BadCommand as error:
            form.refuse(error, in_words(error))
        else:
            return stationviews.back_to_part(station, parts.RESERVATIONS, f"#reservation-{made.pk}")
    return stationviews.render_part(request, station, parts.RESERVATIONS, form=form)


@action(reservations.ASK)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a reservation up."""
    found: Reservation = get_object_or_404(Reservation.objects.select_related("station", "command"), pk=pk)
    try:
        asked = reserving.cancel(reservation=found, user=request.user if isinstance(request.user, User) else None)
    except BadCommand as error:
        notices.error(request, in_words(error))
    else:
        if asked is None:
            notices.warning(request, _("It was too late to give it up: the reservation had ended already."))
    query = QueryDict(request.GET.get("in", "").replace("\x00", "")[:1000]).urlencode()
    if "in" in request.GET:
        return redirect(f"{reverse('reservations')}?{query}" if query else "reservations")
    return stationviews.back_to_part(found.station, parts.RESERVATIONS, f"#reservation-{found.pk}")
