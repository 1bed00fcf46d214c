"""Tariffs as OCPI 2.2.1 JSON: read from a file or a field, and what is wrong with one said in words, with its place."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import kept, series
from billing.tariff import InvalidTariff
from csms import storable

MOST_BYTES = 500_000
#: What a Tariff object may have that is no price: not kept, and not missed.
NO_PRICES = {"id", "country_code", "party_id", "currency", "last_updated"}
WHERE = {
    "elements": gettext_lazy("element %(n)s"),
    "price_components": gettext_lazy("price %(n)s"),
    "restrictions": gettext_lazy("its restrictions"),
}
#: What the engine says, and how people are told; {…} is what it names.
WORDS: tuple[tuple[str, str | Promise], ...] = (
    (r"must be one of (?P<names>.+)\.", gettext_lazy("must be one of %(names)s.")),
    (r"must be a list of (?P<names>.+)\.", gettext_lazy("must be a list of %(names)s.")),
    (r"must be a list with at least one item\.", gettext_lazy("must be a list with at least one item.")),
    (r"must be an object\.", gettext_lazy("must be an object, in braces.")),
    (r"must be a time such as 17:30\.", gettext_lazy("must be a time such as 17:30.")),
    (r"must be a date such as (?P<names>.+)\.", gettext_lazy("must be a date such as %(names)s.")),
    (r"must be a whole number of .+\.", gettext_lazy("must be a whole number, such as 1.")),
    (r"must be a number, not negative.*", gettext_lazy("must be a number that is not negative.")),
    (r"must be the name of a price series.*", gettext_lazy("names no price series of your network in this currency.")),
    (r"has two price components of one type: keep one\.", gettext_lazy("has two prices of one type: keep one.")),
    (r"must be three capital letters.*", gettext_lazy("must be three capital letters, such as EUR.")),
)


class JsonForm(forms.Form):
    """A Tariff object, typed or from a file; a new tariff with a name, or a version of one from a moment on."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120, required=False, help_text=gettext_lazy("Empty: its text, or its id.")
    )
    file = forms.FileField(
        label=gettext_lazy("From a file"), required=False, widget=forms.FileInput({"accept": ".json,application/json"})
    )
    text = forms.CharField(
        label=gettext_lazy("OCPI Tariff object"),
        required=False,
        max_length=MOST_BYTES,
        widget=forms.Textarea({"rows": 18, "spellcheck": "false", "class": "wire"}),
    )
    valid_from = forms.DateTimeField(
        label=gettext_lazy("Valid from"),
        required=False,
        help_text=gettext_lazy("Empty: from now on. What applied at a session's start stays applied."),
        widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
    )
    note = forms.CharField(label=gettext_lazy("Why"), max_length=200, required=False)

    def __init__(self, *args: Any, new: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("valid_from", "note") if new else ("name",):
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        file = cleaned.get("file")
        try:
            text = decoded(file.read(MOST_BYTES + 1)) if file else cleaned["text"]
            cleaned["ocpi"] = read_json(text)
        except ValidationError as error:
            self.add_error("file" if file else "text", error)
        return cleaned

    def refuse(self, error: ValidationError) -> None:
        """Show what the service said, each sentence at its field; of the object itself in words."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, errors in error.error_dict.items():
            place = "text" if name in ("ocpi", "currency") else name if name in self.fields else None
            self.add_error(place, [in_words(" ".join(one.messages)) for one in errors])


def decoded(content: bytes) -> str:
    """Raises ValidationError."""
    if len(content) > MOST_BYTES:
        raise ValidationError(_("The file is too large: %(n)s kB at most.") % {"n": MOST_BYTES // 1000})
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationError(_("The file is not UTF-8, as JSON has to be.")) from error


def read_json(text: str) -> dict[str, Any]:
    """One Tariff object, also as an OCPI answer wraps it (`data`), or in a list. Raises ValidationError with the place."""
    if not text.strip():
        raise ValidationError(_("Choose a file, or paste a Tariff object."))
    if "\x00" in text or "\\u0000" in text:
        raise ValidationError(_("There is a character in it that no text may have (U+0000)."))
    try:
        found = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno, "why": error.msg}
        raise ValidationError(_("Line %(line)s, column %(column)s: this is no JSON (%(why)s).") % where) from error
    except (RecursionError, ValueError) as error:
        raise ValidationError(_("This is nested too deeply, or has a number that is none.")) from error
    if why := storable.problem(found):
        raise ValidationError(_(why))
    if isinstance(found, Mapping) and "data" in found and "elements" not in found:
        found = found["data"]
    if isinstance(found, list):
        if len(found) != 1:
            raise ValidationError(_("There are %(n)s tariffs in it: take one at a time.") % {"n": len(found)})
        found = found[0]
    if not isinstance(found, dict):
        raise ValidationError(_("A Tariff object is expected, in braces."))
    try:
        series.parse(found | {"currency": found.get("currency", "EUR")})
    except InvalidTariff as error:
        raise ValidationError(in_words(str(error))) from error
    return found


def _no_number(name: str) -> None:
    raise ValueError(name)


def left_out(ocpi: Mapping[str, Any]) -> list[str]:
    """Fields of a Tariff object that are not kept, and that somebody may miss."""
    return sorted({name for name in ocpi if name not in NO_PRICES and name not in kept.KEPT} | kept.unknown(ocpi))


def name_of(ocpi: Mapping[str, Any]) -> str:
    """What an imported tariff is called."""
    texts = ocpi.get("tariff_alt_text")
    first = texts[0] if isinstance(texts, list) and texts else None
    told = first.get("text") if isinstance(first, Mapping) else None
    return str(told or ocpi.get("id") or _("Imported tariff"))[:120]


def in_words(said: str) -> str:
    """What the engine says of a Tariff object: `elements[0].restrictions.start_time must be …`."""
    where, reason = _parted(said)
    for pattern, words in WORDS:
        if found := re.fullmatch(pattern, reason):
            told = str(words) % {"names": found.groupdict().get("names", "")}
            return f"{_place(where)}: {told}" if where else told
    return said


def _parted(said: str) -> tuple[str, str]:
    found = re.match(r"(the tariff|[a-z_.\[\]0-9]+) ((?:must|has) .*)", said, re.DOTALL)
    return (found[1], found[2]) if found else ("", said)


def _place(where: str) -> str:
    """`elements[0].price_components[1].vat` as somebody would say it."""
    parts = []
    for part in where.split("."):
        found = re.fullmatch(r"(\w+)(?:\[(\d+)\])?", part)
        words = WHERE.get(found[1]) if found and (found[2] or found[1] == "restrictions") else None
        parts.append(part if words is None or found is None else str(words) % {"n": int(found[2] or 0) + 1})
    return ", ".join(parts)
