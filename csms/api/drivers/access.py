"""Who comes in by an app's token, who may use the drivers' side, and how often one may press start."""

from typing import Any, NoReturn

from allauth.headless.tokens.strategies.jwt.internal import validate_access_token
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiKey, Kind, User
from csms.api.authentication import ApiKeyAuthentication, SessionAuthentication
from csms.api.throttling import PerKey
from csms.api.views import Scoped

#: Starts and stops that a driver may ask for in a minute.
STARTS_A_MINUTE = 20


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


class DriversOnly(BasePermission):
    """The drivers' side is for drivers, in person: no key acts for them."""

    message = "This is for drivers: log in with a driver's account."

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        mine = isinstance(user, User) and user.kind == Kind.DRIVER and user.operator_id is not None and user.is_active
        return mine and not isinstance(request.auth, ApiKey)


class PerDriver(PerKey):
    """Starts and stops: a charger is no toy."""

    counted = "charge-rate"

    def bound(self) -> int:
        return STARTS_A_MINUTE


class NotLoggedIn(AuthenticationFailed):
    default_detail = 'Nobody is logged in: send the header "Authorization: Bearer <access token>", which the login gives.'


class ForDrivers(Scoped):
    """Base of the drivers' side."""

    authentication_classes = [TokenAuthentication, SessionAuthentication, ApiKeyAuthentication]
    permission_classes = [DriversOnly]

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> NoReturn:
        if request.user is None:
            raise NotLoggedIn
        super().permission_denied(request, message, code)

    @property
    def driver(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user


class TooOften(Throttled):
    def __init__(self, wait: float) -> None:
        super().__init__(wait, f"You may ask chargers for {STARTS_A_MINUTE} things a minute: wait a moment.")


#: What a view of charge/ is held up by.
CHARGING: list[type[BaseThrottle]] = [PerKey, PerDriver]
