from collections.abc import AsyncIterator

import pytest

from tests.simulator.central import Central, running_central


@pytest.fixture
async def central() -> AsyncIterator[Central]:
    async with running_central() as running:
        yield running
