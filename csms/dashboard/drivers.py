"""Drivers for the operator: who they are, their id tags, and blocking one with the reason they will read."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts import drivers
from accounts.models import IdToken, IdTokenType, User
from csms.dashboard.access import action, needs
from csms.dashboard.exports import stream_csv

PAGE = 50
MAY_CHANGE = "tags.change"
COLUMNS = ("email", "name", "id_tags", "blocked_because", "signed_up_at", "last_login_at")


class DriverFilters(forms.Form):
    """What the list can be narrowed by."""

    q = forms.CharField(label=gettext_lazy("E-mail or name"), required=False, max_length=254)
    blocked = forms.ChoiceField(
        label=gettext_lazy("Status"),
        required=False,
        choices=[("", gettext_lazy("All")), ("1", gettext_lazy("Blocked")), ("0", gettext_lazy("Accepted"))],
    )

    def rows(self, request: HttpRequest) -> QuerySet[User]:
        found = drivers.of_network(request.user).order_by("-pk")
        if not self.is_valid():
            return found.none()
        wanted = self.cleaned_data
        if wanted["q"]:
            found = found.filter(Q(email__contains=wanted["q"].lower()) | Q(name__icontains=wanted["q"]))
        if wanted["blocked"]:
            found = found.exclude(blocked_because="") if wanted["blocked"] == "1" else found.filter(blocked_because="")
        return found.prefetch_related(Prefetch("id_tokens", IdToken.objects.order_by("pk")))

    def query(self, **more: str) -> str:
        return urlencode({name: value for name in self.fields if (value := self.data.get(name))} | more)


class TagForm(forms.Form):
    value = forms.CharField(label=gettext_lazy("Number"), max_length=255, help_text=gettext_lazy("As the card reader tells it."))
    type = forms.ChoiceField(label=gettext_lazy("Type"), choices=IdTokenType.choices, initial=IdTokenType.ISO14443)


@require_safe
@needs(MAY_CHANGE)
def show_drivers(request: HttpRequest) -> HttpResponse:
    """Who charges here?"""
    form = DriverFilters(request.GET)
    rows = form.rows(request)
    after = request.GET.get("after", "")
    if after:
        rows = rows.filter(pk__lt=_number(after))
    found = list(rows[: PAGE + 1])
    context = {
        "form": form,
        "drivers": found[:PAGE],
        "filtered": bool(form.query()),
        "first": form.query() if after else None,
        "more": form.query(after=str(found[PAGE - 1].pk)) if len(found) > PAGE else "",
        "export": form.query(),
        "network": getattr(request.user, "operator", None),
    }
    return render(request, "dashboard/drivers.html", context)


@require_safe
@needs(MAY_CHANGE)
def export_drivers(request: HttpRequest) -> HttpResponseBase:
    rows = DriverFilters(request.GET).rows(request)

    def chunk(last: User | None, size: int) -> Sequence[User]:
        return list((rows if last is None else rows.filter(pk__lt=last.pk))[:size])

    def cells(driver: User) -> Iterable[object]:
        tags = " ".join(tag.value for tag in driver.id_tokens.all())
        return driver.email, driver.name, tags, driver.blocked_because, driver.created_at, driver.last_login

    return stream_csv(request, "drivers", COLUMNS, chunk, cells)


@require_safe
@needs(MAY_CHANGE)
def show_driver(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _driver(request, pk), TagForm())


@action(MAY_CHANGE)
def block_driver(request: HttpRequest, pk: int) -> HttpResponse:
    driver = _driver(request, pk)
    try:
        drivers.block(driver=driver, because=request.POST.get("because", "").replace("\x00", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("%(driver)s is blocked, and starts no session any more.") % {"driver": driver.email})
    return redirect("our_driver", pk)


@action(MAY_CHANGE)
def unblock_driver(request: HttpRequest, pk: int) -> HttpResponse:
    driver = drivers.unblock(driver=_driver(request, pk))
    messages.success(request, _("%(driver)s may charge again.") % {"driver": driver.email})
    return redirect("our_driver", pk)


@action(MAY_CHANGE)
def add_driver_tag(request: HttpRequest, pk: int) -> HttpResponse:
    driver, form = _driver(request, pk), TagForm(request.POST)
    if form.is_valid():
        try:
            tag = drivers.add_id_tag(driver=driver, **form.cleaned_data)
        except ValidationError as error:
            for sentence in error.messages:
                form.add_error("value", sentence)
        else:
            messages.success(request, _("The id tag %(tag)s is the driver's now.") % {"tag": tag.value})
            return redirect("our_driver", pk)
    return _page(request, driver, form, status=422)


@action(MAY_CHANGE)
def remove_driver_tag(request: HttpRequest, pk: int, tag: int) -> HttpResponse:
    driver = _driver(request, pk)
    token = get_object_or_404(IdToken, pk=tag, driver=driver)
    try:
        drivers.remove_id_tag(driver=driver, token=token)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The id tag %(tag)s is nobody's now.") % {"tag": token.value})
    return redirect("our_driver", pk)


def _driver(request: HttpRequest, pk: int) -> User:
    return get_object_or_404(drivers.of_network(request.user), pk=pk)


def _page(request: HttpRequest, driver: User, form: TagForm, status: int = 200) -> HttpResponse:
    tags = IdToken.objects.filter(driver=driver).order_by("pk")
    return render(request, "dashboard/driver.html", {"driver": driver, "tags": tags, "form": form}, status=status)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
