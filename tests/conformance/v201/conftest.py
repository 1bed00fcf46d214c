"""Stations of OCPP 2.0.1."""

import pytest

from tests.conformance.station import Station201


@pytest.fixture
def kind() -> type[Station201]:
    return Station201
