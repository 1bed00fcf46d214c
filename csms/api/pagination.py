"""Pages by key, not by number: the thousandth page costs what the first does, and nothing is counted."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core import signing
from django.db.models import Model, Q
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

DEFAULT_SIZE, MAX_SIZE = 100, 1000
#: Rows that are looked through for a page, where what is looked for has no index: the page then ends there, with a `next`.
LOOKED_THROUGH = 10_000


class NewestFirst(BasePagination):
    """`{"next": <url or null>, "results": [...]}`.

    A view's `orderings` maps each name of `?ordering=` to the fields that make it a total order, all of one direction and none
    null; the first is the default, descending with a "-". The cursor is signed for its list and ordering, so it needs no checks.
    Of a view that has `looked_through` rows for what it looks for, a page may be short, or empty, and yet have a next one.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.url = request.build_absolute_uri()
        size = _size(request)
        given = request.query_params.dict()
        ordering = given.get("ordering") or view.filterset_class.ordering_of(given) or next(iter(view.orderings))
        if ordering not in (known := _names(view)):
            raise ValidationError({"ordering": [f"Use one of {', '.join(known)}."]})
        descending = ordering.startswith("-")
        fields = view.orderings.get(ordering) or view.orderings[ordering.removeprefix("-") if descending else f"-{ordering}"]
        salt = f"{queryset.model._meta.label_lower}:{ordering}"
        through = getattr(view, "looked_through", None)
        op, sign = ("lt", "-") if descending else ("gt", "")
        if cursor := request.query_params.get("cursor"):
            try:
                values = signing.loads(cursor, salt=salt)
            except signing.BadSignature:
                raise ValidationError(
                    {"cursor": ["This is not a cursor of this list in this order: follow `next`, or start without one."]}
                ) from None
            behind = _after(fields, values, op)
            queryset, through = queryset.filter(behind), None if through is None else through.filter(behind)
        order = [f"{sign}{field}" for field in fields]
        edge = None
        if through is not None:
            edge = through.order_by(*order).values_list(*fields)[LOOKED_THROUGH - 1 : LOOKED_THROUGH].first()
            if edge is not None:
                queryset = queryset.filter(_until(fields, edge, op))
        rows = list(queryset.order_by(*order)[: size + 1])
        last = [_value(rows[size - 1], field) for field in fields] if len(rows) > size else edge and [*map(_plain, edge)]
        self.next = signing.dumps(last, salt=salt) if last else None
        return rows[:size]

    def get_paginated_response(self, data: Any) -> Response:
        following = replace_query_param(self.url, "cursor", self.next) if self.next else None
        # Also as a header, for those who ask for another form than JSON.
        headers = {"Link": f'<{following}>; rel="next"'} if following else None
        return Response({"next": following, "results": data}, headers=headers)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {"next": {"type": "string", "format": "uri", "nullable": True}, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "default": DEFAULT_SIZE}
        names = {"type": "string", "enum": _names(view), "default": next(iter(view.orderings))}
        return [
            {"name": "cursor", "in": "query", "schema": {"type": "string"}, "description": "As found in `next`."},
            {"name": "page_size", "in": "query", "schema": size, "description": f"Rows a page, {MAX_SIZE} at most."},
            {"name": "ordering", "in": "query", "schema": names, "description": "A minus sign means descending."},
        ]


def _names(view: Any) -> list[str]:
    return [name for key in view.orderings for name in (key, key.removeprefix("-") if key.startswith("-") else f"-{key}")]


def _size(request: Request) -> int:
    text = request.query_params.get("page_size", str(DEFAULT_SIZE))
    if not (text.isascii() and text.isdigit() and int(text[:6])):
        raise ValidationError({"page_size": [f"A whole number from 1 to {MAX_SIZE}."]})
    return min(int(text[:6]), MAX_SIZE)


def _after(fields: tuple[str, ...], values: list[Any], op: str) -> Q:
    """Rows behind `values`. Every level says `<=` too, which is what lets an index find the place."""
    field, value = fields[0], values[0]
    if len(fields) == 1:
        return Q(**{f"{field}__{op}": value})
    return Q(**{f"{field}__{op}e": value}) & (Q(**{f"{field}__{op}": value}) | _after(fields[1:], values[1:], op))


def _until(fields: tuple[str, ...], values: Sequence[Any], op: str) -> Q:
    """Rows up to `values`, and that one too. Again every level says `>=`, so that the index is left at its place."""
    field, value = fields[0], values[0]
    before = {"lt": "gt", "gt": "lt"}[op]
    upto = Q(**{f"{field}__{before}e": value})
    return upto if len(fields) == 1 else upto & (Q(**{f"{field}__{before}": value}) | _until(fields[1:], values[1:], op))


def _value(row: Model, path: str) -> Any:
    value: Any = row
    for name in path.split("__"):
        value = getattr(value, name)
    return _plain(value)


def _plain(value: Any) -> Any:
    """As JSON holds it."""
    return value.isoformat() if isinstance(value, date) else value  # a datetime is a date, too
