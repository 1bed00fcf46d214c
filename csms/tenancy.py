"""Every request runs in the scope of its user's operator (a query for tenant data outside a scope raises), as that user's doing."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_scopes import scope, scopes_disabled

from accounts import audit
from accounts.models import User


def scope_of(user: User | AnonymousUser) -> AbstractContextManager[None]:
    """The scope a person works in: their operator's. A superuser without one sees all; anybody else without one, nothing."""
    if user.is_authenticated and user.is_superuser and user.operator_id is None:
        return scopes_disabled()
    # Not None: to django-scopes that means "do not filter". An empty list is nobody's data.
    return scope(operator=(user.operator if user.is_authenticated else None) or [])


def acting(user: User | AnonymousUser | None, *, via: str, key: str = "") -> AbstractContextManager[None]:
    """What is changed within is told as this person's doing. `key`: the prefix of the API key with which it is done."""
    if not isinstance(user, User):
        return audit.acting(None, via=via, label="not logged in")
    return audit.acting(user, via=via, label=f"{user.email} (key {key})" if key else user.email)


class ScopeMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with scope_of(request.user), acting(request.user, via="page"):
            return self.get_response(request)
