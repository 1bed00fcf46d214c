"""A driver's own pages: what they charge and have charged, and a session while it runs."""

from collections.abc import Iterable, Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.models import User
from billing import signedselectors
from csms.dashboard import charts, points, signedwords
from csms.dashboard.exports import stream_csv
from csms.driver import sessions
from csms.driver.access import action, driver_of, not_found, page
from csms.files.signed import signed_file
from stations import charging as look
from stations.models import Command, CommandStatus, Transaction
from stations.models.command import FRUITLESS, OPEN
from stations.services import charging

COLUMNS = ("session", "started_at", "stopped_at", "charger", "plug", "site", "energy_wh", "cost", "currency", "final")
#: How often a page looks by itself without JavaScript, in seconds.
FOLLOWS_S, STOPPING_S = 15, 5


def me(request: HttpRequest) -> User:
    driver = driver_of(request.user)
    assert driver is not None  # `access` has seen to it
    return driver


@page
def show_home(request: HttpRequest) -> HttpResponse:
    """What runs, and a month of what was charged."""
    driver = me(request)
    asked = sessions.month_named(request.GET.get("month", ""))
    context = {
        "running": sessions.priced(charging.running(driver)),
        "month": sessions.month_of(charging.history(driver), asked),
        "still": request.GET.get("still") == "1",
    }
    return render(request, "driver/home.html", context)


@page
def export_sessions(request: HttpRequest) -> HttpResponseBase:
    """All of a driver's sessions as a file."""
    rows = charging.history(me(request)).order_by("-id")

    def chunk(last: sessions.Session | None, size: int) -> Sequence[sessions.Session]:
        older = rows if last is None else rows.filter(pk__lt=last.transaction.pk)
        return sessions.priced(older[:size])

    return stream_csv(request, "charging", COLUMNS, chunk, _cells)


def _cells(session: sessions.Session) -> Iterable[object]:
    t, cost = session.transaction, session.cost
    site = t.at_site
    return (
        *(t.pk, t.started_at, t.stopped_at, t.station.identity, session.plug, site.name if site else None, t.energy_wh),
        *((cost.amount, cost.currency, "yes" if cost.record else "no") if cost else (None, None, None)),
    )


@page
def show_session(request: HttpRequest, pk: int) -> HttpResponse:
    driver = me(request)
    transaction = charging.history(driver).filter(pk=pk).first()
    if transaction is None:
        return not_found(request)
    session = sessions.priced([transaction])[0]
    stop = _stop(driver, transaction)
    # Done as well: the end may have come between two looks.
    stopping = session.running and stop is not None and stop.status in (*OPEN, CommandStatus.CONFIRMED)
    still = request.GET.get("still") == "1"
    follows = session.running or session.priced_soon
    signed = signedselectors.of(transaction)
    context = {
        "session": session,
        "curves": _curves(transaction),
        "signed": signed,
        "signed_badge": signedwords.badge(signed) if signed else None,
        "stopping": stopping,
        "stop_failed": session.running and stop is not None and stop.status in FRUITLESS,
        "follows": follows,
        "still": still,
        "follows_s": (STOPPING_S if stopping or session.priced_soon else FOLLOWS_S) if follows and not still else None,
    }
    with timezone.override(session.zone):
        return render(request, "driver/session.html", context)


def _stop(driver: User, transaction: Transaction) -> Command | None:
    """The driver's last word to the charger to end it."""
    asked = look.starts(driver).filter(station=transaction.station_id, kind="remote_stop")
    return asked.filter(params__transaction=transaction.ocpp_transaction_id).order_by("-id").first()


def _curves(transaction: Transaction) -> list[charts.Curve]:
    """The power, small."""
    window = points.session(transaction, None, None)
    drawn = charts.curves(points.of_session(transaction, window)) if window else []
    return [curve for curve in drawn if curve.panel.slug == "power"]


@action
def stop_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the charger to end it. What becomes of that the session's page shows."""
    driver = me(request)
    transaction = charging.history(driver).filter(pk=pk).first()
    if transaction is None:
        return not_found(request)
    try:
        charging.stop(driver=driver, transaction=transaction)
    except charging.Refused as refused:
        messages.error(request, str(refused))
    return redirect("driver_session", pk)


@page
def signed_xml(request: HttpRequest, pk: int) -> HttpResponse:
    """What the meter signed of it, for transparency software."""
    return _signed(request, pk, "xml")


@page
def signed_text(request: HttpRequest, pk: int) -> HttpResponse:
    return _signed(request, pk, "txt")


def _signed(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    transaction = charging.history(me(request)).filter(pk=pk).first()
    answer = signed_file(transaction, form) if transaction else None
    return answer or not_found(request)
