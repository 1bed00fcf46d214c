"""Stations that live by themselves, fast, against a foreign CSMS."""

import asyncio
import math
import os
import signal
import sys
from collections import defaultdict
from random import Random

import pytest
from django.core.management import CommandError, call_command

from csms.simulator import SimulatedStation, WallClock
from csms.simulator.demo import SITES, STATIONS, TAGS, demo_fleet, password
from csms.simulator.driver import Roster
from csms.simulator.fleet import run_fleet
from csms.simulator.life import BackOff, Habits
from csms.simulator.narrator import Narrator
from tests.simulator.central import Peer, running_central
from tests.simulator.central201 import Peer201


def live(central, *, habits, identities=("SIM-0001",), tags=("DEE",), strangers=0.0, seed=3):
    """Start a fleet; returns what it tells, how to stop it, and its task."""
    lines: list[str] = []
    stop = asyncio.Event()
    narrator = Narrator(lines.append)
    stations = [
        SimulatedStation(
            central.url,
            identity,
            clock=WallClock(),
            rng=Random(f"{seed}:{identity}"),
            configuration={"MeterValueSampleInterval": "1"},
            tell=narrator.tell,
        )
        for identity in identities
    ]
    roster = Roster(list(tags), strangers=("LOST",), stranger_rate=strangers)
    fleet = run_fleet([(s, habits) for s in stations], roster=roster, narrator=narrator, stop=stop)
    return lines, stop, asyncio.create_task(fleet), stations


async def test_drivers_come_charge_and_go(central):
    lines, stop, fleet, _ = live(central, habits=Habits(speed=4000, fault_rate=0, offline_rate=0))
    await central.until(lambda: len(central.payloads("StopTransaction")) >= 4, 30)
    stop.set()
    await fleet
    starts, stops = central.payloads("StartTransaction"), central.payloads("StopTransaction")
    assert len(starts) == len(stops)
    assert any("kWh" in line for line in lines)
    assert any("connected" in line for line in lines)
    by_connector = defaultdict(list)
    for start in starts:
        by_connector[start["connectorId"]].append(start["meterStart"])
    assert all(registers == sorted(registers) for registers in by_connector.values())
    await central.until(lambda: central.close_codes == [1001])


async def test_a_driver_with_an_unknown_card_does_not_charge(central):
    lines, stop, fleet, _ = live(central, habits=Habits(speed=4000, fault_rate=0, offline_rate=0), strangers=1)
    await central.until(lambda: len(central.payloads("Authorize")) >= 3, 30)
    stop.set()
    await fleet
    assert central.payloads("StartTransaction") == []
    assert any("card LOST refused: Blocked" in line for line in lines)


@pytest.mark.long
async def test_faults_come_and_go(central):
    lines, stop, fleet, _ = live(central, habits=Habits(speed=1000, fault_rate=0, offline_rate=0, first_fault_s=0.5))
    await central.until(lambda: any("fault over" in line for line in lines), 30)
    stop.set()
    await fleet
    faults = [payload for payload in central.payloads("StatusNotification") if payload["status"] == "Faulted"]
    assert faults
    assert faults[0]["errorCode"] != "NoError"


@pytest.mark.long
async def test_a_session_that_runs_through_an_outage_is_delivered_after_it(central):
    habits = Habits(speed=500, fault_rate=0, offline_rate=0, first_visits={1: (0, 60), 2: (0, 60)}, first_outage_s=1.5)
    lines, stop, fleet, (sim,) = live(central, habits=habits, tags=("DEE", "DEE2"))
    central.tags["DEE2"] = "Accepted"
    await central.until(lambda: any("loses its line" in line for line in lines), 30)
    await central.until(lambda: len(central.peers) == 2 and sim.queued == 0, 30)
    stop.set()
    await fleet
    assert any("messages to deliver" in line for line in lines)
    times = [payload["meterValue"][0]["timestamp"] for payload in central.payloads("MeterValues") if payload["connectorId"] == 1]
    assert times == sorted(times)
    assert len(times) == len(set(times))
    # Every CALL that the CSMS saw of a running session has its end.
    assert len(central.payloads("StartTransaction")) == len(central.payloads("StopTransaction"))
    assert central.actions().count("BootNotification") == 1


