"""Prices that change while servers run, which keep in memory what they have read."""

from typing import Any

from django_scopes import scopes_disabled

from billing import tariffs
from billing.models import Tariff, TariffAssignment
from stations.models import Station
from tests.database import tables
from tests.network import Network
from tests.peer import Peer, station
from tests.servers import Server

V201 = {"subprotocols": ["ocpp2.0.1"]}
SHOWS = {
    "component": {"name": "TariffCostCtrlr"},
    "variable": {"name": "Enabled", "instance": "Tariff"},
    "variableAttribute": [{"value": "true"}],
}


@tables
def assign(tariff: Tariff, known: Station) -> TariffAssignment:
    with scopes_disabled():
        return tariffs.assign(tariff=tariff, station=known)


@tables
def unassign(assignment: TariffAssignment) -> None:
    with scopes_disabled():
        tariffs.unassign(assignment=assignment)


@tables
def change(tariff: Tariff, price: float) -> None:
    components: list[dict[str, Any]] = [{"type": "ENERGY", "price": price, "step_size": 1}]
    with scopes_disabled():
        tariffs.add_version(tariff=tariff, ocpi={"elements": [{"price_components": components}]})


async def told(peer: Peer) -> str:
    """The price that is shown to who presents the card."""
    info = (await peer.call("Authorize", {"idToken": {"idToken": "CARD", "type": "ISO14443"}}))["idTokenInfo"]
    return str(info["personalMessage"]["content"])[:4]


async def test_a_server_that_runs_tells_a_price_as_soon_as_it_changes(server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    network.token("CARD")
    plain = {"price_per_minute": 0, "price_per_session": 0, "tax_percent": 0}
    network.tariff(price_per_kwh="0.40", **plain)
    special = network.tariff(name="Special", price_per_kwh="0.70", is_default=False, **plain)
    async with station(server.ocpp, known, **V201) as peer:
        report = {"requestId": 1, "generatedAt": "2026-11-21T10:00:00Z", "seqNo": 0, "reportData": [SHOWS]}
        assert await peer.call("NotifyReport", report) == {}
        assert await told(peer) == "0.40"
        assigned = assign(special, known)
        assert await told(peer) == "0.70"
        change(special, 0.8)
        assert await told(peer) == "0.80"
        unassign(assigned)
        assert await told(peer) == "0.40"
