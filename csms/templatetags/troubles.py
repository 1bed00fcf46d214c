"""The banner of what does not work."""

from typing import Any

from django import template

from csms.troubles import present

register = template.Library()


@register.inclusion_tag("_troubles.html")
def troubles() -> dict[str, Any]:
    return {"troubles": present()}