@pytest.mark.long
async def test_a_fleet_that_ends_during_an_outage_still_tells_of_its_sessions(central):
    habits = Habits(speed=200, fault_rate=0, offline_rate=0, first_visits={1: (0, 60)}, first_outage_s=2)
    lines, stop, fleet, (sim,) = live(central, habits=habits)
    await central.until(lambda: any("loses its line" in line for line in lines), 20)
    await central.until(lambda: not sim.connected)
    stop.set()
    await fleet
    assert len(central.payloads("StartTransaction")) == len(central.payloads("StopTransaction")) == 1


@pytest.mark.long
async def test_heartbeats_come_at_the_interval_the_csms_gave(central):
    central.boots = [("Accepted", 1)]
    _, stop, fleet, _ = live(central, habits=Habits(fault_rate=0, offline_rate=0))
    await central.until(lambda: len(central.payloads("Heartbeat")) >= 2, 15)
    stop.set()
    await fleet


@pytest.mark.long
async def test_a_remote_start_finds_somebody_with_a_cable(central):
    from ocpp.v16 import call

    _, stop, fleet, (sim,) = live(central, habits=Habits(speed=50, fault_rate=0, offline_rate=0))
    await central.until(lambda: sim.accepted and central.statuses(2) != [])
    connector = next(c for c in sim.connectors if c.free)
    await central.peer.call(call.RemoteStartTransaction("DEE", connector_id=connector.id))
    await central.until(lambda: any(p["connectorId"] == connector.id for p in central.payloads("StartTransaction")), 15)
    stop.set()
    await fleet


async def test_a_refused_handshake_is_told_once_with_its_reason_and_tried_again(central):
    central.identities = set()
    lines, stop, fleet, _ = live(central, habits=Habits(back_off_cap_s=0.5))
    await central.until(lambda: len(central.paths) >= 3)
    central.identities = None
    await central.until(lambda: central.peers != [])
    stop.set()
    await fleet
    assert [line for line in lines if "404" in line] == [
        "SIM-0001: the handshake was refused: 404 Not Found (no such station); trying again from time to time"
    ]


async def test_a_csms_that_is_not_there_is_told_once_for_all_stations(central):
    async with running_central() as gone:
        pass
    lines, stop, fleet, _ = live(gone, habits=Habits(back_off_cap_s=0.5), identities=[f"SIM-{n}" for n in range(5)])
    port = int(gone.url.split(":")[2].split("/")[0])
    await central.until(lambda: bool(lines))
    async with running_central(port) as back:
        await back.until(lambda: len(back.peers) == 5, 20)
        stop.set()
        await fleet
    assert len([line for line in lines if "cannot be reached" in line]) == 1


def test_the_back_off_grows_to_its_cap_with_jitter():
    waits = BackOff(Random(1), 60)
    every = [waits.next_s() for _ in range(12)]
    assert all(0.5 <= wait <= 60 for wait in every)
    assert max(every) > 10
    assert len(set(every)) > 6
    waits.reset()
    assert waits.next_s() <= 1


async def run_demo(central, enough):
    """Play the demo network against a foreign CSMS until `enough`; what it told."""
    for tag in TAGS:
        central.tags[tag.value] = "Expired" if tag.expired else tag.status
    central.password = password()
    lines: list[str] = []
    stop = asyncio.Event()
    narrator = Narrator(lines.append)
    stations, roster = demo_fleet(central.url, seed=1, narrator=narrator)
    fleet = asyncio.create_task(run_fleet(stations, roster=roster, narrator=narrator, stop=stop))
    await central.until(lambda: enough({station.identity: station for station, _ in stations}), 20)
    stop.set()
    await fleet
    return lines


@pytest.mark.long
async def test_the_demo_has_sessions_of_both_versions_running_at_once():
    def enough(stations):
        running = [s.protocol for s in stations.values() for c in s.connectors if c.transaction and c.transaction.id]
        return {"ocpp1.6", "ocpp2.0.1"} <= set(running) and len(central.peers) == len(stations)

    async with running_central(kinds={"ocpp1.6": Peer, "ocpp2.0.1": Peer201}) as central:
        await run_demo(central, enough)
        assert {path.rpartition("/")[2] for path in central.paths} == {station.identity for station in STATIONS}
        assert len(central.payloads("StopTransaction")) == len(central.payloads("StartTransaction")) > 0
        kinds = [payload["eventType"] for payload in central.payloads("TransactionEvent")]
        assert kinds.count("Started") == kinds.count("Ended") > 0


