"""Every frame and behaviour of `frames.jsonl`, seen in the field, gets what its `want` says over a real socket, usable after.

Those that stand in `ELSEWHERE` are proved by another test of sockets already.
"""

import ast
import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django_scopes import scopes_disabled

from stations import problems
from stations.domain.commands import TriggerMessage
from stations.models import Command, CommandStatus, Site, Station, Transaction
from stations.services import commands
from tests.database import tables
from tests.network import Network
from tests.peer import Peer, ago, station
from tests.servers import Server, until

FRAMES = {row["id"]: row for row in map(json.loads, (Path(__file__).parent / "frames.jsonl").read_text().splitlines())}
ELSEWHERE = {
    "Q23": ("tests/sockets/test_v201.py", "test_a_station_that_speaks_1_6_on_this_connection_is_told_so_and_keeps_it"),
    "Q28": ("tests/sockets/test_refusals.py", "test_an_upgrade_without_the_connection_header_ends_cleanly"),
    "Q30": ("tests/sockets/test_takeover.py", "test_a_second_socket_closes_the_first_with_1012"),
    "Q31": ("tests/server/test_socket.py", "test_a_silent_peer_is_pinged_and_kept_though_it_never_answers"),
    "Q40": ("tests/sockets/test_refusals.py", "test_identities_are_decoded_once_and_a_trailing_slash_is_no_matter"),
}


class Played:
    """A station at its socket, that plays frames as they stand in the file."""

    def __init__(self, network: Network, known: Station, peer: Peer) -> None:
        self.network, self.known, self.peer = network, known, peer

    async def play(self, name: str, change: Callable[[str], str] = str) -> Any:
        """The frame as it was sent, but for what `change` puts in; and what it is answered."""
        await self.peer.send(change(FRAMES[name]["frame"]))
        return await self.peer.receive()

    async def usable(self) -> None:
        assert "currentTime" in await self.peer.call("Heartbeat", {})

    def transactions(self) -> list[Transaction]:
        return self.network.transactions(self.known)

    def findings(self) -> set[str]:
        return set(self.network.findings(self.known))

    def registers(self) -> list[Decimal | None]:
        return [sample.energy_wh for sample in self.network.samples(self.known)]


@pytest.fixture
def play(uvicorn: Server, network: Network) -> Callable[..., Any]:
    network.token("CARD")

    @asynccontextmanager
    async def opened(protocol: str = "ocpp1.6", **fields: Any) -> AsyncIterator[Played]:
        known = network.station(accepted=True, **fields)
        async with station(uvicorn.ocpp, known, subprotocols=[protocol]) as peer:
            yield Played(network, known, peer)
            await peer.call("Heartbeat", {})
            assert "handler_failed" not in network.findings(known)

    return opened


@tables
def here(network: Network) -> Site:
    with scopes_disabled():
        return Site.objects.create(operator=network.operator, name="Here", time_zone="Europe/Berlin")


def named(transaction: int, was: str) -> Callable[[str], str]:
    return lambda frame: frame.replace(f'"transactionId":{was}', f'"transactionId":{transaction}')


async def test_q01_a_value_that_was_left_out_costs_no_reading(play: Any) -> None:
    async with play() as at:
        assert await at.play("Q01") == [3, "q01", {}]
        await at.usable()
        assert at.registers() == [1750]
        assert {"frame_salvaged", "time_without_zone"} <= at.findings()


async def test_q03_one_meter_value_where_many_are_due(play: Any) -> None:
    async with play() as at:
        transaction = await at.peer.start("CARD", meter=0, at="2024-04-16T17:28:00Z")
        assert await at.play("Q03", named(transaction, "1")) == [3, "661eb557000000570056", {}]
        assert at.registers() == [0]
        assert [sample.transaction_id for sample in at.network.samples(at.known)] == [at.transactions()[0].pk]
        assert "mended_type" in at.findings()


async def test_q05_numbers_for_texts_and_several_moments(play: Any) -> None:
    async with play() as at:
        assert (await at.play("Q05"))[0] == 3
        assert at.registers() == [Decimal("604.213")] * 2


async def test_q06_a_local_time_and_a_reservation_of_none(play: Any, network: Network) -> None:
    async with play() as at:
        answer = await at.play("Q06")
        assert answer[2]["transactionId"] > 0
        assert at.transactions()[0].started_at == datetime(2023, 10, 19, 15, 28, 7, tzinfo=UTC)
        assert "time_without_zone" in at.findings()
    site = here(network)
    # Of its make it is known whose time it tells: that of the site.
    async with play(vendor="Growatt", model="THOR", site=site) as at:
        await at.play("Q06")
        assert at.transactions()[0].started_at == datetime(2023, 10, 19, 13, 28, 7, tzinfo=UTC)
        assert "time_without_zone" not in at.findings()
        assert "quirk_applied" in at.findings()


