"""What meters signed, as files; and the keys with which they sign."""

from collections.abc import Iterable, Sequence

from django.contrib import messages as notices
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.models import User
from billing import meterkeys as service
from billing.models import MeterKey
from csms.dashboard import meterkeys, parts, stationviews
from csms.dashboard.access import action, page
from csms.dashboard.exports import stream_csv
from csms.files.signed import signed_file
from stations import selectors

COLUMNS = (
    *("id", "plug", "meter_serial", "curve", "fingerprint", "public_key", "source", "trusted", "registered_by", "created_at"),
    *("retired_at", "note"),
)


@page
def signed_xml(request: HttpRequest, pk: int) -> HttpResponse:
    """What the meter signed of a session, for transparency software."""
    return _signed(pk, "xml")


@page
def signed_text(request: HttpRequest, pk: int) -> HttpResponse:
    """The same as plain text."""
    return _signed(pk, "txt")


def _signed(pk: int, form: str) -> HttpResponse:
    answer = signed_file(get_object_or_404(selectors.transactions(), pk=pk), form)
    if answer is None:
        raise Http404(_("The meter signed nothing of this session."))
    return answer


@action(meterkeys.MAY_CHANGE)
def register_key(request: HttpRequest, identity: str) -> HttpResponse:
    """Register the key of a meter, as it is printed on it."""
    station = stationviews.station_of(identity)
    form = meterkeys.Register(station, request.POST)
    if form.is_valid():
        try:
            service.register(station=station, user=_user(request), **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            notices.success(request, _("The key is registered. The newest sessions are checked with it now."))
            return stationviews.back_to_part(station, parts.METER_KEYS, "#meter-keys")
    return stationviews.render_part(request, station, parts.METER_KEYS, form=form)


@action(meterkeys.MAY_CHANGE)
def change_key(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Vouch for a key that the charger sent, or retire one."""
    station = stationviews.station_of(identity)
    key: MeterKey = get_object_or_404(MeterKey.objects.select_related("station", "evse"), station=station, pk=pk)
    done = service.trust(key=key, user=_user(request)) if request.POST.get("do") == "trust" else service.retire(key=key)
    if not done:
        notices.warning(request, _("Somebody else has done that already."))
    return stationviews.back_to_part(station, parts.METER_KEYS, "#meter-keys")


@page
def export_keys(request: HttpRequest, identity: str) -> HttpResponseBase:
    """The keys of a charger as a file."""
    station = stationviews.station_of(identity)
    rows = MeterKey.objects.filter(station=station).select_related("evse", "registered_by").order_by("-id")

    def chunk(last: MeterKey | None, size: int) -> Sequence[MeterKey]:
        return list((rows if last is None else rows.filter(pk__lt=last.pk))[:size])

    def cells(key: MeterKey) -> Iterable[object]:
        said = (key.pk, key.evse.number if key.evse else None, key.meter_serial, key.curve, key.fingerprint, key.public_key)
        by = str(key.registered_by or "")
        return (*said, key.source, "yes" if key.trusted else "", by, key.created_at, key.retired_at, key.note)

    return stream_csv(request, "meter-keys", COLUMNS, chunk, cells)


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
