"""Commands for many stations as programs ask and lead them. No rule lives here: `stations.services.commandruns` has them."""

import secrets
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as djangofilters
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Operator, User
from csms.api import filters
from csms.api.commands import key_of
from csms.api.commandviews import IDEMPOTENCY_KEY
from csms.api.errors import Conflict
from csms.api.fields import Flag, KnownOnly, Text, Whole
from csms.api.permissions import demand
from csms.api.serializers import Rows
from csms.api.views import Lists
from csms.ocpp import reading
from csms.ocpp.masking import params_shown
from stations import commandruns as reads
from stations.domain.commandruns import LONGEST_JITTER_S, MOST_AT_ONCE, MOST_NAMED, Pace, StopRule
from stations.domain.commands import COMMANDS, BadCommand
from stations.models import CommandRun, CommandRunStep, RunState, RunStepState
from stations.services import commandruns
from stations.services.commandruns import USUAL_PACE, USUAL_RULE
from stations.services.commands import LONGEST_WAIT_S
from stations.stationlist import LONGEST, SHOWN


class StationsLookedFor(KnownOnly):
    """As the list of stations is looked through; what is left out narrows nothing. Empty: all stations."""

    q = Text(max_length=LONGEST, required=False, allow_blank=True, help_text="Words in name, make, serial number, site.")
    status = serializers.ChoiceField(choices=SHOWN, required=False)
    online = serializers.ChoiceField(choices=["yes", "no"], required=False)
    site = Text(max_length=18, required=False, help_text='An id, or "none".')
    vendor = Text(max_length=LONGEST, required=False)
    model = Text(max_length=LONGEST, required=False)
    firmware = Text(max_length=LONGEST, required=False)
    protocol = Text(max_length=LONGEST, required=False)


class ChosenStations(KnownOnly):
    """Which stations: by `filter` or by `stations`, one of the two."""

    filter = StationsLookedFor(required=False)
    stations = serializers.ListField(
        child=Text(max_length=48), required=False, min_length=1, max_length=MOST_NAMED, help_text="Identities."
    )


class StationsChosen(ChosenStations):
    """The same of a run; of a retry it is `failed_of`, the run whose failures are asked again."""

    failed_of = serializers.IntegerField(required=False)


class RunPace(KnownOnly):
    """How fast."""

    at_once = Whole(
        min_value=1, max_value=MOST_AT_ONCE, default=USUAL_PACE.at_once, help_text="At most so many are under way at any time."
    )
    jitter_s = Whole(
        min_value=0, max_value=LONGEST_JITTER_S, default=USUAL_PACE.jitter_s, help_text="Each at a random moment within this time."
    )


class RunRule(KnownOnly):
    """When it holds by itself."""

    failed_percent = Whole(
        min_value=0, max_value=100, allow_null=True, default=None, help_text="More than so many of those that ended failed."
    )
    after = Whole(source="judge_after", min_value=1, max_value=1_000_000, default=USUAL_RULE.after, help_text="Once so many ended.")
    most_failed = Whole(min_value=0, max_value=1_000_000, allow_null=True, default=None, help_text="More than so many failed.")
    count_offline = Flag(default=False, help_text="Those that stayed offline count as failed.")


#: Its parts, in the order of the domain's.
RULE = ("failed_percent", "judge_after", "most_failed", "count_offline")


class WantedRun(KnownOnly):
    """What to ask of whom."""

    command = serializers.ChoiceField(choices=list(COMMANDS))
    params = serializers.DictField(default=dict)
    selection = ChosenStations()
    pace = RunPace(required=False)
    stop_rule = RunRule(required=False)
    expected = Whole(
        min_value=0,
        max_value=1_000_000,
        required=False,
        allow_null=True,
        help_text="How many stations you believe they are: if they are not, it pauses before anybody is asked.",
    )
    wait_s = Whole(
        min_value=0,
        max_value=LONGEST_WAIT_S,
        required=False,
        allow_null=True,
        help_text="How long stations that are offline are waited for; as long as the command would wait, if left out.",
    )
    reason = Text(max_length=200, required=False, allow_blank=True)


class RunCounts(serializers.Serializer[Any]):
    """How many stations are where. All 0 until they are chosen."""

    waiting = serializers.IntegerField()
    asked = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    skipped = serializers.IntegerField(help_text="Offline for too long, or without words for it.")
    cancelled = serializers.IntegerField()
    total = serializers.IntegerField()


class CommandRunRow(Rows):
    command = serializers.ChoiceField(choices=list(COMMANDS), source="kind")
    params = serializers.SerializerMethodField(help_text="Codes masked.")
    selection = StationsChosen()
    pace = RunPace(source="*")
    stop_rule = RunRule(source="*")
    held = serializers.DictField(help_text="Why it is paused; empty while it is not.")
    counts = serializers.SerializerMethodField()
    requested_by = serializers.EmailField(source="requested_by.email", default=None, allow_null=True)

    class Meta:
        model = CommandRun
        fields = read_only_fields = [
            *("id", "command", "params", "state", "selection", "expected", "pace", "stop_rule", "wait_s", "held", "counts"),
            *("reason", "requested_by", "created_at", "finished_at"),
        ]

    @extend_schema_field({"type": "object", "additionalProperties": {}})
    def get_params(self, row: CommandRun) -> dict[str, Any]:
        return params_shown(row.kind, row.params)

    @extend_schema_field(RunCounts)
    def get_counts(self, row: CommandRun) -> dict[str, int]:
        known: dict[int, reads.Progress] | None = self.context.get("progress")
        one = (known or {}).get(row.pk) or reads.progress([row.pk])[row.pk]
        return asdict(one) | {"total": one.total}


