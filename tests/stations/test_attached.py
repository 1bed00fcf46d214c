"""Stops whose session is not sure, and registers that were not sent: billed only where nothing else is possible."""

import pytest

from stations.domain.values import Doubt
from stations.models import Station
from tests import v16
from tests.engine import Engine
from tests.network import Network
from tests.stations.charging import due, findings, only, started


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True)


@pytest.mark.parametrize("waited", [0, 3600], ids=["online", "from a queue"])
@pytest.mark.parametrize("stop", [{}, {"idTag": "card"}, {"idTag": "OTHER"}], ids=["no tag", "its tag", "another tag"])
def test_a_stop_without_a_name_ends_the_session_it_fits_and_waits_for_a_person(
    network: Network, engine: Engine, station: Station, waited: int, stop: dict[str, str]
) -> None:
    """As it comes from a station that had no id for it yet (libocpp#495), or as that of another session whose start was lost."""
    started(engine, station, seconds=waited)
    engine.say(station, "StopTransaction", v16.stop(-1, seconds=-1, **stop))
    found = only(network, station)
    assert (found.status, found.doubt, found.energy_wh, due(network)) == ("ended", Doubt.STOP_ATTACHED, 4000, [])


def test_a_stop_that_names_another_session_than_one_with_an_id_is_a_doubt_until_its_own_comes(
    network: Network, engine: Engine, station: Station
) -> None:
    number = started(engine, station, seconds=0)
    engine.say(station, "StopTransaction", v16.stop(-1, seconds=-2, meter=9000))
    found = only(network, station)
    assert (found.doubt, found.energy_wh, found.trust) == (Doubt.STOP_ATTACHED, 8000, "doubtful")
    assert "9000 Wh" in network.finding(station, "transaction_attached").detail
    assert due(network) == []
    engine.say(station, "StopTransaction", v16.stop(number, seconds=-1, meter=5000))
    found = only(network, station)
    assert (found.doubt, found.energy_wh, due(network)) == ("", 4000, [found.pk])


@pytest.mark.parametrize(
    ("at_end", "doubt", "energy"), [(5000, "", 4000), (None, Doubt.REGISTER, 2000)], ids=["read at the end", "read before"]
)
def test_a_stop_without_a_register_has_that_of_its_last_reading(
    network: Network, engine: Engine, station: Station, at_end: int | None, doubt: str, energy: int
) -> None:
    number = started(engine, station, meter=1000)
    engine.say(station, "MeterValues", v16.meters(3000, 300, number))
    stop = {name: value for name, value in v16.stop(number).items() if name != "meterStop"}
    if at_end:
        stop["transactionData"] = v16.meters(at_end, 60, context="Transaction.End")["meterValue"]
    assert engine.say(station, "StopTransaction", stop) == {}
    found = only(network, station)
    assert (found.status, found.doubt, found.energy_wh) == ("ended", doubt, energy)
    assert "register_mended" in findings(network, found)
    assert network.repairs(station) == []


def test_a_start_without_a_register_is_a_session_all_the_same(network: Network, engine: Engine, station: Station) -> None:
    start = {name: value for name, value in v16.start().items() if name != "meterStart"}
    answer = engine.say(station, "StartTransaction", start)
    assert answer["idTagInfo"] == {"status": "Accepted"}
    engine.say(station, "StopTransaction", v16.stop(answer["transactionId"]))
    found = only(network, station)
    assert (found.doubt, found.energy_wh, found.meter_stop_wh) == (Doubt.REGISTER, None, 5000)
    assert network.repairs(station) == []
