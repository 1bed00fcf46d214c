"""What a charger was asked of customers: the part of its tab Display, for those who may see it."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.permissions import may
from csms.dashboard import monitoring
from csms.dashboard import monitoringwords as words
from csms.dashboard.station import Head
from stations.domain import commands
from stations.domain.commands.customerinformation import ALGORITHMS, TOKEN_TYPES
from stations.models import Report, ReportKind, Station
from stations.services import customerinformation

MAY = "customers.fetch"
SHOWN = 10
BY: dict[str, str | Promise] = {
    "id_token": _("An id tag"),
    "customer_identifier": _("A customer number or another identifier"),
    "customer_certificate": _("A certificate"),
}


class CustomerForm(forms.Form):
    """Whom it is about, and what is wanted."""

    by = forms.ChoiceField(label=_("Customer, by"), choices=list(BY.items()), initial="id_token")
    value = forms.CharField(
        label=_("Id tag, identifier, or the serial number of the certificate"), max_length=64, widget=forms.TextInput()
    )
    token_type = forms.ChoiceField(
        label=_("Kind of id tag"), choices=[(one, one) for one in TOKEN_TYPES], initial="ISO14443", required=False
    )
    algorithm = forms.ChoiceField(
        label=_("Hash of the certificate"), choices=[(one, one) for one in ALGORITHMS], initial="SHA256", required=False
    )
    issuer_name_hash = forms.CharField(label=_("Hash of its issuer's name"), max_length=128, required=False)
    issuer_key_hash = forms.CharField(label=_("Hash of its issuer's key"), max_length=128, required=False)
    do = forms.ChoiceField(
        label=_("What is wanted"),
        choices=[
            ("report", _("Tell what is kept")),
            ("both", _("Tell it, and delete it at the charger")),
            ("clear", _("Delete it at the charger")),
        ],
        initial="report",
    )

    def command(self) -> commands.Command:
        """Raises BadCommand."""
        data = self.cleaned_data
        asked: dict[str, Any] = {"report": data["do"] != "clear", "clear": data["do"] != "report"}
        if data["by"] == "id_token":
            asked |= {"id_token": data["value"], "id_token_type": data["token_type"] or "ISO14443"}
        elif data["by"] == "customer_identifier":
            asked |= {"customer_identifier": data["value"]}
        else:
            hashes = {name: data[name] for name in ("issuer_name_hash", "issuer_key_hash")}
            algorithm = data["algorithm"] or "SHA256"
            asked |= {"customer_certificate": {"hash_algorithm": algorithm, "serial_number": data["value"], **hashes}}
        return commands.CustomerInformation.of(asked)


@dataclass(frozen=True, slots=True)
class CustomerRow:
    report: Report
    text: str

    @property
    def slug(self) -> str:
        return words.REPORT_SLUGS.get(self.report.status, "note")

    @property
    def word(self) -> words.Word:
        return words.REPORTS.get(self.report.status, self.report.status)

    @property
    def who(self) -> str:
        about = self.report.about
        certificate = about.get("customer_certificate") or {}
        return str(about.get("id_token") or about.get("customer_identifier") or certificate.get("serial_number", ""))

    @property
    def wanted(self) -> words.Word:
        about = self.report.about
        if about.get("report") and about.get("clear"):
            return _("told and deleted")
        return _("deleted") if about.get("clear") else _("told")


def customers_of(station: Station) -> Any:
    return Report.objects.filter(station=station, kind=ReportKind.CUSTOMER).select_related("station").order_by("-pk")


def context(request: HttpRequest, head: Head) -> dict[str, Any]:
    if not may(request.user, MAY):
        return {"may": False}
    found = customers_of(head.station)[:SHOWN]
    return {
        "may": True,
        "sayable": monitoring.sayable(head),
        "rows": [CustomerRow(one, customerinformation.text_of(one)) for one in found],
        "form": CustomerForm(),
        "days": customerinformation.KEPT.days,
        "problem": "",
    }
