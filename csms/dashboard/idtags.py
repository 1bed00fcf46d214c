"""Id tags: the list with its filters, adding, changing, blocking with one click and undoing it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.imports import all_columns
from accounts.models import IdToken, IdTokenGroup, IdTokenStatus, IdTokenType
from accounts.services import add_id_token, change_id_token
from csms.dashboard import audit, savedviews
from csms.dashboard.access import action, may_add, needs, operator_of, page
from csms.dashboard.exports import stream_csv
from csms.dashboard.heldform import NAMES, HeldForm
from stations.heldnames import Texts
from stations.models import Transaction
from stations.services import groupterms

PAGE = 50
MAY_CHANGE = "tags.change"
STATUSES = [
    (IdTokenStatus.ACCEPTED.value, gettext_lazy("Accepted")),
    (IdTokenStatus.BLOCKED.value, gettext_lazy("Blocked")),
]


class IdTagFilters(forms.Form):
    """What the list can be narrowed by."""

    q = forms.CharField(label=gettext_lazy("Number or note"), required=False, max_length=255)
    status = forms.ChoiceField(label=gettext_lazy("Status"), required=False, choices=[("", gettext_lazy("All")), *STATUSES])
    group = forms.CharField(label=gettext_lazy("Group"), required=False, max_length=20)

    def rows(self) -> QuerySet[IdToken]:
        found = IdToken.objects.select_related("group", "terms").order_by("key", "pk")
        if not self.is_valid():
            return found.none()
        wanted = self.cleaned_data
        if wanted["q"]:
            in_words = Q(note__icontains=wanted["q"]) | Q(blocked_because__icontains=wanted["q"])
            found = found.filter(Q(key__contains=wanted["q"].upper()) | in_words)
        if wanted["status"]:
            found = found.filter(status=wanted["status"])
        if wanted["group"]:
            found = found.filter(group__name__iexact=wanted["group"])
        return found

    def query(self, **more: str) -> str:
        return urlencode({name: value for name in self.fields if (value := self.data.get(name))} | more)


class IdTagForm(HeldForm):
    """One id tag, and what it is held to. The rules are those of the services; their errors are put to the fields."""

    field_order = ("value", "type", "status", "blocked_because", "expires_at", "group", "note", *NAMES)

    value = forms.CharField(label=gettext_lazy("Number"), max_length=255, help_text=gettext_lazy("As the card reader tells it."))
    type = forms.ChoiceField(label=gettext_lazy("Type"), choices=IdTokenType.choices, initial=IdTokenType.ISO14443)
    status = forms.ChoiceField(label=gettext_lazy("Status"), choices=STATUSES, initial=IdTokenStatus.ACCEPTED)
    blocked_because = forms.CharField(
        label=gettext_lazy("Why it is blocked"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Only for one that is blocked."),
    )
    expires_at = forms.DateTimeField(
        label=gettext_lazy("Valid until"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("Empty: for ever."),
    )
    group = forms.CharField(
        label=gettext_lazy("Group"),
        required=False,
        max_length=20,
        help_text=gettext_lazy("Tags of one group may stop each other's sessions. A new name makes a new group."),
        widget=forms.TextInput({"list": "groups"}),
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=200)

    def own(self, said: dict[str, Any]) -> dict[str, Any]:
        """Without what the tag is held to."""
        return {name: value for name, value in said.items() if name not in NAMES}


@page
def show_id_tags(request: HttpRequest) -> HttpResponse:
    """Who may charge?"""
    form = IdTagFilters(request.GET)
    rows = form.rows()
    after = request.GET.get("after", "")
    if after:
        rows = _after(rows, *_cursor(after))
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    used = _last_use(shown)
    context = {
        "form": form,
        "views": savedviews.of(request, "id_tags", form.query()),
        "tags": [(tag, used.get(tag.pk)) for tag in shown],
        "filtered": bool(form.query()),
        "first": form.query() if after else None,
        "more": form.query(after=f"{shown[-1].pk}_{shown[-1].key}") if len(found) > PAGE else "",
        "export": form.query(),
        "may_change": may_add(request, MAY_CHANGE),
        "undo": _undo(request),
        "now": timezone.now(),
    }
    return render(request, "dashboard/id_tags.html", context)


@page
def export_id_tags(request: HttpRequest) -> HttpResponseBase:
    """The filtered list as a file that can be imported again."""
    rows, texts = IdTagFilters(request.GET).rows(), Texts()

    def chunk(last: IdToken | None, size: int) -> Sequence[IdToken]:
        return list((rows if last is None else _after(rows, last.pk, last.key))[:size])

    def cells(tag: IdToken) -> Iterable[object]:
        group = tag.group.name if tag.group else ""
        return tag.value, tag.type, group, tag.status, tag.expires_at, tag.note, *texts.of(getattr(tag, "terms", None))

    return stream_csv(request, "id-tags", all_columns(), chunk, cells)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def add_id_tag(request: HttpRequest) -> HttpResponse:
    operator = operator_of(request)
    # A tag that was held to a reader comes with its number.
    caught = {name: value for name in ("value", "type") if (value := request.GET.get(name))}
    form = IdTagForm(request.POST if request.method == "POST" else None, initial=caught)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                tag = add_id_token(operator=operator, **form.own(form.cleaned_data))
                groupterms.hold(token=tag, held=form.held())
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The id tag %(tag)s is added.") % {"tag": tag.value})
            return redirect("id_tags")
    return _form(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def change_id_tag(request: HttpRequest, pk: int) -> HttpResponse:
    tag: IdToken = get_object_or_404(IdToken.objects.select_related("group", "terms"), pk=pk)
    known = {name: getattr(tag, name) for name in ("value", "type", "status", "blocked_because", "expires_at", "note")}
    if tag.expires_at:
        # The form knows minutes only: what was not touched stays to the second.
        known["expires_at"] = tag.expires_at.replace(second=0, microsecond=0)
    form = IdTagForm(
        request.POST if request.method == "POST" else None,
        terms=getattr(tag, "terms", None),
        initial=known | {"group": tag.group.name if tag.group else ""},
    )
    if request.method == "POST" and form.is_valid():
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        try:
            with transaction.atomic():
                tag = change_id_token(token=tag, **form.own(changes))
                if changes.keys() & set(NAMES):
                    groupterms.hold(token=tag, held=form.held())
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The id tag %(tag)s is changed.") % {"tag": tag.value})
            return redirect("id_tags")
    return _form(request, form, tag)


@action(MAY_CHANGE)
def set_id_tag_status(request: HttpRequest, pk: int) -> HttpResponse:
    """Block or unblock, with one click; the list then offers to say why, or to undo it."""
    tag = get_object_or_404(IdToken, pk=pk)
    status = request.POST.get("status", "")
    if status not in IdTokenStatus.values:
        messages.error(request, _("A tag is accepted or blocked, and nothing else."))
    else:
        try:
            change_id_token(token=tag, status=status, blocked_because=request.POST.get("because", "").replace("\x00", ""))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        request.session["id_tag_changed"] = tag.pk
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else "id_tags")


def _undo(request: HttpRequest) -> IdToken | None:
    """The tag that was blocked or unblocked a moment ago."""
    pk = request.session.pop("id_tag_changed", None)
    return IdToken.objects.filter(pk=pk).first() if pk else None


def _form(request: HttpRequest, form: IdTagForm, tag: IdToken | None) -> HttpResponse:
    groups = IdTokenGroup.objects.values_list("name", flat=True)[:200]
    status = 422 if form.errors else 200
    context = {"form": form, "tag": tag, "groups": groups} | (audit.of(request, tag) if tag else {})
    return render(request, "dashboard/id_tag.html", context, status=status)


def _last_use(tags: Sequence[IdToken]) -> dict[int, datetime]:
    """When a session of each was told of last: one row of an index each, however often it was used."""
    newest = Transaction.objects.filter(id_token=OuterRef("pk")).order_by("-id").values("started_at")[:1]
    found = IdToken.objects.filter(pk__in=[tag.pk for tag in tags]).order_by().annotate(last_use=Subquery(newest))
    return {pk: at for pk, at in found.values_list("pk", "last_use") if at is not None}


def _after(rows: QuerySet[IdToken], pk: int, key: str) -> QuerySet[IdToken]:
    return rows.filter(Q(key__gte=key) & (Q(key__gt=key) | Q(pk__gt=pk)))


def _cursor(text: str) -> tuple[int, str]:
    pk, _sep, key = text.partition("_")
    number = int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 19 else 0
    return number, key.replace("\x00", "")
