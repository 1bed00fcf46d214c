"""People and invitations: for owners alone, to read too."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import people
from accounts.models import Invitation, Role, User
from accounts.selectors import staff_of
from csms.api import filters
from csms.api.fields import Flag, KnownOnly, Moment, Text
from csms.api.views import Lists
from csms.people.links import invitation_link, mail_invitation


class PersonRow(KnownOnly):
    """Somebody who works for the operator. A role and whether they are active can be changed."""

    id = serializers.IntegerField(read_only=True)
    email = serializers.EmailField(read_only=True)
    name = serializers.CharField(read_only=True)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    active = Flag(source="is_active", required=False, help_text="Off: logged out at once, API keys too.")
    second_factor = serializers.BooleanField(read_only=True, help_text="Whether their login asks for a code of an app.")
    last_login = Moment(read_only=True, allow_null=True)
    created_at = Moment(read_only=True)


class InvitationRow(KnownOnly):
    """Somebody who is invited and has not come in yet."""

    id = serializers.IntegerField(read_only=True)
    email = Text(max_length=254)
    role = serializers.ChoiceField(choices=Role.choices)
    expires_at = Moment(read_only=True)
    created_at = Moment(read_only=True)


class NewInvitation(InvitationRow):
    """The same, with what is told only once."""

    link = serializers.URLField(read_only=True, help_text="Opens the network to whoever has it: once, for seven days.")
    mailed = serializers.BooleanField(read_only=True, help_text="Whether a mail with it is on its way.")


class PersonFilters(filters.Filters):
    email = filters.filters.CharFilter(lookup_expr="iexact")
    role = filters.filters.ChoiceFilter(choices=Role.choices)
    active = filters.YesNoFilter("is_active")


class InvitationFilters(filters.Filters):
    email = filters.filters.CharFilter(lookup_expr="iexact")


class PersonView(mixins.RetrieveModelMixin, Lists):
    """The people who work for the operator. Only owners may ask."""

    model = User
    serializer_class = PersonRow
    filterset_class = PersonFilters
    orderings: ClassVar[dict[str, tuple[str, ...]]] = {"email": ("email",)}
    view_verb = change_verb = "people.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return staff_of(self.request.user.operator)  # type: ignore[union-attr]  # MayUse lets nobody anonymous in

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        person = self.get_object()
        given = self.get_serializer(person, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        people.change_person(person=person, by=_me(request), role=wanted.get("role"), active=wanted.get("is_active"))
        return Response(self.get_serializer(self.get_object()).data)


class InvitationView(mixins.RetrieveModelMixin, mixins.DestroyModelMixin, Lists):
    """Who is invited and has not come in yet. Only owners may ask."""

    model = Invitation
    serializer_class = InvitationRow
    filterset_class = InvitationFilters
    orderings: ClassVar[dict[str, tuple[str, ...]]] = {"-id": ("id",)}
    view_verb = change_verb = "people.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset

    @extend_schema(request=InvitationRow, responses={201: NewInvitation})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = _me(request)
        if user.operator is None:
            raise ValidationError({"": ["You belong to no operator to whom somebody could be invited."]})
        invitation, token = people.invite(operator=user.operator, by=user, **given.validated_data)
        link = invitation_link(request, token)
        row = InvitationRow(invitation).data | {"link": link, "mailed": mail_invitation(request, invitation, link)}
        return Response(row, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: Invitation) -> None:
        people.remove_invitation(invitation=instance)


def _me(request: Request) -> User:
    assert isinstance(request.user, User)
    return request.user
