"""What chargers say that they should not: by rule, model, firmware and charger, with its trend and the frames that show it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.permissions import may
from csms.dashboard import findingwords, messagelog, qualityreport
from csms.dashboard.access import page
from csms.dashboard.exports import stream_csv
from csms.dashboard.findingword import Words
from csms.dashboard.messageviews import SEES_TAGS
from csms.db import run_in_scope
from csms.tenancy import scope_of
from stations import quality
from stations.quality import GROUPS, Asked, Example, Row

Word = str | Promise
BY: dict[str, Word] = {
    "code": gettext_lazy("By rule"),
    "model": gettext_lazy("By model"),
    "firmware": gettext_lazy("By firmware"),
    "station": gettext_lazy("By charger"),
}
SORTED: dict[str, Word] = {
    "stations": gettext_lazy("How many chargers"),
    "week": gettext_lazy("How often this week"),
    "month": gettext_lazy("How often this month"),
    "last": gettext_lazy("The latest"),
    "code": gettext_lazy("The rule"),
}
#: Rows of a file.
MOST_IN_FILE = 10_000
COLUMNS = ("code", "title", "vendor", "model", "firmware", "station", "stations", "times_7_days", "times_30_days", "first", "last")
TALL = 20


class QualityFilters(forms.Form):
    """Whose findings, and in what order."""

    by = forms.ChoiceField(required=False, choices=list(BY.items()), widget=forms.HiddenInput)
    station = forms.CharField(label=gettext_lazy("Charger"), required=False, max_length=48)
    vendor = forms.CharField(
        label=gettext_lazy("Maker"), required=False, max_length=50, widget=forms.TextInput({"list": "vendors"})
    )
    model = forms.CharField(label=gettext_lazy("Model"), required=False, max_length=50, widget=forms.TextInput({"list": "models"}))
    firmware = forms.CharField(
        label=gettext_lazy("Firmware"), required=False, max_length=100, widget=forms.TextInput({"list": "firmwares"})
    )
    sort = forms.ChoiceField(label=gettext_lazy("First"), required=False, choices=list(SORTED.items()))

    def asked(self, code: str = "") -> Asked | None:
        """None while something in the form is wrong."""
        if not self.is_valid():
            return None
        given = self.cleaned_data
        narrow = {name: given[name] or None for name in ("vendor", "model", "firmware")}
        return Asked(given["by"] or "code", code, given["station"], sort=given["sort"] or "stations", **narrow)

    def query(self, **more: object) -> str:
        own = {name: self.data.get(name, "") for name in self.fields}
        return urlencode({name: value for name, value in {**own, **more}.items() if value})

    @property
    def narrowed(self) -> bool:
        return any(self.data.get(name) for name in ("station", "vendor", "model", "firmware"))


@dataclass(frozen=True, slots=True)
class Bar:
    x: int
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row in words. `whose`: what tells it from others of its code; `to`: the rule's page for it, `into`: a closer look."""

    row: Row
    words: Words
    whose: str
    to: str
    into: str

    @property
    def bars(self) -> list[Bar]:
        return bars(self.row.trend)

    @property
    def trend(self) -> str:
        """The last week beside the one before, in words."""
        said = {"now": self.row.week, "before": self.row.before}
        return _("%(now)s times this week, %(before)s the week before") % said

    @property
    def way(self) -> str:
        """An arrow for it."""
        more = self.row.week - self.row.before
        return "↗" if more > 0 else "↘" if more < 0 else "→"


def bars(trend: Sequence[int], tall: int = TALL) -> list[Bar]:
    """Bars of a day each; none where there was nothing."""
    top = max(trend, default=0)
    return [
        Bar(x, f"{tall - tall * count / top:.1f}", f"{tall * count / top:.1f}") for x, count in enumerate(trend) if top and count
    ]


def _lines(asked: Asked, rows: Sequence[Row]) -> list[Line]:
    found = []
    for row in rows:
        narrow = {name: getattr(asked, name) or "" for name in ("station", "vendor", "model", "firmware")}
        narrow |= {name.rpartition("__")[2].replace("identity", "station").replace("firmware_version", "firmware"): value
                   for name, value in zip(GROUPS[asked.group], row.key, strict=True)}  # fmt: skip
        query = urlencode({name: value for name, value in narrow.items() if value})
        to = reverse("quality_code", args=[row.code]) + (f"?{query}" if query else "")
        into = "" if asked.group == "code" else f"?by=code&{query}"
        whose = " ".join(part for part in row.key if part) or (_("unknown make") if row.key else "")
        found.append(Line(row, findingwords.words(row.code), whose, to, into))
    return found


