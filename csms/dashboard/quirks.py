"""Quirks: what is odd about makes of chargers and what is done about it; a frame to try; and how strict one charger is held."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.contrib import messages as notices
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from csms.dashboard import quirkform
from csms.dashboard.access import action, may_add, needs, operator_of, page
from csms.dashboard.exports import stream_csv
from csms.dashboard.quirkform import QuirkForm
from csms.ocpp import frames
from csms.ocpp.quirks import REGISTRY, Adjustment
from csms.ocpp.registry import PROTOCOLS
from csms.ocpp.tryout import LONGEST, Tried, tried
from stations import quirks as reads
from stations.models import Quirk, Station
from stations.services import quirks, registry
from stations.state import quirks_of

MAY_CHANGE = "quirks.change"
HEADER = (
    *("id", "shipped", "name", "vendor", "model", "firmware_from", "firmware_to", "protocol", "adjustments", "source", "active"),
    "stations",
)


@dataclass(frozen=True, slots=True)
class Done:
    """An adjustment of a quirk, in words."""

    known: Adjustment
    given: list[tuple[Any, str]]


def in_words(quirk: Quirk) -> list[Done]:
    """What is done about it. What only another release knows is left out."""
    found = []
    for one in quirk.adjustments:
        known = REGISTRY.get(one.get("do", ""))
        if known is not None:
            given = [(p.words, _shown(one[p.name])) for p in known.parameters if p.name in one]
            found.append(Done(known, given))
    return found


def _shown(value: Any) -> str:
    if value is True:
        return _("yes")
    return ", ".join(value) if isinstance(value, list) else str(value)


def about(quirk: Quirk) -> str:
    """For whom, in a line."""
    parts = [part for part in (quirk.vendor, quirk.model) if part]
    if quirk.firmware_from and quirk.firmware_from == quirk.firmware_to:
        parts.append(quirk.firmware_from)
    elif quirk.firmware_from or quirk.firmware_to:
        parts.append(f"{quirk.firmware_from or '…'} – {quirk.firmware_to or '…'}")
    if quirk.protocol:
        parts.append(f"OCPP {quirk.protocol.removeprefix('ocpp')}")
    return " · ".join(parts)


@page
def show_quirks(request: HttpRequest) -> HttpResponseBase:
    """What is odd about which chargers, and is it looked after?"""
    found = reads.rows()
    if request.GET.get("format") == "csv":
        return _file(request, found)
    q = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    words = q.casefold().split()
    shown = [row for row in found if all(word in f"{row.quirk.name} {about(row.quirk)}".casefold() for word in words)]
    rows = [(row, about(row.quirk), in_words(row.quirk)) for row in shown]
    context = {
        "q": q,
        "own": [one for one in rows if not one[0].shipped],
        "shipped": [one for one in rows if one[0].shipped],
        "may_change": may_add(request, MAY_CHANGE),
    }
    return render(request, "dashboard/quirks.html", context)


def _file(request: HttpRequest, found: list[reads.Row]) -> HttpResponseBase:
    def chunk(last: reads.Row | None, size: int) -> Sequence[reads.Row]:
        return found if last is None else []

    def cells(row: reads.Row) -> Iterable[object]:
        one = row.quirk
        done = orjson.dumps(one.adjustments).decode()
        named = (one.name, one.vendor, one.model, one.firmware_from, one.firmware_to, one.protocol)
        return (one.pk, row.shipped, *named, done, one.source, row.active, row.stations)

    return stream_csv(request, "quirks", HEADER, chunk, cells)


@page
def show_quirk(request: HttpRequest, pk: int) -> HttpResponse:
    """One quirk, the chargers it is about, and what it makes of its frame."""
    row = reads.row(pk)
    quirk = row.quirk
    protocol = quirk.protocol or _protocol_of(quirk.frame)
    context = {
        "row": row,
        "quirk": quirk,
        "about": about(quirk),
        "done": in_words(quirk),
        "stations": reads.stations(quirk),
        "protocol": protocol,
        "tried": _tried(quirk.frame, protocol, _as_state(quirk)) if quirk.frame else None,
        "may_change": may_add(request, MAY_CHANGE),
    }
    return render(request, "dashboard/quirk.html", context)


def _protocol_of(frame: str) -> str:
    """The version whose words a frame has, as far as one can tell by its action's name."""
    try:
        call = frames.parse(frame)
    except frames.FrameError:
        return PROTOCOLS[-1]
    only_new = {"TransactionEvent", "NotifyEvent", "NotifyReport", "SetVariables", "GetVariables"}
    return PROTOCOLS[0] if isinstance(call, frames.Call) and call.action in only_new else PROTOCOLS[-1]


def _as_state(quirk: Quirk) -> str:
    return orjson.dumps([[quirk.protocol, quirk.name, quirk.adjustments]]).decode()


def _tried(frame: str, protocol: str, odd: str, zone: str = "UTC", *, strict: bool = False) -> Tried:
    return tried(frame[:LONGEST], protocol, odd, zone, strict=strict)


