"""Webhooks for programs: adding, changing and testing them, and what was delivered. `csms.webhooks.services` has the rules."""

from collections.abc import Mapping
from typing import Any

import django_filters.rest_framework as drf_filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import may
from csms.api import filters
from csms.api.errors import Conflict
from csms.api.fields import KnownOnly, Moment, Text
from csms.api.serializers import Rows
from csms.api.views import Lists
from csms.webhooks import catalogue, services
from csms.webhooks.models import DeliveryStatus, Webhook, WebhookDelivery

MAY_CHANGE = "webhooks.change"


class WebhookRow(KnownOnly):
    """An address that is told of events."""

    id = serializers.IntegerField(read_only=True)
    url = Text(max_length=services.LONGEST_URL, help_text="What stands behind ? is shown to those only who may change it.")
    description = Text(max_length=120, required=False, allow_blank=True)
    events = serializers.ListField(child=serializers.ChoiceField(choices=list(catalogue.EVENTS)), allow_empty=False)
    active = serializers.BooleanField(read_only=True)
    disabled_because = serializers.CharField(read_only=True, help_text="Why the system switched it off.")
    failures = serializers.IntegerField(read_only=True, help_text="Attempts that failed one after the other.")
    failing_since = Moment(read_only=True, allow_null=True)
    rests_until = Moment(read_only=True, allow_null=True, help_text="Before this nothing is sent to it.")
    delivered_at = Moment(read_only=True, allow_null=True)
    old_secret_until = Moment(read_only=True, allow_null=True, help_text="Until then the secret before signs too.")
    created_at = Moment(read_only=True)

    def to_representation(self, instance: Webhook) -> dict[str, Any]:
        shown = super().to_representation(instance)
        request = self.context.get("request")
        return shown if request is None or may(request.user, MAY_CHANGE) else shown | {"url": instance.shown_url}


class WebhookWithSecret(WebhookRow):
    """With what is shown this once."""

    secret = serializers.CharField(read_only=True)


class EventOfDelivery(serializers.Serializer[Any]):
    """What was told."""

    id = serializers.CharField(source="name")
    type = serializers.CharField()
    created_at = Moment()
    data = serializers.JSONField()  # type: ignore[assignment]  # a field, of which the class has a property


class DeliveryRow(Rows):
    webhook = serializers.IntegerField(source="webhook_id")
    event = EventOfDelivery()

    class Meta:
        model = WebhookDelivery
        fields = read_only_fields = [
            *("id", "webhook", "sequence", "status", "attempts", "due_at", "attempted_at", "delivered_at", "response_code"),
            *("response_body", "response_ms", "error", "event"),
        ]


class Since(KnownOnly):
    """From when on."""

    since = Moment(help_text="What happened at or after this time.")


class Replayed(serializers.Serializer[Any]):
    replayed = serializers.IntegerField(min_value=0)


class WebhookFilters(filters.Filters):
    active = filters.YesNoFilter()


class DeliveryFilters(filters.Filters):
    looks_for = ("status",)

    webhook = filters.NumberFilter("webhook_id")
    status = drf_filters.ChoiceFilter(choices=DeliveryStatus.choices)

    @classmethod
    def looking_for(cls, given: Mapping[str, str]) -> tuple[str, ...]:
        return () if "webhook" in given and given.get("status") != DeliveryStatus.DELIVERED else cls.looks_for


class WebhookView(mixins.CreateModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, Lists):
    """Addresses that are told what happens."""

    model = Webhook
    serializer_class = WebhookRow
    filterset_class = WebhookFilters
    orderings = {"id": ("id",)}
    change_verb = MAY_CHANGE

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset

    @extend_schema(responses={201: WebhookWithSecret})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Its secret is in this answer, and in no other."""
        body = WebhookRow(data=request.data)
        body.is_valid(raise_exception=True)
        operator = request.user.operator  # type: ignore[union-attr]  # MayUse lets nobody anonymous in
        if operator is None:
            raise serializers.ValidationError("You belong to no operator whose webhook this could be.")
        return self._answer(WebhookWithSecret, services.add(operator=operator, **body.validated_data), 201)

    def perform_update(self, serializer: serializers.BaseSerializer[Any]) -> None:
        assert isinstance(serializer.instance, Webhook)
        serializer.instance = services.change(webhook=serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: Webhook) -> None:
        services.remove(webhook=instance)

    @extend_schema(request=None, responses=WebhookRow)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, **kwargs: Any) -> Response:
        """Send nothing to it; what happens meanwhile waits."""
        services.pause(webhook=self.get_object())
        return self._answer(WebhookRow, self.get_object())

    @extend_schema(request=None, responses=WebhookRow)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, **kwargs: Any) -> Response:
        """Send to it again, what has waited first."""
        services.resume(webhook=self.get_object())
        return self._answer(WebhookRow, self.get_object())

    @extend_schema(request=None, responses=WebhookWithSecret)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, **kwargs: Any) -> Response:
        """A new secret, which is in this answer and in no other. For a day the old one signs too."""
        return self._answer(WebhookWithSecret, services.rotate(webhook=self.get_object()))

    @extend_schema(request=None, responses={202: DeliveryRow, 409: OpenApiResponse(description="It is paused.")})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, **kwargs: Any) -> Response:
        """Send it a `ping`, and follow the delivery to see what it answers."""
        try:
            delivery = services.ping(webhook=self.get_object())
        except ValidationError as error:
            raise Conflict(" ".join(error.messages)) from error
        return self._answer(DeliveryRow, delivery, 202)

    @extend_schema(request=Since, responses={202: Replayed})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, **kwargs: Any) -> Response:
        """Send again what failed or was given up."""
        webhook = self.get_object()
        body = Since(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({"replayed": services.replay_failed(webhook=webhook, **body.validated_data)}, 202)

    def _answer(self, serializer: type[serializers.BaseSerializer[Any]], row: Any, status: int = 200) -> Response:
        return Response(serializer(row, context=self.get_serializer_context()).data, status)


class DeliveryView(mixins.RetrieveModelMixin, Lists):
    """What was sent to webhooks, and how they answered."""

    model = WebhookDelivery
    serializer_class = DeliveryRow
    filterset_class = DeliveryFilters
    change_verb = MAY_CHANGE

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("event")

    @extend_schema(request=None, responses={202: DeliveryRow})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, **kwargs: Any) -> Response:
        """Send it again under the same id, delivered or not."""
        services.replay(delivery=self.get_object())
        return Response(DeliveryRow(self.get_object()).data, 202)
