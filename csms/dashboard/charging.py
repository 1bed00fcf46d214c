"""The power of one charger: what limits it, what it may draw from now on, and the form that sets a simple limit."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.permissions import may
from csms.dashboard import chargingwords as words
from csms.dashboard.chargingwords import amount
from csms.dashboard.station import Head
from csms.dashboard.words import in_words
from csms.ocpp import reading
from stations import charginglists
from stations.domain import commands
from stations.domain.chargingprofiles import EXTERNAL, STATION_MAX, TX, TX_DEFAULT
from stations.models import ChargingLimit, ChargingProfile, Command, EvChargingNeeds, EvChargingSchedule, Station
from stations.models.command import OPEN
from stations.services import chargingchecks

WIDTH, HEIGHT, SHOWN = 720, 160, 200
KINDS = ("set_charging_profile", "clear_charging_profile", "get_charging_profiles", "get_composite_schedule")
UNITS = (("A", gettext_lazy("A per phase")), ("W", "kW"))
#: A limit of a while stands above the standing one, to which it falls back.
STANDING, PASSING = 0, 1


class LimitForm(forms.Form):
    """At most so much, somewhere, for some time. What a charger takes of it `chargingchecks` knows."""

    plug = forms.ChoiceField(label=gettext_lazy("Where"))
    most = forms.DecimalField(
        label=gettext_lazy("At most"),
        min_value=0,
        max_value=100_000,
        decimal_places=1,
        widget=forms.NumberInput({"step": "0.1", "inputmode": "decimal"}),
        help_text=gettext_lazy("0 pauses charging. Below 6 A most cars stop, too."),
    )
    unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=UNITS)
    lasts = forms.ChoiceField(
        label=gettext_lazy("For how long"),
        choices=[
            ("open", gettext_lazy("Until it is cleared")),
            ("until", gettext_lazy("Until the time below")),
            ("session", gettext_lazy("For the session that runs there")),
        ],
        widget=forms.RadioSelect,
        initial="open",
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Until"), required=False, widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M")
    )

    def __init__(self, head: Head, data: Any = None) -> None:
        super().__init__(data)
        plug, unit = self.fields["plug"], self.fields["unit"]
        assert isinstance(plug, forms.ChoiceField)
        assert isinstance(unit, forms.ChoiceField)
        numbers = sorted({one.connector.evse.number for one in head.plugs})
        plug.choices = [("0", _("The whole charger")), *((str(n), _("Plug %(number)s") % {"number": n}) for n in numbers)]
        if taken := chargingchecks.units_of(head.station):
            unit.choices = [(value, word) for value, word in UNITS if value in taken]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("lasts") == "session" and data.get("plug") == "0":
            self.add_error("plug", _("Choose the plug at which the session runs."))
        if data.get("lasts") == "until" and "until" not in self.errors:
            if data.get("until") is None:
                self.add_error("until", _("Say until when."))
            elif data["until"] <= timezone.now():
                self.add_error("until", _("This time is over: choose one that is yet to come."))
        return data

    def command(self) -> commands.SetChargingProfile:
        data = self.cleaned_data
        evse, unit, lasts = int(data["plug"]), data["unit"], data["lasts"]
        most = data["most"] * (1000 if unit == "W" else 1)
        purpose = TX if lasts == "session" else TX_DEFAULT if evse else STATION_MAX
        # From a minute ago: a charger whose clock is behind would leave a gap.
        start = (timezone.now() - timedelta(minutes=1)).replace(microsecond=0)
        limit = int(most) if most == int(most) else float(most)
        profile: dict[str, Any] = {
            "purpose": purpose,
            "kind": "Absolute",
            "stack_level": PASSING if lasts == "until" else STANDING,
            "schedules": [{"unit": unit, "periods": [{"start_s": 0, "limit": limit}], "start": start.isoformat()}],
        }
        if lasts == "until":
            profile["valid_to"] = data["until"].isoformat()
        return commands.SetChargingProfile(evse, profile)

    def refuse(self, error: commands.BadCommand) -> None:
        self.add_error(None, in_words(error))


@dataclass(frozen=True, slots=True)
class ProfileRow:
    row: ChargingProfile

    @property
    def state(self) -> str:
        return charginglists.state_of(self.row)

    @property
    def state_word(self) -> str | Promise:
        return words.STATES[self.state][0]

    @property
    def state_means(self) -> str | Promise:
        return words.STATES[self.state][1]

    @property
    def odd(self) -> bool:
        return words.STATES[self.state][2]

    @property
    def purpose(self) -> str | Promise:
        return words.PURPOSES.get(self.row.purpose, self.row.purpose)

    @property
    def source(self) -> str | Promise:
        return words.SOURCES.get(self.row.source, self.row.source)

    @property
    def where(self) -> str:
        return words.where(self.row.evse_number)

    @property
    def ours(self) -> bool:
        return self.row.source == "CSO" and self.row.purpose != EXTERNAL

    @property
    def limits(self) -> str:
        return words.limits(self.row.wanted or self.row.reported or {})

    @property
    def reported(self) -> str:
        """What it reports instead, if that differs."""
        return words.limits(self.row.reported or {}) if self.state == "differs" else ""

    @property
    def until(self) -> datetime | None:
        text = (self.row.wanted or self.row.reported or {}).get("valid_to")
        return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of time: what may be drawn, and what the charger said; in words."""

    at: datetime
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What may be drawn from now on. `ours` and `theirs` are points of SVG polylines, broken where nothing limits."""

    where: str
    start: datetime
    end: datetime
    top: str
    ours: list[str]
    theirs: list[str]
    steps: list[Step]
    limited: bool
    difference: str
    reported_at: datetime | None
    width: int = WIDTH
    height: int = HEIGHT
    middle: int = HEIGHT // 2


Stretches = list[tuple[int, Decimal | None]]


def _stretches(periods: list[dict[str, Any]], shift: int = 0) -> Stretches:
    return [(one["start_s"] - shift, None if one["limit"] is None else Decimal(str(one["limit"]))) for one in periods]


def chart_of(found: dict[str, Any]) -> Chart:
    """`found`: one of `charginglists.attach`."""
    start, duration, unit, reported = found["start_at"], found["duration_s"], found["unit"], found["reported"]
    ours, theirs = _stretches(found["periods"]), Stretches()
    if reported is not None and reported.unit == unit:
        shift = int((start - reported.start_at).total_seconds())
        theirs = [*_stretches(reported.periods, shift), (reported.duration_s - shift, None)]
    highest = max([limit for _at, limit in (*ours, *theirs) if limit is not None], default=Decimal(0))
    moments = sorted({at for at, _limit in (*ours, *theirs) if 0 <= at < duration} | {0})
    steps = [
        Step(start + timedelta(seconds=at), _said(_at(ours, at), unit), _said(_at(theirs, at), unit) if theirs else "")
        for at in moments
    ]
    return Chart(
        words.where(found["evse"]),
        start,
        start + timedelta(seconds=duration),
        amount(highest, unit),
        _lines(ours, duration, highest),
        _lines(theirs, duration, highest),
        steps[:SHOWN],
        any(limit is not None for _at, limit in ours),
        reported.difference if reported is not None else "",
        reported.reported_at if reported is not None else None,
    )


def _said(limit: Decimal | None, unit: str) -> str:
    return _("no limit") if limit is None else amount(limit, unit)


def _at(stretches: Stretches, second: int) -> Decimal | None:
    found = None
    for at, limit in stretches:
        if at > second:
            break
        found = limit
    return found


def _lines(stretches: Stretches, duration: int, highest: Decimal) -> list[str]:
    if not stretches:
        return []
    scale = max(highest, Decimal(1)) * Decimal("1.1")
    lines: list[list[str]] = [[]]
    ends = [at for at, _limit in stretches[1:]] + [duration]
    for (begins, limit), end in zip(stretches, ends, strict=True):
        left, right = max(begins, 0), min(end, duration)
        if limit is None or right <= left:
            lines.append([])
            continue
        y = f"{HEIGHT - float(limit / scale) * HEIGHT:.1f}"
        lines[-1] += [f"{left / duration * WIDTH:.1f},{y}", f"{right / duration * WIDTH:.1f},{y}"]
    return [" ".join(one) for one in lines if one]


def profiles_of(station: Station) -> list[ProfileRow]:
    return [ProfileRow(row) for row in ChargingProfile.objects.filter(station=station)[:SHOWN]]


def context(request: HttpRequest, head: Head) -> dict[str, Any]:
    """What the part shows. `?evse=` and `?unit=` say of what the chart is."""
    station, query = head.station, request.GET
    units = chargingchecks.units_of(station) or ["A", "W"]
    unit = query.get("unit", "")
    unit = unit if unit in ("A", "W") else units[0]
    charginglists.attach([station], evse=None, unit=unit, duration_s=charginglists.DAY_S, now=timezone.now())
    found: list[dict[str, Any]] = station.composites  # type: ignore[attr-defined]  # attached above
    chosen = next((one for one in found if str(one["evse"]) == query.get("evse")), found[0])
    can = reading.sayable(head.connection.protocol if head.connection else "")
    may_set = may(request.user, "commands.send")
    return {
        "profiles": profiles_of(station),
        "others": [
            (row, words.where(row.evse_number), words.SOURCES.get(row.source, row.source), _schedules(row.schedules))
            for row in ChargingLimit.objects.filter(station=station, cleared_at__isnull=True)[:SHOWN]
        ],
        "cars": [_car(row) for row in EvChargingNeeds.objects.filter(station=station)[:SHOWN]],
        "choices": [
            (row, words.where(row.evse_number), words.schedule(row.schedule))
            for row in EvChargingSchedule.objects.filter(station=station)[:SHOWN]
        ],
        "chart": chart_of(chosen),
        "evse": chosen["evse"],
        "places": [(one["evse"], words.where(one["evse"])) for one in found],
        "unit": unit,
        "volts": chosen["volts"],
        "volts_from": chosen["volts_from"],
        "hardware": chosen["hardware"],
        "waiting": Command.objects.filter(station=station, kind__in=KINDS, status__in=OPEN).count(),
        "may_set": may_set,
        "reads": "get_charging_profiles" in can,
        "form": LimitForm(head) if may_set else None,
    }


def _schedules(listed: list[dict[str, Any]]) -> str:
    return "; ".join(words.schedule(one) for one in listed[:3])


def _car(row: EvChargingNeeds) -> tuple[EvChargingNeeds, str, Any, str, Any]:
    """With its place, mode, needs and state in words."""
    needs, told = row.needs, []
    if needs.get("energy_wh") is not None:
        told.append(_("%(kwh)s kWh") % {"kwh": round(needs["energy_wh"] / 1000, 1)})
    told += [amount(needs[name], unit) for name, unit in (("max_a", "A"), ("max_w", "W")) if needs.get(name) is not None]
    if needs.get("soc_percent") is not None:
        told.append(_("battery at %(n)s %%") % {"n": needs["soc_percent"]})
    return row, words.where(row.evse_number), words.MODES.get(row.mode, row.mode), ", ".join(told), words.NEEDS.get(row.state, "")
