"""A simulated 2.0.1 station and this project's own server."""

import asyncio

from django.core.management import call_command
from django_scopes import scopes_disabled

from accounts.models import IdToken, Operator
from csms.simulator import SimulatedStation, demo
from stations.domain import commands
from stations.models import Command, MonitorEvent, Site, Station, Variable
from tests.database import tables
from tests.network import PASSWORD, Network
from tests.servers import Server
from tests.sockets.test_commands import issue, state_of


async def test_a_session_with_an_outage_in_it_ends_with_the_right_energy_and_no_findings(server: Server, network: Network) -> None:
    known = network.station()
    network.token("CARD")
    async with SimulatedStation(server.ocpp, known.identity, password=PASSWORD, protocol="ocpp2.0.1") as sim:
        assert await sim.boot() == "Accepted"
        assert await sim.authorize("CARD") == "Accepted"
        await sim.plug_in(1)
        number = await sim.start(1, "CARD")
        before = sim.connectors[0].register_wh
        await sim.charge(1, seconds=600)
        assert network.connectors(known)[1].status == "Charging"
        await sim.disconnect(abrupt=True)
        await sim.charge(1, seconds=1200)
        await sim.stop(1, tag="CARD")
        assert sim.queued > 0
        await sim.reconnect()
        await sim.unplug(1)
        energy = sim.connectors[0].register_wh - before
    (charged,) = network.transactions(known)
    assert charged.energy_wh == energy > 5000
    assert (charged.ocpp_transaction_id, charged.status, charged.doubt, charged.id_tag) == (number, "ended", "", "CARD")
    assert network.connectors(known)[1].status == "Available"
    assert network.findings(known) == []
    assert len(network.outbox()) == 1


async def test_the_device_model_is_reported_and_changed(uvicorn: Server, network: Network, bells: None) -> None:
    known = network.station()
    async with SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, protocol="ocpp2.0.1") as sim:
        await sim.boot()
        await becomes(issue(known, commands.GetBaseReport()), "confirmed")
        assert values(known)["TxStartPoint"] == "PowerPathClosed"
        settings = [{"component": "TxCtrlr", "variable": "EVConnectionTimeOut", "value": "45"}]
        await becomes(issue(known, commands.SetVariables(settings)), "confirmed")
        assert sim.configuration["ConnectionTimeOut"] == "45"
        await becomes(issue(known, commands.Reset()), "confirmed")
    assert values(known)["EVConnectionTimeOut"] == "45"
    assert network.findings(known) == []


async def test_monitors_are_set_and_tell_of_a_fault(uvicorn: Server, network: Network, bells: None) -> None:
    known = network.station()
    network.token("CARD")
    async with SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, protocol="ocpp2.0.1") as sim:
        await sim.boot()
        await becomes(issue(known, commands.GetMonitoringReport()), "confirmed")
        hot = {"component": "EVSE", "evse": 1, "variable": "Temperature", "type": "UpperThreshold", "value": 30, "severity": 4}
        await becomes(issue(known, commands.SetVariableMonitoring([hot])), "confirmed")
        await sim.plug_in(1)
        await sim.start(1, "CARD")
        await sim.charge(1, seconds=60)
        await sim.fault(2, "GroundFailure")
        async with asyncio.timeout(30):
            while len(opened(known)) < 2:
                await asyncio.sleep(0.02)
        assert {(one.variable, one.severity, one.tech_code) for one in opened(known)} == {
            ("Temperature", 4, ""),
            ("Problem", 2, "GroundFailure"),
        }
        await sim.recover(2)
        await sim.stop(1)
        sim.advance(1)
        async with asyncio.timeout(30):
            while opened(known):
                await asyncio.sleep(0.02)
        await becomes(issue(known, commands.CustomerInformation.of({"id_token": "CARD"})), "confirmed")
    assert network.findings(known) == []


@tables
def opened(known: Station) -> list[MonitorEvent]:
    return list(MonitorEvent.objects.with_scopes_disabled().filter(station=known, open=True))


async def becomes(command: Command, status: str) -> None:
    """Wait for a command's status, letting the station answer meanwhile."""
    async with asyncio.timeout(30):
        while state_of(command).status != status:
            await asyncio.sleep(0.02)


@tables
def values(station: Station) -> dict[str, str | None]:
    with scopes_disabled():
        return dict(Variable.objects.filter(station=station).values_list("variable", "value"))


def test_the_demo_network_is_loaded_once_and_an_earlier_one_is_completed(db: None) -> None:
    call_command("demo", verbosity=0)
    with scopes_disabled():
        operator = Operator.objects.get(name=demo.OPERATOR)
        Station.objects.filter(operator=operator).exclude(identity__startswith="AMBER-").delete()
        Station.objects.filter(operator=operator).update(name="")
        Site.objects.filter(name="Harbour").update(city="", latitude=None)
        Station.objects.filter(identity="AMBER-01").update(name="My own name")
    call_command("demo", verbosity=0)
    with scopes_disabled():
        assert Station.objects.filter(operator=operator).count() == len(demo.STATIONS)
        assert Station.objects.get(identity="AMBER-01").name == "My own name"
        assert Site.objects.get(name="Harbour").city == "Amsterdam"
        assert Site.objects.filter(operator=operator, latitude=None).count() == 0
        cards = IdToken.objects.filter(operator=operator).exclude(type="Central")  # Dee's phone
        assert cards.count() == len(demo.TAGS)
        assert cards.filter(status="Blocked").count() == cards.exclude(expires_at=None).count() == 1
        assert set(cards.exclude(group=None).values_list("group__name", flat=True)) == {"FLEET", "STAFF"}


async def test_a_station_says_whether_it_has_more_of_a_session(uvicorn: Server, network: Network, bells: None) -> None:
    known = network.station()
    network.token("CARD")
    async with SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, protocol="ocpp2.0.1") as sim:
        await sim.boot()
        await sim.plug_in(1)
        number = await sim.start(1, "CARD")
        asked = issue(known, commands.GetTransactionStatus(str(number)))
        await becomes(asked, "confirmed")
        assert state_of(asked).detail == "ongoing, no messages are waiting"
        await sim.stop(1)
        asked = issue(known, commands.GetTransactionStatus(str(number)))
        await becomes(asked, "confirmed")
        assert state_of(asked).detail == "not ongoing, no messages are waiting"
