"""The pages about one charger: its tabs, and what one may ask of it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages as notices
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import may
from csms.dashboard import (
    asking,
    audit,
    commandrows,
    daychart,
    evses,
    firmwaretab,
    held,
    localcontrollers,
    logs,
    messageviews,
    parts,
    passwords,
    publications,
    stationfiles,
    stationlist,
)
from csms.dashboard import station as stationpage
from csms.dashboard.access import action, demand, page, rights_of, tabs
from csms.dashboard.words import in_words
from csms.ocpp import reading
from stations import outofservice
from stations.domain.commands import COMMANDS, BadCommand
from stations.models import Command, Station, Variable
from stations.services import commandends, commands, configuration, diagnostics, firmware

TABS = ("overview", "commands", "configuration", "messages", "firmware", "logs", "history")


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _station(identity: str) -> Station:
    return get_object_or_404(stationlist.with_state(), identity=identity)


@page
@tabs(history=audit.MAY_VIEW)
def show_station(request: HttpRequest, identity: str) -> HttpResponseBase:
    """One charger: its plugs, what it is asked, how it is set, what it says."""
    station = _station(identity)
    tab = request.GET.get("tab", "")
    if tab == "messages":
        answer = messageviews.other_than_page(request, messageviews.log_of(request, station), station)
        if answer is not None:
            return answer
    if tab == "commands" and request.GET.get("format") == "csv":
        return stationfiles.commands(request, station)
    if tab == "logs" and request.GET.get("format") == "csv":
        return logs.export_of(request, station)
    if tab == "configuration" and request.GET.get("format") == "csv":
        return stationfiles.settings(request, station, *_settings_asked(request))
    if tab == "firmware" and request.GET.get("format") == "csv":
        return firmwaretab.export(request, station)
    return _render(request, station, tab if tab in TABS or tab in dict(parts.labels()) else "overview")


def render_part(request: HttpRequest, station: Station, part: parts.Part, **more: Any) -> HttpResponse:
    """The tab of a part again, with what was wrong with what was entered there."""
    return _render(request, station, part.tab, problem="", part_more={part.name: more})


def render_overview(request: HttpRequest, station: Station, **more: Any) -> HttpResponse:
    """The overview again, with what was wrong with what was entered there."""
    return _render(request, station, "overview", problem="", **more)


def back_to_part(station: Station, part: parts.Part, anchor: str = "") -> HttpResponse:
    """To the tab of a part, after something was done there."""
    return _back(station, part.tab, anchor)


def station_of(identity: str) -> Station:
    """The charger of this identity in the caller's network, with its state; else 404."""
    return _station(identity)


def _settings_asked(request: HttpRequest) -> tuple[str, bool]:
    """Words to look for among the settings, and whether only those that are not as wanted are shown."""
    return request.GET.get("q", "").replace("\x00", "").strip()[:100], request.GET.get("drift") == "1"


def _render(request: HttpRequest, station: Station, tab: str, form: asking.Ask | None = None, **more: Any) -> HttpResponse:
    refused = form is not None or "problem" in more or "log_form" in more
    head = stationpage.of(station)
    may_command = may(request.user, "commands.send")
    context: dict[str, Any] = {
        "head": head,
        "station": station,
        "tab": tab,
        "refused": refused,
        "part_tabs": parts.labels(),
        "tab_label": dict(parts.labels()).get(tab, ""),
        "now": timezone.now(),
        "may_command": may_command,
        "may_ask": rights_of(request.user).asks,
        "may_fetch": may(request.user, logs.FETCH),
        "may_change": may(request.user, passwords.MAY_CHANGE),
        "held": held.of(station, head.online),
    } | more
    if tab == "overview":
        context |= {
            "cards": evses.cards(station, head.plugs, commandrows.newest(station, head.online)),
            "chart": daychart.last_day(station),
            "sessions": stationpage.last_sessions(station),
            "findings": stationpage.findings(station),
            "relay": localcontrollers.of(station),
            "wishes": outofservice.wishes(station),
        }
    elif tab == "commands":
        context |= {"rows": commandrows.newest(station, head.online, wanted=request.GET.get("command", ""))}
        if may_command:
            asks = asking.offered(head)
            chosen = asks.get(request.GET.get("do", ""))
            form = form or (chosen(head, initial=request.GET.dict()) if chosen else None)
            # Templates call what can be called, so no classes.
            menu = [(name, ask.word) for name, ask in asks.items()]
            context |= {"menu": menu, "form": form, "do": next((name for name, ask in asks.items() if type(form) is ask), "")}
    elif tab == "configuration":
        text, drifting = _settings_asked(request)
        context |= {
            "q": text,
            "drifting": drifting,
            "settings": stationpage.settings(station, text, drifting=drifting),
            "password": passwords.newest(station),
            "drifts": len(stationpage.settings(station, drifting=True)),
            "rows": commandrows.newest(station, head.online, 3),
        }
    elif tab in parts.TABS:
        context |= {"parts": parts.on(tab, request, head, more.get("part_more", {}))}
    elif tab == "logs":
        context |= logs.of_station(station, more.get("log_form"))
    elif tab == "firmware":
        may_update = may(request.user, "firmware.change")
        context |= firmwaretab.context(station, may_update=may_update, form=more.get("update_form"))
        protocol = head.connection.protocol if head.connection else ""
        context |= publications.context(station, protocol, may_update=may_update)
    elif tab == "history":
        context |= audit.of(request, station, audit.PAGE)
    else:
        context |= messageviews.context(messageviews.log_of(request, station), station)
    return render(request, "dashboard/station.html", context, status=422 if refused else 200)


