"""Whose pages these are: a driver's own. Staff are led to theirs, whoever is unknown to the page to sign in."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Kind, User

View = Callable[..., HttpResponseBase]


def driver_of(user: User | AnonymousUser) -> User | None:
    """The driver who is signed in; None for staff and for whoever is unknown."""
    return user if isinstance(user, User) and user.kind == Kind.DRIVER and user.operator_id is not None else None


def to_login(back_to: str) -> HttpResponse:
    """The page to sign in, which leads back."""
    return redirect(f"{reverse('driver_login')}?{urlencode({'next': back_to})}")


def drivers(view: View) -> View:
    """Only for drivers, signed in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return to_login(request.get_full_path() if request.method == "GET" else reverse("driver"))
        if driver_of(request.user) is None:
            return redirect("wall")
        return view(request, *args, **kwargs)

    return never_cache(guarded)


def page(view: View) -> View:
    return require_safe(drivers(view))


def action(view: View) -> View:
    """A button: POST only."""
    return require_POST(drivers(view))


def not_found(request: HttpRequest, **context: object) -> HttpResponse:
    """A kind 404: what may have happened, and where to go from here."""
    return render(request, "driver/not_found.html", context, status=404)
