"""All that Dee charged as a file, from a real server, and nothing of anybody else."""

import csv
import io
import urllib.request

from django.test import Client

from accounts.models import User
from tests.dashboard.rows import bill, finished, plug, session
from tests.driver.dee import driver_of, token_of
from tests.network import Network
from tests.servers import Server


def download(server: Server, driver: User) -> list[list[str]]:
    client = Client()
    client.force_login(driver)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    request = urllib.request.Request(f"{server.http}/driver/sessions/export/", headers={"Cookie": cookie})  # noqa: S310  (our own)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return list(csv.reader(io.StringIO(answer.read().decode("utf-8-sig"))))


def test_the_file_holds_what_one_driver_charged(uvicorn: Server, network: Network) -> None:
    dee, dan = driver_of(network), driver_of(network, "dan")
    done = finished(plug(network), id_token=token_of(dee))
    bill(done, network.tariff(), "4.71")
    running = session(plug(network), id_token=token_of(dee))
    header, *lines = download(uvicorn, dee)
    assert [line[0] for line in lines] == [str(running.pk), str(done.pk)]
    billed = dict(zip(header, lines[1], strict=True))
    assert (billed["cost"], billed["currency"], billed["final"], billed["energy_wh"]) == ("4.71", "EUR", "yes", "7500")
    assert lines[0][header.index("final")] == "no"
    assert download(uvicorn, dan) == [header]
