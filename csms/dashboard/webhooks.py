"""Webhooks: which addresses are told of what, how each telling went, and sending it again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from csms.dashboard.access import action, may_add, needs, operator_of, page
from csms.dashboard.exports import stream_csv
from csms.dashboard.serviceforms import ServiceForm
from csms.webhooks import catalogue, services
from csms.webhooks.models import DeliveryStatus, Webhook, WebhookDelivery

MAY_CHANGE = "webhooks.change"
PAGE = 50
#: Where the session keeps that the next page of a webhook may show its new secret.
FRESH = "webhook_secret"
#: From when on what failed is sent again, unless somebody says otherwise.
REPLAYED = timedelta(days=7)
STATUSES = [
    (DeliveryStatus.WAITING.value, gettext_lazy("Waiting"), "preparing"),
    (DeliveryStatus.FAILED.value, gettext_lazy("To be tried again"), "suspended"),
    (DeliveryStatus.DELIVERED.value, gettext_lazy("Delivered"), "available"),
    (DeliveryStatus.GIVEN_UP.value, gettext_lazy("Given up"), "faulted"),
]
WORDS = {value: (words, slug) for value, words, slug in STATUSES}
LIST_HEADER = ("id", "url", "description", "events", "active", "disabled_because", "failing_since", "delivered_at", "created_at")
LOG_HEADER = (
    *("sequence", "event", "type", "created_at", "status", "attempts", "attempted_at", "delivered_at", "due_at"),
    *("response_code", "response_ms", "error"),
)


class WebhookForm(ServiceForm):
    """One webhook. The rules are those of `csms.webhooks.services`; their errors are put to the fields."""

    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=services.LONGEST_URL,
        help_text=gettext_lazy("Where we send a POST to, such as https://example.com/hook."),
        widget=forms.URLInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    description = forms.CharField(label=gettext_lazy("What it is for"), required=False, max_length=120)
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        choices=lambda: [(name, kind.words) for name, kind in catalogue.EVENTS.items()],
        error_messages={"required": gettext_lazy("Choose at least one kind of event.")},
    )


@dataclass(frozen=True, slots=True)
class State:
    """How a webhook does: a word, its colour and shape, and why."""

    slug: str
    word: str
    reason: str = ""


def state_of(webhook: Webhook) -> State:
    if webhook.disabled_because:
        return State("faulted", _("Switched off"), webhook.disabled_because)
    if not webhook.active:
        return State("unavailable", _("Paused"), _("What happens waits, and is sent when you resume."))
    if webhook.failing_since:
        failed = WebhookDelivery.objects.filter(webhook=webhook, status=DeliveryStatus.FAILED)
        last = failed.order_by("-pk").first()
        return State("suspended", _("Failing"), last.error if last else "")
    if webhook.delivered_at is None:
        return State("preparing", _("Not called yet"))
    return State("available", _("Works"))


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery, as the log shows it."""

    delivery: WebhookDelivery

    @property
    def word(self) -> Any:
        return WORDS[self.delivery.status][0]

    @property
    def slug(self) -> str:
        return WORDS[self.delivery.status][1]

    @property
    def payload(self) -> str:
        return orjson.dumps(self.delivery.event.data, option=orjson.OPT_INDENT_2).decode()


@page
def show_webhooks(request: HttpRequest) -> HttpResponseBase:
    """Who is told what happens?"""
    found = list(Webhook.objects.order_by("pk")[: services.MOST])
    if request.GET.get("format") == "csv":
        return _list_file(request)
    context = {"rows": [(one, state_of(one)) for one in found], "may_change": may_add(request, MAY_CHANGE)}
    return render(request, "dashboard/webhooks.html", context)


