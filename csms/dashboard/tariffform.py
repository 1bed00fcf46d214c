"""The form of a tariff: prices that hold always, and rows of what holds at times instead."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.tariff.reading import DAYS, FIRST, LAST
from csms.dashboard import tariffimport, tariffocpi
from csms.dashboard.tariffocpi import PER_HOUR, PER_MINUTE, PRICES

#: How long what is paid by time is at least, and what it is rounded up to, in seconds.
STEPS = {
    1: gettext_lazy("to the second"),
    60: gettext_lazy("every minute begun"),
    300: gettext_lazy("every 5 minutes begun"),
    900: gettext_lazy("every quarter of an hour begun"),
    1800: gettext_lazy("every half an hour begun"),
    3600: gettext_lazy("every hour begun"),
}
PAIRS = (("after_minutes", "until_minutes"), ("after_kwh", "until_kwh"), ("above_kw", "below_kw"), ("since", "until"))
#: Conditions that few want.
MORE = ("until_minutes", "after_kwh", "until_kwh", "above_kw", "below_kw", "since", "until")


def price(label: Any, help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, help_text=help_text, required=False, min_value=Decimal(0), max_digits=12, decimal_places=4,
        widget=forms.NumberInput({"step": "any", "min": "0", "inputmode": "decimal"}),
    )  # fmt: skip


def on_day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        validators=[MinValueValidator(FIRST), MaxValueValidator(LAST - timedelta(days=1))],
    )  # fmt: skip


def at_time(label: Any) -> forms.TimeField:
    return forms.TimeField(label=label, required=False, widget=forms.TimeInput({"type": "time"}, "%H:%M"))


class TariffForm(forms.Form):
    """What holds always, and what is true of the whole tariff."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    currency = forms.CharField(
        label=gettext_lazy("Currency"), max_length=3, min_length=3, initial="EUR", widget=forms.TextInput({"autocomplete": "off"})
    )
    tax = forms.DecimalField(
        label=gettext_lazy("Tax in percent"), min_value=Decimal(0), max_value=Decimal(100), max_digits=5, decimal_places=2,
        widget=forms.NumberInput({"step": "any", "min": "0", "max": "100", "inputmode": "decimal"}),
    )  # fmt: skip
    energy = price(gettext_lazy("Per kWh"))
    series = forms.ChoiceField(label=gettext_lazy("Energy follows the market"), required=False)
    time = price(gettext_lazy("While charging"))
    parking = price(gettext_lazy("Parked after charging"), gettext_lazy("Begins when the vehicle asks for no more energy."))
    per = forms.ChoiceField(
        label=gettext_lazy("Prices by time are per"),
        choices=[(PER_MINUTE, gettext_lazy("minute")), (PER_HOUR, gettext_lazy("hour"))],
    )
    step = forms.TypedChoiceField(label=gettext_lazy("Time is counted"), coerce=int, choices=list(STEPS.items()))
    flat = price(gettext_lazy("Per session"))
    least = price(gettext_lazy("A session costs at least"))
    most = price(gettext_lazy("A session costs at most"))
    valid_from = forms.DateTimeField(
        label=gettext_lazy("Valid from"),
        required=False,
        help_text=gettext_lazy("Empty: from now on. What applied at a session's start stays applied."),
        widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
    )
    note = forms.CharField(label=gettext_lazy("Why"), max_length=200, required=False)

    def __init__(self, *args: Any, series: Iterable[str] = (), new: bool = True, taxed: bool = True, **kwargs: Any) -> None:
        """`taxed`: a tax has to be named; only what was imported without may do without."""
        super().__init__(*args, **kwargs)
        self.fields["tax"].required = taxed
        field = self.fields["series"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("no, the price is fixed")), *((name, name) for name in series)]
        if not list(series):
            del self.fields["series"]
        for name in ("valid_from", "note") if new else ("name", "currency"):
            del self.fields[name]

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        least, most = cleaned.get("least"), cleaned.get("most")
        if least and most and most < least:
            self.add_error("most", _("This is less than the least: exchange the two."))
        return cleaned

    def refuse(self, error: ValidationError) -> None:
        """Show what the service said, each sentence at its field."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, errors in error.error_dict.items():
            told = [tariffimport.in_words(" ".join(one.messages)) for one in errors] if name == "ocpi" else errors
            self.add_error(name if name in self.fields else None, told)


def number(label: Any, places: int = 3) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=Decimal(0), max_digits=9, decimal_places=places,
        widget=forms.NumberInput({"step": "any", "min": "0", "inputmode": "decimal"}),
    )  # fmt: skip


class Row(forms.Form):
    """What holds instead, while all that is filled in of its conditions is so."""

    begin = at_time(gettext_lazy("From, each day"))
    end = at_time(gettext_lazy("To, each day"))
    days = forms.MultipleChoiceField(
        label=gettext_lazy("On these days only"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(name, WEEKDAYS_ABBR[day]) for day, name in enumerate(DAYS)],
    )  # fmt: skip
    after_minutes = number(gettext_lazy("After so many minutes"), 0)
    until_minutes = number(gettext_lazy("In the first so many minutes"), 0)
    after_kwh = number(gettext_lazy("After so many kWh"))
    until_kwh = number(gettext_lazy("For the first so many kWh"))
    above_kw = number(gettext_lazy("At so many kW or more"))
    below_kw = number(gettext_lazy("Below so many kW"))
    since = on_day(gettext_lazy("From this date on"))
    until = on_day(gettext_lazy("To this date"))
    energy = price(gettext_lazy("Per kWh"))
    time = price(gettext_lazy("While charging"))
    parking = price(gettext_lazy("Parked after charging"))
    flat = price(gettext_lazy("Per session"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        given = dict(cleaned)  # what has an error is taken out of the other
        if all(given[name] is None for name in PRICES):
            self.add_error("energy", _("Say at least one price: 0 is free, empty is as always."))
        if not tariffocpi.restrictions(given):
            self.add_error("begin", _("Say when: what holds always stands above."))
        for low, high in PAIRS:
            least, most = given[low], given[high]
            if least is not None and most is not None and (most < least or (most == least and low != "since")):
                self.add_error(high, _("This is never so: the end lies before the beginning."))
        if given["begin"] is not None and given["begin"] == given["end"]:
            self.add_error("end", _("Equal times are the whole day: leave both empty."))
        return cleaned

    @property
    def more(self) -> list[forms.BoundField]:
        """The conditions that few want."""
        return [self[name] for name in MORE]

    @property
    def more_open(self) -> bool:
        return any(field.errors or field.value() not in (None, "") for field in self.more)


#: Rows that most want, begun for them.
BEGUN: dict[str, tuple[Any, dict[str, Any]]] = {
    "night": (gettext_lazy("At night"), {"begin": "22:00", "end": "06:00"}),
    "weekend": (gettext_lazy("At weekends"), {"days": ["SATURDAY", "SUNDAY"]}),
    "stay": (gettext_lazy("After 4 hours"), {"after_minutes": "240"}),
    "power": (gettext_lazy("Above 50 kW"), {"above_kw": "50"}),
    "other": (gettext_lazy("Something else"), {}),
}