@page
def try_frame(request: HttpRequest) -> HttpResponse:
    """What becomes of a frame: of a charger of ours with its quirks, or of any."""
    frame = request.GET.get("frame", "").strip()[:LONGEST]
    identity = request.GET.get("station", "").replace("\x00", "").strip()[:48]
    protocol = request.GET.get("protocol", "")
    station = Station.objects.select_related("site", "connection").filter(identity=identity).first() if identity else None
    odd, zone = "", "UTC"
    if station is not None:
        odd, zone = _odd(station), station.site.time_zone if station.site else "UTC"
        protocol = protocol or station.connection.protocol
    protocol = protocol if protocol in PROTOCOLS else _protocol_of(frame)
    context = {
        "frame": frame,
        "identity": identity,
        "unknown": bool(identity) and station is None,
        "protocol": protocol,
        "protocols": [(one, f"OCPP {one.removeprefix('ocpp')}") for one in PROTOCOLS],
        "tried": _tried(frame, protocol, odd, zone, strict=bool(station and station.strict)) if frame else None,
        "longest": LONGEST,
    }
    return render(request, "dashboard/quirk_try.html", context)


def _odd(station: Station) -> str:
    """As its state would have it."""
    make = reads.Make(station.vendor, station.model, station.firmware_version)
    on = [row.quirk for row in reversed(reads.rows()) if row.active]
    fields = ("vendor", "model", "firmware_from", "firmware_to", "protocol", "name", "adjustments")
    return quirks_of(make, [[getattr(one, name) for name in fields] for one in on])


# What one may do


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def add_quirk(request: HttpRequest) -> HttpResponse:
    """A new one, from scratch, as a copy of another, or about the make of a charger."""
    operator = operator_of(request)
    copied = _copied(request)
    known, done = ({}, []) if copied is None else (quirkform.initial(copied), copied.adjustments)
    if copied is None and (identity := request.GET.get("station", "")):
        station = get_object_or_404(Station, identity=identity.replace("\x00", ""))
        known = {"vendor": station.vendor, "model": station.model}
    form = QuirkForm(request.POST if request.method == "POST" else None, initial=known)
    if request.method == "POST":
        done = quirkform.ticked(request.POST)
        if form.is_valid() and request.POST.get("do") != "preview":
            try:
                quirk = quirks.add(operator=operator, adjustments=done, **form.cleaned_data)
                if copied is not None and copied.operator_id is None:
                    quirks.switch(operator=operator, quirk=copied, active=False)
            except ValidationError as error:
                form.refuse(error)
            else:
                notices.success(request, _("The quirk is looked after from now on."))
                return redirect("quirk", quirk.pk)
    return _form(request, form, done, copied=copied)


def _copied(request: HttpRequest) -> Quirk | None:
    text = request.GET.get("copy", "")
    return reads.row(int(text)).quirk if text.isascii() and text.isdigit() and len(text) < 19 else None


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def change_quirk(request: HttpRequest, pk: int) -> HttpResponse:
    quirk: Quirk = get_object_or_404(Quirk.objects.exclude(operator=None).select_related("operator"), pk=pk)
    form = QuirkForm(request.POST if request.method == "POST" else None, initial=quirkform.initial(quirk))
    done = quirk.adjustments
    if request.method == "POST":
        done = quirkform.ticked(request.POST)
        if form.is_valid() and request.POST.get("do") != "preview":
            try:
                quirks.change(quirk=quirk, adjustments=done, **form.cleaned_data)
            except ValidationError as error:
                form.refuse(error)
            else:
                notices.success(request, _("The quirk is changed."))
                return redirect("quirk", pk)
    return _form(request, form, done, quirk=quirk)


def _form(request: HttpRequest, form: QuirkForm, done: list[dict[str, Any]], **more: Any) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "groups": quirkform.groups(done)} | more
    if request.POST.get("do") == "preview" and form.is_valid():
        try:
            quirk = quirks.checked(adjustments=done, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            protocol = quirk.protocol or _protocol_of(quirk.frame)
            context |= {
                "preview": quirk,
                "matches": reads.matching(quirk, reads.makes()),
                "stations": reads.stations(quirk),
                "tried": _tried(quirk.frame, protocol, _as_state(quirk)) if quirk.frame else None,
            }
    return render(request, "dashboard/quirk_form.html", context, status=422 if form.errors else 200)


@action(MAY_CHANGE)
def do_quirk(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch it on or off in one's own network, or remove one's own."""
    operator, quirk = operator_of(request), reads.row(pk).quirk
    try:
        match request.POST.get("do", ""):
            case "on" | "off" as which:
                quirks.switch(operator=operator, quirk=quirk, active=which == "on")
                told = _("%(quirk)s: looked after.") if which == "on" else _("%(quirk)s: not looked after any more.")
                notices.success(request, told % {"quirk": quirk.name})
            case "remove":
                quirks.remove(quirk=quirk)
                notices.success(request, _("The quirk is removed: %(quirk)s") % {"quirk": quirk.name})
                return redirect("quirks")
            case _:
                notices.error(request, _("A quirk can be switched on or off, or removed if it is your own."))
    except ValidationError as error:
        notices.error(request, " ".join(error.messages))
    return redirect("quirk", pk)


@action("stations.change")
def set_strict(request: HttpRequest, identity: str) -> HttpResponse:
    """Refuse what breaks the schema from this charger, or mend it."""
    station: Station = get_object_or_404(Station.objects.select_related("operator"), identity=identity)
    strict = request.POST.get("strict") == "yes"
    registry.set_strict(station=station, strict=strict)
    told = _("From its next message on, what breaks OCPP's rules is refused.") if strict else _("What can be understood is mended.")
    notices.success(request, told)
    return redirect(reverse("station", args=[station.identity]) + "#strict")