def _list_file(request: HttpRequest) -> HttpResponseBase:
    def chunk(last: Webhook | None, size: int) -> Sequence[Webhook]:
        return list(Webhook.objects.filter(pk__gt=last.pk if last else 0).order_by("pk")[:size])

    def cells(one: Webhook) -> Iterable[object]:
        return (
            *(one.pk, one.shown_url, one.description, " ".join(one.events), one.active, one.disabled_because),
            *(one.failing_since, one.delivered_at, one.created_at),
        )

    return stream_csv(request, "webhooks", LIST_HEADER, chunk, cells)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def add_webhook(request: HttpRequest) -> HttpResponse:
    operator = operator_of(request)
    form = WebhookForm(request.POST if request.method == "POST" else None, initial={"events": list(catalogue.EVENTS)})
    if request.method == "POST" and form.is_valid():
        try:
            webhook = services.add(operator=operator, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            return _with_secret(request, webhook)
    return render(request, "dashboard/webhook_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def change_webhook(request: HttpRequest, pk: int) -> HttpResponse:
    webhook: Webhook = get_object_or_404(Webhook.objects.select_related("operator"), pk=pk)
    known = {name: getattr(webhook, name) for name in ("url", "description", "events")}
    form = WebhookForm(request.POST if request.method == "POST" else None, initial=known)
    if request.method == "POST" and form.is_valid():
        try:
            services.change(webhook=webhook, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The webhook is changed."))
            return redirect("webhook", pk)
    return render(request, "dashboard/webhook_form.html", {"form": form, "webhook": webhook}, status=422 if form.errors else 200)


@page
def show_webhook(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What was sent to it, and what did it answer?"""
    webhook: Webhook = get_object_or_404(Webhook, pk=pk)
    status = request.GET.get("status", "")
    status = status if status in WORDS else ""
    rows = _log(webhook, status)
    if request.GET.get("format") == "csv":
        return _log_file(request, webhook, rows)
    before = _number(request.GET.get("before", ""))
    found = list(rows.filter(pk__lt=before)[: PAGE + 1] if before else rows[: PAGE + 1])
    shown = [Row(one) for one in found[:PAGE]]
    fresh = request.session.get(FRESH) == webhook.pk
    # Shown once: gone with the first page that shows it, not with what refreshes an open one.
    if fresh and request.headers.get("X-Requested-With") != "refresh":
        del request.session[FRESH]
    now = timezone.now()
    context = {
        "webhook": webhook,
        "state": state_of(webhook),
        "events": [(name, catalogue.EVENTS[name].words) for name in webhook.events if name in catalogue.EVENTS],
        "rows": shown,
        "status": status,
        "statuses": STATUSES,
        "first": bool(before),
        "more": shown[-1].delivery.pk if len(found) > PAGE else None,
        "waits": any(row.delivery.status in (DeliveryStatus.WAITING, DeliveryStatus.FAILED) for row in shown) and webhook.active,
        "fresh": fresh,
        "since": timezone.localtime(now - REPLAYED),
        "may_change": may_add(request, MAY_CHANGE),
        "now": now,
    }
    return render(request, "dashboard/webhook.html", context)


def _log(webhook: Webhook, status: str) -> QuerySet[WebhookDelivery]:
    found = WebhookDelivery.objects.filter(webhook=webhook).select_related("event").order_by("-pk")
    return found.filter(status=status) if status else found


def _log_file(request: HttpRequest, webhook: Webhook, rows: QuerySet[WebhookDelivery]) -> HttpResponseBase:
    def chunk(last: WebhookDelivery | None, size: int) -> Sequence[WebhookDelivery]:
        return list((rows if last is None else rows.filter(pk__lt=last.pk))[:size])

    def cells(one: WebhookDelivery) -> Iterable[object]:
        return (
            *(one.sequence, one.event.name, one.event.type, one.event.created_at, one.status, one.attempts, one.attempted_at),
            *(one.delivered_at, one.due_at, one.response_code, one.response_ms, one.error),
        )

    return stream_csv(request, f"webhook-{webhook.pk}", LOG_HEADER, chunk, cells)


@action(MAY_CHANGE)
def do_webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """Pause, resume, test, give it a new secret, or remove it."""
    webhook: Webhook = get_object_or_404(Webhook.objects.select_related("operator"), pk=pk)
    match request.POST.get("do", ""):
        case "pause":
            services.pause(webhook=webhook)
            messages.success(request, _("The webhook is paused. What happens waits."))
        case "resume":
            services.resume(webhook=webhook)
            messages.success(request, _("The webhook is called again; what has waited comes first."))
        case "rotate":
            return _with_secret(request, services.rotate(webhook=webhook))
        case "remove":
            services.remove(webhook=webhook)
            messages.success(request, _("The webhook to %(url)s is removed.") % {"url": webhook.shown_url})
            return redirect("webhooks")
        case "test":
            try:
                services.ping(webhook=webhook)
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
            else:
                messages.success(request, _("A test is on its way: its answer appears at the top of the list."))
        case _:
            messages.error(request, _("A webhook can be paused, resumed, tested, given a new secret, or removed."))
    return redirect("webhook", pk)


@action(MAY_CHANGE)
def replay_webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """Send again what failed or was given up since some time."""
    webhook: Webhook = get_object_or_404(Webhook.objects.select_related("operator"), pk=pk)
    since = _moment(request.POST.get("since", ""))
    if since is None:
        messages.error(request, _("Say since when, as a date and a time."))
    else:
        count = services.replay_failed(webhook=webhook, since=since)
        said = ngettext("%(n)s delivery is sent again.", "%(n)s deliveries are sent again.", count)
        messages.success(request, said % {"n": count} if count else _("Nothing failed since then."))
    return redirect("webhook", pk)


@action(MAY_CHANGE)
def replay_delivery(request: HttpRequest, pk: int) -> HttpResponse:
    delivery: WebhookDelivery = get_object_or_404(WebhookDelivery.objects.select_related("event", "webhook", "operator"), pk=pk)
    services.replay(delivery=delivery)
    messages.success(request, _("%(event)s is sent again.") % {"event": delivery.event.name})
    return redirect(reverse("webhook", args=[delivery.webhook_id]) + f"#delivery-{pk}")


def _with_secret(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    request.session[FRESH] = webhook.pk
    return redirect("webhook", webhook.pk)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _moment(text: str) -> datetime | None:
    try:
        found: datetime | None = forms.DateTimeField(required=False).clean(text)
    except ValidationError:
        return None
    return found
