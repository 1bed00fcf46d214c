"""Stations of OCPP 1.6."""

import pytest

from tests.conformance.station import Station16


@pytest.fixture
def kind() -> type[Station16]:
    return Station16
