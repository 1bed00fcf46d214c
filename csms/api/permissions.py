"""Whether they may: `accounts.permissions` applied to a request."""

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.models import ApiKey
from accounts.permissions import key_may, may

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module


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
        if isinstance(request.auth, ApiKey) and not key_may(request.auth.scopes, verb):
            self.message = f"This API key is limited to: {', '.join(request.auth.scopes)}."
            return False
        if not may(request.user, verb):
            self.message = (
                "You belong to no operator."
                if getattr(request.user, "operator_id", None) is None
                else f"Your role may not do this ({verb})."
            )
            return False
        return True


def verb_of(view: Any, method: str) -> str:
    """What a method of a view, or of its class, needs. Empty: nothing is said, which only a view without unsafe methods may do."""
    verb: str = getattr(view, "view_verb", "view") if method.upper() in SAFE_METHODS else getattr(view, "change_verb", "")
    return verb
