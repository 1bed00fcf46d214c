"""Many sessions priced anew, as programs ask and lead it. No rule lives here: `billing.rebilling` has them."""

import secrets
from collections.abc import Callable
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import rebilling
from billing.models import Rebilling, RebillingState, Tariff
from csms.api import filters
from csms.api.commands import key_of
from csms.api.commandviews import IDEMPOTENCY_KEY
from csms.api.errors import Conflict
from csms.api.fields import KnownOnly, Moment, Text, Whole
from csms.api.repairs import conflict
from csms.api.serializers import Rows
from csms.api.tariffs import named, user_of
from csms.api.views import Lists
from stations.models import Site

TOO_LATE = OpenApiResponse(description="It is in a state in which this cannot be done.")
LARGEST = 2**63 - 1


class NewRebilling(KnownOnly):
    """Which sessions are priced anew, and how: those of a tariff that began in a time."""

    tariff = Whole(min_value=1, max_value=LARGEST, help_text="The sessions that were priced by it.")
    since = Moment(help_text="That began at this time or later.")
    until = Moment(help_text="And before this one: a year later at most.")
    site = Whole(min_value=1, max_value=LARGEST, required=False, allow_null=True, help_text="Only those of this site.")
    under = Whole(
        min_value=1,
        max_value=LARGEST,
        required=False,
        allow_null=True,
        help_text="Price them by this tariff; if left out, by what is assigned to them now.",
    )
    reason = Text(max_length=300, help_text="Stands in every record that is made, and in the audit.")


class Unpriced(serializers.Serializer[Any]):
    """A record that could not be priced, and stays as it was."""

    record = serializers.IntegerField()
    session = serializers.IntegerField()
    error = serializers.CharField()


class RebillingRow(Rows):
    tariff = serializers.IntegerField(source="tariff_id")
    under = serializers.IntegerField(source="under_id", allow_null=True)
    site = serializers.IntegerField(source="site_id", allow_null=True)
    total = serializers.IntegerField(help_text="Records that are looked at; those so far, while it is `checking`.")
    looked_at = serializers.IntegerField(help_text="How many of them were, in the state it is in.")
    would_differ = serializers.DictField(child=serializers.CharField(), help_text="By currency, with tax.")
    difference = serializers.DictField(child=serializers.CharField(), help_text="By currency, with tax, as far as it came.")
    failures = serializers.IntegerField(help_text="Records that could not be priced.")
    failed = Unpriced(many=True, help_text="The first hundred of them.")
    requested_by = serializers.EmailField(source="requested_by.email", default=None, allow_null=True)

    class Meta:
        model = Rebilling
        fields = read_only_fields = [
            *("id", "tariff", "since", "until", "site", "under", "reason", "state", "total", "looked_at", "would_change"),
            *("would_differ", "changed", "difference", "failures", "failed", "requested_by", "created_at", "started_at"),
            "finished_at",
        ]


class RebillingFilters(filters.Filters):
    looks_for = ("state", "tariff")

    state = django_filters.ChoiceFilter(choices=RebillingState.choices)
    tariff = filters.NumberFilter("tariff_id")


ASKED = OpenApiExample(
    "A price was wrong in November",
    {"tariff": 1, "since": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z", "under": 2, "reason": "A wrong price"},
    request_only=True,
)


class RebillingView(mixins.RetrieveModelMixin, Lists):
    """Many charge records priced anew: what would change is worked out first, and nothing is changed before it is started."""

    model = Rebilling
    serializer_class = RebillingRow
    filterset_class: Any = RebillingFilters
    change_verb = "billing.correct"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("requested_by")

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=NewRebilling,
        examples=[ASKED],
        responses={
            201: RebillingRow,
            200: OpenApiResponse(RebillingRow, description="The one this Idempotency-Key was used for."),
            409: OpenApiResponse(description="This Idempotency-Key was used for another one."),
        },
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Have it worked out what would change. It is `ready` when that is done; nothing is changed before `start`."""
        user = user_of(request)
        assert user.operator is not None
        body = NewRebilling(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        under, site = given.get("under"), given.get("site")
        asked = {
            "tariff": named(Tariff.objects.all(), "tariff", pk=given["tariff"]),
            "under": named(Tariff.objects.all(), "under", pk=under) if under else None,
            "site": named(Site.objects.all(), "site", pk=site) if site else None,
            "since": given["since"],
            "until": given["until"],
        }
        token = key_of(request) or secrets.token_urlsafe(16)
        try:
            row = rebilling.plan(operator=user.operator, token=token, reason=given["reason"], user=user, **asked)
        except ValidationError as error:
            raise conflict(error) from error
        if row.repeated and any(getattr(row, name) != value for name, value in asked.items()):
            raise Conflict(f"This Idempotency-Key was used for another one (id {row.pk}): use a new one for each.")
        return Response(RebillingRow(row).data, status=200 if row.repeated else 201)

    @extend_schema(request=None, responses={200: RebillingRow, 409: TOO_LATE})
    @action(detail=True, methods=["post"])
    def start(self, request: Request, **kwargs: Any) -> Response:
        """Correct the records, once it is `ready`."""
        return self._led(rebilling.start)

    @extend_schema(request=None, responses={200: RebillingRow, 409: TOO_LATE})
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, **kwargs: Any) -> Response:
        """Go no further for now."""
        return self._led(rebilling.pause)

    @extend_schema(request=None, responses={200: RebillingRow, 409: TOO_LATE})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, **kwargs: Any) -> Response:
        """Go on where it was."""
        return self._led(rebilling.resume)

    @extend_schema(request=None, responses={200: RebillingRow, 409: TOO_LATE})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Go no further for good. What was corrected stays corrected."""
        return self._led(rebilling.cancel)

    def _led(self, lead: Callable[..., bool]) -> Response:
        led = lead(rebilling=self.get_object())
        row: Rebilling = self.get_object()
        if not led:
            raise Conflict(f"Re-billing {row.pk} is {row.get_state_display().lower()}: this cannot be done now.")
        return Response(RebillingRow(row).data)
