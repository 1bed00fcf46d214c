"""Stations mirrored to a second back end: what it hears, in which order, and that nothing is lost or doubled."""

import json
from collections.abc import Callable

from django.utils import timezone
from django_scopes import scopes_disabled

from csms.forwarding import services
from csms.forwarding.models import Forward
from csms.ocpp.masking import MASK
from stations.domain.commands import SetVariables
from stations.models import Connection, Site, Station
from stations.services import commands
from tests import v16, v201
from tests.dashboard.rows import seen
from tests.engine import Engine
from tests.forwarding.backend import BackEnd, backend
from tests.forwarding.conftest import at_work, only, when
from tests.network import Network
from tests.servers import until

Forwarded = Callable[..., Forward]


def booted(network: Network, engine: Engine) -> Station:
    station = network.station()
    boot = v16.BOOT if engine.protocol == "ocpp1.6" else {"reason": "PowerUp", "chargingStation": {"vendorName": "A", "model": "B"}}
    engine.say(station, "BootNotification", boot)
    seen(station, protocol=engine.protocol)
    return station


def test_a_session_of_1_6_is_told_with_the_number_it_has_there(
    network: Network, engine: Engine, mirror: None, them: BackEnd, forwarded: Forwarded
) -> None:
    network.token("CARD")
    station = booted(network, engine)
    engine.say(station, "StatusNotification", v16.status("Available"))
    forward = forwarded(them)
    # What it is, and how its plug is: the other one has never heard of it.
    assert them.wait(2) == ["BootNotification", "StatusNotification"]
    assert them.payloads("BootNotification")[0]["chargePointModel"] == "AC-22"
    when(forward, lambda link: link.introduced_at)
    them.calls.clear()
    ours = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    engine.say(station, "MeterValues", v16.meters(2000, transaction=ours))
    engine.say(station, "StopTransaction", v16.stop(ours))
    engine.say(station, "StopTransaction", v16.stop(999_999))
    assert them.wait(3) == ["StartTransaction", "MeterValues", "StopTransaction"]
    assert [them.payloads(one)[0].get("transactionId") for one in them.actions()] == [None, 7001, 7001]
    link = when(forward, lambda link: link.unmatched)
    assert (link.sent, link.refused, link.dropped, link.state, link.error) == (5, 0, 0, "connected", "")
    assert (them.names, them.protocols) == ([station.identity], ["ocpp1.6"])
    assert not only(forward).failing_since


def test_a_session_of_2_0_1_is_told_as_it_is(network: Network, mirror: None, them: BackEnd, forwarded: Forwarded) -> None:
    engine = Engine("ocpp2.0.1")
    station = booted(network, engine)
    forwarded(them)
    them.wait(1)
    for event in v201.session():
        engine.say(station, "TransactionEvent", event)
    them.wait(5)
    assert them.payloads("TransactionEvent") == v201.session()
    assert them.protocols == ["ocpp2.0.1"]


def test_a_socket_is_open_while_the_station_is_here(
    network: Network, engine: Engine, mirror: None, them: BackEnd, forwarded: Forwarded
) -> None:
    station = booted(network, engine)
    forward = forwarded(them)
    them.wait(1)
    with scopes_disabled():
        Connection.objects.filter(station=station).update(disconnected_at=timezone.now())
    assert when(forward, lambda link: link.state == "idle").connected_at is None
    until(lambda: not them.open)
    # What is told though the station is away opens it for as long as it takes.
    engine.say(station, "Heartbeat", {})
    seen(station)
    them.wait(2)
    assert len(them.names) == 2


def test_what_waits_while_it_is_paused_comes_first(
    network: Network, engine: Engine, mirror: None, them: BackEnd, forwarded: Forwarded
) -> None:
    station = booted(network, engine)
    forward = forwarded(them, only=["StartTransaction", "StopTransaction"])
    until(lambda: them.names)
    services.pause(forward=forward)
    until(lambda: not them.open)
    ours = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    engine.say(station, "Heartbeat", {})
    assert them.calls == []
    services.resume(forward=forward)
    assert them.wait(1) == ["StartTransaction"]
    engine.say(station, "StopTransaction", v16.stop(ours))
    assert them.wait(2)[1] == "StopTransaction"


