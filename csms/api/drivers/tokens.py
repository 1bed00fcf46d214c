"""Who comes in by an app's token."""

from typing import Any

from allauth.headless.tokens.strategies.jwt.internal import validate_access_token
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import User


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`, of the login below /api/v1/auth/. It ends with the login."""

    def authenticate(self, request: Request) -> tuple[User, dict[str, Any]] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        found = validate_access_token(token.strip().decode("ascii", "replace"))
        if found is None or not found[0].is_active:
            raise AuthenticationFailed("This token is unknown, expired or its login has ended: refresh it, or log in again.")
        return found

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = TokenAuthentication
    name = "Bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A driver's `access_token`, of the login."}
