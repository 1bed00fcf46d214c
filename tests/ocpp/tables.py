"""What stands in the tables about a network's stations, in words that do not depend on keys: for comparing two of them."""

import json
from typing import Any

from django.db.models import Model
from django_scopes import scopes_disabled

from accounts.models import IdToken, IdTokenGroup, Operator
from csms.ocpp.replay import timeless
from stations.models import (
    Command,
    Connector,
    Finding,
    MessageLogEntry,
    MeterSample,
    RepairMessage,
    Site,
    Station,
    StatusHistory,
    Transaction,
    Variable,
)

#: Keys, and what is told by the clock of the database or of who handled the message.
LEFT_OUT: dict[type[Model], set[str]] = {
    Station: {
        "identity",
        "site",
        "created_at",
        "password_hash",
        "security_profile",
        "highest_profile",
        "firmware_status_at",
        "log_status_at",
    },
    Transaction: {"due_at"},
    MeterSample: {"received_at", "owner"},
    StatusHistory: set(),
    Finding: set(),
    Connector: set(),
    Variable: {"reported_at", "wanted"},
    RepairMessage: set(),
    MessageLogEntry: {"handling_us"},
    Command: {
        *("run", "requested_by", "reason", "idempotency_key", "created_at", "expires_at", "sent_at", "answered_at", "finished_at"),
        *("effect_due_at", "facts"),
    },
}


def contents(operator: Operator) -> dict[str, list[Any]]:
    """Table to its rows, in an order of their own."""
    with scopes_disabled():
        stations = Station.objects.filter(operator=operator).values_list("pk", "identity")
        names = {pk: identity.removeprefix("WAS-") for pk, identity in stations}
        tokens = dict(IdToken.objects.filter(operator=operator).values_list("pk", "key"))
        transactions = dict(Transaction.objects.filter(operator=operator).values_list("pk", "ocpp_transaction_id"))
        groups = dict(IdTokenGroup.objects.filter(operator=operator).values_list("pk", "name"))
        sites = dict(Site.objects.filter(operator=operator).values_list("pk", "name"))
        words = {"station": names, "site": sites, "id_token": tokens, "transaction": transactions, "payer_group": groups}
        return {model.__name__: sorted((row(one, words) for one in rows(model, operator)), key=json.dumps) for model in LEFT_OUT}


def rows(model: type[Model], operator: Operator) -> Any:
    found = model._default_manager.all()
    if model is Connector:
        return found.filter(evse__station__operator=operator).select_related("evse")
    if model is Transaction:
        return found.filter(operator=operator).select_related("evse")
    return found.filter(operator=operator)


def row(one: Any, words: dict[str, dict[int, str]]) -> dict[str, Any]:
    said: dict[str, Any] = {"of": words["station"][one.pk]} if isinstance(one, Station) else {}
    for field in one._meta.concrete_fields:
        value = getattr(one, field.attname)
        if field.name in ("id", "operator", *LEFT_OUT[type(one)]):
            continue
        if field.name in words and value is not None:
            value = words[field.name][value]
        elif field.name == "evse":
            value = one.evse and (words["station"][one.evse.station_id], one.evse.number)
        elif field.name in ("call", "frame", "answer"):
            value = timeless(parsed(value))
        said[field.name] = value if isinstance(value, str | int | list | dict | None) else str(value)
    if isinstance(one, Finding):
        # Of a register that was read from the table it says three decimals.
        said["detail"] = one.detail.replace(".000", "")
    if isinstance(one, Command) and one.status == "accepted":
        said["status"] = "no_effect"  # what it waits for will not come any more
    if isinstance(one, Finding) and one.message_id.startswith("csms-"):
        del said["first_at"], said["last_at"]  # when an answer of the station came stands in no log
    if isinstance(one, Finding) and one.code == "sample_differs":
        # How often and by which of several readings depends on which messages are written together.
        del said["first_at"], said["last_at"], said["count"], said["detail"]
    return said


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
