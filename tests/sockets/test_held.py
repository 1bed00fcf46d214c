"""A charger that is held until it is configured, by way of a real server, in both versions."""

from typing import Any

import pytest
from django_scopes import scope

from stations.domain import commands
from stations.models import Refusal, Station
from stations.services import onboarding
from stations.services.onboarding import Terms, mark
from tests.database import tables
from tests.network import Network
from tests.peer import refusal, station
from tests.servers import Server
from tests.sockets.test_commands import becomes, issue, state_of
from tests.sockets.test_refusals import the_refusal

VERSIONS = {"ocpp1.6": ("GetConfiguration", "RemoteStartTransaction"), "ocpp2.0.1": ("GetVariables", "RequestStartTransaction")}
READ = {
    "ocpp1.6": {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]},
    "ocpp2.0.1": {
        "getVariableResult": [
            {
                **{"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}},
                **{"attributeStatus": "Accepted", "attributeValue": "300"},
            }
        ]
    },
}


@tables
def held(network: Network, kept: Refusal) -> Station:
    terms = Terms(by="sent", seen=mark(kept), hold=True)
    return onboarding.accept(operator=network.operator, identity=kept.identity, terms=terms, refusal=kept)[0]


@tables
def let_charge(who: Station) -> bool:
    with scope(operator=who.operator):
        return onboarding.let_charge(station=Station.objects.get(pk=who.pk))


@pytest.mark.parametrize("protocol", VERSIONS)
async def test_it_is_let_in_and_told_to_wait_read_and_let_go(server: Server, network: Network, bells: None, protocol: str) -> None:
    reads, starts = VERSIONS[protocol]
    identity = f"{network.prefix}-HELD"
    assert (await refusal(server.ocpp, identity, subprotocols=[protocol])).status_code == 404
    known = held(network, the_refusal(identity))
    async with station(server.ocpp, identity, subprotocols=[protocol]) as peer:
        told = await peer.boot()
        assert (told["status"], told["interval"]) == ("Pending", 60)
        status: Any = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
        if protocol == "ocpp2.0.1":
            status = {"evseId": 1, "connectorId": 1, "connectorStatus": "Available", "timestamp": "2026-01-01T00:00:00Z"}
        assert (await peer.exchange("StatusNotification", status))[:3:2] == [4, "SecurityError"]

        # Charging is not asked for; settings are.
        charge = issue(known, commands.RemoteStart("CARD", evse=1), expires_in=600)
        read = issue(known, commands.GetVariables([{"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval"}]))
        message_id, action, _ = await peer.asked()
        assert action == reads
        await peer.tell(message_id, READ[protocol])
        becomes(read, "confirmed")
        assert state_of(charge).status == "queued"

        assert let_charge(known)
        message_id, action, payload = await peer.asked()
        assert (action, payload) == ("TriggerMessage", {"requestedMessage": "BootNotification"})
        await peer.tell(message_id, {"status": "Accepted"})
        assert (await peer.boot())["status"] == "Accepted"
        assert (await peer.asked())[1] == starts


async def test_one_that_is_not_there_is_accepted_at_its_next_boot(uvicorn: Server, network: Network) -> None:
    known = network.station(registration="Pending")
    assert not let_charge(known)
    async with station(uvicorn.ocpp, known) as peer:
        assert (await peer.boot())["status"] == "Accepted"
