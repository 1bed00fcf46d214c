"""`manage.py simulate URL`: simulated stations of OCPP 1.6 or 2.0.1 against any CSMS. Needs no database."""

import asyncio
import logging
import signal
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand

from csms.simulator.battery import AC_22KW
from csms.simulator.clock import WallClock
from csms.simulator.demo import demo_fleet
from csms.simulator.driver import Roster
from csms.simulator.fleet import run_fleet
from csms.simulator.life import Habits
from csms.simulator.narrator import Narrator
from csms.simulator.relay import LocalController
from csms.simulator.signing import Signer
from csms.simulator.station import SimulatedStation


def websocket_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"ws", "wss"} or not parts.hostname:
        raise ArgumentTypeError(f"{text!r} is no WebSocket address; give one such as ws://127.0.0.1:8000/ocpp")
    if parts.query or parts.fragment:
        raise ArgumentTypeError(f"{text!r} has a query or fragment; the station's identity has to be the last part of the path")
    return text


def at_least(least: float, kind: type[int] | type[float] = float, *, more: bool = False) -> Callable[[str], Any]:
    """A number of `kind` from `least` on (or above it, with `more`)."""

    def number(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise ArgumentTypeError(f"{text!r} is no number") from None
        if not (value > least if more else value >= least) or value == float("inf"):
            raise ArgumentTypeError(f"has to be {'more than' if more else 'at least'} {least:g}, not {text}")
        return value

    return number


class Command(BaseCommand):
    help = (
        "Runs simulated stations of OCPP 1.6 or 2.0.1 against any CSMS, until Ctrl-C or --duration. "
        "They are named PREFIX-0001, PREFIX-0002 ... and must be known there."
    )
    requires_system_checks: list[str] = []  # no database, no settings of production

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "url", type=websocket_url, help="the CSMS's address without the identity, e.g. ws://127.0.0.1:8000/ocpp"
        )
        parser.add_argument("--stations", type=at_least(1, int), default=1, metavar="N", help="how many (default 1)")
        parser.add_argument("--ocpp", choices=["1.6", "2.0.1"], default="1.6", help="OCPP version (default 1.6)")
        parser.add_argument("--password", metavar="P", help="every station's Basic password (default: none is sent)")
        parser.add_argument("--prefix", default="SIM", help="how the identities begin (default SIM)")
        parser.add_argument(
            "--tag", nargs="+", default=["SIMTAG0001"], metavar="TAG", help="cards of the drivers (default SIMTAG0001)"
        )
        parser.add_argument("--stranger-rate", type=at_least(0), default=0.05, help="share of drivers with an unknown card (0.05)")
        parser.add_argument(
            "--speed", type=at_least(0, more=True), default=1.0, metavar="X", help="how much faster people live (default 1)"
        )
        parser.add_argument("--duration", type=at_least(0, more=True), metavar="S", help="seconds to run (default: until Ctrl-C)")
        parser.add_argument("--seed", type=int, metavar="N", help="the same drivers each time")
        parser.add_argument(
            "--offline-rate", type=at_least(0), default=0.02, help="outages of a station's line per hour of its life (0.02)"
        )
        parser.add_argument("--fault-rate", type=at_least(0), default=0.02, help="faults of a station per hour of its life (0.02)")
        parser.add_argument(
            "--relayed", action="store_true", help="behind a simulated local controller, PREFIX-LC, which must be known there, too"
        )
        parser.add_argument("--signed", action="store_true", help="their meters sign the begin and the end of sessions (OCMF)")
        parser.add_argument("--demo", action="store_true", help="the demo network of `make run`; its own stations, cards and speed")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verbosity"] < 2:
            # Frames that it cannot read and answers that it does not like: of interest to those who ask.
            for name in ("link", "relay"):
                logging.getLogger(f"csms.simulator.{name}").setLevel(logging.CRITICAL)
        asyncio.run(self._run(options))

    async def _run(self, options: dict[str, Any]) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        narrator = Narrator(self._write)
        async with AsyncExitStack() as relays:
            if options["demo"]:
                stations, roster = demo_fleet(options["url"], seed=options["seed"], narrator=narrator)
            elif options["relayed"]:
                (itself,), _roster = fleet(options | {"identities": [f"{options['prefix']}-LC"]}, narrator)
                relay = await relays.enter_async_context(LocalController(itself[0]))
                stations, roster = fleet(options | {"url": relay.url}, narrator)
                stations = [itself, *stations]
            else:
                stations, roster = fleet(options, narrator)
            self._write(f"{len(stations)} simulated station{'s' if len(stations) > 1 else ''} for {options['url']}; Ctrl-C ends")
            await run_fleet(stations, roster=roster, narrator=narrator, stop=stop, duration_s=options["duration"])
        self._write("simulation ended")

    def _write(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def fleet(options: dict[str, Any], narrator: Narrator) -> tuple[list[tuple[SimulatedStation, Habits]], Roster]:
    """The stations that the options ask for."""
    speed, seed = options["speed"], options["seed"]
    habits = Habits(speed=speed, fault_rate=options["fault_rate"], offline_rate=options["offline_rate"])
    interval = max(5, round(60 / speed))
    numbered = [f"{options['prefix']}-{number:04d}" for number in range(1, options["stations"] + 1)]
    identities = options.get("identities", numbered)
    stations = [
        SimulatedStation(
            options["url"],
            identity,
            password=options["password"],
            connectors=[AC_22KW, AC_22KW],
            protocol=f"ocpp{options['ocpp']}",
            clock=WallClock(),
            rng=Random(f"{seed}:{identity}" if seed is not None else None),  # noqa: S311  (drivers, not secrets)
            # A fast session is to have as many samples as a slow one, within reason.
            configuration={"MeterValueSampleInterval": str(interval)},
            keep_ledger=False,
            tell=narrator.tell,
        )
        for identity in identities
    ]
    if options.get("signed"):
        for station in stations:
            station.dialect.signer = Signer(station.identity)
    roster = Roster(options["tag"], strangers=("SIMUNKNOWN",), stranger_rate=options["stranger_rate"])
    return [(station, habits) for station in stations], roster
