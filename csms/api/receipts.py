"""Receipts for programs: listed, read, downloaded; and what they say of who issues them. No rule lives here: `billing.receipts`."""

from datetime import datetime
from typing import Any

import django_filters as filters
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, NotFound
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from billing import issued, receipts
from billing.models import RecordKind
from billing.receiptmodels import Issuer, Receipt
from csms import printing
from csms import receipts as print_out
from csms.api.fields import KnownOnly, Moment, Number, Text
from csms.api.filters import Filters, NumberFilter, period
from csms.api.serializers import Lines, Rows
from csms.api.views import Lists

PDF = {
    (200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, description="The receipt (PDF/UA)."),
    404: OpenApiResponse(description="There is none of yours, or it is not issued yet."),
    503: OpenApiResponse(description="PDFs cannot be made now; `detail` says why and what to do."),
}


class Pdf(JSONRenderer):
    """For whoever accepts PDFs only; what goes wrong is told in JSON all the same."""

    media_type = "application/pdf"
    format = "pdf"


class Away(APIException):
    def __init__(self, error: printing.NoPdf) -> None:
        super().__init__(str(error))
        self.status_code = error.status


def pdf_of(receipt: Receipt | None) -> HttpResponse:
    if receipt is None:
        raise NotFound("It is not issued yet: try again in a moment.")
    try:
        return print_out.pdf_response(receipt)
    except printing.NoPdf as error:
        raise Away(error) from error


class Customer(serializers.Serializer[Any]):
    """Who it is for, until their account is deleted."""

    name = serializers.CharField()
    email = serializers.EmailField()


class Frozen(Moment):
    """A time of the content, which keeps it as text."""

    def to_representation(self, value: Any) -> str:
        return super().to_representation(datetime.fromisoformat(value))


class Share(serializers.Serializer[Any]):
    """What of the total is one rate's; `percent` is null where the record tells no rates."""

    percent = serializers.CharField(allow_null=True)
    net = serializers.CharField()
    tax = serializers.CharField()


class ReceiptRow(Rows):
    id = serializers.IntegerField(source="pk", help_text="That of its charge record.")
    number = serializers.CharField(source="label")
    kind = serializers.ChoiceField(choices=RecordKind.choices, source="content.kind")
    credits = serializers.CharField(source="content.data.credits", allow_null=True, help_text="The number that it takes back.")
    session = serializers.IntegerField(source="content.data.session")
    station = serializers.CharField(source="content.data.station")
    started_at = Frozen(source="content.data.started_at")
    stopped_at = Frozen(source="content.data.stopped_at", allow_null=True)
    energy_wh = Number(source="record.energy_wh")
    lines = Lines(source="record.lines", read_only=True)
    taxes = Share(source="content.data.taxes", many=True)
    total_excl_tax = serializers.DecimalField(source="record.total_excl_tax", max_digits=14, decimal_places=2)
    total_incl_tax = serializers.DecimalField(source="record.total_incl_tax", max_digits=14, decimal_places=2)
    currency = serializers.CharField(source="record.currency")
    customer = serializers.SerializerMethodField(help_text="Null: nobody who is known, or not any more.")

    class Meta:
        model = Receipt
        fields = read_only_fields = [
            *("id", "number", "series", "kind", "credits", "session", "station", "started_at", "stopped_at", "energy_wh", "lines"),
            *("taxes", "total_excl_tax", "total_incl_tax", "currency", "language", "customer", "created_at"),
        ]

    @extend_schema_field(Customer(allow_null=True))
    def get_customer(self, row: Receipt) -> Any:
        customer = print_out.customer_of(row)
        return Customer(customer).data if customer else None


class ReceiptFilters(Filters):
    number = filters.CharFilter(method="by_number", help_text="as printed, or without its series")
    session = NumberFilter("record__transaction_id")
    since, until = period("created_at").values()

    def by_number(self, queryset: QuerySet[Receipt], name: str, value: str) -> QuerySet[Receipt]:
        return queryset.filter(issued.numbered(value))


class ReceiptView(mixins.RetrieveModelMixin, Lists):
    """Receipts and credit notes. One is never changed: what was wrong is taken back by a credit note."""

    model = Receipt
    serializer_class = ReceiptRow
    filterset_class: Any = ReceiptFilters
    orderings = {"-created_at": ("created_at", "record_id")}
    view_verb = "receipts.view"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("record", "customer")

    @extend_schema(responses=PDF)
    @action(detail=True, methods=["get"], renderer_classes=[JSONRenderer, Pdf])
    def pdf(self, request: Request, **kwargs: Any) -> HttpResponse:
        """The receipt as a PDF."""
        return pdf_of(self.get_object())


class IssuerRow(Rows):
    operator = serializers.CharField(source="operator.name")
    complete = serializers.BooleanField(help_text="Whether name, address and VAT number are there.")

    class Meta:
        model = Issuer
        fields = read_only_fields = ["operator", *receipts.DETAILS, "complete", "changed_at"]


class IssuerChange(KnownOnly):
    """What receipts say from the next one on. What is left out stays."""

    legal_name = Text(max_length=200, required=False, allow_blank=True)
    address = Text(max_length=500, required=False, allow_blank=True, help_text="Several lines.")
    vat_id = Text(max_length=40, required=False, allow_blank=True)
    register = Text(max_length=200, required=False, allow_blank=True)
    contact = Text(max_length=300, required=False, allow_blank=True)
    footer = Text(max_length=1000, required=False, allow_blank=True)
    series = Text(max_length=20, required=False, help_text='What numbers begin with, such as "R{year}-".')
    language = serializers.ChoiceField(choices=["", *(code for code, _ in settings.LANGUAGES)], required=False)


class IssuerView(Lists):
    """Who issues the receipts of the network: one row."""

    model = Issuer
    serializer_class = IssuerRow
    filterset_class: Any = Filters
    orderings = {"operator": ("operator_id",)}
    change_verb = "receipts.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("operator")

    @extend_schema(request=IssuerChange, responses={201: IssuerRow})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change it. What is issued already stays as it is."""
        body = IssuerChange(data=request.data)
        body.is_valid(raise_exception=True)
        operator = getattr(request.user, "operator", None)
        if not isinstance(request.user, User) or operator is None:
            raise NotFound("You belong to no operator.")
        issuer = receipts.set_issuer(operator=operator, **body.validated_data)
        return Response(IssuerRow(issuer).data, status=201)
