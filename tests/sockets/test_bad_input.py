"""Bad input gets a clear answer as far as the protocol defines one, a finding, and nothing else is disturbed. On both servers."""

import asyncio
import json

import pytest

from tests.network import Network
from tests.peer import ago, station
from tests.servers import Server, until


async def test_an_unreadable_frame_keeps_the_socket_and_leaves_a_finding(server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as peer:
        await peer.send("this is no JSON")
        await peer.send('[2,"q01","MeterValues",{"connectorId":1,"transactionId":x,"meterValue":[]}]')
        assert (await peer.receive())[:3] == [4, "q01", "FormationViolation"]
        await peer.send('[1,"x","StartTransaction",{}]')
        await peer.send("")
        await peer.send('{"not":"an array"}')
        assert "currentTime" in await peer.call("Heartbeat", {})
    codes = network.findings(known)
    assert codes == ["frame_empty", "frame_type_unknown", "frame_unreadable"]
    log = network.log(known)
    assert any(entry.call == "this is no JSON" for entry in log)


async def test_a_frame_nested_too_deep_is_refused_and_the_socket_kept(server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as peer:
        await peer.send('[2,"deep","DataTransfer",' + '{"a":' * 70 + "1" + "}" * 70 + "]")
        answer = await peer.receive()
        assert answer[:3] == [4, "deep", "FormationViolation"]
        assert "currentTime" in await peer.call("Heartbeat", {})


async def test_a_frame_over_a_mebibyte_closes_the_socket_with_1009_and_leaves_a_finding(server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as peer:
        await peer.send(json.dumps([2, "big", "DataTransfer", {"vendorId": "x", "data": "y" * 1_100_000}]))
        assert (await peer.closed())[0] == 1009
    found = until(lambda: network.findings(known))
    assert found == ["frame_too_long"]
    async with station(server.ocpp, known) as peer:
        assert "currentTime" in await peer.call("Heartbeat", {})


async def test_a_frame_of_nearly_a_mebibyte_is_heard(server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as peer:
        answer = await peer.call("DataTransfer", {"vendorId": "x", "data": "y" * 1_000_000})
        assert answer["status"] == "UnknownVendorId"


async def test_a_schema_violation_beyond_mending_is_named(server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as peer:
        answer = await peer.exchange("Authorize", {"idTag": "x" * 21})
        assert answer[0] == 4
        assert answer[2] == "PropertyConstraintViolation"
        assert "idTag" in answer[3]
        missing = await peer.exchange("Authorize", {})
        assert missing[2] == "OccurenceConstraintViolation"
    assert "payload_invalid" in network.findings(known)


async def test_unknown_and_unsupported_actions_are_told_apart(server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as peer:
        assert (await peer.exchange("MakeCoffee", {}))[2] == "NotImplemented"
        assert (await peer.exchange("Reset", {"type": "Hard"}))[2] == "NotSupported"


async def test_binary_frames_leave_a_finding_and_the_socket(server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as peer:
        await peer.socket.send(b"\x00\x01")
        assert "currentTime" in await peer.call("Heartbeat", {})
    assert network.findings(known) == ["frame_binary"]


@pytest.mark.long
async def test_a_bad_station_does_not_disturb_its_neighbours(server: Server, network: Network) -> None:
    bad = network.station(accepted=True)
    good = network.station(accepted=True)
    network.token("CARD")
    async with station(server.ocpp, bad) as noisy, station(server.ocpp, good) as quiet:

        async def make_noise() -> None:
            for number in range(50):
                await noisy.send(f'[2,"n{number}","StopTransaction",{{"transactionId":"\\u0000","meterStop":1e400}}]')
                await noisy.send("[[[[")

        noise = asyncio.create_task(make_noise())
        transaction = await quiet.start("CARD", at=ago(60))
        for step in range(10):
            await quiet.meter(transaction, 1000 + 100 * step, at=ago(50 - step))
        await quiet.stop(transaction, 3000)
        await noise
    (charged,) = network.transactions(good)
    assert charged.energy_wh == 2000
    assert network.findings(good) == []


async def test_many_calls_at_once_are_all_answered_in_order(server: Server, network: Network) -> None:
    """An offline burst: reading pauses at the inbox's bound, and goes on."""
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as peer:
        for number in range(300):
            await peer.send(json.dumps([2, f"h{number}", "Heartbeat", {}]))
        answered = [(await peer.receive())[1] for _ in range(300)]
    assert answered == [f"h{number}" for number in range(300)]
