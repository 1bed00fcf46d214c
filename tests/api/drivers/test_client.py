"""A client made from the OpenAPI document by openapi-python-client, in the hands of a driver, at a simulated station."""

import asyncio
import importlib
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django_scopes import scopes_disabled
from drf_spectacular.generators import SchemaGenerator

from accounts.models import User
from billing.tasks import make_charge_records
from csms.simulator import SimulatedStation, WallClock
from stations.models import Site, Station
from tests.api.drivers.conftest import PASSWORD
from tests.api.drivers.test_live import live
from tests.database import tables
from tests.network import PASSWORD as STATION_PASSWORD
from tests.network import Network
from tests.servers import Server

PACKAGE = "made_client"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """The client's modules, by their path within it."""
    folder: Path = tmp_path_factory.mktemp("client")
    document, config = folder / "schema.json", folder / "config.json"
    document.write_text(json.dumps(SchemaGenerator().get_schema(public=True), default=str))
    config.write_text(json.dumps({"post_hooks": [], "content_type_overrides": {"application/pdf": "application/octet-stream"}}))
    tool = Path(sys.executable).with_name("openapi-python-client")
    options = ["--path", document, "--output-path", folder / PACKAGE, "--meta", "none", "--config", config, "--fail-on-warning"]
    done = subprocess.run([tool, "generate", *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")
    sys.path.remove(str(folder))


@tables
def at_a_site(network: Network, station: Station) -> Site:
    with scopes_disabled():
        site = Site.objects.create(operator=network.operator, name="Harbour", latitude="56.15", longitude="10.21")
        Station.objects.filter(pk=station.pk).update(site=site)
        network.operator.code = f"amber-{network.tag}"
        network.operator.save()
    return site


async def until(ask: Callable[[], Awaitable[Any]], true: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(60):
        while not true(found := await ask()):
            await asyncio.sleep(0.05)
    return found


@pytest.mark.long
@pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp1.6"])
async def test_a_driver_charges_with_a_client_made_from_the_document(
    protocol: str, uvicorn: Server, network: Network, made: Callable[[str], Any]
) -> None:
    known = network.station()
    network.tariff()
    site = at_a_site(network, known)
    models, call = made("models"), lambda name: made(f"api.{name}").asyncio
    anonymous = made("client").Client(base_url=uvicorn.http)
    email = f"dee.{network.tag}@example.org"
    async with SimulatedStation(
        uvicorn.ocpp, known.identity, password=STATION_PASSWORD, protocol=protocol, clock=WallClock()
    ) as station:
        await station.boot()

        signed = await call("auth.auth_sign_up")(
            client=anonymous,
            body=models.SignUp(email=email, password=PASSWORD, name="Dee", operator=network.operator.code),
        )
        assert signed.meta.is_authenticated
        logged_in = await call("auth.auth_login")(client=anonymous, body=models.Login(email=email, password=PASSWORD))
        dee = made("client").AuthenticatedClient(base_url=uvicorn.http, token=logged_in.meta.access_token)
        me = await call("me.me_retrieve")(client=dee)
        assert (me.name, me.operator.code) == ("Dee", network.operator.code)

        async def located() -> Any:
            return (await call("locations.locations_list")(client=dee, lat=56.15, lon=10.21)).results

        (place,) = await until(located, lambda found: found and len(found[0].plugs) == 2 and found[0].free == 2)
        assert (place.id, place.price.per_kwh) == (site.pk, "0.5000")

        body = models.StartAskedRequest(station=known.identity, evse=1)
        asked = await call("charge.charge_start")(client=dee, body=body)

        async def follow() -> Any:
            return await call("charge.charge_commands_retrieve")(client=dee, id=str(asked.id))

        await until(follow, lambda now: now.state == "plug_in")
        await station.plug_in(1)
        begun = await until(follow, lambda now: now.session is not None)
        assert begun.state == "charging"

        web = httpx.AsyncClient(base_url=uvicorn.http, headers={"Authorization": f"Bearer {dee.token}"}, timeout=30)
        async with web, live(web, begun.session) as events:
            await events.next()
            await station.charge(1, seconds=1, step=1)
            await station.send_meter_values(1)
            name, _, told = await events.next()
            running = await call("me.me_sessions_retrieve")(client=dee, id=str(begun.session))
            assert running.status == "active"
            stop = await call("charge.charge_stop")(client=dee, body=models.StopAskedRequest(session=begun.session))
            while name != "ended":
                name, _, told = await events.next()
        assert told["status"] == "ended"
        await station.unplug(1)

        async def stopped() -> Any:
            return await call("charge.charge_commands_retrieve")(client=dee, id=str(stop.id))

        await until(stopped, lambda now: now.state == "stopped")
        tables(make_charge_records)()
        (session,) = (await call("me.me_sessions_list")(client=dee)).results
        assert session.cost.final
        receipt = await call("me.me_receipts_retrieve")(client=dee, id=str(session.receipt))
        assert (receipt.session, receipt.total_incl_tax) == (session.id, session.cost.amount)

        fresh = await call("auth.auth_refresh")(client=anonymous, body=models.Refresh(refresh_token=logged_in.meta.refresh_token))
        dee = made("client").AuthenticatedClient(base_url=uvicorn.http, token=fresh.data.access_token)
        out = await call("auth.auth_logout")(client=dee)
        assert out.meta.is_authenticated is False
        assert (await call("me.me_retrieve")(client=dee)).status == 401
        again = await call("auth.auth_login")(client=anonymous, body=models.Login(email=email, password=PASSWORD))
        dee = made("client").AuthenticatedClient(base_url=uvicorn.http, token=again.meta.access_token)
        assert await call("me.me_destroy")(client=dee) is None
        assert (await call("me.me_retrieve")(client=dee)).status == 401
    assert not tables(lambda: User.objects.filter(email=email).exists())()
