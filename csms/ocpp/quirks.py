"""Quirks at work: the literal registry of what can be done about one, and where it is done to messages.

Which quirks a station has is found out when its state is loaded (`stations.state`), never for a message; here their text becomes a
plan, once for all stations of a make.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from csms.ocpp import adjustments as do
from csms.ocpp.adjustments import Said
from csms.ocpp.registry import PROTOCOLS
from csms.ocpp.translator import Payload
from stations.domain.values import Note
from stations.state import StationState

#: In which direction an adjustment works.
HEARD, ANSWERED, SENT = "heard", "answered", "sent"
METERED = ("MeterValues", "StopTransaction", "TransactionEvent")
TIMED = (*METERED, "StartTransaction", "StatusNotification", "NotifyEvent", "NotifyReport", "SecurityEventNotification")
TAGGED = ("Authorize", "StartTransaction", "StopTransaction", "TransactionEvent")
OLD, NEW = "ocpp1.6", "ocpp2.0.1"
#: What one quirk may do, how long a text of it is, and how often a station is told to have one.
MOST, LONGEST = 20, 200
TOLD_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Parameter:
    """`kind`: "text", "factor", "whole", "yes", "zone" or "list"; with `options`, one of them."""

    name: str
    words: str | Promise
    kind: str = "text"
    needed: bool = True
    options: tuple[str, ...] = ()
    least: int = 1
    most: int = 86_400


@dataclass(frozen=True, slots=True)
class Adjustment:
    """`actions`: the messages that it changes. `protocol`: the only one that has them. `any_of`: at least one must be given.
    `many`: a quirk may well have more than one.
    """

    direction: str
    words: str | Promise
    actions: tuple[str, ...]
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...] = ()
    protocol: str = ""
    any_of: bool = False
    many: bool = False


CONNECTOR = Parameter("connector", gettext_lazy("Plug"), "whole", most=64)
FACTOR = Parameter("factor", gettext_lazy("Factor"), "factor")

REGISTRY: dict[str, Adjustment] = {
    "local_time_zone": Adjustment(
        HEARD,
        gettext_lazy("Its times are those of a time zone, not UTC."),
        TIMED,
        do.local_time_zone,
        (
            Parameter("zone", gettext_lazy("Time zone (empty: that of its site)"), "zone", needed=False),
            Parameter("also_z", gettext_lazy("Even if it says that they are UTC (Z)"), "yes", needed=False),
        ),
    ),
    "clock_unreliable": Adjustment(
        HEARD,
        gettext_lazy("Its clock is not believed: everything happened when it was received, even what it tells late."),
        TIMED,
        do.clock_unreliable,
    ),
    "register_unit": Adjustment(
        HEARD,
        gettext_lazy("Its energy register is in this unit, whatever it says."),
        METERED,
        do.register_unit,
        (Parameter("unit", gettext_lazy("Unit"), options=("Wh", "kWh")),),
    ),
    "measurand_factor": Adjustment(
        HEARD,
        gettext_lazy("Values of a measurand are multiplied."),
        METERED,
        do.measurand_factor,
        (Parameter("measurand", gettext_lazy("Measurand")), FACTOR),
        many=True,
    ),
    "start_stop_factor": Adjustment(
        HEARD,
        gettext_lazy("The register at the start and at the stop is multiplied."),
        ("StartTransaction", "StopTransaction"),
        do.start_stop_factor,
        (FACTOR,),
        protocol=OLD,
    ),
    "ignore_zero_register": Adjustment(
        HEARD,
        gettext_lazy("An energy register of 0 in the middle of a session is no reading."),
        METERED,
        do.ignore_zero_register,
    ),
    "ignore_samples": Adjustment(
        HEARD,
        gettext_lazy("Readings of a measurand, context or phase are passed over: those that are all that is given here."),
        ("MeterValues", "TransactionEvent"),
        do.ignore_samples,
        (
            Parameter("measurand", gettext_lazy("Measurand"), needed=False),
            Parameter("context", gettext_lazy("Context"), needed=False),
            Parameter("phase", gettext_lazy("Phase"), needed=False),
        ),
        any_of=True,
        many=True,
    ),
    "sequence_unreliable": Adjustment(
        HEARD,
        gettext_lazy("The numbers of its events are not looked at: no gap is found, and what it says is ordered by its times."),
        ("TransactionEvent",),
        do.sequence_unreliable,
        protocol=NEW,
    ),
    "replace_value": Adjustment(
        HEARD,
        gettext_lazy("A value of a property means another one."),
        (*TIMED, "BootNotification", "Authorize", "FirmwareStatusNotification", "DiagnosticsStatusNotification"),
        do.replace_value,
        (
            Parameter("property", gettext_lazy("Property")),
            Parameter("said_value", gettext_lazy("What it says")),
            Parameter("meant", gettext_lazy("What it means")),
        ),
        many=True,
    ),
    "connector_zero_is": Adjustment(
        HEARD,
        gettext_lazy("It says 0 for its only plug when a session starts."),
        ("StartTransaction",),
        do.connector_zero_is,
        (CONNECTOR,),
        protocol=OLD,
    ),
    "id_tag_plain": Adjustment(HEARD, gettext_lazy("Blanks, colons and dashes in id tags are left out."), TAGGED, do.id_tag_plain),
    "id_tag_reversed": Adjustment(
        HEARD, gettext_lazy("Its reader tells the bytes of a card from their end."), TAGGED, do.id_tag_reversed
    ),
    "id_tag_info_always": Adjustment(
        ANSWERED,
        gettext_lazy("A stop is answered with a status of the id tag, even if it named none."),
        ("StopTransaction",),
        do.id_tag_info_always,
        protocol=OLD,
    ),
    "empty_stop_answer": Adjustment(
        ANSWERED,
        gettext_lazy("A stop is answered with nothing, even if it named an id tag."),
        ("StopTransaction",),
        do.empty_stop_answer,
        protocol=OLD,
    ),
    "plain_id_tag_info": Adjustment(
        ANSWERED,
        gettext_lazy("Of an id tag it is told the status only: no group, and not until when it is valid."),
        ("Authorize", "StartTransaction", "StopTransaction"),
        do.plain_id_tag_info,
        protocol=OLD,
    ),
    "heartbeat_at_most": Adjustment(
        ANSWERED,
        gettext_lazy("It is asked for a heartbeat at least this often."),
        ("BootNotification",),
        do.heartbeat_at_most,
        (Parameter("seconds", gettext_lazy("Seconds"), "whole", least=10),),
    ),
    "measurands_allowed": Adjustment(
        SENT,
        gettext_lazy("It is asked to report these measurands only, whatever a setting wants."),
        ("ChangeConfiguration", "SetVariables"),
        do.measurands_allowed,
        (Parameter("measurands", gettext_lazy("Measurands, with commas"), "list"),),
    ),
    "keys_per_call": Adjustment(
        SENT,
        gettext_lazy("It is asked for so many settings at once at most."),
        ("GetConfiguration",),
        do.keys_per_call,
        (Parameter("keys", gettext_lazy("Settings"), "whole", most=1000),),
        protocol=OLD,
    ),
    "trigger_needs_connector": Adjustment(
        SENT,
        gettext_lazy("It sends a message that is asked for only if a plug is named."),
        ("TriggerMessage",),
        do.trigger_needs_connector,
        (CONNECTOR,),
    ),
    "current_only_profiles": Adjustment(
        SENT,
        gettext_lazy("It takes limits in ampere only: those in watt are converted, at 230 V."),
        ("SetChargingProfile", "RemoteStartTransaction", "RequestStartTransaction", "GetCompositeSchedule"),
        do.current_only_profiles,
    ),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One adjustment of one quirk, ready to be done."""

    name: str
    quirk: str
    function: Callable[..., Any]
    parameters: dict[str, Any]


