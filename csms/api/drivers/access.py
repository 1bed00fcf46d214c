"""Who may use the drivers' side, and how often one may press start."""

from typing import Any, NoReturn

from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiKey, Kind, User
from csms.api.authentication import ApiKeyAuthentication, SessionAuthentication
from csms.api.drivers.tokens import TokenAuthentication
from csms.api.throttling import PerKey
from csms.api.views import Scoped

#: Starts and stops that a driver may ask for in a minute.
STARTS_A_MINUTE = 20


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
