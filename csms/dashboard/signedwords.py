"""What is known of meters' signatures, in words: a badge, why, and what to do."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.signedmeter import Verdict
from billing.signedmodels import INCOMPLETE
from billing.signedselectors import Signed

Word = str | Promise


@dataclass(frozen=True, slots=True)
class Badge:
    """`look` is the class of its colour, `icon` its shape: nothing is told by colour alone."""

    look: str
    icon: str
    word: Word
    why: Word


UNCHECKED = Badge("is-note", "note", _("Signature not checked yet"), _("That takes a moment after the end of the session."))
BADGES: dict[str, Badge] = {
    Verdict.VERIFIED: Badge(
        "is-good",
        "available",
        _("Signature verified"),
        _("The meter signed it with the key that is known of it, and nothing was changed."),
    ),
    Verdict.WRONG: Badge(
        "is-bad",
        "faulted",
        _("Signature wrong"),
        _("It was signed with another key than the meter's, or changed since. Compare the key with the one printed on the meter."),
    ),
    Verdict.OTHER_KEY: Badge(
        "is-bad",
        "faulted",
        _("Signed with another key"),
        _("The signature is right by a key that came with it, which is not the one known of this meter."),
    ),
    Verdict.KEY_UNKNOWN: Badge(
        "is-note",
        "none",
        _("Key unknown"),
        _("The meter signed it, and nobody has told yet with which key. The key is printed on the meter."),
    ),
    Verdict.UNREADABLE: Badge(
        "is-note",
        "none",
        _("Cannot be read"),
        _("What the meter signed is in a form that cannot be read here. It is kept as it came."),
    ),
    Verdict.UNSUPPORTED: Badge(
        "is-note",
        "none",
        _("Cannot be checked here"),
        _("It is signed in a way that cannot be calculated here. Transparency software may be able to."),
    ),
    INCOMPLETE: Badge(
        "is-note",
        "note",
        _("Signature verified, not complete"),
        _("What came is signed rightly, but the begin or the end is not among it."),
    ),
}
DIFFERS = Badge(
    "is-bad",
    "faulted",
    _("Signature verified, energy differs"),
    _("The meter signed another energy than the session has. The signed one counts."),
)
#: What a difference is about.
DIFFERENCES: dict[str, Word] = {
    "energy": _("Another energy"),
    "register": _("The register fell"),
    "time": _("Another time"),
    "id_tag": _("Another id tag"),
    "meter": _("Several meters"),
    "fault": _("A fault of the meter"),
    "context": _("Begin and end exchanged"),
    "page": _("Pages in the wrong order"),
}
#: How a meter knows the time (OCMF, table 19).
CLOCKS: dict[str, Word] = {
    "S": _("synchronised"),
    "R": _("counted from the start"),
    "I": _("for information only"),
    "U": _("not synchronised"),
}
#: Why a meter was read (OCMF, TX).
REASONS: dict[str, Word] = {
    "B": _("Begin"),
    "C": _("Charging"),
    "X": _("Error, charging goes on"),
    "E": _("End"),
    "L": _("End, stopped at the charger"),
    "R": _("End, stopped from afar"),
    "A": _("End by an error"),
    "P": _("End by a power failure"),
    "S": _("Paused"),
    "T": _("Change of tariff"),
}


def badge(signed: Signed) -> Badge:
    """That of a session."""
    result = signed.result
    if result is None:
        return UNCHECKED
    if result.verdict == Verdict.VERIFIED and any(one["code"] == "energy" for one in result.differences):
        return DIFFERS
    return BADGES[result.verdict]


def of_verdict(verdict: str) -> Badge:
    return BADGES.get(verdict, UNCHECKED)
