"""No station comes back less secure than it has been, unless somebody says so (OCPP 2.0.1 A05)."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from csms.ocpp.doors import Arrival
from stations.domain.commands import BadCommand, SetNetworkProfile, SetVariables
from stations.models import Refusal, Station
from stations.services import securityprofiles
from stations.services.connections import Admitted, Knock, Refused
from tests.engine import Engine
from tests.network import PASSWORD, Network
from tests.stations.asking import PROTOCOLS, connected, issue


@pytest.fixture(params=PROTOCOLS)
def engine(committed: None, request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


def comes(engine: Engine, station: Station, *, secure: bool) -> Any:
    """The verdict on a station that knocks with its password."""
    credentials = (station.identity.encode(), PASSWORD.encode())
    knock = Knock(station.identity, credentials, engine.protocol, (engine.protocol,), "192.0.2.1", secure=secure)
    with scopes_disabled():
        [(_token, verdict)] = engine.thread._attempt_doors([Arrival(knock, None)]).verdicts
    return verdict


def now(station: Station) -> Station:
    with scopes_disabled():
        return Station.objects.get(pk=station.pk)


def allow(station: Station, reason: str = "The modem speaks no TLS") -> None:
    with scope(operator=station.operator):
        securityprofiles.allow_lower(station=station, reason=reason)


def test_what_came_by_tls_does_not_come_back_without(engine: Engine, network: Network) -> None:
    station = network.station()
    assert isinstance(comes(engine, station, secure=False), Admitted)
    assert now(station).highest_profile == 0
    assert isinstance(comes(engine, station, secure=True), Admitted)
    assert now(station).highest_profile == 2
    refused = comes(engine, station, secure=False)
    assert isinstance(refused, Refused)
    assert (refused.status, refused.reason) == (401, "profile_lowered")
    assert isinstance(comes(engine, station, secure=True), Admitted)
    with scopes_disabled():
        kept = Refusal.objects.get(identity=station.identity)
    assert (kept.reason, kept.operator_id) == ("profile_lowered", station.operator_id)
    assert "CSMS_TRUSTED_PROXIES" in kept.detail


def test_a_wrong_password_is_told_first(engine: Engine, network: Network) -> None:
    station = network.station()
    comes(engine, station, secure=True)
    knock = Knock(station.identity, (station.identity.encode(), b"not-its-password-"), "ocpp1.6", ("ocpp1.6",), "", secure=False)
    with scopes_disabled():
        [(_token, verdict)] = engine.thread._attempt_doors([Arrival(knock, None)]).verdicts
    assert verdict.reason == "wrong_password"


def test_a_station_that_presents_nothing_has_no_higher_profile(engine: Engine, network: Network) -> None:
    station = network.station(security_profile=0)
    assert isinstance(comes(engine, station, secure=True), Admitted)
    assert now(station).highest_profile == 0
    assert isinstance(comes(engine, station, secure=False), Admitted)


def test_somebody_allows_it_once_and_says_why(engine: Engine, network: Network) -> None:
    station = network.station()
    comes(engine, station, secure=True)
    with pytest.raises(ValidationError, match="Say why"):
        allow(station, "  ")
    allow(station)
    assert isinstance(comes(engine, station, secure=False), Admitted)
    with scopes_disabled():
        told = AuditEntry.objects.get(action="station.lower_allowed", object_id=station.pk)
    assert (told.before, told.after, told.note) == ({"highest_profile": 2}, {"highest_profile": 0}, "The modem speaks no TLS")
    comes(engine, station, secure=True)
    assert isinstance(comes(engine, station, secure=False), Refused)
    call_command("station", "lower", station.identity, "--reason", "Once more")
    assert isinstance(comes(engine, station, secure=False), Admitted)
    with pytest.raises(ValidationError, match="nothing to allow"):
        allow(station)


def test_the_whole_system_may_allow_it(engine: Engine, network: Network, settings: Any) -> None:
    station = network.station()
    comes(engine, station, secure=True)
    settings.ALLOW_SECURITY_DOWNGRADE = True
    assert isinstance(comes(engine, station, secure=False), Admitted)
    securityprofiles.check(now(station), SetNetworkProfile(1, "ws://x.example.com/", 1))
    with pytest.raises(BadCommand):
        securityprofiles.check(now(station), SetNetworkProfile(1, "ws://x.example.com/", 0))


@pytest.mark.parametrize(
    "command",
    [
        SetNetworkProfile(1, "ws://x.example.com/", 1),
        SetVariables([{"component": "SecurityCtrlr", "variable": "SecurityProfile", "value": "1"}]),
        SetVariables([{"component": "", "variable": "securityprofile", "value": "1"}]),
    ],
)
def test_no_command_lowers_it(engine: Engine, network: Network, command: Any) -> None:
    station = connected(network, engine)
    comes(engine, station, secure=True)
    with pytest.raises(BadCommand, match=r"security_profile 1 is lower than that of .*, which is 2"):
        issue(now(station), command)


def test_a_higher_one_may_be_set(engine: Engine, network: Network) -> None:
    station = connected(network, engine)
    issue(station, SetVariables([{"component": "SecurityCtrlr", "variable": "SecurityProfile", "value": "2"}]))
