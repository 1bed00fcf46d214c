"""What one may do about customers at a charger, and the list of it as a file."""

from collections.abc import Iterable, Sequence

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from accounts.models import User
from csms.dashboard import exports, parts, stationviews
from csms.dashboard.access import action, needs
from csms.dashboard.customers import MAY, CustomerForm, customers_of
from csms.dashboard.words import in_words
from stations.domain.commands import BadCommand
from stations.models import Report
from stations.services import commands, customerinformation

HEADER = ("command", "about", "status", "pages", "detail", "text", "asked_at", "ended_at")


@action(MAY)
def ask_customer(request: HttpRequest, identity: str) -> HttpResponse:
    """Ask a charger what it keeps of a customer, or to delete it."""
    station = stationviews.station_of(identity)
    form = CustomerForm(request.POST)
    if not form.is_valid():
        return stationviews.render_part(request, station, parts.CUSTOMER, form=form)
    try:
        user = request.user if isinstance(request.user, User) else None
        commands.issue(station=station, command=form.command(), user=user)
    except BadCommand as error:
        return stationviews.render_part(request, station, parts.CUSTOMER, form=form, problem=in_words(error))
    return stationviews.back_to_part(station, parts.CUSTOMER, "#customers")


@action(MAY)
def delete_customer(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Forget what came, before its term."""
    station = stationviews.station_of(identity)
    customerinformation.delete(report=get_object_or_404(customers_of(station), pk=pk))
    return stationviews.back_to_part(station, parts.CUSTOMER, "#customers")


@require_safe
@needs(MAY)
def export_customers(request: HttpRequest, identity: str) -> HttpResponseBase:
    station = stationviews.station_of(identity)

    def chunk(last: Report | None, size: int) -> Sequence[Report]:
        found = customers_of(station)
        return list((found if last is None else found.filter(pk__lt=last.pk))[:size])

    def cells(one: Report) -> Iterable[object]:
        about = ", ".join(f"{name}: {value}" for name, value in one.about.items() if value is not None)
        pages = sum(last - first + 1 for first, last in one.pages)
        text = customerinformation.text_of(one)
        return one.pk, about, one.status, pages, one.detail, text, one.created_at, one.finished_at

    return exports.stream_csv(request, f"customers-{slugify(station.identity) or 'charger'}", HEADER, chunk, cells)
