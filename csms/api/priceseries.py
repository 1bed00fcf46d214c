"""Prices that a market makes: series of them, which a tariff's component can name in `price_series`."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import pricepoints, series
from billing.seriesmodels import PricePoint, PriceSeries, Resolution, Unit
from csms.api import filters
from csms.api.errors import Conflict
from csms.api.fields import KnownOnly, Moment, Text, Whole
from csms.api.tariffs import CHANGE, user_of
from csms.api.views import Lists


class PriceSeriesRow(KnownOnly):
    """Prices of energy without tax, for the time of a resolution each. Its name stays: tariffs refer to it."""

    id = serializers.IntegerField(read_only=True)
    name = Text(max_length=60)
    currency = Text(max_length=3, default="EUR")
    unit = serializers.ChoiceField(choices=Unit.choices, default=Unit.MWH)
    resolution_minutes = serializers.ChoiceField(choices=Resolution.choices, default=int(Resolution.HOUR))
    first_at = Moment(read_only=True, allow_null=True, default=None, help_text="From when the first price is.")
    last_at = Moment(read_only=True, allow_null=True, default=None, help_text="From when the last price is.")
    created_at = Moment(read_only=True)


class PricePointRow(serializers.Serializer[Any]):
    """A price, from its start on for as long as its series says."""

    start = Moment()
    price = serializers.DecimalField(max_digits=12, decimal_places=5)


class OnePoint(KnownOnly):
    """A price. Those of markets may be below nothing."""

    start = Moment()
    price = serializers.DecimalField(max_digits=11, decimal_places=5)


class NewPoints(KnownOnly):
    """Prices, in the place of those that are there for the same times."""

    points = serializers.ListField(child=OnePoint(), min_length=1, max_length=pricepoints.MOST_POINTS)


class FilledRow(serializers.Serializer[Any]):
    """How many prices were added, changed, and there already."""

    added = Whole()
    changed = Whole()
    same = Whole()


class SeriesFilters(filters.Filters):
    currency = filters.filters.CharFilter()


class PointFilters(filters.Filters):
    since = filters.MomentFilter("start", "gte", help_text="from this time on")
    until = filters.MomentFilter("start", "lt", help_text="before this time")


class PriceSeriesView(mixins.CreateModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, Lists):
    """Prices that a market makes."""

    model = PriceSeries
    serializer_class = PriceSeriesRow
    filterset_class = SeriesFilters
    orderings = {"name": ("name", "id")}
    change_verb = CHANGE

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return series.spanned(queryset)

    def perform_create(self, serializer: serializers.BaseSerializer[Any]) -> None:
        user = user_of(self.request)
        assert user.operator is not None
        serializer.instance = pricepoints.add_series(operator=user.operator, **serializer.validated_data)

    @extend_schema(responses={204: None, 409: OpenApiResponse(description="A tariff follows it.")})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().destroy(request, *args, **kwargs)

    def perform_destroy(self, instance: PriceSeries) -> None:
        try:
            pricepoints.remove_series(series=instance)
        except ValidationError as error:
            raise Conflict(" ".join(error.messages)) from error


class PointsOfSeriesView(Lists):
    """The prices of a series."""

    model = PricePoint
    serializer_class = PricePointRow
    filterset_class = PointFilters
    orderings = {"start": ("start", "id")}
    change_verb = CHANGE

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(series=get_object_or_404(PriceSeries, pk=self.kwargs["pk"]))

    @extend_schema(
        request=NewPoints,
        responses={200: FilledRow, 400: OpenApiResponse(description="A price is at no time of the series, or is none.")},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add prices, or change them. The same ones again change nothing. What waited for them is billed."""
        filled = get_object_or_404(PriceSeries, pk=kwargs["pk"])
        body = NewPoints(data=request.data)
        body.is_valid(raise_exception=True)
        given = [(point["start"], point["price"]) for point in body.validated_data["points"]]
        done = pricepoints.fill(series=filled, points=given)
        return Response({"added": done.added, "changed": done.changed, "same": done.same})
