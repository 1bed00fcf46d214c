"""Any order, repetition, loss and delay of what a station says of its transactions: the same energy or a doubt, never a wrong bill.

A station is made up with the energy of each of its sessions, and its messages reach the real engine as badly as hypothesis can
think of. Then time passes, and the station is asked what it has more. Whatever is billed is what was charged; whatever was
told whole is billed; what is not is in doubt, or still open, and says why. No message is answered with an error.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stations.domain.values import Trust
from stations.models import Station
from tests import v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.charging import due
from tests.stations.watching import later, swept

#: Days ago, so that all of it is in the past, however late it comes.
BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=5)
SECOND = timedelta(seconds=1)
DELAYS = (0, 1, 3, 40, 600, 4000, 90_000)

COMMON = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck)}
FEW = settings(max_examples=8, **COMMON)
MANY = settings(max_examples=400, **COMMON)


@dataclass
class Session:
    """What was really charged. `wh`: the register at the start, at each sample, and at the end."""

    name: str
    evse: int
    minute: float
    wh: list[int]

    @property
    def energy(self) -> int:
        return self.wh[-1] - self.wh[0]

    def at(self, number: int) -> datetime:
        return BEGIN + timedelta(minutes=self.minute + 3 * number)


@st.composite
def sessions(draw: st.DrawFn) -> list[Session]:
    """One after the other on each EVSE, with a meter that only counts up."""
    made: list[Session] = []
    minute, meter = {1: 0.0, 2: 0.5}, {1: 1000, 2: 500_000}
    for number in range(draw(st.integers(1, 3))):
        evse = draw(st.sampled_from([1, 1, 2]))
        wh = [meter[evse] + draw(st.integers(0, 300))]
        wh += [wh[0] + 700 * n for n in range(1, draw(st.integers(1, 4)))]
        wh.append(wh[-1] + draw(st.integers(1, 900)))
        made.append(Session(f"tx-{number}", evse, minute[evse], wh))
        minute[evse] += 3 * len(wh) + draw(st.integers(1, 300))
        meter[evse] = wh[-1]
    return made


class Delivery:
    """Messages reach the engine, each at a time that is not before the one before it nor before it was sent."""

    def __init__(self, engine: Engine, station: Station) -> None:
        self.engine, self.station, self.now = engine, station, BEGIN

    def say(self, action: str, payload: dict[str, Any], sent_at: datetime, delay: int) -> Any:
        self.now = max(self.now, sent_at + delay * SECOND)
        (frame,) = self.engine.round(self.engine.inbound(self.station, action, payload, at=self.now))
        assert frame is not None, "the socket would be closed"
        assert frame[0] == 3, frame
        return frame[2]


def judge(network: Network, station: Station, truth: dict[int, Session], whole: set[str], before: set[int]) -> None:
    """`truth`: by transaction; `whole`: the sessions of which everything came."""
    billed = set(due(network)) - before
    found = network.transactions(station)
    assert network.repairs(station) == []
    for one in found:
        if one.pk in billed:
            assert not one.doubt
            assert one.status == "ended"
            assert one.pk in truth
            assert one.energy_wh == truth[one.pk].energy
        else:
            assert one.doubt or one.status == "active"
            assert one.trust is Trust.DOUBTFUL or one.status == "active"
        if one.doubt and one.reconstructed == "rule":
            assert network.findings(station)
    told = {truth[one.pk].name: one for one in found if one.pk in truth}
    for name in whole:
        assert told[name].pk in billed
        assert (told[name].trust, told[name].energy_wh) == (Trust.MEASURED, truth[told[name].pk].energy)


def time_passes(engine: Engine, station: Station) -> None:
    """Long enough that whatever can be asked is asked, and whatever can be closed is closed."""
    for days in (0.1, 1.1, 4, 12, 20):
        swept(station, later(days=days))
        for errand in engine.claim(station):
            engine.reply(station, errand, {"messagesInQueue": False, "ongoingIndicator": False})
        swept(station, later(days=days, seconds=1))


# Events that have numbers


def events(session: Session) -> list[dict[str, Any]]:
    last = len(session.wh) - 1
    told = []
    for number, wh in enumerate(session.wh):
        part = "Started" if number == 0 else "Ended" if number == last else "Updated"
        here: dict[str, Any] = {"evse": {"id": session.evse, "connectorId": 1}, "idToken": v201.CARD} if number == 0 else {}
        timestamp = session.at(number).isoformat()
        told.append(v201.event(part, number, tx=session.name, wh=wh, timestamp=timestamp, **here))
    return told


def play_events(network: Network, data: st.DataObject) -> None:
    engine, station, before = Engine("ocpp2.0.1"), network.station(accepted=True), set(due(network))
    engine.connect(station)
    made = data.draw(sessions())
    sent = [(session, number, payload) for session in made for number, payload in enumerate(events(session))]
    copies = data.draw(st.lists(st.sampled_from([0, 1, 1, 1, 1, 2]), min_size=len(sent), max_size=len(sent)))
    arriving = [one for one, times in zip(sent, copies, strict=True) for _ in range(times)]
    if data.draw(st.booleans()):
        arriving = data.draw(st.permutations(arriving))
    delivery = Delivery(engine, station)
    for session, number, payload in arriving:
        offline = {"offline": True} if data.draw(st.booleans()) else {}
        delivery.say("TransactionEvent", payload | offline, session.at(number), data.draw(st.sampled_from(DELAYS)))
    time_passes(engine, station)
    by_name = {session.name: session for session in made}
    truth = {one.pk: by_name[one.ocpp_transaction_id] for one in network.transactions(station)}
    lost = {session.name for (session, _, _), times in zip(sent, copies, strict=True) if not times}
    judge(network, station, truth, set(by_name) - lost, before)


@FEW
@given(data=st.data())
def test_numbered_events_make_the_energy_or_a_doubt(network: Network, data: st.DataObject) -> None:
    play_events(network, data)


@pytest.mark.long
@MANY
@given(data=st.data())
def test_numbered_events_make_the_energy_or_a_doubt_many_times(network: Network, data: st.DataObject) -> None:
    play_events(network, data)


# Starts, meter values and stops


@dataclass
class Knowing:
    """What the station knows of a session's id: nothing, until a start was answered."""

    session: Session
    number: int = -1


