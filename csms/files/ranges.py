"""Which part of a file a request asks for (RFC 9110, 14): one range, as stations that fetch on after a break ask."""

import re
from collections.abc import Mapping

RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*\Z", re.IGNORECASE)


class Unsatisfiable(Exception):
    """The range begins after the end of the file."""


def asked(headers: Mapping[str, str], size: int, etag: str) -> tuple[int, int] | None:
    """The first byte and how many follow from it; None for the whole file, also where the range cannot be read or has changed.

    `headers` by their names in lower case. Several ranges at once are answered with the whole, which is allowed.
    """
    match = RANGE.match(headers.get("range", ""))
    if match is None or match[1] == match[2] == "":
        return None
    if headers.get("if-range", etag).strip() != etag:
        return None
    if match[1] == "":
        # The last so many bytes.
        length = min(int(match[2]), size)
        if length == 0:
            raise Unsatisfiable
        return size - length, length
    first, last = int(match[1]), int(match[2]) if match[2] else size - 1
    if match[2] and last < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return first, min(last, size - 1) - first + 1
