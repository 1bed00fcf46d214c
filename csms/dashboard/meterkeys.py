"""The keys with which a charger's meters sign: what its page shows, and the form to register one."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.permissions import may
from billing import signedselectors
from billing.models import KeySource, MeterKey
from billing.signedmeter import CURVES, LONGEST_KEY
from csms.dashboard.station import Head
from stations.models import Evse, Station

MAY_CHANGE = "stations.change"


@dataclass(frozen=True, slots=True)
class KeyRow:
    key: MeterKey

    @property
    def grouped(self) -> str:
        """Its fingerprint, as two people compare it by voice."""
        text = self.key.fingerprint[:32]
        return " ".join(text[at : at + 4] for at in range(0, len(text), 4))

    @property
    def word(self) -> str | Promise:
        if self.key.retired_at is not None:
            return _("Retired")
        return _("Trusted") if self.key.trusted else _("Not trusted")

    @property
    def look(self) -> str:
        if self.key.retired_at is not None:
            return ""
        return "is-good" if self.key.trusted else "is-bad"

    @property
    def source(self) -> str:
        """Who says that it is the meter's."""
        if self.key.source == KeySource.STATION:
            return _("The charger itself sent it")
        by = self.key.registered_by
        return _("Registered by %(who)s") % {"who": by.name or by.email} if by else _("Registered")

    @property
    def trustable(self) -> bool:
        """Whether a person may still vouch for it."""
        return self.key.source == KeySource.STATION or self.key.retired_at is not None


class Register(forms.Form):
    """A key as it is printed on the meter. The rules are those of `billing.meterkeys`."""

    public_key = forms.CharField(
        label=gettext_lazy("Public key"),
        max_length=LONGEST_KEY,
        widget=forms.Textarea({"rows": 4, "spellcheck": "false", "autocomplete": "off", "class": "code"}),
        help_text=gettext_lazy("As it is printed on the meter or behind its QR code: hex, Base64 or PEM."),
    )
    evse: "forms.ModelChoiceField[Evse]" = forms.ModelChoiceField(
        label=gettext_lazy("Plug"), required=False, queryset=None, empty_label=gettext_lazy("All plugs of this charger")
    )
    meter_serial = forms.CharField(
        label=gettext_lazy("Serial number of the meter"),
        required=False,
        max_length=50,
        help_text=gettext_lazy("With it, the key holds for this meter alone."),
    )
    curve = forms.ChoiceField(
        label=gettext_lazy("Curve"),
        required=False,
        choices=[("", gettext_lazy("As the key says")), *((name, name) for name in CURVES if not name.startswith("brainpoolp"))],
        help_text=gettext_lazy("Needed only for a bare point, which does not say it."),
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=200)

    def __init__(self, station: Station, data: Any = None) -> None:
        super().__init__(data)
        field: Any = self.fields["evse"]
        # Not at import: plugs are those of this charger.
        field.queryset = Evse.objects.filter(station=station).order_by("number")
        field.label_from_instance = lambda evse: _("Plug %(number)s") % {"number": evse.number}


def part(request: HttpRequest, head: Head) -> dict[str, Any]:
    """The part of a charger's page."""
    may_change = may(request.user, MAY_CHANGE)
    return {
        "rows": [KeyRow(key) for key in signedselectors.keys(head.station)],
        "may_change": may_change,
        "form": Register(head.station) if may_change else None,
    }
