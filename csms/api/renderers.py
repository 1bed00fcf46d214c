"""Forms of a list other than JSON."""

from collections.abc import Mapping
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from csms.dashboard import exports


class Csv(BaseRenderer):
    """`?format=csv`: a page of a list as a file for spreadsheets, and errors as ever. The next page is in the `Link` header."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> str | bytes:
        if "results" not in data or renderer_context is None:
            return bytes(JSONRenderer().render(data, accepted_media_type, renderer_context))
        header = list(renderer_context["view"].get_serializer().fields)
        return exports.lines([header, *([row[name] for name in header] for row in data["results"])])


class ByFormat(DefaultContentNegotiation):
    """`?format=` chooses among the forms of a list that has several."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return super().select_renderer(request, renderers, request.query_params.get("format") or format_suffix)
