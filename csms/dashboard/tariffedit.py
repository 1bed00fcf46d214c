"""The form of a tariff, new or with another version: without JSON where that can say it, as an OCPI object where not."""

from dataclasses import dataclass
from typing import Any

import orjson
from django.contrib import messages as notices
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from billing import choosing, sentences, series, tariffs
from billing.models import Tariff
from billing.seriesmodels import PriceSeries
from billing.tariff import InvalidTariff
from csms.dashboard import tariffimport, tariffocpi
from csms.dashboard.access import needs, operator_of
from csms.dashboard.tariffform import BEGUN, Row, TariffForm
from csms.dashboard.tariffimport import JsonForm
from csms.dashboard.tariffocpi import MOST_ROWS
from csms.dashboard.tariffs import MAY_CHANGE, entry_of

#: What a sentence can do without.
NO_PRICE = {"name", "valid_from", "note"}
NO_FILES: MultiValueDict[str, UploadedFile] = MultiValueDict()
#: Buttons that change how the form looks, and keep nothing.
ADD, REMOVE, UP, PREVIEW = "add", "remove", "up", "preview"


@dataclass(slots=True)
class Typed:
    """The forms of a page: what holds always, and its rows by their number, which names their fields."""

    form: TariffForm
    rows: list[tuple[int, Row]]

    @property
    def valid(self) -> bool:
        # Not `and`: what is wrong in the rows is told, too.
        return all([self.form.is_valid(), *(row.is_valid() for _number, row in self.rows)])

    def body(self) -> dict[str, Any]:
        """Of forms that are valid."""
        return tariffocpi.body(self.form.cleaned_data, [row.cleaned_data for _number, row in self.rows])

    def sentence(self, currency: str) -> str:
        """What it would say, if it can be understood."""
        if self.form.errors.keys() - NO_PRICE or not all(row.is_valid() for _number, row in self.rows):
            return ""
        try:
            return sentences.sentence(series.parse({"currency": self.form.cleaned_data.get("currency", currency)} | self.body()))
        except InvalidTariff:
            return ""


def _prefix(number: int) -> str:
    return f"row{number}"


def _numbers(post: QueryDict) -> list[int]:
    """The rows that a form was sent with, in their order."""
    given = [int(one) for one in post.getlist("row") if one.isascii() and one.isdigit() and len(one) < 4]
    return list(dict.fromkeys(given))[:MOST_ROWS]


def _options(tariff: Tariff | None) -> dict[str, Any]:
    """What may be chosen."""
    known = PriceSeries.objects.order_by("name")
    if tariff is not None:
        known = known.filter(currency=tariff.currency)
    return {"series": list(known.values_list("name", flat=True)), "new": tariff is None}


def _posted(post: QueryDict, options: dict[str, Any]) -> Typed:
    rows = [(number, Row(post, prefix=_prefix(number))) for number in _numbers(post)]
    return Typed(TariffForm(post, **options), rows)


def _changed(post: QueryDict, do: str, options: dict[str, Any]) -> Typed:
    """What was typed, with a row more, or less, or elsewhere; not looked at yet."""
    what, _sep, which = do.partition(":")
    numbers = _numbers(post)
    place = numbers.index(int(which)) if which.isdigit() and len(which) < 4 and int(which) in numbers else None
    begun: dict[str, Any] = {}
    if what == ADD and len(numbers) < MOST_ROWS:
        numbers.append(max(numbers, default=-1) + 1)
        begun = {_prefix(numbers[-1]): BEGUN[which][1] if which in BEGUN else {}}
    elif what == REMOVE and place is not None:
        del numbers[place]
    elif what == UP and place:
        numbers[place - 1 : place + 1] = [numbers[place], numbers[place - 1]]

    def raw(form: TariffForm | Row) -> dict[str, Any]:
        return {
            name: field.widget.value_from_datadict(post, NO_FILES, form.add_prefix(name)) for name, field in form.fields.items()
        }

    form = TariffForm(initial=raw(TariffForm(**options)), **options)
    rows = []
    for number in numbers:
        prefix = _prefix(number)
        rows.append((number, Row(prefix=prefix, initial=begun.get(prefix) or raw(Row(prefix=prefix)))))
    return Typed(form, rows)


