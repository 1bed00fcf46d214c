"""Times on the wire: RFC 3339, written in UTC to the second, read as leniently as the field needs."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from stations.domain.values import Note

#: Year to second, any fraction, any offset: "+02", "+0200" and "+02:00" are all seen; so are one-digit hours and a space for T.
PATTERN = re.compile(
    r"\s*(\d{4})-(\d{1,2})-(\d{1,2})[Tt ]\s*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d+))?)?"
    r"\s*(?:([Zz]|UTC|GMT)|([+-])(\d{1,2}):?(\d{2})?)?\s*\Z"
)
#: The day first, as only points tell it from the month.
DAY_FIRST = re.compile(r"\s*(\d{1,2})\.(\d{1,2})\.(\d{4})[Tt ,]")
#: Other separators of the date, or none at all.
DATE = re.compile(r"\s*(\d{4})([/.])(\d{1,2})\2(\d{1,2})[Tt ]")
COMPACT = re.compile(r"\s*(\d{4})(\d{2})(\d{2})[Tt ](\d{2})(\d{2})(?:(\d{2}))?")
#: Seconds or milliseconds since 1970, as a number.
EPOCH = re.compile(r"\s*(\d{10})(?:\.\d*|(\d{3}))?\s*\Z")


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
        return _otherwise(text, subject, notes)
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
        # The end of a day may be called hour 24 (ISO 8601).
        ends = hour == "24" and not int(minute) and not int(second or 0)
        at = datetime(
            int(year), int(month), int(day), 0 if ends else int(hour), int(minute), min(int(second or 0), 59), micro, tzinfo=zone
        )
        return (at + timedelta(days=1) if ends else at).astimezone(UTC)
    except (ValueError, OverflowError):
        notes.append(Note("time_unreadable", subject, f"{text[:40]!r} is not a time."))
        return None


def _otherwise(text: str, subject: str, notes: list[Note]) -> datetime | None:
    """What is no ISO 8601 as OCPP has it: another order or other separators, a number of seconds, the time of an e-mail."""
    at: datetime | None = None
    usual = DATE.sub(r"\1-\3-\4T", DAY_FIRST.sub(r"\3-\2-\1T", text))
    usual = COMPACT.sub(lambda found: f"{found[1]}-{found[2]}-{found[3]}T{found[4]}:{found[5]}:{found[6] or '00'}", usual)
    if usual != text and PATTERN.match(usual):
        at = parse(usual, subject, notes)
        if at is None:
            return None  # which has been noted
    elif match := EPOCH.match(text):
        at = datetime.fromtimestamp(int(match[1]), UTC) + timedelta(milliseconds=int(match[2] or 0))
    elif "," in text[:5]:
        try:
            mailed = parsedate_to_datetime(text)
            at = mailed.astimezone(UTC) if mailed.tzinfo else None
        except (ValueError, OverflowError, TypeError):
            at = None
    if at is None:
        notes.append(Note("time_unreadable", subject, f"{text[:40]!r} is not a time."))
        return None
    notes.append(Note("time_format", subject, f"{text[:40]!r} is no time as OCPP writes it; read as {emit(at)}."))
    return at