async def test_q08_an_offset_of_two_digits(play: Any) -> None:
    async with play() as at:
        assert (await at.play("Q08"))[0] == 3
        plug = at.network.connectors(at.known)[2]
        assert (plug.status, plug.status_at) == ("Preparing", datetime(2024, 4, 26, 12, 35, 2, tzinfo=UTC))


async def test_q10_null_and_seven_digits(play: Any) -> None:
    async with play() as at:
        assert (await at.play("Q10"))[0] == 3
        assert at.network.connectors(at.known)[1].status == "Unavailable"


async def test_q11_an_unset_clock(play: Any) -> None:
    async with play() as at:
        for _ in range(2):
            assert (await at.play("Q11"))[:2] == [3, "1000001"]
        first, second = at.network.history(at.known)
        assert min(first.at, second.at) > datetime.now(UTC) - timedelta(minutes=1)
        assert "clock_absurd" in at.findings()


async def test_q13_a_message_of_a_type_that_is_none(play: Any) -> None:
    async with play() as at:
        await at.peer.send(FRAMES["Q13"]["frame"])
        await at.usable()
        assert at.transactions() == []
        assert "frame_type_unknown" in at.findings()


async def test_q15_a_stop_of_minus_one_ends_the_session_it_fits(play: Any) -> None:
    async with play() as at:
        await at.peer.start("CARD", meter=100, at="2024-02-26T08:15:00Z")
        assert await at.play("Q15") == [3, "q15", {}]
        (ended,) = at.transactions()
        assert (ended.status, ended.energy_wh) == ("ended", 900)


async def test_q16_fractions_of_a_watt_hour_close_the_session(play: Any) -> None:
    async with play() as at:
        transaction = await at.peer.start("CARD", meter=1000, at="2026-06-23T09:00:00Z")
        assert await at.play("Q16", named(transaction, "1")) == [3, "q16", {}]
        (ended,) = at.transactions()
        assert (ended.status, ended.doubt, ended.energy_wh) == ("ended", "", 25008)


async def test_q18_every_copy_of_a_boot_is_answered_and_so_is_a_stop_as_it_likes_it(play: Any) -> None:
    async with play() as at:
        for _ in range(3):
            answer = await at.play("Q18")
            assert (answer[:2], answer[2]["status"]) == ([3, "1000001"], "Accepted")
        transaction = await at.peer.start("CARD", at=ago(60))
        # By the quirk of its make, which it has told a moment ago.
        assert await at.peer.stop(transaction, 2000) == {"idTagInfo": {"status": "Accepted"}}
        assert "quirk_applied" in at.findings()


async def test_q20_energy_never_falls_though_the_register_drops_out(play: Any) -> None:
    async with play() as at:
        transaction = await at.peer.start("CARD", meter=500, at="2022-02-04T05:20:00Z")
        await at.peer.meter(transaction, 895, at="2022-02-04T05:28:17Z")
        frame = json.loads(FRAMES["Q20"]["frame"])
        frame[3]["transactionId"] = transaction
        samples = frame[3]["meterValue"][0]["sampledValue"]
        samples.append({"value": "0", "measurand": "Energy.Active.Import.Register", "unit": "Wh"})
        await at.peer.send(json.dumps(frame))
        assert (await at.peer.receive())[0] == 3
        assert at.transactions()[0].energy_wh == 395
        await at.peer.meter(transaction, 950, at="2022-02-04T05:30:17Z")
        await at.peer.stop(transaction, 1000, at="2022-02-04T05:31:17Z")
        assert at.transactions()[0].energy_wh == 500


async def test_q21_contexts_that_are_mixed_are_all_kept(play: Any) -> None:
    async with play() as at:
        assert (await at.play("Q21"))[0] == 3
        triggered, periodic = sorted(at.network.samples(at.known), key=lambda sample: sample.context, reverse=True)
        assert (triggered.context, triggered.energy_wh, triggered.voltage_v) == ("Trigger", 27010, Decimal("243.2"))
        assert (periodic.context, periodic.current_a) == ("Sample.Periodic", 0)


