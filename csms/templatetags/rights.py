"""What a person may, for templates that show a link or leave it out."""

from django import template
from django.contrib.auth.models import AnonymousUser

from accounts import permissions
from accounts.models import User

register = template.Library()


@register.filter
def may(user: User | AnonymousUser | None, verb: str) -> bool:
    return permissions.may(user, verb)
