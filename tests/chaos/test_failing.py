"""A station whose every meter reading fails: it is handled apart, its messages are kept, and the others do not notice."""

from collections.abc import Callable

import pytest

from tests.chaos.fleet import Fleet
from tests.chaos.postgres import Postgres
from tests.charger import compare
from tests.network import Network
from tests.servers import Server

pytestmark = pytest.mark.long
BROKEN = """
CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF NEW.station_id = {} THEN RAISE EXCEPTION 'a bug' USING ERRCODE = '{}'; END IF; RETURN NEW; END $$;
CREATE TRIGGER broken BEFORE INSERT ON stations_metersample FOR EACH ROW EXECUTE FUNCTION broken();
"""


@pytest.mark.parametrize("state", ["P0001", "54000", "22003"], ids=["bug", "limit", "overflow"])
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
async def test_a_station_that_always_fails_harms_nobody_and_loses_nothing(
    kind: str, state: str, postgres: Postgres, network: Network, serve: Callable[..., Server]
) -> None:
    async with Fleet(network, serve(kind).ocpp) as fleet:
        unlucky, *others = fleet.chargers
        postgres.execute(BROKEN.format(unlucky.who.pk, state))
        try:
            await fleet.more(500, each=20)
            fleet.finished.set()
            for task in fleet.running:
                await task
        finally:
            postgres.execute("DROP FUNCTION broken CASCADE")
    assert [charger.errors for charger in fleet if charger.errors] == []
    compare(others)
    sent = sum(len(session.samples) for session in unlucky.ledger)
    assert len(network.repairs(unlucky.who)) == sent > 0
    assert {(t.status, t.energy_wh) for t in network.transactions(unlucky.who)} == {
        ("ended", session.meter_stop - session.meter_start) for session in unlucky.ledger
    }
    assert "handler_failed" in network.findings(unlucky.who)
    assert [network.repairs(charger.who) for charger in others] == [[]] * len(others)
