"""What is said about commands for many chargers, in words: what was asked, how far it is, why not further."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from csms.dashboard.commandrows import CommandRow
from csms.dashboard.states import State
from stations.models import Command, CommandRun, CommandRunStep, RunState, RunStepState, Site

Word = str | Promise
#: A run's state: its colour and shape, and its word.
STATES: dict[str, State] = {
    RunState.CHOOSING: State("charging", gettext_lazy("Begins")),
    RunState.RUNNING: State("charging", gettext_lazy("Running")),
    RunState.PAUSED: State("suspended", gettext_lazy("Paused")),
    RunState.CANCELLED: State("unavailable", gettext_lazy("Cancelled")),
    RunState.DONE: State("available", gettext_lazy("Ended")),
}
#: Why a charger was left out, or failed without being asked.
REASONS: dict[str, Word] = {
    "offline": gettext_lazy("It was offline, and did not come back in time."),
    "unsayable": gettext_lazy("Its version of OCPP has no words for this."),
    "gone": gettext_lazy("Its command is not kept any more."),
}
STEPS: dict[str, Word] = {
    RunStepState.WAITING: pgettext_lazy("charger", "Waits for its turn"),
    RunStepState.SKIPPED: pgettext_lazy("charger", "Left out"),
    RunStepState.CANCELLED: pgettext_lazy("charger", "Not asked"),
    RunStepState.FAILED: pgettext_lazy("charger", "Not asked"),
    RunStepState.DONE: pgettext_lazy("charger", "Done"),
    RunStepState.ASKED: pgettext_lazy("charger", "Asked"),
}


def word(run: CommandRun) -> str:
    """What was asked, as each of its commands says it."""
    return CommandRow(Command(kind=run.kind, params=run.params), online=True).word


def step(one: CommandRunStep, run: CommandRun) -> Word:
    """Why a charger stands where it does, of one without a command."""
    match one.state:
        case RunStepState.WAITING if run.state == RunState.PAUSED:
            return _("It is asked when the run goes on.")
        case RunStepState.WAITING if not one.is_online:  # type: ignore[attr-defined]  # annotated by the selector
            return _("The charger is offline. It is asked when it comes back, if that is soon enough.")
        case RunStepState.WAITING:
            return _("It is asked as soon as others have ended.")
        case RunStepState.CANCELLED:
            return _("It was taken back before it was sent.")
    return REASONS.get(one.reason, one.detail or one.reason)


def held(why: dict[str, Any]) -> str:
    """Why a run is paused, and what to do."""
    match why.get("code"):
        case "failed":
            text = _("Held by its stop rule: %(failed)s of %(ended)s that ended failed, more than %(percent)s %%.")
        case "most_failed":
            text = _("Held by its stop rule: %(failed)s failed; %(allowed)s may.")
        case "changed":
            text = _("%(found)s chargers match now, and not %(expected)s as when it was asked. Nobody has been asked yet.")
            return text % why + " " + _("Resume to ask those that match now, or cancel.")
        case "trouble":
            return _("It could not be brought on; the log of the server says why. Resume to try again, or cancel.")
        case _:
            return _("Paused by %(who)s.") % {"who": why.get("who", "")}
    return text % why + " " + _("Look at what failed; resume to go on, and the rule counts anew.")


def whom(run: CommandRun) -> str:
    """Which chargers were meant."""
    chosen = run.selection
    if names := chosen.get("stations"):
        return ngettext("%(n)s named charger", "%(n)s named chargers", len(names)) % {"n": len(names)}
    if of := chosen.get("failed_of"):
        return _("those of run %(id)s that came to nothing") % {"id": of}
    parts = []
    for name, value in chosen.get("filter", {}).items():
        site = name == "site" and value.isdigit()
        parts.append(str(Site.objects.filter(pk=value).first() or value) if site else value)
    return ", ".join(parts) or _("all chargers")


def plan(run: CommandRun) -> list[tuple[str, Any]]:
    rules = []
    if run.failed_percent is not None:
        rules.append(_("more than %(percent)s %% failed") % {"percent": run.failed_percent})
    if run.most_failed is not None:
        rules.append(_("more than %(n)s failed") % {"n": run.most_failed})
    if rules and run.count_offline:
        rules.append(_("those that stay offline counted"))
    return [
        (_("Chargers"), whom(run)),
        (_("At once"), run.at_once),
        (_("Spread over seconds"), run.jitter_s),
        (_("Holds if"), ", ".join(rules) or _("never by itself")),
    ]
