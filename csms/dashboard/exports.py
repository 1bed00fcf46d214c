"""Lists as CSV files, read and sent in chunks: the memory of an export does not grow with the list."""

import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from csms.db import run_in_scope
from csms.tenancy import scope_of

Row = TypeVar("Row")

#: Rows read at once.
CHUNK = 1000
#: What a spreadsheet would take for a formula. A signed number, such as that of a telephone, is none.
FORMULA = re.compile(r"\s*(?:[=@]|[+-](?![\d ().\-/]*\Z))")


def stream_csv(
    request: HttpRequest,
    name: str,
    header: Sequence[str],
    chunk: Callable[[Row | None, int], Sequence[Row]],
    cells: Callable[[Row], Iterable[object]],
) -> StreamingHttpResponse:
    """A file to download. `chunk` is given the last row of the chunk before (None: it is the first) and how many rows to read."""
    user = request.user

    def read(last: Row | None) -> tuple[str, Row | None, bool]:
        rows = chunk(last, CHUNK)
        # A row of the list may be several of the file.
        return lines(cells(row) for row in rows), rows[-1] if rows else None, len(rows) >= CHUNK

    # Async, because ASGI would collect a plain iterator whole before it sends any of it.
    async def body() -> AsyncIterator[str]:
        # The mark tells spreadsheets that it is UTF-8.
        yield "\ufeff" + lines([header])
        last, more = None, True
        while more:
            text, last, more = await run_in_scope(scope_of(user), read, last)
            yield text

    day = timezone.localdate().isoformat()
    return StreamingHttpResponse(
        body(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}-{day}.csv"'},
    )


def lines(rows: Iterable[Iterable[object]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> str:
    """Times in UTC, numbers without zeros that say nothing, and text that no spreadsheet calculates."""
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case Decimal():
            return format(value.normalize(), "f")
        case str():
            return f"'{value}" if FORMULA.match(value) else value
    return str(value)
