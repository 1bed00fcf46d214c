"""Stations whose clocks are off: what is estimated, what is corrected, and what is kept beside."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_scopes import scopes_disabled

from stations.domain.times import Clock
from stations.models import Station
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import boot
from tests.stations.charging import findings, only

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ERA = NOON - datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True)


class Life:
    """A station whose clock is off, `now` by ours."""

    def __init__(self, engine: Engine, station: Station, off: timedelta) -> None:
        self.engine, self.station, self.off, self.now = engine, station, off, NOON

    def said(self, at: datetime | None = None) -> str:
        return ((at or self.now) + self.off).isoformat()

    def say(self, action: str, payload: dict[str, Any], *, at: datetime | None = None, after: timedelta = SECOND) -> Any:
        """Of what happened `at`, now unless told otherwise."""
        answer = self.engine.say(self.station, action, payload | {"timestamp": self.said(at)}, at=self.now)
        self.now += after
        return answer

    def status(self, state: str, *, after: timedelta = MINUTE) -> None:
        assert self.say("StatusNotification", v16.status(state, seconds=None), after=after) == {}

    def meters(self, wh: int, number: Any, *, at: datetime | None = None) -> None:
        payload = v16.meters(wh, transaction=number)
        payload["meterValue"][0]["timestamp"] = self.said(at)
        assert self.engine.say(self.station, "MeterValues", payload, at=self.now) == {}
        self.now += SECOND


def now_of(station: Station) -> Station:
    with scopes_disabled():
        return Station.objects.get(pk=station.pk)


def test_a_right_clock_is_known_and_written_down_once(network: Network, engine: Engine, station: Station) -> None:
    life = Life(engine, station, -2 * SECOND)
    life.status("Available")
    known = now_of(station)
    assert (known.clock_offset_s, known.clock_offset_at) == (-2, NOON)
    for _ in range(3):
        life.status("Preparing")
    assert now_of(station).clock_offset_at == NOON
    assert network.findings(station) == []


@pytest.mark.parametrize("off", [-HOUR, HOUR, -7 * HOUR], ids=["behind", "ahead", "far behind"])
def test_a_clock_with_the_wrong_zone_is_corrected_and_kept_beside(
    network: Network, engine: Engine, station: Station, off: timedelta
) -> None:
    life = Life(engine, station, off)
    for state in ("Available", "Preparing", "Available", "Preparing"):
        life.status(state)
    assert now_of(station).clock_offset_s == off.total_seconds()
    started = life.now
    number = life.say("StartTransaction", v16.start())["transactionId"]
    life.now += 20 * MINUTE
    life.meters(3000, number)
    stopped = life.now
    life.say("StopTransaction", v16.stop(number))
    found = only(network, station)
    assert (found.started_at, found.stopped_at) == (started, stopped)
    assert (found.station_started_at, found.station_stopped_at) == (started + off, stopped + off)
    assert (found.energy_wh, found.doubt) == (4000, "")
    assert [sample.at - started for sample in network.samples(station)] == [20 * MINUTE + SECOND]
    assert findings(network, found) == ["clock_behind" if off < 0 * HOUR else "clock_ahead"]
    life.status("Available")
    assert network.connectors(station)[1].status == "Available"


def test_one_offset_holds_for_a_transaction_whatever_is_learnt_meanwhile(
    network: Network, engine: Engine, station: Station
) -> None:
    """Its duration is right though nobody knew at its start that the clock is behind, and what is sent again is the same."""
    life = Life(engine, station, -HOUR)
    start = v16.start()
    begun = life.now
    number = life.say("StartTransaction", start)["transactionId"]
    for state in ("Charging", "SuspendedEV", "Charging", "SuspendedEV"):
        life.status(state)
    at = life.now
    for _ in range(2):
        life.meters(3000, number, at=at)
    assert life.say("StartTransaction", start, at=begun)["transactionId"] == number
    stopped = life.now
    for _ in range(2):
        life.say("StopTransaction", v16.stop(number), at=stopped)
    found = only(network, station)
    assert found.stopped_at is not None
    assert found.stopped_at - found.started_at == stopped - begun
    assert (len(network.samples(station)), found.doubt) == (1, "")


def test_an_attached_stop_is_recognised_when_it_is_sent_again(network: Network, engine: Engine, station: Station) -> None:
    life = Life(engine, station, HOUR)
    for state in ("Available", "Preparing", "Available", "Preparing"):
        life.status(state)
    life.say("StartTransaction", v16.start(), at=life.now - 2 * HOUR)
    stopped = life.now
    for other in (engine, Engine()):
        life.engine = other
        life.say("StopTransaction", v16.stop(-1), at=stopped)
    assert (only(network, station).energy_wh, only(network, station).doubt) == (4000, "stop_attached")


@pytest.mark.parametrize("live", [True, False], ids=["live", "from a queue"])
def test_a_clock_of_1970_that_ticks_keeps_durations_and_order(
    network: Network, engine: Engine, station: Station, live: bool
) -> None:
    life = Life(engine, station, -ERA + MINUTE)
    moments = [life.now + n * 10 * MINUTE for n in range(4)]
    if not live:
        life.now = moments[-1]

    def at(number: int) -> datetime:
        if live:
            life.now = moments[number]
        return moments[number]

    number = life.say("StartTransaction", v16.start(meter=1000), at=at(0))["transactionId"]
    life.meters(2000, number, at=at(1))
    life.meters(3000, number, at=at(2))
    life.say("StopTransaction", v16.stop(number, meter=4000), at=at(3))
    found = only(network, station)
    assert found.stopped_at is not None
    assert found.stopped_at - found.started_at == 30 * MINUTE
    assert abs(found.stopped_at - moments[3]) <= 5 * SECOND
    assert [s.energy_wh for s in network.samples(station)] == [2000, 3000]
    if live:
        assert [s.at - found.started_at for s in network.samples(station)] == [10 * MINUTE, 20 * MINUTE]
    assert (found.energy_wh, found.doubt, "clock_absurd" in findings(network, found)) == (3000, "", True)


def test_a_clock_that_is_set_during_a_transaction_is_right_from_then_on(network: Network, engine: Engine, station: Station) -> None:
    life = Life(engine, station, -ERA)
    number = life.say("StartTransaction", v16.start())["transactionId"]
    started, life.off, life.now = life.now, timedelta(0), life.now + HOUR
    stopped = life.now
    life.say("StopTransaction", v16.stop(number))
    assert only(network, station).stopped_at == stopped
    assert only(network, station).started_at == started - SECOND


def test_a_boot_sets_a_clock_that_was_ahead(network: Network, engine: Engine, station: Station) -> None:
    life = Life(engine, station, HOUR)
    for state in ("Available", "Preparing", "Available", "Preparing"):
        life.status(state)
    assert now_of(station).clock_offset_s == 3600
    boot(engine, station)
    life.off = timedelta(0)
    life.status("Available")
    assert now_of(station).clock_offset_s == 0
    assert network.connectors(station)[1].status == "Available"


def test_what_happened_offline_says_nothing_of_the_clock(network: Network, station: Station) -> None:
    engine = Engine("ocpp2.0.1")
    for number, payload in enumerate(v201.session()):
        engine.say(station, "TransactionEvent", payload | {"offline": True}, at=NOON + number * MINUTE)
    assert now_of(station).clock_offset_s is None


@pytest.mark.parametrize("apart_s", [1, 5, 10, 60])
def test_a_queue_of_readings_that_is_emptied_for_minutes_shows_no_clock_that_is_behind(apart_s: int) -> None:
    """Readings some seconds apart, taken offline for hours, told five a second: each is a little less late than the one before."""
    clock = Clock()
    at, received_at = NOON - 6 * HOUR, NOON
    for _ in range(900):
        clock.heard(at, received_at)
        at += apart_s * SECOND
        received_at += SECOND / 5
        if at > received_at - MINUTE:
            break
    assert clock.offset is None


def test_the_estimate_survives_the_process(network: Network, engine: Engine, station: Station) -> None:
    life = Life(engine, station, -HOUR)
    for state in ("Available", "Preparing", "Available", "Preparing"):
        life.status(state)
    life.engine = Engine()
    life.say("StartTransaction", v16.start(), after=timedelta(0))
    assert only(network, station).started_at == life.now
