"""The certificates of a charger, on its page: which are installed, installing and deleting them, and its requests for new ones."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.permissions import may
from csms.dashboard import commandrows, securitywords
from csms.dashboard.station import Head
from stations.domain import commands as asks
from stations.domain.certificates import ROOTS, CertificateType
from stations.domain.commands import Command
from stations.domain.commands.security import LONGEST, LONGEST_CHAIN
from stations.models import CertificateRequest, InstalledCertificate, RequestStatus, Station
from stations.problems import ENDS_WITHIN

MAY_CHANGE = "stations.change"
SHOWN, REQUESTS_SHOWN = 50, 10
#: What a charger may be asked by one button.
BUTTONS: dict[str, Command] = {
    "read": asks.GetInstalledCertificates(),
    "renew": asks.TriggerMessage("SignChargingStationCertificate"),
    "renew_v2g": asks.TriggerMessage("SignV2GCertificate"),
}


class InstallForm(forms.Form):
    """A root certificate, as text or as a file."""

    type = forms.ChoiceField(label=gettext_lazy("What it is for"), choices=[(one, securitywords.TYPES[one]) for one in ROOTS])
    certificate = forms.CharField(
        label=gettext_lazy("Certificate (PEM)"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea({"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("From -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, or choose its file below."),
    )
    file = forms.FileField(label=gettext_lazy("File"), required=False)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if (upload := data.get("file")) and not data.get("certificate"):
            if upload.size > LONGEST:
                self.add_error("file", _("This file is too large for one certificate."))
            else:
                data["certificate"] = upload.read().decode("ascii", "replace").replace("\x00", "").strip()
        elif not data.get("certificate") and "certificate" not in self.errors:
            self.add_error("certificate", _("Paste the certificate, or choose its file."))
        return data

    def command(self) -> Command:
        return asks.InstallCertificate(self.cleaned_data["type"], self.cleaned_data["certificate"])


class AnswerForm(forms.Form):
    """The certificate that somebody made of a request. A page may have several: each field has an id of its own."""

    chain = forms.CharField(
        label=gettext_lazy("Certificate chain (PEM)"),
        max_length=LONGEST_CHAIN,
        widget=forms.Textarea({"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("The charger's own first, then those that issued it."),
    )

    def __init__(self, asked: CertificateRequest, data: Any = None) -> None:
        super().__init__(data, auto_id=f"%s-{asked.pk}")
        self.asked = asked


@dataclass(frozen=True, slots=True)
class CertificateRow:
    certificate: InstalledCertificate

    @property
    def use(self) -> str:
        return securitywords.use(self.certificate.type)

    @property
    def name(self) -> str:
        """Its subject; of one that nobody has seen, its number."""
        return self.certificate.subject or _("Number %(number)s") % {"number": self.certificate.serial_number}

    @property
    def ended(self) -> bool:
        ends = self.certificate.not_after
        return ends is not None and ends <= timezone.now()

    @property
    def ends_soon(self) -> bool:
        ends = self.certificate.not_after
        return ends is not None and not self.ended and ends <= timezone.now() + ENDS_WITHIN

    @property
    def deletable(self) -> bool:
        """The charger names it, or we know all its hashes; its own are not deleted but replaced."""
        own = self.certificate.type in (CertificateType.STATION, CertificateType.V2G)
        return not own and bool(self.certificate.issuer_key_hash)


@dataclass(frozen=True, slots=True)
class RequestRow:
    """`form`: to answer it by hand; None for those who may not."""

    request: CertificateRequest
    form: AnswerForm | None = None

    @property
    def word(self) -> str:
        return str(securitywords.REQUESTS[self.request.status][0])

    @property
    def slug(self) -> str:
        return securitywords.REQUESTS[self.request.status][1]

    @property
    def use(self) -> str:
        return securitywords.use(self.request.type)

    @property
    def answerable(self) -> bool:
        """By hand: nobody does it otherwise, or what was sent did not arrive."""
        open_ends = (RequestStatus.REJECTED, RequestStatus.RECEIVED, RequestStatus.SIGNED, RequestStatus.REFUSED)
        return self.request.status in open_ends and not self.request.problems


def of(station: Station) -> Any:
    return InstalledCertificate.objects.filter(station=station).order_by("-id")


def requests_of(station: Station, *, may_change: bool, refused: AnswerForm | None = None) -> list[RequestRow]:
    """The newest. `refused`: what was entered for one of them, with what is wrong with it."""
    rows = []
    for one in CertificateRequest.objects.filter(station=station).order_by("-id")[:REQUESTS_SHOWN]:
        form = refused if refused is not None and refused.asked.pk == one.pk else AnswerForm(one)
        rows.append(RequestRow(one, form if may_change else None))
    return rows


def part(request: HttpRequest, head: Head) -> dict[str, Any]:
    station = head.station
    may_change = may(request.user, MAY_CHANGE)
    rows = [CertificateRow(one) for one in of(station).filter(removed_at=None)[: SHOWN + 1]]
    kinds = ("install_certificate", "delete_certificate", "get_installed_certificates", "certificate_signed")
    return {
        "rows": rows[:SHOWN],
        "more": len(rows) > SHOWN,
        "requests": requests_of(station, may_change=may_change),
        "form": InstallForm() if may_change else None,
        "asked": [row for row in commandrows.newest(station, head.online) if row.command.kind in kinds][:1],
        "may_change": may_change,
        "may_command": may(request.user, "commands.send"),
    }
