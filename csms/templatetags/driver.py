"""What the drivers' pages write beside numbers."""

from datetime import datetime

from django import template
from django.utils import timezone

from csms.dashboard.states import STATES, State
from stations.domain.values import ConnectorStatus

register = template.Library()


@register.filter
def state(shown: str) -> State:
    """A plug's state as people see it."""
    return STATES.get(shown, STATES[ConnectorStatus.UNAVAILABLE])


@register.filter
def countdown(until: datetime) -> str:
    """Minutes and seconds until then: 2:58. driver.js writes the same."""
    left_s = max(0, round((until - timezone.now()).total_seconds()))
    return f"{left_s // 60}:{left_s % 60:02}"
