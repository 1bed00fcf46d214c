"""Roll-outs as programs see and lead them. No rule lives here: `stations.services.rollouts` has them."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as djangofilters
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from csms.api import filters
from csms.api.commands import LONGEST_KEY
from csms.api.commandviews import IDEMPOTENCY_KEY
from csms.api.errors import Conflict
from csms.api.fields import Flag, KnownOnly, Moment, Text, Whole
from csms.api.serializers import Rows
from csms.api.views import Lists
from stations import rollouts as reads
from stations.domain.commands import BadCommand
from stations.domain.rollouts import MOST_WAVES, USUAL_WAVES, Selection, StopRule, sizes
from stations.models import Firmware, Rollout, RolloutState, RolloutStep, StepState
from stations.services import rollouts
from stations.services.rollouts import MOST_AT_ONCE, USUAL_RULE


class Chosen(KnownOnly):
    """Which stations are meant; what is left out narrows nothing."""

    models = serializers.ListField(child=Text(max_length=100), required=False)
    versions = serializers.ListField(child=Text(max_length=100), required=False, help_text="That they have now.")
    sites = serializers.ListField(child=Whole(min_value=1), required=False, help_text="Ids.")
    stations = serializers.ListField(child=Text(max_length=48), required=False, help_text="Identities.")
    offline = Flag(required=False, help_text="Also those that are offline now.")


class Hours(KnownOnly):
    """When updates may begin, by the clock of the station's site."""

    start = serializers.TimeField(source="window_start", format="%H:%M", allow_null=True, required=False)
    end = serializers.TimeField(source="window_end", format="%H:%M", allow_null=True, required=False)
    days = serializers.ListField(
        source="window_days",
        child=Whole(min_value=0, max_value=6),
        required=False,
        max_length=7,
        help_text="0 is Monday; none: all.",
    )


class Rule(KnownOnly):
    """When it holds by itself."""

    failed_percent = Whole(min_value=0, max_value=100, default=USUAL_RULE.failed_percent, help_text="More than so many failed.")
    after = Whole(
        source="judge_after", min_value=1, max_value=reads.MOST, default=USUAL_RULE.after, help_text="Once so many ended."
    )
    lost = Whole(
        source="most_lost", min_value=0, max_value=reads.MOST, default=USUAL_RULE.lost, help_text="More did not come back."
    )


class Planned(KnownOnly):
    """What a roll-out is to be."""

    firmware = Whole(min_value=1)
    name = Text(max_length=120, required=False, allow_blank=True)
    selection = Chosen(required=False)
    waves = serializers.ListField(
        child=Text(max_length=10), required=False, max_length=MOST_WAVES, help_text='How far each goes: "1", "10%", "50%", "100%".'
    )
    window = Hours(required=False)
    forced = Flag(default=False)
    at_once = Whole(min_value=1, max_value=MOST_AT_ONCE, default=10)
    stop_rule = Rule(required=False)


class Counts(serializers.Serializer[Any]):
    """How many stations are where; `lost` are among `failed`. All 0 before it is started."""

    total = serializers.IntegerField()
    waiting = serializers.IntegerField()
    downloading = serializers.IntegerField()
    installing = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    left_out = serializers.IntegerField()
    lost = serializers.IntegerField()


class RolloutRow(Rows):
    firmware = serializers.IntegerField(source="firmware_id")
    image = serializers.CharField(source="firmware", help_text="Vendor, model and version.")
    selection = Chosen()
    waves = serializers.ListField(child=serializers.CharField())
    window = Hours(source="*")
    stop_rule = Rule(source="*")
    wave = serializers.IntegerField(help_text="The open one, counted from 1; 0 before the start.")
    held = serializers.DictField(help_text="Why it is paused; empty while it is not.")
    counts = serializers.SerializerMethodField()
    made_by = serializers.EmailField(source="made_by.email", default=None, allow_null=True)
    started_by = serializers.EmailField(source="started_by.email", default=None, allow_null=True)

    class Meta:
        model = Rollout
        fields = read_only_fields = [
            *("id", "name", "state", "firmware", "image", "selection", "waves", "window", "forced", "at_once", "stop_rule"),
            *("wave", "held", "counts", "made_by", "created_at", "started_by", "started_at", "finished_at"),
        ]

    @extend_schema_field(Counts)
    def get_counts(self, row: Rollout) -> dict[str, int]:
        known: dict[int, reads.Progress] | None = self.context.get("progress")
        one = (known or {}).get(row.pk) or reads.progress([row.pk])[row.pk]
        return asdict(one) | {"total": one.total}