def _asks_to_change(do: str) -> bool:
    return do.partition(":")[0] in (ADD, REMOVE, UP)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def add_tariff(request: HttpRequest) -> HttpResponse:
    """A new one."""
    operator = operator_of(request)
    options, do = _options(None), request.POST.get("do", "")
    if request.method != "POST":
        return _form(request, Typed(TariffForm(**options), []), options)
    typed = _posted(request.POST, options)
    if do == "" and typed.valid:
        given = typed.form.cleaned_data
        first = not Tariff.objects.filter(retired_at=None).exists()
        try:
            made = tariffs.add_tariff(
                operator=operator,
                name=given["name"],
                currency=given["currency"],
                ocpi=typed.body(),
                is_default=first,
                user=_user(request),
            )
        except ValidationError as error:
            typed.form.refuse(error)
        else:
            whole = _("The tariff is added, and applies in the whole network.")
            notices.success(request, whole if first else _("The tariff is added. Say where it applies."))
            return redirect("tariff", made.pk)
    return _form(request, typed, options)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def change_tariff(request: HttpRequest, pk: int) -> HttpResponse:
    """A new version, from a moment on: by the form, or as JSON where that is asked for or the form has no words for it."""
    entry = entry_of(pk)
    tariff, last = entry.tariff, entry.versions[0].version
    shown = tariffocpi.read(choosing.as_ocpi(last))
    if request.GET.get("as") == "json" or shown is None:
        return _change_json(request, tariff, last.ocpi, unsayable=shown is None)
    always, rows = shown
    options, do = _options(tariff) | {"taxed": always["tax"] is not None}, request.POST.get("do", "")
    if request.method != "POST":
        named = [(number, Row(prefix=_prefix(number), initial=row)) for number, row in enumerate(rows)]
        return _form(request, Typed(TariffForm(initial=always, **options), named), options, tariff=tariff)
    typed = _posted(request.POST, options)
    if do == "" and typed.valid:
        # What the form does not show is kept, such as the tariff's own texts.
        kept = {name: value for name, value in last.ocpi.items() if name not in ("elements", "min_price", "max_price")}
        if _version(request, tariff, kept | typed.body(), typed.form):
            return redirect("tariff", pk)
    return _form(request, typed, options, tariff=tariff)


def _version(request: HttpRequest, tariff: Tariff, ocpi: dict[str, Any], form: TariffForm | JsonForm) -> bool:
    given = form.cleaned_data
    try:
        made = tariffs.add_version(
            tariff=tariff, ocpi=ocpi, valid_from=given["valid_from"], note=given["note"], user=_user(request)
        )
    except ValidationError as error:
        form.refuse(error)
        return False
    later = given["valid_from"] is not None
    told = _("Version %(n)s is kept. It is valid from the moment you said.") if later else _("Version %(n)s is valid now.")
    notices.success(request, told % {"n": made.number})
    return True


def _change_json(request: HttpRequest, tariff: Tariff, ocpi: dict[str, Any], *, unsayable: bool) -> HttpResponse:
    text = orjson.dumps({"currency": tariff.currency} | ocpi, option=orjson.OPT_INDENT_2).decode()
    given = (request.POST, request.FILES) if request.method == "POST" else ()
    form = JsonForm(*given, new=False, initial={"text": text})
    context: dict[str, Any] = {"tariff": tariff, "unsayable": unsayable}
    if request.method == "POST" and form.is_valid():
        if request.POST.get("do") == PREVIEW:
            context["sentence"] = _sentence(form.cleaned_data["ocpi"], tariff.currency)
        elif _version(request, tariff, form.cleaned_data["ocpi"], form):
            return redirect("tariff", tariff.pk)
    return _json(request, form, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def import_tariff(request: HttpRequest) -> HttpResponse:
    """A new one from an OCPI Tariff object."""
    operator = operator_of(request)
    form = JsonForm(request.POST, request.FILES) if request.method == "POST" else JsonForm()
    context: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        given, ocpi = form.cleaned_data, form.cleaned_data["ocpi"]
        currency = str(ocpi.get("currency", "EUR"))
        if request.POST.get("do") == PREVIEW:
            context["sentence"] = _sentence(ocpi, currency)
        else:
            try:
                name = given["name"] or tariffimport.name_of(ocpi)
                made = tariffs.add_tariff(operator=operator, name=name, currency=currency, ocpi=ocpi, user=_user(request))
            except ValidationError as error:
                form.refuse(error)
            else:
                notices.success(request, _("The tariff is added. Say where it applies."))
                if lost := tariffimport.left_out(ocpi):
                    notices.warning(request, _("Not kept, as it is no price: %(names)s.") % {"names": ", ".join(lost)[:300]})
                return redirect("tariff", made.pk)
    return _json(request, form, **context)


def _sentence(ocpi: dict[str, Any], currency: str) -> str:
    return sentences.sentence(series.parse(ocpi | {"currency": currency}))


def _json(request: HttpRequest, form: JsonForm, **context: Any) -> HttpResponse:
    return render(request, "dashboard/tariff_json.html", {"form": form} | context, status=422 if form.errors else 200)


def _form(request: HttpRequest, typed: Typed, options: dict[str, Any], tariff: Tariff | None = None) -> HttpResponse:
    do, posted = request.POST.get("do", ""), request.method == "POST"
    currency = tariff.currency if tariff else "EUR"
    # Buttons that only change the form leave it unjudged; the sentence is what was typed all the same.
    only_changed = posted and _asks_to_change(do)
    shown = _changed(request.POST, do, options) if only_changed else typed
    sentence = typed.sentence(currency) if posted else _now(tariff) if tariff else ""
    refused = posted and not only_changed and (not typed.valid or bool(typed.form.errors))
    context = {
        "form": shown.form,
        "rows": shown.rows,
        "begun": [(name, word) for name, (word, _row) in BEGUN.items()] if len(shown.rows) < MOST_ROWS else [],
        "refused": refused,
        "sentence": sentence,
        "tariff": tariff,
        "currency": currency,
        "added": do.partition(":")[0] == ADD,
    }
    return render(request, "dashboard/tariff_form.html", context, status=422 if refused else 200)


def _now(tariff: Tariff) -> str:
    return entry_of(tariff.pk).versions[0].sentence


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
