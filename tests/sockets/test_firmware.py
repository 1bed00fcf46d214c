"""A station takes an image: asked over its socket, it fetches the file by HTTP, and comes back with the version."""

import asyncio
import urllib.request
from urllib.parse import urlsplit

import pytest
from django_scopes import scope

from stations.models import Firmware, FirmwareUpdate, Station
from stations.services import firmware
from tests.database import tables
from tests.firmware import made_image, update_of
from tests.network import Network
from tests.peer import Peer, station
from tests.servers import Server

CONTENT = b"firmware of the demo" * 40_000
VERSIONS = ("ocpp1.6", "ocpp2.0.1")


@tables
def start(who: Station, image: Firmware) -> FirmwareUpdate:
    with scope(operator=who.operator):
        return firmware.start(station=who, firmware=image)


def fetch(server: Server, location: str) -> bytes:
    """What lies at the address, at whatever port this server listens."""
    with urllib.request.urlopen(server.http + urlsplit(location).path, timeout=30) as answer:  # noqa: S310  (our own)
        return bytes(answer.read())


async def boot(peer: Peer, protocol: str, version: str) -> None:
    if protocol == "ocpp1.6":
        told = {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": version}
    else:
        told = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "One", "firmwareVersion": version}}
    assert (await peer.call("BootNotification", told))["status"] == "Accepted"


@pytest.mark.parametrize("server", ["uvicorn", pytest.param("daphne", marks=pytest.mark.long)], indirect=True)
@pytest.mark.parametrize("protocol", VERSIONS)
async def test_a_station_takes_an_image(server: Server, network: Network, bells: None, protocol: str) -> None:
    who = network.station()
    image = made_image(network.operator, content=CONTENT)
    async with station(server.ocpp, who, subprotocols=[protocol]) as peer:
        await boot(peer, protocol, "1.0")
        update = start(who, image)
        message_id, action, payload = await peer.asked()
        assert action == "UpdateFirmware"
        new = protocol == "ocpp2.0.1"
        location = payload["firmware"]["location"] if new else payload["location"]
        await peer.tell(message_id, {"status": "Accepted"} if new else {})
        assert await asyncio.to_thread(fetch, server, location) == CONTENT
        number = {"requestId": payload["requestId"]} if new else {}
        for status in ("Downloaded", "Installing", "InstallRebooting" if new else "Installed"):
            await peer.call("FirmwareStatusNotification", {"status": status} | number)
        assert update_of(who).status == "rebooting"
        await boot(peer, protocol, "2.0")
    now = update_of(who)
    assert (now.pk, now.status, now.bytes_served) == (update.pk, "done", len(CONTENT))
    assert [step[1] for step in now.steps] == [
        *("waiting", "sent", "downloading", "downloaded", "installing", "rebooting", "done"),
    ]
