"""Whether they may: `accounts.permissions` applied to a request."""

from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.models import ApiKey
from accounts.permissions import key_may, may

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module


def demand(request: Request, verb: str) -> None:
    """Where a view's own verb is not all: raises unless they may do this too."""
    if problem := why_not(request, verb):
        raise PermissionDenied(problem)


class MayUse(BasePermission):
    """Reading needs the view's `view_verb` (`view` unless it says otherwise), writing its `change_verb`. A key may do at most what
    its user may.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.user is None:
            return False
        verb = verb_of(view, str(request.method))
        if not verb:
            return True  # the view has no unsafe methods: it answers 405
        self.message = why_not(request, verb)
        return not self.message


def verb_of(view: Any, method: str) -> str:
    """What a method of a view, or of its class, needs. Empty: nothing is said, which only a view without unsafe methods may do."""
    verb: str = getattr(view, "view_verb", "view") if method.upper() in SAFE_METHODS else getattr(view, "change_verb", "")
    return verb


def why_not(request: Request, verb: str) -> str:
    """Why whoever asks may not do this; empty: they may."""
    if isinstance(request.auth, ApiKey) and not key_may(request.auth.scopes, verb):
        return f"This API key is limited to: {', '.join(request.auth.scopes)}."
    if not may(request.user, verb):
        if getattr(request.user, "operator_id", None) is None:
            return "You belong to no operator."
        return f"Your role may not do this ({verb})."
    return ""