@lru_cache(maxsize=1024)
def plan(text: str, protocol: str) -> dict[tuple[str, str], tuple[Step, ...]]:
    """What `StationState.quirks` come to in a protocol: by direction and action. Of one in two quirks the later is done."""
    chosen: dict[str, list[Step]] = {}
    for of_protocol, quirk, adjustments in orjson.loads(text) if text else []:
        if of_protocol not in ("", protocol):
            continue
        own: dict[str, list[Step]] = {}
        for one in adjustments:
            known = REGISTRY.get(one.get("do", ""))
            if known is not None and known.protocol in ("", protocol):
                given = {name: value for name, value in one.items() if name != "do"}
                own.setdefault(one["do"], []).append(Step(one["do"], quirk, known.function, given))
        chosen |= own
    found: dict[tuple[str, str], tuple[Step, ...]] = {}
    for name, steps in chosen.items():
        for action in REGISTRY[name].actions:
            key = (REGISTRY[name].direction, action)
            found[key] = (*found.get(key, ()), *steps)
    return found


def heard(station: StationState, protocol: str, action: str, payload: Any, at: datetime, notes: list[Note]) -> Any:
    """What a station sent, as it meant it. The payload given is not changed."""
    return _adjusted(HEARD, station, protocol, action, payload, at, notes)


def answered(station: StationState, protocol: str, action: str, payload: Any, at: datetime, notes: list[Note]) -> Any:
    """Our answer as the station can bear it."""
    return _adjusted(ANSWERED, station, protocol, action, payload, at, notes)


def _adjusted(
    direction: str, station: StationState, protocol: str, action: str, payload: Any, at: datetime, notes: list[Note]
) -> Any:
    steps = plan(station.quirks, protocol).get((direction, action))
    if not steps:
        return payload
    said = Said(protocol, action, copy.deepcopy(payload), at, station.time_zone)
    for step in steps:
        detail = step.function(said, **step.parameters)
        # Once an hour: a register in another unit comes with every message.
        if detail and station.quirks_told.get(step.name, at - TOLD_EVERY) <= at - TOLD_EVERY:
            station.quirks_told[step.name] = at
            notes.append(_note(step, detail))
    return said.payload


