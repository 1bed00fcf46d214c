"""Id tags: what drivers present, and what each is held to."""

from typing import Any, cast

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.models import IdToken, IdTokenStatus, IdTokenType
from csms.api import filters, held
from csms.api.fields import Moment, Text
from csms.api.views import Lists
from stations.models import TokenTerms
from stations.services import groupterms


def _terms(token: IdToken) -> TokenTerms | None:
    return getattr(token, "terms", None)


class GroupName(Text):
    """A group by its name; null for none."""

    def get_attribute(self, instance: IdToken) -> str | None:
        return instance.group.name if instance.group else None


class IdTagRow(held.Change):
    """An id tag. `accounts.services` checks and writes it, `stations.services.groupterms` what it is held to beside its group."""

    id = serializers.IntegerField(read_only=True)
    value = Text(max_length=255)
    type = serializers.ChoiceField(choices=IdTokenType.choices, required=False)
    status = serializers.ChoiceField(choices=IdTokenStatus.choices, required=False)
    blocked_because = Text(max_length=200, required=False, allow_blank=True, help_text="Why it is blocked; empty while it is not.")
    expires_at = Moment(required=False, allow_null=True)
    group = GroupName(max_length=20, required=False, allow_null=True, allow_blank=True, default=None)
    note = Text(max_length=200, required=False, allow_blank=True)
    created_at = Moment(read_only=True)

    def to_representation(self, instance: IdToken) -> dict[str, Any]:
        terms = _terms(instance)
        shown: dict[str, Any] = super().to_representation(instance)
        return shown | {
            "places": held.told(terms, self.context),
            "connector_types": terms.connector_types if terms else None,
        }


class IdTagView(mixins.CreateModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, Lists):
    """What drivers present: cards, apps, key codes."""

    model = IdToken
    serializer_class = IdTagRow
    filterset_class = filters.IdTagFilters
    orderings = {"-id": ("id",)}
    change_verb = "tags.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("group", "terms")

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        if args and self.request is not None:
            rows = args[0] if kwargs.get("many") else [args[0]]
            kwargs["context"] = {**self.get_serializer_context(), **held.names(_terms(row) for row in rows)}
        return super().get_serializer(*args, **kwargs)

    def perform_create(self, serializer: serializers.BaseSerializer[Any]) -> None:
        operator = self.request.user.operator  # type: ignore[union-attr]  # MayUse lets nobody anonymous in
        if operator is None:
            raise serializers.ValidationError("You belong to no operator whose tag this could be.")
        said = dict(serializer.validated_data)
        to = {name: said.pop(name) for name in held.NAMES if name in said}
        with transaction.atomic():
            self._held(serializer, services.add_id_token(operator=operator, **said), to)

    def perform_update(self, serializer: serializers.BaseSerializer[Any]) -> None:
        assert isinstance(serializer.instance, IdToken)
        said = dict(serializer.validated_data)
        to = {name: said.pop(name) for name in held.NAMES if name in said}
        with transaction.atomic():
            self._held(serializer, services.change_id_token(token=serializer.instance, **said), to)

    def _held(self, serializer: serializers.BaseSerializer[Any], token: IdToken, to: dict[str, Any]) -> None:
        if to:
            groupterms.hold(token=token, held=held.wanted(to, TokenTerms.objects.filter(token=token).first()))
        serializer.instance = self.get_queryset().get(pk=token.pk)
        cast(dict[str, Any], serializer.context).update(held.names([_terms(serializer.instance)]))

    @extend_schema(responses={204: None, 400: OpenApiResponse(description="With this one a driver starts by app.")})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().destroy(request, *args, **kwargs)

    def perform_destroy(self, instance: IdToken) -> None:
        services.delete_id_token(token=instance)
