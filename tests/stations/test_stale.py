"""Transactions that seem to be over: noticed, closed by rule after a while, and healed by a stop that comes later."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from stations.domain.values import Doubt
from stations.models import Station, Transaction
from stations.services import stale
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import boot
from tests.stations.charging import due, findings, only, started
from tests.stations.watching import heard, later, questions, state, swept

RULE = ("ended", Doubt.STOP_MISSING, "doubtful")
OPEN = ("active", "", "measured")


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    network.token("CARD")
    station = network.station(accepted=True)
    engine.connect(station)
    return station


def freed(engine: Engine, station: Station) -> None:
    assert engine.say(station, "StatusNotification", v16.status("Available")) == {}


# Its plug is free


def test_a_free_plug_ends_its_session_by_rule_and_a_later_stop_heals_it(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station, seconds=7200, meter=1000)
    engine.say(station, "MeterValues", v16.meters(3000, 600, number))
    freed(engine, station)
    assert network.findings(station) == []  # the stop may be on its way
    swept(station)
    running = only(network, station)
    assert (state(network, station), findings(network, running)) == ([OPEN], ["available_while_charging"])
    heard(station, later(minutes=17))
    swept(station, later(minutes=17))
    closed = only(network, station)
    assert state(network, station) == [RULE]
    assert (closed.energy_wh, closed.reconstructed, closed.due_at) == (2000, "rule", None)
    assert closed.stopped_at == network.connectors(station)[1].status_at
    assert findings(network, closed) == ["available_while_charging", "stop_missing"]
    assert due(network) == []
    assert engine.say(station, "StopTransaction", v16.stop(number, meter=5000)) == {}
    healed = only(network, station)
    assert (healed.doubt, healed.trust, healed.energy_wh) == ("", "measured", 4000)
    assert due(network) == [healed.pk]


def test_a_stop_that_comes_behind_the_free_plug_is_as_any_other(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station)
    freed(engine, station)
    engine.say(station, "StopTransaction", v16.stop(number))
    swept(station)
    assert (state(network, station), network.findings(station)) == ([("ended", "", "measured")], [])


def test_a_plug_that_was_free_before_it_began_says_nothing(network: Network, engine: Engine, station: Station) -> None:
    freed(engine, station)
    started(engine, station, seconds=0)
    swept(station, later(hours=1))
    assert (state(network, station), network.findings(station)) == ([OPEN], [])


def test_while_its_station_is_away_nothing_is_closed_for_a_week(network: Network, engine: Engine, station: Station) -> None:
    """The stop waits in its queue."""
    started(engine, station)
    freed(engine, station)
    heard(station, datetime.now(UTC) - timedelta(hours=1))
    swept(station)
    swept(station, later(days=6))
    assert state(network, station) == [OPEN]
    swept(station, later(days=7, minutes=1))
    assert state(network, station) == [RULE]


# It booted


@pytest.mark.parametrize("after", ["nothing", "a reading", "a plug in use"])
def test_a_boot_ends_what_is_not_spoken_of_again(network: Network, engine: Engine, station: Station, after: str) -> None:
    number = started(engine, station)
    boot(engine, station)
    if after == "a reading":
        engine.say(station, "MeterValues", v16.meters(2000, 0, number))
    elif after == "a plug in use":
        engine.say(station, "StatusNotification", v16.status("Charging", seconds=None))
    swept(station, later(minutes=17))
    goes_on = after != "nothing"
    assert findings(network, only(network, station)) == ([] if goes_on else ["booted_while_charging"])
    heard(station, later(hours=1, minutes=3))
    swept(station, later(hours=1, minutes=3))
    assert state(network, station) == [OPEN if goes_on else RULE]


def test_the_power_comes_back_and_the_stop_has_its_own_time_and_meter(network: Network, engine: Engine, station: Station) -> None:
    """The station was cut off, sends its queue after the boot, and all that was closed meanwhile is as it was."""
    number = started(engine, station, seconds=9000, meter=1000)
    boot(engine, station)
    swept(station, later(minutes=17))
    heard(station, later(hours=2))
    swept(station, later(hours=2))
    assert state(network, station) == [RULE]
    stop = v16.stop(number, seconds=6000, meter=4000, reason="PowerLoss")
    assert engine.say(station, "StopTransaction", stop) == {}
    ended = only(network, station)
    assert ended.stopped_at == datetime.fromisoformat(stop["timestamp"])
    assert (ended.energy_wh, ended.doubt, ended.stop_reason) == (3000, "", "PowerLoss")


# Nobody says a word of it


def test_a_session_of_which_nothing_is_heard_is_noticed_after_a_day_and_closed_after_three(
    network: Network, engine: Engine, station: Station
) -> None:
    started(engine, station, seconds=0)
    swept(station, later(hours=23))
    assert network.findings(station) == []
    swept(station, later(hours=24, minutes=1))
    assert network.findings(station) == ["transaction_silent"]
    heard(station, later(hours=73))
    swept(station, later(hours=73))
    assert state(network, station) == [RULE]


def test_a_reading_is_a_sign_of_life(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station, seconds=0)
    with scopes_disabled():
        Transaction.objects.filter(station=station).update(
            received_at=datetime.now(UTC) - timedelta(hours=23, minutes=30), due_at=datetime.now(UTC)
        )
    engine.say(station, "MeterValues", v16.meters(2000, 0, number))
    swept(station, later(hours=1))
    assert (network.findings(station), state(network, station)) == ([], [OPEN])


def test_who_is_plugged_in_may_stay(network: Network, engine: Engine, station: Station) -> None:
    """Some stations sample nothing: that somebody is plugged in is all they say, for as long as it takes."""
    started(engine, station, seconds=0)
    engine.say(station, "StatusNotification", v16.status("SuspendedEV"))
    for days in (2, 4, 8, 16):
        heard(station, later(days=days))
        swept(station, later(days=days))
    assert state(network, station) == [OPEN]
    assert network.findings(station) == ["transaction_silent"]


def test_late_readings_of_what_was_closed_by_rule_are_still_counted(network: Network, engine: Engine, station: Station) -> None:
    old = started(engine, station, seconds=7200, meter=1000)
    started(engine, station, seconds=600, meter=5000)
    engine.say(station, "MeterValues", v16.meters(3500, 700, old))
    closed, running = network.transactions(station)
    assert (closed.energy_wh, closed.doubt, running.energy_wh) == (2500, Doubt.STOP_MISSING, 0)
    assert closed.stopped_at == closed.meter_last_at


def test_a_station_that_numbers_its_events_is_asked_before_anything_is_closed(network: Network, station: Station) -> None:
    engine = Engine("ocpp2.0.1")
    engine.connect(station)
    now = datetime.now(UTC)
    at = (now - timedelta(hours=2)).isoformat()
    engine.say(station, "TransactionEvent", v201.started(timestamp=at))
    free = {"timestamp": now.isoformat(), "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
    engine.say(station, "StatusNotification", free)
    swept(station)
    assert (state(network, station), len(questions(station))) == ([OPEN], 1)
    (errand,) = engine.claim(station)
    assert errand.calls == ({"transactionId": "tx-1"},)
    engine.reply(station, errand, {"ongoingIndicator": True, "messagesInQueue": False})
    swept(station, later(minutes=30))
    assert state(network, station) == [OPEN]
    swept(station, later(hours=25))
    (errand,) = engine.claim(station)
    engine.reply(station, errand, {"ongoingIndicator": False, "messagesInQueue": False})
    swept(station)
    assert state(network, station) == [RULE]
    assert findings(network, only(network, station)) == ["available_while_charging", "nothing_more"]
    # It was wrong: the end comes after all.
    engine.say(station, "TransactionEvent", v201.ended(1, timestamp=now.isoformat(), wh=4000))
    assert (state(network, station), only(network, station).energy_wh) == ([("ended", "", "measured")], 3000)


# Registers that began anew


def test_a_meter_that_began_anew_is_a_doubt_with_what_it_rose_by(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station, seconds=3000, meter=1000)
    for wh, seconds in ((1500, 2400), (0, 1800), (200, 1200), (1400, 900), (1900, 600)):
        engine.say(station, "MeterValues", v16.meters(wh, seconds, number))
    engine.say(station, "StopTransaction", v16.stop(number, meter=2000))
    assert (only(network, station).doubt, due(network)) == (Doubt.REGISTER, [])
    swept(station)
    found = only(network, station)
    assert (found.energy_wh, found.due_at) == (2500, None)
    reset = network.finding(station, "register_reset")
    assert "From 1000.000 to 2000.000 Wh" in reset.detail
    assert "2500" in reset.detail


def test_a_meter_that_dropped_out_is_none(network: Network, engine: Engine, station: Station) -> None:
    number = started(engine, station, seconds=3000, meter=1000)
    for wh, seconds in ((1500, 2400), (0, 1800), (1600, 1200)):
        engine.say(station, "MeterValues", v16.meters(wh, seconds, number))
    engine.say(station, "StopTransaction", v16.stop(number, meter=2000))
    assert (only(network, station).energy_wh, only(network, station).doubt) == (Decimal(1000), "")


# The sweep


def sweep() -> int:
    """As it is run, of whatever is due now."""
    with scopes_disabled():
        return stale.sweep(now=datetime.now(UTC))


def due_now(station: Station) -> None:
    with scopes_disabled():
        Transaction.objects.filter(station=station).update(due_at=datetime.now(UTC))


def test_the_sweep_looks_at_what_is_due_and_costs_the_same_whatever_is_not(
    network: Network, engine: Engine, station: Station
) -> None:
    started(engine, station)
    boot(engine, station)
    due_now(station)
    while sweep():
        pass
    assert network.findings(station) == ["booted_while_charging"]
    for connector in range(2, 9):
        started(engine, station, connector=connector, seconds=0)
    with CaptureQueriesContext(connection) as captured:
        sweep()
    assert len(captured) <= 3


def test_what_began_before_there_was_a_watch_is_watched(network: Network, engine: Engine, station: Station) -> None:
    started(engine, station)
    with scopes_disabled():
        Transaction.objects.filter(station=station).update(due_at=None)
    while sweep():
        pass
    assert only(network, station).due_at is not None


def test_a_fault_of_ours_holds_up_nobody_else(
    network: Network, engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = network.station(accepted=True)
    for one in (station, other):
        started(engine, one)
        boot(engine, one)
        due_now(one)
    real = stale._look_at_open

    def breaks(found: Transaction, now: datetime) -> None:
        if found.station_id == station.pk:
            raise ZeroDivisionError("somebody's bug")
        real(found, now)

    monkeypatch.setattr(stale, "_look_at_open", breaks)
    while sweep():
        pass
    assert (network.findings(station), network.findings(other)) == ([], ["booted_while_charging"])
