"""Whether they may: `accounts.permissions` applied to a request."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.models import ApiKey
from accounts.permissions import key_may, may

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module


class MayUse(BasePermission):
    """Reading needs the verb `view`; writing the view's `change_verb`. A key may do at most what its user may."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.user is None:
            return False
        verb = "view" if request.method in SAFE_METHODS else getattr(view, "change_verb", "")
        if not verb:
            return True  # the view has no unsafe methods: it answers 405
        self.message = why_not(request, verb)
        return not self.message


def why_not(request: Request, verb: str) -> str:
    """Why whoever asks may not do this; empty: they may."""
    if isinstance(request.auth, ApiKey) and not key_may(request.auth.scopes, verb):
        return f"This API key is limited to: {', '.join(request.auth.scopes)}."
    if not may(request.user, verb):
        if getattr(request.user, "operator_id", None) is None:
            return "You belong to no operator."
        return f"Your role may not do this ({verb})."
    return ""
