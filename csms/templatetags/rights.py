"""What the reader of a page may do: `{% if request.user|may:"tags.change" %}`."""

from typing import Any

from django import template

from accounts import permissions

register = template.Library()


@register.filter
def may(user: Any, verb: str) -> bool:
    return permissions.may(user, verb)
