"""Groups of id tags: where their tags charge, how early they get power, whether they only stop."""

from typing import Any

from django import forms
from django.contrib import messages as notices
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.models import IdTokenGroup
from csms.dashboard import audit
from csms.dashboard.access import may_add, needs, page
from csms.dashboard.serviceforms import ServiceForm
from stations import locallists
from stations.domain.places import Places
from stations.models import GroupTerms, Site, Station
from stations.services import groupterms

MAY_CHANGE = "tags.change"
SHOWN, SITES = 500, 500


class TermsForm(ServiceForm):
    """The rules are those of `stations.services.groupterms`."""

    restricted = forms.ChoiceField(
        label=gettext_lazy("Where its tags charge"),
        choices=[("", gettext_lazy("Everywhere in the network")), ("yes", gettext_lazy("Only at the places below"))],
        required=False,
    )
    sites = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Sites"),
        coerce=int,
        required=False,
        widget=forms.SelectMultiple({"size": 5}),
        help_text=gettext_lazy("With all their chargers; choose several with Ctrl or Cmd."),
    )
    places = forms.CharField(
        label=gettext_lazy("Chargers and plugs"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea({"rows": 4}),
        help_text=gettext_lazy("One a line: a charger's identity, or with a slash the number of one plug, such as HARBOUR-1/2."),
    )
    priority = forms.IntegerField(
        label=gettext_lazy("Charging priority"),
        required=False,
        min_value=-9,
        max_value=9,
        help_text=gettext_lazy("From -9 (last) to 9 (first), told to OCPP 2.0.1 chargers. Empty: none is told."),
    )
    only_stops = forms.BooleanField(
        label=gettext_lazy("Its tags only stop sessions (master pass)"),
        required=False,
        help_text=gettext_lazy("They start none. Name the same group in the chargers' setting MasterPassGroupId."),
    )

    def __init__(self, terms: GroupTerms | None, data: Any = None) -> None:
        places = Places.read(terms.places) if terms and terms.places is not None else None
        initial: dict[str, Any] = {"restricted": "yes" if places else ""}
        if terms is not None:
            initial |= {"priority": terms.priority, "only_stops": terms.only_stops}
        if places is not None:
            initial |= {"sites": sorted(places.sites), "places": "\n".join(locallists.single_places(places))}
        super().__init__(data, initial=initial)
        sites = self.fields["sites"]
        assert isinstance(sites, forms.ChoiceField)
        named = Site.objects.order_by("name").values_list("pk", "name")
        chosen = named.filter(pk__in=places.sites) if places else named.none()
        sites.choices = sorted({*named[:SITES], *chosen}, key=lambda site: str(site[1]))

    def clean_places(self) -> list[tuple[Station, int | None]]:
        lines = list(dict.fromkeys(line.strip() for line in self.cleaned_data["places"].splitlines() if line.strip()))
        whole = dict(Station.objects.filter(identity__in=lines).in_bulk(field_name="identity")) if lines else {}
        parts = {line: line.rpartition("/") for line in lines if line not in whole}
        found = Station.objects.filter(identity__in=[before for before, _slash, _number in parts.values()])
        single = {station.identity: station for station in found} if parts else {}
        places: list[tuple[Station, int | None]] = [(station, None) for station in whole.values()]
        for line, (identity, _slash, number) in parts.items():
            known = single.get(identity)
            if known is None or not number.isascii() or not number.isdigit() or not 1 <= int(number[:4]) <= 255:
                raise ValidationError(_("There is no charger or plug %(line)s.") % {"line": line[:60]})
            places.append((known, int(number)))
        return places

    def fields_of(self) -> dict[str, Any]:
        data = self.cleaned_data
        restricted = data["restricted"] == "yes"
        fields: dict[str, Any] = {"restricted": restricted, "priority": data["priority"], "only_stops": data["only_stops"]}
        if restricted:
            fields["sites"] = list(Site.objects.filter(pk__in=data["sites"]))
            fields["stations"] = [station for station, number in data["places"] if number is None]
            fields["evses"] = [(station, number) for station, number in data["places"] if number is not None]
        return fields


@page
def show_groups(request: HttpRequest) -> HttpResponse:
    """Which groups are there, and what may they do?"""
    found = IdTokenGroup.objects.select_related("terms").annotate(tags=Count("id_tokens")).order_by("name")
    groups = list(found[: SHOWN + 1])
    terms = ((group, getattr(group, "terms", None)) for group in groups[:SHOWN])
    rows = [(group, its, locallists.places_in_words(its) if its else "") for group, its in terms]
    context = {"rows": rows, "more": len(groups) > SHOWN, "may_change": may_add(request, MAY_CHANGE)}
    return render(request, "dashboard/id_tag_groups.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def change_group(request: HttpRequest, pk: int) -> HttpResponse:
    group: IdTokenGroup = get_object_or_404(IdTokenGroup.objects.select_related("terms"), pk=pk)
    form = TermsForm(getattr(group, "terms", None), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            groupterms.set_terms(group=group, **form.fields_of())
        except ValidationError as error:
            form.refuse(error)
        else:
            notices.success(request, _("What the group %(group)s may do is kept.") % {"group": group.name})
            return redirect("id_tag_groups")
    context = {"form": form, "group": group} | audit.of(request, group)
    return render(request, "dashboard/id_tag_group.html", context, status=422 if form.errors else 200)
