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

from accounts.models import AuditEntry, IdToken, IdTokenGroup, IdTokenStatus, Kind, Role, User
from billing.models import ChargeRecord, Rebilling, Tariff
from billing.seriesmodels import PriceSeries
from csms.dashboard.commandrows import CommandRow
from csms.forwarding.models import Forward
from csms.webhooks.models import Webhook
from stations.models import Command, CommandRun, Firmware, Quirk, RepairMessage, Rollout, Station, Transaction

Word = str | Promise

ACTIONS: dict[str, Word] = {
    "alert.closed": gettext_lazy("{who} closed an alert of the charger {thing}"),
    "customer.deleted": gettext_lazy("{who} deleted what the charger {thing} had told of a customer"),
    "operator.added": gettext_lazy("{who} added the network {thing}"),
    "operator.changed": gettext_lazy("{who} changed the network {thing}"),
    "log.replayed": gettext_lazy("{who} replayed a recorded message log into the network {thing}"),
    "user.added": gettext_lazy("{who} added the person {thing}"),
    "api_key.added": gettext_lazy("{who} made the API key {thing}"),
    "api_key.revoked": gettext_lazy("{who} revoked the API key {thing}"),
    "invitation.sent": gettext_lazy("{who} invited {thing}"),
    "invitation.renewed": gettext_lazy("{who} invited {thing} anew"),
    "invitation.removed": gettext_lazy("{who} took back the invitation of {thing}"),
    "person.joined": gettext_lazy("{who} accepted an invitation and joined as {thing}"),
    "person.changed": gettext_lazy("{who} changed the person {thing}"),
    "person.renamed": gettext_lazy("{who} changed the name of {thing}"),
    "person.password_changed": gettext_lazy("{who} changed the password of {thing}"),
    "person.password_link_made": gettext_lazy("{who} made a link for {thing} to choose a password"),
    "person.second_factor_reset": gettext_lazy("{who} reset the second factor of {thing}"),
    "person.second_factor_set_up": gettext_lazy("{who} set up the second factor of {thing}"),
    "person.second_factor_off": gettext_lazy("{who} turned off the second factor of {thing}"),
    "person.recovery_codes_made": gettext_lazy("{who} made new recovery codes of {thing}"),
    "person.sessions_ended": gettext_lazy("{who} logged {thing} out everywhere"),
    "driver.signed_up": gettext_lazy("{who} signed up the driver {thing}"),
    "driver.blocked": gettext_lazy("{who} blocked the driver {thing}"),
    "driver.unblocked": gettext_lazy("{who} unblocked the driver {thing}"),
    "driver.deleted": gettext_lazy("{who} deleted the account of the driver {thing}"),
    "driver.id_tag_added": gettext_lazy("{who} gave the driver {thing} an id tag"),
    "driver.id_tag_removed": gettext_lazy("{who} took an id tag from the driver {thing}"),
    "meter_key.registered": gettext_lazy("{who} registered the key of a meter of the charger {thing}"),
    "meter_key.trusted": gettext_lazy("{who} vouched for the key of a meter of the charger {thing}"),
    "meter_key.retired": gettext_lazy("{who} retired the key of a meter of the charger {thing}"),
    "id_token.added": gettext_lazy("{who} added the id tag {thing}"),
    "id_token.changed": gettext_lazy("{who} changed the id tag {thing}"),
    "id_token.removed": gettext_lazy("{who} removed the id tag {thing}"),
    "id_token.imported": gettext_lazy("{who} imported a file of id tags"),
    "id_token_group.changed": gettext_lazy("{who} changed what the group of id tags {thing} may do"),
    "local_list_rule.changed": gettext_lazy("{who} changed which id tags are on the local lists of {thing}"),
    "site.added": gettext_lazy("{who} added the site {thing}"),
    "station.added": gettext_lazy("{who} added the charger {thing}"),
    "station.changed": gettext_lazy("{who} changed the charger {thing}"),
    "station.removed": gettext_lazy("{who} removed the charger {thing}"),
    "station.password_changed": gettext_lazy("{who} gave the charger {thing} a new password"),
    "station.lower_allowed": gettext_lazy("{who} allowed the charger {thing} to come less securely than before"),
    "setting.wanted": gettext_lazy("{who} chose a setting of the charger {thing}"),
    "command.asked": gettext_lazy("{who} asked the charger {thing}: {what}"),
    "command.cancelled": gettext_lazy("{who} took back what the charger {thing} was asked: {what}"),
    "network_move.started": gettext_lazy("{who} began to lead the charger {thing} to another network profile"),
    "network_move.given_up": gettext_lazy("{who} gave up leading the charger {thing} to another network profile"),
    "run.started": gettext_lazy("{who} asked several chargers at once: {what}"),
    "run.paused": gettext_lazy("{who} paused {thing}"),
    "run.resumed": gettext_lazy("{who} resumed {thing}"),
    "run.cancelled": gettext_lazy("{who} cancelled what was not sent of {thing}"),
    "firmware.added": gettext_lazy("{who} added the firmware {thing}"),
    "firmware.withdrawn": gettext_lazy("{who} withdrew the firmware {thing}"),
    "firmware_publication.asked": gettext_lazy("{who} asked the charger {thing} to hand firmware on"),
    "security_event.acknowledged": gettext_lazy("{who} has seen security events of the charger {thing}"),
    "firmware_update.started": gettext_lazy("{who} began to update the charger {thing}"),
    "firmware_update.cancelled": gettext_lazy("{who} gave up the update of the charger {thing}"),
    "rollout.created": gettext_lazy("{who} planned the roll-out {thing}"),
    "rollout.discarded": gettext_lazy("{who} discarded the roll-out {thing}"),
    "rollout.started": gettext_lazy("{who} started the roll-out {thing}"),
    "rollout.paused": gettext_lazy("{who} paused the roll-out {thing}"),
    "rollout.resumed": gettext_lazy("{who} resumed the roll-out {thing}"),
    "rollout.cancelled": gettext_lazy("{who} cancelled the roll-out {thing}"),
    "rollout.retried": gettext_lazy("{who} tried again in the roll-out {thing}"),
    "rollout.left_out": gettext_lazy("{who} left a charger out of the roll-out {thing}"),
    "log.requested": gettext_lazy("{who} asked for the log of the charger {thing}"),
    "log.downloaded": gettext_lazy("{who} downloaded the log {thing}"),
    "log.deleted": gettext_lazy("{who} deleted the log {thing}"),
    "log.given_up": gettext_lazy("{who} gave up waiting for the log of the charger {thing}"),
    "webhook.added": gettext_lazy("{who} added the webhook {thing}"),
    "webhook.changed": gettext_lazy("{who} changed the webhook {thing}"),
    "webhook.removed": gettext_lazy("{who} removed the webhook {thing}"),
    "webhook.resumed": gettext_lazy("{who} resumed the webhook {thing}"),
    "webhook.paused": gettext_lazy("{who} paused the webhook {thing}"),
    "webhook.switched_off": gettext_lazy("{who} switched the webhook {thing} off"),
    "webhook.secret_changed": gettext_lazy("{who} gave the webhook {thing} a new secret"),
    "webhook.tested": gettext_lazy("{who} tested the webhook {thing}"),
    "webhook.delivery_replayed": gettext_lazy("{who} had the webhook {thing} deliver something again"),
    "webhook.deliveries_replayed": gettext_lazy("{who} had the webhook {thing} deliver again what had failed"),
    "forward.added": gettext_lazy("{who} added the forwarding to {thing}"),
    "forward.changed": gettext_lazy("{who} changed the forwarding to {thing}"),
    "forward.removed": gettext_lazy("{who} removed the forwarding to {thing}"),
    "forward.paused": gettext_lazy("{who} paused the forwarding to {thing}"),
    "forward.resumed": gettext_lazy("{who} resumed the forwarding to {thing}"),
    "forward.tested": gettext_lazy("{who} tested the forwarding to {thing}"),
    "quirk.added": gettext_lazy("{who} added the quirk {thing}"),
    "quirk.changed": gettext_lazy("{who} changed the quirk {thing}"),
    "quirk.removed": gettext_lazy("{who} removed the quirk {thing}"),
    "quirk.switched": gettext_lazy("{who} switched the quirk {thing} on or off"),
    "billing.tried_again": gettext_lazy("{who} had sessions priced again that could not be priced"),
    "charge_record.corrected": gettext_lazy("{who} corrected the bill of {thing}"),
    "rebilling.planned": gettext_lazy("{who} had it worked out what pricing sessions anew would change: {thing}"),
    "rebilling.started": gettext_lazy("{who} started to price sessions anew: {thing}"),
    "rebilling.paused": gettext_lazy("{who} paused the pricing anew: {thing}"),
    "rebilling.resumed": gettext_lazy("{who} went on with the pricing anew: {thing}"),
    "rebilling.cancelled": gettext_lazy("{who} cancelled the pricing anew: {thing}"),
    "rebilling.done": gettext_lazy("{who} has priced sessions anew: {thing}"),
    "tariff.added": gettext_lazy("{who} added the tariff {thing}"),
    "tariff.changed": gettext_lazy("{who} changed the prices of the tariff {thing}"),
    "tariff.version_withdrawn": gettext_lazy("{who} took a version of the tariff {thing} back"),
    "tariff.assigned": gettext_lazy("{who} assigned the tariff {thing}"),
    "tariff.unassigned": gettext_lazy("{who} took the assignment of the tariff {thing} back"),
    "tariff.renamed": gettext_lazy("{who} renamed the tariff {thing}"),
    "tariff.removed": gettext_lazy("{who} deleted the tariff {thing}"),
    "tariff.retired": gettext_lazy("{who} retired the tariff {thing}"),
    "tariff.brought_back": gettext_lazy("{who} brought the tariff {thing} back"),
    "tariff.made_default": gettext_lazy("{who} made {thing} the tariff of the network"),
    "price_series.added": gettext_lazy("{who} added the price series {thing}"),
    "price_series.filled": gettext_lazy("{who} put prices into the series {thing}"),
    "price_series.removed": gettext_lazy("{who} removed the price series {thing}"),
    "receipt_archive.asked": gettext_lazy("{who} had the receipts of {thing} put into files"),
    "receipt_archive.cancelled": gettext_lazy("{who} cancelled the files of the receipts of {thing}"),
    "receipt_archive.resumed": gettext_lazy("{who} went on with the files of the receipts of {thing}"),
    "receipt_archive.downloaded": gettext_lazy("{who} downloaded the receipts of {thing}"),
    "issuer.changed": gettext_lazy("{who} changed what the receipts of {thing} say of who issues them"),
    "transaction.repaired": gettext_lazy("{who} put the {thing} right"),
    "transaction.repair_undone": gettext_lazy("{who} undid how the {thing} had been put right"),
    "repair_message.resolved": gettext_lazy("{who} resolved the message {thing} that was not understood"),
    "repair.added": gettext_lazy("{who} added {thing} by way of repair"),
    "repair.changed": gettext_lazy("{who} changed {thing} by way of repair"),
    "repair.removed": gettext_lazy("{who} removed {thing} by way of repair"),
}
#: The kinds of things, by the name of their model.
KINDS: dict[str, Word] = {
    "station": gettext_lazy("Charger"),
    "idtoken": gettext_lazy("Id tag"),
    "meterkey": gettext_lazy("Key of a meter"),
    "commandrun": gettext_lazy("Command to several chargers"),
    "transaction": gettext_lazy("Session"),
    "repairmessage": gettext_lazy("Message to put right"),
    "site": gettext_lazy("Site"),
    "tariff": gettext_lazy("Tariff"),
    "chargerecord": gettext_lazy("Charge record"),
    "rebilling": gettext_lazy("Pricing anew"),
    "priceseries": gettext_lazy("Price series"),
    "issuer": gettext_lazy("Issuer of receipts"),
    "receiptarchive": gettext_lazy("Receipts of a month as ZIP"),
    "user": gettext_lazy("Person"),
    "apikey": gettext_lazy("API key"),
    "operator": gettext_lazy("Network"),
    "invitation": gettext_lazy("Invitation"),
    "firmware": gettext_lazy("Firmware"),
    "rollout": gettext_lazy("Roll-out"),
    "logupload": gettext_lazy("Log"),
    "webhook": gettext_lazy("Webhook"),
    "forward": gettext_lazy("Forwarding"),
    "quirk": gettext_lazy("Quirk"),
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
    "only_stops": gettext_lazy("Only stops"),
    "places": gettext_lazy("Charges at"),
    "connector_types": gettext_lazy("Types of plugs"),
    "priority": gettext_lazy("Charging priority"),
    "note": gettext_lazy("Note"),
    "site": gettext_lazy("Site"),
    "identity": gettext_lazy("Identity"),
    "security_profile": gettext_lazy("Security profile"),
    "highest_profile": gettext_lazy("Highest security profile by which it came"),
    "registration": gettext_lazy("Registration"),
    "name": gettext_lazy("Name"),
    "email": gettext_lazy("E-mail address"),
    "role": gettext_lazy("Role"),
    "is_active": gettext_lazy("Active"),
    "user": gettext_lazy("Person"),
    "prefix": gettext_lazy("Begins with"),
    "scopes": gettext_lazy("What it may do"),
    "id_tag": gettext_lazy("Id tag"),
    "stations": gettext_lazy("Chargers"),
    "default": gettext_lazy("Tariff"),
    "currency": gettext_lazy("Currency"),
    "elements": gettext_lazy("Prices"),
    "min_price": gettext_lazy("Lowest price of a session"),
    "max_price": gettext_lazy("Highest price of a session"),
    "valid_from": gettext_lazy("Valid from"),
    "retired_at": gettext_lazy("Retired since"),
    "month": gettext_lazy("Month"),
    "receipts": gettext_lazy("Receipts"),
    "strict": gettext_lazy("Refuses what breaks OCPP's rules"),
    "adjustments": gettext_lazy("What is done"),
}
#: Values that have words of their own, by their field.
VALUES: dict[str, dict[Any, Word]] = {"role": dict(Role.choices), "status": dict(IdTokenStatus.choices)}
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
            Change(_name(name), _said(name, before), _said(name, after), "***" in (before.get(name), after.get(name)))
            for name in names
        ]
        return [one for one in found if one.before is not None or one.after is not None]


