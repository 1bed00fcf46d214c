"""One message that nobody understood: what is wrong with it, place by place, to put right and play again, or to throw away."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts.permissions import may
from csms.dashboard.access import action, page
from csms.dashboard.review import MAY_REPAIR, SEES_TAGS
from csms.ocpp import repairing
from csms.ocpp.masking import without_tags
from stations import review
from stations.models import RepairMessage, Transaction
from stations.services import repairs


@page
def show_review_message(request: HttpRequest, pk: int) -> HttpResponse:
    return _shown(request, _message(pk))


def _message(pk: int) -> RepairMessage:
    return get_object_or_404(RepairMessage.objects.select_related("station__site"), pk=pk)


def _shown(
    request: HttpRequest, message: RepairMessage, text: str | None = None, problems: list[str] | None = None
) -> HttpResponse:
    """`text`: as it was typed, if it could not be played, and why."""
    fitting = review.for_message(message)
    about = _about(request, fitting)
    clear, allowed = may(request.user, SEES_TAGS), may(request.user, MAY_REPAIR)
    written = repairing.written(message, about) if text is None else text
    wrong = problems if problems is not None else repairing.problems(message, written)
    # Whoever may put it right has to see it.
    frame = message.frame if clear or allowed else without_tags(message.frame)
    context: dict[str, Any] = {
        "message": message,
        "frame": frame,
        "protocol": repairing.protocol_of(message),
        "text": written if allowed else "",
        "problems": wrong,
        "tried": problems is not None,
        "fitting": fitting,
        "about": about,
        "may_repair": allowed and message.resolved_at is None,
    }
    return render(request, "dashboard/review_message.html", context, status=422 if problems else 200)


def _about(request: HttpRequest, fitting: list[Transaction]) -> Transaction | None:
    """The session whose number the message is to carry, as a link asks for it."""
    asked = request.GET.get("about", "")
    return next((one for one in fitting if str(one.pk) == asked), None)


@action(MAY_REPAIR)
def play_message(request: HttpRequest, pk: int) -> HttpResponse:
    """Handle it as if it had come like this."""
    message = _message(pk)
    text = request.POST.get("payload", "")
    try:
        repairing.play(message=message, text=text, reason=request.POST.get("reason", ""))
    except ValidationError as error:
        return _shown(request, message, text, error.messages)
    messages.success(request, _("The message was handled as if it had come like this."))
    return redirect("review_message", pk)


@action(MAY_REPAIR)
def discard_message(request: HttpRequest, pk: int) -> HttpResponse:
    message = _message(pk)
    try:
        repairs.discard(message=message, reason=request.POST.get("reason", ""))
    except ValidationError as error:
        messages.error(request, _("Nothing was changed: %(why)s") % {"why": " ".join(error.messages)})
        return redirect("review_message", pk)
    messages.success(request, _("The message was thrown away. It stays in the list of what was done."))
    return redirect("review_message", pk)
