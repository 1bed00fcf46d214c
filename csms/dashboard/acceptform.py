"""The form by which a charger that knocked is accepted: with which password, and whether it may charge at once."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from csms.dashboard.serviceforms import ServiceForm
from stations.models import Refusal
from stations.services import onboarding
from stations.services.onboarding import Terms

MADE, TYPED, SENT, NONE = "made", "typed", "sent", "none"


class AcceptForm(ServiceForm):
    """`refusal`: the knock that it answers, which says what can be chosen."""

    identity = forms.CharField(max_length=255, widget=forms.HiddenInput)
    refusal = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**63 - 1)
    seen = forms.CharField(max_length=16, widget=forms.HiddenInput, required=False)
    by = forms.ChoiceField(
        label=_("Password"),
        choices=[
            (SENT, _("The one it sends: nothing has to be entered at the charger")),
            (MADE, _("A new one, made for it: it is shown once, to be entered at the charger")),
            (TYPED, _("This one:")),
            (NONE, _("None (security profile 0)")),
        ],
        widget=forms.RadioSelect,
    )
    password = forms.CharField(
        label=_("The password, if you choose it yourself"),
        max_length=40,
        required=False,
        help_text=_("16 to 40 characters."),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    sure = forms.BooleanField(
        label=_("Without a password, whoever knows its name can pass for it. I want that, in a network of my own."), required=False
    )
    security_profile = forms.ChoiceField(
        label=_("Way in"),
        choices=[("1", _("ws:// or wss:// (security profile 1)")), ("2", _("wss:// only (security profile 2)"))],
    )
    hold = forms.BooleanField(
        label=_("Hold it until it is configured: it is let in, and told to wait. Nobody can charge."), required=False
    )
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    site = forms.CharField(label=_("Site"), max_length=120, required=False)
    use_required_attribute = False

    knock: Refusal | None = None

    @classmethod
    def of(cls, refusal: Refusal) -> "AcceptForm":
        initial = {
            "identity": refusal.identity,
            "refusal": refusal.pk,
            "seen": onboarding.mark(refusal),
            "by": SENT if refusal.sent_hash else MADE,
            "security_profile": "2" if refusal.secure else "1",
        }
        return cls(initial=initial).about(refusal)

    def about(self, refusal: Refusal | None) -> "AcceptForm":
        """Offer what this knock allows."""
        self.knock = refusal
        field = self.fields["by"]
        assert isinstance(field, forms.ChoiceField)
        if refusal is None or not refusal.sent_hash:
            field.choices = [choice for choice in AcceptForm.base_fields["by"].choices if choice[0] != SENT]  # type: ignore[attr-defined]
        return self

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("by") == NONE and not data.get("sure"):
            self.add_error("sure", gettext("Tick this to accept it without a password."))
        if data.get("by") == TYPED and not data.get("password"):
            self.add_error("password", gettext("Enter the password, or choose another way."))
        return data

    def terms(self) -> Terms:
        data = self.cleaned_data
        return Terms(
            by=data["by"],
            password=data["password"],
            security_profile=int(data["security_profile"]),
            hold=data["hold"],
            name=data["name"],
            site=data["site"],
            seen=data["seen"],
        )
