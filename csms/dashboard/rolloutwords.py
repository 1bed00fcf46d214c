"""What is said about roll-outs and their steps, in words: how far, why not, and what to do about it."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from csms.dashboard.firmwarewords import FAILURES, STATUSES
from csms.dashboard.states import State
from stations.domain.rollouts import Selection
from stations.models import Rollout, RolloutState, RolloutStep, Site, StepState
from stations.rollouts import ACCEPTED, ELSEWHERE, MAKE, OFFLINE, VERSION
from stations.services.firmwareprogress import same_version

Word = str | Promise
DAYS = [
    ("0", gettext_lazy("Monday")),
    ("1", gettext_lazy("Tuesday")),
    ("2", gettext_lazy("Wednesday")),
    ("3", gettext_lazy("Thursday")),
    ("4", gettext_lazy("Friday")),
    ("5", gettext_lazy("Saturday")),
    ("6", gettext_lazy("Sunday")),
]
#: A roll-out's state: its colour and shape, and its word.
ROLLOUTS: dict[str, State] = {
    RolloutState.DRAFT: State("unavailable", gettext_lazy("Draft")),
    RolloutState.RUNNING: State("charging", gettext_lazy("Running")),
    RolloutState.PAUSED: State("suspended", gettext_lazy("Paused")),
    RolloutState.CANCELLED: State("unavailable", gettext_lazy("Cancelled")),
    RolloutState.DONE: State("available", gettext_lazy("Done")),
}
STEPS: dict[str, State] = {
    StepState.WAITING: State("waiting", gettext_lazy("Waiting")),
    StepState.UPDATING: State("charging", gettext_lazy("Under way")),
    StepState.DONE: State("available", gettext_lazy("Done")),
    StepState.FAILED: State("faulted", gettext_lazy("Failed")),
    StepState.SKIPPED: State("unavailable", gettext_lazy("Left out")),
    StepState.CANCELLED: State("unavailable", gettext_lazy("Cancelled")),
}
WAITS: dict[str, Word] = {
    "offline": gettext_lazy("Is offline; goes on when it is back"),
    "busy": gettext_lazy("Another update runs on it"),
    "charging": gettext_lazy("Somebody charges; goes on when it is idle"),
}
FAILED: dict[str, Word] = FAILURES | {
    "lost": gettext_lazy("It did not come back: somebody may have to go there."),
    "gone": gettext_lazy("Its update is not known any more."),
}
#: Why a charger is left out: before the start, and on the way.
LEFT_OUT: dict[str, Word] = {
    MAKE: gettext_lazy("Another make or model"),
    VERSION: gettext_lazy("Has this version already"),
    ACCEPTED: gettext_lazy("Has never been accepted"),
    ELSEWHERE: gettext_lazy("In another roll-out"),
    OFFLINE: gettext_lazy("Offline now"),
    "person": gettext_lazy("Left out by hand"),
}


def step(one: RolloutStep, rollout: Rollout) -> Word:
    """Where a station stands, or why."""
    match one.state:
        case StepState.WAITING if one.wave > rollout.wave:
            return _("Its wave has not begun")
        case StepState.WAITING if rollout.state == RolloutState.PAUSED:
            return _("Waits until the roll-out goes on")
        case StepState.WAITING if one.reason == "window":
            return _("Waits until its site lets it")
        case StepState.WAITING:
            return WAITS.get(one.reason, _("Is next"))
        case StepState.UPDATING:
            return STATUSES[one.update.status][1] if one.update else ""
        case StepState.FAILED if one.reason in ("lost", "timeout", "idle") and same_version(
            one.station.firmware_version, rollout.firmware.version
        ):
            return _("It came back late, with the new version: nothing is left to do.")
        case StepState.FAILED if one.reason == "lost" and one.is_online:  # type: ignore[attr-defined]  # annotated by the selector
            return _("It did not come back in time, and is online now: try it again.")
        case StepState.FAILED:
            return FAILED.get(one.reason, one.reason)
        case StepState.SKIPPED:
            return LEFT_OUT.get(one.reason, one.reason)
    return ""


def held(why: dict[str, Any]) -> str:
    """Why a roll-out is paused, and what to do."""
    match why.get("code"):
        case "failed":
            text = _("Held by its stop rule: %(failed)s of %(ended)s updates failed, more than %(percent)s %%.")
        case "lost":
            text = ngettext(
                "Held by its stop rule: %(lost)s charger did not come back; %(allowed)s may.",
                "Held by its stop rule: %(lost)s chargers did not come back; %(allowed)s may.",
                int(why["lost"]),
            )
        case "withdrawn":
            return _("Held because its image was withdrawn from the library. Cancel it, and plan another one.")
        case _:
            return _("Paused by %(who)s.") % {"who": why.get("who", "")}
    return text % why + " " + _("Look at what failed; resume to go on, and the rule counts anew.")


def plan(rollout: Rollout) -> list[tuple[str, Any]]:
    """What was planned, in words; it need not be written yet."""
    chosen = Selection.of(rollout.selection)
    where = (
        [*chosen.models, *chosen.versions, *Site.objects.filter(pk__in=chosen.sites).values_list("name", flat=True)]
        if rollout.selection
        else []
    )
    if chosen.stations:
        where.append(ngettext("%(n)s named charger", "%(n)s named chargers", len(chosen.stations)) % {"n": len(chosen.stations)})
    times = (
        f"{rollout.window_start:%H:%M}–{rollout.window_end:%H:%M}"
        if rollout.window_start and rollout.window_end
        else _("at any time")
    )
    days = ", ".join(str(word) for number, word in DAYS if int(number) in rollout.window_days)
    rule = _("more than %(percent)s %% failed once %(after)s have ended, or more than %(lost)s did not come back")
    return [
        (_("Image"), rollout.firmware),
        (_("Chargers"), ", ".join(where) or _("all that it fits")),
        (_("Waves"), ", ".join(rollout.waves)),
        (_("At once"), rollout.at_once),
        (
            _("Begins"),
            ", ".join(
                part for part in (times, days, _("also while somebody charges") if rollout.forced else _("when idle")) if part
            ),
        ),
        (_("Holds if"), rule % {"percent": rollout.failed_percent, "after": rollout.judge_after, "lost": rollout.most_lost}),
    ]
