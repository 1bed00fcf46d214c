"""Local lists of id tags: the card on a charger's page, and the network's rules with how each charger stands to them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages as notices
from django.core.exceptions import ValidationError
from django.db.models import Count, F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import IdTokenGroup
from accounts.permissions import may
from csms.dashboard.access import action, may_add, operator_of, page
from csms.dashboard.exports import stream_csv
from csms.dashboard.serviceforms import ServiceForm
from stations import locallists
from stations.models import ListMode, ListState, LocalList, LocalListEntry, LocalListRule, Site, Station
from stations.services import localauthlist
from stations.services.locallistcontent import Builder

if TYPE_CHECKING:
    from csms.dashboard.station import Head

MAY_CHANGE, MAY_SEND = "tags.change", "commands.send"
PAGE, SHOWN, GROUPS = 50, 100, 200
#: Rules in the table; more are those of single chargers, which stand on their pages too.
RULES = 100
MODES: list[tuple[str, str | Promise]] = [
    (ListMode.OFF, gettext_lazy("No tags")),
    (ListMode.VALID, gettext_lazy("All valid tags")),
    (ListMode.GROUPS, gettext_lazy("The tags of these groups")),
]
#: A list's state in words, and the colour of its tag.
STATES: dict[str, tuple[str | Promise, str]] = {
    ListState.WAITING: (gettext_lazy("Out of step"), "suspended"),
    ListState.SENDING: (gettext_lazy("Being sent"), "preparing"),
    ListState.FAILED: (gettext_lazy("Refused"), "faulted"),
    ListState.UNSUPPORTED: (gettext_lazy("Not supported"), "unavailable"),
    ListState.IN_STEP: (gettext_lazy("In step"), "available"),
    ListState.OFF: (gettext_lazy("No list"), "waiting"),
}
HEADER = (
    *("station", "site", "mode", "state", "version", "sent_version", "reported_version", "entries", "left_out", "limit"),
    *("error", "error_at", "synced_at"),
)


class RuleForm(ServiceForm):
    """Which tags belong on the lists. The rules are those of `stations.services.localauthlist`."""

    mode = forms.ChoiceField(label=gettext_lazy("On the list"), choices=MODES, widget=forms.RadioSelect)
    groups = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Groups"),
        coerce=int,
        required=False,
        widget=forms.SelectMultiple({"size": 5}),
        help_text=gettext_lazy("Only for the tags of groups; choose several with Ctrl or Cmd."),
    )

    def __init__(self, rule: LocalListRule | None, data: Any = None, *, prefix: str, inherits: str | Promise = "") -> None:
        initial = {"mode": rule.mode if rule else "" if inherits else ListMode.OFF, "groups": rule.group_ids if rule else []}
        super().__init__(data, prefix=prefix, initial=initial)
        mode, groups = self.fields["mode"], self.fields["groups"]
        assert isinstance(mode, forms.ChoiceField)
        assert isinstance(groups, forms.ChoiceField)
        if inherits:
            mode.choices = [("", inherits), *MODES]
            mode.required = False
        named = IdTokenGroup.objects.order_by("name").values_list("pk", "name")
        # Those of the rule always stand there: whoever keeps it as it is would lose them.
        chosen = named.filter(pk__in=rule.group_ids) if rule else named.none()
        groups.choices = sorted({*named[:GROUPS], *chosen}, key=lambda group: str(group[1]))
        if not groups.choices:
            del self.fields["groups"]

    def chosen(self) -> list[IdTokenGroup]:
        return list(IdTokenGroup.objects.filter(pk__in=self.cleaned_data.get("groups", [])))


def rule_of(*, site: Site | None = None, station: Station | None = None) -> LocalListRule | None:
    return LocalListRule.objects.filter(site=site, station=station).first()


def keep(request: HttpRequest, form: RuleForm, **of: Any) -> bool:
    """Set the rule as the form says, or let the next wider one count. False: it is refused, which stands in the form."""
    if not form.is_valid():
        return False
    try:
        if mode := form.cleaned_data["mode"]:
            localauthlist.set_rule(operator=operator_of(request), mode=mode, groups=form.chosen(), **of)
        elif (rule := rule_of(**of)) is not None:
            localauthlist.remove_rule(rule=rule)
    except ValidationError as error:
        form.refuse(error)
        return False
    notices.success(request, _("The rule is kept. Chargers that are there get their lists within seconds."))
    return True


# One charger


def part(request: HttpRequest, head: "Head") -> dict[str, Any]:
    """The card on the tab Access."""
    station = head.station
    one = LocalList.objects.filter(station=station).select_related("rule__site", "rule__station", "command").first()
    may_change = may_add(request, MAY_CHANGE)
    found: dict[str, Any] = {
        "list": one,
        "may_send": may(request.user, MAY_SEND),
        "may_change": may_change,
        "online": head.online,
        "form": station_form(station) if may_change else None,
        "now": timezone.now(),
        "switched_off": locallists.switched_off(station),
    }
    if one is not None:
        word, colour = STATES[one.state]
        found |= {"word": word, "colour": colour, "mode": mode_of(one, group_names()), "rows": list(entries(one)[:SHOWN])}
        if one.state in (ListState.WAITING, ListState.FAILED):
            found["differs"] = differing(one)
        found["further"] = max(0, one.count - SHOWN)
    return found


def entries(one: LocalList) -> QuerySet[Any]:
    """What is on a list: what was sent by hand, or the tags of its rule that were sent."""
    if one.by_hand:
        return LocalListEntry.objects.filter(local_list=one).order_by("pk")
    return locallists.on_list(one, timezone.now()).select_related("group").order_by("pk")


def station_form(station: Station, data: Any = None) -> RuleForm:
    wider = gettext_lazy("As its site or the network says")
    return RuleForm(rule_of(station=station), data, prefix="list", inherits=wider)


def mode_of(one: LocalList, names: dict[int, str]) -> str | Promise:
    """What belongs on a list, in words. `names`: of the groups."""
    if one.by_hand and one.rule is None:
        return _("Sent by hand")
    if one.rule is not None and one.rule.mode == ListMode.GROUPS:
        return _("Tags of %(groups)s") % {"groups": ", ".join(sorted(names[pk] for pk in one.rule.group_ids if pk in names)) or "–"}
    return dict(MODES)[one.rule.mode if one.rule else ListMode.OFF]


def group_names() -> dict[int, str]:
    return dict(IdTokenGroup.objects.values_list("pk", "name"))


def differing(one: LocalList) -> dict[str, int] | None:
    """How much is to be sent: tags that come or change, and those that go. None: nothing."""
    content = Builder(timezone.now()).of(one, one.limit) if one.rule is not None else None
    if content is None:
        return None
    gone = sum(entry.get("remove", False) for entry in content.entries)
    return {"come": len(content.entries) - gone, "go": gone, "whole": content.update == "full", "more": content.more}


# The network


def _lists(request: HttpRequest) -> QuerySet[LocalList]:
    found = LocalList.objects.select_related("station__site", "rule").order_by("station__identity")
    state = request.GET.get("state", "")
    return found.filter(state=state) if state in STATES else found


@page
def show_lists(request: HttpRequest) -> HttpResponseBase:
    """Which tags belong on the lists, and which chargers have them."""
    if request.GET.get("format") == "csv":
        return _export(request)
    return _show(request)


def _show(request: HttpRequest, form: RuleForm | None = None, of: str = "") -> HttpResponse:
    may_change = may_add(request, MAY_CHANGE)
    rows, after, state = _lists(request), request.GET.get("after", "").replace("\x00", ""), request.GET.get("state", "")
    if after:
        rows = rows.filter(station__identity__gt=after)
    found = list(rows[: PAGE + 1])
    counts = dict(LocalList.objects.order_by().values_list("state").annotate(n=Count("pk")))
    asked = {"state": state} if state in STATES else {}
    # The network's, those of sites, those of chargers.
    in_order = F("station__identity").asc(nulls_first=True), F("site__name").asc(nulls_first=True)
    rules = list(LocalListRule.objects.select_related("site", "station").order_by(*in_order)[: RULES + 1])
    names = group_names()
    context = {
        "form": form if form is not None and not of else RuleForm(rule_of(), prefix="network") if may_change else None,
        "site_form": form if form is not None and of else None,
        "rules": [
            (rule, dict(MODES)[rule.mode], sorted(names[pk] for pk in rule.group_ids if pk in names)) for rule in rules[:RULES]
        ],
        "more_rules": len(rules) > RULES,
        "sites": Site.objects.order_by("name")[:500] if may_change else [],
        "of": of,
        "rows": [(one, *STATES[one.state], mode_of(one, names)) for one in found[:PAGE]],
        "chips": [(name, STATES[name][0], counts[name]) for name in STATES if counts.get(name)],
        "all": sum(counts.values()),
        "state": asked.get("state", ""),
        "first": urlencode(asked) if after else None,
        "more": urlencode(asked | {"after": found[PAGE - 1].station.identity}) if len(found) > PAGE else "",
        "export": urlencode(asked | {"format": "csv"}),
        "may_change": may_change,
        "now": timezone.now(),
    }
    return render(request, "dashboard/local_lists.html", context, status=422 if form is not None else 200)


@action(MAY_CHANGE)
def change_rule(request: HttpRequest) -> HttpResponse:
    """Set the rule of the network or of a site, or remove one."""
    if "remove" in request.POST:
        rule = get_object_or_404(LocalListRule, pk=_number(request.POST["remove"]))
        localauthlist.remove_rule(rule=rule)
        notices.success(request, _("The rule is removed: the next wider one counts."))
        return redirect("local_lists")
    number = request.POST.get("site", "")
    site = get_object_or_404(Site, pk=_number(number)) if number else None
    form = RuleForm(rule_of(site=site), request.POST, prefix="network")
    if not keep(request, form, site=site):
        return _show(request, form, str(site.pk) if site else "")
    return redirect("local_lists")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _export(request: HttpRequest) -> HttpResponseBase:
    rows = _lists(request)

    def chunk(last: LocalList | None, size: int) -> Sequence[LocalList]:
        return list((rows if last is None else rows.filter(station__identity__gt=last.station.identity))[:size])

    def cells(one: LocalList) -> Iterable[object]:
        site = one.station.site
        mode = "by_hand" if one.by_hand else one.rule.mode if one.rule else "off"
        versions = (one.version, one.sent_version, one.reported_version)
        counts = (one.count, one.left_out, one.limit)
        place = (one.station.identity, site.name if site else "")
        return (*place, mode, one.state, *versions, *counts, one.error, one.error_at, one.synced_at)

    return stream_csv(request, "local-lists", HEADER, chunk, cells)
