"""What simulated stations keep for whom, against a foreign CSMS of each version."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ocpp.v16 import call as call16
from ocpp.v201 import call as call201

from csms.simulator import ScriptedClock, SimulatedStation
from csms.simulator.clock import wire_time

START = datetime(2026, 11, 21, 9, tzinfo=UTC)


class Asking:
    """A station, and what its CSMS asks of it in its version."""

    def __init__(self, central: Any, sim: SimulatedStation) -> None:
        self.central, self.sim = central, sim
        self.later = sim.protocol != "ocpp1.6"

    async def reserve(self, number: int = 7, place: int | None = 1, tag: str = "DEE", hours: float = 1) -> str:
        until = wire_time(START + timedelta(hours=hours))
        if self.later:
            asked: Any = call201.ReserveNow(number, until, {"idToken": tag, "type": "ISO14443"}, evse_id=place)
        else:
            asked = call16.ReserveNow(place or 0, until, tag, number)
        return str((await self.central.peer.call(asked)).status)

    async def cancel(self, number: int = 7) -> str:
        asked: Any = call201.CancelReservation(number) if self.later else call16.CancelReservation(number)
        return str((await self.central.peer.call(asked)).status)

    def shown(self, place: int = 1) -> str:
        said = self.central.payloads("StatusNotification")
        name, key = ("connectorStatus", "evseId") if self.later else ("status", "connectorId")
        return str([one[name] for one in said if one[key] == place][-1])

    async def shows(self, status: str, place: int = 1) -> None:
        await self.central.until(lambda: self.shown(place) == status)

    def named(self) -> int | None:
        """The reservation that the first session named."""
        said = self.central.payloads("TransactionEvent" if self.later else "StartTransaction")
        number: int | None = said[0].get("reservationId")
        return number


@pytest.fixture(params=["ocpp1.6", "ocpp2.0.1"])
async def it(request: pytest.FixtureRequest, central: Any, central201: Any) -> Any:
    of = central if request.param == "ocpp1.6" else central201
    async with SimulatedStation(of.url, "SIM-RES", protocol=request.param, clock=ScriptedClock(START)) as sim:
        await sim.boot()
        yield Asking(of, sim)


async def test_a_plug_is_kept_shown_and_used_by_its_card(it: Asking) -> None:
    assert await it.reserve() == "Accepted"
    await it.shows("Reserved")
    await it.sim.plug_in(1)
    with pytest.raises(ValueError, match="cannot charge"):
        await it.sim.start(1, "STRANGER")
    await it.sim.start(1, "DEE")
    assert it.named() == 7
    assert it.sim.reservations.kept == {}


async def test_a_start_that_says_the_group_uses_what_is_kept_for_it(central201: Any) -> None:
    def token(value: str, kind: str = "ISO14443") -> dict[str, str]:
        return {"idToken": value, "type": kind}

    async with SimulatedStation(central201.url, "SIM-RES", protocol="ocpp2.0.1", clock=ScriptedClock(START)) as sim:
        await sim.boot()
        until, group = wire_time(START + timedelta(hours=1)), token("FLEET", "Central")
        await central201.peer.call(call201.ReserveNow(7, until, token("DEE"), evse_id=1, group_id_token=group))
        wanted = ({}, {"group_id_token": token("OTHERS", "Central")}, {"group_id_token": group})
        asked = [call201.RequestStartTransaction(token("EVE"), 70, evse_id=1, **more) for more in wanted]
        assert [(await central201.peer.call(one)).status for one in asked] == ["Rejected", "Rejected", "Accepted"]


async def test_it_can_be_cancelled_once(it: Asking) -> None:
    await it.reserve()
    await it.shows("Reserved")
    assert await it.cancel() == "Accepted"
    await it.shows("Available")
    assert await it.cancel() == "Rejected"


async def test_what_nobody_uses_expires_and_what_breaks_is_given_up(it: Asking) -> None:
    await it.reserve(1, 1, hours=0)
    await it.central.until(lambda: 1 not in it.sim.reservations.kept)
    await it.reserve(2, 2)
    await it.sim.fault(2, "GroundFailure")
    await it.shows("Faulted", 2)
    assert it.sim.reservations.kept == {}
    if it.later:
        await it.central.until(lambda: len(it.central.payloads("ReservationStatusUpdate")) == 2)
        said = it.central.payloads("ReservationStatusUpdate")
        assert [(one["reservationId"], one["reservationUpdateStatus"]) for one in said] == [(1, "Expired"), (2, "Removed")]


async def test_as_many_as_there_are_plugs(it: Asking) -> None:
    assert [await it.reserve(number, None, tag) for number, tag in ((1, "A"), (2, "B"), (3, "C"))] == [
        "Accepted",
        "Accepted",
        "Occupied",
    ]
    await it.shows("Reserved", 1)
    await it.shows("Reserved", 2)


async def test_the_same_number_replaces_and_a_refusal_leaves_the_old_one(it: Asking) -> None:
    await it.reserve(7, 1, "DEE")
    assert await it.reserve(7, 2, "EVE") == "Accepted"
    assert await it.reserve(7, 9, "FAY") == "Rejected"
    (one,) = it.sim.reservations.kept.values()
    assert (one.connector, one.tag) == (2, "EVE")


@pytest.mark.parametrize(("trouble", "said"), [("GroundFailure", "Faulted"), ("", "Unavailable")])
async def test_what_cannot_be_used_cannot_be_kept(it: Asking, trouble: str, said: str) -> None:
    connector = it.sim.connectors[0]
    if trouble:
        connector.error_code = trouble
    else:
        connector.operative = False
    assert await it.reserve() == said


async def test_a_profile_is_stored_and_used_once_it_is_first(central201: Any) -> None:
    async with SimulatedStation(central201.url, "SIM-NET", protocol="ocpp2.0.1", clock=ScriptedClock(START)) as sim:
        await sim.boot()
        data = {"ocppVersion": "OCPP20", "ocppTransport": "JSON", "messageTimeout": 30, "ocppInterface": "Wired0"}
        for profile, said in ((0, "Rejected"), (1, "Accepted")):
            data |= {"securityProfile": profile, "ocppCsmsUrl": "ws://127.0.0.1:9/none"}
            assert (await central201.peer.call(call201.SetNetworkProfile(2, dict(data)))).status == said
        assert sim.configuration.change("NetworkConfigurationPriority", "3,1") == "Rejected"
        assert sim.configuration.change("NetworkConfigurationPriority", "2,1") == "RebootRequired"
        await sim.restart()
        assert (sim.url, sim.network.active) == (central201.url, 1), "the first leads nowhere, so it falls back"
