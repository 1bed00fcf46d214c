"""The form of a quirk: what it is about, and a line to tick for each thing that can be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from csms.dashboard.serviceforms import ServiceForm
from csms.ocpp.quirks import ANSWERED, HEARD, MOST, REGISTRY, SENT, Adjustment, Parameter
from csms.ocpp.registry import PROTOCOLS
from stations.models import Quirk
from stations.services.quirks import LONGEST_FRAME

Word = str | Promise
DIRECTIONS: dict[str, Word] = {
    HEARD: _("What it says"),
    ANSWERED: _("What it is answered"),
    SENT: _("What it is asked"),
}


class QuirkForm(ServiceForm):
    """The rules are those of `stations.services.quirks`; their errors are put to the fields."""

    name = forms.CharField(label=_("What is odd"), max_length=120)
    vendor = forms.CharField(
        label=_("Vendor"),
        max_length=50,
        required=False,
        help_text=_("As it tells it when it boots; * at the end stands for any more."),
    )
    model = forms.CharField(label=_("Model"), max_length=50, required=False, help_text=_("Empty: all of the vendor's."))
    firmware_from = forms.CharField(label=_("Firmware from"), max_length=100, required=False)
    firmware_to = forms.CharField(label=_("Firmware to"), max_length=100, required=False, help_text=_("Both of them belong to it."))
    protocol = forms.ChoiceField(
        label=_("Speaks"),
        required=False,
        choices=[("", _("any")), *((one, f"OCPP {one.removeprefix('ocpp')}") for one in PROTOCOLS)],
    )
    source = forms.CharField(
        label=_("Where it was seen"), max_length=300, required=False, widget=forms.URLInput({"placeholder": "https://"})
    )
    frame = forms.CharField(
        label=_("A frame that shows it"),
        max_length=LONGEST_FRAME,
        required=False,
        widget=forms.Textarea({"rows": 4, "spellcheck": "false", "class": "wire"}),
    )


@dataclass(frozen=True, slots=True)
class Given:
    """A parameter with what was typed for it."""

    parameter: Parameter
    field: str
    value: Any

    @property
    def text(self) -> str:
        return ", ".join(self.value) if isinstance(self.value, list) else "" if self.value is None else str(self.value)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that can be done, ticked or not."""

    field: str
    known: Adjustment
    ticked: bool
    given: list[Given]


@dataclass(frozen=True, slots=True)
class Group:
    title: Word
    lines: list[Line]


def groups(adjustments: list[dict[str, Any]]) -> list[Group]:
    """Every adjustment that there is, as often as the quirk has it; those of which it may have more, once more."""
    found: dict[str, list[Line]] = {direction: [] for direction in DIRECTIONS}
    for name, known in REGISTRY.items():
        own = [one for one in adjustments if one.get("do") == name]
        more: list[dict[str, Any] | None] = [None] if not own or (known.many and len(adjustments) < MOST) else []
        for number, one in enumerate([*own, *more]):
            field = f"{name}-{number}"
            given = [Given(p, f"{field}-{p.name}", (one or {}).get(p.name)) for p in known.parameters]
            found[known.direction].append(Line(field, known, one is not None, given))
    return [Group(title, found[direction]) for direction, title in DIRECTIONS.items()]


def ticked(post: Mapping[str, str]) -> list[dict[str, Any]]:
    """The adjustments that a posted form says. What they may be is looked at by who keeps them."""
    found = []
    for name, known in REGISTRY.items():
        for number in range(MOST):
            field = f"{name}-{number}"
            if field in post:
                given = {p.name: _typed(p, post.get(f"{field}-{p.name}", "")) for p in known.parameters}
                found.append({"do": name} | {key: value for key, value in given.items() if value})
    return found


def _typed(parameter: Parameter, text: str) -> Any:
    return bool(text) if parameter.kind == "yes" else text.replace("\x00", "").strip()


def initial(quirk: Quirk) -> dict[str, Any]:
    return {name: getattr(quirk, name) for name in QuirkForm.base_fields}
