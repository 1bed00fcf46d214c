"""Every request runs in the scope of its user's operator: a query for tenant data outside a scope raises."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_scopes import scope, scopes_disabled

from accounts.models import User


def scope_of(user: User | AnonymousUser) -> AbstractContextManager[None]:
    """The scope a person works in: their operator's. A superuser without one sees all; anybody else without one, nothing."""
    if user.is_authenticated and user.is_superuser and user.operator_id is None:
        return scopes_disabled()
    # Not None: to django-scopes that means "do not filter". An empty list is nobody's data.
    return scope(operator=(user.operator if user.is_authenticated else None) or [])


class ScopeMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with scope_of(request.user):
            return self.get_response(request)