async def test_the_demo_has_one_plug_that_is_broken_and_one_that_is_closed():
    def enough(stations):
        closed = stations["MUSEUM-04"]
        return closed.accepted and central.statuses_of("Faulted") and central.statuses_of("Unavailable")

    async with running_central(kinds={"ocpp1.6": Peer, "ocpp2.0.1": Peer201}) as central:
        await run_demo(central, enough)
    assert [payload["errorCode"] for payload in central.statuses_of("Faulted")] == ["PowerSwitchFailure"]
    (closed,) = central.statuses_of("Unavailable")
    assert closed["evseId"] == 2


def test_the_demo_is_of_both_versions_and_every_site_has_stations():
    assert len({station.identity for station in STATIONS}) == len(STATIONS) == 24
    assert sum(station.protocol == "ocpp2.0.1" for station in STATIONS) == 12
    assert {station.site for station in STATIONS} == {site.name for site in SITES}
    assert len({site.city for site in SITES}) == 3


@pytest.mark.long
async def test_a_station_that_loses_its_line_for_good_does_not_come_back(central):
    habits = Habits(
        speed=500, fault_rate=0, offline_rate=0, first_visits={1: (0, 0.5)}, first_outage_s=2, lost_for_good=True, quiet=math.inf
    )
    lines, stop, fleet, (sim,) = live(central, habits=habits)
    await central.until(lambda: any("loses its line for good" in line for line in lines) and not sim.connected, 20)
    assert [len(central.payloads(action)) for action in ("StartTransaction", "StopTransaction")] == [1, 1]
    assert all(connector.free for connector in sim.connectors)
    stop.set()
    await fleet
    assert len(central.peers) == 1


def test_the_demo_s_password_comes_from_the_environment_or_is_the_known_one(monkeypatch):
    monkeypatch.delenv("CSMS_DEMO_PASSWORD", raising=False)
    assert password() == "amber-demo-password"
    monkeypatch.setenv("CSMS_DEMO_PASSWORD", "something-else-16")
    assert password() == "something-else-16"


async def run_command(*arguments):
    environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "manage.py",
        "simulate",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
async def test_the_command_needs_no_database_and_ends_cleanly_on_a_signal(central, number):
    process = await run_command(central.url, "--stations", "3", "--tag", "DEE", "--seed", "4")
    await central.until(lambda: central.actions().count("BootNotification") == 3, 20)
    process.send_signal(number)
    out, _ = await process.communicate()
    assert process.returncode == 0, out
    assert out.decode().startswith("3 simulated stations for ws://")
    assert out.decode().endswith("simulation ended\n")
    assert b"SIM-0002: connected" in out
    assert b"Traceback" not in out
    await central.until(lambda: central.close_codes == [1001] * 3)


@pytest.mark.long
async def test_the_command_speaks_2_0_1_when_asked(central201):
    process = await run_command(central201.url, "--ocpp", "2.0.1", "--tag", "DEE")
    await central201.until(lambda: central201.actions().count("StatusNotification") == 2, 20)
    process.terminate()
    out, _ = await process.communicate()
    assert process.returncode == 0, out


@pytest.mark.long
async def test_the_command_ends_after_its_duration(central):
    process = await run_command(central.url, "--duration", "0.5")
    out, _ = await process.communicate()
    assert process.returncode == 0, out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["http://127.0.0.1/ocpp"], "is no WebSocket address"),
        (["ws://127.0.0.1/ocpp?x=1"], "has a query"),
        (["ws://127.0.0.1/ocpp", "--stations", "0"], "at least 1"),
        (["ws://127.0.0.1/ocpp", "--speed", "0"], "more than 0"),
        (["ws://127.0.0.1/ocpp", "--ocpp", "2.1"], "invalid choice"),
    ],
)
def test_the_command_says_what_is_wrong_with_its_arguments(arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command("simulate", *arguments)
