"""The banner of what does not work."""

from typing import Any

from django import template

from csms.troubles import DATABASE, ended, present

register = template.Library()


@register.inclusion_tag("_troubles.html")
def troubles() -> dict[str, Any]:
    # A page that is rendered for somebody means that the database answered.
    ended(DATABASE, "pages")
    return {"troubles": present()}
