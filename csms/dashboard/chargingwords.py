"""Charging profiles in words, and the findings about them."""

from datetime import timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from csms.templatetags.units import SPACE, plain

Word = str | Promise

PURPOSES: dict[str, Word] = {
    "ChargingStationMaxProfile": _("The whole charger"),
    "TxDefaultProfile": _("Every session"),
    "TxProfile": _("This session"),
    "ChargingStationExternalConstraints": _("Set by others"),
}
SOURCES: dict[str, Word] = {
    "CSO": _("Us"),
    "EMS": _("Energy management at the site"),
    "SO": _("Grid operator"),
    "Other": _("Somebody else"),
}
#: How what we want stands to what the charger reports: a word, what it means, and whether somebody should look.
STATES: dict[str, tuple[Word, Word, bool]] = {
    "set": (_("Accepted"), _("The charger accepted it; it has not been read back."), False),
    "confirmed": (_("Confirmed"), _("The charger reports it as it was set."), False),
    "differs": (_("Differs"), _("The charger reports it otherwise than it was set: set it again."), True),
    "missing": (_("Missing"), _("The charger does not report it any more: set it again, or clear it."), True),
    "found": (_("Found"), _("The charger has it; it was not set from here, or is to be cleared and may be there still."), False),
}
NEEDS: dict[str, Word] = {
    "offered": _("A schedule was sent."),
    "waiting": _("A schedule is sent as soon as its session begins."),
    "late": _("Its session did not begin within a minute, so no schedule was sent."),
    "rejected": _("No schedule was sent: nobody charged there, or the car told nothing that helps."),
}
MODES: dict[str, Word] = {
    "DC": _("Direct current"),
    "AC_single_phase": _("One phase"),
    "AC_two_phase": _("Two phases"),
    "AC_three_phase": _("Three phases"),
}
CHAPTER_K = "OCPP 1.6 3.13, 2.0.1 K"
#: By code: title, what the rule says, where, and what the vendor should change.
FINDINGS: dict[str, tuple[Word, Word, str, Word]] = {
    "composite_above": (
        _("A charger that would draw more than it may"),
        _("The composite schedule is the lowest of all limits that hold at a moment."),
        CHAPTER_K,
        _("Apply the profile with the highest stack level, and never more than the limit of the whole charger."),
    ),
    "composite_below": (
        _("A charger that draws less than it may"),
        _("The composite schedule is the lowest of all limits that hold at a moment."),
        CHAPTER_K,
        _("Drop profiles that were replaced or cleared, and those of sessions that are over."),
    ),
    "charging_profile_impossible": (
        _("A charging profile that cannot be"),
        _("Ids and stack levels of charging profiles are whole numbers of 32 bits, and EVSEs are counted from 0."),
        CHAPTER_K,
        _("Report profiles with the id and stack level that they were set with."),
    ),
    "charging_profile_missing": (
        _("A limit that the charger has lost"),
        _("A profile stays until it is replaced or cleared; those of the whole charger and of every session outlive a restart."),
        CHAPTER_K,
        _("Keep charging profiles through a restart, and report all of them."),
    ),
    "charging_profiles_full": (
        _("No room for a car's schedule"),
        _("A charger that holds as many charging profiles as it can takes no other until one is cleared."),
        CHAPTER_K,
        _("Raise how many charging profiles the charger can hold."),
    ),
    "ev_schedule_above": (
        _("A car that chose more than it may"),
        _("The schedule that a car chooses stays within the one that it was offered."),
        "OCPP 2.0.1 K15-K17",
        _("Offer the car the schedule of the session's charging profile, and hold it to that."),
    ),
}
#: What was done about them.
DONE: dict[str, Word] = {
    "composite_above": _("Both schedules are kept side by side; the charger is not trusted to hold this limit."),
    "composite_below": _("Both schedules are kept side by side; it may be a limit of the charger's own."),
    "charging_profile_impossible": _("What the charger said of this profile is left out."),
    "charging_profile_missing": _("It is shown as missing; set it again, or clear it."),
    "charging_profiles_full": _("The car is offered nothing; clear a charging profile that is not needed."),
    "ev_schedule_above": _("The car is offered a schedule within the limits anew."),
}


def amount(value: Any, unit: str) -> str:
    """16 A, or 11 kW."""
    if value is None:
        return "–"
    return f"{plain(value)}{SPACE}A" if unit == "A" else f"{plain(float(value) / 1000)}{SPACE}kW"


def where(evse: int) -> str:
    return gettext("Plug %(number)s") % {"number": evse} if evse else gettext("The whole charger")


def limits(body: dict[str, Any]) -> str:
    """The periods of its first schedule, each from when it counts."""
    for one in (body.get("schedules") or [])[:1]:
        return schedule(one)
    return ""


def schedule(of: dict[str, Any]) -> str:
    told, periods = [], of.get("periods") or []
    for one in periods[:4]:
        after, most = timedelta(seconds=one["start_s"]), amount(one["limit"], of["unit"])
        told.append(gettext("%(most)s after %(time)s") % {"most": most, "time": str(after)} if one["start_s"] else most)
    return ", ".join(told) + (" …" if len(periods) > 4 else "")
