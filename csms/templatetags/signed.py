"""What meters signed, in words."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise

from csms.dashboard import signedwords

register = template.Library()


@register.filter
def verdict(code: str) -> str | Promise:
    """What is known of a signature."""
    return signedwords.of_verdict(code).word


@register.filter
def difference(code: str) -> str | Promise:
    return signedwords.DIFFERENCES.get(code, code)


@register.filter
def reading(code: str) -> str | Promise:
    """Why a meter was read."""
    return signedwords.REASONS.get(code, code or "–")


@register.filter
def meter_clock(code: str) -> str | Promise:
    """How a meter knows the time."""
    return signedwords.CLOCKS.get(code, code or "–")


@register.filter
def moment(text: str) -> str:
    """A time as it was signed, told as other times are."""
    return date_format(timezone.localtime(datetime.fromisoformat(text)), "j M H:i:s")
