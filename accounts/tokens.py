"""What makes an id token well-formed, and how people write its parts."""

from datetime import UTC, datetime, time
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from accounts.models import IdToken, IdTokenStatus

#: What the audit tells of a token.
TOLD = ("value", "type", "status", "blocked_because", "expires_at", "group", "note")


def fill(token: IdToken, **fields: Any) -> None:
    """Sets and checks a token's own fields; the group is the caller's."""
    for name, value in fields.items():
        if name not in ("value", "type", "status", "blocked_because", "expires_at", "note"):
            raise TypeError(f"An id token has no {name}")
        setattr(token, name, plain(value, name) if isinstance(value, str) else value)
    token.key = token.value.upper()
    if token.status != IdTokenStatus.BLOCKED:
        token.blocked_because = ""
    token.clean_fields(exclude=["operator", "group"])


def group_name(name: str | None) -> str:
    name = plain(name or "", "group")
    if len(name) > 20:
        text = _('The group\'s name "%(name)s" is longer than the 20 characters stations can hold.')
        raise ValidationError({"group": text % {"name": name}})
    return name


def plain(text: str, field: str) -> str:
    """Text without blanks around it; control characters are refused, since neither stations nor PostgreSQL take them all."""
    text = text.strip()
    if not text.isprintable():
        raise ValidationError({field: _("Control characters are not allowed.")})
    return text


def taken(field: str, message: str) -> ValidationError:
    """The refusal of something that is there already; the API answers it 409."""
    return ValidationError({field: ValidationError(message, code="unique")})


def parse_moment(text: str) -> datetime:
    """A date or a date and time as ISO 8601 has them; UTC where no zone is given. ValueError if it is neither."""
    text = text.strip()
    if "T" in text:
        text = text.replace(" ", "+")  # a "+" that a URL turned into a blank
    try:
        day = parse_date(text)
        moment = datetime.combine(day, time.min) if day else parse_datetime(text)
        if moment is not None:
            # Stays within the years that both Python and the zones of PostgreSQL can say.
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(_('"%(text)s" is not a date or time such as 2026-11-21 or 2026-11-21T04:00:00Z.') % {"text": text})
