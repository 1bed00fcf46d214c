"""Planning a roll-out, step by step. Nothing is written before the last one."""

import secrets
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from csms.dashboard import rolloutwords
from csms.dashboard.access import action, needs, operator_of
from csms.dashboard.rolloutplan import NAMES, STEPS, Plan
from csms.dashboard.words import in_words
from stations import rollouts as reads
from stations.domain.commands import BadCommand
from stations.domain.rollouts import Selection, sizes
from stations.models import Firmware, Rollout
from stations.services import rollouts

MAY_CHANGE = "firmware.change"
#: Names of chargers that a preview shows.
NAMED = 200


@require_safe
@needs(MAY_CHANGE)
def plan_rollout(request: HttpRequest) -> HttpResponse:
    """One step of the wizard, with what the address says already."""
    begun = any(name in request.GET for name in Plan.base_fields)
    plan = Plan(request.GET)
    number = plan.at(request.GET.get("step", "")) if begun else 0
    wanted = request.GET.get("step", "") in NAMES[number + 1 :] or (begun and not request.GET.get("step"))
    return _show(request, plan, number, complain=wanted)


def _show(request: HttpRequest, plan: Plan, number: int, *, complain: bool, token: str = "", error: str = "") -> HttpResponse:
    """`complain`: show what is wrong in this step; else it is asked for the first time."""
    step = STEPS[number]
    wrong = [name for name in step.fields if name in plan.errors] if complain else []
    for name in () if complain else step.fields:
        # What was not asked yet is no mistake.
        plan.errors.pop(name, None)
    context: dict[str, Any] = {
        "plan": plan,
        "number": number,
        "step": step,
        "steps": [(one, n, urlencode([*plan.hidden(), ("step", one.name)])) for n, one in enumerate(STEPS)],
        "fields": plan.shown(step),
        "hidden": plan.hidden(step),
        "wrong": [(plan[name], plan.errors[name]) for name in wrong],
        "back": urlencode([*plan.hidden(), ("step", STEPS[number - 1].name)]) if number else "",
        "next": STEPS[number + 1].name if number + 1 < len(STEPS) else "",
        "token": token or secrets.token_urlsafe(16),
        "error": error,
        "empty": not Firmware.objects.filter(withdrawn_at__isnull=True).exists(),
    }
    if step.name == "preview" and plan.is_valid():
        draft = plan.as_draft()
        context |= preview_of(draft) | {"planned": rolloutwords.plan(draft)}
    return render(request, "dashboard/rollout_new.html", context, status=422 if request.method == "POST" else 200)


def preview_of(draft: Rollout) -> dict[str, Any]:
    """Whom it takes and whom not, and what each wave adds."""
    found = reads.preview(draft.firmware, Selection.of(draft.selection))
    return {
        "preview": found,
        "named": found.identities[:NAMED],
        "more": max(0, found.total - NAMED),
        "left_out": [(rolloutwords.LEFT_OUT[why], n) for why, n in found.left_out.items()],
        "parts": list(enumerate(sizes(draft.waves, found.total), 1)),
    }


@action(MAY_CHANGE)
def create_rollout(request: HttpRequest) -> HttpResponse:
    """Keep the plan as a draft, or start it at once."""
    operator_of(request)
    plan, token = Plan(request.POST), request.POST.get("token", "")[:40]
    number = plan.at("preview")
    if number + 1 < len(STEPS) or not plan.is_valid() or not token:
        return _show(request, plan, number, complain=True)
    user = request.user if isinstance(request.user, User) else None
    try:
        with transaction.atomic():
            rollout = rollouts.create(**plan.plan(), user=user, idempotency_key=token)
            if request.POST.get("then") == "start" and not rollout.repeated:
                rollouts.start(rollout=rollout, user=user, seal=request.POST.get("seal"))
                messages.success(request, _("The roll-out has begun."))
    except BadCommand as error:
        return _show(request, plan, number, complain=True, error=in_words(error))
    return redirect("rollout", rollout.pk)
