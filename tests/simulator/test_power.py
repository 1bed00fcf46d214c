"""A power cut at a simulated station, against a foreign CSMS."""

import pytest

from tests.simulator.test_station import station
from tests.simulator.test_v201 import station as station201


async def test_what_waits_for_the_csms_outlives_a_power_cut(central):
    async with station(central) as sim:
        await sim.boot()
        await sim.plug_in(1)
        await sim.start(1, "DEE")
        await sim.disconnect(abrupt=True)
        await sim.stop(1)
        ended_at = sim.clock.now()
        await sim.unplug(1)
        await sim.power_cut()
        assert (sim.connected, sim.accepted, sim.queued) == (False, False, 1)
        await sim.clock.sleep(3600)
        await sim.power_on()
        assert (sim.accepted, sim.queued) == (True, 0)
    (stop,) = central.payloads("StopTransaction")
    assert (stop["reason"], stop["transactionId"]) == ("Local", 101)
    assert stop["timestamp"] == ended_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert [action for action, _ in central.calls].count("BootNotification") == 2
    assert central.statuses(1)[-1] == "Available"


async def test_what_charged_has_ended_with_the_power(central):
    async with station(central) as sim:
        await sim.boot()
        await sim.plug_in(1)
        await sim.start(1, "DEE")
        await sim.charge(1, seconds=600)
        register = sim.connectors[0].register_wh
        await sim.power_cut()
        await sim.clock.sleep(3600)
        assert not sim.advance(3600)
        await sim.power_on()
    (stop,) = central.payloads("StopTransaction")
    assert (stop["reason"], stop["meterStop"], stop["timestamp"]) == ("PowerLoss", register, "2026-11-21T09:10:00.000Z")


@pytest.mark.parametrize("stays", [True, False])
async def test_a_transaction_that_is_resumed_ends_when_the_driver_ends_it_or_has_left(central, stays):
    async with station(central) as sim:
        await sim.boot()
        await sim.plug_in(1)
        number = await sim.start(1, "DEE")
        await sim.power_cut(resumes=True)
        if not stays:
            await sim.unplug(1)
        await sim.power_on()
        if stays:
            await sim.charge(1, seconds=60)
            await sim.stop(1)
    assert len(central.payloads("StartTransaction")) == 1
    (stop,) = central.payloads("StopTransaction")
    assert (stop["transactionId"], stop["reason"]) == (number, "Local" if stays else "EVDisconnected")


async def test_the_events_of_the_dark_say_that_they_happened_offline(central201):
    async with station201(central201) as sim:
        await sim.boot()
        await sim.plug_in(1)
        await sim.start(1, "DEE")
        await sim.power_cut()
        await sim.power_on()
    *_, end = central201.payloads("TransactionEvent")
    assert (end["eventType"], end["offline"], end["transactionInfo"]["stoppedReason"]) == ("Ended", True, "PowerLoss")
    assert [payload["reason"] for payload in central201.payloads("BootNotification")] == ["PowerUp", "PowerUp"]
