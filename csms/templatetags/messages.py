"""A row of the message log: what it is about, and what was answered."""

from django import template

from csms.dashboard import messagelog, messagewords
from stations.models import MessageLogEntry

register = template.Library()


@register.simple_tag
def kind(entry: MessageLogEntry) -> messagewords.Kind:
    return messagewords.kind_of(entry.action, entry.direction)


@register.filter
def status(entry: MessageLogEntry) -> str:
    """The answer's own word ("Accepted"), where it has one."""
    frame = messagelog.frame(entry.answer)
    payload = frame[2] if isinstance(frame, list) and len(frame) == 3 else None
    if not isinstance(payload, dict):
        return ""
    for part in (payload, payload.get("idTagInfo"), payload.get("idTokenInfo")):
        if isinstance(part, dict) and isinstance(part.get("status"), str):
            return str(part["status"])[:40]
    return ""
