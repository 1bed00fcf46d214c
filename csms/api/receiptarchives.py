"""A month's receipts as ZIP files for programs: what there is, and the files. No rule lives here: `billing.archives` has them."""

from typing import Any

import django_filters
from django.db.models import Prefetch, QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from billing import archives
from billing.archivemodels import ArchiveFile, ArchiveState, ReceiptArchive
from csms import receiptfiles
from csms.api.filters import Filters
from csms.api.logs import Binary
from csms.api.serializers import Rows
from csms.api.views import Lists
from csms.files.downloads import attachment

PART = OpenApiParameter("part", int, OpenApiParameter.PATH, description="The file's `part`.")


class Unprinted(serializers.Serializer[Any]):
    """A receipt of which no PDF could be made."""

    receipt = serializers.IntegerField()
    number = serializers.CharField()
    error = serializers.CharField()


class FileOfArchive(Rows):
    receipts = serializers.IntegerField(help_text="How many are in it.")
    first = serializers.CharField(help_text="The number of the first one.")
    last = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")

    class Meta:
        model = ArchiveFile
        fields = read_only_fields = ["part", "receipts", "first", "last", "size", "created_at"]


@extend_schema_field({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"})
class Month(serializers.DateField):
    """A month as it is written, like 2026-11."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m")


class ArchiveRow(Rows):
    month = Month()
    whole = serializers.BooleanField(help_text="The month was over: nothing can come into it any more.")
    total = serializers.IntegerField(help_text="Receipts of the month, or of what there was of it.")
    made = serializers.IntegerField(help_text="How many of them are in a file.")
    unprinted = Unprinted(many=True, help_text="Receipts of which no PDF could be made.")
    files = FileOfArchive(many=True, help_text="To be had at `files/<part>/`.")
    requested_by = serializers.EmailField(source="requested_by.email", default=None, allow_null=True)

    class Meta:
        model = ReceiptArchive
        fields = read_only_fields = [
            *("id", "month", "since", "until", "whole", "state", "total", "made", "unprinted", "files", "error", "requested_by"),
            *("created_at", "finished_at"),
        ]


class ArchiveFilters(Filters):
    looks_for = ("state",)

    state = django_filters.ChoiceFilter(choices=ArchiveState.choices)


class ReceiptArchiveView(mixins.RetrieveModelMixin, Lists):
    """The receipts of a month as PDFs in ZIP files, as somebody asked for them."""

    model = ReceiptArchive
    serializer_class = ArchiveRow
    filterset_class: Any = ArchiveFilters
    view_verb = "receipts.view"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        files = Prefetch("files", ArchiveFile.objects.filter(piece=0).order_by("part"))
        return queryset.select_related("requested_by").prefetch_related(files)

    @extend_schema(
        parameters=[PART],
        responses={
            (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, description="The ZIP file."),
            404: OpenApiResponse(description="There is no such file of yours."),
        },
    )
    @action(
        detail=True,
        methods=["get"],
        url_path="files/(?P<part>[0-9]{1,9})",
        url_name="file",
        renderer_classes=[JSONRenderer, Binary],
    )
    def download(self, request: Request, part: str, **kwargs: Any) -> HttpResponseBase:
        """A ZIP file. Who has it is written down."""
        archive: ReceiptArchive = self.get_object()
        parts = archives.parts(archive)
        file = next((one for one in parts if one.part == int(part)), None)
        if file is None:
            raise NotFound("It has no such file.")
        answer = attachment(file.path, receiptfiles.name_of(archive, file, len(parts)))
        archives.opened(file=file)
        return answer
