"""Frames nobody should send, over real sockets of a real server: every CALL is answered, no traceback, memory stays flat.

`make fuzz` plays 100,000 (FRAMES=), among the long tests it is 20,000. The seed is printed; FUZZ_SEED= plays the same again.
"""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django_scopes import scopes_disabled

from csms.ocpp import mend
from csms.ocpp.registry import INCOMING, PROTOCOLS
from csms.ocpp.session import Handle, Send, Session
from stations.models import Finding, Quirk, Station
from tests.database import tables
from tests.fuzz.frames import Fuzzer
from tests.fuzz.test_engine import everything
from tests.network import Network
from tests.peer import Peer, station
from tests.servers import Server

pytestmark = pytest.mark.long
FRAMES = int(os.environ.get("FUZZ_FRAMES", "20000"))
SEED = int(os.environ.get("FUZZ_SEED", time.time_ns() % 1_000_000))
STATIONS, BURST = 4, 24
#: Resident memory when this part of the frames has been played, and how much it may be more at the end, whatever an allocator does.
WARM_UP, NOISE_BYTES = 0.4, 24 * 1024 * 1024


class Watched(Server):
    """A server whose complaints are kept."""

    def __init__(self, log: Path) -> None:
        self.log = log
        with log.open("wb") as self.stderr:
            super().__init__("uvicorn")

    def resident(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024


@pytest.fixture
def watched(django_db_setup: None, tmp_path: Path) -> Iterator[Watched]:
    serving = Watched(tmp_path / "server.log")
    yield serving
    serving.stop()


class Attacker:
    """One station that sends whatever a seed makes, in bursts, and counts what it is answered."""

    def __init__(self, known: Station, protocol: str, seed: int) -> None:
        self.known, self.protocol, self.seed = known, protocol, seed
        self.fuzzer = Fuzzer(seed, protocol)
        self.counted: Counter[str] = Counter()
        self.played = 0

    def due(self, text: str) -> list[tuple[str, str]]:
        """What must be answered: the message id, and the action if it is one."""
        found = []
        for action in Session(self.protocol).receive(text, 0.0):
            if isinstance(action, Handle):
                found.append((action.call.message_id, action.call.action))
            elif isinstance(action, Send):
                found.append((json.loads(action.text)[1], ""))
        return found

    async def burst(self, peer: Peer) -> None:
        texts = [self.fuzzer.frame() for _ in range(BURST)]
        due = [one for text in texts for one in self.due(text)]
        for text in texts:
            await peer.send(text)
        last = f"beat-{self.played}"
        await peer.send(json.dumps([2, last, "Heartbeat", {}]))
        # A bitten message id may be another's; of such answers nobody can say whose they are.
        named = Counter(name for name, _ in due)
        actions = {name: action for name, action in due if named[name] == 1}
        answered: Counter[Any] = Counter()
        while (frame := await peer.receive())[1] != last:
            if frame[0] == 2:
                continue  # it is asked something by itself, such as how a session is that nobody understands
            answered[frame[1]] += 1
            self.counted[frame[2] if frame[0] == 4 else "result"] += 1
            self.check(frame, actions.get(frame[1], ""))
        assert answered == named, f"seed {self.seed}, from frame {self.played} on: {texts}"
        self.played += BURST

    def check(self, frame: Any, action: str) -> None:
        action = action if action in INCOMING[self.protocol] else mend.spelled(self.protocol, action[:50]) or ""
        if frame[0] == 4:
            assert frame[2] != "InternalError", f"seed {self.seed}, after frame {self.played}: {frame}"
        elif action:
            mend.validate(self.protocol, f"{action}Response", frame[2])
        if frame[0] == 3 and "transactionId" in frame[2] and len(self.fuzzer.transactions) < 40:
            self.fuzzer.transactions.append(frame[2]["transactionId"])

    async def run(self, url: str, frames: int) -> None:
        async with station(url, self.known, subprotocols=[self.protocol], max_queue=None) as peer:
            while self.played < frames:
                await self.burst(peer)


@tables
def failures(network: Network) -> list[str]:
    with scopes_disabled():
        found = Finding.objects.filter(operator=network.operator, code="handler_failed")
        return list(found.values_list("detail", flat=True))


@tables
def with_every_quirk(network: Network) -> None:
    with scopes_disabled():
        Quirk.objects.create(operator=network.operator, name="All", vendor="Acme*", adjustments=everything())


async def test_whatever_comes_is_answered_and_memory_stays_flat(watched: Watched, network: Network) -> None:
    print(f"FUZZ_SEED={SEED}, {FRAMES} frames")
    network.token("CARD")
    with_every_quirk(network)
    attackers = [Attacker(network.station(accepted=True), PROTOCOLS[number % 2], SEED + number) for number in range(STATIONS)]
    each, began = FRAMES // STATIONS, time.monotonic()
    resident = []
    for part in (WARM_UP, 1.0):
        async with asyncio.TaskGroup() as group:
            for one in attackers:
                group.create_task(one.run(watched.ocpp, round(each * part)))
        resident.append(watched.resident())
        print(f"{sum(one.played for one in attackers)} frames, {time.monotonic() - began:.0f} s, {resident[-1] >> 20} MiB")
    print(dict(sum((one.counted for one in attackers), Counter())))
    assert failures(network) == []
    log = watched.log.read_text(errors="replace")
    assert "Traceback" not in log, log[log.index("Traceback") - 2000 :][:6000]
    assert resident[1] - resident[0] < NOISE_BYTES
