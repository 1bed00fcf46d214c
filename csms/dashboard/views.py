"""The operators' pages."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.models import ChargeRecord
from csms.dashboard import charts, wall
from stations import selectors


def _may_look(request: HttpRequest) -> None:
    user = request.user
    if user.is_authenticated and user.operator_id is None and not user.is_superuser:
        raise PermissionDenied(_("Your account belongs to no network yet. Ask the owner of one to add you."))


@require_safe
@login_required
@never_cache
def show_wall(request: HttpRequest) -> HttpResponse:
    """Is anything wrong, and what charges?"""
    _may_look(request)
    ws_url = ("wss://" if request.is_secure() else "ws://") + request.get_host()
    return render(request, "dashboard/wall.html", {"wall": wall.wall(), "ws_url": ws_url})


@require_safe
@login_required
@never_cache
def show_transaction(request: HttpRequest, pk: int) -> HttpResponse:
    """One session from plug to price."""
    _may_look(request)
    transaction = get_object_or_404(selectors.transactions().select_related("id_token"), pk=pk)
    samples = selectors.samples(transaction)
    context = {
        "session": wall.sessions([transaction])[0],
        "record": ChargeRecord.objects.filter(transaction=transaction).order_by("-revision").first(),
        "findings": transaction.findings.all(),
        "samples": samples,
        "curve": charts.power_curve(samples),
    }
    return render(request, "dashboard/transaction.html", context)
