"""A simulated station updates itself: it really fetches, tells each step, and comes back, or not, as it was told to."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ocpp.v16 import call
from ocpp.v201 import call as call201

from csms.simulator import SimulatedStation, StationOffline, Unreachable
from csms.simulator.firmware import Trouble, fetch

WELL = ["Downloading", "Downloaded", "Installing", "InstallRebooting", "Installed"]


@pytest.fixture
def image(tmp_path: Path) -> Iterator[str]:
    """The address of an image of version 2.1.0."""
    (tmp_path / "image.bin").write_bytes(b"Simulated SIM-22 2.1.0\n" * 10_000)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/image.bin"
        server.shutdown()


def told(central: Any, action: str = "FirmwareStatusNotification") -> list[str]:
    return [payload["status"] for payload in central.payloads(action)]


@pytest.mark.parametrize(
    ("trouble", "expected", "version"),
    [
        (Trouble.NONE, WELL, "2.1.0"),
        (Trouble.DOWNLOAD, ["Downloading", "DownloadFailed"], "1.0.0"),
        (Trouble.INSTALL, ["Downloading", "Downloaded", "Installing", "InstallationFailed"], "1.0.0"),
        (Trouble.OLD, WELL[:4], "1.0.0"),
        (Trouble.NEVER, WELL[:4], ""),
    ],
)
async def test_in_2_0_1_it_tells_each_step_with_the_number_of_the_request(
    central201: Any, image: str, trouble: Trouble, expected: list[str], version: str
) -> None:
    async with SimulatedStation(central201.url, "SIM-0001", protocol="ocpp2.0.1") as sim:
        await sim.boot()
        sim.updater.trouble = trouble
        firmware = {"location": image, "retrieveDateTime": "2026-11-21T12:00:00Z"}
        answer = await central201.peer.call(call201.UpdateFirmware(7, firmware))
        assert answer.status == "Accepted"
        await central201.until(lambda: told(central201) == expected)
        assert {payload["requestId"] for payload in central201.payloads("FirmwareStatusNotification")} == {7}
        if trouble is Trouble.NEVER:
            await central201.until(lambda: not sim.connected)
            with pytest.raises((Unreachable, StationOffline)):
                await sim.reconnect()
            return
        if "InstallRebooting" in expected:
            await central201.until(lambda: len(central201.payloads("BootNotification")) == 2)
        assert central201.payloads("BootNotification")[-1]["chargingStation"]["firmwareVersion"] == version
    assert [request.location for request in sim.updater.asked] == [image]


async def test_a_signature_is_looked_at_where_there_is_one(central201: Any, image: str) -> None:
    async with SimulatedStation(central201.url, "SIM-0001", protocol="ocpp2.0.1") as sim:
        await sim.boot()
        sim.updater.trouble = Trouble.SIGNATURE
        firmware = {
            "location": image, "retrieveDateTime": "2026-11-21T12:00:00Z", "signature": "c2ln", "signingCertificate": "PEM",
        }  # fmt: skip
        await central201.peer.call(call201.UpdateFirmware(8, firmware))
        await central201.until(lambda: told(central201) == ["Downloading", "Downloaded", "InvalidSignature"])


async def test_in_1_6_only_the_words_of_1_6_are_said(central: Any, image: str) -> None:
    async with SimulatedStation(central.url, "SIM-0001") as sim:
        await sim.boot()
        await central.peer.call(call.UpdateFirmware(image, "2026-11-21T12:00:00Z"))
        await central.until(lambda: told(central) == [word for word in WELL if word != "InstallRebooting"])
        assert sim.firmware_version == "2.1.0"


async def test_it_waits_with_the_installation_until_nobody_charges(central: Any, image: str) -> None:
    async with SimulatedStation(central.url, "SIM-0001") as sim:
        await sim.boot()
        await sim.plug_in(1)
        await sim.start(1, "DEE")
        await central.peer.call(call.UpdateFirmware(image, "2026-11-21T12:00:00Z"))
        await central.until(lambda: told(central) == ["Downloading", "Downloaded"])
        await sim.stop(1)
        await central.until(lambda: told(central)[-1:] == ["Installed"])


@pytest.mark.parametrize("location", ["ftp://example.org/image.bin", "file:///etc/hostname"])
def test_it_fetches_by_http_only(location: str) -> None:
    with pytest.raises(ValueError, match="by HTTP only"):
        fetch(location)
