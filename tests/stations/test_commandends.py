"""Commands that end without an answer keep none of the secrets that were to be said."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django_scopes import scopes_disabled

from csms.ocpp.batching import UNWORDED
from csms.ocpp.doors import Arrival
from stations.domain import commands
from stations.domain.commands.tariffcost import CostUpdated
from stations.models import Command, Station
from stations.services import commandends
from stations.services.connections import Knock
from tests.engine import Engine
from tests.network import PASSWORD, Network
from tests.stations.asking import connected, issue, now_of, sent
from tests.v201 import started

SECRET = {"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": "a secret of 20 chars"}
HARMLESS = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "value": "300"}
PAYLOAD = {"key": "AuthorizationKey", "value": "a secret of 20 chars"}


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp1.6")


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def taken_back(engine: Engine, row: Command) -> None:
    with scopes_disabled():
        assert commandends.cancel(command=row)


def expired(engine: Engine, row: Command) -> None:
    commandends.sweep(now=row.expires_at + timedelta(seconds=1))


def cut_off(engine: Engine, row: Command) -> None:
    sent(engine, row.station)
    knock = Knock(row.station.identity, (row.station.identity.encode(), PASSWORD.encode()), "ocpp1.6", ("ocpp1.6",), "", True)
    with scopes_disabled():
        engine.thread._attempt_doors([Arrival(knock, None)])


def forgotten(engine: Engine, row: Command) -> None:
    sent(engine, row.station)
    commandends.sweep(now=datetime.now(UTC) + commandends.LOST_ANSWER)


@pytest.mark.parametrize(
    ("end", "status"),
    [(taken_back, "cancelled"), (expired, "expired"), (cut_off, "timed_out"), (forgotten, "timed_out")],
)
def test_secrets_are_forgotten_with_the_command(
    engine: Engine, station: Station, end: Callable[[Engine, Command], None], status: str
) -> None:
    raw = {"action": "ChangeConfiguration", "payload": PAYLOAD}
    row = issue(station, commands.SetVariables([SECRET, HARMLESS]), raw=raw, expires_in=60)
    end(engine, row)
    ended = now_of(row)
    assert ended.status == status
    assert [one["value"] for one in ended.params["variables"]] == ["***", "300"]
    assert ended.facts == {}


#: What the system asks by itself is written unchecked; this register comes from a station that counts from below 0.
SENSELESS = CostUpdated("17", "1.00", at="2030-01-31T02:00:00+00:00", meter_wh=-5)


def test_one_that_makes_no_sense_is_refused_and_stops_nobody_elses(network: Network, engine: Engine, station: Station) -> None:
    other = connected(network, engine)
    odd, fine = issue(station, SENSELESS), issue(other, commands.ClearCache())
    assert [errand.claimed.id for errand in engine.claim(station, other)] == [fine.pk]
    assert (now_of(odd).status, now_of(odd).error_code) == ("failed", "NotSupported")
    assert "meter_wh must be a whole number" in now_of(odd).detail


def test_one_that_makes_no_sense_expires_with_all_others(network: Network, engine: Engine, station: Station) -> None:
    rows = [issue(station, SENSELESS), issue(network.station(), commands.ClearCache(), expires_in=60)]
    commandends.sweep(now=max(row.expires_at for row in rows) + timedelta(seconds=1))
    assert [now_of(row).status for row in rows] == ["expired", "expired"]


def test_one_that_cannot_be_worded_for_a_reason_of_ours_stops_nobody_elses(network: Network, committed: None) -> None:
    newer, older = Engine("ocpp2.0.1"), Engine("ocpp1.6")
    station, other = connected(network, newer), connected(network, older)
    newer.say(station, "TransactionEvent", started(tx="²"))  # a digit to Python, and no number
    older.connect(station)
    odd, fine = issue(station, commands.RemoteStop("²")), issue(other, commands.ClearCache())
    assert [errand.claimed.id for errand in older.claim(station, other)] == [fine.pk]
    assert (now_of(odd).status, now_of(odd).detail) == ("failed", UNWORDED)