async def test_q25_an_end_without_its_trigger_does_not_vanish(play: Any) -> None:
    async with play("ocpp2.0.1") as at:
        await at.peer.event("Started", "t25", 0, evse={"id": 1})
        assert (await at.play("Q25"))[0] == 3
        assert at.transactions()[0].status == "ended"


async def test_q26_numbers_that_stay_0_and_a_register_as_a_float(play: Any) -> None:
    """The frame is of 2.1, and played on 2.0.1."""
    async with play("ocpp2.0.1") as at:
        card = {"idToken": "CARD", "type": "ISO14443"}
        sample = {"value": 0.1, "unitOfMeasure": {"unit": "kWh"}}
        begun = {"timestamp": "2026-11-21T01:50:00Z", "sampledValue": [sample]}
        await at.peer.event("Started", "t26", 0, timestamp="2026-11-21T01:50:00Z", idToken=card, meterValue=[begun], evse={"id": 1})
        for _ in range(2):
            assert (await at.play("Q26"))[0] == 3
        await at.peer.event("Ended", "t26", 0, timestamp="2026-11-21T01:56:00Z")
        (ended,) = at.transactions()
        assert (ended.status, ended.doubt) == ("ended", "")
        # In decimals: 0.15012999999999999 kWh less 0.1 kWh, to a thousandth of a watt hour.
        assert ended.energy_wh == Decimal("50.130")


async def test_q33_a_trigger_that_is_rejected_is_no_failure(play: Any, bells: None) -> None:
    async with play(vendor="ABL SURSUM", model="eMH1") as at:
        await at.usable()

        def ask() -> Command:
            with scopes_disabled():
                return commands.issue(station=at.known, command=TriggerMessage("MeterValues"), user=None)

        row = tables(ask)()
        number, action, payload = await at.peer.asked()
        # Of its make it is known that a plug must be named.
        assert (action, payload) == ("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})
        await at.peer.tell(number, {"status": "Rejected"})

        def ended() -> bool:
            with scopes_disabled():
                row.refresh_from_db()
            return row.status == CommandStatus.REJECTED

        await asyncio.to_thread(until, tables(ended))
        await at.usable()
        assert at.findings() == {"quirk_applied"}
        assert tables(to_do)(at.known) == []


def to_do(known: Station) -> list[Command]:
    with scopes_disabled():
        return [command for command in problems.fruitless(datetime.now(UTC)) if command.station_id == known.pk]


async def test_q35_times_are_told_to_the_second(play: Any) -> None:
    async with play() as at:
        for answer in (await at.peer.boot(), await at.peer.call("Heartbeat", {})):
            assert datetime.strptime(answer["currentTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


async def test_q36_two_stations_may_use_one_message_id(play: Any) -> None:
    boot = '[2,"a1079197-1277-b809-f79e-eaa7f2df79ef","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'
    async with play() as one, play() as other:
        await one.peer.send(boot)
        await other.peer.send(boot)
        for at in (one, other):
            answer = await at.peer.receive()
            assert answer[:2] == [3, "a1079197-1277-b809-f79e-eaa7f2df79ef"]
            assert len([entry for entry in at.network.log(at.known) if entry.action == "BootNotification"]) == 1


async def test_q38_a_reading_after_the_stop_does_not_open_the_session_again(play: Any) -> None:
    async with play() as at:
        transaction = await at.peer.start("CARD", at=ago(120))
        await at.peer.stop(transaction, 3000, at=ago(60))
        value = {"timestamp": ago(60), "sampledValue": [{"value": "3000", "context": "Transaction.End"}]}
        answer = await at.peer.call("MeterValues", {"connectorId": 1, "transactionId": transaction, "meterValue": [value]})
        assert answer == {}
        (ended,) = at.transactions()
        assert (ended.status, ended.energy_wh, ended.doubt) == ("ended", 2000, "")


async def test_q41_a_stop_with_neither_tag_nor_reason(play: Any) -> None:
    async with play() as at:
        transaction = await at.peer.start("CARD", at=ago(60))
        assert await at.peer.stop(transaction, 2000) == {}
        assert at.transactions()[0].stop_reason == "Local"


def test_every_frame_is_played_here_or_elsewhere() -> None:
    here = {node.name.split("_")[1].upper() for node in functions(Path(__file__)) if node.name.startswith("test_q")}
    assert here | ELSEWHERE.keys() == FRAMES.keys()
    assert not here & ELSEWHERE.keys()
    for file, name in ELSEWHERE.values():
        assert name in {node.name for node in functions(settings.BASE_DIR / file)}, name


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