def _name(field: str) -> str:
    known = FIELDS.get(field)
    # What a charger calls its settings stays as it is.
    return str(known) if known else field.replace("_", " ").capitalize() if field.islower() else field


def _said(name: str, values: dict[str, Any]) -> str | None:
    value = values.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str) and len(value) > 18 and value[4] == "-" and "T" in value[:11]:
        try:
            return date_format(timezone.localtime(datetime.fromisoformat(value)), "j M Y H:i")
        except ValueError:
            pass
    return str(VALUES.get(name, {}).get(value, value))


def rows(entries: Iterable[AuditEntry]) -> list[Row]:
    """With the addresses of those things that are still there: one query for each kind of them."""
    entries = list(entries)
    urls: dict[tuple[str, str], str] = {}
    for kind, (model, address) in PLACES.items():
        keys = {one.object_id for one in entries if one.object_type == kind and one.object_id.isdigit()}
        if keys:
            urls |= {(kind, str(row.pk)): address(row) for row in model._default_manager.filter(pk__in=keys)}
    return [Row(one, urls.get((one.object_type, one.object_id), "")) for one in entries]


#: The pages that things have, and whoever sees the changes may see.
PLACES: dict[str, tuple[type[Model], Callable[[Any], str]]] = {
    "station": (Station, lambda row: reverse("station", args=[row.identity])),
    "idtoken": (IdToken, lambda row: reverse("id_tag", args=[row.pk])),
    "idtokengroup": (IdTokenGroup, lambda row: reverse("id_tag_group", args=[row.pk])),
    "commandrun": (CommandRun, lambda row: reverse("run", args=[row.pk])),
    "chargerecord": (ChargeRecord, lambda row: reverse("billing_record", args=[row.pk])),
    "rebilling": (Rebilling, lambda row: reverse("rebilling", args=[row.pk])),
    "transaction": (Transaction, lambda row: reverse("transaction", args=[row.pk])),
    "repairmessage": (RepairMessage, lambda row: reverse("review_message", args=[row.pk])),
    "firmware": (Firmware, lambda row: reverse("firmware_image", args=[row.pk])),
    "rollout": (Rollout, lambda row: reverse("rollout", args=[row.pk])),
    "webhook": (Webhook, lambda row: reverse("webhook", args=[row.pk])),
    "forward": (Forward, lambda row: reverse("forward", args=[row.pk])),
    "quirk": (Quirk, lambda row: reverse("quirk", args=[row.pk])),
    "tariff": (Tariff, lambda row: reverse("tariff", args=[row.pk])),
    "priceseries": (PriceSeries, lambda row: reverse("price_series_one", args=[row.pk])),
    "user": (User, lambda row: reverse("our_driver", args=[row.pk]) if row.kind == Kind.DRIVER else ""),
}
