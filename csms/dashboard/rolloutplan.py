"""The wizard's form: what a roll-out is to be, asked in steps, all of it in the address, so that Back works and nothing is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Count
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from csms.dashboard.rolloutwords import DAYS
from csms.dashboard.words import in_words
from stations.domain.commands import BadCommand
from stations.domain.rollouts import MOST_NAMED, USUAL_WAVES, Selection, StopRule, waves_of
from stations.models import Firmware, Rollout, Site, Station
from stations.services.rollouts import MOST_AT_ONCE, USUAL_RULE

BOXES = forms.CheckboxSelectMultiple
CLOCK = {"type": "time"}


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    word: str | Promise
    fields: tuple[str, ...]


STEPS = (
    Step("chargers", gettext_lazy("Image and chargers"), ("firmware", "models", "versions", "sites", "stations", "offline")),
    Step("waves", gettext_lazy("Waves"), ("waves", "at_once")),
    Step("window", gettext_lazy("When"), ("window_start", "window_end", "window_days", "forced")),
    Step("rule", gettext_lazy("When to stop"), ("failed_percent", "judge_after", "most_lost")),
    Step("preview", gettext_lazy("Preview"), ("name",)),
)
NAMES = [step.name for step in STEPS]


def number(label: Any, least: int, most: int, initial: int, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=least, max_value=most, initial=initial, help_text=help_text)


class Plan(forms.Form):
    """All steps at once. What is missing in the address is as usual."""

    use_required_attribute = False
    firmware: "forms.ModelChoiceField[Firmware]" = forms.ModelChoiceField(
        label=gettext_lazy("Image"), queryset=None, empty_label=gettext_lazy("Choose an image")
    )
    models = forms.MultipleChoiceField(label=gettext_lazy("Only these models"), required=False, widget=BOXES)
    versions = forms.MultipleChoiceField(label=gettext_lazy("Only those with these versions"), required=False, widget=BOXES)
    sites: "forms.ModelMultipleChoiceField[Site]" = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Only at these sites"), required=False, queryset=None, widget=BOXES
    )
    stations = forms.CharField(
        label=gettext_lazy("Only these chargers"),
        required=False,
        max_length=50 * MOST_NAMED,
        widget=forms.Textarea({"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy("Their names, one a line. Nothing: whoever the image fits."),
    )
    offline = forms.BooleanField(
        label=gettext_lazy("Also those that are offline now"),
        required=False,
        help_text=gettext_lazy("They get it when they are back, and their wave waits for them."),
    )
    waves = forms.CharField(
        label=gettext_lazy("Waves"),
        max_length=200,
        initial=", ".join(USUAL_WAVES),
        help_text=gettext_lazy("How far each wave goes: a number of chargers or a share of them. The last one takes the rest."),
    )
    at_once = number(
        gettext_lazy("At most so many at once"), 1, MOST_AT_ONCE, 10, gettext_lazy("They all fetch the image from this server.")
    )
    window_start = forms.TimeField(label=gettext_lazy("From"), required=False, widget=forms.TimeInput(CLOCK, "%H:%M"))
    window_end = forms.TimeField(
        label=gettext_lazy("To"),
        required=False,
        widget=forms.TimeInput(CLOCK, "%H:%M"),
        help_text=gettext_lazy(
            "By the clock of each charger's site; it may pass midnight. Updates begin in it, and may end later."
        ),
    )
    window_days = forms.MultipleChoiceField(
        label=gettext_lazy("Only on these days"),
        required=False,
        choices=DAYS,
        widget=BOXES,
        help_text=gettext_lazy("None: every day."),
    )
    forced = forms.BooleanField(
        label=gettext_lazy("Also while somebody charges"),
        required=False,
        help_text=gettext_lazy("Else each charger is asked when it is idle. Most wait with the restart until charging has ended."),
    )
    failed_percent = number(
        gettext_lazy("Hold when more than so many percent failed"), 0, 100, USUAL_RULE.failed_percent,
        gettext_lazy("Nobody new begins then, until you have looked at it."),
    )  # fmt: skip
    judge_after = number(
        gettext_lazy("Not before so many updates have ended"),
        1,
        50_000,
        USUAL_RULE.after,
        gettext_lazy("The end of a wave is always judged."),
    )
    most_lost = number(
        gettext_lazy("Hold when more than so many did not come back"), 0, 50_000, USUAL_RULE.lost,
        gettext_lazy("They are offline and nothing was heard of them in time: somebody may have to go there."),
    )  # fmt: skip
    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=120,
        help_text=gettext_lazy("To find it again. Nothing: that of the image."),
    )

    def __init__(self, query: QueryDict) -> None:
        super().__init__(self._whole(query))
        self._offer()

    def _whole(self, query: QueryDict) -> QueryDict:
        """The address, with the usual where it says nothing."""
        data = QueryDict(mutable=True)
        for name, field in self.base_fields.items():
            given = [value.replace("\x00", "") for value in query.getlist(name) if value.strip()][: MOST_NAMED + 1]
            if given:
                data.setlist(name, given)
            elif field.initial is not None:
                data[name] = str(field.initial)
        return data

    def _offer(self) -> None:
        """What chargers tell of themselves, to choose from: how many of each there are."""
        firmware, sites = self.fields["firmware"], self.fields["sites"]
        assert isinstance(firmware, forms.ModelChoiceField)
        assert isinstance(sites, forms.ModelMultipleChoiceField)
        firmware.queryset = Firmware.objects.filter(withdrawn_at__isnull=True).order_by("vendor", "model", "-id")
        sites.queryset = Site.objects.order_by("name")
        told = Station.objects.order_by("model", "firmware_version").values_list("model", "firmware_version")
        counts = list(told.annotate(n=Count("pk")))
        for name, column in (("models", 0), ("versions", 1)):
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)
            sums: dict[str, int] = {}
            for row in counts:
                sums[row[column]] = sums.get(row[column], 0) + row[2]
            # What is asked for is offered even if no charger says so any more.
            sums |= {value: 0 for value in self.data.getlist(name) if value not in sums}  # type: ignore[attr-defined]  # a QueryDict
            field.choices = [(value, f"{value} ({n})") for value, n in sums.items() if value]

    def clean_stations(self) -> tuple[str, ...]:
        names = tuple(
            dict.fromkeys(line.strip() for line in self.cleaned_data["stations"].replace(",", "\n").splitlines() if line.strip())
        )
        if len(names) > MOST_NAMED:
            raise forms.ValidationError(_("Name at most %(most)s chargers."), params={"most": MOST_NAMED})
        known = set(Station.objects.filter(identity__in=names).values_list("identity", flat=True))
        if missing := [name for name in names if name not in known]:
            text = _("There is no charger %(names)s: correct the name, or take it out.")
            raise forms.ValidationError(text, params={"names": ", ".join(missing[:5])})
        return names

    def clean_waves(self) -> list[str]:
        try:
            return waves_of([one for one in self.cleaned_data["waves"].replace(";", ",").split(",") if one.strip()])
        except BadCommand as error:
            raise forms.ValidationError(in_words(error)) from None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = cleaned.get("window_start"), cleaned.get("window_end")
        if (start is None) != (end is None) and not {"window_start", "window_end"} & self.errors.keys():
            self.add_error("window_end" if end is None else "window_start", _("A window has a beginning and an end."))
        elif start is not None and start == end:
            self.add_error("window_end", _("Enter an end that differs from the beginning, or neither: then it is always open."))
        return cleaned

    def at(self, wanted: str) -> int:
        """The step to show: the one that is wanted, or the first before it in which something is wrong."""
        index = NAMES.index(wanted) if wanted in NAMES else 0
        for number, step in enumerate(STEPS[:index]):
            if self.errors.keys() & set(step.fields):
                return number
        return index

    def shown(self, step: Step) -> list[forms.BoundField]:
        return [self[name] for name in step.fields]

    def hidden(self, step: Step | None = None) -> list[tuple[str, str]]:
        """What else the address says, or with no step all of it."""
        here = step.fields if step else ()
        return [(name, value) for name, values in self.data.lists() if name not in here for value in values]  # type: ignore[attr-defined]  # a QueryDict

    def selection(self) -> Selection:
        data = self.cleaned_data
        sites = tuple(site.pk for site in data["sites"])
        return Selection(tuple(data["models"]), tuple(data["versions"]), sites, data["stations"], data["offline"])

    def as_draft(self) -> Rollout:
        """As it would be written."""
        data = self.plan()
        rule, selection = data.pop("rule"), data.pop("selection")
        numbers = {"failed_percent": rule.failed_percent, "judge_after": rule.after, "most_lost": rule.lost}
        return Rollout(**data, **numbers, selection=selection.kept())

    def plan(self) -> dict[str, Any]:
        """For `rollouts.create`."""
        data = self.cleaned_data
        names = ("firmware", "name", "waves", "window_start", "window_end", "forced", "at_once")
        return {name: data[name] for name in names} | {
            "selection": self.selection(),
            "window_days": [int(day) for day in data["window_days"]],
            "rule": StopRule(data["failed_percent"], data["judge_after"], data["most_lost"]),
        }


def query_of(rollout: Rollout) -> list[tuple[str, str]]:
    """A roll-out's plan as the wizard's address has it, to plan the like anew."""
    chosen = Selection.of(rollout.selection)

    def many(name: str, values: Sequence[object]) -> list[tuple[str, str]]:
        return [(name, str(value)) for value in values]

    times = [(name, value.strftime("%H:%M")) for name in ("window_start", "window_end") if (value := getattr(rollout, name))]
    numbers = [(name, str(getattr(rollout, name))) for name in ("at_once", "failed_percent", "judge_after", "most_lost")]
    return [
        ("firmware", str(rollout.firmware_id)),
        *many("models", chosen.models),
        *many("versions", chosen.versions),
        *many("sites", chosen.sites),
        *([("stations", "\n".join(chosen.stations))] if chosen.stations else []),
        *([("offline", "on")] if chosen.offline else []),
        ("waves", ", ".join(rollout.waves)),
        *times,
        *many("window_days", rollout.window_days),
        *([("forced", "on")] if rollout.forced else []),
        *numbers,
    ]
