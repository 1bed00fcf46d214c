"""Drivers as their operator's programs see them."""

from typing import Any

import django_filters as filters
from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import drivers
from accounts.models import IdToken, IdTokenType, User
from csms.api.drivers.rows import MyIdTag
from csms.api.fields import KnownOnly, Moment, Text
from csms.api.filters import Filters, YesNoFilter
from csms.api.serializers import Rows
from csms.api.views import Lists


class DriverRow(Rows):
    id_tags = MyIdTag(source="id_tokens", many=True)
    last_login_at = Moment(source="last_login", allow_null=True)

    class Meta:
        model = User
        fields = read_only_fields = [
            *("id", "email", "name", "language", "blocked_because", "id_tags", "created_at", "last_login_at"),
        ]


class DriverFilters(Filters):
    looks_for = ("blocked",)

    email = filters.CharFilter(method="by_email", help_text="the whole address")
    blocked = YesNoFilter(method="by_block")

    def by_email(self, queryset: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        return queryset.filter(email=value.strip().lower())

    def by_block(self, queryset: QuerySet[User], name: str, value: bool) -> QuerySet[User]:
        return queryset.exclude(blocked_because="") if value else queryset.filter(blocked_because="")


class Because(KnownOnly):
    because = Text(max_length=200)


class TagGiven(KnownOnly):
    value = Text(max_length=255)
    type = serializers.ChoiceField(choices=IdTokenType.choices, default=IdTokenType.ISO14443)


class DriverView(mixins.RetrieveModelMixin, Lists):
    """People who charge in the network. They sign up and delete their account by themselves."""

    model = User
    serializer_class = DriverRow
    filterset_class: Any = DriverFilters
    # Who drivers are is for those alone who give and block id tags.
    view_verb = change_verb = "tags.change"

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return User.objects.none()
        assert isinstance(self.request.user, User)
        tags = Prefetch("id_tokens", IdToken.objects.order_by("pk"))
        return drivers.of_network(self.request.user).prefetch_related(tags)

    def told(self) -> Response:
        return Response(DriverRow(self.get_object()).data)

    @extend_schema(request=Because, responses=DriverRow)
    @action(detail=True, methods=["post"])
    def block(self, request: Request, **kwargs: Any) -> Response:
        """They may not charge any more, by app or card, and read why."""
        driver, body = self.get_object(), Because(data=request.data)
        body.is_valid(raise_exception=True)
        drivers.block(driver=driver, **body.validated_data)
        return self.told()

    @extend_schema(request=None, responses=DriverRow)
    @action(detail=True, methods=["post"])
    def unblock(self, request: Request, **kwargs: Any) -> Response:
        """They may charge again, with the tags that were blocked with them."""
        drivers.unblock(driver=self.get_object())
        return self.told()

    @extend_schema(request=TagGiven, responses=DriverRow)
    @action(detail=True, methods=["post"], url_path="id-tags")
    def give(self, request: Request, **kwargs: Any) -> Response:
        """Give them a card: a new one, or one of the network that is nobody's."""
        driver, body = self.get_object(), TagGiven(data=request.data)
        body.is_valid(raise_exception=True)
        drivers.add_id_tag(driver=driver, **body.validated_data)
        return self.told()

    @extend_schema(responses={204: None, 400: OpenApiResponse(description="With this one the driver starts by app.")})
    @action(detail=True, methods=["delete"], url_path="id-tags/(?P<tag>[0-9]{1,18})")
    def take(self, request: Request, tag: str, **kwargs: Any) -> Response:
        """Take a card from them. It stays the network's."""
        driver = self.get_object()
        drivers.remove_id_tag(driver=driver, token=get_object_or_404(IdToken, pk=int(tag), driver=driver))
        return Response(status=204)