class StepRow(Rows):
    station = serializers.CharField(source="station.identity")
    update_status = serializers.CharField(source="update.status", default=None, allow_null=True)
    update_status_at = Moment(source="update.status_at", default=None, allow_null=True)
    log = serializers.SerializerMethodField(help_text="[time, status, detail] of this attempt.")

    class Meta:
        model = RolloutStep
        fields = read_only_fields = [
            *("id", "station", "wave", "state", "reason", "detail", "attempt", "update_status", "update_status_at", "log"),
            *("started_at", "finished_at"),
        ]

    @extend_schema_field({"type": "array", "items": {"type": "array", "items": {"type": "string"}}})
    def get_log(self, row: RolloutStep) -> list[list[str]]:
        return row.update.steps if row.update else []


class WhyNot(serializers.Serializer[Any]):
    reason = serializers.CharField()
    stations = serializers.IntegerField()


class PreviewRow(serializers.Serializer[Any]):
    """Whom it would take now, and how many it leaves out and why."""

    total = serializers.IntegerField()
    waves = serializers.ListField(child=serializers.IntegerField(), help_text="How many stations each wave adds.")
    stations = serializers.ListField(child=serializers.CharField(), help_text="The first thousand.")
    left_out = WhyNot(many=True)


class One(KnownOnly):
    """A station of the roll-out."""

    station = Text(max_length=48)


class AllOrOne(KnownOnly):
    """One station, or all that failed."""

    station = Text(max_length=48, required=False)


class RolloutFilters(filters.Filters):
    looks_for = ("state",)

    state = djangofilters.ChoiceFilter(choices=RolloutState.choices)
    firmware = filters.NumberFilter("firmware_id")


class StepFilters(filters.Filters):
    state = djangofilters.ChoiceFilter(choices=StepState.choices)
    station = filters.StationFilter("station_id")


TOO_LATE = OpenApiResponse(description="It is in a state in which this cannot be done.")


