"""Reads of command runs, in the scope of the caller: whom a run means, and how far it is."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, QuerySet

from stations import selectors
from stations.models import CommandRun, CommandRunStep, RunStepState, Station
from stations.stationlist import StationFilter

#: Those of a run that can be asked anew: it came to nothing, or they were not there.
FRUITLESS = (RunStepState.FAILED, RunStepState.SKIPPED)


def meant(run: CommandRun) -> QuerySet[Any]:
    """The stations that its selection names, whatever they are."""
    chosen = run.selection
    if "stations" in chosen:
        return Station.objects.filter(identity__in=chosen["stations"])
    if "failed_of" in chosen:
        of = CommandRunStep.objects.filter(run=chosen["failed_of"], state__in=FRUITLESS)
        return Station.objects.filter(pk__in=of.values("station"))
    return StationFilter.of(chosen.get("filter", {})).matching()


@dataclass(frozen=True, slots=True)
class Progress:
    """How many stations are where."""

    waiting: int = 0
    asked: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.asked + self.ended

    @property
    def open(self) -> int:
        return self.waiting + self.asked

    @property
    def ended(self) -> int:
        return self.done + self.failed + self.left_out

    @property
    def left_out(self) -> int:
        return self.skipped + self.cancelled

    @property
    def fruitless(self) -> int:
        """How many a new run would ask again."""
        return self.failed + self.skipped


def progress(runs: Collection[int]) -> dict[int, Progress]:
    """By run: one query, however many."""
    counts: dict[int, dict[str, int]] = {pk: {} for pk in runs}
    rows = CommandRunStep.objects.filter(run__in=runs).order_by().values_list("run", "state")
    for pk, state, n in rows.annotate(n=Count("pk")):
        counts[pk][state] = n
    return {pk: Progress(**of) for pk, of in counts.items()}


def steps(run: CommandRun) -> QuerySet[Any]:
    """With what a row about each shows, in the order in which they have their turn."""
    return (
        CommandRunStep.objects.filter(run=run)
        .select_related("station__site", "command__requested_by", "command__station")
        .annotate(is_online=Exists(selectors.online().filter(pk=OuterRef("station"))), identity=F("station__identity"))
        .order_by("id")
    )
