"""Commands from anywhere to a station's socket, and their life to the observed effect. On both servers, in both versions."""

from typing import Any

import pytest
from django_scopes import scope, scopes_disabled

from stations.domain import commands
from stations.models import Command, LocalList, Station, Variable
from stations.services import commandends
from stations.services import commands as life
from tests.database import tables
from tests.network import Network
from tests.peer import ago, station
from tests.servers import Server, Servers, until


@tables
def issue(who: Station, command: commands.Command, **options: Any) -> Command:
    with scope(operator=who.operator):
        return life.issue(station=who, command=command, **options)


@tables
def take_back(command: Command) -> bool:
    with scopes_disabled():
        return commandends.cancel(command=command)


@tables
def state_of(command: Command) -> Command:
    return Command.objects.with_scopes_disabled().get(pk=command.pk)


@tables
def list_state(who: Station) -> str:
    return LocalList.objects.with_scopes_disabled().get(station=who).state


def becomes(command: Command, status: str) -> Command:
    """Wait until the command has this status."""
    until(lambda: state_of(command).status == status)
    return state_of(command)


async def test_a_remote_start_is_confirmed_by_the_transaction(server: Server, network: Network, bells: None) -> None:
    known = network.station(accepted=True)
    network.token("CARD")
    async with station(server.ocpp, known) as peer:
        asked = issue(known, commands.RemoteStart("CARD", evse=1), reason="a driver called")
        message_id, action, payload = await peer.asked()
        assert (action, payload) == ("RemoteStartTransaction", {"idTag": "CARD", "connectorId": 1})
        assert state_of(asked).status == "sent"
        await peer.tell(message_id, {"status": "Accepted"})
        becomes(asked, "accepted")
        await peer.start("card", at=ago(0))
        done = becomes(asked, "confirmed")
    assert done.response == {"status": "Accepted"}
    logged = [entry for entry in network.log(known) if entry.direction == "out"]
    assert [(entry.action, entry.event, entry.outcome) for entry in logged] == [("RemoteStartTransaction", "RemoteStart", "result")]


async def test_a_remote_stop_is_confirmed_by_the_end(server: Server, network: Network, bells: None) -> None:
    known = network.station(accepted=True)
    network.token("CARD")
    async with station(server.ocpp, known) as peer:
        transaction = await peer.start("CARD", at=ago(60))
        asked = issue(known, commands.RemoteStop(str(transaction)))
        message_id, _, payload = await peer.asked()
        assert payload == {"transactionId": transaction}
        await peer.tell(message_id, {"status": "Accepted"})
        becomes(asked, "accepted")
        await peer.stop(transaction, 2000, reason="Remote")
        becomes(asked, "confirmed")


async def test_what_makes_no_sense_is_refused_before_it_is_asked(uvicorn: Server, network: Network) -> None:
    known = network.station(accepted=True)
    with pytest.raises(commands.BadCommand, match="has no transaction 77"):
        issue(known, commands.RemoteStop("77"))
    with pytest.raises(commands.BadCommand, match="whole number from 1 to 255"):
        commands.RemoteStart.of({"id_token": "CARD", "evse": 0})
    with pytest.raises(commands.BadCommand, match="no parameter colour"):
        commands.Reset.of({"colour": "red"})
    with pytest.raises(commands.BadCommand, match="needs id_token"):
        commands.RemoteStart.of({})


async def test_a_refusal_and_an_error_say_why(server: Server, network: Network, bells: None) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as peer:
        first = issue(known, commands.Reset("immediate"))
        second = issue(known, commands.ClearCache())
        message_id, action, _ = await peer.asked()
        assert action == "Reset"
        await peer.tell(message_id, {"status": "Rejected"})
        message_id, action, _ = await peer.asked()
        assert action == "ClearCache"
        await peer.send(f'[4,"{message_id}","NotSupported","no cache here",{{}}]')
        assert becomes(first, "rejected").detail == "Rejected"
        failed = becomes(second, "failed")
        assert (failed.error_code, failed.detail) == ("NotSupported", "no cache here")


@pytest.mark.parametrize("answers", [["Failed"], ["Accepted", "Failed"]])
async def test_after_a_part_of_a_list_was_refused_no_other_part_is_sent(
    server: Server, network: Network, bells: None, answers: list[str]
) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as peer:
        wanted = commands.SendLocalList("full", [{"id_token": f"CARD-{number}"} for number in range(150)])
        asked, then = issue(known, wanted), issue(known, commands.ClearCache())
        for answer in answers:
            message_id, action, _ = await peer.asked()
            assert action == "SendLocalList"
            await peer.tell(message_id, {"status": answer})
        assert (await peer.asked())[1] == "ClearCache"
        assert (becomes(asked, "rejected").detail, state_of(then).status) == (", ".join(answers), "sent")
    assert list_state(known) == "failed"


