"""Who may open a page, and who may press its buttons: `accounts.permissions` applied to the operators' pages.

The verb stays on the view (`view.verb`), where `tests/test_matrix.py` reads it: a page without one fails there.
"""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Kind, Operator, User
from accounts.permissions import may
from csms.dashboard.worklist import Rights
from stations.domain.commands import COMMANDS

View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """A page that everybody of a network may look at."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not may(request.user, "view"):
            raise PermissionDenied(
                _why_not(request) or _("Your account belongs to no network yet. Ask the owner of one to add you.")
            )
        return view(request, *args, **kwargs)

    guarded.verb = "view"  # type: ignore[attr-defined]
    return require_safe(login_required(never_cache(guarded)))


def tabs(**verbs: str) -> Callable[[View], View]:
    """Below `page`: parts of a page, by their `?tab=`, that need a verb of their own."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            demand(request, verbs.get(request.GET.get("tab", ""), "view"))
            return view(request, *args, **kwargs)

        guarded.tab_verbs = verbs  # type: ignore[attr-defined]
        return guarded

    return decorate


def demand(request: HttpRequest, verb: str) -> None:
    """Refuse those whose role may not do this."""
    if not may(request.user, verb):
        if why := _why_not(request):
            raise PermissionDenied(why)
        if verb.endswith("view"):
            raise PermissionDenied(_("Your role may not look at this. Ask the owner of your network."))
        raise PermissionDenied(_("Your role may look at this but not change it. Ask the owner of your network."))


def needs(verb: str) -> Callable[[View], View]:
    """Only for those whose role may do this, in a network of their own."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            demand(request, verb)
            return view(request, *args, **kwargs)

        guarded.verb = verb  # type: ignore[attr-defined]
        return login_required(never_cache(guarded))

    return decorate


def own(view: View) -> View:
    """A page or button about a person's own login. Drivers have theirs elsewhere."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if why := _why_not(request):
            raise PermissionDenied(why)
        return view(request, *args, **kwargs)

    return login_required(never_cache(guarded))


def _why_not(request: HttpRequest) -> str:
    """What a driver is told who comes to a page of the operators'."""
    if getattr(request.user, "kind", None) != Kind.DRIVER:
        return ""
    return _("This page is for the people who run the network. Yours, to charge, is at /driver/.")


def action(verb: str) -> Callable[[View], View]:
    """A button: POST only, and only for those whose role may press it."""
    return lambda view: require_POST(needs(verb)(view))


def rights_of(user: User | AnonymousUser) -> Rights:
    """What a person may do about what the wall shows."""
    return Rights(
        command=may(user, "commands.send"),
        change=may(user, "stations.change"),
        fetch=may(user, "logs.fetch"),
        bill=may(user, "billing.correct"),
        price=may(user, "tariffs.change"),
        asks=frozenset(verb for verb in {command.verb for command in COMMANDS.values()} if may(user, verb)),
    )


def may_add(request: HttpRequest, verb: str) -> bool:
    """Whether a person may do this, and has a network in which to do it."""
    return may(request.user, verb) and getattr(request.user, "operator_id", None) is not None


def operator_of(request: HttpRequest) -> Operator:
    """The network in which a person adds things."""
    operator: Operator | None = getattr(request.user, "operator", None)
    if operator is None:
        raise PermissionDenied(_("Your account belongs to no network, so there is none to add this to."))
    return operator