class RolloutView(mixins.RetrieveModelMixin, Lists):
    """Firmware brought to many stations, in waves."""

    model = Rollout
    serializer_class = RolloutRow
    filterset_class: Any = RolloutFilters
    change_verb = "firmware.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("firmware", "made_by", "started_by")

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("many") and args:
            # Counted for all of the page in one query.
            progress = reads.progress([row.pk for row in args[0]])
            kwargs["context"] = {**self.get_serializer_context(), "progress": progress}
        return super().get_serializer(*args, **kwargs)

    @property
    def person(self) -> User | None:
        return self.request.user if isinstance(self.request.user, User) else None

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=Planned,
        responses={201: RolloutRow, 200: OpenApiResponse(RolloutRow, description="That of this Idempotency-Key.")},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Plan a roll-out. It is a draft until it is started."""
        body = Planned(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        image = Firmware.objects.filter(pk=given.pop("firmware")).first()
        if image is None:
            raise ValidationError({"firmware": ["There is no such image in the library."]})
        key = request.headers.get("Idempotency-Key", "").strip()
        if len(key) > LONGEST_KEY:
            raise ParseError(f"An Idempotency-Key has at most {LONGEST_KEY} characters.")
        rule = given.pop("stop_rule", {})
        row = rollouts.create(
            firmware=image,
            selection=Selection.of(given.pop("selection", {})),
            waves=given.pop("waves", USUAL_WAVES),
            rule=StopRule(
                rule.get("failed_percent", USUAL_RULE.failed_percent),
                rule.get("judge_after", USUAL_RULE.after),
                rule.get("most_lost", USUAL_RULE.lost),
            ),
            user=self.person,
            idempotency_key=key or None,
            **given.pop("window", {}),
            **given,
        )
        return Response(RolloutRow(row).data, status=200 if row.repeated else 201)

    @extend_schema(responses={204: None, 409: TOO_LATE})
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Throw a draft away."""
        self._do(lambda row: rollouts.discard(rollout=row))
        return Response(status=204)

    @extend_schema(responses=PreviewRow)
    @action(detail=True)
    def preview(self, request: Request, **kwargs: Any) -> Response:
        """Whom it would take if it were started now."""
        row: Rollout = self.get_object()
        found = reads.preview(row.firmware, Selection.of(row.selection))
        left_out = [{"reason": why, "stations": n} for why, n in found.left_out.items()]
        answer = {"total": found.total, "waves": sizes(row.waves, found.total), "stations": found.identities[:1000]}
        return Response(answer | {"left_out": left_out})

    @extend_schema(request=None, responses={200: RolloutRow, 409: TOO_LATE})
    @action(detail=True, methods=["post"])
    def start(self, request: Request, **kwargs: Any) -> Response:
        """Choose the stations and begin with the first wave."""
        return self._led(lambda row: rollouts.start(rollout=row, user=self.person))

    @extend_schema(request=None, responses={200: RolloutRow, 409: TOO_LATE})
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, **kwargs: Any) -> Response:
        """Begin with nobody else for now. What runs at stations comes to its end."""
        return self._led(lambda row: rollouts.pause(rollout=row, user=self.person))

    @extend_schema(request=None, responses={200: RolloutRow, 409: TOO_LATE})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, **kwargs: Any) -> Response:
        """Go on. The stop rule counts anew from here."""
        return self._led(lambda row: rollouts.resume(rollout=row))

    @extend_schema(request=None, responses={200: RolloutRow, 409: TOO_LATE})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """End it. Stations that were asked finish their update: OCPP has no way to call it back."""
        return self._led(lambda row: rollouts.cancel(rollout=row))

    @extend_schema(request=AllOrOne, responses={200: RolloutRow, 409: TOO_LATE})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, **kwargs: Any) -> Response:
        """Try all stations that failed once more, or the one that is named."""
        body = AllOrOne(data=request.data)
        return self._led(lambda row: bool(rollouts.retry(rollout=row, step=self._step(row, body))), body)

    @extend_schema(request=One, responses={200: RolloutRow, 409: TOO_LATE})
    @action(detail=True, methods=["post"], url_path="leave-out")
    def leave_out(self, request: Request, **kwargs: Any) -> Response:
        """Leave out a station that waits."""
        body = One(data=request.data)
        return self._led(lambda row: rollouts.skip(step=self._step(row, body)), body)

    def _step(self, row: Rollout, body: Any) -> Any:
        name = body.validated_data.get("station")
        steps = RolloutStep.objects.select_related("station")
        return get_object_or_404(steps, rollout=row, station__identity=name) if name else None

    def _led(self, lead: Callable[[Rollout], bool], body: Any = None) -> Response:
        return Response(RolloutRow(self._do(lead, body)).data)

    def _do(self, lead: Callable[[Rollout], bool], body: Any = None) -> Rollout:
        row: Rollout = self.get_object()
        if body is not None:
            body.is_valid(raise_exception=True)
        try:
            led = lead(row)
        except BadCommand as error:
            # It makes sense, but not as things stand: nobody would be taken, or the image was withdrawn.
            raise Conflict(str(error)) from error
        if not led:
            row = self.get_object()
            raise Conflict(f"Roll-out {row.pk} is {row.get_state_display().lower()}: this cannot be done now.")
        return row if row.state == RolloutState.DRAFT and self.action == "destroy" else self.get_object()


class StepsOfRolloutView(Lists):
    """The stations of one roll-out, and how far each is."""

    model = RolloutStep
    serializer_class = StepRow
    filterset_class = StepFilters
    orderings = {"id": ("id",)}

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rollout: Rollout = get_object_or_404(Rollout.objects.all(), pk=self.kwargs["pk"])
        return queryset.filter(rollout=rollout).select_related("station", "update")