async def test_settings_of_1_6_are_read_changed_and_kept_without_secrets(server: Server, network: Network, bells: None) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as peer:
        asked = issue(known, commands.GetVariables())
        message_id, action, payload = await peer.asked()
        assert (action, payload) == ("GetConfiguration", {})
        keys = [
            {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
            {"key": "AuthorizationKey", "readonly": False, "value": "0123456789abcdef0123"},
        ]
        await peer.tell(message_id, {"configurationKey": keys, "unknownKey": ["Nonsense"]})
        becomes(asked, "confirmed")
        changed = issue(
            known,
            commands.SetVariables(
                [
                    {"component": "", "variable": "HeartbeatInterval", "value": "60"},
                    {"component": "", "variable": "AuthorizationKey", "value": "a-new-secret-password"},
                ]
            ),
        )
        for status in ("Accepted", "RebootRequired"):
            message_id, action, payload = await peer.asked()
            assert action == "ChangeConfiguration"
            await peer.tell(message_id, {"status": status})
        becomes(changed, "confirmed")
    values = variables(known)
    assert values["HeartbeatInterval"] == ("60", True)
    assert values["AuthorizationKey"] == (None, True)
    assert values["Nonsense"] == (None, False)
    secrets = [text for entry in network.log(known) for text in (entry.call, entry.answer)]
    assert not any("a-new-secret-password" in text or "0123456789abcdef0123" in text for text in secrets)


async def test_an_offline_station_is_asked_when_it_returns_and_not_after_the_expiry(
    server: Server, network: Network, bells: None
) -> None:
    known = network.station(accepted=True)
    kept = issue(known, commands.ClearCache())
    late = issue(known, commands.RemoteStart("CARD"), expires_in=1)
    until(lambda: tables(commandends.sweep)(now=state_of(late).expires_at) and state_of(late).status == "expired")
    async with station(server.ocpp, known) as peer:
        message_id, action, _ = await peer.asked()
        assert action == "ClearCache"
        await peer.tell(message_id, {"status": "Accepted"})
        becomes(kept, "confirmed")
        assert "currentTime" in await peer.call("Heartbeat", {})


async def test_a_command_taken_back_is_never_sent(server: Server, network: Network) -> None:
    known = network.station(accepted=True)
    taken = issue(known, commands.ClearCache())
    assert take_back(taken)
    async with station(server.ocpp, known) as peer:
        assert "currentTime" in await peer.call("Heartbeat", {})
    assert state_of(taken).status == "cancelled"


async def test_the_same_idempotency_key_is_the_same_command(uvicorn: Server, network: Network) -> None:
    known = network.station(accepted=True)
    first = issue(known, commands.ClearCache(), idempotency_key="once")
    again = issue(known, commands.ClearCache(), idempotency_key="once")
    assert first.pk == again.pk


async def test_a_missed_bell_is_swept_up(server: Server, network: Network) -> None:
    """Nobody rings (Redis is away): the process that holds the socket finds the row by itself."""
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as peer:
        asked = issue(known, commands.ClearCache())
        message_id, _, _ = await peer.asked()
        await peer.tell(message_id, {"status": "Accepted"})
        becomes(asked, "confirmed")


async def test_an_answer_lost_with_its_socket_ends_the_command(servers: Servers, network: Network, bells: None) -> None:
    known = network.station(accepted=True)
    async with station(servers.get("uvicorn").ocpp, known) as peer:
        asked = issue(known, commands.ClearCache())
        await peer.asked()
        async with station(servers.get("daphne").ocpp, known) as other:
            assert "connection was lost" in becomes(asked, "timed_out").detail or state_of(asked).detail
            assert "currentTime" in await other.call("Heartbeat", {})


async def test_calls_of_the_station_are_answered_while_it_is_asked(server: Server, network: Network, bells: None) -> None:
    known = network.station(accepted=True)
    async with station(server.ocpp, known) as peer:
        asked = issue(known, commands.ClearCache())
        message_id, _, _ = await peer.asked()
        assert "currentTime" in await peer.call("Heartbeat", {})
        await peer.tell(message_id, {"status": "Accepted"})
        becomes(asked, "confirmed")


@tables
def variables(who: Station) -> dict[str, tuple[str | None, bool]]:
    found = Variable.objects.with_scopes_disabled().filter(station=who)
    return {one.variable: (one.value, one.known) for one in found}