def test_a_restart_in_the_middle_loses_nothing_and_doubles_nothing(
    network: Network, engine: Engine, impatient: None, them: BackEnd, forwarded: Forwarded
) -> None:
    station = booted(network, engine)
    forward = forwarded(them, never=["BootNotification", "StatusNotification"])
    with at_work():
        ours = engine.say(station, "StartTransaction", v16.start())["transactionId"]
        for watt in range(30):
            engine.say(station, "MeterValues", v16.meters(1000 + watt, transaction=ours))
        them.wait(10)
    told = len(them.calls)
    assert told < 32
    for watt in range(30, 35):
        engine.say(station, "MeterValues", v16.meters(1000 + watt, transaction=ours))
    with at_work():
        engine.say(station, "StopTransaction", v16.stop(ours))
        until(lambda: "StopTransaction" in them.actions())
    values = [int(one["meterValue"][0]["sampledValue"][0]["value"]) for one in them.payloads("MeterValues")]
    assert sorted(set(values)) == list(range(1000, 1035))
    # At most the one in flight when it ended.
    assert len(values) <= 36
    assert {one["transactionId"] for one in them.payloads("MeterValues") + them.payloads("StopTransaction")} == {7001}
    assert only(forward).numbers == [[str(ours), 7001]]


def test_a_second_back_end_that_comes_back_hears_the_sessions_that_it_missed(
    network: Network, engine: Engine, mirror: None, forwarded: Forwarded
) -> None:
    station = booted(network, engine)
    with backend() as them:
        port = them.port
        forward = forwarded(them)
        them.wait(1)
    link = when(forward, lambda link: link.failing_since)
    ours = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    engine.say(station, "StopTransaction", v16.stop(ours))
    link = when(forward, lambda link: "refused" in link.error)
    assert (link.state in ("failing", "connecting"), link.error) == (True, "The connection was refused: nothing listens there.")
    with backend(port=port) as them:
        assert them.wait(2)[-2:] == ["StartTransaction", "StopTransaction"]
        link = when(forward, lambda link: not link.failing_since and not link.error)
        assert link.state == "connected"


def test_envelopes_hold_both_directions_and_no_secrets(
    network: Network, engine: Engine, mirror: None, them: BackEnd, forwarded: Forwarded
) -> None:
    station = booted(network, engine)
    engine.connect(station)
    forward = forwarded(them, style="envelope", to_station=True, identity="HL-{identity}")
    until(lambda: them.names)
    engine.say(station, "Heartbeat", {})
    secret = SetVariables([{"component": "", "variable": "AuthorizationKey", "value": "very-secret-password"}])
    with scopes_disabled():
        commands.issue(station=station, command=secret)
    (errand,) = engine.claim(station)
    engine.reply(station, errand, {"status": "Accepted"})
    until(lambda: len(them.frames) >= 2)
    told = [frame for _, frame in them.frames]
    assert [one["direction"] for one in told[-2:]] == ["from_station", "to_station"]
    assert told[-1]["call"][3] == {"key": "AuthorizationKey", "value": MASK}
    assert told[-1]["answer"][2] == {"status": "Accepted"}
    assert "very-secret" not in json.dumps(told)
    assert (them.names, them.protocols) == ([f"HL-{station.identity}"], ["csms.mirror.1"])
    assert when(forward, lambda link: link.sent >= 2).state == "connected"


def test_what_a_charger_was_asked_is_told_as_ocpp_too(
    network: Network, engine: Engine, mirror: None, them: BackEnd, forwarded: Forwarded
) -> None:
    station = booted(network, engine)
    engine.connect(station)
    forwarded(them, from_station=False, to_station=True)
    until(lambda: them.names)
    engine.say(station, "Heartbeat", {})
    secret = SetVariables([{"component": "", "variable": "AuthorizationKey", "value": "very-secret-password"}])
    with scopes_disabled():
        commands.issue(station=station, command=secret)
    (errand,) = engine.claim(station)
    engine.reply(station, errand, {"status": "Accepted"})
    assert them.wait(1) == ["DataTransfer"]
    (told,) = them.payloads("DataTransfer")
    assert told["messageId"] == "ChangeConfiguration"
    assert "very-secret" not in json.dumps(told)


def test_stations_join_and_leave_with_their_site(
    network: Network, engine: Engine, mirror: None, them: BackEnd, forwarded: Forwarded
) -> None:
    with scopes_disabled():
        site = Site.objects.create(operator=network.operator, name="Harbour")
    first, second = booted(network, engine), booted(network, engine)
    with scopes_disabled():
        Station.objects.filter(pk=first.pk).update(site=site)
    forward = forwarded(them, which="site", site=site)
    them.wait(1)
    assert them.names == [first.identity]
    with scopes_disabled():
        Station.objects.filter(pk=first.pk).update(site=None)
        Station.objects.filter(pk=second.pk).update(site=site)
    when(forward, lambda link: link.station_id == second.pk and link.introduced_at)
    assert them.names == [first.identity, second.identity]


def test_another_operators_stations_are_never_told(
    network: Network, engine: Engine, mirror: None, them: BackEnd, forwarded: Forwarded
) -> None:
    booted(Network(), engine)
    ours = booted(network, engine)
    forwarded(them)
    them.wait(1)
    assert them.names == [ours.identity]