@page
def show_quality(request: HttpRequest) -> HttpResponseBase:
    """Which rules chargers break, the most widespread first."""
    form, today = QualityFilters(request.GET), timezone.now().date()
    asked = form.asked()
    if request.GET.get("format") == "csv" and asked is not None:
        return _export(request, asked)
    rows = quality.rows(asked, today) if asked else []
    makes = quality.makes()
    context = {
        "form": form,
        "by": asked.group if asked else "code",
        "chips": [(name, word, form.query(by=name)) for name, word in BY.items()],
        "lines": _lines(asked, rows[: quality.MOST]) if asked else [],
        "more": len(rows) > quality.MOST,
        "most": quality.MOST,
        "makes": [(name, sorted({one[n] for one in makes} - {""})) for n, name in enumerate(("vendors", "models", "firmwares"))],
        "export": form.query(format="csv"),
        "report": form.query(by="", sort=""),
    }
    return render(request, "dashboard/quality.html", context)


def _export(request: HttpRequest, asked: Asked) -> HttpResponseBase:
    read: list[Row] = []

    def chunk(last: Row | None, size: int) -> Sequence[Row]:
        if last is None:
            read[:] = quality.rows(asked, timezone.now().date(), most=MOST_IN_FILE, trends=False)[:MOST_IN_FILE]
        start = 0 if last is None else next(n for n, row in enumerate(read) if row is last) + 1
        return read[start : start + size]

    def cells(row: Row) -> Iterable[object]:
        key = dict(zip(GROUPS[asked.group], row.key, strict=True))
        whose = [key.get(name, "") for name in ("station__vendor", "station__model", "firmware_version", "station__identity")]
        told = (row.stations, row.week, row.month, row.first.isoformat(), row.last.isoformat())
        return (row.code, str(findingwords.words(row.code).title), *whose, *told)

    return stream_csv(request, "quality", COLUMNS, chunk, cells)


@page
def show_quality_code(request: HttpRequest, code: str) -> HttpResponse:
    """One rule: what it says, who breaks it and since when, and the frames."""
    form, today = QualityFilters(request.GET), timezone.now().date()
    asked = form.asked(code)
    days = quality.trend(replace(asked or Asked(code=code), group="code"), today)
    if not any(count for _day, count in days) and not form.narrowed:
        raise Http404(_("No charger has shown this within 90 days."))
    found = quality.stations_of(asked, today) if asked else []
    stations = [one["station"] for one in found]
    examples = quality.examples(code, stations)
    if not may(request.user, SEES_TAGS):
        for one in examples:
            if one.message is not None:
                messagelog.hide(one.message)
    firmware = _lines(replace(asked, group="firmware"), quality.rows(replace(asked, group="firmware"), today)) if asked else []
    context = {
        "code": code,
        "form": form,
        "words": findingwords.words(code),
        "did": findingwords.did(code),
        "days": days,
        "bars": bars([count for _day, count in days], 60),
        "times": sum(count for _day, count in days),
        "firmware": firmware,
        "stations": found[: quality.STATIONS],
        "more": len(found) > quality.STATIONS,
        "examples": [_shown(one) for one in examples],
        "report": urlencode({"code": code}) + (f"&{form.query(by='', sort='')}" if form.narrowed else ""),
        "chosen": " ".join(str(form.data.get(name)) for name in ("vendor", "model", "firmware", "station") if form.data.get(name)),
    }
    return render(request, "dashboard/quality_code.html", context)


@dataclass(frozen=True, slots=True)
class Shown:
    example: Example
    frame: str


def _shown(one: Example) -> Shown:
    return Shown(one, qualityreport.pretty(one.message.call) if one.message else "")


@page
def export_report(request: HttpRequest) -> HttpResponseBase:
    """What a vendor's engineer is sent: the rules that their chargers break, with frames, without secrets and id tags."""
    form = QualityFilters(request.GET)
    asked = form.asked(request.GET.get("code", "")[:50])
    if asked is None:
        raise Http404
    name = "-".join(part for part in ("findings", asked.vendor, asked.model, asked.firmware) if part)

    # Async, because ASGI would make it in the event loop's thread.
    async def body() -> AsyncIterator[str]:
        yield await run_in_scope(scope_of(request.user), qualityreport.report, asked, timezone.now())

    return StreamingHttpResponse(
        body(),
        content_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{qualityreport.filename(name)}.md"'},
    )
