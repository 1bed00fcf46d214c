"""Price series: what a market says energy costs, day by day; filled from a file, and followed by tariffs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages as notices
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing import pricepoints, series
from billing.seriesmodels import PricePoint, PriceSeries, Resolution, Unit
from csms.dashboard.access import action, may_add, operator_of, page
from csms.dashboard.exports import stream_csv
from csms.dashboard.tariffs import MAY_CHANGE

WIDTH, HEIGHT = 720, 160
#: Gaps are looked for so far back and ahead.
LOOKED = timedelta(days=31)
GAPS_SHOWN = 20


class SeriesForm(forms.Form):
    """A new series. The rules are those of `billing.pricepoints`."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=60,
        help_text=gettext_lazy("Tariffs refer to it, so it stays: such as “Day-ahead DK1”."),
    )
    currency = forms.CharField(label=gettext_lazy("Currency"), max_length=3, min_length=3, initial="EUR")
    unit = forms.ChoiceField(label=gettext_lazy("Prices are"), choices=Unit.choices)
    resolution_minutes = forms.TypedChoiceField(label=gettext_lazy("Each for"), coerce=int, choices=Resolution.choices, initial=60)

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def refuse(self, error: ValidationError) -> None:
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, errors in error.error_dict.items():
            self.add_error(name if name in self.fields else None, errors)


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        widget=forms.FileInput({"accept": ".csv,text/csv"}),
        help_text=gettext_lazy("A time and a price a line, such as 2026-11-21T13:00:00Z,84.20; times without a zone are in UTC."),
    )


@page
def show_price_series(request: HttpRequest) -> HttpResponseBase:
    """Which markets' prices are there, and how far are they known?"""
    found = list(series.spanned(PriceSeries.objects.order_by("name", "pk")))
    if request.GET.get("format") == "csv":
        return _list_file(request, found)
    return _list(request, found, SeriesForm())


def _list(request: HttpRequest, found: list[PriceSeries], form: SeriesForm) -> HttpResponse:
    may_change = may_add(request, MAY_CHANGE)
    context = {"found": found, "form": form if may_change else None, "may_change": may_change, "now": timezone.now()}
    return render(request, "dashboard/price_series_list.html", context, status=422 if form.errors else 200)


def _list_file(request: HttpRequest, found: list[Any]) -> HttpResponseBase:
    def chunk(last: Any, size: int) -> Sequence[Any]:
        return found if last is None else []

    def cells(row: Any) -> Iterable[object]:
        return (row.pk, row.name, row.currency, row.unit, row.resolution_minutes, row.first_at, row.last_at)

    header = ("id", "name", "currency", "unit", "resolution_minutes", "first_at", "last_at")
    return stream_csv(request, "price-series", header, chunk, cells)


