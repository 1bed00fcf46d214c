"""What tests of commands share: a station whose socket this process holds, as it were, and what it is asked."""

from datetime import UTC, datetime
from typing import Any

from django_scopes import scope

from csms.ocpp.errands import Errand
from stations.domain import commands
from stations.models import Command, Station
from stations.services import commands as life
from tests.engine import Engine
from tests.network import Network

PROTOCOLS = ("ocpp1.6", "ocpp2.0.1")
ACCEPTED = {"status": "Accepted"}


def connected(network: Network, engine: Engine, **fields: Any) -> Station:
    station = network.station(**({"accepted": True} | fields))
    engine.connect(station)
    return station


def issue(station: Station, command: commands.Command, **options: Any) -> Command:
    with scope(operator=station.operator):
        return life.issue(station=station, command=command, **options)


def now_of(command: Command) -> Command:
    return Command.objects.with_scopes_disabled().get(pk=command.pk)


def sent(engine: Engine, station: Station) -> Errand:
    (errand,) = engine.claim(station)
    return errand


def asked(engine: Engine, station: Station, command: commands.Command, *answers: Any, **options: Any) -> Command:
    """The command as it stands once the station has answered."""
    row = issue(station, command, **options)
    engine.reply(station, sent(engine, station), *(answers or (ACCEPTED,)))
    return now_of(row)


def boot(engine: Engine, station: Station) -> None:
    v201 = {"reason": "RemoteReset", "chargingStation": {"vendorName": "Acme", "model": "Two"}}
    payload = v201 if engine.protocol == "ocpp2.0.1" else {"chargePointVendor": "Acme", "chargePointModel": "One"}
    engine.say(station, "BootNotification", payload)


def report(engine: Engine, station: Station, status: str) -> None:
    at = datetime.now(UTC).isoformat()
    if engine.protocol == "ocpp2.0.1":
        payload = {"timestamp": at, "connectorStatus": status, "evseId": 1, "connectorId": 1}
    else:
        payload = {"timestamp": at, "status": status, "connectorId": 1, "errorCode": "NoError"}
    assert engine.say(station, "StatusNotification", payload) == {}
