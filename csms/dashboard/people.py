"""People: who works for the network, with which role, who is invited, and who may come in no more. For owners."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts import people
from accounts.models import Invitation, Role, User
from accounts.selectors import staff_of
from csms.dashboard.access import action, needs, operator_of
from csms.dashboard.exports import stream_csv
from csms.people.links import invitation_link, mail_invitation, password_link

VERB = "people.change"
PAGE = 50
#: Where the session keeps a link until the next page shows it, once.
FRESH = "people_link"
COLUMNS = ("email", "name", "role", "active", "second_factor", "last_login", "created_at")
STATES = [("", gettext_lazy("All")), ("on", gettext_lazy("Active")), ("off", gettext_lazy("Switched off"))]


class PeopleFilters(forms.Form):
    """What the list can be narrowed by."""

    q = forms.CharField(label=gettext_lazy("Name or e-mail"), required=False, max_length=254)
    role = forms.ChoiceField(label=gettext_lazy("Role"), required=False, choices=[("", gettext_lazy("All")), *Role.choices])
    state = forms.ChoiceField(label=gettext_lazy("State"), required=False, choices=STATES)

    def rows(self, user: Any) -> QuerySet[User]:
        found = staff_of(user.operator).order_by("email")
        if not self.is_valid():
            return found.none()
        wanted = self.cleaned_data
        if wanted["q"]:
            found = found.filter(Q(email__icontains=wanted["q"]) | Q(name__icontains=wanted["q"]))
        if wanted["role"]:
            found = found.filter(role=wanted["role"])
        if wanted["state"]:
            found = found.filter(is_active=wanted["state"] == "on")
        return found

    def query(self, **more: str) -> str:
        return urlencode({name: value for name in self.fields if (value := self.data.get(name))} | more)


class InvitationForm(forms.Form):
    email = forms.CharField(
        label=gettext_lazy("E-mail"), max_length=254, widget=forms.EmailInput({"autocomplete": "off"}), strip=True
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices, initial=Role.VIEWER)


@require_safe
@needs(VERB)
def show_people(request: HttpRequest) -> HttpResponse:
    """Who works here?"""
    return _list(request, InvitationForm(auto_id="invite_%s"))


@require_safe
@needs(VERB)
def export_people(request: HttpRequest) -> HttpResponseBase:
    rows = PeopleFilters(request.GET).rows(request.user)

    def chunk(last: User | None, size: int) -> Sequence[User]:
        return list((rows if last is None else rows.filter(email__gt=last.email))[:size])

    def cells(person: User) -> Iterable[object]:
        second: bool = person.second_factor  # type: ignore[attr-defined]  # annotated by staff_of
        return person.email, person.name, person.role, person.is_active, second, person.last_login, person.created_at

    return stream_csv(request, "people", COLUMNS, chunk, cells)


@action(VERB)
def invite(request: HttpRequest) -> HttpResponse:
    form = InvitationForm(request.POST, auto_id="invite_%s")
    if form.is_valid():
        try:
            invitation, token = people.invite(operator=operator_of(request), by=_me(request), **form.cleaned_data)
        except ValidationError as error:
            for name, errors in error.error_dict.items():
                form.add_error(name, errors)
        else:
            return _show_link(request, invitation, token)
    return _list(request, form, status=422)


@action(VERB)
def renew_invitation(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, pk=pk)
    try:
        token = people.renew_invitation(invitation=invitation)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("people")
    return _show_link(request, invitation, token)


@action(VERB)
def remove_invitation(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, pk=pk)
    try:
        people.remove_invitation(invitation=invitation)
        messages.success(request, _("The invitation of %(email)s is taken back.") % {"email": invitation.email})
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("people")


@require_safe
@needs(VERB)
def show_person(request: HttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(staff_of(_me(request).operator), pk=pk)
    context = {"person": person, "fresh": _fresh(request), "roles": Role.choices, "is_me": person.pk == request.user.pk}
    return render(request, "dashboard/person.html", context)


@action(VERB)
def change_person(request: HttpRequest, pk: int) -> HttpResponse:
    """One of the buttons of a person's page, as `do` says."""
    person = get_object_or_404(staff_of(_me(request).operator), pk=pk)
    by, do = _me(request), request.POST.get("do", "")
    names = {"email": person.email}
    try:
        match do:
            case "role":
                people.change_person(person=person, by=by, role=request.POST.get("role", ""))
                said = _("The role of %(email)s is changed.") % names
            case "off" | "on":
                people.change_person(person=person, by=by, active=do == "on")
                said = (
                    _("%(email)s may come in again.") if do == "on" else _("%(email)s is switched off, and logged out.")
                ) % names
            case "second-factor":
                people.reset_second_factor(person=person, by=by)
                said = _("%(email)s logs in by the password alone now.") % names
            case "password":
                people.note_password_link(person=person, by=by)
                request.session[FRESH] = {"email": person.email, "link": password_link(request, person), "kind": "password"}
                return redirect("person", pk)
            case _:
                raise ValidationError(_("There is no such button here."))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, said)
    if do == "role" and by.pk == pk:
        return redirect("account")  # whoever is no owner any more may not see the person's page
    return redirect("person", pk)


def _list(request: HttpRequest, invitation: InvitationForm, status: int = 200) -> HttpResponse:
    form = PeopleFilters(request.GET)
    rows = form.rows(request.user)
    after = request.GET.get("after", "").replace("\x00", "")
    found = list((rows.filter(email__gt=after) if after else rows)[: PAGE + 1])
    context = {
        "form": form,
        "people": found[:PAGE],
        "filtered": bool(form.query()),
        "export": form.query(),
        "first": form.query() if after else None,
        "more": form.query(after=found[PAGE - 1].email) if len(found) > PAGE else "",
        "invitation_form": invitation,
        "invitations": list(Invitation.objects.select_related("invited_by")),  # people.MOST_INVITATIONS at most
        "fresh": _fresh(request),
        "now": timezone.now(),
    }
    return render(request, "dashboard/people.html", context, status=status)


def _show_link(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    link = invitation_link(request, token)
    mailed = mail_invitation(request, invitation, link)
    request.session[FRESH] = {"email": invitation.email, "link": link, "mailed": mailed, "kind": "invitation"}
    return redirect("people")


def _fresh(request: HttpRequest) -> dict[str, Any] | None:
    fresh: dict[str, Any] | None = request.session.pop(FRESH, None)
    return fresh


def _me(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # `needs` lets nobody anonymous in
    return request.user
