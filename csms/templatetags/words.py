"""Codes in words."""

import shlex

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stations.domain.values import Doubt, Reconstruction, Severity, Trust
from stations.models import Refusal, Sent, Transaction

register = template.Library()

DOUBTS: dict[str, str | Promise] = {
    Doubt.START_MISSING: _("Its start was never reported"),
    Doubt.STOP_MISSING: _("Its end was never reported"),
    Doubt.REGISTER: _("Its meter readings contradict each other"),
    Doubt.EVENTS_MISSING: _("Something is missing between its start and its end"),
    Doubt.STOP_ATTACHED: _("Its end named another session, and may belong to that"),
    Doubt.SIGNED: _("Its meter signed another energy"),
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
    "RESERVATION": _("Reservation"),
    "MIN_PRICE": _("Up to the minimum price"),
    "MAX_PRICE": _("Down to the maximum price"),
}
#: Why a charger was turned away, by its reason. `Refusal.detail` says it in English, with what is special about it.
REASONS: dict[str, str | Promise] = {
    "unknown_station": _("No charger with this identity is registered."),
    "no_identity": _("The address that it dials lacks its identity."),
    "wrong_path": _("It dials an address that is not for chargers."),
    "bad_handshake": _("Its WebSocket handshake is broken."),
    "not_a_websocket": _("It asked for a page where chargers open a WebSocket."),
    "tls_here": _("It spoke TLS (wss://) to a port that speaks none, and so could not say who it is."),
    "tls_required": _("It came without TLS, which its security profile demands."),
    "profile_lowered": _("It came without TLS, and has come with it before."),
    "no_password": _("It sent no password."),
    "wrong_user": _("The user name that it sends is not its identity."),
    "wrong_password": _("Its password is wrong."),
    "no_common_subprotocol": _("It offers no version of OCPP that is spoken here."),
    "replaced": _("It knocked twice in the same moment; the later one was let in."),
}
#: What to do about a refusal, by its reason.
REMEDIES: dict[str, str | Promise] = {
    "unknown_station": _("If it is yours, register it:"),
    "no_identity": _("Add the identity to the address in the charger's settings."),
    "wrong_path": _("In the charger's settings, let the address end in /ocpp/ and the identity."),
    "bad_handshake": _("Update the charger's firmware; a proxy in between must pass Upgrade and Connection on."),
    "not_a_websocket": _("Choose OCPP-J (JSON, WebSocket) in the charger's settings, not SOAP; a browser is no charger."),
    "tls_here": _("Use a ws:// address, or the port at which a proxy ends TLS."),
    "tls_required": _("Use a wss:// address, or lower the charger's security profile."),
    "profile_lowered": _("Use a wss:// address again. If its way was changed on purpose, allow it once, and say why."),
    "no_password": _("Enter the password in the charger's settings."),
    "wrong_user": _("Most chargers send their identity by themselves: look for a setting that changes it."),
    "wrong_password": _("Enter the password that was printed when the station was added, or give it a new one."),
    "no_common_subprotocol": _("Set the charger to OCPP 1.6J or 2.0.1."),
}
#: What a charger presented as its password, where that cannot be taken.
PRESENTED: dict[str, str | Promise] = {
    Sent.NOTHING: _("It sends no password."),
    Sent.SHORT: _("The password that it sends is too short to be taken: 16 characters are the least."),
    Sent.LONG: _("The password that it sends is too long to be taken: 40 characters are the most."),
    Sent.ODD: _("The password that it sends cannot be taken: it is not made of printable characters."),
}


@register.filter
def why(refusal: Refusal) -> str | Promise:
    """Why it was turned away."""
    return REASONS.get(refusal.reason, refusal.detail or refusal.reason)


@register.filter
def presented(refusal: Refusal) -> str | Promise:
    """Why what it presented as a password cannot be taken; empty: it can, or nobody knows."""
    return PRESENTED.get(refusal.sent, "")


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
