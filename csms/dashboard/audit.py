"""Who changed what: all changes of a network as a page and a file, and those of one thing for its page."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import orjson
from django import forms
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django_scopes import scope

from accounts.history import SCAN, Asked, History
from accounts.models import AuditEntry, IdToken, IdTokenGroup, Kind, User
from accounts.permissions import may
from billing.models import Tariff
from csms.dashboard import auditwords
from csms.dashboard.access import needs
from csms.dashboard.days import begins, ends
from csms.dashboard.exports import stream_csv
from stations.models import Station

PAGE = 50
#: On the page of a thing.
SHOWN = 10
PEOPLE_SHOWN = 200
MAY_VIEW = "audit.view"
COLUMNS = ("at", "by", "via", "action", "kind", "key", "thing", "before", "after", "note")


class AuditFilters(forms.Form):
    """What the list can be narrowed by."""

    q = forms.CharField(label=gettext_lazy("Text"), required=False, max_length=100)
    person = forms.CharField(
        label=gettext_lazy("Who"), required=False, max_length=254, widget=forms.TextInput({"list": "people", "autocomplete": "off"})
    )
    action = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Of what kind"), required=False)
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(label=gettext_lazy("To"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    thing = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        everything = ("", _("All"))
        actions = [(name, str(auditwords.sentence(name, _("Somebody"), "…"))) for name in auditwords.ACTIONS]
        self._choose("action", [everything, *sorted(actions, key=lambda one: one[1])])
        kinds = [(name, str(word)) for name, word in auditwords.KINDS.items()]
        self._choose("kind", [everything, *sorted(kinds, key=lambda one: one[1])])

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        """What is recorded without a word of ours can be asked for all the same."""
        field, given = self.fields[name], self.data.get(name, "").replace("\x00", "")[:60]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices if given in dict(choices) else [*choices, (given, given)]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("This day is before the first one: exchange the two."))
        return cleaned

    def asked(self) -> Asked:
        """Of a form that is valid."""
        given = self.cleaned_data
        return Asked(
            person=given["person"],
            action=given["action"],
            kind=given["kind"],
            thing=given["thing"],
            text=given["q"],
            since=begins(given["since"]),
            until=ends(given["until"]),
        )

    def query(self, **more: object) -> str:
        """The filters as they stand in an address."""
        return urlencode({name: value for name in self.fields if (value := self.data.get(name))} | more)


def _history(request: HttpRequest, asked: Asked) -> History:
    return History(asked, everything=getattr(request.user, "operator_id", None) is None)


@require_safe
@needs(MAY_VIEW)
def show_audit(request: HttpRequest) -> HttpResponse:
    """Who changed what, the newest first."""
    form = AuditFilters(request.GET)
    before = _number(request.GET.get("before", ""))
    entries, horizon = _history(request, form.asked()).read(before, PAGE + 1) if form.is_valid() else ([], None)
    shown = entries[:PAGE]
    further = shown[-1].pk if len(entries) > PAGE else horizon
    query = form.query()
    context = {
        "form": form,
        "rows": auditwords.rows(shown),
        "only": shown[0].object_label if shown and query and form.asked().thing else "",
        "people": _people(request),
        "filtered": bool(query),
        "newest": query if before else None,
        "older": form.query(before=further) if further else "",
        "horizon": horizon if len(entries) <= PAGE else None,
        "scan": SCAN,
        "export": query,
    }
    return render(request, "dashboard/audit.html", context)


@require_safe
@needs(MAY_VIEW)
def export_audit(request: HttpRequest) -> HttpResponseBase:
    """The filtered list as a file."""
    form = AuditFilters(request.GET)
    if not form.is_valid():
        raise BadRequest(form.errors.as_json())
    asked = form.asked()

    def chunk(last: AuditEntry | None, size: int) -> list[AuditEntry]:
        # Made where it is read: it asks the tables for who and when.
        return _history(request, asked).chunk(last, size)

    return stream_csv(request, "changes", COLUMNS, chunk, _cells)


def _cells(one: AuditEntry) -> Iterable[object]:
    told = (orjson.dumps(values).decode() if values else "" for values in (one.before, one.after))
    return one.at, one.actor_label, one.via, one.action, one.object_type, one.object_id, one.object_label, *told, one.note


def of(request: HttpRequest, thing: Station | IdToken | IdTokenGroup | Tariff, size: int = SHOWN) -> dict[str, Any]:
    """The newest changes of one thing, for its page; nothing for those who may not see them."""
    if not may(request.user, MAY_VIEW):
        return {}
    asked = Asked(kind=thing._meta.model_name or "", thing=str(thing.pk))
    with scope(operator=thing.operator_id):
        entries, _horizon = History(asked).read(None, size + 1)
    query = urlencode({"kind": asked.kind, "thing": asked.thing})
    return {"history": auditwords.rows(entries[:size]), "all_history": query, "more_history": len(entries) > size}


def _people(request: HttpRequest) -> list[str]:
    """Who may be asked for, to choose from."""
    mine = User.objects.filter(operator=getattr(request.user, "operator_id", None), kind=Kind.STAFF)
    return list(mine.order_by("email").values_list("email", flat=True)[:PEOPLE_SHOWN])


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest("before")
    return int(text)
