"""The bench as a test: what its stations were told was kept is in the tables, once. Nothing here looks at the clock."""

from typing import Any

import pytest

from tests.bench import ledger, load, ramp, traffic
from tests.bench.network import PASSWORD, Fleet, make_fleet
from tests.network import Network
from tests.servers import Server


@pytest.fixture
def fleet(network: Network) -> Fleet:
    return make_fleet(network.operator, network.prefix, stations=20, tags=7)


def drive(server: Server, fleet: Fleet, **more: Any) -> load.Outcome:
    plan: dict[str, Any] = {"port": server.port, "password": PASSWORD, "warm_up_s": 0.0, "seconds": 1.0} | more
    return load.drive(load.Plan(stations=fleet.stations, tags=fleet.tags, **plan))


@pytest.mark.parametrize("protocol", ["ocpp2.0.1", pytest.param("ocpp1.6", marks=pytest.mark.long)])
def test_all_that_is_acknowledged_under_load_is_in_the_tables_once(uvicorn: Server, fleet: Fleet, protocol: str) -> None:
    outcome = drive(uvicorn, fleet, protocol=protocol)
    assert outcome.errors == {}
    assert outcome.unanswered == 0
    assert all(sum(count) > 0 for count in zip(*(entry.acknowledged for entry in outcome.ledger.values()), strict=True))
    assert ledger.differences(outcome.ledger) == []


def test_the_ledger_notices_what_is_missing_and_what_is_doubled(uvicorn: Server, fleet: Fleet) -> None:
    outcome = drive(uvicorn, fleet, seconds=0.2)
    missing, doubled = fleet.stations[:2]
    outcome.ledger[missing].acknowledged[traffic.METERS] += 1
    outcome.ledger[doubled].transactions.pop()
    found = "\n".join(ledger.differences(outcome.ledger))
    assert f"{missing}: " in found
    assert "samples were acknowledged" in found
    assert f"{doubled}: the transactions acknowledged are not those stored." in found


def test_an_open_loop_says_what_is_due_and_no_more(uvicorn: Server, fleet: Fleet) -> None:
    outcome = drive(uvicorn, fleet, rate=100.0, course=True)
    assert outcome.errors == {}
    assert len(outcome.course) == outcome.messages
    assert all(due < answered for due, answered in outcome.course)
    assert ledger.differences(outcome.ledger) == []
    said = sum(sum(entry.acknowledged) for entry in outcome.ledger.values())
    stops = sum(entry.acknowledged[traffic.STOP] for entry in outcome.ledger.values())
    assert 0 < said - stops <= 100 * (outcome.seconds + 1)


def test_a_ramp_is_steady_at_first_and_then_ever_faster() -> None:
    due = [load.due_after(number, 100, 50, 2.0) for number in range(1000)]
    within = [sum(second <= one < second + 1 for one in due) for second in range(5)]
    assert within == [100, 100, 125, 175, 225]


def test_the_rate_that_is_kept_is_the_last_before_answers_come_late_for_good() -> None:
    late = (0, 9, 0, 9, 9, 0, 9, 9, 9, 0)
    course = [ramp.Step(rate, p99_ms) for rate, p99_ms in enumerate(late, start=1)]
    assert ramp.kept(course, bound_ms=5) == 6
    assert ramp.kept(course[6:], bound_ms=5) == 0


def test_of_ten_messages_six_are_meter_values() -> None:
    shares = [traffic.CYCLE.count(kind) for kind in traffic.KINDS]
    assert dict(zip(traffic.V16.names, shares, strict=True)) == {
        "Heartbeat": 4,
        "StatusNotification": 2,
        "MeterValues": 12,
        "StartTransaction": 1,
        "StopTransaction": 1,
    }
