"""Times on the wire: RFC 3339, written in UTC to the second, read as leniently as the field needs."""

import re
from datetime import UTC, datetime, timedelta, timezone

from stations.domain.values import Note

#: Year to second, any fraction, any offset: "+02", "+0200" and "+02:00" are all seen; so are one-digit hours and a space for T.
PATTERN = re.compile(
    r"\s*(\d{4})-(\d{1,2})-(\d{1,2})[Tt ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d+))?)?"
    r"\s*(?:([Zz])|([+-])(\d{1,2}):?(\d{2})?)?\s*\Z"
)


def emit(at: datetime) -> str:
    """UTC with "Z" and no fraction: old stations and the official test tool choke on fractions."""
    return f"{at.astimezone(UTC).isoformat()[:19]}Z"


def parse(text: str, subject: str, notes: list[Note]) -> datetime | None:
    """The time, in UTC; None (and a note) if it is none. Without a zone it is taken as UTC, with a note."""
    if text.endswith("Z"):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # not quite ISO 8601; perhaps readable all the same
    match = PATTERN.match(text)
    if match is None:
        notes.append(Note("time_unreadable", subject, f"{text[:40]!r} is not a time."))
        return None
    year, month, day, hour, minute, second, fraction, zulu, sign, offset_hours, offset_minutes = match.groups()
    zone: timezone = UTC
    if sign:
        offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes or 0))
        if offset >= timedelta(hours=24):
            notes.append(Note("time_unreadable", subject, f"{text[:40]!r} is not a time."))
            return None
        zone = timezone(-offset if sign == "-" else offset)
    elif not zulu:
        notes.append(Note("time_without_zone", subject, f"{text[:40]!r} has no zone; taken as UTC."))
    micro = int(((fraction or "") + "000000")[:6])
    try:
        at = datetime(int(year), int(month), int(day), int(hour), int(minute), min(int(second or 0), 59), micro, tzinfo=zone)
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        notes.append(Note("time_unreadable", subject, f"{text[:40]!r} is not a time."))
        return None
