"""Codes in words."""

from django import template
from django.utils.functional import _StrPromise as Text
from django.utils.translation import gettext_lazy as _

from stations.domain.values import Doubt, Severity

register = template.Library()

DOUBTS = {
    Doubt.START_MISSING: _("Its start was never reported"),
    Doubt.STOP_MISSING: _("Its end was never reported"),
    Doubt.REGISTER: _("Its meter readings contradict each other"),
}
SEVERITIES = {Severity.INFO: _("Note"), Severity.WARNING: _("Warning"), Severity.ERROR: _("Error")}
DIMENSIONS = {
    "ENERGY": _("Energy"),
    "TIME": _("Time"),
    "FLAT": _("Per session"),
    "PARKING_TIME": _("Parking"),
}
UNITS = {"KWH": "kWh", "HOUR": "h", "MINUTE": "min", "SESSION": "×"}  # noqa: RUF001  (a multiplication sign)


@register.filter
def doubt(code: str) -> Text | str:
    """Why a transaction cannot be billed yet."""
    return DOUBTS.get(code, code)  # type: ignore[call-overload]  # a StrEnum is found by its string


@register.filter
def severity(code: str) -> Text | str:
    return SEVERITIES.get(code, code)  # type: ignore[call-overload]  # a StrEnum is found by its string


@register.filter
def dimension(code: str) -> Text | str:
    """What a price line is for."""
    return DIMENSIONS.get(code.upper(), code)


@register.filter
def unit(code: str) -> str:
    return UNITS.get(code.upper(), code)
