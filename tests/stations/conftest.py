"""What tests of the core share: a station whose socket this process holds, as it were, and what it speaks.

That is OCPP 1.6; in a module that says `SPEAKS` each of those versions, one test for each.
"""

import pytest

from stations.models import Station
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import connected


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    versions = getattr(metafunc.module, "SPEAKS", ())
    if versions and "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", versions, indirect=True)


@pytest.fixture
def engine(committed: None, request: pytest.FixtureRequest) -> Engine:
    return Engine(getattr(request, "param", "ocpp1.6"))


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


@pytest.fixture
def newer(committed: None) -> Engine:
    return Engine("ocpp2.0.1")