def play_starts(network: Network, data: st.DataObject, *, orderly: bool) -> None:
    """`orderly`: as a station sends that is online, one after the other; else late and in any order. Anything may be lost."""
    engine, station, before = Engine(), network.station(accepted=True), set(due(network))
    engine.connect(station)
    made = data.draw(sessions())
    sent = [(knows, number) for knows in map(Knowing, made) for number in range(len(knows.session.wh))]
    sent.sort(key=lambda one: one[0].session.at(one[1]))

    def copies() -> int:
        return data.draw(st.sampled_from([0, 1, 1, 1, 2]))

    counts = [copies() for _ in sent]
    arriving = [one for one, times in zip(sent, counts, strict=True) for _ in range(times)]
    nameless = not orderly and len(made) == 1 and data.draw(st.booleans())
    if not orderly:
        # A station knows the id of what it goes on with: the start is first among its own.
        arriving = sorted(data.draw(st.permutations(arriving)), key=lambda one: one[1] > 0)
    delivery = Delivery(engine, station)
    truth: dict[int, Session] = {}
    for knows, number in arriving:
        session, sent_at = knows.session, knows.session.at(number)
        delay = data.draw(st.sampled_from(DELAYS[:3] if orderly else DELAYS))
        timestamp, wh = sent_at.isoformat(), session.wh[number]
        if number == 0:
            start = {"connectorId": session.evse, "idTag": "CARD", "meterStart": wh, "timestamp": timestamp}
            answer = delivery.say("StartTransaction", start, sent_at, delay)
            if not nameless and data.draw(st.booleans() if orderly else st.just(True)):
                knows.number = answer["transactionId"]
            (found,) = [t for t in network.transactions(station) if t.ocpp_transaction_id == str(answer["transactionId"])]
            truth[found.pk] = session
        elif number < len(session.wh) - 1:
            value = [{"timestamp": timestamp, "sampledValue": [{"value": str(wh)}]}]
            payload: dict[str, Any] = {"connectorId": session.evse, "transactionId": knows.number, "meterValue": value}
            delivery.say("MeterValues", payload, sent_at, delay)
        else:
            stop = {"transactionId": knows.number, "meterStop": wh, "timestamp": timestamp}
            delivery.say("StopTransaction", stop, sent_at, delay)
    time_passes(engine, station)
    came = {(id(knows), number) for knows, number in arriving}
    known = [knows for knows, number in sent if number == 0 and knows.number != -1]
    whole = {k.session.name for k in known if (id(k), 0) in came and (id(k), len(k.session.wh) - 1) in came}
    if not orderly and len({name for name, number in came if number == 0}) < len(made):
        # What is told of a session whose start is lost may be taken for another's, which is then in doubt.
        whole = set()
    judge(network, station, truth, whole, before)


@FEW
@pytest.mark.parametrize("orderly", [True, False], ids=["online, with losses", "late, in any order"])
@given(data=st.data())
def test_starts_and_stops_make_the_energy_or_a_doubt(network: Network, data: st.DataObject, orderly: bool) -> None:
    play_starts(network, data, orderly=orderly)


@pytest.mark.long
@MANY
@pytest.mark.parametrize("orderly", [True, False], ids=["online, with losses", "late, in any order"])
@given(data=st.data())
def test_starts_and_stops_make_the_energy_or_a_doubt_many_times(network: Network, data: st.DataObject, orderly: bool) -> None:
    play_starts(network, data, orderly=orderly)
