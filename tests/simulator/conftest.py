from collections.abc import AsyncIterator

import pytest

from tests.simulator.central import Central, running_central
from tests.simulator.central201 import Peer201


@pytest.fixture
async def central() -> AsyncIterator[Central]:
    async with running_central() as running:
        yield running


@pytest.fixture
async def central201() -> AsyncIterator[Central]:
    async with running_central(kinds={"ocpp2.0.1": Peer201}) as running:
        yield running
