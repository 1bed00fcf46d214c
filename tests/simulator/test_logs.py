"""A simulated station of each version sends its log to a real server, which is where it belongs."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django_scopes import scope, scopes_disabled

from csms.files import storage
from csms.simulator import SimulatedStation
from stations.models import LogUpload, Station
from stations.services import diagnostics
from tests.database import tables
from tests.network import PASSWORD, Network
from tests.servers import PATIENCE_S, Server


@tables
def ask(station: Station, kind: str) -> LogUpload:
    with scope(operator=station.operator):
        return diagnostics.request_log(station=station, kind=kind)


@tables
def now(upload: LogUpload) -> LogUpload:
    with scopes_disabled():
        return LogUpload.objects.get(pk=upload.pk)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("kind", ["diagnostics", "security"])
@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])
async def test_a_log_that_is_asked_for_comes(
    network: Network, uvicorn: Server, bells: None, protocol: str, kind: str, settings: Any
) -> None:
    settings.STATION_FILES_URL = uvicorn.http
    who = network.station()
    async with SimulatedStation(uvicorn.ocpp, who.identity, password=PASSWORD, protocol=protocol) as sim:
        await sim.boot()
        upload = ask(who, kind)
        await until(lambda: now(upload).status == "uploaded")
        upload = now(upload)
        text = b"".join(storage.pieces(upload.path)).decode()
        assert f"{kind} of {who.identity}" in text
        assert "BootNotification" in text
        assert upload.filename == f"{who.identity}-{kind}.log"
        await until(lambda: sim.ledger[-1].payload.get("status") == "Uploaded")
    assert now(upload).status == "uploaded"


async def test_one_that_cannot_be_sent_has_failed(network: Network, uvicorn: Server, bells: None, settings: Any) -> None:
    settings.STATION_FILES_URL = "ftp://127.0.0.1"
    who = network.station()
    async with SimulatedStation(uvicorn.ocpp, who.identity, password=PASSWORD, protocol="ocpp2.0.1") as sim:
        await sim.boot()
        upload = ask(who, "diagnostics")
        await until(lambda: now(upload).status == "failed")
    assert now(upload).reason == diagnostics.FAILURES["UploadFailure"]
