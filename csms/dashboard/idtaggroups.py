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
from csms.dashboard.heldform import HeldForm
from stations import locallists
from stations.models import GroupTerms
from stations.services import groupterms

MAY_CHANGE = "tags.change"
SHOWN = 500


class TermsForm(HeldForm):
    """The rules are those of `stations.services.groupterms`."""

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
        known = {"priority": terms.priority, "only_stops": terms.only_stops} if terms else {}
        super().__init__(data, terms=terms, initial=known)
        self.fields["restricted"].label = _("Where its tags charge")

    def fields_of(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {"priority": data["priority"], "only_stops": data["only_stops"], "held": self.held()}


@page
def show_groups(request: HttpRequest) -> HttpResponse:
    """Which groups are there, and what may they do?"""
    found = IdTokenGroup.objects.select_related("terms").annotate(tags=Count("id_tokens")).order_by("name")
    groups = list(found[: SHOWN + 1])
    terms = ((group, getattr(group, "terms", None)) for group in groups[:SHOWN])
    rows = [(group, its, locallists.held_in_words(its) if its else "") for group, its in terms]
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
