"""Dee, who drives, and the plug she stands at."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from stations.models import Connector
from tests.dashboard.conftest import ada, amber, cobalt
from tests.dashboard.rows import plug
from tests.driver.dee import PASSWORD, driver_of
from tests.network import Network

__all__ = ["PASSWORD", "ada", "amber", "cobalt"]


@pytest.fixture(autouse=True)
def forgotten_tries() -> None:
    cache.clear()


@pytest.fixture
def dee(amber: Network) -> User:
    return driver_of(amber)


@pytest.fixture
def phone(dee: User) -> Client:
    """Dee's, signed in."""
    client = Client()
    client.force_login(dee)
    return client


@pytest.fixture
def free(amber: Network) -> Connector:
    """A plug of a charger that is online."""
    amber.tariff()
    return plug(amber)


def said(answer: Any) -> str:
    """Its HTML, with a single space where there is any. A thin one, which holds a number and its unit together, stays."""
    return re.sub(r"[ \n]+", " ", answer.content.decode())
