"""Who asks: a program with a key, or a person with a session."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiKey, User
from accounts.selectors import valid_api_key
from accounts.services import note_key_use

KEYWORD = "Api-Key"


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """`Authorization: Api-Key <key>`. Another scheme is left to whoever knows it."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        scheme, _, key = authentication.get_authorization_header(request).partition(b" ")
        if scheme.lower() != KEYWORD.lower().encode():
            return None
        row = valid_api_key(key.strip().decode("ascii", "replace"))
        if row is None:
            raise AuthenticationFailed("This API key is unknown, expired or its user is not active.")
        note_key_use(key=row)
        return row.user, row

    def authenticate_header(self, request: Request) -> str:
        return KEYWORD


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's login, with its CSRF token on unsafe methods."""


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = ApiKeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Api-Key <key>`"}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = SessionAuthentication
    name = "Session"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "A person's login in the browser."}
