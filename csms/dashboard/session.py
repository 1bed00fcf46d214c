"""One session from plug to price: curves, price lines, findings, what happened when, and a button that stops it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import may
from billing import issued, signedselectors
from billing.models import ChargeRecord, RecordKind
from csms.dashboard import charts, commandrows, points, signedwords, tariffwords, wall
from csms.dashboard.access import action, page, rights_of
from csms.dashboard.states import STATES
from csms.dashboard.words import in_words
from stations import selectors
from stations.domain.commands import BadCommand, RemoteStop
from stations.models import Command, StatusHistory, Transaction
from stations.models.command import OPEN
from stations.services import commands

MAY_SEND = "commands.send"
#: What belongs to a session began at most so long before it (the plug, a remote start) or ended so long after it.
AROUND = timedelta(minutes=10)
#: The price comes a moment after the end: so long the page looks for it.
PRICING = timedelta(minutes=2)
STATES_SHOWN = 100
COMMANDS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Happening:
    """A moment of the session. `slug` names the colour and the shape, as those of the states."""

    at: datetime
    slug: str
    word: str | Promise
    detail: str = ""


@page
def show_session(request: HttpRequest, pk: int) -> HttpResponse:
    transaction = get_object_or_404(selectors.transactions().select_related("id_token", "station__connection"), pk=pk)
    session = wall.sessions([transaction])[0]
    newest = ChargeRecord.objects.filter(transaction=transaction).select_related("tariff").order_by("-revision").first()
    record = newest if newest is not None and newest.kind == RecordKind.CHARGE else None
    ended = transaction.stopped_at
    priced_soon = newest is None and ended is not None and timezone.now() - ended < PRICING
    samples = selectors.samples(transaction)
    drawn = _drawn(transaction) if request.headers.get("X-Requested-With") != "refresh" else None
    rows = _commands(transaction)
    asked = any(row.command.kind == "remote_stop" and row.command.status in OPEN for row in rows)
    may_send = may(request.user, MAY_SEND)
    signed = signedselectors.of(transaction)
    context = {
        "session": session,
        "record": record,
        "applied": tariffwords.applied(transaction, record),
        "taken_back": newest if record is None else None,
        "receipts": issued.of_transactions([pk]) if may(request.user, "receipts.view") else [],
        "findings": transaction.findings.all(),
        "signed": signed,
        "signed_badge": signedwords.badge(signed) if signed else None,
        "samples": samples,
        "curves": charts.curves(drawn),
        "panels": drawn.panels if drawn else [],
        "table": charts.table(drawn),
        "commands": rows,
        "timeline": _timeline(transaction, rows),
        "may_command": may_send,
        "may_ask": rights_of(request.user).asks,
        "may_stop": may_send and session.running,
        "stopping": asked,
        # The how manieth try it is: a form sent twice asks once.
        "once": sum(row.command.kind == "remote_stop" for row in rows),
        "live": session.running or priced_soon or any(row.command.status in OPEN for row in rows),
        "now": timezone.now(),
    }
    return render(request, "dashboard/transaction.html", context)


def _drawn(transaction: Transaction) -> points.Points | None:
    """What the curves are drawn from, if the charger has sent samples. The page that refreshes itself reads them elsewhere."""
    window = points.session(transaction, None, None)
    return points.of_session(transaction, window) if window else None


@action(MAY_SEND)
def stop_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the charger to stop it. The page then shows what became of that."""
    transaction = get_object_or_404(selectors.transactions(), pk=pk)
    once = request.POST.get("once", "")[:32]
    try:
        commands.issue(
            station=transaction.station,
            command=RemoteStop(transaction.ocpp_transaction_id),
            user=request.user if isinstance(request.user, User) else None,
            reason=request.POST.get("reason", "").strip()[:200],
            idempotency_key=f"stop-{transaction.pk}-{once}" if once else None,
        )
    except BadCommand as error:
        messages.error(request, _("It was not asked to stop: %(why)s") % {"why": in_words(error)})
    return redirect("transaction", pk)


def _commands(transaction: Transaction) -> list[commandrows.CommandRow]:
    """What was asked about this session: its start, its stop, and what was done to its plug or charger meanwhile."""
    end = (transaction.stopped_at or timezone.now()) + AROUND
    stop = Q(kind__in=["remote_stop", "get_transaction_status"], params__transaction=transaction.ocpp_transaction_id)
    begun = Q(created_at__gte=transaction.started_at - AROUND, created_at__lte=transaction.started_at + AROUND)
    start = Q(kind="remote_start", params__id_token__iexact=transaction.id_tag) & begun
    number = transaction.evse.number if transaction.evse else None
    other = Q(kind__in=["unlock_connector", "change_availability", "reset"]) & (
        Q(params__evse=number) | Q(params__evse=0) | Q(params__evse=None)
    )
    meanwhile = Q(created_at__gte=transaction.started_at, created_at__lte=end)
    found = Command.objects.filter(stop | start | (other & meanwhile), station=transaction.station_id)
    found = found.select_related("requested_by", "station").order_by("-id")[:COMMANDS_SHOWN]
    online = selectors.online().filter(pk=transaction.station_id).exists() if found else False
    return [commandrows.CommandRow(command, online) for command in found]


def _timeline(transaction: Transaction, rows: list[commandrows.CommandRow]) -> list[Happening]:
    """What happened, oldest first."""
    t = transaction
    happened = [Happening(t.started_at, "charging", _("Started"), t.id_tag)]
    if t.evse:
        end = (t.stopped_at or timezone.now()) + AROUND
        states = StatusHistory.objects.filter(
            station=t.station_id, evse_number=t.evse.number, at__gte=t.started_at - AROUND, at__lte=end
        ).order_by("-at")[:STATES_SHOWN]
        for state in states:
            known = STATES.get(state.status)
            error = "" if state.error_code == wall.NO_ERROR else state.error_code
            detail = " – ".join(part for part in (error, state.info) if part)
            slug, word = (known.slug, known.word) if known else ("unavailable", state.status)
            happened.append(Happening(state.at, slug, _("Plug: %(state)s") % {"state": word}, detail))
    for row in rows:
        by = row.command.requested_by
        happened.append(Happening(row.command.created_at, "note", _("Asked: %(what)s") % {"what": row.word}, str(by or "")))
    if t.stopped_at:
        happened.append(Happening(t.stopped_at, "finishing", _("Stopped"), t.stop_reason))
    return sorted(happened, key=lambda one: one.at)
