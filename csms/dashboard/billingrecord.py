"""One charge record: what it is made of, what became of it, and how a person corrects it."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.permissions import may
from billing import corrections, drafts, ledger
from billing.models import ChargeRecord, RecordKind, Tariff
from csms.dashboard.access import action, page
from csms.dashboard.billing import MAY_CORRECT

HOW = [
    (corrections.SAME, gettext_lazy("Again, by the version of the tariff that it had")),
    (corrections.ASSIGNED, gettext_lazy("By the tariff that is assigned now")),
    ("tariff", gettext_lazy("By another tariff")),
    (corrections.NOTHING, gettext_lazy("Not at all: credit it in full")),
]


class CorrectForm(forms.Form):
    """How a record is priced anew, and why."""

    pricing = forms.ChoiceField(label=gettext_lazy("Price the session"), choices=HOW, initial=corrections.SAME)
    tariff: "forms.ModelChoiceField[Tariff]" = forms.ModelChoiceField(
        label=gettext_lazy("The other tariff"), required=False, queryset=None, empty_label=gettext_lazy("none")
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300, required=False)

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        field = self.fields["tariff"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Tariff.objects.filter(retired_at=None).order_by("name")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("pricing") == "tariff" and not cleaned.get("tariff") and "tariff" not in self.errors:
            self.add_error("tariff", _("Choose the other tariff."))
        return cleaned

    @property
    def asked(self) -> dict[str, Any]:
        """As the service takes it."""
        pricing, tariff = self.cleaned_data["pricing"], self.cleaned_data["tariff"]
        return {"tariff": tariff} if pricing == "tariff" else {"pricing": pricing}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a correction would make. `draft` None: it is only credited. `same`: nothing would change."""

    draft: ChargeRecord | None
    same: bool
    problem: str = ""


def _record(pk: int) -> ChargeRecord:
    return get_object_or_404(ledger.records(), pk=pk)


@page
def show_record(request: HttpRequest, pk: int) -> HttpResponse:
    """What a session cost, line by line, and what a correction would make of it."""
    asked = request.GET if "pricing" in request.GET else None
    return _show(request, _record(pk), CorrectForm(asked))


def _show(request: HttpRequest, record: ChargeRecord, form: CorrectForm) -> HttpResponse:
    chain = ledger.chain(record)
    credited = next((one for one in chain if one.credits_id == record.pk), None)
    counts = record.kind == RecordKind.CHARGE and credited is None
    may_correct = may(request.user, MAY_CORRECT) and counts
    outcome = _outcome(record, form) if may_correct and form.is_bound and form.is_valid() else None
    context = {
        "record": record,
        "t": record.transaction,
        "chain": chain if len(chain) > 1 else [],
        "credited": credited,
        "counts": counts,
        "form": form,
        "may_correct": may_correct,
        "outcome": outcome,
        "difference": outcome.draft.total_incl_tax - record.total_incl_tax
        if outcome and outcome.draft and outcome.draft.currency == record.currency
        else None,
    }
    refused = form.errors and request.method == "POST"
    return render(request, "dashboard/billing_record.html", context, status=422 if refused else 200)


def _outcome(record: ChargeRecord, form: CorrectForm) -> Outcome:
    asked = form.asked
    if asked.get("pricing") == corrections.NOTHING:
        return Outcome(None, same=False)
    draft = corrections.anew([record], **asked)[record.pk]
    if isinstance(draft, Exception):
        return Outcome(None, same=False, problem=" ".join(draft.messages) if isinstance(draft, ValidationError) else str(draft))
    return Outcome(draft, same=not drafts.differs(record, draft))


@action(MAY_CORRECT)
def correct_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Credit it, and make a new one; or only show what would come of that."""
    record, form = _record(pk), CorrectForm(request.POST)
    if request.POST.get("do") == "look":
        return _show(request, record, form)
    if form.is_valid() and not form.cleaned_data["reason"].strip():
        form.add_error("reason", _("Say why: whoever looks at the bill will ask."))
    if not form.is_valid():
        return _show(request, record, form)
    try:
        made = corrections.correct(record=record, reason=form.cleaned_data["reason"], **form.asked)
    except ValidationError as error:
        messages.error(request, _("Nothing was changed: %(why)s") % {"why": " ".join(error.messages)})
        return redirect("billing_record", pk)
    if made.credit is None:
        messages.success(request, _("It comes to the same, so nothing was made."))
        return redirect("billing_record", pk)
    if made.charge is None:
        messages.success(request, _("It was credited in full."))
        return redirect("billing_record", made.credit.pk)
    messages.success(request, _("It was credited, and this record made in its place."))
    return redirect("billing_record", made.charge.pk)
