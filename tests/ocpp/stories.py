"""Sessions as the field has them, in both versions: retries, queues, lost and doubled messages, things a station must not say.

Everything goes through the engine and is logged as on any day; `write` makes the file of it that the log's page gives.
"""

import json
import time
from collections.abc import Generator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from django_scopes import scope

from csms.dashboard import messagelog
from csms.dashboard.messagelog import Asked, Log
from csms.ocpp.errands import Errand
from csms.ocpp.exchange import Inbound
from csms.ocpp.session import Handle, Oddity, Session
from stations.domain import commands
from stations.models import Command, Connection, Station
from stations.services import registry
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import issue

V16, V201 = "ocpp1.6", "ocpp2.0.1"
#: What a story says next, and what it hears: action and payload, or a text that is no frame.
Says = Generator[tuple[str, Any] | str, Any, None]
BEGAN = datetime(2026, 11, 20, 8, tzinfo=UTC)
TAGS = ("GOOD-1", "GOOD-2", "GOOD-3", "good-1", "STAFF-1", "BLOCKED", "EXPIRED", "NOBODY")


def wire(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def session16(rng: Random, connector: int, at: datetime, register: int) -> Says:
    tag = rng.choice(TAGS)
    plug: dict[str, Any] = {"connectorId": connector, "errorCode": "NoError", "timestamp": wire(at)}
    yield "StatusNotification", plug | {"status": rng.choice(("Preparing", "preparing", "Occupied"))}
    if rng.random() < 0.5:
        yield "Authorize", {"idTag": tag}
    odd = rng.random()
    start = {"connectorId": connector, "idTag": tag, "meterStart": register, "timestamp": wire(at)}
    if odd < 0.05:
        start |= {"meterStart": f"{register}.0", "reservationId": 0, "vendor": "x"}
    elif odd < 0.08:
        start |= {"connectorId": {}}
    elif odd < 0.11:
        start |= {"connectorId": 0}
    answer = yield "StartTransaction", start
    while rng.random() < 0.15:
        # The answer was lost.
        answer = yield "StartTransaction", start
    number = answer["transactionId"]
    yield "StatusNotification", plug | {"status": "Charging"}
    for minute in range(rng.randrange(1, 5)):
        at += timedelta(minutes=1)
        register += rng.randrange(50, 200)
        named = rng.choice((number, number, number, number, -1, 99_999_999, None))
        values = [{"value": str(register)}, {"value": "11.04", "unit": "kW", "measurand": "Power.Active.Import"}]
        if rng.random() < 0.1:
            values = [{"value": "0"}]
        reading: dict[str, Any] = {"connectorId": connector, "meterValue": [{"timestamp": wire(at), "sampledValue": values}]}
        yield "MeterValues", reading if named is None else reading | {"transactionId": named}
        if rng.random() < 0.1:
            values[0] = {"value": str(register + minute + 1)}
            yield "MeterValues", reading | {"transactionId": number}
    if rng.random() < 0.07:
        return  # no stop ever comes
    at += timedelta(minutes=1)
    stop = {"transactionId": number, "meterStop": register + 10, "timestamp": wire(at), "idTag": tag}
    odd = rng.random()
    if odd < 0.06:
        stop |= {"meterStop": 1, "reason": "local"}
    elif odd < 0.12:
        stop |= {"transactionId": rng.choice((-1, 0, 77_000_000 + register))}
    elif odd < 0.16:
        del stop["idTag"]
        stop |= {"reason": "EVDisconnected", "timestamp": "1970-01-01T00:00:00Z"}
    yield "StopTransaction", stop
    while rng.random() < 0.2:
        yield "StopTransaction", stop | ({"meterStop": register + 99} if rng.random() < 0.3 else {})
    yield "StatusNotification", plug | {"status": "Available", "timestamp": wire(at)}


def session201(rng: Random, connector: int, at: datetime, register: int) -> Says:
    tag = rng.choice(TAGS)
    name = f"tx-{rng.randrange(10**12)}"
    yield "StatusNotification", {"timestamp": wire(at), "connectorStatus": "Occupied", "evseId": connector, "connectorId": 1}
    token = {"idToken": tag, "type": rng.choice(("ISO14443", "ISO14443", "Central"))}
    if rng.random() < 0.5:
        yield "Authorize", {"idToken": token}
    offline = rng.random() < 0.2
    first, events = rng.choice((0, 0, 0, 7)), []
    for number in range(count := rng.randrange(3, 7)):
        part = "Started" if number == 0 else "Ended" if number == count - 1 else "Updated"
        info: dict[str, Any] = {"transactionId": name}
        event: dict[str, Any] = {
            "eventType": part,
            "timestamp": wire(at),
            "triggerReason": "MeterValuePeriodic",
            "seqNo": first + number,
            "transactionInfo": info,
            "meterValue": [{"timestamp": wire(at), "sampledValue": [{"value": register if rng.random() < 0.9 else str(register)}]}],
        }
        if part == "Started":
            event |= {"evse": {"id": connector, "connectorId": 1}, "idToken": token}
        if number == 1:
            info["chargingState"] = "Charging"
        if part == "Ended":
            info["stoppedReason"] = rng.choice(("Local", "EVDisconnected"))
        if offline:
            event["offline"] = True
        events.append(event)
        at += timedelta(minutes=1)
        register += rng.randrange(50, 200)
    if rng.random() < 0.2:
        rng.shuffle(events)
    if rng.random() < 0.1:
        events.pop(rng.randrange(len(events)))
    if rng.random() < 0.05:
        events[0]["transactionInfo"] = {}
    for event in events:
        yield "TransactionEvent", event
        if rng.random() < 0.1:
            yield "TransactionEvent", event
    yield "StatusNotification", {"timestamp": wire(at), "connectorStatus": "Available", "evseId": connector, "connectorId": 1}


SESSIONS = {V16: session16, V201: session201}
BOOTS: dict[str, dict[str, Any]] = {
    V16: {"chargePointVendor": "Amber", "chargePointModel": "AC-22", "firmwareVersion": "1.0"},
    V201: {"reason": "PowerUp", "chargingStation": {"vendorName": "Amber", "model": "AG-11", "firmwareVersion": "1.0"}},
}


def life(rng: Random, protocol: str, sessions: int) -> Says:
    """What a station says: its boot, its sessions one after the other, and what it ought not to say."""
    boot = BOOTS[protocol]
    if rng.random() < 0.5:
        yield "Heartbeat", {}  # before it may
    while (yield "BootNotification", boot)["status"] != "Accepted":
        pass
    at, register = BEGAN + timedelta(minutes=rng.randrange(60)), rng.randrange(1000, 50_000)
    for _ in range(sessions):
        yield from SESSIONS[protocol](rng, rng.choice((1, 2)), at, register)
        at, register = at + timedelta(minutes=20), register + 2000
        odd = rng.random()
        if odd < 0.1:
            yield "Heartbeat", {}
        elif odd < 0.15:
            yield rng.choice(("[2,", '[3,"nobody asked",{}]', '[9,"x",{}]', ""))
        elif odd < 0.2:
            yield rng.choice(("NoSuchAction", "GetLog")), {}
        elif odd < 0.25:
            yield "DataTransfer", {"vendorId": "Amber", "data": '{"password": "hunter2"}'}
        elif odd < 0.3:
            yield "BootNotification", boot


class Recorder:
    """Stations of both versions that live side by side, their messages handled in rounds."""

    def __init__(self, network: Network, seed: int) -> None:
        self.network, self.rng = network, Random(seed)
        self.engines = {protocol: Engine(protocol) for protocol in (V16, V201)}
        self.numbers = 0
        self.stations: list[tuple[Station, str]] = []

    def tags(self) -> None:
        for tag in ("GOOD-1", "GOOD-2", "GOOD-3"):
            self.network.token(tag)
        self.network.token("GOOD-2", type="Central")
        self.network.token("STAFF-1", group="STAFF", expires_at=datetime(2099, 1, 1, tzinfo=UTC))
        self.network.token("BLOCKED", status="Blocked")
        self.network.token("EXPIRED", expires_at=datetime(2026, 1, 1, tzinfo=UTC))

    def live(self, stations: int, sessions: int) -> None:
        """So many stations, half of each version, with so many sessions each."""
        self.tags()
        lives: list[tuple[Station, str, Says, Any]] = []
        for number in range(stations):
            protocol = (V16, V201)[number % 2]
            station = self.network.station(registration="Pending" if number == 0 else "Accepted")
            self.stations.append((station, protocol))
            lives.append((station, protocol, life(Random(self.rng.random()), protocol, sessions), None))
        rounds = 0
        while lives:
            lives = self._round(lives)
            rounds += 1
            if rounds == 12:
                self.ask()

    def _round(self, lives: Sequence[tuple[Station, str, Says, Any]]) -> list[tuple[Station, str, Says, Any]]:
        """Each says its next message; those of a version are handled together."""
        said: dict[str, list[tuple[Station, Says, Inbound]]] = {V16: [], V201: []}
        for station, protocol, story, heard in lives:
            try:
                message = story.send(heard)
            except StopIteration:
                continue
            said[protocol].append((station, story, self.inbound(station, protocol, message)))
        following = []
        for protocol, spoken in said.items():
            answers = self.engines[protocol].round(*(inbound for _, _, inbound in spoken))
            for (station, story, _), answer in zip(spoken, answers, strict=True):
                payload = answer[2] if answer is not None and answer[0] == 3 else None
                if isinstance(payload, dict) and payload.get("status") == "Pending":
                    registry.set_registration(station=station, registration="Accepted")
                following.append((station, protocol, story, payload))
        return following

    def inbound(self, station: Station, protocol: str, message: tuple[str, Any] | str) -> Inbound:
        """As the socket would hand it over."""
        self.numbers += 1
        text = message if isinstance(message, str) else json.dumps([2, f"m{self.numbers}", *message])
        made = Inbound(station.pk, 0, protocol, None, text, datetime.now(UTC), time.monotonic())
        for action in Session(protocol).receive(text, 0.0):
            if isinstance(action, Handle):
                made.call = action.call
            elif isinstance(action, Oddity):
                made.notes, made.answered = [action.note], action.answer
        return made

    def ask(self) -> None:
        """Settings are read and changed, in one call or several; one answer must be mended, one is an error, one never comes."""
        for station, protocol in self.stations[:4]:
            engine = self.engines[protocol]
            engine.connect(station)
            component = "" if protocol == V16 else "SampledDataCtrlr"
            names = [{"component": component, "variable": name} for name in ("HeartbeatInterval", "AuthorizationKey", "Odd")]
            changed = [one | {"value": value} for one, value in zip(names, ("60", "a-secret-of-20-chars"), strict=False)]
            asked = [commands.GetVariables(names), commands.SetVariables(changed), commands.Reset("idle"), commands.ClearCache()]
            for command in (*asked, commands.RemoteStart("GOOD-1")):
                issue(station, command)
            while errands := engine.claim(station):
                for errand in errands:
                    engine.reply(station, errand, *answers(errand))


def answers(errand: Errand) -> list[Any]:
    """A station's answers to the CALLs of a command."""
    match errand.command:
        case commands.Reset():
            return [["NotSupported", "no"]]
        case commands.ClearCache():
            return [None]
        case commands.GetVariables() if errand.action == "GetConfiguration":
            known = [{"key": "HeartbeatInterval", "readonly": "false", "value": "300"}]
            return [{"configurationKey": known, "unknownKey": ["Odd"]}]
        case commands.GetVariables(variables):
            return [{"getVariableResult": [told(one) | {"attributeValue": "300"} for one in variables]}]
        case commands.SetVariables(variables) if errand.action == "SetVariables":
            return [{"setVariableResult": [told(one) for one in variables]}]
    return [{"status": "Accepted"}] * len(errand.calls)


def told(one: dict[str, str]) -> dict[str, Any]:
    return {"attributeStatus": "Accepted", "component": {"name": one["component"]}, "variable": {"name": one["variable"]}}


def write(network: Network, path: Path) -> int:
    """The network's log as its page gives it, the newest first; how many lines."""
    with scope(operator=network.operator):
        log, lines, last = Log(Asked()), 0, None
        with path.open("wb") as file:
            while rows := messagelog.chunk(log, last, 1000):
                file.writelines(messagelog.ndjson(rows))
                lines, last = lines + len(rows), rows[-1]
    return lines


def forget(network: Network) -> None:
    """The stations of a network are called otherwise, and its commands are gone: their names and numbers are free."""
    with scope(operator=network.operator):
        Command.objects.all().delete()
        for station in Station.objects.all():
            Station.objects.filter(pk=station.pk).update(identity=f"WAS-{station.identity}"[:48])
            assert Connection.objects.filter(station=station).exists()
