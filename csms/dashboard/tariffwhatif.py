"""What if: a session, past or described, under one tariff or several side by side. The address holds all of the question."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import catalogue, choosing, selectors, tariff, whatif
from billing.models import ChargeRecord, TariffVersion
from csms.dashboard.access import page
from csms.templatetags.units import money
from stations.models import Transaction

#: Versions side by side.
MOST_VERSIONS = 6


def moment(label: Any, help_text: Any = "") -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label, required=False, help_text=help_text, widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
        validators=[MinValueValidator(datetime(1970, 1, 2, tzinfo=UTC)), MaxValueValidator(datetime(2999, 12, 31, tzinfo=UTC))],
    )  # fmt: skip


class WhatIfForm(forms.Form):
    """A session by its number, or since when it was reserved, when it began and ended, how much it charged and how fast."""

    session = forms.IntegerField(
        label=gettext_lazy("Session"), required=False, min_value=1, max_value=2**63 - 1,
        help_text=gettext_lazy("The number in the address of its page."),
    )  # fmt: skip
    reserved = moment(gettext_lazy("Reserved since"), gettext_lazy("Empty: it was not."))
    start = moment(gettext_lazy("From"))
    end = moment(gettext_lazy("To"))
    kwh = forms.DecimalField(
        label=gettext_lazy("kWh"), required=False, min_value=Decimal(0), max_value=Decimal(100_000), decimal_places=3, max_digits=9,
        widget=forms.NumberInput({"step": "any", "min": "0", "inputmode": "decimal"}),
    )  # fmt: skip
    kw = forms.DecimalField(
        label=gettext_lazy("at kW"), required=False, min_value=Decimal("0.1"), max_value=Decimal(10_000), decimal_places=3,
        max_digits=8,
        help_text=gettext_lazy("Then it is parked. Empty: it charges all the time."),
        widget=forms.NumberInput({"step": "any", "min": "0.1", "inputmode": "decimal"}),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors or cleaned["session"] is not None:
            return cleaned
        for name in ("start", "end", "kwh"):
            if cleaned[name] is None:
                self.add_error(name, _("Say this too, or name a session."))
        if self.errors:
            return cleaned
        # Two times of one zone are as far apart as its clock shows: in UTC an hour that comes twice counts twice.
        start, end = (cleaned[name].astimezone(UTC) for name in ("start", "end"))
        reserved = cleaned["reserved"].astimezone(UTC) if cleaned["reserved"] else None
        cleaned |= {"start": start, "end": end, "reserved": reserved}
        if reserved is not None and reserved > start:
            self.add_error("reserved", _("It was reserved only after it began: exchange the two."))
        elif reserved is not None and start - reserved > whatif.LONGEST:
            self.add_error("reserved", _("A reservation may last %(n)s days at most.") % {"n": whatif.LONGEST.days})
        if end < start:
            self.add_error("end", _("It ends before it begins: exchange the two."))
        elif end - start > whatif.LONGEST:
            self.add_error("end", _("A session may last %(n)s days at most.") % {"n": whatif.LONGEST.days})
        elif cleaned["kw"] is not None and _charging(cleaned) > end - start:
            most = cleaned["kw"] * Decimal((end - start).total_seconds()) / 3600
            self.add_error("kwh", _("At this power it is %(kwh)s kWh at most.") % {"kwh": round(most, 2)})
        return cleaned

    def described(self) -> tariff.Session:
        """The session that a valid form without a number describes, by the clock of whoever looks."""
        given = self.cleaned_data
        start, end, energy_wh = given["start"], given["end"], given["kwh"] * 1000
        charged = end if given["kw"] is None else start + _charging(given)
        power_w = None if given["kw"] is None else given["kw"] * 1000
        samples = [tariff.Sample(start, Decimal(0), power_w), tariff.Sample(charged, energy_wh)]
        reserved = tariff.Reserved(given["reserved"], start) if given["reserved"] else None
        return tariff.Session(start, end, timezone.get_current_timezone_name(), samples, charged, reserved)


def _charging(given: dict[str, Any]) -> timedelta:
    return timedelta(seconds=float(given["kwh"] / given["kw"] * 3600))


@dataclass(frozen=True, slots=True)
class Column:
    """What a session costs under a version of a tariff, or why nobody can say. `difference`: with tax, to the first known."""

    title: str
    version: TariffVersion | None
    sentence: str
    lines: list[Any]
    net: Decimal | None = None
    gross: Decimal | None = None
    currency: str = ""
    difference: Decimal | None = None
    error: str = ""


@page
def show_what_if(request: HttpRequest) -> HttpResponse:
    """What would this session cost?"""
    entries = catalogue.tariffs() + catalogue.tariffs(retired=True)
    choices = list(catalogue.versions_to_try(entries))
    asked = any(request.GET.get(name) for name in WhatIfForm.base_fields)
    form = WhatIfForm(request.GET if asked else None)
    chosen = {int(one) for one in request.GET.getlist("version") if one.isascii() and one.isdigit() and len(one) < 19}
    context: dict[str, Any] = {"form": form, "choices": choices, "chosen": chosen, "most": MOST_VERSIONS}
    if asked and form.is_valid():
        context |= _answer(form, [version for _tariff, version, _state in choices if version.pk in chosen][:MOST_VERSIONS], entries)
    return render(request, "dashboard/tariff_what_if.html", context)


def _answer(form: WhatIfForm, versions: list[TariffVersion], entries: list[catalogue.Entry]) -> dict[str, Any]:
    transaction: Transaction | None = None
    billed: list[Column] = []
    number = form.cleaned_data["session"]
    try:
        if number is not None:
            transaction = Transaction.objects.select_related("operator", "station__site", "site", "evse").filter(pk=number).first()
            if transaction is None:
                form.add_error("session", _("There is no session of this number in your network."))
                return {}
            session: tariff.Session = whatif.past(transaction)
            billed = _billed(transaction)
        else:
            session = form.described()
    except tariff.InvalidSession as error:
        form.add_error("session", str(error))
        return {}
    if not versions:
        versions = [one.now.version for one in entries if one.now and one.tariff.retired_at is None][:MOST_VERSIONS]
    columns = [*billed, *(_column(version, session) for version in versions)]
    return {"columns": _compared(columns), "transaction": transaction, "session": session, "chosen": {one.pk for one in versions}}


def _billed(transaction: Transaction) -> list[Column]:
    """By the charge that counts; if that was taken back and none came in its place, that is said. Never billed: nothing."""
    record = selectors.valid().filter(transaction=transaction).select_related("tariff").first()
    if record is not None:
        title = _("As it was billed: %(tariff)s") % {"tariff": record.tariff.name}
        return [Column(title, None, "", record.lines, record.total_excl_tax, record.total_incl_tax, record.currency)]
    credit = ChargeRecord.objects.filter(transaction=transaction).order_by("-revision").first()
    if credit is None:
        return []
    said = _("Its charge of %(amount)s was credited on %(day)s, and no other was made: nothing is billed of it.")
    amount, day = money(-credit.total_incl_tax, credit.currency), date_format(timezone.localtime(credit.created_at), "j M Y")
    return [Column(_("As it was billed: credited in full"), None, "", [], error=said % {"amount": amount, "day": day})]


def _column(version: TariffVersion, session: tariff.Session) -> Column:
    title = _("%(tariff)s, version %(n)s") % {"tariff": version.tariff.name, "n": version.number}
    ocpi = choosing.as_ocpi(version)
    sentence = catalogue.Version(version, None, "").sentence
    try:
        priced = whatif.priced(ocpi, session, operator_id=version.operator_id)
    except tariff.NoCurrent:
        return Column(title, version, sentence, [], error=_("It goes by the current, and nobody said that of this session."))
    except tariff.NoPrice:
        return Column(title, version, sentence, [], error=_("The market's price of one of its hours is not known."))
    except tariff.InvalidSession as error:
        return Column(title, version, sentence, [], error=str(error))
    gross = priced.total_excl_tax if priced.total_incl_tax is None else priced.total_incl_tax
    return Column(title, version, sentence, list(priced.lines), priced.total_excl_tax, gross, priced.currency)


def _compared(columns: list[Column]) -> list[Column]:
    """Each with its difference to the first of the same currency."""
    first = next((one for one in columns if one.gross is not None), None)
    if first is None or first.gross is None:
        return columns
    return [
        replace(one, difference=one.gross - first.gross)
        if one is not first and one.gross is not None and one.currency == first.currency
        else one
        for one in columns
    ]
