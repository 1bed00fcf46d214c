"""Codes in words."""

import shlex

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stations.domain.values import Doubt, Reconstruction, Severity, Trust
from stations.models import Transaction

register = template.Library()

DOUBTS: dict[str, str | Promise] = {
    Doubt.START_MISSING: _("Its start was never reported"),
    Doubt.STOP_MISSING: _("Its end was never reported"),
    Doubt.REGISTER: _("Its meter readings contradict each other"),
    Doubt.EVENTS_MISSING: _("Something is missing between its start and its end"),
    Doubt.STOP_ATTACHED: _("Its end named another session, and may belong to that"),
    Doubt.SET_ASIDE: _("Set aside, not billed"),
}
#: The sentences under which `trust` stands on a session's page: a word, its colour, and why.
TRUSTED: dict[str, tuple[str, str | Promise, str | Promise]] = {
    "measured": ("is-good", _("Measured"), _("The charger told the meter at the start and at the end.")),
    Reconstruction.GAPS: (
        "is-warning",
        _("Reconstructed"),
        _("The charger told the meter at the start and at the end, and has nothing more of what is missing in between."),
    ),
    Reconstruction.RULE: ("is-warning", _("Reconstructed"), _("Its end was never reported; it was ended by rule.")),
    Reconstruction.PERSON: ("is-warning", _("Reconstructed"), _("Somebody looked at it and decided.")),
}
FIXES: dict[str, str | Promise] = {
    "close": _("Set by hand"),
    "attach": _("Stop attached"),
    "recalculate": _("Counted anew"),
    "accept": _("Accepted as it was"),
    "write_off": _("Written off"),
}
SEVERITIES: dict[str, str | Promise] = {Severity.INFO: _("Note"), Severity.WARNING: _("Warning"), Severity.ERROR: _("Error")}
DIMENSIONS: dict[str, str | Promise] = {
    "ENERGY": _("Energy"),
    "TIME": _("Time"),
    "FLAT": _("Per session"),
    "PARKING_TIME": _("Parking"),
}
#: What to do about a refusal, by its reason; `Refusal.detail` says what was wrong.
REMEDIES: dict[str, str | Promise] = {
    "unknown_station": _("If it is yours, register it:"),
    "no_identity": _("Add the identity to the address in the charger's settings."),
    "tls_required": _("Use a wss:// address, or lower the charger's security profile."),
    "no_password": _("Enter the password in the charger's settings."),
    "wrong_user": _("Most chargers send their identity by themselves: look for a setting that changes it."),
    "wrong_password": _("Enter the password that was printed when the station was added, or give it a new one."),
    "no_common_subprotocol": _("Set the charger to OCPP 1.6J or 2.0.1."),
}


@register.filter
def doubt(code: str) -> str | Promise:
    """Why a transaction cannot be billed yet."""
    return DOUBTS.get(code, code)


@register.inclusion_tag("dashboard/_trust.html")
def trust(transaction: Transaction) -> dict[str, object]:
    """How far a session's energy can be trusted, with the reason."""
    if transaction.trust is Trust.DOUBTFUL:
        return {"look": "is-serious", "word": _("Doubtful"), "why": doubt(transaction.doubt)}
    look, word, why = TRUSTED[transaction.reconstructed or "measured"]
    return {"look": look, "word": word, "why": why}


@register.filter
def fix(code: str) -> str | Promise:
    """How a session was put right."""
    return FIXES.get(code, code)


@register.filter
def severity(code: str) -> str | Promise:
    return SEVERITIES.get(code, code)


@register.filter
def dimension(code: str) -> str | Promise:
    """What a price line is for."""
    return DIMENSIONS.get(code.upper(), code)


@register.filter
def remedy(reason: str) -> str | Promise:
    """What the operator can do so that the station is let in."""
    return REMEDIES.get(reason, "")


@register.filter
def shell(value: str) -> str:
    """As one word of a shell's command line."""
    return shlex.quote(value)
