"""The system's own application, on both servers: who is sent where."""

import os
import signal
from pathlib import Path

import pytest
from django.db import connection
from websockets.exceptions import InvalidStatus

from tests.server.conftest import HANDSHAKE, Running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def csms(name: str, tmp_path: Path):
    url, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    running = Running(
        name, tmp_path / "errors", module="csms.server", DATABASE_URL=f"{url}/{connection.settings_dict['NAME']}", CSMS_MODE="test"
    )
    yield running
    running.signal(signal.SIGTERM)
    code = running.ended()
    running.kill()
    assert code == 0
    assert "Traceback" not in running.errors.read_text()


@pytest.mark.long
async def test_everybody_is_sent_to_the_right_door(csms: Running) -> None:
    for path, status in {"/nowhere/": 404, "/ocpp/NOBODY": 404}.items():
        with pytest.raises(InvalidStatus) as refused:
            await csms.connect(path, subprotocols=["ocpp1.6"])
        assert refused.value.response.status_code == status, path
    with pytest.raises(InvalidStatus) as refused:
        await csms.connect("/live/", origin="https://evil.example")
    assert refused.value.response.status_code == 403
    assert csms.get("/nowhere/")[0] == 404
    with csms.raw(HANDSHAKE.format(path="/ocpp/NOBODY").replace("Connection: Upgrade", "Connection: keep-alive")) as sock:
        assert sock.recv(4096).startswith(b"HTTP/1.1 426")
