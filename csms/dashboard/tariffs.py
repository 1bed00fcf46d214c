"""Tariffs: what charging costs where and for whom, from when on, and what may be done about it."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from django import forms
from django.contrib import messages as notices
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import IdTokenGroup
from billing import catalogue, choosing, retiring, tariffs
from billing.models import Audience, Tariff, TariffAssignment, TariffVersion
from csms.dashboard import audit
from csms.dashboard.access import action, may_add, page
from csms.dashboard.exports import stream_csv
from stations.models import Evse, Site, Station

MAY_CHANGE = "tariffs.change"
HEADER = ("id", "name", "currency", "is_default", "version", "valid_from", "sentence", "applies_at", "retired_at")
#: Chargers offered while one types.
OFFERED = 200


def where(one: TariffAssignment) -> str:
    """Where a tariff applies."""
    if one.evse is not None:
        return _("%(station)s, plug %(number)s") % {"station": one.evse.station.identity, "number": one.evse.number}
    if one.station is not None:
        return one.station.identity
    return one.site.name if one.site is not None else _("The whole network")


def for_whom(one: TariffAssignment) -> str:
    """For whom it does."""
    if one.group is not None:
        return _("Id tags of the group %(group)s") % {"group": one.group.name}
    return str(Audience(one.audience).label)


def places(entry: catalogue.Entry) -> list[str]:
    """Where and for whom, in short."""
    found = [_("Everywhere else")] if entry.tariff.is_default else []
    return found + [where(one) if not one.audience else f"{where(one)} ({for_whom(one)})" for one in entry.assignments]


@page
def show_tariffs(request: HttpRequest) -> HttpResponseBase:
    """What does charging cost, and where?"""
    q = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    retired = request.GET.get("retired") == "1"
    if request.GET.get("format") == "csv":
        return _file(request, q, retired=retired)
    found = catalogue.tariffs(q, most=catalogue.MOST + 1, retired=retired)
    context = {
        "q": q,
        "rows": [(one, places(one)) for one in found[: catalogue.MOST]],
        "more": len(found) > catalogue.MOST,
        "retired": retired,
        "others": catalogue.retired(),
        "has_default": any(one.tariff.is_default for one in found),
        "may_change": may_add(request, MAY_CHANGE),
    }
    return render(request, "dashboard/tariffs.html", context)


def _file(request: HttpRequest, q: str, *, retired: bool) -> HttpResponseBase:
    def chunk(last: catalogue.Entry | None, size: int) -> Sequence[catalogue.Entry]:
        return catalogue.tariffs(q, after=last.tariff if last else None, most=size, retired=retired)

    def cells(row: catalogue.Entry) -> Iterable[object]:
        now, one = row.now, row.tariff
        told = (now.version.number, now.version.valid_from, now.sentence) if now else (None, None, None)
        return (one.pk, one.name, one.currency, "yes" if one.is_default else "no", *told, "; ".join(places(row)), one.retired_at)

    return stream_csv(request, "tariffs", HEADER, chunk, cells)


class AssignForm(forms.Form):
    """A place and people. The rules are those of `billing.tariffs.assign`."""

    site: "forms.ModelChoiceField[Site]" = forms.ModelChoiceField(
        label=gettext_lazy("Site"), required=False, queryset=None, empty_label=gettext_lazy("The whole network")
    )
    station = forms.CharField(
        label=gettext_lazy("Or one charger"), required=False, max_length=48,
        widget=forms.TextInput({"list": "chargers", "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    plug = forms.IntegerField(label=gettext_lazy("Or one plug of it"), required=False, min_value=1, max_value=2**15 - 1)
    audience = forms.ChoiceField(label=gettext_lazy("For"), required=False, choices=Audience.choices)
    group: "forms.ModelChoiceField[IdTokenGroup]" = forms.ModelChoiceField(
        label=gettext_lazy("Group of id tags"), required=False, queryset=None, empty_label=gettext_lazy("none")
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for name, rows in (("site", Site.objects.order_by("name")), ("group", IdTokenGroup.objects.order_by("name"))):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        identity, plug = cleaned["station"].replace("\x00", "").strip(), cleaned["plug"]
        station = Station.objects.filter(identity=identity).first() if identity else None
        if identity and station is None:
            self.add_error("station", _("There is no charger of this name."))
        if plug is not None and not identity:
            self.add_error("station", _("Say of which charger."))
        if identity and cleaned["site"]:
            self.add_error("site", _("Name one place: a site, a charger or a plug."))
        cleaned["station"], cleaned["evse"] = station, None
        if station is not None and plug is not None:
            cleaned["station"], cleaned["evse"] = None, Evse.objects.filter(station=station, number=plug).first()
            if cleaned["evse"] is None:
                self.add_error("plug", _("This charger has no plug of this number."))
        return cleaned

    def wish(self) -> dict[str, Any]:
        """What `assign` takes, of a form that is valid."""
        return {name: self.cleaned_data[name] for name in ("site", "station", "evse", "audience", "group")}

    def refuse(self, error: ValidationError) -> None:
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, errors in error.error_dict.items():
            self.add_error(name if name in self.fields else None, errors)


@page
def show_tariff(request: HttpRequest, pk: int) -> HttpResponse:
    """One tariff: what it says, from when on, and where it applies."""
    return _page(request, pk)


def entry_of(pk: int) -> catalogue.Entry:
    found = catalogue.tariff(pk)
    if found is None:
        raise Http404
    return found


def address(one: TariffAssignment) -> str:
    """The page of where it applies; none of the whole network's."""
    station = one.evse.station if one.evse is not None else one.station
    if station is not None:
        return reverse("station", args=[station.identity])
    return f"{reverse('stations')}?site={one.site_id}" if one.site_id else ""


