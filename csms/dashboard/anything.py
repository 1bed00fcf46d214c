"""Ask anything: any CALL of a charger's own version of OCPP, written as JSON, for what has no form of its own.

The payload's schema fills in what must be said; what breaks it is told by its path. It is the raw door of the API, for people.
"""

from typing import Any

import orjson
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.permissions import may
from csms import storable
from csms.dashboard import stationviews
from csms.dashboard.access import needs
from csms.dashboard.station import Head
from csms.dashboard.station import of as head_of
from csms.dashboard.words import in_words
from csms.ocpp import mend, registry, schemas
from stations.domain.commands import BadCommand, Command
from stations.services import commands

MAY_SEND = "commands.send"
LONGEST = 200_000
#: Errors shown at once.
SHOWN = 20


def skeleton(protocol: str, action: str) -> dict[str, Any]:
    """What the schema of a CALL demands, each with the simplest value of its kind."""
    schema = schemas.schema(protocol, action)
    filled: dict[str, Any] = _simplest(schema, schema.get("definitions", {}))
    return filled


def _simplest(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix("#/definitions/")]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: _simplest(schema["properties"][name], definitions) for name in schema.get("required", ())}
        case "array":
            return [_simplest(schema["items"], definitions) for _n in range(schema.get("minItems", 0))]
        case "integer" | "number":
            return max(0, schema.get("minimum", 0))
        case "boolean":
            return False
        case "string" if schema.get("format") == "date-time":
            return "2030-01-31T12:00:00Z"
    return ""


def optional(protocol: str, action: str) -> list[str]:
    """What else may be said: the names of properties that are not required."""
    schema = schemas.schema(protocol, action)
    return sorted(schema.get("properties", {}).keys() - set(schema.get("required", ())) - {"customData"})


def problems(protocol: str, action: str, payload: Any) -> list[str]:
    """Where a payload breaks the schema and how, by path."""
    found = []
    for path, sentence in mend.violations(protocol, action, payload)[:SHOWN]:
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
        found.append(f"{where}: {sentence}" if where and where not in sentence else sentence)
    return found


class Anything(forms.Form):
    """An action and its payload. What is dangerous about it nobody can know: the charger's name is typed to confirm."""

    payload = forms.CharField(
        label=gettext_lazy("Payload, as JSON"),
        max_length=LONGEST,
        widget=forms.Textarea({"rows": 10, "spellcheck": "false", "autocomplete": "off", "class": "code"}),
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=200, required=False)
    sure = forms.CharField(max_length=48, widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}))

    def __init__(self, head: Head, protocol: str, action: str, data: Any = None) -> None:
        filled = orjson.dumps(skeleton(protocol, action), option=orjson.OPT_INDENT_2).decode()
        super().__init__(data, initial={"payload": filled})
        self.identity, self.protocol, self.action = head.station.identity, protocol, action
        self.fields["sure"].label = _("Type %(name)s to confirm") % {"name": self.identity}

    def clean_payload(self) -> Any:
        text = str(self.cleaned_data["payload"])
        try:
            payload = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise forms.ValidationError(
                _("This is not JSON: line %(line)s, column %(column)s."), params={"line": error.lineno, "column": error.colno}
            ) from None
        if why := storable.problem(payload):
            raise forms.ValidationError(_(why))
        if wrong := problems(self.protocol, self.action, payload):
            # Not as the message itself: a "%" in what was typed would be taken for a place to fill.
            raise forms.ValidationError([forms.ValidationError("%(why)s", params={"why": one}) for one in wrong])
        return payload

    def clean_sure(self) -> str:
        typed = str(self.cleaned_data["sure"])
        if typed != self.identity.strip():
            raise forms.ValidationError(_("This is not the name of this charger. Type %(name)s."), params={"name": self.identity})
        return typed

    def command(self) -> Command:
        command = registry.BY_ACTION[self.protocol][self.action].parse(self.cleaned_data["payload"])
        command.check()
        return command


def actions(user: Any, protocol: str) -> list[str]:
    """What may be sent in this version, by this person."""
    table = registry.BY_ACTION.get(protocol, {})
    return sorted(action for action, translator in table.items() if may(user, translator.command.verb))


@needs(MAY_SEND)
def ask_anything(request: HttpRequest, identity: str) -> HttpResponse:
    """Choose an action, write its payload, send it."""
    station = stationviews.station_of(identity)
    head = head_of(station)
    protocol = head.connection.protocol if head.connection else ""
    offered = actions(request.user, protocol)
    named = (request.POST if request.method == "POST" else request.GET).get("action", "")
    form = None
    if named in offered:
        form = Anything(head, protocol, named, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid() and (row := _sent(request, station, form)):
            return redirect(f"{reverse('station', args=[identity])}?tab=commands#command-{row.pk}")
    context = {
        "head": head,
        "station": station,
        "actions": offered,
        "named": named if form else "",
        "form": form,
        "optional": optional(protocol, named) if form else [],
        "protocol": head.protocol,
    }
    return render(request, "dashboard/anything.html", context, status=422 if form and form.errors else 200)


def _sent(request: HttpRequest, station: Any, form: Anything) -> Any:
    """The row of the command; None: it makes no sense, which stands in the form."""
    try:
        return commands.issue(
            station=station,
            command=form.command(),
            user=request.user if isinstance(request.user, User) else None,
            reason=form.cleaned_data["reason"],
            raw={"action": form.action, "payload": form.cleaned_data["payload"]},
        )
    except BadCommand as error:
        form.add_error("payload", forms.ValidationError("%(why)s", params={"why": in_words(error)}))
    return None
