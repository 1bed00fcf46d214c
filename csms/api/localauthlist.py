"""Local lists as programs see them, and the rules by which they are made. No rule lives here: `stations.services.localauthlist`."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import IdToken, IdTokenGroup
from csms.api.fields import KnownOnly, Moment, Text, Whole
from csms.api.filters import Filters, StationFilter, YesNoFilter
from csms.api.serializers import Rows
from csms.api.views import Lists
from stations import locallists
from stations.models import ListMode, ListState, LocalList, LocalListEntry, LocalListRule, Site, Station
from stations.services import localauthlist


class ListRow(Rows):
    station = serializers.CharField(source="station.identity")
    mode = serializers.SerializerMethodField(help_text="That of its rule, or by_hand.")
    rule = serializers.IntegerField(source="rule_id", allow_null=True)
    entries = serializers.IntegerField(source="count", help_text="That it has, as far as is known.")
    command = serializers.IntegerField(source="command_id", allow_null=True, help_text="What is under way for it.")

    class Meta:
        model = LocalList
        fields = read_only_fields = [
            *("id", "station", "mode", "rule", "state", "version", "sent_version", "reported_version", "reported_at", "entries"),
            *("left_out", "limit", "due_at", "attempts", "error", "error_at", "command", "synced_at"),
        ]

    def get_mode(self, row: LocalList) -> str:
        if row.rule is not None:
            return row.rule.mode
        return "by_hand" if row.by_hand else ListMode.OFF.value


class EntryRow(serializers.Serializer[Any]):
    """What a list says of a tag."""

    id = serializers.IntegerField()
    id_tag = serializers.CharField(source="value")
    type = serializers.CharField()
    status = serializers.CharField()
    expires_at = Moment(allow_null=True)
    group = serializers.SerializerMethodField(help_text="Empty: it has none.")

    def get_group(self, row: IdToken | LocalListEntry) -> str:
        return str(row.group or "")


class ListFilters(Filters):
    station = StationFilter("station")
    state = filters.ChoiceFilter(choices=ListState.choices)
    by_hand = YesNoFilter("by_hand")


class EntryFilters(Filters):
    id_tag = filters.CharFilter(method="of_value", help_text="without case")

    def of_value(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(key=value.upper())


class LocalListView(mixins.RetrieveModelMixin, Lists):
    """The lists of id tags that stations keep for when they are offline, and how they stand to what they shall be."""

    model = LocalList
    serializer_class = ListRow
    filterset_class = ListFilters

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("station", "rule")


class EntriesOfListView(Lists):
    """What is on one list: what was sent by hand, or the tags of its rule that were sent."""

    model = LocalListEntry
    serializer_class = EntryRow
    filterset_class = EntryFilters
    orderings = {"id": ("id",)}

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        one: LocalList = get_object_or_404(LocalList.objects.select_related("rule"), pk=self.kwargs["pk"])
        return queryset.filter(local_list=one) if one.by_hand else locallists.on_list(one, timezone.now())


class RuleRow(Rows):
    site = serializers.IntegerField(source="site_id", allow_null=True)
    station = serializers.CharField(source="station.identity", default=None, allow_null=True)
    groups = serializers.SerializerMethodField(help_text="Their names.")

    class Meta:
        model = LocalListRule
        fields = read_only_fields = ["id", "site", "station", "mode", "groups", "changed_at"]

    def get_groups(self, row: LocalListRule) -> list[str]:
        names = self.context.get("group_names", {})
        return sorted(names[pk] for pk in row.group_ids if pk in names)


class NewRule(KnownOnly):
    """Which tags belong on the lists: of a station, of a site's stations, or, naming neither, of the network."""

    mode = serializers.ChoiceField(choices=ListMode.choices)
    groups = serializers.ListField(child=Text(max_length=20), required=False, max_length=100, help_text="Their names.")
    site = Whole(min_value=1, required=False, allow_null=True)
    station = Text(max_length=48, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names = attrs.get("groups", [])
        attrs["groups"] = list(IdTokenGroup.objects.filter(name__in=names))
        if unknown := set(names) - {group.name for group in attrs["groups"]}:
            raise serializers.ValidationError({"groups": f"There is no group {', '.join(sorted(unknown))}."})
        if attrs.get("site") and attrs.get("station"):
            raise serializers.ValidationError("Name a site or a station, not both.")
        if number := attrs.get("site"):
            attrs["site"] = Site.objects.filter(pk=number).first()
            if attrs["site"] is None:
                raise serializers.ValidationError({"site": f"There is no site {number}."})
        if identity := attrs.get("station"):
            attrs["station"] = Station.objects.filter(identity=identity).first()
            if attrs["station"] is None:
                raise serializers.ValidationError({"station": f"There is no station {identity}."})
        return attrs


class RuleFilters(Filters):
    station = StationFilter("station")
    mode = filters.ChoiceFilter(choices=ListMode.choices)


class LocalListRuleView(mixins.RetrieveModelMixin, mixins.DestroyModelMixin, Lists):
    """Which tags belong on the lists of the network, of sites and of stations; the narrowest rule counts."""

    model = LocalListRule
    serializer_class = RuleRow
    filterset_class = RuleFilters
    orderings = {"id": ("id",)}
    change_verb = "tags.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("station")

    def get_serializer_context(self) -> dict[str, Any]:
        faked = getattr(self, "swagger_fake_view", False)
        names = {} if faked else dict(IdTokenGroup.objects.values_list("pk", "name"))
        return {**super().get_serializer_context(), "group_names": names}

    @extend_schema(request=NewRule, responses={201: RuleRow})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Set the rule of a station, a site or the network, in place of the one there is."""
        body = NewRule(data=request.data)
        body.is_valid(raise_exception=True)
        operator = request.user.operator  # type: ignore[union-attr]  # MayUse lets nobody anonymous in
        if operator is None:
            raise serializers.ValidationError("You belong to no operator whose rule this could be.")
        rule = localauthlist.set_rule(operator=operator, **body.validated_data)
        return Response(self.get_serializer(self.get_queryset().get(pk=rule.pk)).data, status=201)

    def perform_destroy(self, instance: LocalListRule) -> None:
        """Say nothing of one's own any more: the next wider rule counts."""
        localauthlist.remove_rule(rule=instance)
