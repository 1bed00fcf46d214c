"""Changes in words: what somebody did, to what, and what was before and after.

An action that is recorded and has no sentence here fails `tests/dashboard/test_audit.py`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AuditEntry, IdToken
from csms.dashboard.commandrows import CommandRow
from stations.models import Command, CommandRun, Station, Transaction

Word = str | Promise

ACTIONS: dict[str, Word] = {
    "operator.added": gettext_lazy("{who} added the network {thing}"),
    "operator.changed": gettext_lazy("{who} changed the network {thing}"),
    "user.added": gettext_lazy("{who} added the person {thing}"),
    "apikey.added": gettext_lazy("{who} made the API key {thing}"),
    "id_token.added": gettext_lazy("{who} added the id tag {thing}"),
    "id_token.changed": gettext_lazy("{who} changed the id tag {thing}"),
    "id_token.removed": gettext_lazy("{who} removed the id tag {thing}"),
    "id_token.imported": gettext_lazy("{who} imported a file of id tags"),
    "site.added": gettext_lazy("{who} added the site {thing}"),
    "station.added": gettext_lazy("{who} added the charger {thing}"),
    "station.changed": gettext_lazy("{who} changed the charger {thing}"),
    "station.removed": gettext_lazy("{who} removed the charger {thing}"),
    "station.password_changed": gettext_lazy("{who} gave the charger {thing} a new password"),
    "setting.wanted": gettext_lazy("{who} chose a setting of the charger {thing}"),
    "command.asked": gettext_lazy("{who} asked the charger {thing}: {what}"),
    "command.cancelled": gettext_lazy("{who} took back what the charger {thing} was asked: {what}"),
    "run.started": gettext_lazy("{who} asked several chargers at once: {what}"),
    "tariff.added": gettext_lazy("{who} added the tariff {thing}"),
    "tariff.made_default": gettext_lazy("{who} made {thing} the tariff of the network"),
    "repair.added": gettext_lazy("{who} added {thing} by way of repair"),
    "repair.changed": gettext_lazy("{who} changed {thing} by way of repair"),
    "repair.removed": gettext_lazy("{who} removed {thing} by way of repair"),
}
#: The kinds of things, by the name of their model.
KINDS: dict[str, Word] = {
    "station": gettext_lazy("Charger"),
    "idtoken": gettext_lazy("Id tag"),
    "commandrun": gettext_lazy("Command to several chargers"),
    "site": gettext_lazy("Site"),
    "tariff": gettext_lazy("Tariff"),
    "user": gettext_lazy("Person"),
    "apikey": gettext_lazy("API key"),
    "operator": gettext_lazy("Network"),
}
#: Where it is not a page.
VIAS: dict[str, Word] = {
    "api": gettext_lazy("through the API"),
    "shell": gettext_lazy("at the machine"),
    "job": gettext_lazy("by itself"),
}
FIELDS: dict[str, Word] = {
    "added": gettext_lazy("New"),
    "known": gettext_lazy("Known already"),
    "value": gettext_lazy("Number"),
    "type": gettext_lazy("Type"),
    "status": gettext_lazy("Status"),
    "blocked_because": gettext_lazy("Why it is blocked"),
    "expires_at": gettext_lazy("Valid until"),
    "group": gettext_lazy("Group"),
    "note": gettext_lazy("Note"),
    "site": gettext_lazy("Site"),
    "identity": gettext_lazy("Identity"),
    "security_profile": gettext_lazy("Security profile"),
    "registration": gettext_lazy("Registration"),
    "name": gettext_lazy("Name"),
    "email": gettext_lazy("E-mail address"),
    "role": gettext_lazy("Role"),
    "stations": gettext_lazy("Chargers"),
    "default": gettext_lazy("Tariff"),
    "currency": gettext_lazy("Currency"),
    "price_per_kwh": gettext_lazy("Price per kWh"),
    "price_per_minute": gettext_lazy("Price per minute"),
    "price_per_session": gettext_lazy("Price per session"),
    "tax_percent": gettext_lazy("Tax in percent"),
}
#: What the sentence says already.
SAID = {"command"}


def sentence(action: str, who: object, thing: object, what: object = "…") -> SafeString:
    known = ACTIONS.get(action)
    if known is None:
        return format_html("{}: {} {}", who, action.replace(".", " ").replace("_", " "), thing)
    return format_html(str(known), who=who, thing=thing, what=what)


@dataclass(frozen=True, slots=True)
class Change:
    """A field, what it was and what it is; None: there was nothing, or there is nothing any more. `hidden`: a secret."""

    name: str
    before: str | None
    after: str | None
    hidden: bool


@dataclass(frozen=True, slots=True)
class Row:
    entry: AuditEntry
    url: str

    @property
    def sentence(self) -> SafeString:
        entry = self.entry
        who = _("The system") if entry.actor_label == "system" else entry.actor_label
        label = entry.object_label or entry.object_id
        thing = format_html('<a href="{}">{}</a>', self.url, label) if self.url else format_html("<strong>{}</strong>", label)
        params = entry.after or entry.before
        kind = str(params.get("command", ""))
        return sentence(entry.action, who, thing, CommandRow(Command(kind=kind, params=params), online=True).word)

    @property
    def via(self) -> Word:
        return VIAS.get(self.entry.via, "")

    @property
    def changes(self) -> list[Change]:
        before, after = self.entry.before, self.entry.after
        names = [name for name in [*before, *(name for name in after if name not in before)] if name not in SAID]
        found = [
            Change(_name(name), _said(before.get(name)), _said(after.get(name)), "***" in (before.get(name), after.get(name)))
            for name in names
        ]
        return [one for one in found if one.before is not None or one.after is not None]


def _name(field: str) -> str:
    known = FIELDS.get(field)
    # What a charger calls its settings stays as it is.
    return str(known) if known else field.replace("_", " ").capitalize() if field.islower() else field


def _said(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str) and len(value) > 18 and value[4] == "-" and "T" in value[:11]:
        try:
            return date_format(timezone.localtime(datetime.fromisoformat(value)), "j M Y H:i")
        except ValueError:
            pass
    return str(value)


def rows(entries: Iterable[AuditEntry]) -> list[Row]:
    """With the addresses of those things that are still there: one query for each kind of them."""
    entries = list(entries)
    urls: dict[tuple[str, str], str] = {}
    for kind, (model, address) in PLACES.items():
        keys = {one.object_id for one in entries if one.object_type == kind and one.object_id.isdigit()}
        if keys:
            urls |= {(kind, str(row.pk)): address(row) for row in model._default_manager.filter(pk__in=keys)}
    return [Row(one, urls.get((one.object_type, one.object_id), "")) for one in entries]


#: The pages that things have.
PLACES: dict[str, tuple[type[Model], Callable[[Any], str]]] = {
    "station": (Station, lambda row: reverse("station", args=[row.identity])),
    "idtoken": (IdToken, lambda row: reverse("id_tag", args=[row.pk])),
    "commandrun": (CommandRun, lambda row: reverse("run", args=[row.pk])),
    "transaction": (Transaction, lambda row: reverse("transaction", args=[row.pk])),
}
