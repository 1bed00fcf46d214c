"""Ada's network and Cleo's, and the browsers of the cast."""

import pytest
from django.test import Client

from tests.empty import empty_database
from tests.network import Network

__all__ = ["empty_database"]


@pytest.fixture
def amber(db: None) -> Network:
    return Network()


@pytest.fixture
def cobalt(db: None) -> Network:
    return Network()


def browser_of(network: Network, name: str, **fields: object) -> Client:
    client = Client()
    client.force_login(network.user(name, **fields))
    return client


@pytest.fixture
def ada(amber: Network) -> Client:
    return browser_of(amber, "ada")


@pytest.fixture
def ben(amber: Network) -> Client:
    return browser_of(amber, "ben", role="viewer")


@pytest.fixture
def cleo(cobalt: Network) -> Client:
    return browser_of(cobalt, "cleo")
