"""Who may do what, for what pages show."""

from django import template
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.permissions import may

register = template.Library()


@register.filter(name="may")
def may_filter(user: User | AnonymousUser, verb: str) -> bool:
    """`{% if request.user|may:"people.change" %}`"""
    return may(user, verb)
