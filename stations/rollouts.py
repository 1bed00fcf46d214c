"""Reads of roll-outs, in the scope of the caller: which stations one takes, why it leaves out others, and how far it is."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value, When

from stations import selectors
from stations.domain.rollouts import Selection
from stations.models import Firmware, Rollout, RolloutStep, Station, StepState
from stations.models.rollout import OPEN_STEPS

#: Why a station is left out, in the order in which it is asked.
MAKE, VERSION, ACCEPTED, ELSEWHERE, OFFLINE = "make", "version", "accepted", "elsewhere", "offline"
REASONS = (MAKE, VERSION, ACCEPTED, ELSEWHERE, OFFLINE)
#: More stations than this are not in one roll-out.
MOST = 50_000


def fits(firmware: Firmware) -> Q:
    """Stations for which it was made: `selectors.fitting` the other way round."""
    made_for = Q(vendor__iexact=firmware.vendor)
    return made_for & Q(model__iexact=firmware.model) if firmware.model else made_for


def meant(selection: Selection) -> QuerySet[Station]:
    """The stations that a selection names, whatever they are."""
    found = Station.objects.all()
    for field, values in (
        ("model", selection.models),
        ("firmware_version", selection.versions),
        ("site", selection.sites),
        ("identity", selection.stations),
    ):
        if values:
            found = found.filter(**{f"{field}__in": values})
    return found


def judged(firmware: Firmware, selection: Selection) -> QuerySet[Any]:
    """Those meant, each with `why` it is left out: nothing for those that are taken; and with `is_online`."""
    elsewhere = Exists(RolloutStep.objects.filter(station=OuterRef("pk"), state__in=OPEN_STEPS))
    left_out = [
        When(~fits(firmware), then=Value(MAKE)),
        When(firmware_version__iexact=firmware.version, then=Value(VERSION)),
        When(accepted_at__isnull=True, then=Value(ACCEPTED)),
        When(elsewhere, then=Value(ELSEWHERE)),
    ]
    found = meant(selection).annotate(is_online=Exists(selectors.online().filter(pk=OuterRef("pk"))))
    if not selection.offline:
        left_out.append(When(is_online=False, then=Value(OFFLINE)))
    return found.annotate(why=Case(*left_out, default=Value(""), output_field=CharField()))


def taken(firmware: Firmware, selection: Selection) -> QuerySet[Any]:
    """In the order of the waves: those that are online first, so that the first wave tells something soon."""
    return judged(firmware, selection).filter(why="").order_by("-is_online", "identity")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a roll-out would do if it were started now: whom it takes, how many it leaves out and why. `seal` changes with the
    stations it may take, but not with who is offline for a moment."""

    identities: list[str]
    left_out: dict[str, int]
    seal: str

    @property
    def total(self) -> int:
        return len(self.identities)


def preview(firmware: Firmware, selection: Selection) -> Preview:
    found = judged(firmware, selection)
    counts = dict(found.order_by().values_list("why").annotate(n=Count("pk")))
    rows = list(found.filter(why__in=("", OFFLINE)).order_by("-is_online", "identity").values_list("identity", "why")[: MOST + 1])
    seal = hashlib.sha256("\n".join(sorted(identity for identity, _ in rows)).encode()).hexdigest()[:20]
    return Preview([one for one, why in rows if not why], {why: counts[why] for why in REASONS if counts.get(why)}, seal)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many stations are where. `lost` are among those that failed: they did not come back."""

    waiting: int = 0
    downloading: int = 0
    installing: int = 0
    done: int = 0
    failed: int = 0
    left_out: int = 0
    lost: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.open + self.done + self.failed + self.left_out

    @property
    def open(self) -> int:
        return self.downloading + self.installing


#: Where an update that runs stands in the bar; before, the station has yet to begin.
PARTS = {
    "downloading": "downloading", "downloaded": "downloading", "verified": "downloading",
    "installing": "installing", "rebooting": "installing", "done": "installing",
}  # fmt: skip


def progress(rollouts: Collection[int]) -> dict[int, Progress]:
    """By roll-out: one query, however many."""
    counts: dict[int, dict[str, int]] = {pk: {} for pk in rollouts}
    lost = Count("pk", filter=Q(state=StepState.FAILED, reason="lost"))
    rows = RolloutStep.objects.filter(rollout__in=rollouts).order_by().values_list("rollout", "state", "update__status")
    for pk, state, status, n, gone in rows.annotate(n=Count("pk"), gone=lost):
        of = counts[pk]
        match state:
            case StepState.UPDATING:
                # Asked, and not heard of yet: it is under way.
                part = PARTS.get(status or "", "downloading")
            case StepState.SKIPPED | StepState.CANCELLED:
                part = "left_out"
            case _:
                part = state
        of[part] = of.get(part, 0) + n
        of["lost"] = of.get("lost", 0) + gone
    return {pk: Progress(**of) for pk, of in counts.items()}


@dataclass(frozen=True, slots=True)
class WaveProgress:
    number: int
    total: int
    done: int
    failed: int
    open: int


def waves(rollout: Rollout) -> list[WaveProgress]:
    """How far each wave is."""
    counted = (
        RolloutStep.objects.filter(rollout=rollout)
        .order_by("wave")
        .values_list("wave")
        .annotate(
            n=Count("pk"),
            done=Count("pk", filter=Q(state=StepState.DONE)),
            failed=Count("pk", filter=Q(state=StepState.FAILED)),
            open=Count("pk", filter=Q(state__in=OPEN_STEPS)),
        )
    )
    return [WaveProgress(*row) for row in counted]


def steps(rollout: Rollout) -> QuerySet[RolloutStep]:
    """With what a row about each shows, in the order of the waves."""
    return (
        RolloutStep.objects.filter(rollout=rollout)
        .select_related("station__site", "update")
        .annotate(is_online=Exists(selectors.online().filter(pk=OuterRef("station"))), identity=F("station__identity"))
        .order_by("id")
    )
