"""The load generator: a process of its own, light enough not to be what is measured.

`python -m tests.bench.load` reads a `Plan` as JSON from its input and writes an `Outcome` as JSON. Raw protocols on uvloop,
ready-made frames, no JSON in between: it takes about a core for 60,000 messages a second.

Closed loop: each station sends its next message when the last one was answered. Open loop (`rate`): messages fall due at a
steady rate, or one that grows after the warm-up (`growth`), whatever the answers do, and their latency counts from then; a
station still sends one call at a time.
"""

import asyncio
import base64
import dataclasses
import gc
import json
import math
import os
import subprocess
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

import uvloop

from tests.bench import cpu, traffic

UPGRADE = (
    "GET /ocpp/{identity} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {protocol}\r\n"
    "Authorization: Basic {basic}\r\n\r\n"
)
#: Handshakes at the same time, and how long all the stations' last answers are waited for, in seconds.
KNOCKING, PATIENCE_S = 100, 30.0
#: How often the open loop looks what is due.
TICK_S = 0.001


@dataclass(frozen=True)
class Plan:
    """What to do."""

    port: int
    stations: list[str]
    password: str
    tags: list[str]
    warm_up_s: float
    seconds: float
    rate: float | None = None
    #: By how many messages a second the rate grows each second, after the warm-up.
    growth: float = 0.0
    #: Whether to tell of each message when it fell due and when it was answered.
    course: bool = False
    protocol: str = "ocpp1.6"
    #: Processes, and PostgreSQL's first one, whose CPU seconds are taken at the edges of the measured window.
    servers: list[int] = field(default_factory=list)
    postmaster: int | None = None


@dataclass
class Entry:
    """One station's line in the ledger: what was acknowledged, by kind, and the ids of the transactions among it."""

    transactions: list[str] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=lambda: [0] * len(traffic.KINDS))
    protocol: str = "ocpp1.6"
    #: Rows that were put into its tables by hand, and are no message's: by what they are.
    filled: dict[str, int] = field(default_factory=dict)


@dataclass
class Outcome:
    """`unanswered` messages are in no ledger: whether they were stored is the server's affair. Latencies are in milliseconds,
    those of the starts of transactions also apart. `asked`: the server's calls by message id, and when they came (monotonic).
    `began`: when the measured window did, and `course`, if asked for: when each message fell due and was answered (monotonic)."""

    messages: int = 0
    seconds: float = 0.0
    latencies_ms: dict[str, float] = field(default_factory=dict)
    starts_ms: dict[str, float] = field(default_factory=dict)
    server_cpu_s: float = 0.0
    postgres_cpu_s: float = 0.0
    generator_cpu_s: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)
    unanswered: int = 0
    ledger: dict[str, Entry] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    began: float = 0.0
    course: list[tuple[float, float]] = field(default_factory=list)