# What one may do


@action("firmware.change")
def update_firmware(request: HttpRequest, identity: str) -> HttpResponse:
    """Bring an image of the library onto a charger."""
    station = _station(identity)
    form = firmwaretab.UpdateForm(station, request.POST)
    if form.is_valid():
        try:
            firmware.start(station=station, firmware=form.image, user=_user(request), **form.chosen())
            return _back(station, "firmware")
        except BadCommand as error:
            form.refuse(error)
    return _render(request, station, "firmware", update_form=form, problem="")


@action("firmware.change")
def cancel_firmware(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Take an update back that does not install yet."""
    station = _station(identity)
    update = get_object_or_404(firmwaretab.updates(station), pk=pk)
    if not firmware.cancel(update=update):
        notices.warning(request, _("It was too late to take it back: it has ended, or the charger is installing."))
    return _back(station, "firmware")


def _back(station: Station, tab: str, anchor: str = "") -> HttpResponse:
    return redirect(f"{reverse('station', args=[station.identity])}?tab={tab}{anchor}")


@action("commands.send")
def send_command(request: HttpRequest, identity: str) -> HttpResponse:
    """Ask something of a charger, by one of the forms."""
    station = _station(identity)
    asks = asking.offered(stationpage.of(station))
    ask = asks.get(request.POST.get("do", ""))
    if ask is None:
        raise Http404(_("This charger cannot be asked for that."))
    form = ask(stationpage.of(station), request.POST)
    if form.is_valid():
        try:
            command = form.command()
            command.check()
            row = commands.issue(station=station, command=command, user=_user(request), reason=form.why())
            return _back(station, "commands", f"#command-{row.pk}")
        except BadCommand as error:
            form.refuse(error)
    return _render(request, station, "commands", form)


@action("commands.send")
def cancel_command(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Take back what was not sent yet."""
    station = _station(identity)
    command = get_object_or_404(Command, station=station, pk=pk)
    if not commandends.cancel(command=command):
        notices.warning(request, _("It was too late to take it back: it had been sent already."))
    return _back(station, "commands", f"#command-{command.pk}")


@action("commands.send")
def retry_command(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Ask again for what came to nothing. What is dangerous leads to its form, to be confirmed anew."""
    station = _station(identity)
    command = get_object_or_404(Command, station=station, pk=pk)
    # Whoever has it asked again must be allowed to ask for it.
    demand(request, COMMANDS[command.kind].verb)
    if not commandrows.CommandRow(command, online=False).retryable:
        notices.warning(request, _("There is nothing to try again: it is under way, done, or must be asked for anew."))
        return _back(station, "commands", f"#command-{command.pk}")
    if form := asking.again(command):
        return _back(station, "commands", f"&{urlencode(form)}#do")
    try:
        again = COMMANDS[command.kind].of(command.params)
        # No key of a caller begins with a space.
        row = commands.issue(
            station=station, command=again, user=_user(request), reason=command.reason, idempotency_key=f" retry-{command.pk}"
        )
    except BadCommand as error:
        notices.error(request, _("It was not asked again: %(why)s") % {"why": in_words(error)})
        return _back(station, "commands", f"#command-{command.pk}")
    return _back(station, "commands", f"#command-{row.pk}")


@action(logs.FETCH)
def request_log(request: HttpRequest, identity: str) -> HttpResponse:
    """Get a log of a charger: all it keeps, unless the form says which, and of which time."""
    station = _station(identity)
    form = logs.AskForLog(request.POST)
    if not form.is_valid():
        return _render(request, station, "logs", log_form=form)
    try:
        upload = diagnostics.request_log(station=station, user=_user(request), **form.asked)
    except BadCommand as error:
        return _render(request, station, "logs", log_form=form, log_problem=in_words(error))
    return _back(station, "logs", f"#log-{upload.pk}")


@action("commands.send")
def change_settings(request: HttpRequest, identity: str) -> HttpResponse:
    """Read all settings, want another value of one, want it no more, or ask again for all that is not as wanted."""
    station = _station(identity)
    head = stationpage.of(station)
    do = request.POST.get("do", "")
    try:
        if do == "read":
            protocol = head.connection.protocol if head.connection else ""
            commands.issue(station=station, command=reading.read_all(protocol), user=_user(request))
        elif do == "apply":
            configuration.apply(station=station, user=_user(request))
        else:
            pk = request.POST.get("variable", "")
            variable = get_object_or_404(
                Variable, station=station, pk=int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 19 else 0
            )
            if do == "forget":
                configuration.forget(variable=variable)
            else:
                configuration.want(variable=variable, value=request.POST.get("value", "").replace("\x00", ""), user=_user(request))
    except BadCommand as error:
        return _render(request, station, "configuration", problem=in_words(error), problem_of=request.POST.get("variable", ""))
    return _back(station, "configuration")