class RunStepRow(Rows):
    station = serializers.CharField(source="station.identity")
    command = serializers.IntegerField(source="command_id", allow_null=True, help_text="To be found at `commands/<id>/`.")
    status = serializers.CharField(source="command.status", default=None, allow_null=True, help_text="That of its command.")

    class Meta:
        model = CommandRunStep
        fields = read_only_fields = ["id", "station", "state", "reason", "detail", "command", "status", "finished_at"]


class CommandRunFilters(filters.Filters):
    looks_for = ("state", "command")

    state = djangofilters.ChoiceFilter(choices=RunState.choices)
    command = djangofilters.ChoiceFilter("kind", choices=[(kind, kind) for kind in COMMANDS])
    station = filters.StationFilter("steps__station")


class RunStepFilters(filters.Filters):
    state = djangofilters.ChoiceFilter(choices=RunStepState.choices)
    station = filters.StationFilter("station_id")


TOO_LATE = OpenApiResponse(description="It is in a state in which this cannot be done.")


class CommandRunView(mixins.RetrieveModelMixin, Lists):
    """The same asked of many stations, a few at a time."""

    model = CommandRun
    serializer_class = CommandRunRow
    filterset_class: Any = CommandRunFilters
    change_verb = "commands.send"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("requested_by", "operator")

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("many") and args:
            # Counted for all of the page in one query.
            kwargs["context"] = {**self.get_serializer_context(), "progress": reads.progress([row.pk for row in args[0]])}
        return super().get_serializer(*args, **kwargs)

    @property
    def person(self) -> User | None:
        return self.request.user if isinstance(self.request.user, User) else None

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=WantedRun,
        responses={
            201: CommandRunRow,
            200: OpenApiResponse(CommandRunRow, description="The run this Idempotency-Key was used for."),
            409: OpenApiResponse(description="This Idempotency-Key was used for another run."),
        },
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ask many stations. They are chosen and asked by workers: look at `counts`."""
        body = WantedRun(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        kind = COMMANDS[given["command"]]
        demand(request, kind.verb)
        if ours := kind.ours & given["params"].keys():
            raise BadCommand("%(name)s is not for you to say.", name=", ".join(sorted(ours)))
        command = kind.of(given["params"])
        tempo, rule = given.get("pace", {}), given.get("stop_rule", {})
        operator: Operator = request.user.operator  # type: ignore[union-attr,assignment]  # whoever may change has one
        row = commandruns.start(
            operator=operator,
            token=key_of(request) or secrets.token_urlsafe(16),
            selection=given["selection"],
            command=command,
            wordings=reading.wordings(command),
            user=self.person,
            reason=given.get("reason", ""),
            pace=Pace(**tempo) if tempo else USUAL_PACE,
            rule=StopRule(*(rule[name] for name in RULE)) if rule else USUAL_RULE,
            expected=given.get("expected"),
            wait_s=given.get("wait_s"),
        )
        was = (row.kind, row.params, row.selection)
        if row.repeated and was != (command.kind, command.params(), commandruns.selected(given["selection"])):
            raise Conflict(f"This Idempotency-Key was used for another run (id {row.pk}): use a new one for each.")
        return Response(CommandRunRow(row).data, status=200 if row.repeated else 201)

    @extend_schema(request=None, responses={200: CommandRunRow, 409: TOO_LATE})
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, **kwargs: Any) -> Response:
        """Ask nobody else for now. What was sent comes to its end."""
        return self._led(lambda row: commandruns.pause(run=row, user=self.person))

    @extend_schema(request=None, responses={200: CommandRunRow, 409: TOO_LATE})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, **kwargs: Any) -> Response:
        """Go on. The stop rule counts anew from here."""
        demand(request, COMMANDS[self.get_object().kind].verb)
        return self._led(lambda row: commandruns.resume(run=row))

    @extend_schema(request=None, responses={200: CommandRunRow, 409: TOO_LATE})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Take back what was not sent. What was sent comes to its end."""
        return self._led(lambda row: commandruns.cancel(run=row))

    @extend_schema(request=None, responses={200: CommandRunRow, 409: TOO_LATE})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, **kwargs: Any) -> Response:
        """Ask those of which it came to nothing once more, in a run of their own: that one is answered."""
        row: CommandRun = self.get_object()
        demand(request, COMMANDS[row.kind].verb)
        again = commandruns.retry(run=row, user=self.person)
        if again is None:
            raise Conflict(
                f"Run {row.pk} is {row.get_state_display().lower()}, or nothing in it failed: there is nothing to retry."
            )
        return Response(CommandRunRow(again).data)

    def _led(self, lead: Callable[[CommandRun], bool]) -> Response:
        led = lead(self.get_object())
        row: CommandRun = self.get_object()
        if not led:
            raise Conflict(f"Run {row.pk} is {row.get_state_display().lower()}: this cannot be done now.")
        return Response(CommandRunRow(row).data)


class StepsOfRunView(Lists):
    """The stations of one run, and how far each is."""

    model = CommandRunStep
    serializer_class = RunStepRow
    filterset_class = RunStepFilters
    orderings = {"id": ("id",)}

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        run: CommandRun = get_object_or_404(CommandRun.objects.all(), pk=self.kwargs["pk"])
        return queryset.filter(run=run).select_related("station", "command")
