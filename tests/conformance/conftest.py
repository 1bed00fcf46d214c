"""What a case has at hand: a network of its own, a station, and a program that reads what the CSMS stored."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from accounts import services
from accounts.models import User
from tests.conformance import bare
from tests.conformance.against import BARE
from tests.conformance.api import Api
from tests.conformance.station import Station
from tests.network import Network
from tests.servers import Server, Servers

#: Makes a station known with these fields of its row, and dials; see `tests.network.Network.station`.
Dial = Callable[..., Any]


#: What each message of these means is tried in `tests/stations`, its shape in `tests/wire`; `make conformance` and `make test-long`
#: play the cases.
LATER = {
    *("availability", "certificates", "diagnostics", "localauthlist", "network", "tariffcost", "vendor"),
    *("customerinformation", "devicemodel", "displaymessage", "firmware", "monitoring", "publishing", "reservation"),
    *("smartcharging", "smartcharging_limits"),
}


@pytest.hookimpl(tryfirst=True)  # before `-m` is obeyed
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Reports name the case of each test; whole chapters of OCPP 2.0.1 are for `make test-long`."""
    for item in items:
        if item.path.parent.name == "v201" and item.path.stem.removeprefix("test_") in LATER:
            item.add_marker(pytest.mark.long)
        if case := getattr(getattr(item, "function", None), "case", None):
            item.user_properties.append(("case", " ".join(case)))


@pytest.fixture(scope="session")
def bare_endpoint() -> Iterator[str]:
    with bare.running() if BARE else nullcontext("") as url:
        yield url


@pytest.fixture
def endpoint(uvicorn: Server, bare_endpoint: str) -> str:
    """Where stations dial."""
    return bare_endpoint or uvicorn.ocpp


@pytest.fixture(scope="session")
def by_proxy(servers: Servers, bare_endpoint: str) -> Iterator[str]:
    """Where a proxy that ends TLS hands stations on: it is trusted, and says by what they came."""
    if bare_endpoint:
        yield bare_endpoint
        return
    server = Server("uvicorn", CSMS_TRUSTED_PROXIES="127.0.0.1")
    yield server.ocpp
    server.stop()


@pytest.fixture
def api(network: Network, uvicorn: Server) -> Iterator[Api]:
    """Ada's program."""
    ada = User.objects.create(email=f"ada.{network.tag}@example.org", operator=network.operator, role="owner")
    _, key = services.create_api_key(user=ada)
    asking = Api(uvicorn.port, key)
    yield asking
    asking.connection.close()


@pytest.fixture
def known(network: Network, endpoint: str, kind: type[Station]) -> Callable[..., Any]:
    """Makes a station known, which has not dialled yet."""
    return lambda **fields: kind(endpoint, network.station(**fields).identity)


@pytest.fixture
def dial(known: Callable[..., Any]) -> Iterator[Dial]:
    """Makes a station known, and dials: `dial()` has not booted yet, `dial(accepted=True)` was accepted before."""
    dialled: list[Station] = []

    def make(**fields: Any) -> Any:
        dialled.append(known(**fields))
        return dialled[-1].dial()

    yield make
    for station in dialled:
        station.close()


@pytest.fixture
def station(dial: Dial) -> Any:
    """Connected, and accepted at an earlier boot."""
    return dial(accepted=True)