def sent(text: str, protocol: str, action: str, calls: list[Payload]) -> tuple[list[Payload], list[Note]]:
    """CALLs of ours as the station takes them. Raises Unsayable where nothing is left to ask."""
    notes = []
    for step in plan(text, protocol).get((SENT, action), ()):
        calls, detail = step.function(protocol, calls, **step.parameters)
        if detail:
            notes.append(_note(step, detail))
    return calls, notes


def _note(step: Step, detail: str) -> Note:
    return Note("quirk_applied", step.name, f"{step.quirk}: {detail}.")


# What an operator may write


def check(protocol: str, adjustments: object) -> list[dict[str, Any]]:
    """The adjustments of a quirk as they are kept. Raises ValidationError with a sentence for each that is wrong."""
    if protocol not in ("", *PROTOCOLS):
        raise ValidationError({"protocol": _("The protocol is one of %(known)s, or empty.") % {"known": ", ".join(PROTOCOLS)}})
    if not isinstance(adjustments, list) or not adjustments:
        raise ValidationError({"adjustments": _("Say what is to be done: at least one adjustment.")})
    if len(adjustments) > MOST:
        raise ValidationError({"adjustments": _("A quirk has %(most)s adjustments at most.") % {"most": MOST}})
    return [_checked(protocol, one) for one in adjustments]


def _checked(protocol: str, one: object) -> dict[str, Any]:
    name = one.get("do") if isinstance(one, dict) else None
    known = REGISTRY.get(name) if isinstance(name, str) else None
    if known is None or not isinstance(one, dict):
        sentence = _('An adjustment is an object such as {"do": "%(first)s"}. There are %(known)s.')
        raise _wrong(sentence % {"first": next(iter(REGISTRY)), "known": ", ".join(REGISTRY)})
    if known.protocol and protocol not in ("", known.protocol):
        raise _wrong(_("%(name)s is for %(protocol)s only.") % {"name": name, "protocol": known.protocol})
    given = {key: value for key, value in one.items() if key != "do" and value not in ("", None, False, [])}
    if unknown := given.keys() - {parameter.name for parameter in known.parameters}:
        raise _wrong(_("%(name)s has no %(unknown)s.") % {"name": name, "unknown": ", ".join(sorted(map(str, unknown)))[:100]})
    missing = [parameter.name for parameter in known.parameters if parameter.needed and parameter.name not in given]
    if missing or (known.any_of and not given):
        needed = missing or [parameter.name for parameter in known.parameters]
        raise _wrong(_("%(name)s needs %(missing)s.") % {"name": name, "missing": ", ".join(needed)})
    return {"do": name} | {p.name: _value(str(name), p, given[p.name]) for p in known.parameters if p.name in given}


def _value(name: str, parameter: Parameter, value: Any) -> Any:
    where = {"name": f"{name}: {parameter.name}"}
    match parameter.kind:
        case "yes":
            if value is not True:
                raise _wrong(_("%(name)s is true or false.") % where)
            return True
        case "whole":
            number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 9 else value
            if isinstance(number, bool) or not isinstance(number, int) or not parameter.least <= number <= parameter.most:
                bounds = {"least": parameter.least, "most": parameter.most}
                raise _wrong(_("%(name)s is a whole number from %(least)s to %(most)s.") % {**where, **bounds})
            return number
        case "factor":
            return _factor(where, value)
        case "list":
            parts = value.split(",") if isinstance(value, str) else value
            if not isinstance(parts, list) or len(parts) > 40 or not all(isinstance(one, str) and one.strip() for one in parts):
                raise _wrong(_("%(name)s is a list of words.") % where)
            return [one.strip()[:LONGEST] for one in parts]
        case "zone":
            try:
                return ZoneInfo(value).key
            except (ZoneInfoNotFoundError, ValueError, OSError, TypeError, AttributeError):
                raise _wrong(_("%(name)s is a time zone such as Europe/Copenhagen.") % where) from None
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        raise _wrong(_("%(name)s is a text of at most %(most)s characters.") % {**where, "most": LONGEST})
    if parameter.options and value not in parameter.options:
        raise _wrong(_("%(name)s is one of %(options)s.") % {**where, "options": ", ".join(parameter.options)})
    return value


def _factor(where: dict[str, str], value: Any) -> str:
    """As text, so that it stays an exact decimal."""
    try:
        factor = Decimal(str(value).strip().replace(",", "."))
    except InvalidOperation:
        factor = Decimal(0)
    if isinstance(value, bool) or not factor.is_finite() or not Decimal("0.000001") <= factor <= 1_000_000:
        raise _wrong(_("%(name)s is a number above 0, such as 0.1 or 1000.") % where)
    return f"{factor:f}"


def _wrong(sentence: str) -> ValidationError:
    return ValidationError({"adjustments": sentence})