@action(MAY_CHANGE)
def add_price_series(request: HttpRequest) -> HttpResponse:
    """A new series, without prices yet."""
    operator, form = operator_of(request), SeriesForm(request.POST)
    if form.is_valid():
        try:
            made = pricepoints.add_series(operator=operator, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            notices.success(request, _("The price series is added. Fill it from a file, or through the API."))
            return redirect("price_series_one", made.pk)
    return _list(request, list(series.spanned(PriceSeries.objects.order_by("name", "pk"))), form)


@dataclass(frozen=True, slots=True)
class Slot:
    """A time of the day with its price; None: it is missing."""

    start: datetime
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Chart:
    """A day as steps in a box of `width` by `height`, with `zero` where nothing is paid; apart where a price is missing."""

    lines: list[str]
    zero: str
    low: Decimal
    high: Decimal
    width: int = WIDTH
    height: int = HEIGHT


def chart_of(slots: list[Slot]) -> Chart | None:
    """None where no price is known."""
    known = [slot.price for slot in slots if slot.price is not None]
    if not known:
        return None
    low, high = min(known), max(known)
    bottom, top = min(low, Decimal(0)), max(high, Decimal(0))
    tall = (top - bottom) or Decimal(1)

    def y(price: Decimal) -> str:
        return f"{(top - price) / tall * HEIGHT:.1f}"

    lines: list[list[str]] = []
    before: Decimal | None = None
    for place, slot in enumerate(slots):
        if slot.price is not None:
            if before is None:
                lines.append([])
            begin, end = (f"{at / len(slots) * WIDTH:.1f}" for at in (place, place + 1))
            lines[-1] += [f"{begin},{y(slot.price)}", f"{end},{y(slot.price)}"]
        before = slot.price
    return Chart([" ".join(line) for line in lines], y(Decimal(0)), low, high)


@page
def show_series(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One series: a day of it, and what is missing."""
    if request.GET.get("format") == "csv":
        return _points_file(request, get_object_or_404(PriceSeries, pk=pk))
    return _one(request, pk, FileForm())


def _one(request: HttpRequest, pk: int, form: FileForm, errors: Sequence[str] = ()) -> HttpResponse:
    one: Any = get_object_or_404(series.spanned(PriceSeries.objects.all()), pk=pk)
    day = _day(request.GET.get("day", ""))
    slots = _slots(one, day)
    now = timezone.now()
    near = PricePoint.objects.filter(series=one, start__gte=now - LOOKED, start__lte=now + LOOKED).order_by("start")
    gaps = series.gaps(one, near.values_list("start", flat=True))
    may_change = may_add(request, MAY_CHANGE)
    context = {
        "series": one,
        "day": day,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "slots": slots,
        "chart": chart_of(slots),
        "missing": sum(slot.price is None for slot in slots),
        "gaps": gaps[:GAPS_SHOWN],
        "more_gaps": len(gaps) > GAPS_SHOWN,
        "ends": one.last_at + timedelta(minutes=one.resolution_minutes) if one.last_at else None,
        "now": now,
        "form": form if may_change else None,
        "errors": errors,
        "may_change": may_change,
    }
    return render(request, "dashboard/price_series.html", context, status=422 if errors or form.errors else 200)


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return timezone.localdate()
    return min(max(found, date(2000, 1, 2)), date(2199, 12, 30))


def _slots(one: PriceSeries, day: date) -> list[Slot]:
    """All times of a day by the clock of whoever looks, which has 23, 24 or 25 hours."""
    begin, end = (timezone.make_aware(datetime.combine(one_day, time.min)) for one_day in (day, day + timedelta(days=1)))
    known = dict(PricePoint.objects.filter(series=one, start__gte=begin, start__lt=end).values_list("start", "price"))
    length = timedelta(minutes=one.resolution_minutes)
    count = int((end.timestamp() - begin.timestamp()) / length.total_seconds())
    starts = (datetime.fromtimestamp(begin.timestamp(), tz=UTC) + place * length for place in range(count))
    return [Slot(at, known.get(at)) for at in starts]


def _points_file(request: HttpRequest, one: PriceSeries) -> HttpResponseBase:
    def chunk(last: PricePoint | None, size: int) -> Sequence[PricePoint]:
        rows = PricePoint.objects.filter(series=one).order_by("start")
        return list((rows if last is None else rows.filter(start__gt=last.start))[:size])

    def cells(row: PricePoint) -> Iterable[object]:
        return (row.start, row.price)

    return stream_csv(request, "prices", ("start", "price"), chunk, cells)


@action(MAY_CHANGE)
def fill_series(request: HttpRequest, pk: int) -> HttpResponse:
    """Prices from a file, in the place of those that are there."""
    one = get_object_or_404(PriceSeries, pk=pk)
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _one(request, pk, form)
    try:
        points = pricepoints.read_csv(form.cleaned_data["file"].read(pricepoints.MOST_BYTES + 1))
        done = pricepoints.fill(series=one, points=points)
    except ValidationError as error:
        return _one(request, pk, FileForm(), error.messages)
    told = [
        ngettext("%(n)s price added", "%(n)s prices added", done.added) % {"n": done.added},
        ngettext("%(n)s changed", "%(n)s changed", done.changed) % {"n": done.changed},
        ngettext("%(n)s known already", "%(n)s known already", done.same) % {"n": done.same},
    ]
    notices.success(request, f"{', '.join(told)}.")
    return redirect("price_series_one", pk)


@action(MAY_CHANGE)
def remove_series(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove it, unless a tariff follows it."""
    one = get_object_or_404(PriceSeries, pk=pk)
    try:
        pricepoints.remove_series(series=one)
    except ValidationError as error:
        notices.error(request, " ".join(error.messages))
        return redirect("price_series_one", pk)
    notices.success(request, _("The price series is removed: %(name)s") % {"name": one.name})
    return redirect("price_series")