def _page(request: HttpRequest, pk: int, form: AssignForm | None = None, *, refused: bool = False, **more: Any) -> HttpResponse:
    entry = entry_of(pk)
    may_change = may_add(request, MAY_CHANGE)
    context = {
        "entry": entry,
        "tariff": entry.tariff,
        "places": [(one, where(one), for_whom(one), address(one)) for one in entry.assignments],
        "name": entry.tariff.name,
        "default": Tariff.objects.filter(operator=entry.tariff.operator, is_default=True).first(),
        "may_change": may_change,
        "form": (form or AssignForm()) if may_change and entry.tariff.retired_at is None else None,
        "used": may_change and retiring.used(entry.tariff),
        "chargers": Station.objects.order_by("identity").values_list("identity", flat=True)[:OFFERED] if may_change else [],
    }
    context |= audit.of(request, entry.tariff) | more
    return render(request, "dashboard/tariff.html", context, status=422 if form is not None or refused else 200)


@page
def download_ocpi(request: HttpRequest, pk: int) -> HttpResponse:
    """The version that is valid now, or the one that is asked for, as a file."""
    entry = entry_of(pk)
    number = request.GET.get("version", "")
    found = next((one for one in entry.versions if str(one.version.number) == number), None) if number else entry.now
    if found is None:
        raise Http404
    told = orjson.dumps(choosing.as_ocpi(found.version), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    name = f'attachment; filename="tariff-{pk}-version-{found.version.number}.json"'
    return HttpResponse(told, content_type="application/json", headers={"Content-Disposition": name})


@action(MAY_CHANGE)
def do_tariff(request: HttpRequest, pk: int) -> HttpResponse:
    """Make it the default, take a version back, or have it apply somewhere no more."""
    tariff: Tariff = get_object_or_404(Tariff.objects.select_related("operator"), pk=pk)
    match request.POST.get("do", ""):
        case "default":
            try:
                tariffs.set_default_tariff(tariff=tariff)
            except ValidationError as error:
                notices.error(request, " ".join(error.messages))
            else:
                notices.success(request, _("It applies from now on wherever no other is assigned."))
        case "rename":
            try:
                retiring.rename(tariff=tariff, name=request.POST.get("name", ""))
            except ValidationError as error:
                return _page(request, pk, name=request.POST.get("name", ""), name_errors=error.messages, refused=True)
            notices.success(request, _("It is called %(name)s now. What was issued keeps what it says.") % {"name": tariff.name})
        case "remove":
            return _remove(request, tariff)
        case "bring_back":
            retiring.bring_back(tariff=tariff)
            notices.success(request, _("It can be assigned again."))
        case "withdraw":
            _withdraw(request, tariff)
        case "unassign":
            known = TariffAssignment.objects.filter(tariff=tariff, pk=_number(request.POST.get("assignment", ""))).first()
            if known is not None:
                tariffs.unassign(assignment=known)
            notices.success(request, _("It does not apply there any more."))
        case _:
            notices.error(request, _("A tariff can be made the default, assigned, or changed by a new version."))
    return redirect("tariff", pk)


def _remove(request: HttpRequest, tariff: Tariff) -> HttpResponse:
    name = tariff.name
    try:
        kept = retiring.remove(tariff=tariff)
    except ValidationError as error:
        return _page(request, tariff.pk, remove_errors=error.messages, refused=True)
    if kept:
        notices.success(request, _("The tariff %(name)s is retired. Records and what-if still have it.") % {"name": name})
        return redirect("tariff", tariff.pk)
    notices.success(request, _("The tariff %(name)s is deleted.") % {"name": name})
    return redirect("tariffs")


def _withdraw(request: HttpRequest, tariff: Tariff) -> None:
    version = TariffVersion.objects.filter(tariff=tariff, pk=_number(request.POST.get("version", ""))).first()
    if version is not None and not tariffs.withdraw_version(version=version):
        notices.error(request, _("It is valid, or has been: what applied stays applied. Add a new version instead."))
        return
    notices.success(request, _("The version is taken back."))


@action(MAY_CHANGE)
def assign_tariff(request: HttpRequest, pk: int) -> HttpResponse:
    """Have it apply somewhere. Where another does for the same people, that is told first."""
    tariff: Tariff = get_object_or_404(Tariff.objects.select_related("operator"), pk=pk)
    form = AssignForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, form)
    wish = form.wish()
    other = catalogue.there(of=TariffAssignment(operator=tariff.operator, tariff=tariff, **wish))
    if other is not None and request.POST.get("replace") != "yes":
        return _page(request, pk, form, other=other.tariff)
    try:
        made = tariffs.assign(tariff=tariff, **wish)
    except ValidationError as error:
        form.refuse(error)
        return _page(request, pk, form)
    told = {"where": where(made), "whom": for_whom(made), "other": other.tariff.name if other else ""}
    instead = _("It applies now instead of %(other)s: %(where)s – %(whom)s.")
    notices.success(request, (_("It applies now: %(where)s – %(whom)s.") if other is None else instead) % told)
    return redirect(reverse("tariff", args=[pk]) + "#places")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
