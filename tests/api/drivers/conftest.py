"""Dee and Ed, who charge at Ada's, with the app on their phones; and Cy, who charges at Cleo's."""

import itertools
import random
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from django.test import Client

from accounts import drivers
from accounts.models import IdToken, User
from tests.dashboard.rows import plug
from tests.network import Network

PASSWORD = "charge-it-all-night"
AUTH = "/api/v1/auth/app/v1"
JSON = "application/json"
_addresses = itertools.count(random.randrange(250))


@pytest.fixture(autouse=True)
def empty_database() -> None:
    """Not here: what processes do is committed, and each test has networks of its own."""


class App(Client):
    """A phone: it shows the tokens that its login gave."""

    def login_with(self, email: str, password: str = PASSWORD) -> dict[str, Any]:
        answer = self.post(f"{AUTH}/auth/login", {"email": email, "password": password}, JSON)
        assert answer.status_code == 200, answer.content
        return self.took(answer.json()["meta"])

    def took(self, tokens: dict[str, Any]) -> dict[str, Any]:
        self.defaults["HTTP_AUTHORIZATION"] = f"Bearer {tokens['access_token']}"
        return tokens

    def ask(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        answer = self.generic(method.upper(), f"/api/v1/{path}", b"" if body is None else orjson.dumps(body), JSON, headers=headers)
        assert answer.status_code == status, (answer.status_code, answer.content)
        if status >= 400:
            assert answer["Content-Type"] == "application/problem+json"
        return answer.json() if answer.content else None

    def rows(self, path: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.ask("get", path)["results"]
        return rows


@dataclass
class Driver:
    user: User
    app: App

    @property
    def token(self) -> IdToken:
        token = drivers.token_of(self.user)
        assert token
        return token


def driver(network: Network, name: str) -> Driver:
    user = drivers.sign_up(
        email=f"{name}.{network.tag}@example.org", password=PASSWORD, operator=network.operator, name=name.capitalize()
    )
    app = App(REMOTE_ADDR=f"198.51.100.{next(_addresses) % 250}")  # logins from one address are bounded
    app.login_with(user.email)
    return Driver(user, app)


@pytest.fixture
def amber(db: None) -> Network:
    network = Network()
    network.operator.code = f"amber-{network.tag}"
    network.operator.save()
    return network


@pytest.fixture
def cobalt(db: None) -> Network:
    return Network()


@pytest.fixture
def dee(amber: Network) -> Driver:
    return driver(amber, "dee")


@pytest.fixture
def ed(amber: Network) -> Driver:
    return driver(amber, "ed")


@pytest.fixture
def cy(cobalt: Network) -> Driver:
    return driver(cobalt, "cy")


@pytest.fixture
def free(amber: Network) -> Any:
    """A plug that can be started."""
    return plug(amber)
