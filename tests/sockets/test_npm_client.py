"""A second client this project did not write, from another language's package index, compressing as the server offers."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.network import PASSWORD, Network
from tests.servers import Server

PACKAGE = "ocpp-rpc@2.2.1"
SCRIPT = Path(__file__).with_name("foreign_client.cjs")


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("needs Node.js with npm: install Debian's packages nodejs and npm")
    folder = tmp_path_factory.mktemp("npm")
    subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit", PACKAGE], cwd=folder, check=True, timeout=300)
    return folder / "node_modules"


@pytest.mark.long
def test_a_client_from_npm_charges(server: Server, network: Network, modules: Path) -> None:
    known = network.station()
    network.token("NPM-CARD")
    done = subprocess.run(
        ["node", SCRIPT, server.ocpp, known.identity, PASSWORD, "npm-card"],
        env=os.environ | {"NODE_PATH": str(modules)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (charged,) = network.transactions(known)
    assert charged.ocpp_transaction_id == done.stdout.strip()
    assert (charged.status, charged.energy_wh) == ("ended", 3000)
    assert network.findings(known) == []