class Load:
    """All stations together, and the window in which they are measured."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.mix = traffic.MIXES[plan.protocol]
        self.asked: dict[str, float] = {}
        self.clock = traffic.Clock()
        self.measuring = False
        self.ending = False
        self.latencies: list[float] = []
        self.starts: list[float] = []
        self.course: list[tuple[float, float]] = []
        self.errors: Counter[str] = Counter()

    async def run(self) -> Outcome:
        plan = self.plan
        self.stations = [Station(self, number, identity) for number, identity in enumerate(plan.stations)]
        room = asyncio.Semaphore(KNOCKING)
        await asyncio.gather(*(station.connect(room) for station in self.stations))
        pace = asyncio.ensure_future(self.pace(plan.rate)) if plan.rate else None
        for station in self.stations:
            station.begin()
        await asyncio.sleep(plan.warm_up_s)

        before, began = self.meters(), time.perf_counter()
        self.measuring = True
        await asyncio.sleep(plan.seconds)
        self.measuring = False
        seconds, after = time.perf_counter() - began, self.meters()

        if pace is not None:
            pace.cancel()
        self.ending = True
        for station in self.stations:
            station.finish()
        _, late = await asyncio.wait([station.finished for station in self.stations], timeout=PATIENCE_S)
        for station in self.stations:
            station.transport.close()
        server, postgres, generator = (end - start for start, end in zip(before, after, strict=True))
        return Outcome(
            messages=len(self.latencies),
            seconds=seconds,
            latencies_ms=percentiles(self.latencies),
            starts_ms=percentiles(self.starts),
            server_cpu_s=server,
            postgres_cpu_s=postgres,
            generator_cpu_s=generator,
            errors=dict(self.errors),
            unanswered=len(late),
            ledger={station.identity: station.entry for station in self.stations},
            asked=self.asked,
            began=began,
            course=self.course,
        )

    async def pace(self, rate: float) -> None:
        """Makes messages due, station after station."""
        began, made = time.perf_counter(), 0
        due = began
        while True:
            now = time.perf_counter()
            while due <= now:
                self.stations[made % len(self.stations)].due_at(due)
                made += 1
                due = began + due_after(made, rate, self.plan.growth, self.plan.warm_up_s)
            await asyncio.sleep(TICK_S)

    def meters(self) -> tuple[float, float, float]:
        server = cpu.used(self.plan.servers)
        postgres = cpu.used_by_postgres(self.plan.postmaster) if self.plan.postmaster else 0.0
        return server, postgres, cpu.used([os.getpid()])


class Station(asyncio.Protocol):
    """One station on one socket."""

    transport: asyncio.Transport

    def __init__(self, load: Load, number: int, identity: str) -> None:
        self.load, self.identity = load, identity
        self.tag = load.plan.tags[number % len(load.plan.tags)].encode()
        # Stations are at different places of the cycle, as they would be.
        self.place = number % len(traffic.CYCLE)
        self.ids = 0
        self.register_wh = 1000 * number
        self.transaction: bytes | None = None
        self.said = 0
        self.kind = -1
        self.expected = b""
        self.since = 0.0
        self.due: deque[float] = deque()
        self.buffer = b""
        self.open = False
        self.entry = Entry(protocol=load.plan.protocol)
        self.accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # The handshake

    async def connect(self, room: asyncio.Semaphore) -> None:
        plan = self.load.plan
        async with room:
            await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", plan.port)
            await asyncio.wait_for(self.accepted, PATIENCE_S)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        plan = self.load.plan
        basic = base64.b64encode(f"{self.identity}:{plan.password}".encode()).decode()
        transport.write(UPGRADE.format(identity=self.identity, port=plan.port, protocol=plan.protocol, basic=basic).encode())

    def shake_hands(self, data: bytes) -> None:
        head, end, rest = (self.buffer + data).partition(b"\r\n\r\n")
        if not end:
            self.buffer = head
            return
        if not head.startswith(b"HTTP/1.1 101"):
            self.accepted.set_exception(ConnectionError(f"{self.identity} was refused: {head.splitlines()[0].decode()}"))
            return
        self.open, self.buffer = True, rest
        self.accepted.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.accepted.done():
            self.accepted.set_exception(ConnectionError(f"{self.identity} was cut off in the handshake"))
        elif not self.finished.done():
            self.load.errors["connection lost"] += 1

    # What comes

    def data_received(self, data: bytes) -> None:
        if not self.open:
            self.shake_hands(data)
            return
        if self.buffer:
            data = self.buffer + data
        while len(data) >= 2:
            start, size = 2, data[1]
            if size == 126:
                start, size = 4, int.from_bytes(data[2:4])
            end = start + size
            if len(data) < end:
                break
            self.received(data[0], data[start:end])
            data = data[end:]
        self.buffer = data

    def received(self, head: int, payload: bytes) -> None:
        now = time.perf_counter()
        if head == 0x89:
            self.transport.write(traffic.frame(payload, 10))
        elif head == 0x81 and payload.startswith(b"[2,"):
            self.was_asked(payload, now)
        elif head != 0x81 or self.expected not in payload[:50]:
            self.load.errors[payload[:60].decode(errors="replace")] += 1
        else:
            self.answered(payload, now)

    def answered(self, payload: bytes, now: float) -> None:
        if self.load.measuring:
            self.load.latencies.append(now - self.since)
            if self.kind == traffic.START:
                self.load.starts.append(now - self.since)
            if self.load.plan.course:
                self.load.course.append((self.since, now))
        kind, self.kind = self.kind, -1
        if not payload.startswith(b"[3"):
            self.load.errors[f"{self.load.mix.names[kind]}: {payload[:60].decode(errors='replace')}"] += 1
        else:
            self.acknowledged(kind, payload)
        if self.load.ending:
            self.finish()
        elif self.load.plan.rate is None:
            self.say_next(now)
        elif self.due:
            self.say_next(self.due.popleft())

    def acknowledged(self, kind: int, payload: bytes) -> None:
        self.entry.acknowledged[kind] += 1
        if kind == traffic.START:
            self.transaction = self.load.mix.began(self, payload)
            self.entry.transactions.append(self.transaction.decode())
        elif kind == traffic.STOP:
            self.transaction = None

    def was_asked(self, payload: bytes, now: float) -> None:
        """A call of the server: any that can be answered with Accepted."""
        number = payload.partition(b'"')[2].partition(b'"')[0]
        self.load.asked[number.decode()] = now
        self.transport.write(traffic.frame(b'[3,"%b",{"status":"Accepted"}]' % number))

    # What is said

    def begin(self) -> None:
        if self.load.plan.rate is None:
            self.say_next(time.perf_counter())

    def due_at(self, since: float) -> None:
        if self.kind >= 0:
            self.due.append(since)
        else:
            self.say_next(since)

    def finish(self) -> None:
        """The last words: a transaction that runs is stopped, so that the next run finds none."""
        if self.kind >= 0 or self.finished.done():
            return
        if self.transaction is not None:
            self.say(traffic.STOP, time.perf_counter())
        else:
            self.finished.set_result(None)

    def say_next(self, since: float) -> None:
        kind = traffic.CYCLE[self.place]
        if self.transaction is None and kind != traffic.START:
            kind = traffic.START  # it began in the middle of the cycle
        else:
            self.place = (self.place + 1) % len(traffic.CYCLE)
        self.say(kind, since)

    def say(self, kind: int, since: float) -> None:
        self.ids = number = self.ids + 1
        self.kind, self.since = kind, since
        self.expected = b'"%d"' % number
        payload = self.load.mix.call(kind, number, self, self.load.clock())
        self.transport.write(traffic.frame(payload))


def due_after(number: int, rate: float, growth: float, steady_s: float) -> float:
    """After how many seconds the message of that number falls due, at a rate that is steady at first and grows from then on."""
    more = number - rate * steady_s
    if not growth or more <= 0:
        return number / rate
    return steady_s + (math.sqrt(rate * rate + 2 * growth * more) - rate) / growth


def percentiles(latencies_s: list[float]) -> dict[str, float]:
    """p50, p99 and the longest, in milliseconds."""
    if not latencies_s:
        return {}
    ordered = sorted(latencies_s)
    places = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: round(1000 * ordered[min(int(len(ordered) * part), len(ordered) - 1)], 2) for name, part in places.items()}


def drive(plan: Plan) -> Outcome:
    """Runs the plan in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.load"]
    done = subprocess.run(command, input=json.dumps(dataclasses.asdict(plan)).encode(), stdout=subprocess.PIPE, check=True)
    outcome = Outcome(**json.loads(done.stdout))
    outcome.ledger = {identity: Entry(**entry) for identity, entry in outcome.ledger.items()}  # type: ignore[arg-type]
    outcome.course = [(due, answered) for due, answered in outcome.course]
    return outcome


def main() -> None:
    plan = Plan(**json.load(sys.stdin))
    gc.disable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(Load(plan).run())
    json.dump(dataclasses.asdict(outcome), sys.stdout)


if __name__ == "__main__":
    main()
