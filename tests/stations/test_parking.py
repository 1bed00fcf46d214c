"""Since when a vehicle is only parked: told by its transaction (2.x) or its connector (1.6), and paid as parking."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django_scopes import scopes_disabled

from billing import tariffs, tasks
from billing.models import ChargeRecord
from stations.models import Station
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import connected
from tests.stations.showing import says
from tests.stations.test_tariffcost import SHOWS

#: An hour of charging is 60, one of parking 120: 1 and 2 a minute.
IDLE_FEE = {
    "elements": [
        {
            "price_components": [
                {"type": "TIME", "price": 60, "step_size": 1},
                {"type": "PARKING_TIME", "price": 120, "step_size": 1},
            ]
        }
    ]
}


@scopes_disabled()
def idle_fee(network: Network) -> None:
    tariffs.add_tariff(operator=network.operator, name="Idle fee", ocpi=IDLE_FEE, is_default=True)


@scopes_disabled()
def billed(network: Network) -> dict[str, int]:
    """The seconds of each line."""
    tasks.make_charge_records()
    record = ChargeRecord.objects.get(operator=network.operator)
    return {line["dimension"]: round(Decimal(line["volume"]) * 3600) for line in record.lines}


@pytest.fixture
def newer(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@pytest.fixture
def station(network: Network, newer: Engine) -> Station:
    network.token("CARD")
    idle_fee(network)
    return connected(network, newer)


def tell(engine: Engine, station: Station, *states: str, end: str = "EVConnected") -> None:
    """A session that changes its state each minute; its meter counts while it charges."""
    register = 1000
    engine.say(station, "TransactionEvent", v201.started(info={"chargingState": "EVConnected"}))
    for number, state in enumerate(states, start=1):
        register += 500 if "Charging" in states[max(0, number - 2) : number] else 0
        engine.say(station, "TransactionEvent", v201.updated(number, wh=register, info={"chargingState": state}))
    engine.say(station, "TransactionEvent", v201.ended(len(states) + 1, wh=register, info={"chargingState": end}))


@pytest.mark.parametrize(
    ("states", "seconds"),
    [
        (("Charging", "Charging", "SuspendedEV", "EVConnected"), {"TIME": 180, "PARKING_TIME": 120}),
        (("Charging", "SuspendedEV", "Charging", "SuspendedEV"), {"TIME": 240, "PARKING_TIME": 60}),
        (("Charging", "SuspendedEVSE", "SuspendedEVSE", "SuspendedEVSE"), {"TIME": 300}),
        (("EVConnected", "EVConnected"), {"PARKING_TIME": 180}),
    ],
)
def test_parking_is_paid_from_when_the_vehicle_has_enough(
    network: Network, newer: Engine, station: Station, states: tuple[str, ...], seconds: dict[str, int]
) -> None:
    tell(newer, station, *states)
    assert billed(network) == seconds


def test_an_older_event_that_comes_late_changes_nothing(network: Network, newer: Engine, station: Station) -> None:
    newer.say(station, "TransactionEvent", v201.started())
    newer.say(station, "TransactionEvent", v201.updated(2, wh=2000, info={"chargingState": "SuspendedEV"}))
    newer.say(station, "TransactionEvent", v201.updated(1, wh=1500, info={"chargingState": "Charging"}))
    newer.say(station, "TransactionEvent", v201.ended(3, wh=2000))
    assert billed(network) == {"TIME": 120, "PARKING_TIME": 60}


#: Charging from 0 to 10, parked from 10 to 60 minutes.
FULL = (
    v201.started(info={"chargingState": "Charging"}),
    v201.updated(1, minute=10, wh=5000, info={"chargingState": "SuspendedEV"}),
    v201.updated(2, minute=20, wh=5000),
    v201.ended(3, minute=60, wh=5000, info={"chargingState": "EVConnected"}),
)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (3, 2, 1, 0), (0, 3, 1, 2, 1)])
@pytest.mark.parametrize("processes", [1, 2])
def test_parking_is_the_same_in_whichever_order_it_is_told(
    network: Network, newer: Engine, station: Station, order: tuple[int, ...], processes: int
) -> None:
    engines = [newer, Engine("ocpp2.0.1")]
    for turn, number in enumerate(order):
        engines[turn % processes].say(station, "TransactionEvent", FULL[number])
        if processes > 1:
            engines = [Engine("ocpp2.0.1"), Engine("ocpp2.0.1")]
    assert billed(network) == {"TIME": 600, "PARKING_TIME": 3000}


def test_a_process_that_takes_over_knows_it(network: Network, newer: Engine, station: Station) -> None:
    newer.say(station, "TransactionEvent", v201.started())
    newer.say(station, "TransactionEvent", v201.updated(1, wh=1500, info={"chargingState": "SuspendedEV"}))
    other = Engine("ocpp2.0.1")
    other.say(station, "TransactionEvent", v201.updated(2, wh=1500, info={"chargingState": "EVConnected"}))
    other.say(station, "TransactionEvent", v201.ended(3, wh=1500))
    assert billed(network) == {"TIME": 60, "PARKING_TIME": 120}


@pytest.mark.parametrize(("wh", "parked"), [((1500, 2500, 3500), False), ((3500, 3504, 3508), True)])
def test_a_meter_that_counts_on_is_believed_more_than_the_state(
    network: Network, newer: Engine, station: Station, wh: tuple[int, ...], parked: bool
) -> None:
    """A station that says that the vehicle has enough, and goes on: a kWh each ten minutes."""
    newer.say(station, "TransactionEvent", v201.started())
    newer.say(station, "TransactionEvent", v201.updated(1, wh=1500, info={"chargingState": "SuspendedEV"}))
    for number, register in enumerate(wh, start=2):
        newer.say(station, "TransactionEvent", v201.updated(number, minute=10 * number, wh=register))
    newer.say(station, "TransactionEvent", v201.ended(5, minute=50, wh=wh[-1]))
    assert ("PARKING_TIME" in billed(network)) is parked


def test_the_display_is_told_what_parking_costs(network: Network, newer: Engine, station: Station) -> None:
    says(newer, station, **SHOWS, CustomizationCtrlr__CustomImplementationEnabled__org_openchargealliance_costmsg="true")
    newer.say(station, "TransactionEvent", v201.started())
    answer = newer.say(station, "TransactionEvent", v201.updated(1, wh=1500, info={"chargingState": "SuspendedEV"}))
    assert answer["customData"]["state"] == "Idle"
    assert answer["customData"]["chargingPrice"] == {"hourPrice": 60.0}
    assert answer["customData"]["idlePrice"] == {"hourPrice": 120.0}
    assert newer.say(station, "TransactionEvent", v201.ended(3, wh=2000)) == {}, "an event is missing"
    assert newer.say(station, "TransactionEvent", v201.updated(2, wh=2000)) == {}
    assert billed(network) == {"TIME": 60, "PARKING_TIME": 120}


@pytest.mark.parametrize(
    ("states", "parked"),
    [
        ((("Charging", 590), ("SuspendedEV", 300)), 240),
        ((("Charging", 590), ("SuspendedEV", 300), ("Charging", 200), ("Finishing", 120)), 60),
        ((("Charging", 590), ("SuspendedEVSE", 300)), 0),
        ((("SuspendedEV", 700), ("Charging", 590)), 0),
        # Told before the start, and after it nothing new.
        ((("SuspendedEV", 601), None, ("Finishing", 61)), 540),
        ((("SuspendedEV", 601), None, ("Charging", 590), ("SuspendedEV", 300)), 240),
        ((("Finishing", 700), None, ("Charging", 600)), 0),
        # By a station that tells what is now before what was.
        ((("SuspendedEV", 300), None), 240),
    ],
)
def test_a_connector_of_1_6_tells_it(
    network: Network, committed: None, states: tuple[tuple[str, int] | None, ...], parked: int
) -> None:
    """From 600 to 60 seconds ago. None: it tells the start; else that comes first."""
    engine = Engine("ocpp1.6")
    network.token("CARD")
    idle_fee(network)
    station = connected(network, engine)
    begun: Any = {}
    with time_machine.travel(datetime.now(UTC), tick=False):
        start, stop = v16.start(), v16.stop(None)
        said = [told and v16.status(*told) for told in states]
    for payload in said if None in said else (None, *said):
        if payload is None:
            begun = engine.say(station, "StartTransaction", start)
        else:
            engine.say(station, "StatusNotification", payload)
    engine.say(station, "StopTransaction", stop | {"transactionId": begun["transactionId"]})
    found = billed(network)
    assert abs(found.get("PARKING_TIME", 0) - parked) <= 2
    assert abs(found.get("TIME", 0) - (540 - parked)) <= 2
    (transaction,) = network.transactions(station)
    assert (transaction.charging_ended_at is None) == (not parked)
    if transaction.charging_ended_at is not None:
        assert transaction.stopped_at is not None
        assert abs(transaction.stopped_at - transaction.charging_ended_at - timedelta(seconds=parked)) <= timedelta(seconds=2)
