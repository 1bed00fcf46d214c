"""What tests of firmware updates share: asking a station to take an image, and what it says of it."""

from datetime import datetime
from typing import Any

import pytest
from django_scopes import scope, scopes_disabled

from csms.ocpp.errands import Errand
from stations.models import Firmware, FirmwareUpdate, Station
from stations.services import firmware
from tests.engine import Engine
from tests.firmware import made_image, update_of
from tests.network import Network
from tests.stations.asking import ACCEPTED, PROTOCOLS, connected, sent


@pytest.fixture(params=PROTOCOLS)
def engine(committed: None, request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine, vendor="Acme", model="One", firmware_version="1.0")


@pytest.fixture
def image(network: Network) -> Firmware:
    return made_image(network.operator)


def start(station: Station, image: Firmware, **options: Any) -> FirmwareUpdate:
    with scope(operator=station.operator):
        return firmware.start(station=station, firmware=image, **options)


def taken(engine: Engine, station: Station) -> Errand:
    """The station is asked, and agrees."""
    errand = sent(engine, station)
    engine.reply(station, errand, {} if errand.action == "UpdateFirmware" and engine.protocol == "ocpp1.6" else ACCEPTED)
    return errand


def say(engine: Engine, station: Station, status: str, number: int | None = None) -> None:
    """How far it is, by the message of its version that has the word."""
    if engine.protocol == "ocpp2.0.1":
        payload = {"status": status} | ({"requestId": number or update_of(station).request_id} if status != "Idle" else {})
        assert engine.say(station, "FirmwareStatusNotification", payload) == {}
    elif number is not None:
        assert engine.say(station, "SignedFirmwareStatusNotification", {"status": status, "requestId": number}) == {}
    else:
        assert engine.say(station, "FirmwareStatusNotification", {"status": status}) == {}


def boot(engine: Engine, station: Station, version: str | None) -> None:
    named: dict[str, Any] = {"firmwareVersion": version} if version is not None else {}
    if engine.protocol == "ocpp2.0.1":
        payload = {"reason": "FirmwareUpdate", "chargingStation": {"vendorName": "Acme", "model": "One"} | named}
    else:
        payload = {"chargePointVendor": "Acme", "chargePointModel": "One"} | named
    engine.say(station, "BootNotification", payload)


def swept(now: datetime) -> None:
    with scopes_disabled():
        firmware.sweep(now=now)


def ends(update: FirmwareUpdate) -> tuple[str, str]:
    now = update_of(update.station)
    return now.status, now.reason


def steps(update: FirmwareUpdate) -> list[str]:
    return [f"{status} {detail}".strip() for _at, status, detail in update_of(update.station).steps]
