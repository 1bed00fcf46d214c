"""A driver as the sign-up makes one."""

from accounts import drivers
from accounts.models import IdToken, User
from tests.database import tables
from tests.network import Network

PASSWORD = "charge-it-all-night"


@tables
def driver_of(network: Network, name: str = "dee") -> User:
    return drivers.sign_up(operator=network.operator, email=f"{name}.{network.tag}@example.org", password=PASSWORD, name="Dee")


@tables
def token_of(driver: User) -> IdToken:
    token = drivers.token_of(driver)
    assert token is not None
    return token
